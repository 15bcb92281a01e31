//! Numbers as their format shows them (ECMA-376, 18.8.30 and 18.8.31): decimals, thousands, percent, dates and times.

use jiff::ToSpan;
use jiff::civil::{Date, date};

/// How a cell shows its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    /// As short as it can be.
    #[default]
    General,
    Decimal {
        places: usize,
        thousands: bool,
        percent: bool,
        before: String,
        after: String,
    },
    Moment {
        /// Whether the day, or only the month, is shown.
        day: bool,
        month: bool,
        year: bool,
        clock: bool,
        seconds: bool,
        /// Written with 年, 月 and 日.
        chinese: bool,
    },
}

/// The format of a built-in number, as Chinese versions show it.
fn builtin(id: u32) -> &'static str {
    match id {
        1 => "0",
        2 => "0.00",
        3 | 37 | 38 => "#,##0",
        4 | 39 | 40 => "#,##0.00",
        9 => "0%",
        10 => "0.00%",
        14 | 30 => "yyyy-mm-dd",
        15 | 16 => "yyyy-mm-dd",
        17 => "yyyy-mm",
        18..=20 | 32 | 34 | 55 => "h:mm",
        21 | 33 | 35 | 45..=47 | 56 => "h:mm:ss",
        22 => "yyyy-mm-dd h:mm",
        27 | 36 | 50 | 52 | 57 => "yyyy\"年\"m\"月\"",
        28 | 29 | 51 | 53 | 54 | 58 => "m\"月\"d\"日\"",
        31 => "yyyy\"年\"m\"月\"d\"日\"",
        _ => "General",
    }
}

impl Format {
    /// The format with this number; `own` is the file's own text for it.
    pub(super) fn new(id: u32, own: Option<&str>) -> Self {
        Self::parse(own.unwrap_or_else(|| builtin(id)))
    }

    fn parse(code: &str) -> Self {
        // The first section is for what is not negative.
        let (marks, literals) = split(code);
        let lower = marks.to_lowercase();
        if lower.contains("general")
            || lower.is_empty()
            || lower.contains('@')
            || lower.contains('e') && lower.contains('0') && !lower.contains('y')
        {
            return Self::General;
        }
        let has = |c: char| lower.contains(c);
        let clock = has('h') || has('s');
        if has('y') || has('d') || clock || has('m') {
            let chinese = literals
                .iter()
                .any(|(_, text)| text.contains(['年', '月', '日']))
                || code.contains(['年', '月', '日']);
            // m beside h or s is minutes.
            let months = lower.matches('m').count() > 0 && (!clock || has('y') || has('d'));
            return Self::Moment {
                day: has('d'),
                month: months,
                year: has('y'),
                clock,
                seconds: has('s'),
                chinese,
            };
        }
        let Some(first) = marks.find(['0', '#', '?']) else {
            return Self::General;
        };
        let end = marks.rfind(['0', '#', '?']).unwrap_or(first);
        let digits = &marks[first..=end];
        let places = digits.split_once('.').map_or(0, |(_, places)| {
            places
                .chars()
                .filter(|c| matches!(c, '0' | '#' | '?'))
                .count()
        });
        let literal = |before: bool| {
            literals
                .iter()
                .filter(|(at, _)| (*at <= first) == before)
                .map(|(_, text)| text.as_str())
                .collect::<String>()
        };
        Self::Decimal {
            places: places.min(20),
            thousands: digits.contains(','),
            percent: marks.contains('%'),
            before: literal(true),
            after: literal(false),
        }
    }

    /// What a cell with this number shows.
    pub(super) fn show(&self, value: f64, since_1904: bool) -> String {
        match self {
            Self::General => general(value),
            Self::Decimal {
                places,
                thousands,
                percent,
                before,
                after,
            } => {
                let value = if *percent { value * 100.0 } else { value };
                let number = fixed(value.abs(), *places);
                let number = if *thousands { grouped(&number) } else { number };
                let sign =
                    if value < 0.0 && number.contains(|c: char| c.is_ascii_digit() && c != '0') {
                        "-"
                    } else {
                        ""
                    };
                let unit = if *percent { "%" } else { "" };
                format!("{sign}{before}{number}{unit}{after}")
            }
            Self::Moment {
                day,
                month,
                year,
                clock,
                seconds,
                chinese,
            } => moment(
                value,
                since_1904,
                [*year, *month, *day, *clock, *seconds],
                *chinese,
            )
            .unwrap_or_else(|| general(value)),
        }
    }
}

/// The marks of the first section, and its literal texts with the place among the marks where each stands.
fn split(code: &str) -> (String, Vec<(usize, String)>) {
    let (mut marks, mut literals) = (String::new(), Vec::new());
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        match c {
            ';' => break,
            '"' => {
                let text: String = chars.by_ref().take_while(|c| *c != '"').collect();
                literals.push((marks.len(), text));
            }
            '\\' => literals.extend(chars.next().map(|c| (marks.len(), c.to_string()))),
            // The width of a character, and a character to fill up with.
            '_' | '*' => {
                chars.next();
            }
            '[' => {
                let inside: String = chars.by_ref().take_while(|c| *c != ']').collect();
                // [$¥-804] is a currency, [h] hours beyond a day; others are colours, conditions and languages.
                if let Some(currency) = inside.strip_prefix('$') {
                    let sign = currency.split('-').next().unwrap_or("");
                    literals.push((marks.len(), sign.to_owned()));
                } else if matches!(
                    inside.to_lowercase().as_str(),
                    "h" | "hh" | "m" | "mm" | "s" | "ss"
                ) {
                    marks.push_str(&inside);
                }
            }
            '¥' | '￥' | '$' | '€' | '£' | '元' | '年' | '月' | '日' | '-' | '+' | '(' | ')'
            | ' ' | '/' | ':' => {
                if !matches!(c, '-' | '+' | '(' | ')' | ' ' | '/' | ':') {
                    literals.push((marks.len(), c.to_string()));
                }
            }
            c => marks.push(c),
        }
    }
    (marks, literals)
}

/// As short as it can be, without an exponent where it need not be.
fn general(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    if value.abs() >= 1e15 || value.abs() < 1e-9 {
        return format!("{value:e}").replace('e', "E");
    }
    // Fifteen digits are what a spreadsheet keeps.
    let digits = value.abs().log10().floor() as i32 + 1;
    let places = (15 - digits).clamp(0, 15) as usize;
    let text = format!("{value:.places$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Halves go up, as in a spreadsheet, and as its fifteen digits see them: 2.675 is a half.
fn fixed(value: f64, places: usize) -> String {
    let unit = 10f64.powi(places as i32);
    let scaled = value * unit;
    let rounded = (scaled + scaled * 1e-14).round() / unit;
    let shown = if scaled < 1e15 { rounded } else { value };
    format!("{shown:.places$}")
}

fn grouped(number: &str) -> String {
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let mut out = String::new();
    for (index, c) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out.push_str(rest);
    out
}

/// The day of a serial number.
fn day_of(serial: i64, since_1904: bool) -> Option<Date> {
    let (first, serial) = if since_1904 {
        (date(1904, 1, 1), serial)
    } else {
        // The count has a 29 February 1900 that never was.
        (
            date(1899, 12, 30),
            if serial < 60 { serial + 1 } else { serial },
        )
    };
    first.checked_add(serial.days()).ok()
}

fn moment(
    value: f64,
    since_1904: bool,
    [year, month, day, clock, seconds]: [bool; 5],
    chinese: bool,
) -> Option<String> {
    if !(0.0..3_000_000.0).contains(&value) {
        return None;
    }
    let mut parts = Vec::new();
    let total = ((value - value.floor()) * 86_400.0).round() as i64;
    let serial = value.floor() as i64 + total / 86_400;
    let total = total % 86_400;
    if year || month || day {
        let on = day_of(serial, since_1904)?;
        let (y, m, d) = (on.year(), on.month(), on.day());
        parts.push(match (chinese, year, day) {
            (true, true, true) => format!("{y}年{m}月{d}日"),
            (true, true, false) if month => format!("{y}年{m}月"),
            (true, true, false) => format!("{y}年"),
            (true, false, true) => format!("{m}月{d}日"),
            (true, false, false) => format!("{m}月"),
            (false, true, true) => format!("{y:04}-{m:02}-{d:02}"),
            (false, true, false) if month => format!("{y:04}-{m:02}"),
            (false, true, false) => format!("{y}"),
            (false, false, true) => format!("{m:02}-{d:02}"),
            (false, false, false) => format!("{m}"),
        });
    }
    if clock {
        let hours = total / 3600 + if parts.is_empty() { serial * 24 } else { 0 };
        let minutes = total / 60 % 60;
        parts.push(if seconds {
            format!("{hours:02}:{minutes:02}:{:02}", total % 60)
        } else {
            format!("{hours:02}:{minutes:02}")
        });
    }
    Some(parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_numbers_as_their_format_does() {
        for (code, value, want) in [
            ("General", 0.1 + 0.2, "0.3"),
            ("General", 1_234_567.0, "1234567"),
            ("General", -3.5, "-3.5"),
            ("0", 2.6, "3"),
            ("0.00", 2.0, "2.00"),
            ("#,##0", 1_234_567.0, "1,234,567"),
            ("#,##0.00", -1234.5, "-1,234.50"),
            ("#,##0_);(#,##0)", 12.0, "12"),
            ("0%", 0.085, "9%"),
            ("0.0%", 0.085, "8.5%"),
            ("\"¥\"#,##0.00", 99.5, "¥99.50"),
            ("[$¥-804]#,##0", 1000.0, "¥1,000"),
            ("0\"元\"", 30.0, "30元"),
            ("0.00\"万元\"", 1.5, "1.50万元"),
            ("[Red]0.0", 1.25, "1.3"),
            ("0.00", 2.675, "2.68"),
            ("yyyy/m/d", 45_356.0, "2024-03-05"),
            ("yyyy\"年\"m\"月\"d\"日\";@", 45_356.0, "2024年3月5日"),
            ("yyyy年m月", 45_356.0, "2024年3月"),
            ("m\"月\"d\"日\"", 45_356.0, "3月5日"),
            ("yyyy-mm-dd hh:mm", 45_356.375, "2024-03-05 09:00"),
            ("h:mm", 0.375, "09:00"),
            ("[h]:mm:ss", 1.5, "36:00:00"),
            ("[$-804]yyyy\"年\"m\"月\"d\"日\"", 45_356.0, "2024年3月5日"),
            ("0.00E+00", 12345.0, "12345"),
            ("@", 7.0, "7"),
            ("yyyy-mm-dd", -5.0, "-5"),
        ] {
            assert_eq!(
                Format::parse(code).show(value, false),
                want,
                "{code} {value}"
            );
        }
        assert_eq!(Format::new(14, None).show(43_894.0, true), "2024-03-05");
        assert_eq!(Format::new(31, None).show(45_356.0, false), "2024年3月5日");
        assert_eq!(Format::new(10, None).show(0.5, false), "50.00%");
        assert_eq!(Format::new(14, None).show(1.0, false), "1900-01-01");
    }
}
