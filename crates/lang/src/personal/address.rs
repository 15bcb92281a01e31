//! Where somebody lives: a road or estate with the numbers of house, entrance and door.

use std::ops::Range;

use super::{Kind, Mark, is_number, labelled};

/// What a number in an address counts; those of houses and doors.
const PARTS: [&str; 11] = [
    "号楼", "单元", "号院", "组团", "栋", "幢", "座", "室", "弄", "号", "楼",
];

/// What an address hangs on.
const PLACES: [&str; 22] = [
    "大道", "社区", "小区", "花园", "公寓", "家园", "新村", "街道", "路", "街", "巷", "道", "村",
    "苑", "园", "庭", "府", "湾", "城", "里", "组", "屯",
];

/// An address whose first number begins at this place.
pub(super) fn at(marks: &[Mark], at: usize) -> Option<(Kind, Range<usize>)> {
    let number = |m: &Mark| is_number(m.character) || m.character.is_ascii_uppercase();
    if !is_number(marks[at].character) && !marks[at].character.is_ascii_uppercase() {
        return None;
    }
    if at == 0 || number(&marks[at - 1]) {
        return None;
    }
    let before: String = marks[at.saturating_sub(2)..at]
        .iter()
        .map(|m| m.character)
        .collect();
    if !PLACES.iter().any(|p| before.ends_with(p)) {
        return None;
    }
    let (mut end, mut parts, mut door) = (at, 0, false);
    loop {
        let digits = marks[end..]
            .iter()
            .take(6)
            .take_while(|m| number(m) || m.character == '-')
            .count();
        let after: String = marks[end + digits..]
            .iter()
            .take(2)
            .map(|m| m.character)
            .collect();
        let part = PARTS.iter().find(|p| after.starts_with(*p));
        match part.filter(|_| digits > 0) {
            Some(part) => {
                door |= matches!(*part, "单元" | "室" | "栋" | "幢" | "号楼");
                parts += 1;
                end += digits + part.chars().count();
            }
            // The number of a door often has no word behind it.
            None if digits >= 3 && parts > 0 && marks[end].character.is_ascii_digit() => {
                (door, parts) = (true, parts + 1);
                end += digits;
                break;
            }
            None => break,
        }
    }
    let told = labelled(marks, at, &["住", "家在", "地址", "户籍"]);
    let whole = (parts >= 2 && door) || (parts >= 1 && told);
    whole.then_some((Kind::Address, at..end))
}

#[cfg(test)]
mod tests {
    use super::super::find;

    #[test]
    fn an_office_is_no_home() {
        for text in [
            "人民路18号",
            "解放路一号大厅二楼",
            "和平小区3栋停水",
            "中山路街道12345",
        ] {
            assert!(find(text).is_empty(), "{text}");
        }
        for text in [
            "芙蓉路18号2栋301",
            "幸福村三组12号3单元",
            "地址：解放路5号",
            "阳光花园B栋1单元502室",
        ] {
            assert_eq!(find(text).len(), 1, "{text}");
        }
    }
}
