//! JSON that a schema allows, byte by byte: whether a text can still become what is wanted.
//!
//! It is stricter than [`Schema::check`]: no blanks between parts, fields in the order of `required` and then by name, no
//! fields beyond the declared ones where any are declared, no `\u` escapes or exponents, and bounds on what has none, so
//! that a model that loses its way comes to an end. Whatever it lets through can be completed.

mod number;
mod text;

#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::{Id, Node, Schema};
use number::Number;
use text::Text;

/// The most characters of a string, items of a list and levels, where the schema doesn't say.
const LONGEST_TEXT: usize = 400;
const MOST_ITEMS: usize = 32;
const DEEPEST: usize = 8;
/// The most fields of an object whose fields are not declared.
const MOST_FIELDS: usize = 16;
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
    /// Another item, or the end of the list.
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
                stack.push(Frame::Number(Number::new(*whole, *least, *most)));
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
                let any = Number::new(false, f64::NEG_INFINITY, f64::INFINITY);
                stack.push(Frame::Number(any));
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
