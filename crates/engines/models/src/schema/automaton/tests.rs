//! Texts held to schemas.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// The text's state, if it leads anywhere.
fn state(schema: &Value, text: &str) -> Option<(bool, bool)> {
    let schema = Schema::new(schema).unwrap();
    let automaton = Automaton::new(&schema);
    let state = automaton.after(&automaton.start(), text.as_bytes())?;
    Some((state.may_end(), state.must_end()))
}

fn takes(schema: &Value, text: &str) -> bool {
    state(schema, text).is_some_and(|(may_end, _)| may_end)
}

#[test]
fn what_the_schema_allows_is_let_through_and_nothing_else() {
    let text = json!({"type": "string", "minLength": 1, "maxLength": 3});
    let whole = json!({"type": "integer", "minimum": 5, "maximum": 120});
    let signed = json!({"type": "number", "minimum": -1.5, "maximum": 2.25});
    let either = json!({"anyOf": [{"type": "null"}, {"type": "integer"}, {"const": "nul"}]});
    for (schema, good, bad) in [
        (
            &text,
            "\"甲乙丙\"|\"a\\n\"|\"\\\\\"",
            "\"\"|\"甲乙丙丁\"|\"\n\"|\"\\x\"|\"\\u4e00\"|1",
        ),
        (&whole, "5|10|120|99", "4|1|121|05|-5|5.0|5e0||12a"),
        (
            &signed,
            "0|-1.5|2.25|-0.000001|1|2.2",
            "-1.6|2.3|3|-2|1.|.5|2.26",
        ),
        (
            &json!({"type": "integer"}),
            "0|-7|123456789012345",
            "-0|1234567890123456|--1",
        ),
        (&either, r#"null|12|"nul""#, r#""null"|nul|true"#),
        (
            &json!(true),
            r#"{"a":[1,{"b":null}],"c":"d"}|-1.5|false"#,
            "{a:1}|[1,]|tru",
        ),
    ] {
        good.split('|')
            .for_each(|text| assert!(takes(schema, text), "{schema}: {text}"));
        bad.split('|')
            .for_each(|text| assert!(!takes(schema, text), "{schema}: {text}"));
    }
    assert!(!takes(&json!(false), "null"));
}

#[test]
fn lists_and_objects_are_let_through_as_they_are_described() {
    let list = json!({"type": "array", "items": {"enum": ["甲", "乙丙", 1]}, "maxItems": 2});
    let two = json!({"minItems": 2, "items": {"type": "null"}});
    let object = json!({
        "properties": {"a": {"type": "integer"}, "b": {"type": "boolean"}, "c": {"type": "null"}},
        "required": ["b", "a"],
        "additionalProperties": false,
    });
    let free = json!({"type": "object", "additionalProperties": {"type": "boolean"}});
    for (schema, good, bad) in [
        (
            &list,
            r#"[]|["甲"]|["乙丙",1]"#,
            r#"[,]|["乙"]|["甲",]|[1,1,1]|[1 ,1]"#,
        ),
        (&two, "[null,null]", "[]|[null]|[null,null,]"),
        (
            &object,
            r#"{"b":true,"a":1}|{"b":true,"a":1,"c":null}"#,
            r#"{}|{"a":1,"b":true}|{"b":true}|{"b":true,"a":1,"d":1}|{"b":true,"a":1,}|{"b":true "a":1}"#,
        ),
        (
            &free,
            r#"{}|{"甲":true}|{"甲":true,"乙":false}"#,
            r#"{"":true}|{"甲":1}|{,"甲":true}"#,
        ),
    ] {
        good.split('|')
            .for_each(|text| assert!(takes(schema, text), "{schema}: {text}"));
        bad.split('|')
            .for_each(|text| assert!(!takes(schema, text), "{schema}: {text}"));
    }
}

#[test]
fn the_end_is_known() {
    let object = json!({"properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": false});
    assert_eq!(state(&object, r#"{"a":1"#), Some((false, false)));
    assert_eq!(state(&object, r#"{"a":1}"#), Some((true, true)));
    assert_eq!(state(&object, r#"{"a":1} "#), None);
    assert_eq!(state(&json!({"type": "integer"}), "1"), Some((true, false)));
}

#[test]
fn what_must_come_is_foreseen() {
    let schema = json!({
        "properties": {"事项": {"enum": ["公积金提取", "公积金贷款"]}, "紧急": {"type": "boolean"}},
        "required": ["事项", "紧急"],
        "additionalProperties": false,
    });
    let schema = Schema::new(&schema).unwrap();
    let automaton = Automaton::new(&schema);
    let forced = |text: &str| {
        let state = automaton
            .after(&automaton.start(), text.as_bytes())
            .unwrap();
        String::from_utf8_lossy(&automaton.forced(&state)).into_owned()
    };
    // The two differ in the second byte of a character.
    assert!(forced("").starts_with(r#"{"事项":"公积金"#));
    assert_eq!(forced(r#"{"事项":"公积金提"#), r#"取","紧急":"#);
    assert_eq!(forced(r#"{"事项":"公积金提取","紧急":t"#), "rue}");
}

fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"type": "null"})),
        Just(json!({"type": "boolean"})),
        Just(json!({"enum": ["甲", "甲乙", 3, null, {"x": [1]}]})),
        Just(json!({"type": ["string", "integer"], "maxLength": 4, "minimum": -3})),
        (0..3_usize, 3..6_usize).prop_map(|(a, b)| json!({"type": "string", "minLength": a, "maxLength": b})),
        (-200..200_i32, 0..300_i32).prop_map(|(a, b)| json!({"type": "integer", "minimum": a, "maximum": a + b})),
        (-20..20_i32, 1..30_i32).prop_map(|(a, b)| json!({"type": "number", "minimum": f64::from(a) / 8.0, "maximum": f64::from(a + b) / 8.0})),
        Just(json!(true)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), 0..2_usize, 2..4_usize).prop_map(|(items, a, b)| json!({"type": "array", "items": items, "minItems": a, "maxItems": b})),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| json!({"anyOf": [a, b]})),
            (inner.clone(), inner.clone(), any::<bool>()).prop_map(|(a, b, c)| json!({
                "type": "object",
                "properties": {"a": a, "乙\"": b},
                "required": if c { vec!["乙\""] } else { vec![] },
                "additionalProperties": false,
            })),
            inner.prop_map(|rest| json!({"type": "object", "additionalProperties": rest})),
        ]
    })
}

proptest! {
    /// However a way is chosen, it goes on to an end, and what has been written by then is what the schema says.
    #[test]
    fn every_way_leads_to_a_sound_end(of in schemas(), choices in prop::collection::vec(any::<u8>(), 400)) {
        let schema = Schema::new(&of).unwrap();
        let automaton = Automaton::new(&schema);
        let mut state = automaton.start();
        let mut text = Vec::new();
        let mut choices = choices.into_iter();
        while !state.must_end() {
            // After a while, what brings the text to its end.
            let closing = b"\"}],";
            let ways: Vec<u8> = (0..=255).filter(|b| automaton.after(&state, &[*b]).is_some()).collect();
            if ways.is_empty() {
                break;
            }
            let byte = match choices.next() {
                Some(choice) => ways[usize::from(choice) % ways.len()],
                None if state.may_end() => break,
                None => *closing.iter().find(|b| ways.contains(b)).unwrap_or(&ways[ways.len() / 2]),
            };
            text.push(byte);
            prop_assert!(text.len() < 4_000, "{}", String::from_utf8_lossy(&text));
            state = automaton.after(&state, &[byte]).unwrap();
        }
        prop_assert!(state.may_end(), "{}", String::from_utf8_lossy(&text));
        let value: Value = serde_json::from_slice(&text).unwrap();
        prop_assert_eq!(schema.check(&value), Ok(()));
    }
}
