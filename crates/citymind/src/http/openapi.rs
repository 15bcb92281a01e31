//! The OpenAPI 3.1 document, from the capabilities' schemas.

use axum::{Json, extract::State as Shared};
use kernel::capability::{Method, Permission, Registered};
use knowledge::imports::Import;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{State, status::Status};

pub(super) async fn document(Shared(state): Shared<State>) -> Json<Value> {
    Json(describe(&state.app.capabilities))
}

/// The whole document.
pub(crate) fn describe(capabilities: &[Registered]) -> Value {
    let mut components = Components::default();
    let mut paths: Map<String, Value> = Map::new();
    for capability in capabilities {
        let d = &capability.definition;
        let method = match d.method {
            Method::Get => "get",
            Method::Post => "post",
            Method::Delete => "delete",
        };
        paths
            .entry(format!("/api/v1{}", d.path))
            .or_insert_with(|| json!({}))[method] = operation(capability, &mut components);
    }
    let status = components.schema_of::<Status>();
    let import = components.schema_of::<Import>();
    for (path, method, operation) in transfers(&status, &import) {
        paths.entry(path).or_insert_with(|| json!({}))[method] = operation;
    }
    components.0.insert("Problem".into(), problem());
    json!({
        "openapi": "3.1.0",
        "info": {"title": "CityMind 城智", "version": env!("CARGO_PKG_VERSION")},
        "paths": paths,
        "components": {
            "schemas": components.0,
            "securitySchemes": {"operator": {"type": "http", "scheme": "bearer", "description": "管理密钥；在本机访问时不需要"}},
        },
    })
}

/// Schemas by name.
#[derive(Default)]
struct Components(Map<String, Value>);

impl Components {
    fn schema_of<T: JsonSchema>(&mut self) -> Value {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        self.take(
            settings
                .into_generator()
                .into_root_schema_for::<T>()
                .to_value(),
        )
    }

    /// Moves a root schema and its definitions here and returns a reference to it.
    fn take(&mut self, mut schema: Value) -> Value {
        if let Some(Value::Object(definitions)) =
            schema.as_object_mut().and_then(|s| s.remove("$defs"))
        {
            for (name, definition) in definitions {
                self.0.insert(name, relocated(definition));
            }
        }
        if let Some(object) = schema.as_object_mut() {
            object.remove("$schema");
        }
        let name = schema["title"].as_str().unwrap_or("Unnamed").to_owned();
        self.0.insert(name.clone(), relocated(schema));
        json!({"$ref": format!("#/components/schemas/{name}")})
    }
}

fn relocated(value: Value) -> Value {
    match value {
        Value::Object(object) => object
            .into_iter()
            .map(|(key, value)| match (key.as_str(), value) {
                ("$ref", Value::String(r)) => (
                    key,
                    Value::String(r.replace("#/$defs/", "#/components/schemas/")),
                ),
                (_, value) => (key, relocated(value)),
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(relocated).collect::<Vec<_>>().into(),
        other => other,
    }
}

fn operation(capability: &Registered, components: &mut Components) -> Value {
    let d = &capability.definition;
    let output = components.take(capability.output.clone().to_value());
    let mut content = json!({"application/json": {"schema": output}});
    if d.streams {
        content["text/event-stream"] = json!({"schema": {"type": "string"}});
    }
    let input = capability.input.clone().to_value();
    let required: Vec<&str> = input["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut parameters = Vec::new();
    for (name, schema) in input["properties"].as_object().into_iter().flatten() {
        let in_path = d.path.contains(&format!("{{{name}}}"));
        if in_path || d.method != Method::Post {
            parameters.push(json!({
                "name": name,
                "in": if in_path { "path" } else { "query" },
                "required": in_path || required.contains(&name.as_str()),
                "description": schema["description"],
                "schema": relocated(schema.clone()),
            }));
        }
    }
    let mut operation = json!({
        "operationId": d.name,
        "summary": d.title,
        "description": d.description,
        "tags": [d.name.split('.').next()],
        "parameters": parameters,
        "responses": {"200": {"description": "成功", "content": content}, "default": failure()},
    });
    // Definitions used by parameters are wanted as well.
    let whole = components.take(input);
    if d.method == Method::Post && parameters_only(&operation, d.path).is_none() {
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": whole}}});
    }
    if d.permission == Permission::Operator {
        operation["security"] = json!([{"operator": []}]);
    }
    operation
}

/// `Some` where everything that a call takes stands in its path.
fn parameters_only(operation: &Value, path: &str) -> Option<()> {
    let named = operation["parameters"].as_array().map_or(0, Vec::len);
    (path.contains('{') && named > 0).then_some(())
}

fn failure() -> Value {
    json!({"description": "出错", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}})
}

fn problem() -> Value {
    let text = json!({"type": "string"});
    json!({
        "type": "object",
        "description": "RFC 9457",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {"type": text, "title": text, "status": {"type": "integer"}, "detail": text, "code": text, "request_id": text},
    })
}

/// The routes that move files or streams and so are no capabilities.
fn transfers(status: &Value, import: &Value) -> Vec<(String, &'static str, Value)> {
    let ok = |schema: &Value| json!({"description": "成功", "content": {"application/json": {"schema": schema}}});
    let id = json!([{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}]);
    let file = json!({"type": "object", "properties": {
        "space": {"type": "string", "description": "知识空间"},
        "file": {"type": "array", "items": {"type": "string", "format": "binary"}, "description": "文件，文件名为相对路径"},
    }});
    let text = |description: &str, media: &str| json!({"200": {"description": description, "content": {media: {"schema": {"type": "string"}}}}, "default": failure()});
    vec![
        (
            "/api/v1/status".into(),
            "get",
            json!({"operationId": "status", "summary": "运行状态", "responses": {"200": ok(status)}}),
        ),
        (
            "/api/v1/knowledge/imports".into(),
            "post",
            json!({
                "operationId": "knowledge.upload", "summary": "导入文件", "security": [{"operator": []}],
                "requestBody": {"required": true, "content": {"multipart/form-data": {"schema": file}}},
                "responses": {"202": ok(import), "default": failure()},
            }),
        ),
        (
            "/api/v1/knowledge/imports/{id}/events".into(),
            "get",
            json!({"operationId": "knowledge.import_events", "summary": "导入进度", "parameters": id, "security": [{"operator": []}], "responses": text("进度事件", "text/event-stream")}),
        ),
        (
            "/api/v1/knowledge/documents/{id}/original".into(),
            "get",
            json!({"operationId": "knowledge.original", "summary": "下载原件", "parameters": id, "responses": text("原件", "application/octet-stream")}),
        ),
        (
            "/api/openapi.json".into(),
            "get",
            json!({"operationId": "openapi", "summary": "接口文档", "responses": text("OpenAPI 3.1", "application/json")}),
        ),
        (
            "/health/live".into(),
            "get",
            json!({"operationId": "live", "summary": "进程存活", "responses": text("存活", "text/plain")}),
        ),
        (
            "/health/ready".into(),
            "get",
            json!({"operationId": "ready", "summary": "可以回答", "responses": text("就绪", "text/plain")}),
        ),
    ]
}
