//! How people put an answer.

use citymind_service::items::{FieldKind, schema::Field};
use jiff::{ToSpan, civil::Date};
use lang::numeral::to_chinese;
use rules::Value;
use rust_decimal::{Decimal, prelude::ToPrimitive};

use super::common::{Dice, TODAY};

/// The plainest words for a value: the label, the figure.
pub(crate) fn plain(field: &Field, value: &Value) -> String {
    match value {
        Value::Bool(true) => field.yes().to_owned(),
        Value::Bool(false) => field.no().to_owned(),
        Value::Text(text) if field.kind == FieldKind::Choice => {
            let choice = field.choices.iter().find(|c| c.value == *text);
            choice.expect("a choice").label.clone()
        }
        Value::List(list) => {
            let chosen = field.choices.iter().filter(|c| list.contains(&c.value));
            let labels: Vec<_> = chosen.map(|c| c.label.as_str()).collect();
            labels.join("、")
        }
        Value::Number(n) => {
            let unit = field.unit.as_deref();
            let money = field.kind == FieldKind::Money;
            format!("{n}{}", unit.unwrap_or(if money { "元" } else { "" }))
        }
        value => value.to_string(),
    }
}

/// The same in one of the many ways that people have.
pub(crate) fn varied(dice: &mut Dice, field: &Field, value: &Value) -> String {
    match value {
        Value::Bool(truth) => yes_no(dice, field, *truth),
        Value::Text(text) if field.kind == FieldKind::Choice => choice(dice, field, text),
        Value::List(list) => choices(dice, field, list),
        Value::Number(n) => number(dice, field, *n),
        Value::Date(day) => date(dice, *day),
        Value::Text(text) => line(dice, field.kind, text),
        value => value.to_string(),
    }
}

fn yes_no(dice: &mut Dice, field: &Field, truth: bool) -> String {
    let (label, also) = if truth {
        (field.yes(), &field.also_yes)
    } else {
        (field.no(), &field.also_no)
    };
    if !also.is_empty() && dice.one_in(3) {
        let word = dice.pick(also).clone();
        return if dice.one_in(2) {
            word
        } else {
            format!("我{word}")
        };
    }
    let usual: &[&str] = match (label, truth) {
        ("有", true) => &["有", "有的", "有啊", "我有", "嗯，有"],
        ("没有", false) => &["没有", "没", "没有的", "我没有", "没有啊", "从来没有"],
        (_, true) => &["是", "是的", "对", "嗯", "对的", "是啊"],
        (_, false) => &["不是", "不是的", "否", "没有"],
    };
    if dice.one_in(2) {
        label.to_owned()
    } else {
        (*dice.pick(usual)).to_owned()
    }
}

fn choice(dice: &mut Dice, field: &Field, value: &str) -> String {
    let at = field.choices.iter().position(|c| c.value == value);
    let at = at.expect("a choice");
    let choice = &field.choices[at];
    let n = at as u64 + 1;
    match dice.below(8) {
        0 => n.to_string(),
        1 => format!("第{}个", to_chinese(n)),
        2 => format!("选{n}"),
        3 => format!("我是{}", choice.label),
        4 if !choice.also.is_empty() => dice.pick(&choice.also).clone(),
        5 if !choice.also.is_empty() => format!("我的情况是{}", dice.pick(&choice.also)),
        6 => format!("应该是{}吧", choice.label),
        _ => choice.label.clone(),
    }
}

fn choices(dice: &mut Dice, field: &Field, list: &[String]) -> String {
    let chosen = || field.choices.iter().enumerate();
    let chosen = || chosen().filter(|(_, c)| list.contains(&c.value));
    match dice.below(4) {
        0 => {
            let places: Vec<_> = chosen().map(|(n, _)| (n + 1).to_string()).collect();
            places.join("、")
        }
        1 => {
            let places: Vec<_> = chosen()
                .map(|(n, _)| format!("第{}个", to_chinese(n as u64 + 1)))
                .collect();
            places.join("和")
        }
        n => {
            let labels: Vec<_> = chosen().map(|(_, c)| c.label.as_str()).collect();
            labels.join(if n == 2 { "、" } else { "，还有" })
        }
    }
}

fn number(dice: &mut Dice, field: &Field, n: Decimal) -> String {
    let money = field.kind == FieldKind::Money;
    let unit = field
        .unit
        .as_deref()
        .unwrap_or(if money { "元" } else { "" });
    let whole = n.fract().is_zero().then(|| n.to_u64()).flatten();
    let Some(whole) = whole else {
        return match dice.below(3) {
            0 => format!("{n}"),
            1 => format!("大概{n}{unit}"),
            _ => format!("{n}{unit}"),
        };
    };
    match dice.below(9) {
        0 => whole.to_string(),
        1 => format!("{whole}{unit}"),
        2 => format!("{}{unit}", to_chinese(whole)),
        3 => format!("大概{whole}{unit}吧"),
        4 => format!("我有{whole}{unit}"),
        5 if money => format!("{whole}块钱"),
        6 if money && whole >= 10_000 && whole % 1_000 == 0 => {
            format!("{}万", Decimal::from(whole) / Decimal::from(10_000))
        }
        7 if unit.contains('月') && whole > 0 && whole % 12 == 0 => {
            format!("{}年", to_chinese(whole / 12))
        }
        8 if unit.contains('月') && whole % 12 == 6 && whole > 12 => {
            format!("{}年半", to_chinese(whole / 12))
        }
        _ => format!("一共{whole}{unit}"),
    }
}

fn date(dice: &mut Dice, day: Date) -> String {
    let (y, m, d) = (day.year(), day.month(), day.day());
    let year_ago = TODAY.checked_sub(1.year()).expect("a year ago");
    match dice.below(10) {
        0 => format!("{y}-{m:02}-{d:02}"),
        1 => format!("{y}.{m}.{d}"),
        2 => format!("{y}/{m}/{d}"),
        3 => format!("{y}{m:02}{d:02}"),
        4 => format!("是{y}年{m}月{d}号"),
        5 if day <= TODAY && day > year_ago => format!("{m}月{d}号"),
        6 if y == TODAY.year() - 1 => format!("去年{m}月{d}日"),
        6 if y == TODAY.year() => format!("今年{m}月{d}号的时候"),
        7 if day == TODAY => "今天".to_owned(),
        8 => {
            let digits = ['〇', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
            let year: String = y
                .to_string()
                .bytes()
                .map(|b| digits[usize::from(b - b'0')])
                .collect();
            let month = to_chinese(m as u64);
            format!("{year}年{month}月{}日", to_chinese(d as u64))
        }
        _ => format!("{y}年{m}月{d}日"),
    }
}

fn line(dice: &mut Dice, kind: FieldKind, text: &str) -> String {
    let spaced = |n: usize| -> String {
        let chars: Vec<char> = text.chars().collect();
        let parts: Vec<String> = chars.chunks(n).map(|c| c.iter().collect()).collect();
        parts.join(" ")
    };
    match (kind, dice.below(4)) {
        (FieldKind::Name, 0) => format!("我叫{text}"),
        (FieldKind::Name, 1) => format!("姓名：{text}"),
        (FieldKind::IdNumber, 0) => format!("身份证号是{text}"),
        (FieldKind::IdNumber, 1) => text.to_lowercase(),
        (FieldKind::Phone, 0) => format!("我的手机号是{text}"),
        (FieldKind::Phone, 1) => spaced(4),
        (FieldKind::BankCard, 0) => spaced(4),
        (FieldKind::BankCard, 1) => format!("卡号{text}"),
        (FieldKind::CreditCode, 0) => format!("信用代码是{text}"),
        _ => text.to_owned(),
    }
}
