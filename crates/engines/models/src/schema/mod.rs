//! JSON schemas of replies: the part of the standard that a reply is asked for in, compiled once, then used to check a
//! whole reply ([`Schema::check`]) or to hold a model to it byte by byte.
//!
//! Of JSON Schema (2020-12) it knows `type`, `enum`, `const`, `properties`, `required`, `additionalProperties`, `items`,
//! `minItems`, `maxItems`, `minLength`, `maxLength`, `minimum`, `maximum`, `anyOf`, `oneOf`, `allOf` with one part, and
//! `$ref` into `$defs` or `definitions`. What only describes (`title`, `format` …) says nothing here; any other word is
//! refused rather than passed over. A schema without `type` has the type that its words are about.

mod automaton;
mod check;

pub(crate) use automaton::Automaton;

use std::collections::HashMap;

use kernel::{Error, ErrorCode, Result};
use serde_json::{Map, Value};

/// Deeper than any form or query is.
const DEEPEST: usize = 64;
/// Words that describe and don't restrict.
const DESCRIBING: [&str; 11] = [
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "format",
    "$schema",
    "$id",
    "$comment",
];

/// Where a part of a schema stands in [`Schema::nodes`].
type Id = usize;

/// A part of a schema.
#[derive(Debug)]
enum Node {
    /// Anything.
    Any,
    /// Nothing.
    Never,
    /// One of these values.
    OneOf(Vec<Value>),
    Null,
    Boolean,
    /// A number from `least` to `most`.
    Number {
        whole: bool,
        least: f64,
        most: f64,
    },
    /// A string of `least` to `most` characters.
    Text {
        least: usize,
        most: usize,
    },
    /// An array.
    List {
        items: Id,
        least: usize,
        most: usize,
    },
    /// An object; `rest` is what further fields must be.
    Record {
        fields: Vec<Field>,
        rest: Id,
    },
    /// Any of these, or with `one` exactly one of these.
    Either {
        parts: Vec<Id>,
        one: bool,
    },
    /// The same as another part.
    Same(Id),
}

#[derive(Debug)]
struct Field {
    name: String,
    value: Id,
    required: bool,
}

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Schema {
    nodes: Vec<Node>,
    root: Id,
}

impl Schema {
    /// Compiles a schema.
    ///
    /// # Errors
    /// `InvalidInput` if it's malformed or uses a word that is not known here.
    pub(crate) fn new(schema: &Value) -> Result<Self> {
        let mut compiler = Compiler {
            source: schema,
            nodes: Vec::new(),
            named: HashMap::new(),
        };
        let root = compiler.part(schema, "#", 0)?;
        let schema = Self {
            nodes: compiler.nodes,
            root,
        };
        let mut seen = vec![Seen::Not; schema.nodes.len()];
        for id in 0..schema.nodes.len() {
            schema.refuse_circles(id, &mut seen)?;
        }
        Ok(schema)
    }

    /// A part may hold itself, but not be itself.
    fn refuse_circles(&self, id: Id, seen: &mut [Seen]) -> Result<()> {
        match seen[id] {
            Seen::Whole => return Ok(()),
            Seen::Begun => return Err(wrong("$ref", "引用绕成了圈")),
            Seen::Not => seen[id] = Seen::Begun,
        }
        match &self.nodes[id] {
            Node::Same(other) => self.refuse_circles(*other, seen)?,
            Node::Either { parts, .. } => {
                for part in parts {
                    self.refuse_circles(*part, seen)?;
                }
            }
            _ => {}
        }
        seen[id] = Seen::Whole;
        Ok(())
    }

    /// A part, with references followed.
    fn node(&self, id: Id) -> &Node {
        match &self.nodes[id] {
            Node::Same(other) => self.node(*other),
            node => node,
        }
    }
}

/// How far the search for circles has come with a part.
#[derive(Clone, Copy)]
enum Seen {
    Not,
    Begun,
    Whole,
}

struct Compiler<'s> {
    source: &'s Value,
    nodes: Vec<Node>,
    /// Parts that references name.
    named: HashMap<&'s str, Id>,
}

fn wrong(at: &str, what: &str) -> Error {
    Error::new(
        ErrorCode::InvalidInput,
        format!("所要求的 JSON 结构（JSON Schema）在 {at} 处有误：{what}。"),
    )
}

impl<'s> Compiler<'s> {
    fn add(&mut self, node: Node) -> Id {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn part(&mut self, schema: &'s Value, at: &str, depth: usize) -> Result<Id> {
        if depth > DEEPEST {
            return Err(wrong(at, "层数过多"));
        }
        let words = match schema {
            Value::Bool(true) => return Ok(self.add(Node::Any)),
            Value::Bool(false) => return Ok(self.add(Node::Never)),
            Value::Object(words) => words,
            _ => return Err(wrong(at, "应是对象、true 或 false")),
        };
        if let Some(value) = words.get("const") {
            return self.values(std::slice::from_ref(value), words, "const", at, depth);
        }
        if let Some(values) = words.get("enum") {
            let values = values
                .as_array()
                .ok_or_else(|| wrong(at, "enum 应是数组"))?;
            return self.values(values, words, "enum", at, depth);
        }
        if let Some(target) = words.get("$ref") {
            known(words, &["$ref", "$defs", "definitions"], at)?;
            return self.reference(target, at, depth);
        }
        for (word, one) in [("anyOf", false), ("oneOf", true), ("allOf", false)] {
            let Some(parts) = words.get(word) else {
                continue;
            };
            known(words, &[word, "$defs", "definitions"], at)?;
            let parts = parts.as_array().filter(|parts| !parts.is_empty());
            let parts = parts.ok_or_else(|| wrong(at, "应列出至少一种结构"))?;
            if word == "allOf" && parts.len() > 1 {
                return Err(wrong(at, "allOf 只能有一项"));
            }
            let parts = (parts.iter().enumerate())
                .map(|(n, part)| self.part(part, &format!("{at}/{word}/{n}"), depth + 1));
            let parts = parts.collect::<Result<_>>()?;
            return Ok(self.add(Node::Either { parts, one }));
        }
        self.typed(words, at, depth)
    }

    /// One of some values, as far as the other words let them.
    fn values(
        &mut self,
        values: &[Value],
        words: &'s Map<String, Value>,
        word: &str,
        at: &str,
        depth: usize,
    ) -> Result<Id> {
        let others: Vec<&str> = words
            .keys()
            .map(String::as_str)
            .filter(|w| *w != word && !DESCRIBING.contains(w) && *w != "$defs")
            .collect();
        let kept = match others.as_slice() {
            [] => values.to_vec(),
            ["type"] => {
                let id = self.typed_as(words, at, depth)?;
                let typed = Schema {
                    nodes: std::mem::take(&mut self.nodes),
                    root: id,
                };
                let kept = values.iter().filter(|value| typed.check(value).is_ok());
                let kept = kept.cloned().collect();
                self.nodes = typed.nodes;
                kept
            }
            _ => {
                return Err(wrong(
                    at,
                    &format!("{word} 不能与 {} 同用", others.join("、")),
                ));
            }
        };
        Ok(self.add(Node::OneOf(kept)))
    }

    fn reference(&mut self, target: &'s Value, at: &str, depth: usize) -> Result<Id> {
        let missing = || wrong(at, "$ref 只能指向 #、#/$defs/… 或 #/definitions/…");
        let target = target.as_str().ok_or_else(missing)?;
        if let Some(id) = self.named.get(target) {
            return Ok(*id);
        }
        let pointer = target.strip_prefix('#').ok_or_else(missing)?;
        let known = pointer.is_empty()
            || pointer.starts_with("/$defs/")
            || pointer.starts_with("/definitions/");
        let schema = self.source.pointer(pointer).filter(|_| known);
        let schema = schema.ok_or_else(missing)?;
        // Named before it's compiled, so that it may hold itself.
        let id = self.add(Node::Never);
        self.named.insert(target, id);
        let part = self.part(schema, target, depth + 1)?;
        self.nodes[id] = Node::Same(part);
        Ok(id)
    }

    fn typed(&mut self, words: &'s Map<String, Value>, at: &str, depth: usize) -> Result<Id> {
        known(
            words,
            &[
                "type",
                "$defs",
                "definitions",
                "properties",
                "required",
                "additionalProperties",
                "items",
                "minItems",
                "maxItems",
                "minLength",
                "maxLength",
                "minimum",
                "maximum",
            ],
            at,
        )?;
        self.typed_as(words, at, depth)
    }

    /// By its `type`, or by what its words are about.
    fn typed_as(&mut self, words: &'s Map<String, Value>, at: &str, depth: usize) -> Result<Id> {
        let has = |list: &[&str]| list.iter().any(|word| words.contains_key(*word));
        let names = match words.get("type") {
            Some(Value::String(name)) => vec![name.as_str()],
            Some(Value::Array(names)) => {
                let names: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
                names.ok_or_else(|| wrong(at, "type 应是类型名"))?
            }
            Some(_) => return Err(wrong(at, "type 应是类型名")),
            None if has(&["properties", "required", "additionalProperties"]) => vec!["object"],
            None if has(&["items", "minItems", "maxItems"]) => vec!["array"],
            None if has(&["minLength", "maxLength"]) => vec!["string"],
            None if has(&["minimum", "maximum"]) => vec!["number"],
            None => return Ok(self.add(Node::Any)),
        };
        let parts = names
            .iter()
            .map(|name| self.of_type(name, words, at, depth))
            .collect::<Result<Vec<_>>>()?;
        Ok(match parts.as_slice() {
            [one] => *one,
            _ => self.add(Node::Either { parts, one: false }),
        })
    }

    fn of_type(
        &mut self,
        name: &str,
        words: &'s Map<String, Value>,
        at: &str,
        depth: usize,
    ) -> Result<Id> {
        let count = |word: &str, otherwise| match words.get(word) {
            None => Ok(otherwise),
            Some(value) => {
                let count = value.as_u64().and_then(|n| usize::try_from(n).ok());
                count.ok_or_else(|| wrong(at, &format!("{word} 应是非负整数")))
            }
        };
        let bound = |word: &str, otherwise| match words.get(word) {
            None => Ok(otherwise),
            Some(value) => value
                .as_f64()
                .ok_or_else(|| wrong(at, &format!("{word} 应是数字"))),
        };
        let node = match name {
            "null" => Node::Null,
            "boolean" => Node::Boolean,
            "integer" | "number" => Node::Number {
                whole: name == "integer",
                least: bound("minimum", f64::NEG_INFINITY)?,
                most: bound("maximum", f64::INFINITY)?,
            },
            "string" => Node::Text {
                least: count("minLength", 0)?,
                most: count("maxLength", usize::MAX)?,
            },
            "array" => Node::List {
                items: match words.get("items") {
                    Some(items) => self.part(items, &format!("{at}/items"), depth + 1)?,
                    None => self.add(Node::Any),
                },
                least: count("minItems", 0)?,
                most: count("maxItems", usize::MAX)?,
            },
            "object" => self.record(words, at, depth)?,
            other => return Err(wrong(at, &format!("没有类型“{other}”"))),
        };
        Ok(self.add(node))
    }

    fn record(&mut self, words: &'s Map<String, Value>, at: &str, depth: usize) -> Result<Node> {
        let required: Vec<&str> = match words.get("required") {
            None => Vec::new(),
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            Some(_) => return Err(wrong(at, "required 应是字段名的数组")),
        };
        let rest = match words.get("additionalProperties") {
            Some(rest) => self.part(rest, &format!("{at}/additionalProperties"), depth + 1)?,
            None => self.add(Node::Any),
        };
        let properties = match words.get("properties") {
            None => None,
            Some(Value::Object(properties)) => Some(properties),
            Some(_) => return Err(wrong(at, "properties 应是对象")),
        };
        // A model writes them in this order: those that must be there as they are listed, then the others.
        let optional = properties
            .into_iter()
            .flat_map(Map::keys)
            .map(String::as_str);
        let optional = optional.filter(|name| !required.contains(name));
        let mut fields: Vec<Field> = Vec::new();
        for name in required.iter().copied().chain(optional) {
            if fields.iter().any(|field| field.name == name) {
                continue;
            }
            fields.push(Field {
                name: name.to_owned(),
                value: match properties.and_then(|properties| properties.get(name)) {
                    Some(schema) => {
                        self.part(schema, &format!("{at}/properties/{name}"), depth + 1)?
                    }
                    None => rest,
                },
                required: required.contains(&name),
            });
        }
        Ok(Node::Record { fields, rest })
    }
}

/// Refuses words that would be passed over.
fn known(words: &Map<String, Value>, known: &[&str], at: &str) -> Result<()> {
    let unknown = words
        .keys()
        .find(|word| !known.contains(&word.as_str()) && !DESCRIBING.contains(&word.as_str()));
    match unknown {
        Some(word) => Err(wrong(
            at,
            &format!("“{word}”不受支持，或不能与同处的其他关键字同用"),
        )),
        None => Ok(()),
    }
}
