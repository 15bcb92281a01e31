//! What a flag takes, from the JSON schema of an input's field.

use kernel::{Error, ErrorCode, Result};
use serde_json::Value;

/// What a flag takes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Boolean,
    Integer,
    Number,
    Text,
    /// One of these.
    Choice(Vec<String>),
    /// The flag may be given several times.
    List(Box<Kind>),
    /// Whatever else, as JSON.
    Json,
}

/// What a field takes. `null` is said by leaving the flag out.
pub(super) fn kind(property: &Value, root: &Value) -> Kind {
    if let Some(reference) = property["$ref"].as_str() {
        let found = root.pointer(reference.trim_start_matches('#'));
        return found.map_or(Kind::Json, |target| kind(target, root));
    }
    if let Some(options) = property["anyOf"].as_array() {
        let mut real = options.iter().filter(|o| o["type"] != "null");
        return match (real.next(), real.next()) {
            (Some(only), None) => kind(only, root),
            _ => Kind::Json,
        };
    }
    if let Some(choices) = choices(property) {
        return Kind::Choice(choices);
    }
    let named = match &property["type"] {
        Value::Array(types) => types.iter().find(|t| *t != "null").and_then(Value::as_str),
        single => single.as_str(),
    };
    match named {
        Some("boolean") => Kind::Boolean,
        Some("integer") => Kind::Integer,
        Some("number") => Kind::Number,
        Some("string") => Kind::Text,
        Some("array") => match kind(&property["items"], root) {
            Kind::List(_) | Kind::Json => Kind::Json,
            item => Kind::List(Box::new(item)),
        },
        _ => Kind::Json,
    }
}

/// The values of an enumeration: listed together, or one by one with a description each.
fn choices(property: &Value) -> Option<Vec<String>> {
    let texts = |values: &Vec<Value>| -> Option<Vec<String>> {
        let given = values.iter().filter(|v| !v.is_null());
        given.map(|v| v.as_str().map(str::to_owned)).collect()
    };
    if let Some(values) = property["enum"].as_array() {
        return texts(values);
    }
    let options = property["oneOf"].as_array()?;
    let mut all = Vec::new();
    for option in options {
        match (option["const"].as_str(), option["enum"].as_array()) {
            (Some(value), _) => all.push(value.to_owned()),
            (None, Some(values)) => all.extend(texts(values)?),
            (None, None) => return None,
        }
    }
    Some(all)
}

impl Kind {
    /// What was given, as JSON.
    pub(super) fn read(&self, name: &str, text: &str) -> Result<Value> {
        let wrong = || {
            let flag = name.replace('_', "-");
            Error::new(
                ErrorCode::InvalidInput,
                format!("--{flag} 的值“{text}”不能识别。"),
            )
        };
        Ok(match self {
            Self::Boolean => Value::Bool(text == "true"),
            Self::Integer => Value::from(text.parse::<i64>().map_err(|_| wrong())?),
            Self::Number => Value::from(text.parse::<f64>().map_err(|_| wrong())?),
            Self::Text | Self::Choice(_) => Value::from(text),
            Self::Json | Self::List(_) => serde_json::from_str(text).map_err(|_| wrong())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_that_may_be_null_takes_what_it_is_otherwise() {
        let root = json!({"$defs": {"State": {"type": "string", "enum": ["on", "off"]}}});
        for (property, want) in [
            (json!({"type": ["integer", "null"]}), Kind::Integer),
            (
                json!({"anyOf": [{"$ref": "#/$defs/State"}, {"type": "null"}]}),
                Kind::Choice(vec!["on".into(), "off".into()]),
            ),
            (
                json!({"type": "array", "items": {"$ref": "#/$defs/State"}}),
                Kind::List(Box::new(Kind::Choice(vec!["on".into(), "off".into()]))),
            ),
            (
                json!({"oneOf": [{"type": "string", "const": "a", "description": "x"}, {"type": "string", "const": "b"}]}),
                Kind::Choice(vec!["a".into(), "b".into()]),
            ),
            (json!({"type": "object"}), Kind::Json),
        ] {
            assert_eq!(kind(&property, &root), want, "{property}");
        }
    }
}
