//! The expression language: how it is read, checked, evaluated and told.

use std::collections::BTreeMap;

use citymind_rules::{
    Expression, Type, Value,
    expression::{Environment, Labels, Unworkable},
};
use jiff::civil::{Date, date};

#[derive(Default)]
struct World(BTreeMap<&'static str, Value>);

impl Environment for World {
    fn value(&self, name: &str) -> Result<Option<Value>, Unworkable> {
        Ok(self.0.get(name).cloned())
    }

    fn today(&self) -> Date {
        date(2026, 11, 27)
    }
}

impl Labels for World {
    fn label(&self, name: &str) -> String {
        match name {
            "base" => "缴费基数".to_owned(),
            "days" => "产假天数".to_owned(),
            name => name.to_owned(),
        }
    }

    fn told(&self, name: &str, value: &Value) -> String {
        match (name, value) {
            ("base", value) => format!("{value}元"),
            ("days", value) => format!("{value}天"),
            ("kind", Value::Text(t)) if t == "plain" => "“没有备案”".to_owned(),
            (_, value) => value.to_string(),
        }
    }
}

fn world(values: &[(&'static str, Value)]) -> World {
    World(values.iter().cloned().collect())
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().expect("a number"))
}

fn evaluate(source: &str, world: &World) -> Result<Option<Value>, Unworkable> {
    Expression::read(source).expect(source).evaluate(world)
}

fn known(source: &str) -> Value {
    let value = evaluate(source, &World::default()).expect(source);
    value.expect(source)
}

/// Where it goes wrong, in characters from 0, with a part of what is said.
fn refused(source: &str) -> (usize, String) {
    let fault = Expression::read(source).expect_err(source);
    (fault.at.start, fault.message)
}

#[test]
fn says_what_is_wrong_and_where() {
    for (source, at, said) in [
        ("", 0, "没有写完"),
        ("a >= ", 5, "没有写完"),
        ("a >= 3)", 6, "多出"),
        ("a b", 2, "多出"),
        ("(a + 3", 6, "应当是“)”"),
        ("a < b < c", 6, "不能连写"),
        ("a == \"x", 5, "引号"),
        ("a & b", 2, "不认识"),
        ("1.2.3", 0, "不是数"),
        ("sum(a)", 0, "没有“sum”这个函数"),
        ("a in b", 5, "应当是“[”"),
        ("a in [b]", 6, "选项"),
        ("a in []", 6, "选项"),
        ("min(a, )", 7, "没有写完"),
        ("租金 ≥ 3", 3, "不认识"),
        ("99999999999999999999999999999999", 0, "不是数"),
        ("0.11111111111111111111111111111111111", 0, "不是数"),
    ] {
        let (found, message) = refused(source);
        assert!(message.contains(said), "{source}: {message}");
        assert_eq!(found, at, "{source}: {message}");
    }
}

#[test]
fn what_is_too_deep_or_too_long_is_refused_and_never_overflows() {
    for source in [
        "(".repeat(100_000),
        "-".repeat(100_000),
        "not ".repeat(100_000),
        "min(".repeat(100_000),
        format!("1{}", "+1".repeat(100_000)),
        format!("1{}", "*(1".repeat(100_000)),
        "[".repeat(100_000),
    ] {
        assert!(Expression::read(&source).is_err());
    }
    let deep = format!("{}1{}", "(".repeat(50), ")".repeat(50));
    assert_eq!(known(&deep), number("1"));
    let long = format!("1{}", "+1".repeat(400));
    assert_eq!(known(&long), number("401"));
}

#[test]
fn operators_bind_as_people_expect() {
    for (source, value) in [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 4 - 3", "3"),
        ("24 / 4 / 2", "3"),
        ("-2 * 3 + 1", "-5"),
        ("- -2", "2"),
        ("2 * -3", "-6"),
        ("10 - 4 + 3", "9"),
    ] {
        assert_eq!(known(source), number(value), "{source}");
    }
    for (source, value) in [
        ("true or false and false", true),
        ("(true or false) and false", false),
        ("not false and false", false),
        ("not (false and false)", true),
        ("not 1 == 2", true),
        ("not not true", true),
        ("1 + 1 == 2 and 3 > 2", true),
        ("'a' in ['a', 'b']", true),
        ("not 'a' in ['b']", true),
    ] {
        assert_eq!(known(source), value.into(), "{source}");
    }
}

#[test]
fn types_are_checked_before_anybody_is_decided_by_them() {
    let names = |name: &str| {
        Some(match name {
            "n" => Type::Number,
            "b" => Type::Bool,
            "t" => Type::Text,
            "d" => Type::Date,
            "l" => Type::List,
            "table" => Type::Table,
            _ => return None,
        })
    };
    for (source, kind) in [
        ("n + 1 >= 2 and b", Type::Bool),
        ("if(b, d, today)", Type::Date),
        ("max(d, today)", Type::Date),
        ("pick(table, t)", Type::Number),
        ("has(l, 'x')", Type::Bool),
        ("add_months(d, n)", Type::Date),
        ("known(t)", Type::Bool),
        ("t in ['x']", Type::Bool),
        ("-n", Type::Number),
    ] {
        let expression = Expression::read(source).expect(source);
        assert_eq!(expression.check(&names), Ok(kind), "{source}");
    }
    for (source, at, said) in [
        ("n + b", 4, "应当是数"),
        ("n and b", 0, "应当是是否"),
        ("x > 1", 0, "没有叫“x”"),
        ("n == t", 0, "比较"),
        ("b < b", 0, "不能这样比较"),
        ("t < t", 0, "不能这样比较"),
        ("l == l", 0, "不能这样比较"),
        ("if(b, n, d)", 9, "应当是数"),
        ("if(b, n)", 0, "三个值"),
        ("round(n)", 0, "2个值"),
        ("min(n)", 0, "两个以上"),
        ("min(b, b)", 4, "没有大小"),
        ("known(1)", 0, "known"),
        ("date('2024-13-01')", 0, "2024-07-01"),
        ("age(n)", 4, "应当是日期"),
        ("n in ['x']", 0, "应当是文字"),
        ("-b", 1, "应当是数"),
        ("not n", 4, "应当是是否"),
    ] {
        let fault = Expression::read(source).expect(source).check(&names);
        let fault = fault.expect_err(source);
        assert!(fault.message.contains(said), "{source}: {}", fault.message);
        assert_eq!(fault.at.start, at, "{source}: {}", fault.message);
    }
}

#[test]
fn decimals_are_exact() {
    for (source, value) in [
        ("0.1 + 0.2", "0.3"),
        ("0.1 * 3", "0.3"),
        ("1500 * 1.5 * 12", "27000"),
        ("9000 / 30 * 158", "47400"),
        ("round(2.345, 2)", "2.35"),
        ("round(2.5, 0)", "3"),
        ("round(-2.5, 0)", "-3"),
        ("floor(-2.1)", "-3"),
        ("ceil(2.1)", "3"),
        ("min(3, 1, 2)", "1"),
        ("max(3, 1, 2)", "3"),
    ] {
        assert_eq!(known(source), number(value), "{source}");
    }
}

#[test]
fn what_cannot_be_worked_out_says_why() {
    for (source, said) in [
        ("1 / 0", "除数是零"),
        ("79228162514264337593543950335 * 2", "太大"),
        ("add_years(today, 100000)", "算不出来"),
        ("date(day)", "不是日期"),
    ] {
        let why = evaluate(source, &world(&[("day", "31".into())]));
        let why = why.expect_err(source).0;
        assert!(why.contains(said), "{source}: {why}");
    }
}

#[test]
fn months_and_years_are_full_ones() {
    for (source, value) in [
        // On the last day of a shorter month a month is full.
        (
            "months_between(date('2026-01-31'), date('2026-02-28'))",
            "1",
        ),
        (
            "months_between(date('2026-01-31'), date('2026-02-27'))",
            "0",
        ),
        (
            "months_between(date('2026-01-30'), date('2026-02-28'))",
            "1",
        ),
        (
            "months_between(date('2024-01-31'), date('2024-02-28'))",
            "0",
        ),
        (
            "months_between(date('2024-01-31'), date('2024-02-29'))",
            "1",
        ),
        (
            "months_between(date('2026-03-31'), date('2026-04-30'))",
            "1",
        ),
        (
            "months_between(date('2026-02-28'), date('2026-03-28'))",
            "1",
        ),
        (
            "months_between(date('2026-02-28'), date('2026-03-27'))",
            "0",
        ),
        (
            "months_between(date('2026-04-30'), date('2026-03-31'))",
            "-1",
        ),
        (
            "months_between(date('2025-12-15'), date('2026-12-14'))",
            "11",
        ),
        ("years_between(date('2000-02-29'), date('2001-02-28'))", "1"),
        ("years_between(date('2000-02-29'), date('2001-02-27'))", "0"),
        ("years_between(date('2000-02-29'), date('2004-02-28'))", "3"),
        ("years_between(date('2000-02-29'), date('2004-02-29'))", "4"),
        ("days_between(date('2024-02-28'), date('2024-03-01'))", "2"),
        ("days_between(date('2026-03-01'), date('2026-02-28'))", "-1"),
        ("age(date('1990-11-27'))", "36"),
        ("age(date('1990-11-28'))", "35"),
    ] {
        assert_eq!(known(source), number(value), "{source}");
    }
    for (source, day) in [
        ("add_months(date('2026-01-31'), 1)", date(2026, 2, 28)),
        ("add_months(date('2024-01-31'), 1)", date(2024, 2, 29)),
        ("add_months(date('2026-03-31'), -1)", date(2026, 2, 28)),
        ("add_years(date('2024-02-29'), 1)", date(2025, 2, 28)),
        ("add_days(date('2026-12-31'), 1)", date(2027, 1, 1)),
        ("max(date('2026-01-01'), today)", date(2026, 11, 27)),
    ] {
        assert_eq!(known(source), day.into(), "{source}");
    }
}

#[test]
fn what_does_not_depend_on_the_unknown_is_known() {
    let nobody = World::default();
    for (source, value) in [
        ("x and false", Some(false)),
        ("false and x", Some(false)),
        ("x or true", Some(true)),
        ("x and true", None),
        ("x or false", None),
        ("not x", None),
        ("x == y", None),
        ("if(x, true, true)", Some(true)),
        ("if(x, true, false)", None),
        ("known(x)", Some(false)),
        // What cannot be worked out decides nothing, on either side.
        ("1 / 0 > 1 and false", Some(false)),
        ("false and 1 / 0 > 1", Some(false)),
        ("1 / 0 > 1 or true", Some(true)),
        ("if(1 / 0 > 1, true, true)", Some(true)),
        ("x and 1 / 0 > 1", None),
    ] {
        let found = evaluate(source, &nobody).expect(source);
        assert_eq!(found, value.map(Value::from), "{source}");
    }
}

#[test]
fn tells_what_a_citizen_can_follow_with_a_calculator() {
    let world = world(&[
        ("base", number("9000")),
        ("days", number("158")),
        ("kind", "plain".into()),
        ("single", true.into()),
        ("a", number("1.5")),
        ("b", number("2")),
    ]);
    for (source, told) in [
        ("base / 30 * days", "缴费基数9000元 ÷ 30 × 产假天数158天"),
        ("base - (a - b)", "缴费基数9000元 − （a1.5 − b2）"),
        ("(a + b) * 3", "（a1.5 + b2） × 3"),
        ("round(a + b, 2) * 3", "（a1.5 + b2） × 3"),
        ("a / (b * 2)", "a1.5 ÷ （b2 × 2）"),
        ("if(single, a, b)", "a1.5"),
        ("min(a, b)", "（a1.5，b2）中较小的"),
        ("days >= 98", "产假天数158天 ≥ 98"),
        ("kind == \"plain\"", "kind“没有备案” = “没有备案”"),
        ("kind in [\"plain\"]", "kind“没有备案”属于“没有备案”"),
        (
            "today >= date(\"2026-03-05\")",
            "2026年11月27日 ≥ 2026年3月5日",
        ),
        ("missing + 1", "missing（待定） + 1"),
    ] {
        let expression = Expression::read(source).expect(source);
        assert_eq!(expression.tell(&world, &world), told, "{source}");
    }
}

#[test]
fn a_written_expression_is_stored_as_it_was_written() {
    let expression = Expression::read("a>=3  and b").expect("sound");
    let stored = serde_json::to_string(&expression).expect("stored");
    assert_eq!(stored, "\"a>=3  and b\"");
    let read: Expression = serde_json::from_str(&stored).expect("read");
    assert_eq!(read, expression);
    let error = serde_json::from_str::<Expression>("\"a >\"").expect_err("refused");
    assert!(error.to_string().contains("第4个字符"), "{error}");
}
