//! Values and their types.

use std::{collections::BTreeMap, fmt};

use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of value an expression has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// True or false.
    Bool,
    /// A decimal number.
    Number,
    /// A text or a choice.
    Text,
    /// A day.
    Date,
    /// Several choices.
    List,
    /// Numbers by choice: a parameter to pick from.
    Table,
}

impl Type {
    /// Its Chinese name, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "是否",
            Self::Number => "数",
            Self::Text => "文字",
            Self::Date => "日期",
            Self::List => "多选",
            Self::Table => "表",
        }
    }
}

/// A value. JSON: true/false, a number as text (exact), text, `{"date": …}`, a list of texts, an object of numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// A decimal number.
    Number(#[schemars(with = "String")] Decimal),
    /// A text or the value of a choice.
    Text(String),
    /// A day.
    Date(#[schemars(with = "String")] Date),
    /// The values of several choices.
    List(Vec<String>),
    /// Numbers by choice.
    Table(#[schemars(with = "BTreeMap<String, String>")] BTreeMap<String, Decimal>),
}

impl Value {
    /// Its type.
    pub fn kind(&self) -> Type {
        match self {
            Self::Bool(_) => Type::Bool,
            Self::Number(_) => Type::Number,
            Self::Text(_) => Type::Text,
            Self::Date(_) => Type::Date,
            Self::List(_) => Type::List,
            Self::Table(_) => Type::Table,
        }
    }

    /// The truth, if it is one.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn number(&self) -> Option<Decimal> {
        match self {
            Self::Number(n) => Some(*n),
            _ => None,
        }
    }
}

/// A value borrowed from a case or an expression: what evaluation works on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Datum<'a> {
    Bool(bool),
    Number(Decimal),
    Text(&'a str),
    Date(Date),
    List(&'a [String]),
    Table(&'a BTreeMap<String, Decimal>),
}

impl Value {
    pub(crate) fn datum(&self) -> Datum<'_> {
        match self {
            Self::Bool(b) => Datum::Bool(*b),
            Self::Number(n) => Datum::Number(*n),
            Self::Text(t) => Datum::Text(t),
            Self::Date(d) => Datum::Date(*d),
            Self::List(l) => Datum::List(l),
            Self::Table(t) => Datum::Table(t),
        }
    }
}

impl Datum<'_> {
    pub(crate) fn truth(self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(b),
            _ => None,
        }
    }

    pub(crate) fn owned(self) -> Value {
        match self {
            Self::Bool(b) => Value::Bool(b),
            Self::Number(n) => Value::Number(n),
            Self::Text(t) => Value::Text(t.to_owned()),
            Self::Date(d) => Value::Date(d),
            Self::List(l) => Value::List(l.to_vec()),
            Self::Table(t) => Value::Table(t.clone()),
        }
    }
}

/// Values of one type in their order; those of different types have none.
impl PartialOrd for Datum<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.partial_cmp(b),
            (Self::Date(a), Self::Date(b)) => a.partial_cmp(b),
            _ => None,
        }
    }
}

/// Values of one type in their order; those of different types have none.
impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.datum().partial_cmp(&other.datum())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

impl From<Decimal> for Value {
    fn from(value: Decimal) -> Self {
        Self::Number(value)
    }
}

impl From<Date> for Value {
    fn from(value: Date) -> Self {
        Self::Date(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

/// As a Chinese reader expects it; numbers without trailing zeros.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(b) => f.write_str(if *b { "是" } else { "否" }),
            Self::Number(n) => write!(f, "{}", n.normalize()),
            Self::Text(t) => f.write_str(t),
            Self::Date(d) => write!(f, "{}年{}月{}日", d.year(), d.month(), d.day()),
            Self::List(l) => f.write_str(&l.join("、")),
            Self::Table(t) => {
                let rows: Vec<_> = t
                    .iter()
                    .map(|(k, v)| format!("{k} {}", v.normalize()))
                    .collect();
                f.write_str(&rows.join("、"))
            }
        }
    }
}
