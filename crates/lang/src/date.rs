//! Finds calendar dates in Chinese text.

use std::ops::Range;
use std::sync::LazyLock;

use jiff::civil::Date;
use regex::{Captures, Regex};

use crate::numeral;

/// How exactly a date was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Year, month and day.
    Day,
    /// Year and month; the date is the first of that month.
    Month,
}

/// A date and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Byte range in the text.
    pub span: Range<usize>,
    /// The day, or the first day of the month.
    pub date: Date,
    /// Whether the day was given.
    pub precision: Precision,
}

static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?P<y>[0-9０-９]{4})[ 　]*年[ 　]*(?P<m>[0-9０-９]{1,2})[ 　]*月(?:份)?(?:[ 　]*(?P<d>[0-9０-９]{1,2})[ 　]*[日号])?",
        r"|(?P<cy>[一二三四五六七八九零〇○ＯO0]{4})[ 　]*年[ 　]*(?P<cm>[一二三四五六七八九十元]{1,2})[ 　]*月(?:[ 　]*(?P<cd>[一二三四五六七八九十廿卅]{1,3})[ 　]*[日号])?",
        r"|(?P<ny>[0-9]{4})(?:-(?P<nm>[0-9]{1,2})-(?P<nd>[0-9]{1,2})|/(?P<sm>[0-9]{1,2})/(?P<sd>[0-9]{1,2})|[.．](?P<pm>[0-9]{1,2})[.．](?P<pd>[0-9]{1,2}))",
    ))
    .expect("the pattern is fixed")
});

fn number(text: &str) -> Option<i64> {
    if text == "元" {
        return Some(1);
    }
    let text: String = text
        .chars()
        .map(|c| {
            if matches!(c, 'O' | 'Ｏ' | '0' | '○') {
                '〇'
            } else {
                c
            }
        })
        .collect();
    numeral::integer(&text).and_then(|n| i64::try_from(n).ok())
}

fn arabic(text: &str) -> Option<i64> {
    numeral::integer(text).and_then(|n| i64::try_from(n).ok())
}

fn read(found: &Captures<'_>) -> Option<(Date, Precision)> {
    let get = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| found.name(name))
            .map(|m| m.as_str())
    };
    let parse = if found.name("cy").is_some() {
        number
    } else {
        arabic
    };
    let year = parse(get(&["y", "cy", "ny"])?)?;
    let month = parse(get(&["m", "cm", "nm", "sm", "pm"])?)?;
    let day = match get(&["d", "cd", "nd", "sd", "pd"]) {
        Some(day) => Some(parse(day)?),
        None => None,
    };
    if !(1800..=2999).contains(&year) {
        return None;
    }
    let date = Date::new(
        year as i16,
        i8::try_from(month).ok()?,
        i8::try_from(day.unwrap_or(1)).ok()?,
    )
    .ok()?;
    Some((
        date,
        if day.is_some() {
            Precision::Day
        } else {
            Precision::Month
        },
    ))
}

/// Every valid date in `text`, in order, with its place in bytes.
///
/// Reads 2024年3月5日, 2024年3月, 2024-03-05, 2024/3/5, 2024.3.5 and 二〇二四年三月五日. Days that no calendar has are left out.
pub fn find(text: &str) -> Vec<Found> {
    let digit_at = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    PATTERN
        .captures_iter(text)
        .filter_map(|found| {
            let span = found.get(0)?.range();
            let numeric = found.name("ny").is_some();
            if digit_at(text[..span.start].chars().next_back())
                || numeric && digit_at(text[span.end..].chars().next())
            {
                return None;
            }
            let (date, precision) = read(&found)?;
            Some(Found {
                span,
                date,
                precision,
            })
        })
        .collect()
}

/// The date when `text`, without surrounding blanks or brackets, is one date and nothing else.
pub fn only(text: &str) -> Option<Found> {
    let inner = text.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '（' | '）' | '(' | ')' | '[' | ']')
    });
    let found = find(inner).into_iter().next()?;
    (found.span == (0..inner.len())).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(text: &str) -> Vec<String> {
        find(text)
            .into_iter()
            .map(|f| {
                format!(
                    "{} {}",
                    &text[f.span],
                    if f.precision == Precision::Day {
                        f.date.to_string()
                    } else {
                        format!("{}*", f.date)
                    }
                )
            })
            .collect()
    }

    #[test]
    fn finds_every_way_of_writing_a_date() {
        assert_eq!(
            dates(
                "自2024年3月5日起，2024-03-06、2024.3.7、2024/3/8，二〇二四年三月九日，2024年4月，二○二四年十二月三十一日，２０２４年５月１日"
            ),
            [
                "2024年3月5日 2024-03-05",
                "2024-03-06 2024-03-06",
                "2024.3.7 2024-03-07",
                "2024/3/8 2024-03-08",
                "二〇二四年三月九日 2024-03-09",
                "2024年4月 2024-04-01*",
                "二○二四年十二月三十一日 2024-12-31",
                "２０２４年５月１日 2024-05-01",
            ]
        );
    }

    #[test]
    fn leaves_out_days_that_do_not_exist_and_longer_numbers() {
        assert_eq!(
            dates("2023年2月30日 2024-13-01 12024-01-01 2024-01-011 0000年1月1日"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn tells_whether_the_text_is_only_a_date() {
        assert!(only("（2024年3月5日）").is_some());
        assert!(only("2024年3月5日印发").is_none());
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "[0-9年月日一二十〇.\\-/ ]{0,40}") {
            for found in find(&text) {
                let _ = &text[found.span];
            }
        }
    }
}
