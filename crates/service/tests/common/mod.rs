//! The items of the demonstration city, and people who might apply.
#![allow(dead_code, reason = "each test uses a part")]

use std::{fs, path::Path};

use citymind_service::items::{
    FieldKind, Item,
    reading::read_files,
    schema::{Bound, Field},
};
use jiff::{ToSpan, civil::Date};
use rules::{Book, Facts, Value, book::Case};
use rust_decimal::{Decimal, prelude::ToPrimitive};

/// The day on which the tests stand.
pub(crate) const TODAY: Date = Date::constant(2026, 11, 27);

/// How many people live: fewer where `CITYMIND_PEOPLE` says so.
pub(crate) fn people(all: usize) -> usize {
    let said = std::env::var("CITYMIND_PEOPLE").ok();
    said.and_then(|n| n.parse().ok()).unwrap_or(all)
}

/// All files of a folder, by path.
pub(crate) fn files(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo");
    let root = if root.exists() {
        root
    } else {
        Path::new("demo").to_owned()
    };
    let mut found = Vec::new();
    let mut waiting = vec![root.join(folder)];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).expect("the demonstration city is there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml") {
                let text = fs::read_to_string(&path).expect("text");
                found.push((path.display().to_string(), text));
            }
        }
    }
    found.sort();
    found
}

/// The items of the demonstration city.
pub(crate) fn items() -> Vec<Item> {
    let files = files("service");
    let (mut items, mut wrong) = (Vec::new(), Vec::new());
    for (path, read) in read_files(&files) {
        match read {
            Ok((item, _)) => items.push(item),
            Err(findings) => wrong.push(format!("{path}: {findings:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    items
}

/// Numbers that look random and are the same every time (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    /// One time in `n`.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// The numbers at which conditions of a book may turn.
pub(crate) fn marks(book: &Book) -> Vec<Decimal> {
    let rules = book.rules.iter();
    let expressions = rules.flat_map(|r| r.when.iter().chain([&r.require]));
    let mut marks: Vec<Decimal> = expressions.flat_map(|e| e.numbers()).collect();
    marks.extend(book.amounts.iter().flat_map(|a| a.value.numbers()));
    marks.sort();
    marks.dedup();
    marks
}

fn number(dice: &mut Dice, field: &Field, marks: &[Decimal]) -> Decimal {
    let bound = |b: &Option<Bound>, otherwise: i64| match b {
        Some(Bound::Number(n)) => n.0,
        _ => otherwise.into(),
    };
    let (low, high) = (bound(&field.min, 0), bound(&field.max, 1_000_000));
    let money = field.kind == FieldKind::Money;
    let raw = match dice.below(5) {
        0 if !marks.is_empty() => {
            let near = Decimal::from(dice.below(3) as i64 - 1);
            *dice.pick(marks) + near
        }
        1 => low + Decimal::from(dice.below(4)),
        2 => Decimal::from(dice.below(40)),
        // Any size, as amounts of money are: 3, 500, 60000.
        3 => Decimal::from((1 + dice.below(9)) as i64 * 10_i64.pow(dice.below(7) as u32)),
        _ => {
            let span = (high - low).to_i64().unwrap_or(1_000).max(1);
            low + Decimal::from((dice.next() % span as u64) as i64)
        }
    };
    let raw = if money && dice.one_in(4) {
        raw + Decimal::new(dice.below(100) as i64, 2)
    } else if field.whole {
        raw.floor()
    } else {
        raw.round_dp(2)
    };
    raw.clamp(low, high.max(low)).normalize()
}

fn day(dice: &mut Dice, field: &Field, case: &Case<'_>) -> Date {
    let bound = |b: &Option<Bound>| match b {
        Some(Bound::Expression(e)) => match e.evaluate(case) {
            Ok(Some(Value::Date(day))) => Some(day),
            _ => None,
        },
        _ => None,
    };
    let days = *dice.pick(&[3, 40, 400, 2_000, 10_000, 25_000]);
    let ahead = dice.one_in(4);
    let offset = dice.below(days) as i64;
    let day = case
        .on
        .checked_add((if ahead { offset } else { -offset }).days());
    let day = day.expect("a day");
    let day = bound(&field.max).map_or(day, |max| day.min(max));
    bound(&field.min).map_or(day, |min| day.max(min))
}

/// The check digit of a resident identity number.
fn identity(dice: &mut Dice) -> String {
    let body = format!(
        "110101{}{:02}{:02}{:03}",
        1950 + dice.below(55),
        1 + dice.below(12),
        1 + dice.below(28),
        dice.below(1000)
    );
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body
        .bytes()
        .zip(weights)
        .map(|(b, w)| u32::from(b - b'0') * w)
        .sum();
    let check = "10X98765432".as_bytes()[sum as usize % 11];
    format!("{body}{}", check as char)
}

fn luhn(dice: &mut Dice) -> String {
    let body = format!("622202020011{:06}", dice.below(1_000_000));
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(n, b)| {
            let d = u32::from(b - b'0') * if n % 2 == 0 { 2 } else { 1 };
            d / 10 + d % 10
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// A value that a field may have.
pub(crate) fn value(
    dice: &mut Dice,
    field: &Field,
    book: &Book,
    facts: &Facts,
    marks: &[Decimal],
) -> Value {
    let case = Case {
        book,
        facts,
        on: TODAY,
    };
    let names = ["王小明", "李芳", "欧阳建国", "张伟", "阿依古丽", "陈静怡"];
    match field.kind {
        FieldKind::YesNo => dice.one_in(2).into(),
        FieldKind::Choice => {
            let choice = dice.pick(&field.choices);
            choice.value.as_str().into()
        }
        FieldKind::Choices => {
            let mut some: Vec<String> = field
                .choices
                .iter()
                .filter(|_| dice.one_in(2))
                .map(|c| c.value.clone())
                .collect();
            if some.is_empty() {
                some.push(dice.pick(&field.choices).value.clone());
            }
            Value::List(some)
        }
        FieldKind::Number | FieldKind::Money => number(dice, field, marks).into(),
        FieldKind::Date => day(dice, field, &case).into(),
        FieldKind::Name => (*dice.pick(&names)).into(),
        FieldKind::IdNumber => Value::Text(identity(dice)),
        FieldKind::Phone => Value::Text(format!(
            "13{}{:08}",
            dice.below(10),
            dice.below(100_000_000)
        )),
        FieldKind::BankCard => Value::Text(luhn(dice)),
        _ => Value::Text(field.example.text()),
    }
}

/// Everything about a person that an item may ask.
pub(crate) fn profile(dice: &mut Dice, item: &Item, book: &Book, marks: &[Decimal]) -> Facts {
    let mut facts = Facts::new();
    for field in &item.fields {
        let value = value(dice, field, book, &facts, marks);
        facts.insert(field.id.clone(), value);
    }
    facts
}
