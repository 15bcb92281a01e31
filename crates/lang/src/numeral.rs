//! Chinese, Arabic and mixed numerals ↔ numbers.

/// An exact decimal number: `mantissa` × 10^-`scale`, without trailing zeros in the fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// All digits, as an integer.
    pub mantissa: u64,
    /// How many of the digits stand behind the point (0 to 9).
    pub scale: u8,
}

impl Decimal {
    /// The value when it is whole.
    pub fn integer(self) -> Option<u64> {
        (self.scale == 0).then_some(self.mantissa)
    }

    /// The nearest floating-point value.
    pub fn to_f64(self) -> f64 {
        self.mantissa as f64 / 10f64.powi(i32::from(self.scale))
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.scale == 0 {
            return write!(f, "{}", self.mantissa);
        }
        let width = usize::from(self.scale) + 1;
        let digits = format!("{:0width$}", self.mantissa);
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(self.scale));
        write!(f, "{whole}.{fraction}")
    }
}

/// Ten to the ninth: fractions are kept exactly to nine places while parsing.
const ONE: u128 = 1_000_000_000;
const WAN: u128 = 10_000;
const YI: u128 = 100_000_000;

/// The value of one digit character: half-width, full-width, Chinese or in the forms for cheques (壹贰叁).
pub fn digit(c: char) -> Option<u64> {
    Some(match c {
        '0'..='9' => c as u64 - '0' as u64,
        '０'..='９' => c as u64 - '０' as u64,
        '零' | '〇' | '○' => 0,
        '一' | '壹' => 1,
        '二' | '贰' | '两' | '貳' => 2,
        '三' | '叁' | '參' => 3,
        '四' | '肆' => 4,
        '五' | '伍' => 5,
        '六' | '陆' | '陸' => 6,
        '七' | '柒' => 7,
        '八' | '捌' => 8,
        '九' | '玖' => 9,
        _ => return None,
    })
}

fn unit(c: char) -> Option<u128> {
    Some(match c {
        '十' | '拾' => 10,
        '百' | '佰' => 100,
        '千' | '仟' => 1_000,
        '万' | '萬' => WAN,
        '亿' | '億' => YI,
        _ => return None,
    })
}

fn tens(c: char) -> Option<u128> {
    Some(match c {
        '廿' => 20,
        '卅' => 30,
        '卌' => 40,
        _ => return None,
    })
}

fn is_arabic(c: char) -> bool {
    c.is_ascii_digit() || ('０'..='９').contains(&c)
}

/// A run of digit characters, with its fraction: `3.5`, `1,234`, `二〇二四`, `五`.
struct Run {
    scaled: u128,
    len: usize,
    digits: usize,
    zero_led: bool,
}

fn fraction(text: &str, arabic: bool) -> Option<(u128, usize)> {
    let mut chars = text.chars();
    let point = chars.next()?;
    if !(point == '点' && !arabic || arabic && matches!(point, '.' | '．')) {
        return None;
    }
    let (mut value, mut weight, mut len) = (0u128, ONE / 10, point.len_utf8());
    let mut any = false;
    for c in chars {
        let Some(d) = digit(c).filter(|_| is_arabic(c) == arabic) else {
            break;
        };
        value += u128::from(d) * weight;
        weight /= 10;
        len += c.len_utf8();
        any = true;
    }
    any.then_some((value, len))
}

/// Whether `text` goes on with a comma and a group of exactly three digits.
fn thousands(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next() == Some(',')
        && chars.by_ref().take(3).filter(char::is_ascii_digit).count() == 3
        && !chars.next().is_some_and(is_arabic)
}

fn run(text: &str) -> Option<Run> {
    let first = text.chars().next()?;
    digit(first)?;
    let arabic = is_arabic(first);
    let (mut value, mut len, mut digits) = (0u128, 0, 0);
    while let Some(c) = text[len..].chars().next() {
        if let Some(d) = digit(c).filter(|_| is_arabic(c) == arabic) {
            value = value.checked_mul(10)?.checked_add(u128::from(d))?;
            if value > u128::from(u64::MAX) {
                return None;
            }
            digits += 1;
        } else if !(arabic && thousands(&text[len..])) {
            break;
        }
        len += c.len_utf8();
    }
    let mut scaled = value * ONE;
    if let Some((part, more)) = fraction(&text[len..], arabic) {
        scaled += part;
        len += more;
    }
    Some(Run {
        scaled,
        len,
        digits,
        zero_led: digit(first) == Some(0),
    })
}

/// Sums of `digit unit` terms, in units of `ONE`th.
#[derive(Default)]
struct Sum {
    total: u128,
    section: u128,
    last_unit: u128,
    after_zero: bool,
}

impl Sum {
    fn value(&self) -> u128 {
        self.total + self.section
    }

    fn apply(&mut self, pending: u128, unit: u128) -> Option<()> {
        match unit {
            YI => {
                let whole = self.total.checked_add(self.section)?.checked_add(pending)?;
                self.total = whole.checked_mul(YI)?;
                self.section = 0;
            }
            WAN => {
                let whole = self.section.checked_add(pending)?;
                self.total = self.total.checked_add(whole.checked_mul(WAN)?)?;
                self.section = 0;
            }
            _ => self.section = self.section.checked_add(pending.checked_mul(unit)?)?,
        }
        self.last_unit = unit;
        self.after_zero = false;
        (self.value() <= u128::from(u64::MAX) * ONE).then_some(())
    }
}

/// Reads the number that `text` begins with: its value and its length in bytes.
///
/// Understands 一百零五, 二〇二四, 廿五, 3万5千, 1,234.5, 一点五, 壹佰贰拾, 一万五 (15,000), full-width digits. `None` when
/// `text` does not begin with a number or the number does not fit into 64 bits.
pub fn parse(text: &str) -> Option<(Decimal, usize)> {
    let mut at = 0;
    let mut sum = Sum::default();
    let mut seen = false;
    while let Some(c) = text[at..].chars().next() {
        if let Some(read) = run(&text[at..]) {
            let next = text[at + read.len..].chars().next();
            // 零 between units only says that a place is empty.
            if seen
                && read.zero_led
                && read.digits == 1
                && next.is_some_and(|c| digit(c).is_some() || unit(c) == Some(10))
            {
                at += read.len;
                sum.after_zero = true;
                continue;
            }
            sum.after_zero |= read.zero_led;
            if let Some(size) = next.and_then(unit) {
                sum.apply(read.scaled, size)?;
                at += read.len + next.map_or(0, char::len_utf8);
                seen = true;
                continue;
            }
            if seen && read.digits > 1 && !read.zero_led {
                break;
            }
            // 一万五 means 一万五千: the unit below the last one.
            let factor = if seen && !sum.after_zero && sum.last_unit > 10 {
                sum.last_unit / 10
            } else {
                1
            };
            sum.section = sum.section.checked_add(read.scaled.checked_mul(factor)?)?;
            at += read.len;
            seen = true;
            break;
        }
        if let Some(value) = tens(c) {
            sum.section += value * ONE;
            sum.last_unit = 10;
        } else if let Some(size) = unit(c) {
            match size {
                10 if sum.last_unit != 10 => sum.apply(ONE, 10)?,
                WAN | YI if seen => sum.apply(0, size)?,
                _ => break,
            }
        } else {
            break;
        }
        at += c.len_utf8();
        seen = true;
    }
    if !seen {
        return None;
    }
    finish(sum.value()).map(|value| (value, at))
}

fn finish(mut scaled: u128) -> Option<Decimal> {
    let mut scale = 9u8;
    while scale > 0 && scaled.is_multiple_of(10) {
        scaled /= 10;
        scale -= 1;
    }
    Some(Decimal {
        mantissa: u64::try_from(scaled).ok()?,
        scale,
    })
}

/// Reads the whole number that `text` begins with: its value and its length in bytes.
pub fn parse_integer(text: &str) -> Option<(u64, usize)> {
    let (value, len) = parse(text)?;
    value.integer().map(|value| (value, len))
}

/// Reads `text` as one whole number with nothing around it.
pub fn integer(text: &str) -> Option<u64> {
    parse_integer(text)
        .filter(|&(_, len)| len == text.len())
        .map(|(value, _)| value)
}

const DIGITS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];

fn below_wan(n: u64, out: &mut String) {
    let mut gap = false;
    for (size, name) in [(1000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let d = n / size % 10;
        if d == 0 {
            gap = true;
            continue;
        }
        if gap && n >= size * 10 {
            out.push('零');
        }
        gap = false;
        out.push(DIGITS[d as usize]);
        out.push_str(name);
    }
}

fn spell(n: u64, out: &mut String) {
    for (size, name) in [(YI as u64, "亿"), (WAN as u64, "万")] {
        if n >= size {
            spell(n / size, out);
            out.push_str(name);
            let rest = n % size;
            if rest > 0 {
                if rest < size / 10 {
                    out.push('零');
                }
                spell(rest, out);
            }
            return;
        }
    }
    below_wan(n, out);
}

/// Writes a number as it is read aloud: 105 → 一百零五, 10 → 十.
pub fn to_chinese(n: u64) -> String {
    if n == 0 {
        return "零".into();
    }
    let mut out = String::new();
    spell(n, &mut out);
    match out.strip_prefix("一十") {
        Some(rest) => format!("十{rest}"),
        None => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(text: &str) -> Option<String> {
        parse(text).map(|(value, len)| format!("{value}/{}", &text[..len]))
    }

    #[test]
    fn reads_the_numbers_people_write() {
        for (text, want) in [
            ("一百零五条", "105/一百零五"),
            ("二〇二四年", "2024/二〇二四"),
            ("十二个月", "12/十二"),
            ("廿五日", "25/廿五"),
            ("卅人", "30/卅"),
            ("3万5千元", "35000/3万5千"),
            ("3.5万元", "35000/3.5万"),
            ("1,234,567.5元", "1234567.5/1,234,567.5"),
            ("１２３４人", "1234/１２３４"),
            ("一点五倍", "1.5/一点五"),
            ("壹佰贰拾叁元整", "123/壹佰贰拾叁"),
            ("一万五", "15000/一万五"),
            ("两千三", "2300/两千三"),
            ("一万零五", "10005/一万零五"),
            ("两亿", "200000000/两亿"),
            ("三百", "300/三百"),
            ("零", "0/零"),
            ("十", "10/十"),
            ("2024,3月", "2024/2024"),
            ("5.", "5/5"),
            ("12万亿", "12000000000000/12万亿"),
        ] {
            assert_eq!(value(text).as_deref(), Some(want), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_number() {
        for text in ["", "条", "百", "万元", "99999999999999999999999999", "点五"] {
            assert_eq!(value(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(n in any::<u64>()) {
            let text = to_chinese(n);
            prop_assert_eq!(parse_integer(&text), Some((n, text.len())), "{}", text);
        }

        #[test]
        fn small_numbers_are_read_back(n in 0u64..200_000) {
            let text = to_chinese(n);
            prop_assert_eq!(integer(&text), Some(n), "{}", text);
        }

        #[test]
        fn never_panics(text in "[0-9０-９零〇一二两十百千万亿廿点.,拾佰元]{0,24}") {
            if let Some((_, len)) = parse(&text) {
                prop_assert!(text.is_char_boundary(len) && len > 0);
            }
        }
    }
}
