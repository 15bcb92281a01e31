//! An output in a form that people read: a line an item of a list, a line a field of an object.

use serde_json::{Map, Value};

/// The output as text.
pub(super) fn readable(output: &Value) -> String {
    match output {
        Value::Array(items) => lines(items),
        Value::Object(fields) => match (fields.get("items"), fields.get("total")) {
            (Some(Value::Array(items)), Some(total)) => {
                let page = fields.get("page").cloned().unwrap_or(Value::from(1));
                let tail = format!("共 {total} 条，第 {page} 页。");
                if items.is_empty() {
                    tail
                } else {
                    format!("{}\n{tail}", lines(items))
                }
            }
            _ => object(fields, ""),
        },
        other => text(other),
    }
}

fn lines(items: &[Value]) -> String {
    if items.is_empty() {
        return "没有内容。".to_owned();
    }
    let lines = items.iter().map(|item| match item {
        Value::Object(fields) => {
            let shown = fields.values().filter(|v| !v.is_null() && !nested(v));
            shown.map(text).collect::<Vec<_>>().join("  ")
        }
        other => text(other),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn nested(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(items) => items.iter().any(nested),
        _ => false,
    }
}

fn object(fields: &Map<String, Value>, indent: &str) -> String {
    let mut out = Vec::new();
    for (name, value) in fields.iter().filter(|(_, v)| !v.is_null()) {
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                out.push(format!("{indent}{name}:"));
                out.push(object(inner, &format!("{indent}  ")));
            }
            Value::Array(items) if items.iter().any(nested) => {
                out.push(format!("{indent}{name}:"));
                for item in items {
                    out.push(format!("{indent}  - {}", lines(std::slice::from_ref(item))));
                }
            }
            _ => out.push(format!("{indent}{name}: {}", text(value))),
        }
    }
    out.join("\n")
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace(['\n', '\r'], " "),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_is_a_line_an_item_and_a_count() {
        let page = json!({"items": [{"id": "1", "title": "甲\n乙", "none": null}], "total": 1, "page": 1, "page_size": 20});
        assert_eq!(readable(&page), "1  甲 乙\n共 1 条，第 1 页。");
        let empty = json!({"items": [], "total": 0, "page": 1});
        assert_eq!(readable(&empty), "共 0 条，第 1 页。");
    }

    #[test]
    fn an_object_is_a_line_a_field() {
        let object = json!({"name": "甲", "roles": ["clerk", "expert"], "link": {"path": "/x"}});
        assert_eq!(
            readable(&object),
            "link:\n  path: /x\nname: 甲\nroles: clerk,expert"
        );
    }
}
