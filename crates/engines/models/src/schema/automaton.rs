//! JSON that a schema allows, byte by byte: whether a text can still become what is wanted.
//!
//! It is stricter than [`Schema::check`]: no blanks between parts, fields in the order of `required` and then by name, no
//! fields beyond the declared ones where any are declared, no `\u` escapes or exponents, and bounds on what has none, so
//! that a model that loses its way comes to an end. Whatever it lets through can be completed.

use std::rc::Rc;

use super::{Id, Node, Schema};

/// The most characters of a string, items of a list and levels, where the schema doesn't say.
const LONGEST_TEXT: usize = 400;
const MOST_ITEMS: usize = 32;
const DEEPEST: usize = 8;
/// The most fields of an object whose fields are not declared.
const MOST_FIELDS: usize = 16;
/// The most digits before and after the point.
const MOST_DIGITS: (usize, usize) = (15, 6);

/// What is to come, the next last.
type Stack = Vec<Frame>;

#[derive(Clone, Debug, PartialEq)]
enum Frame {
    /// A value of that part.
    Value(Id),
    /// Any value, so many levels deep.
    Anything(usize),
    /// The rest of some bytes.
    Bytes(Rc<[u8]>, usize),
    /// The rest of a string.
    Text(Text),
    /// The rest of a number.
    Number(Number),
    /// Another item, or the end of the list. `None` are items of any kind at that level.
    Items {
        of: Item,
        count: usize,
        most: usize,
        least: usize,
    },
    /// Another field, or the end of the object; fields before `next` are behind.
    Fields { of: Id, next: usize, any: bool },
    /// Another field of any name, or the end of the object.
    Free { of: Item, count: usize },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Item {
    Part(Id),
    Any(usize),
}

impl Item {
    fn frame(self) -> Frame {
        match self {
            Self::Part(id) => Frame::Value(id),
            Self::Any(level) => Frame::Anything(level),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Text {
    count: usize,
    least: usize,
    most: usize,
    escaped: bool,
    /// So many more bytes of a character, the next of which lies between two bounds.
    more: (u8, u8, u8),
}

#[derive(Clone, Debug, PartialEq)]
struct Number {
    whole: bool,
    least: f64,
    most: f64,
    written: String,
}

/// How far a text has come; several ways may still be open.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State(Vec<Stack>);

/// Follows texts by a schema.
#[derive(Debug)]
pub(crate) struct Automaton<'s> {
    schema: &'s Schema,
}

impl<'s> Automaton<'s> {
    pub(crate) fn new(schema: &'s Schema) -> Self {
        Self { schema }
    }

    /// Before the first byte.
    pub(crate) fn start(&self) -> State {
        State(vec![vec![Frame::Value(self.schema.root)]])
    }

    /// After some bytes; `None` if they lead nowhere.
    pub(crate) fn after(&self, state: &State, bytes: &[u8]) -> Option<State> {
        let mut state = state.clone();
        for byte in bytes {
            let mut open = Vec::new();
            for stack in state.0 {
                self.step(stack, *byte, &mut open);
            }
            if open.is_empty() {
                return None;
            }
            state = State(open);
        }
        Some(state)
    }

    /// The bytes that must come now, as far as there is only one way on.
    pub(crate) fn forced(&self, state: &State) -> Vec<u8> {
        let mut state = state.clone();
        let mut forced = Vec::new();
        while forced.len() < 200 && !state.may_end() {
            let mut ways = (0..=255).filter_map(|byte| Some((byte, self.after(&state, &[byte])?)));
            let (Some((byte, next)), None) = (ways.next(), ways.next()) else {
                break;
            };
            forced.push(byte);
            state = next;
        }
        forced
    }

    fn step(&self, mut stack: Stack, byte: u8, open: &mut Vec<Stack>) {
        let Some(frame) = stack.pop() else { return };
        match frame {
            Frame::Value(id) => self.begin(id, stack, byte, open),
            Frame::Anything(level) => self.begin_any(level, stack, byte, open),
            Frame::Bytes(bytes, at) => {
                if bytes[at] == byte {
                    if at + 1 < bytes.len() {
                        stack.push(Frame::Bytes(bytes, at + 1));
                    }
                    keep(stack, open);
                }
            }
            Frame::Text(text) => match text.after(byte) {
                Some(Some(text)) => {
                    stack.push(Frame::Text(text));
                    keep(stack, open);
                }
                Some(None) => keep(stack, open),
                None => {}
            },
            Frame::Number(number) => {
                // A number ends where something else begins.
                if number.is_sound() {
                    self.step(stack.clone(), byte, open);
                }
                if let Some(number) = number.after(byte) {
                    stack.push(Frame::Number(number));
                    keep(stack, open);
                }
            }
            Frame::Items {
                of,
                count,
                most,
                least,
            } => match byte {
                b']' if count >= least => keep(stack, open),
                b',' if count > 0 && count < most => {
                    stack.push(Frame::Items {
                        of,
                        count: count + 1,
                        most,
                        least,
                    });
                    stack.push(of.frame());
                    keep(stack, open);
                }
                _ if count == 0 && most > 0 => {
                    stack.push(Frame::Items {
                        of,
                        count: 1,
                        most,
                        least,
                    });
                    stack.push(of.frame());
                    self.step(stack, byte, open);
                }
                _ => {}
            },
            Frame::Fields { of, next, any } => self.field(of, next, any, stack, byte, open),
            Frame::Free { of, count } => match byte {
                b'}' => keep(stack, open),
                b',' if count > 0 && count < MOST_FIELDS => {
                    stack.extend(name_and_value(of, count));
                    keep(stack, open);
                }
                b'"' if count == 0 => {
                    stack.extend(name_and_value(of, count));
                    self.step(stack, byte, open);
                }
                _ => {}
            },
        }
    }

    /// The first byte of a value.
    fn begin(&self, id: Id, mut stack: Stack, byte: u8, open: &mut Vec<Stack>) {
        match self.schema.node(id) {
            Node::Any => self.begin_any(0, stack, byte, open),
            Node::Never | Node::Same(_) => {}
            Node::OneOf(values) => {
                for value in values {
                    self.bytes(&value.to_string(), stack.clone(), byte, open);
                }
            }
            Node::Null => self.bytes("null", stack, byte, open),
            Node::Boolean => {
                self.bytes("true", stack.clone(), byte, open);
                self.bytes("false", stack, byte, open);
            }
            Node::Number { whole, least, most } => {
                let number = Number {
                    whole: *whole,
                    least: *least,
                    most: *most,
                    written: String::new(),
                };
                stack.push(Frame::Number(number));
                self.step(stack, byte, open);
            }
            Node::Text { least, most } if byte == b'"' => {
                // Where there is no bound, one that leaves room for the least.
                let most = if *most == usize::MAX {
                    LONGEST_TEXT.max(*least)
                } else {
                    *most
                };
                stack.push(Frame::Text(Text::new(*least, most)));
                if *least <= most {
                    keep(stack, open);
                }
            }
            Node::List { items, least, most } if byte == b'[' => {
                let most = if *most == usize::MAX {
                    MOST_ITEMS.max(*least)
                } else {
                    *most
                };
                stack.push(Frame::Items {
                    of: Item::Part(*items),
                    count: 0,
                    most,
                    least: *least,
                });
                if *least <= most {
                    keep(stack, open);
                }
            }
            Node::Record { fields, rest } if byte == b'{' => {
                stack.push(
                    if fields.is_empty() && !matches!(self.schema.node(*rest), Node::Never) {
                        Frame::Free {
                            of: Item::Part(*rest),
                            count: 0,
                        }
                    } else {
                        Frame::Fields {
                            of: id,
                            next: 0,
                            any: false,
                        }
                    },
                );
                keep(stack, open);
            }
            Node::Text { .. } | Node::List { .. } | Node::Record { .. } => {}
            Node::Either { parts, .. } => {
                for part in parts {
                    self.begin(*part, stack.clone(), byte, open);
                }
            }
        }
    }

    fn begin_any(&self, level: usize, mut stack: Stack, byte: u8, open: &mut Vec<Stack>) {
        let below = Item::Any(level + 1);
        match byte {
            b'"' => stack.push(Frame::Text(Text::new(0, LONGEST_TEXT))),
            b'[' if level < DEEPEST => stack.push(Frame::Items {
                of: below,
                count: 0,
                most: MOST_ITEMS,
                least: 0,
            }),
            b'{' if level < DEEPEST => stack.push(Frame::Free {
                of: below,
                count: 0,
            }),
            b'n' => return self.bytes("null", stack, byte, open),
            b't' => return self.bytes("true", stack, byte, open),
            b'f' => return self.bytes("false", stack, byte, open),
            _ => {
                stack.push(Frame::Number(Number {
                    whole: false,
                    least: f64::NEG_INFINITY,
                    most: f64::INFINITY,
                    written: String::new(),
                }));
                return self.step(stack, byte, open);
            }
        }
        keep(stack, open);
    }

    fn bytes(&self, text: &str, mut stack: Stack, byte: u8, open: &mut Vec<Stack>) {
        stack.push(Frame::Bytes(text.as_bytes().into(), 0));
        self.step(stack, byte, open);
    }

    /// The next of the declared fields, or the end of the object.
    fn field(&self, of: Id, next: usize, any: bool, stack: Stack, byte: u8, open: &mut Vec<Stack>) {
        let Node::Record { fields, .. } = self.schema.node(of) else {
            return;
        };
        let left = &fields[next..];
        let must = left.iter().position(|field| field.required);
        if byte == b'}' && must.is_none() {
            return keep(stack, open);
        }
        // A comma before every field but the first.
        if any && byte != b',' {
            return;
        }
        let within_reach = must.map_or(left.len(), |must| must + 1);
        for (n, field) in left.iter().enumerate().take(within_reach) {
            let mut way = stack.clone();
            way.push(Frame::Fields {
                of,
                next: next + n + 1,
                any: true,
            });
            way.push(Frame::Value(field.value));
            let name = format!("{}:", serde_json::Value::from(field.name.as_str()));
            if any {
                way.push(Frame::Bytes(name.as_bytes().into(), 0));
                keep(way, open);
            } else {
                self.bytes(&name, way, byte, open);
            }
        }
    }
}

impl State {
    /// Whether the text may end here.
    pub(crate) fn may_end(&self) -> bool {
        self.0.iter().any(|stack| match stack.as_slice() {
            [] => true,
            [Frame::Number(number)] => number.is_sound(),
            _ => false,
        })
    }

    /// Whether nothing more can come.
    pub(crate) fn must_end(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }
}

/// Another field of any name, the next to come last.
fn name_and_value(of: Item, count: usize) -> [Frame; 5] {
    let literal = |bytes: &[u8]| Frame::Bytes(bytes.into(), 0);
    [
        Frame::Free {
            of,
            count: count + 1,
        },
        of.frame(),
        literal(b":"),
        Frame::Text(Text::new(1, LONGEST_TEXT)),
        literal(b"\""),
    ]
}

fn keep(stack: Stack, open: &mut Vec<Stack>) {
    if !open.contains(&stack) {
        open.push(stack);
    }
}

impl Text {
    fn new(least: usize, most: usize) -> Self {
        Self {
            count: 0,
            least,
            most,
            escaped: false,
            more: (0, 0, 0),
        }
    }

    /// With another byte: `Some(None)` if that ends it, `None` if it can't come.
    fn after(mut self, byte: u8) -> Option<Option<Self>> {
        let (more, low, high) = self.more;
        if more > 0 {
            self.more = (more - 1, 0x80, 0xbf);
            return (low..=high).contains(&byte).then_some(Some(self));
        }
        if self.escaped {
            self.escaped = false;
            self.count += 1;
            return b"\"\\/bfnrt".contains(&byte).then_some(Some(self));
        }
        if byte == b'"' {
            return (self.count >= self.least).then_some(None);
        }
        if self.count == self.most {
            return None;
        }
        if byte == b'\\' {
            self.escaped = true;
            return Some(Some(self));
        }
        // The bytes of UTF-8 (RFC 3629, section 4).
        self.more = match byte {
            0x20..=0x7f => (0, 0, 0),
            0xc2..=0xdf => (1, 0x80, 0xbf),
            0xe0 => (2, 0xa0, 0xbf),
            0xed => (2, 0x80, 0x9f),
            0xe1..=0xef => (2, 0x80, 0xbf),
            0xf0 => (3, 0x90, 0xbf),
            0xf1..=0xf3 => (3, 0x80, 0xbf),
            0xf4 => (3, 0x80, 0x8f),
            _ => return None,
        };
        self.count += 1;
        Some(Some(self))
    }
}

impl Number {
    fn after(mut self, byte: u8) -> Option<Self> {
        let written = self.written.as_bytes();
        let digits = written.strip_prefix(b"-").unwrap_or(written);
        let point = digits.iter().position(|b| *b == b'.');
        let fits = match (byte, point) {
            (b'-', _) => written.is_empty() && self.least < 0.0,
            // -0 is a number, but not a whole one to those who read it.
            (b'0', None) if digits.is_empty() => !self.whole || written.is_empty(),
            (b'0'..=b'9', None) => digits != b"0" && digits.len() < MOST_DIGITS.0,
            (b'0'..=b'9', Some(point)) => digits.len() - point <= MOST_DIGITS.1,
            (b'.', None) => !self.whole && !digits.is_empty(),
            _ => false,
        };
        self.written.push(char::from(byte));
        (fits && self.is_within_reach()).then_some(self)
    }

    /// Whether it may end here.
    fn is_sound(&self) -> bool {
        let ended = self.written.ends_with(|c: char| c.is_ascii_digit());
        let value: f64 = self.written.parse().unwrap_or(f64::NAN);
        ended && value >= self.least && value <= self.most
    }

    /// Whether what can still be written lies within the bounds.
    fn is_within_reach(&self) -> bool {
        let digits = self.written.strip_prefix('-');
        let (digits, low, high) = match digits {
            Some(digits) => (digits, -self.most, -self.least),
            None => (self.written.as_str(), self.least, self.most),
        };
        let low = low.max(0.0);
        if digits.is_empty() {
            return low <= high;
        }
        let value: f64 = digits.trim_end_matches('.').parse().unwrap_or(f64::NAN);
        if let Some(point) = digits.find('.') {
            let unit = 0.1_f64.powi((digits.len() - point - 1) as i32);
            return value <= high && value + unit > low;
        }
        // A zero takes no further digits before the point.
        let longer = if value == 0.0 {
            0
        } else {
            MOST_DIGITS.0 - digits.len()
        };
        (0..=longer).any(|more| {
            let unit = 10_f64.powi(more as i32);
            let (from, to) = (value * unit, (value + 1.0) * unit);
            if self.whole {
                from.max(low.ceil()) <= (to - 1.0).min(high.floor())
            } else {
                from <= high && to > low
            }
        })
    }
}

#[cfg(test)]
mod tests {
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
}
