//! Whether a whole value is what a schema says.

use serde_json::Value;

use super::{DEEPEST, Field, Id, Node, Schema};

impl Schema {
    /// Whether a value is what the schema says; if not, where and why, for the log.
    pub(crate) fn check(&self, value: &Value) -> Result<(), String> {
        self.check_at(self.root, value, "$", 0)
    }

    fn check_at(&self, id: Id, value: &Value, at: &str, depth: usize) -> Result<(), String> {
        if depth > 2 * DEEPEST {
            return Err(format!("{at}: too deep"));
        }
        let wrong = |what: &str| Err(format!("{at}: {what}"));
        match self.node(id) {
            Node::Any => Ok(()),
            Node::Never | Node::Same(_) => wrong("nothing may stand here"),
            Node::OneOf(values) if values.iter().any(|v| same(v, value)) => Ok(()),
            Node::OneOf(_) => wrong("none of the listed values"),
            Node::Null if value.is_null() => Ok(()),
            Node::Null => wrong("not null"),
            Node::Boolean if value.is_boolean() => Ok(()),
            Node::Boolean => wrong("not a boolean"),
            Node::Number { whole, least, most } => match value.as_f64() {
                None => wrong("not a number"),
                Some(number) if *whole && number.fract() != 0.0 => wrong("not a whole number"),
                Some(number) if number < *least || number > *most => wrong("out of range"),
                Some(_) => Ok(()),
            },
            Node::Text { least, most } => match value.as_str().map(|text| text.chars().count()) {
                None => wrong("not a string"),
                Some(length) if length < *least || length > *most => wrong("wrong length"),
                Some(_) => Ok(()),
            },
            Node::List { items, least, most } => {
                let Some(list) = value.as_array() else {
                    return wrong("not an array");
                };
                if list.len() < *least || list.len() > *most {
                    return wrong("wrong number of items");
                }
                for (n, item) in list.iter().enumerate() {
                    self.check_at(*items, item, &format!("{at}[{n}]"), depth + 1)?;
                }
                Ok(())
            }
            Node::Record { fields, rest } => self.check_record(fields, *rest, value, at, depth),
            Node::Either { parts, one } => {
                let mut first = None;
                let mut fits = 0;
                for part in parts {
                    match self.check_at(*part, value, at, depth + 1) {
                        Ok(()) => fits += 1,
                        Err(why) => first = first.or(Some(why)),
                    }
                }
                match (fits, one) {
                    (0, _) => Err(first.unwrap_or_else(|| format!("{at}: fits nothing"))),
                    (1, _) | (_, false) => Ok(()),
                    _ => wrong("fits more than one"),
                }
            }
        }
    }

    fn check_record(
        &self,
        fields: &[Field],
        rest: Id,
        value: &Value,
        at: &str,
        depth: usize,
    ) -> Result<(), String> {
        let Some(object) = value.as_object() else {
            return Err(format!("{at}: not an object"));
        };
        for field in fields {
            if field.required && !object.contains_key(&field.name) {
                return Err(format!("{at}: without {}", field.name));
            }
        }
        for (name, value) in object {
            let field = fields.iter().find(|field| field.name == *name);
            let id = field.map_or(rest, |field| field.value);
            self.check_at(id, value, &format!("{at}.{name}"), depth + 1)?;
        }
        Ok(())
    }
}

/// Whether two values are the same; 1 and 1.0 are.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use kernel::ErrorCode;
    use serde_json::json;

    use super::*;

    fn schema(value: Value) -> Schema {
        Schema::new(&value).unwrap()
    }

    fn fits(schema: &Schema, value: &Value) -> bool {
        schema.check(value).is_ok()
    }

    #[test]
    fn values_are_told_apart() {
        for (of, good, bad) in [
            (json!({"type": "string"}), json!("是"), json!(1)),
            (
                json!({"type": "string", "maxLength": 2}),
                json!("公积"),
                json!("公积金"),
            ),
            (
                json!({"type": "string", "minLength": 1}),
                json!("公"),
                json!(""),
            ),
            (json!({"type": "integer"}), json!(-3), json!(1.5)),
            (json!({"type": "integer"}), json!(3.0), json!("3")),
            (
                json!({"type": "number", "minimum": 0, "maximum": 1}),
                json!(0.5),
                json!(1.5),
            ),
            (json!({"type": "boolean"}), json!(true), json!(0)),
            (json!({"type": "null"}), json!(null), json!(false)),
            (json!({"type": ["string", "null"]}), json!(null), json!(1)),
            (json!({"enum": ["是", 1]}), json!(1.0), json!("否")),
            (
                json!({"enum": ["是", 1], "type": "string"}),
                json!("是"),
                json!(1),
            ),
            (
                json!({"const": {"a": [1]}}),
                json!({"a": [1]}),
                json!({"a": []}),
            ),
            (
                json!({"type": "array", "items": {"type": "integer"}}),
                json!([1]),
                json!(["1"]),
            ),
            (
                json!({"type": "array", "maxItems": 1}),
                json!([1]),
                json!([1, 2]),
            ),
            (json!({"minItems": 1}), json!([1]), json!([])),
            (json!({"required": ["a"]}), json!({"a": 1}), json!({"b": 1})),
            (
                json!({"properties": {"a": {"type": "null"}}}),
                json!({"b": 1}),
                json!({"a": 1}),
            ),
            (
                json!({"properties": {"a": {}}, "additionalProperties": false}),
                json!({"a": 1}),
                json!({"b": 1}),
            ),
            (
                json!({"additionalProperties": {"type": "integer"}}),
                json!({"甲": 1}),
                json!({"甲": "1"}),
            ),
            (
                json!({"anyOf": [{"type": "null"}, {"const": 1}]}),
                json!(null),
                json!(2),
            ),
            (
                json!({"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 5}]}),
                json!(2),
                json!(7),
            ),
            (json!({"allOf": [{"type": "null"}]}), json!(null), json!(2)),
        ] {
            let schema = schema(of.clone());
            assert!(fits(&schema, &good), "{of}: {good}");
            assert!(!fits(&schema, &bad), "{of}: {bad}");
        }
        assert!(fits(&schema(json!(true)), &json!([])));
        assert!(!fits(&schema(json!(false)), &json!([])));
    }

    #[test]
    fn a_schema_may_hold_itself() {
        let tree = schema(json!({
            "$ref": "#/$defs/tree",
            "$defs": {"tree": {
                "type": "object",
                "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
                "additionalProperties": false,
            }},
        }));
        assert!(fits(&tree, &json!({"children": [{"children": []}, {}]})));
        assert!(!fits(&tree, &json!({"children": [{"kids": []}]})));
        for circle in [
            json!({"$ref": "#/$defs/a"}),
            json!({"anyOf": [{"type": "null"}, {"$ref": "#/$defs/a"}]}),
        ] {
            let of = json!({"$ref": "#/$defs/a", "$defs": {"a": circle}});
            assert!(Schema::new(&of).is_err(), "{of}");
        }
    }

    #[test]
    fn what_would_be_passed_over_is_refused() {
        for of in [
            json!(1),
            json!({"pattern": "^a"}),
            json!({"type": "strin"}),
            json!({"type": 1}),
            json!({"enum": 1}),
            json!({"const": 1, "minimum": 0}),
            json!({"anyOf": []}),
            json!({"anyOf": [true], "type": "null"}),
            json!({"allOf": [true, true]}),
            json!({"$ref": "https://example.com/schema"}),
            json!({"$ref": "#/$defs/missing"}),
            json!({"minLength": -1}),
            json!({"properties": {"a": {"pattern": "x"}}}),
        ] {
            let error = Schema::new(&of).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidInput, "{of}");
        }
        let error = Schema::new(&json!({"properties": {"日期": {"pattern": "x"}}})).unwrap_err();
        assert!(error.message.contains("#/properties/日期"), "{error:?}");
    }
}
