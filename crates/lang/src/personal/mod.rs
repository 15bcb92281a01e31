//! Personal data in running text: what it is, where it stands, and how it is masked.

mod address;
mod numbers;

use std::ops::Range;

/// What kind of personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// 身份证号, of 18 or 15 digits.
    IdentityNumber,
    /// 手机号
    Mobile,
    /// 固定电话
    Landline,
    /// 银行卡号
    BankCard,
    /// 电子邮箱
    Email,
    /// 护照号
    Passport,
    /// 车牌号
    Plate,
    /// 详细住址
    Address,
}

impl Kind {
    /// Its name in code.
    pub fn name(self) -> &'static str {
        match self {
            Self::IdentityNumber => "identity_number",
            Self::Mobile => "mobile",
            Self::Landline => "landline",
            Self::BankCard => "bank_card",
            Self::Email => "email",
            Self::Passport => "passport",
            Self::Plate => "plate",
            Self::Address => "address",
        }
    }

    /// Its Chinese label.
    pub fn label(self) -> &'static str {
        match self {
            Self::IdentityNumber => "身份证号",
            Self::Mobile => "手机号",
            Self::Landline => "固定电话",
            Self::BankCard => "银行卡号",
            Self::Email => "电子邮箱",
            Self::Passport => "护照号",
            Self::Plate => "车牌号",
            Self::Address => "详细住址",
        }
    }

    /// Whether it belongs to a person wherever it stands: telephones and addresses may be an office's.
    pub fn always_personal(self) -> bool {
        !matches!(self, Self::Landline | Self::Address)
    }

    /// How many characters at the beginning and the end stay when it is masked.
    fn kept(self) -> (usize, usize) {
        match self {
            Self::IdentityNumber | Self::BankCard => (4, 4),
            Self::Mobile | Self::Landline => (3, 4),
            Self::Email => (1, 0),
            Self::Passport => (1, 2),
            Self::Plate => (2, 1),
            Self::Address => (0, 0),
        }
    }
}

/// A piece of personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// Where, in bytes.
    pub span: Range<usize>,
}

/// A character in half width, and where it stands.
#[derive(Clone, Copy, Debug)]
struct Mark {
    character: char,
    start: usize,
    end: usize,
}

/// The personal data of a text in their order; none overlaps another.
pub fn find(text: &str) -> Vec<Found> {
    let marks: Vec<Mark> = text
        .char_indices()
        .filter(|(_, c)| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'))
        .map(|(start, c)| Mark {
            character: half_width(c),
            start,
            end: start + c.len_utf8(),
        })
        .collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < marks.len() {
        let hit = numbers::at(&marks, at).or_else(|| address::at(&marks, at));
        match hit {
            Some((kind, range)) => {
                found.push(Found {
                    kind,
                    span: marks[range.start].start..marks[range.end - 1].end,
                });
                at = range.end.max(at + 1);
            }
            None => at += 1,
        }
    }
    found
}

/// The text with every piece of personal data masked: 138****1234.
pub fn mask(text: &str) -> String {
    mask_found(text, &find(text))
}

/// The text with these pieces masked.
pub fn mask_found(text: &str, found: &[Found]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut last = 0;
    for piece in found {
        out += &text[last..piece.span.start];
        out += &masked(piece.kind, &text[piece.span.clone()]);
        last = piece.span.end;
    }
    out += &text[last..];
    out
}

fn masked(kind: Kind, piece: &str) -> String {
    let characters: Vec<char> = piece.chars().collect();
    let (first, last) = kind.kept();
    if kind == Kind::Address {
        let number = |c| is_number(c) || c.is_ascii_uppercase();
        let hide = |c: &char| if number(half_width(*c)) { '*' } else { *c };
        return characters.iter().map(hide).collect();
    }
    if kind == Kind::Email {
        let sign = characters.iter().position(|c| half_width(*c) == '@');
        let domain: String = characters[sign.unwrap_or(characters.len())..]
            .iter()
            .collect();
        return format!("{}***{domain}", characters[0]);
    }
    let all = characters.iter().filter(|c| c.is_alphanumeric()).count();
    let mut seen = 0;
    let hide = |c: &char| {
        if !c.is_alphanumeric() {
            return *c;
        }
        seen += 1;
        if seen > first && seen + last <= all {
            '*'
        } else {
            half_width(*c)
        }
    };
    characters.iter().map(hide).collect()
}

fn is_number(character: char) -> bool {
    character.is_ascii_digit() || "一二三四五六七八九十零〇百".contains(character)
}

fn half_width(character: char) -> char {
    match character as u32 {
        code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(character),
        _ => character,
    }
}

/// Whether one of these words stands in the few characters before a place.
fn labelled(marks: &[Mark], at: usize, words: &[&str]) -> bool {
    let from = at.saturating_sub(12);
    let before: String = marks[from..at].iter().map(|m| m.character).collect();
    words.iter().any(|word| before.contains(word))
}

/// Whether one of these words stands right behind a place.
fn followed(marks: &[Mark], at: usize, words: &[&str]) -> bool {
    let after: String = marks[at..].iter().take(4).map(|m| m.character).collect();
    words
        .iter()
        .any(|word| after.trim_start().starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        find(text).into_iter().map(|f| f.kind).collect()
    }

    #[test]
    fn personal_data_is_found_and_masked() {
        for (text, kind, masked) in [
            (
                "身份证11010519491231002X。",
                Kind::IdentityNumber,
                "身份证1101**********002X。",
            ),
            (
                "号码是 440524188001010014",
                Kind::IdentityNumber,
                "号码是 4405**********0014",
            ),
            (
                "身份证110101199003071234，",
                Kind::IdentityNumber,
                "身份证1101**********1234，",
            ),
            (
                "身份证号：110105491231002",
                Kind::IdentityNumber,
                "身份证号：1101*******1002",
            ),
            (
                "我的手机是13600001111",
                Kind::Mobile,
                "我的手机是136****1111",
            ),
            (
                "电话１３８００１３８０００请回",
                Kind::Mobile,
                "电话138****8000请回",
            ),
            ("+86 138-0013-8000", Kind::Mobile, "+86 138-****-8000"),
            (
                "打 138 0013 8000 找我",
                Kind::Mobile,
                "打 138 **** 8000 找我",
            ),
            ("座机010-62345678。", Kind::Landline, "座机010-****5678。"),
            (
                "电话（0731）88665544",
                Kind::Landline,
                "电话（073*）****5544",
            ),
            (
                "卡号6222021234567890128",
                Kind::BankCard,
                "卡号6222***********0128",
            ),
            (
                "发到zhang.san@example.com吧",
                Kind::Email,
                "发到z***@example.com吧",
            ),
            ("护照E12345678", Kind::Passport, "护照E******78"),
            ("车牌湘A12B45违停", Kind::Plate, "车牌湘A****5违停"),
            ("京A·D12345", Kind::Plate, "京A·*****5"),
            (
                "我住在幸福路18号3栋2单元501室",
                Kind::Address,
                "我住在幸福路**号*栋*单元***室",
            ),
            ("家住和平小区12栋", Kind::Address, "家住和平小区**栋"),
        ] {
            assert_eq!(kinds(text), [kind], "{text}");
            assert_eq!(mask(text), masked, "{text}");
        }
    }

    #[test]
    fn other_numbers_are_left_alone() {
        for text in [
            "共13800000000元",
            "金额1380013800.55元",
            "国办发〔2024〕3号",
            "2024年11月30日至2025-01-02",
            "统一社会信用代码91370000163047757X",
            "统一社会信用代码91110108MA01ABCD2K",
            "拨打12345或12333，也可以打96118",
            "第13条第2款，共18.5万平方米",
            "经度116.397128纬度39.916527",
            "订单号13800138000",
            "人民路18号市政务服务中心",
            "GB/T 9704-2012",
            "4K@60帧",
            "2019年第3号公告第15600001111号文件编号",
            "400-820-8820",
            "G20240301次",
            "高考语文3500分2024年8月",
        ] {
            assert_eq!(kinds(text), [], "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn amounts_dates_and_document_numbers_are_no_personal_data(
            yuan in 0u64..10_000_000_000,
            cents in 0u8..100,
            year in 1950u16..2040,
            month in 1u8..13,
            day in 1u8..32,
            number in 1u16..3000,
        ) {
            for text in [
                format!("金额{yuan}元"),
                format!("共计{yuan}.{cents:02}元"),
                format!("{yuan}.{cents:02}万元"),
                format!("{year}年{month}月{day}日"),
                format!("{year}-{month:02}-{day:02}"),
                format!("{year}{month:02}{day:02}"),
                format!("〔{year}〕{number}号"),
                format!("第{number}号公告"),
                format!("面积{number}平方米"),
            ] {
                proptest::prop_assert_eq!(kinds(&text), [], "{}", text);
            }
        }

        #[test]
        fn masking_hides_what_was_found(text in "[0-9a-zX@. 号路室栋湘A住，-]{0,60}") {
            let found = find(&text);
            let mut last = 0;
            for piece in &found {
                proptest::prop_assert!(piece.span.start >= last && text.get(piece.span.clone()).is_some());
                last = piece.span.end;
            }
            let masked = mask(&text);
            proptest::prop_assert_eq!(found.is_empty(), masked == text || found.is_empty());
        }
    }
}
