//! What belongs together: parameters with dates, rules, amounts; and the facts of a case.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    compiled::nothing,
    expression::{Environment, Expression, Labels, Unworkable},
    value::{Type, Value},
};

/// The facts of a case by the id of the field. What is missing is unknown.
pub type Facts = BTreeMap<String, Value>;

/// A figure that rules fix, with the days from which each value holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What expressions call it.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its unit.
    #[serde(default)]
    pub unit: Option<String>,
    /// Its values, in any order.
    pub values: Vec<Dated>,
}

/// A value with the day from which it holds, until the next.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dated {
    /// The first day.
    pub from: Date,
    /// A number, or numbers by choice.
    pub value: Figure,
    /// What it stands on.
    #[serde(default)]
    pub basis: Vec<String>,
}

/// A number, or numbers by choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Figure {
    /// One number.
    Number(#[serde(with = "decimal")] Decimal),
    /// Numbers by choice.
    Table(BTreeMap<String, Number>),
}

/// A number as it was written: exact.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Number(#[serde(with = "decimal")] pub Decimal);

mod decimal {
    use rust_decimal::Decimal;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Whole(i64),
        // The shortest decimal that gives the same float is what was written, up to 15 digits.
        Float(f64),
        Text(String),
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Decimal, D::Error> {
        let text = match Written::deserialize(d)? {
            Written::Whole(n) => return Ok(n.into()),
            Written::Float(x) => x.to_string(),
            Written::Text(text) => text,
        };
        text.parse()
            .map_err(|_| D::Error::custom(format!("“{text}”不是数")))
    }

    pub(super) fn serialize<S: Serializer>(value: &Decimal, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&value.normalize().to_string())
    }
}

impl Parameter {
    /// The value on a day.
    pub fn on(&self, day: Date) -> Option<&Dated> {
        let held = self.values.iter().filter(|v| v.from <= day);
        held.max_by_key(|v| v.from)
    }

    /// The type of its values.
    pub fn kind(&self) -> Type {
        match self.values.first().map(|v| &v.value) {
            Some(Figure::Table(_)) => Type::Table,
            _ => Type::Number,
        }
    }
}

impl From<&Figure> for Value {
    fn from(figure: &Figure) -> Self {
        match figure {
            Figure::Number(n) => Self::Number(*n),
            Figure::Table(t) => Self::Table(t.iter().map(|(k, v)| (k.clone(), v.0)).collect()),
        }
    }
}

/// A condition.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its id within the book.
    pub id: String,
    /// The condition in words.
    pub text: String,
    /// Whether it applies at all.
    #[serde(default)]
    pub when: Option<Expression>,
    /// What must hold.
    pub require: Expression,
    /// What to say if it does not; `{name}` is replaced by a value.
    #[serde(default)]
    pub otherwise: Option<String>,
    /// What can be applied for instead.
    #[serde(default)]
    pub instead: Option<String>,
    /// Whether it refuses.
    #[serde(default)]
    pub severity: Severity,
    /// What it stands on.
    #[serde(default)]
    pub basis: Vec<String>,
}

/// Whether a rule that is not met refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It refuses.
    #[default]
    Must,
    /// It only tells.
    Note,
}

/// Something computed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// What expressions call it.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// How it is computed.
    pub value: Expression,
    /// Its unit.
    #[serde(default)]
    pub unit: Option<String>,
    /// Whether it applies at all.
    #[serde(default)]
    pub when: Option<Expression>,
    /// Shown first.
    #[serde(default)]
    pub headline: bool,
    /// Only for other expressions.
    #[serde(default)]
    pub hidden: bool,
    /// A number or a date.
    #[serde(default, rename = "type")]
    pub kind: AmountKind,
    /// What it stands on.
    #[serde(default)]
    pub basis: Vec<String>,
    /// What to know besides.
    #[serde(default)]
    pub note: Option<String>,
}

/// What is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountKind {
    /// A number.
    #[default]
    Number,
    /// A day.
    Date,
}

/// The values that a field can have.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// Yes or no.
    Bool,
    /// Numbers between bounds, in steps of one or of a hundredth.
    Number {
        /// The least.
        min: Option<Decimal>,
        /// The greatest.
        max: Option<Decimal>,
        /// Without decimals.
        whole: bool,
    },
    /// One of these.
    Choice(Vec<String>),
    /// Some of these.
    Choices(Vec<String>),
    /// A day.
    Date {
        /// The earliest.
        min: Option<Expression>,
        /// The latest.
        max: Option<Expression>,
    },
    /// Free text that no rule depends on.
    Text,
}

impl Domain {
    /// The type of its values.
    pub fn kind(&self) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Number { .. } => Type::Number,
            Self::Choice(_) | Self::Text => Type::Text,
            Self::Choices(_) => Type::List,
            Self::Date { .. } => Type::Date,
        }
    }
}

/// A fact that a case is decided by.
#[derive(Clone, Debug)]
pub struct Field {
    /// What expressions call it.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// Its unit.
    pub unit: Option<String>,
    /// Its values.
    pub domain: Domain,
    /// What people call its values, by value.
    pub labels: BTreeMap<String, String>,
    /// Whether it matters at all.
    pub when: Option<Expression>,
}

/// Rules that belong together.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// The facts it asks for.
    pub fields: Vec<Field>,
    /// The figures that it uses.
    pub parameters: Vec<Parameter>,
    /// Its conditions.
    pub rules: Vec<Rule>,
    /// What it computes.
    pub amounts: Vec<Amount>,
}

impl Book {
    /// A field.
    pub fn field(&self, id: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.id == id)
    }

    /// A parameter.
    pub fn parameter(&self, id: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|p| p.id == id)
    }

    /// An amount.
    pub fn amount(&self, id: &str) -> Option<&Amount> {
        self.amounts.iter().find(|a| a.id == id)
    }

    /// The type of a name.
    pub fn type_of(&self, name: &str) -> Option<Type> {
        if let Some(field) = self.field(name) {
            return Some(field.domain.kind());
        }
        if let Some(amount) = self.amount(name) {
            return Some(match amount.kind {
                AmountKind::Number => Type::Number,
                AmountKind::Date => Type::Date,
            });
        }
        self.parameter(name).map(Parameter::kind)
    }

    /// The fields on which an expression stands, through amounts and conditions of fields as well.
    pub fn fields_of<'a>(&'a self, expression: &'a Expression) -> Vec<&'a Field> {
        let mut found: Vec<&Field> = Vec::new();
        let mut waiting: Vec<&Expression> = vec![expression];
        let mut seen: Vec<&str> = Vec::new();
        while let Some(expression) = waiting.pop() {
            for name in expression.names() {
                if seen.contains(&name) {
                    continue;
                }
                seen.push(name);
                if let Some(field) = self.field(name) {
                    found.push(field);
                    waiting.extend(&field.when);
                } else if let Some(amount) = self.amount(name) {
                    waiting.push(&amount.value);
                    waiting.extend(&amount.when);
                }
            }
        }
        found
    }
}

/// A case under a book on a day.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// The rules.
    pub book: &'a Book,
    /// What is known.
    pub facts: &'a Facts,
    /// The day that decides which figures hold.
    pub on: Date,
}

impl Case<'_> {
    /// Whether a field matters: it has no condition, or its condition holds. Nothing while that is unknown.
    pub fn applies(&self, field: &Field) -> Option<bool> {
        self.holds(field.when.as_ref())
    }

    /// The truth of a condition; no condition is true; one that cannot be worked out is unknown.
    pub fn holds(&self, condition: Option<&Expression>) -> Option<bool> {
        let Some(condition) = condition else {
            return Some(true);
        };
        condition.evaluate(self).ok()?.and_then(|v| v.truth())
    }
}

impl Environment for Case<'_> {
    /// A field that does not apply has the value of nothing: no, 0, none of the choices.
    fn value(&self, name: &str) -> Result<Option<Value>, Unworkable> {
        if let Some(field) = self.book.field(name) {
            return Ok(match self.applies(field) {
                Some(true) => self.facts.get(name).cloned(),
                Some(false) => nothing(&field.domain),
                None => None,
            });
        }
        if let Some(amount) = self.book.amount(name) {
            return match self.holds(amount.when.as_ref()) {
                Some(true) => amount.value.evaluate(self),
                Some(false) if amount.kind == AmountKind::Number => Ok(Some(0.into())),
                _ => Ok(None),
            };
        }
        let Some(parameter) = self.book.parameter(name) else {
            return Err(Unworkable(format!("没有“{name}”")));
        };
        match parameter.on(self.on) {
            Some(dated) => Ok(Some((&dated.value).into())),
            None => Err(Unworkable(format!(
                "“{}”在{}没有规定的值",
                parameter.name,
                Value::from(self.on)
            ))),
        }
    }

    fn today(&self) -> Date {
        self.on
    }
}

impl Labels for Case<'_> {
    fn label(&self, name: &str) -> String {
        let label = (self.book.field(name).map(|f| &f.label))
            .or_else(|| self.book.parameter(name).map(|p| &p.name))
            .or_else(|| self.book.amount(name).map(|a| &a.label));
        label.cloned().unwrap_or_else(|| name.to_owned())
    }

    fn told(&self, name: &str, value: &Value) -> String {
        let field = self.book.field(name);
        let labelled = |v: &String| {
            let label = field.and_then(|f| f.labels.get(v));
            label.cloned().unwrap_or_else(|| v.clone())
        };
        let unit = (field.map(|f| &f.unit))
            .or_else(|| self.book.parameter(name).map(|p| &p.unit))
            .or_else(|| self.book.amount(name).map(|a| &a.unit))
            .and_then(Option::as_deref)
            .unwrap_or_default();
        match value {
            Value::Text(text) => format!("“{}”", labelled(text)),
            Value::List(list) => {
                let told: Vec<_> = list.iter().map(labelled).collect();
                format!("“{}”", told.join("、"))
            }
            Value::Bool(truth) => labelled(&truth.to_string())
                .replace("true", "是")
                .replace("false", "否"),
            Value::Number(_) => format!("{value}{unit}"),
            _ => value.to_string(),
        }
    }
}
