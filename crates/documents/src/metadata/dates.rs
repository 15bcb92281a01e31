//! Issued, in force from, in force until.

use std::sync::LazyLock;

use jiff::ToSpan;
use jiff::civil::Date;
use lang::numeral;
use regex::Regex;

use super::{DATE, View, pattern};
use crate::format;
use crate::page::Said;
use crate::structure::is_date;

macro_rules! dated {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(&$text.replace("DATE", &format!("({DATE})"))).expect("the pattern is fixed")
        });
    };
}

dated!(
    ISSUED,
    r"DATE[ 　]*(?:由)?(?:[\p{Han}]{0,20})?(?:印发|发布|公布|签发)"
);
dated!(
    ADOPTED,
    r"DATE[^，。；]{0,90}?(?:通过|修正|修订|修改|批准|公布|发布|印发)"
);
dated!(
    IN_FRONT,
    r"(?:自[ 　]*)?DATE[ 　]*起?(?:正式)?(?:施行|实施|执行)"
);
dated!(
    FROM,
    r"(?:自|从|于)[ 　]*DATE[ 　]*(?:零时|0时)?(?:起|开始)?(?:正式|试)?(?:施行|执行|实施|生效)"
);
dated!(
    UNTIL,
    r"(?:有效期(?:限)?|执行期(?:限)?|施行期(?:限)?|政策期限|执行|实施|施行|试行期(?:限)?|延长)(?:为|自)?[^。；]{0,24}?(?:至|到|截至|截止)[ 　]*DATE"
);
dated!(
    STOPS,
    r"起[^。；]{0,20}?(?:施行|执行|实施|生效)?[，,]?[^。；]{0,12}?(?:至|到)[ 　]*DATE[ 　]*(?:止|失效|废止)"
);
pattern!(
    AT_ISSUE,
    r"自(?:本\p{Han}{1,4})?(?:发布|公布|印发|签发|下发|通过|发文|发出|颁布)之日起(?:([0-9]{1,3}|[一二三四五六七八九十]{1,3})日后?)?(?:正式|试)?(?:施行|执行|实施|生效)"
);
pattern!(
    YEARS,
    r"(?:有效期|试行期|执行期|施行期)(?:限)?(?:为|是)?[ 　]*([0-9]{1,2}|[一二两三四五六七八九十]{1,2})[ 　]*(年|个月)"
);
pattern!(
    OTHERS,
    r"本(?:指南|问答|解读|手册|流程)[^。\n]{0,20}(?:施行|执行|实施|生效|有效)"
);
pattern!(
    SELF,
    r"本(?:办法|规定|条例|法|通知|细则|意见|方案|措施|决定|规则|公告|通告|解释|标准|指南|制度|规程|实施|政策|文件|若干|暂行|《)"
);

pattern!(VERSION, r"[（(]((?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2})[）)]$");

fn first(text: &str) -> Option<Date> {
    lang::date::find(text).into_iter().next().map(|d| d.date)
}

/// The day that the file's name bears as the mark of a version: 条例(2022-03-29).md.
fn version(name: &str) -> Option<Date> {
    let found = VERSION.captures(format::stem(name))?;
    first(&found[1])
}

/// The day the document bears. `law` says that it is one.
pub(super) fn issued(name: &str, view: &View<'_>, said: &Said, law: bool) -> Option<Date> {
    let labelled = said.issued;
    let front = || {
        view.front
            .iter()
            .skip(1)
            .take(25)
            .filter(|line| line.chars().count() <= 250)
    };
    let printed =
        || front().find_map(|line| ISSUED.captures_iter(line).last().and_then(|c| first(&c[1])));
    let signed = || {
        let above = front().rfind(|line| is_date(line)).copied();
        above
            .or(view.signature.as_ref().map(|(_, date)| *date))
            .and_then(first)
    };
    let adopted = || {
        front()
            .flat_map(|line| {
                ADOPTED
                    .captures_iter(line)
                    .filter_map(|c| first(&c[1]))
                    .collect::<Vec<_>>()
            })
            .max()
    };
    let ending = || {
        view.last(10)
            .rev()
            .find(|line| is_date(line))
            .and_then(first)
    };
    let tail = || {
        let line = view
            .last(1)
            .next()
            .filter(|line| line.chars().count() > 200)?;
        let date = lang::date::find(line).pop()?;
        (line[date.span.end..].chars().count() <= 30
            && line[..date.span.start].trim_end().ends_with([
                '局', '府', '厅', '委', '会', '院', '部', '室', '办', '组', '署',
            ]))
        .then_some(date.date)
    };
    let named = || {
        let stem = format::stem(name);
        let date = lang::date::find(stem).pop()?;
        stem[date.span.end..]
            .trim_start_matches([')', '）', ' '])
            .is_empty()
            .then_some(date.date)
    };
    let adopted_law = front().any(|line| {
        line.contains("会议") && line.contains("通过")
            || line.contains("修订")
            || line.contains("修正")
    });
    let latest = if adopted_law {
        printed_in_heading(view).or_else(adopted)
    } else {
        None
    };
    // Collections of laws name the day on which a version was published; its text may tell of a later one.
    let version = version(name)
        .filter(|_| law || adopted_law || signed().is_none())
        .map(|date| latest.or_else(printed).map_or(date, |told| told.max(date)));
    labelled
        .or(version)
        .or(latest)
        .or_else(signed)
        .or_else(printed)
        .or_else(ending)
        .or_else(adopted)
        .or_else(tail)
        .or_else(named)
}

/// （……审议通过，2021年5月28日印发，自……起施行）
fn printed_in_heading(view: &View<'_>) -> Option<Date> {
    let line = view
        .front
        .iter()
        .skip(1)
        .take(6)
        .find(|line| line.contains("通过") && line.contains("印发"))?;
    ISSUED.captures_iter(line).last().and_then(|c| first(&c[1]))
}

/// Days from and until which it is in force.
///
/// `own` says that the document rules; others must speak of themselves.
pub(super) fn effective(
    name: &str,
    view: &View<'_>,
    issued: Option<Date>,
    own: bool,
) -> (Option<Date>, Option<Date>) {
    if !own && !OTHERS.is_match(view.text()) {
        return (None, None);
    }
    let from = from(name, view, issued);
    (from, until(view, from.or(issued)))
}

/// A law is seldom in force before it is published; one that is by more than this many days was amended since.
const EARLIER: i32 = 60;

fn from(name: &str, view: &View<'_>, issued: Option<Date>) -> Option<Date> {
    let front = view
        .front
        .iter()
        .skip(1)
        .take(25)
        .filter(|line| line.chars().count() <= 250);
    let in_front = front
        .clone()
        .flat_map(|line| {
            IN_FRONT
                .captures_iter(line)
                .filter_map(|c| first(&c[1]))
                .collect::<Vec<_>>()
        })
        .max();
    let sentences = view.sentences_with(&["施行", "执行", "实施", "生效"]);
    let own = sentences
        .iter()
        .rev()
        .filter(|s| speaks_of_itself(s))
        .find_map(|s| in_sentence(s, issued));
    let any = || {
        sentences
            .iter()
            .rev()
            .take(3)
            .filter(|s| !s.contains('《') && begins_with_date(s))
            .find_map(|s| in_sentence(s, issued))
    };
    let found = in_front.or(own).or_else(any)?;
    // A law that was amended later still ends with its first day in force; this wording holds from the amendment.
    let amended = front
        .clone()
        .any(|line| line.contains("修正") || line.contains("修订") || line.contains("修改"));
    let later = |issued: Date| {
        let days = found.until(issued).map_or(0, |span| span.get_days());
        version(name) == Some(issued) && days > EARLIER
    };
    match issued {
        Some(issued) if found < issued && (amended || later(issued)) => Some(issued),
        _ => Some(found),
    }
}

/// 第二十条　自2024年7月1日起施行
fn begins_with_date(sentence: &str) -> bool {
    let near = sentence.trim_start().chars().take(12).collect::<String>();
    near.contains('自') || near.contains('从')
}

fn speaks_of_itself(sentence: &str) -> bool {
    SELF.find(sentence).is_some_and(|found| {
        let before = &sentence[found.end()..];
        before.chars().count() <= 120
    })
}

fn in_sentence(sentence: &str, issued: Option<Date>) -> Option<Date> {
    if let Some(found) = FROM.captures(sentence) {
        return first(&found[1]);
    }
    let found = AT_ISSUE.captures(sentence)?;
    let issued = issued?;
    match found
        .get(1)
        .and_then(|days| numeral::integer(days.as_str()))
    {
        Some(days) => issued.checked_add(i64::try_from(days).ok()?.days()).ok(),
        None => Some(issued),
    }
}

fn until(view: &View<'_>, from: Option<Date>) -> Option<Date> {
    let sentences = view.sentences_with(&["有效期", "执行", "施行", "实施", "试行", "政策期限"]);
    for sentence in sentences
        .iter()
        .rev()
        .filter(|s| speaks_of_itself(s) || s.contains("有效期") && !s.contains("证"))
    {
        // 有效期 of a certificate or credential is not that of the document.
        if !speaks_of_itself(sentence) && !AT_ISSUE.is_match(sentence) && !FROM.is_match(sentence) {
            continue;
        }
        if let Some(found) = UNTIL
            .captures(sentence)
            .or_else(|| STOPS.captures(sentence))
        {
            return first(&found[1]);
        }
        if let (Some(found), Some(from)) = (YEARS.captures(sentence), from) {
            let count = i64::try_from(numeral::integer(&found[1])?).ok()?;
            let span = if &found[2] == "年" {
                count.years()
            } else {
                count.months()
            };
            return from.checked_add(span).ok()?.yesterday().ok();
        }
    }
    None
}
