//! Conditions and orders as SQL over the `json` column of a table.
//!
//! A field has two keys. `text` is its string (of a list or an object: its JSON), `number` its number (of a boolean: 1 or
//! 0); a missing field or `null` has neither. An index entry may not be longer than about 2,700 bytes, so what is indexed
//! is the head of the text; shorter texts, nearly all, are compared by it alone.

use kernel::{
    Result,
    records::{Condition, Sort},
};
use serde_json::Value;
use tokio_postgres::types::ToSql;

use super::text::escape;
use crate::field_path;

/// Characters of a text that are indexed: at most 2,000 bytes.
const HEAD: usize = 500;

/// A value bound to a statement.
pub(super) type Bound = Box<dyn ToSql + Sync + Send>;

/// The SQL expressions of a field.
pub(super) struct Field {
    /// Its text, compared by code point.
    pub(super) text: String,
    /// The head of its text.
    pub(super) head: String,
    /// Its number.
    pub(super) number: String,
}

impl Field {
    /// Names come from our code, yet a door might pass one on: only plain names get through.
    pub(super) fn named(name: &str) -> Result<Self> {
        let mut path = field_path(name)?;
        let last = path.pop().unwrap_or_default();
        // `->` with a name looks into objects only, where a path would also count the items of a list.
        let parent = path
            .iter()
            .fold("body".to_owned(), |at, key| format!("{at}->'{key}'"));
        let kind = format!("json_typeof({parent}->'{last}')");
        let value = format!("({parent}->>'{last}')");
        let text = format!(
            "(CASE WHEN {kind} IN ('string','array','object') THEN {value} END COLLATE \"C\")"
        );
        Ok(Self {
            head: format!("left({text}, {HEAD})"),
            number: format!(
                "(CASE {kind} WHEN 'number' THEN {value}::numeric WHEN 'boolean' THEN {value}::boolean::int::numeric END)"
            ),
            text,
        })
    }

    /// The columns of an index that serves every condition and order of this field.
    pub(super) fn index(&self) -> String {
        format!("({}) NULLS FIRST, ({}) NULLS FIRST", self.head, self.number)
    }

    fn missing(&self) -> String {
        format!("({} IS NULL AND {} IS NULL)", self.head, self.number)
    }

    // A number implies that there is no text; said aloud, the index can be used.
    fn is_number(&self, comparison: &str) -> String {
        format!("({} {comparison} AND {} IS NULL)", self.number, self.head)
    }
}

/// A value as it's compared.
enum Key {
    Missing,
    Number(String),
    Text(String),
}

impl Key {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Missing,
            Value::Bool(b) => Self::Number(u8::from(*b).to_string()),
            Value::Number(n) => Self::Number(n.to_string()),
            Value::String(s) => Self::Text(escape(s).into_owned()),
            other => Self::Text(super::text::write(other)),
        }
    }
}

/// The conditions of one statement with the values bound so far.
#[derive(Default)]
pub(super) struct Clauses {
    pub(super) values: Vec<Bound>,
}

impl Clauses {
    /// Binds a value; its mark in the statement.
    pub(super) fn bind(&mut self, value: impl ToSql + Sync + Send + 'static) -> String {
        self.values.push(Box::new(value));
        format!("${}", self.values.len())
    }

    /// ` WHERE …`, or nothing.
    pub(super) fn filter(&mut self, all: &[Condition]) -> Result<String> {
        let parts = self.each(all)?;
        Ok(if parts.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", parts.join(" AND "))
        })
    }

    fn each(&mut self, conditions: &[Condition]) -> Result<Vec<String>> {
        conditions.iter().map(|c| self.clause(c)).collect()
    }

    fn clause(&mut self, condition: &Condition) -> Result<String> {
        Ok(match condition {
            Condition::Is(field, value) => self.compared(&Field::named(field)?, "=", value),
            Condition::In(field, options) => self.one_of(&Field::named(field)?, options),
            // Nothing is at least or at most missing.
            Condition::AtLeast(field, Value::Null) | Condition::AtMost(field, Value::Null) => {
                Field::named(field).map(|_| "false".to_owned())?
            }
            Condition::AtLeast(field, value) => self.compared(&Field::named(field)?, ">=", value),
            Condition::AtMost(field, value) => self.compared(&Field::named(field)?, "<=", value),
            Condition::Contains(field, text) => {
                let mark = self.bind(escape(text).into_owned());
                // Under "C", `lower` changes the letters of ASCII only.
                format!(
                    "strpos(lower({}), lower({mark}::text COLLATE \"C\")) > 0",
                    Field::named(field)?.text
                )
            }
            Condition::Any(options) if options.is_empty() => "false".to_owned(),
            Condition::Any(options) => format!("({})", self.each(options)?.join(" OR ")),
            // What is unknown in SQL is false here.
            Condition::Not(inner) => format!("NOT coalesce({}, false)", self.clause(inner)?),
            Condition::After(revision) => {
                let mark = self.bind(i64::try_from(*revision).unwrap_or(i64::MAX));
                format!("revision > {mark}::bigint")
            }
        })
    }

    fn compared(&mut self, field: &Field, operator: &str, value: &Value) -> String {
        match Key::of(value) {
            Key::Missing => field.missing(),
            Key::Number(n) => {
                let mark = self.bind(n);
                field.is_number(&format!("{operator} {mark}::text::numeric"))
            }
            Key::Text(text) if is_short(&text) => {
                let mark = self.bind(text);
                format!("{} {operator} {mark}::text", field.head)
            }
            Key::Text(text) => {
                let mark = self.bind(text);
                // The head finds by the index, the text decides.
                format!(
                    "({head} {operator} left({mark}::text, {HEAD}) AND {text} {operator} {mark}::text)",
                    head = field.head,
                    text = field.text
                )
            }
        }
    }

    // One array for all options of a kind, so that lists of any length share one prepared statement.
    fn one_of(&mut self, field: &Field, options: &[Value]) -> String {
        let (mut texts, mut numbers, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        for option in options {
            match Key::of(option) {
                Key::Number(n) => numbers.push(n),
                Key::Text(text) if is_short(&text) => texts.push(text),
                Key::Missing | Key::Text(_) => parts.push(self.compared(field, "=", option)),
            }
        }
        if !texts.is_empty() {
            let mark = self.bind(texts);
            parts.push(format!("{} = ANY({mark}::text[])", field.head));
        }
        if !numbers.is_empty() {
            let mark = self.bind(numbers);
            parts.push(field.is_number(&format!("= ANY({mark}::text[]::numeric[])")));
        }
        if parts.is_empty() {
            "false".to_owned()
        } else {
            format!("({})", parts.join(" OR "))
        }
    }
}

/// Shorter than a head, and so equal to or ordered against a text just as against the text's head.
fn is_short(text: &str) -> bool {
    text.chars().nth(HEAD - 1).is_none()
}

/// ` ORDER BY …`: what is missing first, then numbers, then texts; ties by id.
pub(super) fn order(sort: Option<&Sort>) -> Result<String> {
    let Some(sort) = sort else {
        return Ok(" ORDER BY id".to_owned());
    };
    let direction = if sort.descending {
        "DESC NULLS LAST"
    } else {
        "ASC NULLS FIRST"
    };
    if sort.field.is_empty() {
        return Ok(format!(" ORDER BY revision {direction}, id"));
    }
    let field = Field::named(&sort.field)?;
    Ok(format!(
        " ORDER BY {} {direction}, {} {direction}, {} {direction}, id",
        field.head, field.number, field.text
    ))
}
