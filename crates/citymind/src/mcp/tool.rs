//! A capability described as a tool.

use std::sync::Arc;

use kernel::capability::{Method, Registered};
use rmcp::model::{JsonObject, MetaObject, Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

/// Where a tool says which capability it is.
const CAPABILITY: &str = "capability";

/// A capability's name as a tool's: many clients allow letters, digits, `_` and `-` only.
pub(super) fn name(capability: &str) -> String {
    capability.replace('.', "_")
}

/// The capability that a tool stands for.
pub(super) fn capability(tool: &Tool) -> Option<String> {
    let meta = serde_json::to_value(tool.meta.as_ref()?).ok()?;
    meta[CAPABILITY].as_str().map(str::to_owned)
}

pub(super) fn of(capability: &Registered) -> Tool {
    let d = &capability.definition;
    let annotations = ToolAnnotations::with_title(d.title)
        .read_only(!d.effects)
        // "Not destructive" would promise that it only adds: whatever names a thing in its path changes that thing.
        .destructive(
            d.effects
                && (d.method == Method::Delete || d.path.contains('{') || d.path == "/spaces"),
        )
        .idempotent(!d.effects || d.method == Method::Delete)
        .open_world(false);
    let mut tool = Tool::new(
        name(d.name),
        d.description,
        Arc::new(input(capability.input.clone().to_value())),
    )
    .with_title(d.title)
    .with_annotations(annotations);
    tool = tool.with_raw_output_schema(Arc::new(output(capability.output.clone().to_value())));
    let mut meta = Map::new();
    meta.insert(CAPABILITY.to_owned(), d.name.into());
    if let Ok(meta) = serde_json::from_value::<MetaObject>(Value::Object(meta)) {
        tool = tool.with_meta(meta);
    }
    tool
}

fn input(schema: Value) -> JsonObject {
    match schema {
        Value::Object(mut schema) => {
            schema.entry("type").or_insert_with(|| "object".into());
            schema.entry("properties").or_insert_with(|| json!({}));
            schema
        }
        _ => JsonObject::new(),
    }
}

/// The protocol's structured content is an object: a list comes as `items`.
fn output(schema: Value) -> JsonObject {
    let Value::Object(mut schema) = schema else {
        return JsonObject::new();
    };
    let definitions = schema.remove("$defs");
    if schema.get("type").and_then(Value::as_str) == Some("object") {
        if let Some(definitions) = definitions {
            schema.insert("$defs".into(), definitions);
        }
        return schema;
    }
    let mut outer = JsonObject::new();
    outer.insert("type".into(), "object".into());
    outer.insert("properties".into(), json!({"items": schema}));
    if let Some(definitions) = definitions {
        outer.insert("$defs".into(), definitions);
    }
    outer
}
