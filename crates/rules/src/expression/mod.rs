//! The expression language: read, check, evaluate, tell. Its syntax and its functions are in `docs/guide/service-items.md`.

mod check;
mod evaluate;
mod function;
mod read;
mod tell;

use std::{collections::BTreeSet, fmt, ops::Range};

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use check::Names;
pub(crate) use evaluate::apply;
pub use evaluate::{Environment, Unworkable};
pub use function::Function;
pub use tell::Labels;

use crate::value::Value;

/// What is wrong with an expression, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The characters concerned, counted from 0.
    pub at: Range<usize>,
    /// In Chinese.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "第{}个字符：{}", self.at.start + 1, self.message)
    }
}

impl std::error::Error for Fault {}

/// An expression with its source.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    source: String,
    root: Node,
}

/// A part of an expression with the characters that it was read from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: Range<usize>,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Literal(Value),
    /// The texts of `[…]` after `in`.
    Texts(Vec<String>),
    Name(String),
    Not(Box<Node>),
    Negative(Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    Call(Function, Vec<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with its form.
    pub fn read(source: &str) -> Result<Self, Fault> {
        Ok(Self {
            root: read::read(source)?,
            source: source.to_owned(),
        })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The names that it uses.
    pub fn names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.root.visit(&mut |node| {
            if let Kind::Name(name) = &node.kind {
                names.insert(name.as_str());
            }
        });
        names
    }

    /// The names that it uses, each as often as it is used.
    pub fn uses(&self) -> Vec<&str> {
        let mut uses = Vec::new();
        self.root.visit(&mut |node| {
            if let Kind::Name(name) = &node.kind {
                uses.push(name.as_str());
            }
        });
        uses
    }

    /// The numbers that are written in it: where its result may turn.
    pub fn numbers(&self) -> Vec<Decimal> {
        let mut numbers = Vec::new();
        self.root.visit(&mut |node| {
            if let Kind::Literal(Value::Number(n)) = &node.kind {
                numbers.push(*n);
            }
        });
        numbers
    }

    /// The texts that it compares with, each where it stands: choices that must exist.
    pub fn texts(&self) -> Vec<(Range<usize>, &str)> {
        let mut texts = Vec::new();
        self.root.visit(&mut |node| match &node.kind {
            Kind::Literal(Value::Text(t)) => texts.push((node.at.clone(), t.as_str())),
            Kind::Texts(list) => {
                texts.extend(list.iter().map(|t| (node.at.clone(), t.as_str())));
            }
            _ => {}
        });
        texts
    }
}

impl Expression {
    pub(crate) fn root(&self) -> &Node {
        &self.root
    }
}

impl Node {
    fn visit<'a>(&'a self, seen: &mut impl FnMut(&'a Self)) {
        seen(self);
        match &self.kind {
            Kind::Literal(_) | Kind::Texts(_) | Kind::Name(_) => {}
            Kind::Not(a) | Kind::Negative(a) => a.visit(seen),
            Kind::Binary(_, a, b) => {
                a.visit(seen);
                b.visit(seen);
            }
            Kind::Call(_, arguments) => arguments.iter().for_each(|a| a.visit(seen)),
        }
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let source = String::deserialize(deserializer)?;
        Self::read(&source)
            .map_err(|fault| serde::de::Error::custom(format!("算式“{source}”{fault}")))
    }
}
