//! Whether a value of the form stands in the text of a file, however it is written there.

use std::sync::LazyLock;

use lang::date;
use regex::Regex;
use rules::Value;
use rust_decimal::Decimal;

use crate::items::schema::{Field, FieldKind};

/// The longest value told of a file, in characters.
const TOLD: usize = 30;

static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(\d[\d,]*(?:\.\d+)?)\s*(万|千)?").expect("the pattern is fixed"));

/// Half width, in capitals; the comma of a sentence stays, so that it is told from that of a number.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '，' => c,
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
            '\u{3000}' => ' ',
            c => c.to_ascii_uppercase(),
        })
        .collect()
}

/// Letters and figures only: blanks and marks are written in many ways.
fn bare(text: &str) -> String {
    plain(text)
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}

/// Whether the value stands in the text; nothing where that cannot be told, as of a yes.
pub(super) fn stands(field: &Field, value: &Value, text: &str) -> Option<bool> {
    let holds = |words: &str| bare(text).contains(&bare(words));
    match (field.kind, value) {
        (FieldKind::Choice | FieldKind::Choices, Value::Text(chosen)) => {
            Some(chose(field, chosen, text))
        }
        (FieldKind::Choices, Value::List(chosen)) => {
            Some(chosen.iter().all(|c| chose(field, c, text)))
        }
        (_, Value::Number(number)) => {
            let wanted = number.normalize();
            Some(numbers(text).any(|n| n == wanted))
        }
        (_, Value::Date(day)) => {
            let digits = format!("{:04}{:02}{:02}", day.year(), day.month(), day.day());
            let said = plain(text);
            let named = date::find(&said)
                .iter()
                .any(|d| d.date == *day && d.precision == date::Precision::Day);
            Some(named || said.contains(&digits))
        }
        (_, Value::Text(words)) if !bare(words).is_empty() => Some(holds(words)),
        _ => None,
    }
}

fn chose(field: &Field, chosen: &str, text: &str) -> bool {
    let text = bare(text);
    let Some(choice) = field.choices.iter().find(|c| c.value == chosen) else {
        return false;
    };
    let words = std::iter::once(&choice.label).chain(&choice.also);
    words
        .map(|w| bare(w))
        .any(|w| !w.is_empty() && text.contains(&w))
}

/// The numbers of a text.
fn numbers(text: &str) -> impl Iterator<Item = Decimal> {
    let text = plain(text);
    let found: Vec<Decimal> = NUMBER
        .captures_iter(&text)
        .filter_map(|found| {
            let number: Decimal = found[1].replace(',', "").parse().ok()?;
            let times = match found.get(2).map(|m| m.as_str()) {
                Some("万") => 10_000,
                Some("千") => 1000,
                _ => 1,
            };
            Some((number.checked_mul(Decimal::from(times))?).normalize())
        })
        .collect();
    found.into_iter()
}

/// What the text says where the value should stand: something of the same shape, else what follows the label.
pub(super) fn instead(field: &Field, text: &str) -> Option<String> {
    let text = plain(text);
    let shaped = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .find(|token| fits(field.kind, token));
    if let Some(token) = shaped {
        return Some(token.to_owned());
    }
    let usual: &[&str] = match field.kind {
        FieldKind::Name => &["姓名", "持卡人", "户名", "申请人", "承租人", "乙方"],
        FieldKind::IdNumber => &["身份证号", "证件号码"],
        FieldKind::Phone => &["联系电话", "手机", "电话"],
        FieldKind::BankCard => &["卡号", "账号"],
        FieldKind::Address => &["地址", "住址"],
        FieldKind::Money => &["租金", "金额"],
        _ => &[],
    };
    let label = plain(&field.label);
    let mut labels = std::iter::once(label.as_str()).chain(usual.iter().copied());
    labels.find_map(|label| {
        let after = &text[text.find(label)? + label.len()..];
        let after = after.trim_start_matches(|c: char| {
            c.is_whitespace() && c != '\n' || ":|：，,为是".contains(c)
        });
        let value: String = after
            .chars()
            .take_while(|c| !matches!(c, '\n' | '|' | '。' | '；' | ';' | '，'))
            .take(TOLD)
            .collect();
        let value = value.trim().to_owned();
        (!value.is_empty()).then_some(value)
    })
}

/// Whether letters and figures look like a value of the kind.
fn fits(kind: FieldKind, token: &str) -> bool {
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    match kind {
        FieldKind::IdNumber => {
            token.len() == 18
                && digits(&token[..17])
                && (digits(&token[17..]) || token.ends_with('X'))
        }
        FieldKind::Phone => token.len() == 11 && digits(token) && token.starts_with('1'),
        FieldKind::BankCard => (16..=19).contains(&token.len()) && digits(token),
        FieldKind::CreditCode => {
            token.len() == 18 && token.starts_with(|c: char| c.is_ascii_digit()) && !digits(token)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: &str, label: &str) -> Field {
        let choices = if kind == "choice" {
            r#"[{"value":"plain","label":"商品住房，合同没有备案","also":["没备案"]}]"#
        } else {
            "[]"
        };
        serde_json::from_str(&format!(
            r#"{{"id":"f","label":"{label}","question":"？","type":"{kind}","example":"x","choices":{choices}}}"#
        ))
        .unwrap()
    }

    const TEXT: &str = "房屋租赁合同\n承租人：王 小明\n身份证号 １１０１０１１９９００３０７８５１５\n卡号 6222 0202 0011 2233 446\n每月租金：2,400.00元\n自2026年3月5日起\n押金0.5万元";

    #[test]
    fn a_value_is_found_however_it_is_written() {
        let text = |t: &str| Value::Text(t.to_owned());
        let number = |n: &str| Value::Number(n.parse().unwrap());
        for (kind, value) in [
            ("name", text("王小明")),
            ("id_number", text("110101199003078515")),
            ("bank_card", text("6222020200112233446")),
            ("money", number("2400")),
            ("money", number("5000")),
            ("date", Value::Date("2026-03-05".parse().unwrap())),
        ] {
            assert_eq!(
                stands(&field(kind, "某项"), &value, TEXT),
                Some(true),
                "{kind}"
            );
        }
        for (kind, value) in [
            ("name", text("王晓明")),
            ("id_number", text("110101199003078516")),
            ("money", number("240")),
            ("date", Value::Date("2026-03-06".parse().unwrap())),
            ("choice", text("plain")),
        ] {
            assert_eq!(
                stands(&field(kind, "某项"), &value, TEXT),
                Some(false),
                "{kind}"
            );
        }
        assert_eq!(
            stands(&field("yes_no", "已婚"), &Value::Bool(true), TEXT),
            None
        );
    }

    #[test]
    fn what_stands_there_instead_is_told() {
        let seen = |kind, label| instead(&field(kind, label), TEXT);
        assert_eq!(
            seen("id_number", "身份证号").as_deref(),
            Some("110101199003078515")
        );
        assert_eq!(seen("name", "姓名").as_deref(), Some("王 小明"));
        assert_eq!(seen("money", "每月租金").as_deref(), Some("2,400.00元"));
        assert_eq!(seen("address", "通讯地址"), None);
    }
}
