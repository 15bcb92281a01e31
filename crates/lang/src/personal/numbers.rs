//! Numbers that belong to a person, told by their form, their check digit and the words around them.

use std::ops::Range;

use super::{Kind, Mark, followed, labelled};

/// What a number that isn't a person's is called.
const OTHERS: [&str; 12] = [
    "订单",
    "编号",
    "案号",
    "流水",
    "单号",
    "文号",
    "受理号",
    "信用代码",
    "统一代码",
    "代码",
    "批号",
    "序列",
];

/// What stands behind an amount or measure.
const UNITS: [&str; 16] = [
    "元", "万", "亿", "角", "平方", "吨", "公里", "千克", "立方", "户", "%", "人", "度", "次",
    "米", "号文",
];

/// A number or address that begins at this place.
pub(super) fn at(marks: &[Mark], at: usize) -> Option<(Kind, Range<usize>)> {
    let character = marks[at].character;
    if character.is_ascii_digit() {
        return digits(marks, at);
    }
    if character.is_ascii_alphabetic() {
        return email(marks, at).or_else(|| passport(marks, at));
    }
    plate(marks, at)
}

fn is_digit(marks: &[Mark], at: usize) -> bool {
    marks.get(at).is_some_and(|m| m.character.is_ascii_digit())
}

fn is_word(mark: Option<&Mark>) -> bool {
    mark.is_some_and(|m| m.character.is_ascii_alphanumeric())
}

/// The digits from here on, over single spaces and hyphens, with the place of each.
fn run(marks: &[Mark], at: usize) -> Vec<usize> {
    let mut places = vec![at];
    let mut next = at + 1;
    while places.len() < 24 {
        if is_digit(marks, next) {
            places.push(next);
            next += 1;
        } else if marks
            .get(next)
            .is_some_and(|m| matches!(m.character, ' ' | '-'))
            && is_digit(marks, next + 1)
        {
            places.push(next + 1);
            next += 2;
        } else {
            break;
        }
    }
    places
}

fn digits(marks: &[Mark], at: usize) -> Option<(Kind, Range<usize>)> {
    if at > 0 {
        let before = marks[at - 1].character;
        let decimal = matches!(before, '.' | ',') && at > 1 && is_digit(marks, at - 2);
        if before.is_ascii_alphanumeric() || decimal {
            return email(marks, at);
        }
        // The middle of a number that was looked at from its beginning.
        if matches!(before, '-' | ' ')
            && at > 1
            && is_digit(marks, at - 2)
            && !labelled(marks, at, &["电话", "手机", "+86"])
        {
            return None;
        }
    }
    if let Some(found) = email(marks, at) {
        return Some(found);
    }
    let places = run(marks, at);
    let value: Vec<u32> = places
        .iter()
        .filter_map(|p| marks[*p].character.to_digit(10))
        .collect();
    let end = places[places.len() - 1] + 1;
    let solid = end - at == places.len();
    let decimal = marks.get(end).is_some_and(|m| m.character == '.') && is_digit(marks, end + 1);
    if decimal || followed(marks, end, &UNITS) || labelled(marks, at, &OTHERS) {
        return None;
    }
    if solid && let Some(found) = identity(marks, at, end, &value) {
        return Some(found);
    }
    if is_word(marks.get(end)) {
        return None;
    }
    phone(marks, at, end, &value, solid).or_else(|| card(marks, at, end, &value))
}

/// 18 digits with a right check digit, 17 and X, or 15; a wrong check digit counts where it is called an identity number.
fn identity(marks: &[Mark], at: usize, end: usize, value: &[u32]) -> Option<(Kind, Range<usize>)> {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let x = marks
        .get(end)
        .is_some_and(|m| matches!(m.character, 'x' | 'X' | '×'));
    let end = if x && value.len() == 17 { end + 1 } else { end };
    if is_word(marks.get(end)) {
        return None;
    }
    let told = labelled(marks, at, &["身份证", "证件号", "身份号"]);
    let number = |range: Range<usize>| value[range].iter().fold(0, |n, d| n * 10 + d);
    let province = matches!(number(0..2.min(value.len())), 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83);
    let day = |month: u32, day: u32| (1..=12).contains(&month) && (1..=31).contains(&day);
    let found = Some((Kind::IdentityNumber, at..end));
    match value.len() {
        17 | 18 if (value.len() == 17) == (x && end - at == 18) => {
            let born =
                (1850..=2100).contains(&number(6..10)) && day(number(10..12), number(12..14));
            if !province || !born {
                return if told { found } else { None };
            }
            let sum: u32 = value.iter().zip(WEIGHTS).map(|(d, w)| d * w).sum();
            let check = (12 - sum % 11) % 11;
            let right = if x {
                check == 10
            } else {
                value.get(17) == Some(&check)
            };
            if right || told { found } else { None }
        }
        15 if province && day(number(8..10), number(10..12)) => found,
        _ => None,
    }
}

fn phone(
    marks: &[Mark],
    at: usize,
    end: usize,
    value: &[u32],
    solid: bool,
) -> Option<(Kind, Range<usize>)> {
    let mobile = |v: &[u32]| v.len() == 11 && v[0] == 1 && (3..=9).contains(&v[1]);
    if mobile(value) {
        return Some((Kind::Mobile, at..end));
    }
    if value.len() == 13 && value[..2] == [8, 6] && mobile(&value[2..]) {
        let from = (at..end).filter(|p| is_digit(marks, *p)).nth(2)?;
        return Some((Kind::Mobile, from..end));
    }
    let area = |v: &[u32]| {
        v.len() > 2 && v[0] == 0 && matches!((v[1], v[2]), (1, 0) | (2, _) | (3..=9, _))
    };
    let split = !solid
        || marks
            .get(at.wrapping_sub(1))
            .is_some_and(|m| m.character == '(');
    if area(value) && (10..=12).contains(&value.len()) && (split || value.len() >= 11) {
        return Some((Kind::Landline, at..end));
    }
    // (0731)88665544
    if area(value)
        && value.len() <= 4
        && marks
            .get(end)
            .is_some_and(|m| matches!(m.character, ')' | '）'))
    {
        let rest = run(marks, end + 1);
        if is_digit(marks, end + 1) && (7..=8).contains(&rest.len()) {
            return Some((Kind::Landline, at..rest[rest.len() - 1] + 1));
        }
    }
    let told = labelled(marks, at, &["座机", "家里电话", "家庭电话"]);
    (told && solid && (7..=8).contains(&value.len())).then_some((Kind::Landline, at..end))
}

fn card(marks: &[Mark], at: usize, end: usize, value: &[u32]) -> Option<(Kind, Range<usize>)> {
    if !(15..=19).contains(&value.len()) {
        return None;
    }
    let told = labelled(marks, at, &["卡号", "银行卡", "账号", "账户", "帐号"]);
    let sum: u32 = value
        .iter()
        .rev()
        .enumerate()
        .map(|(place, d)| match place % 2 {
            0 => *d,
            _ => d * 2 / 10 + d * 2 % 10,
        })
        .sum();
    let issuer = matches!(value[0], 3..=6) && value.len() >= 16;
    (told || (issuer && sum.is_multiple_of(10))).then_some((Kind::BankCard, at..end))
}

fn email(marks: &[Mark], at: usize) -> Option<(Kind, Range<usize>)> {
    let part = |m: &Mark| {
        m.character.is_ascii_alphanumeric() || matches!(m.character, '.' | '_' | '-' | '+')
    };
    if at > 0 && part(&marks[at - 1]) {
        return None;
    }
    let local = marks[at..].iter().take(64).take_while(|m| part(m)).count();
    let sign = at + local;
    if marks.get(sign)?.character != '@' {
        return None;
    }
    let length = marks[sign + 1..]
        .iter()
        .take(80)
        .take_while(|m| part(m))
        .count();
    let mut end = sign + 1 + length;
    while end > sign + 1 && !marks[end - 1].character.is_ascii_alphanumeric() {
        end -= 1;
    }
    let domain: String = marks[sign + 1..end].iter().map(|m| m.character).collect();
    let (_, top) = domain.rsplit_once('.')?;
    let real = top.len() >= 2 && top.chars().all(|c| c.is_ascii_alphabetic());
    real.then_some((Kind::Email, at..end))
}

fn passport(marks: &[Mark], at: usize) -> Option<(Kind, Range<usize>)> {
    if (at > 0 && is_word(marks.get(at - 1))) || !labelled(marks, at, &["护照", "通行证"]) {
        return None;
    }
    let count = marks[at..]
        .iter()
        .take_while(|m| m.character.is_ascii_alphanumeric())
        .count();
    let digits = marks[at..at + count]
        .iter()
        .filter(|m| m.character.is_ascii_digit())
        .count();
    ((8..=11).contains(&count) && digits + 2 >= count).then_some((Kind::Passport, at..at + count))
}

fn plate(marks: &[Mark], at: usize) -> Option<(Kind, Range<usize>)> {
    const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";
    if !PROVINCES.contains(marks[at].character) {
        return None;
    }
    let city = marks.get(at + 1)?.character;
    if !city.is_ascii_uppercase() && !city.is_ascii_lowercase() {
        return None;
    }
    let dot = marks
        .get(at + 2)
        .is_some_and(|m| matches!(m.character, '·' | '.' | '•' | '-' | ' '));
    let from = at + 2 + usize::from(dot);
    let rest = marks.get(from..).unwrap_or_default();
    let count = rest
        .iter()
        .take_while(|m| m.character.is_ascii_alphanumeric())
        .count();
    let digits = rest
        .iter()
        .take(count)
        .filter(|m| m.character.is_ascii_digit())
        .count();
    ((5..=6).contains(&count) && digits >= 2).then_some((Kind::Plate, at..from + count))
}
