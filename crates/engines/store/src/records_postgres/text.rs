//! Text as PostgreSQL can hold it. It has no U+0000, in text or in JSON; ours may (a file's content is anybody's), so
//! it's written as two noncharacters that no text exchanged between programs should hold, and read back.

use std::borrow::Cow;

use kernel::{Error, Result};
use serde_json::Value;

/// Begins an escape. It stands for itself where `ITSELF` follows.
const ESCAPE: char = '\u{10FFFF}';
const NUL: char = '\u{10FFFE}';
const ITSELF: char = '\u{10FFFD}';

/// A string as it's stored and compared.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\0' => escaped.extend([ESCAPE, NUL]),
            ESCAPE => escaped.extend([ESCAPE, ITSELF]),
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// The string that was stored.
pub(super) fn unescape(text: String) -> String {
    if !text.contains(ESCAPE) {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            ESCAPE => plain.push(if rest.next() == Some(NUL) {
                '\0'
            } else {
                ESCAPE
            }),
            c => plain.push(c),
        }
    }
    plain
}

/// A body as it's stored: `json` rather than `jsonb`, which would turn 1e16 into an integer and 1e300 into 301 digits.
pub(super) fn write(body: &Value) -> String {
    let text = body.to_string();
    // In JSON a NUL is always written as an escape. A backslash followed by "u0000" is taken for one, and does no harm.
    if text.contains("\\u0000") || text.contains(ESCAPE) {
        mapped(body.clone(), &|s| escape(&s).into_owned()).to_string()
    } else {
        text
    }
}

/// The body that was stored.
pub(super) fn read(text: &str) -> Result<Value> {
    let body = serde_json::from_str(text).map_err(Error::internal)?;
    Ok(if text.contains(ESCAPE) {
        mapped(body, &unescape)
    } else {
        body
    })
}

fn mapped(value: Value, change: &impl Fn(String) -> String) -> Value {
    match value {
        Value::String(s) => Value::String(change(s)),
        Value::Array(items) => items.into_iter().map(|v| mapped(v, change)).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(k, v)| (change(k), mapped(v, change)))
            .collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_with_any_character_is_read_back_as_it_was() {
        for body in [
            json!({"a": "plain", "n": 1e300, "big": u64::MAX}),
            json!({"nul\0key": "a\0b", "list": ["\0", {"x": "\0\0"}]}),
            json!({"\u{10FFFF}": "\u{10FFFF}\u{10FFFE}\0\u{10FFFD}"}),
            json!({"backslash": "\\u0000"}),
        ] {
            let text = write(&body);
            assert!(!text.contains("\\u0000") || body.get("backslash").is_some());
            assert_eq!(read(&text).unwrap(), body);
        }
        assert_eq!(unescape(escape("\0").into_owned()), "\0");
        assert!(matches!(escape("普通文字"), Cow::Borrowed(_)));
    }
}
