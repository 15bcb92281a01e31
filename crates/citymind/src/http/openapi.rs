//! The OpenAPI 3.1 document, from the capabilities' schemas.

use axum::{Json, extract::State as Shared};
use kernel::capability::{Definition, Method, Permission, Registered};
use knowledge::{Media, imports::Import};
use platform::identity::{LinkView, User};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use service::cases::desk::CaseView;

use super::{
    State,
    auth::{LinkInput, Me, RedeemInput, SignInInput},
    casework,
    compatible::{ChatInput, EmbeddingsInput},
    doors,
    oidc::{DemoInput, DemoSignedIn},
    status::Status,
};

pub(super) async fn document(Shared(state): Shared<State>) -> Json<Value> {
    Json(describe(state.app.catalogue.all()))
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
    let mut doors = further(&mut components);
    doors.extend(of_cases(&mut components));
    for (path, method, operation) in doors {
        paths.entry(path).or_insert_with(|| json!({}))[method] = operation;
    }
    components.0.insert("Problem".into(), problem());
    json!({
        "openapi": "3.1.0",
        "info": {"title": "CityMind 城智", "version": env!("CARGO_PKG_VERSION")},
        "paths": paths,
        "components": {
            "schemas": components.0,
            "securitySchemes": {
                "sign_in": {"type": "apiKey", "in": "cookie", "name": "citymind_sign_in", "description": "登录后由浏览器携带"},
                "key": {"type": "http", "scheme": "bearer", "description": "接口密钥，或演示登录返回的凭据"},
            },
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

    fn input<T: JsonSchema>(&mut self) -> Value {
        let generator = SchemaSettings::draft2020_12().into_generator();
        self.take(generator.into_root_schema_for::<T>().to_value())
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
        content["text/event-stream"] = json!({"schema": event()});
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
    permission(&mut operation, d);
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

/// A server-sent event; its data is JSON.
fn event() -> Value {
    let text = json!({"type": "string"});
    json!({"type": "object", "required": ["event", "data"], "properties": {"event": text, "data": text}})
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

/// Who may, for people in `security` and for tests in full.
fn permission(operation: &mut Value, definition: &Definition) {
    operation["x-effects"] = definition.effects.into();
    operation["x-permission"] = match definition.permission {
        Permission::Public => json!("public"),
        Permission::SignedIn => json!("signed_in"),
        Permission::Verified => json!("verified"),
        Permission::Roles(roles) => json!(roles),
    };
    if definition.permission != Permission::Public {
        operation["security"] = json!([{"sign_in": []}, {"key": []}]);
    }
}

/// An operation of a door that is no capability.
fn door(definition: &Definition, more: Value) -> (String, &'static str, Value) {
    let method = match definition.method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Delete => "delete",
    };
    let mut operation = json!({
        "operationId": definition.name,
        "summary": definition.title,
        "description": definition.description,
        "tags": [definition.name.split('.').next()],
    });
    let named = definition.path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        Some(json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
    });
    let named: Vec<Value> = named.collect();
    if !named.is_empty() {
        operation["parameters"] = named.into();
    }
    if let (Value::Object(operation), Value::Object(more)) = (&mut operation, more) {
        operation.extend(more);
    }
    permission(&mut operation, definition);
    (format!("/api/v1{}", definition.path), method, operation)
}

fn content(status: &str, description: &str, media: &str, schema: &Value) -> Value {
    let mut responses = json!({"default": failure()});
    responses[status] = json!({"description": description, "content": {media: {"schema": schema}}});
    json!({"responses": responses})
}

fn taking(mut operation: Value, media: &str, schema: &Value) -> Value {
    operation["requestBody"] = json!({"required": true, "content": {media: {"schema": schema}}});
    operation
}

/// A door of the OpenAI interface: its errors have that interface's form.
fn compatible(definition: &Definition, mut more: Value) -> (String, &'static str, Value) {
    more["responses"]["default"] = json!({"description": "出错", "content": {"application/json": {"schema": {"type": "object"}}}});
    let (_, method, operation) = door(definition, more);
    (definition.path.to_owned(), method, operation)
}

/// A route outside of `/api/v1`, which gives text, or JSON.
fn plain(definition: &Definition, media: &str) -> (String, &'static str, Value) {
    let kind = if media == "application/json" {
        "object"
    } else {
        "string"
    };
    let mut operation = content("200", definition.title, media, &json!({"type": kind}));
    operation["operationId"] = definition.name.into();
    operation["summary"] = definition.title.into();
    permission(&mut operation, definition);
    (definition.path.to_owned(), "get", operation)
}

/// A picture: of one of the kinds that are kept.
fn picture() -> Value {
    let kinds = [Media::Png, Media::Jpeg, Media::Gif, Media::Webp, Media::Svg];
    let shown: Map<String, Value> = kinds
        .iter()
        .map(|kind| {
            (
                kind.media_type().to_owned(),
                json!({"schema": {"type": "string"}}),
            )
        })
        .collect();
    let within = |name: &str, place: &str, description: &str| {
        json!({
            "name": name,
            "in": place,
            "required": place == "path",
            "description": description,
            "schema": {"type": "string"},
        })
    };
    json!({
        "parameters": [
            within("id", "path", "文件编号"),
            within("picture", "path", "图片序号，从 0 开始"),
            within("v", "query", "图片的标记，见阅读文件所列的地址；与图片相符时可以长期缓存"),
        ],
        "responses": {
            "200": {"description": "图片", "content": shown},
            "304": {"description": "没有变化"},
            "default": failure(),
        },
    })
}

/// The routes that move files, streams or cookies and so are no capabilities, and those outside of `/api/v1`.
#[expect(clippy::too_many_lines, reason = "a list of doors")]
fn further(components: &mut Components) -> Vec<(String, &'static str, Value)> {
    let json_media = "application/json";
    let text = json!({"type": "string"});
    let status = components.schema_of::<Status>();
    let import = components.schema_of::<Import>();
    let me = components.schema_of::<Me>();
    let user = components.schema_of::<User>();
    let link = components.schema_of::<LinkView>();
    let upload = json!({"type": "object", "properties": {
        "space": {"type": "string", "description": "知识空间"},
        "file": {"type": "array", "items": {"type": "string", "format": "binary"}, "description": "文件，文件名为相对路径"},
    }});
    let ok = |schema: &Value| content("200", "成功", json_media, schema);
    let open = |name, title, path| Definition::get(name, title, title, path);
    let demo = components.schema_of::<DemoSignedIn>();
    let elsewhere =
        json!({"responses": {"303": {"description": "转到另一页"}, "default": failure()}});
    let signed_out = json!({"responses": {"204": {"description": "已退出"}, "default": failure()}});
    vec![
        door(&doors::STATUS, ok(&status)),
        door(
            &doors::UPLOAD,
            taking(
                content("202", "已受理", json_media, &import),
                "multipart/form-data",
                &upload,
            ),
        ),
        door(
            &doors::IMPORT_EVENTS,
            content("200", "进度事件", "text/event-stream", &event()),
        ),
        door(
            &doors::ORIGINAL,
            content("200", "原件", "application/octet-stream", &text),
        ),
        door(&doors::PICTURE, picture()),
        door(&doors::ME, ok(&me)),
        door(
            &doors::SIGN_IN,
            taking(ok(&user), json_media, &components.input::<SignInInput>()),
        ),
        door(&doors::SIGN_OUT, signed_out),
        door(
            &doors::LINK,
            taking(ok(&link), json_media, &components.input::<LinkInput>()),
        ),
        door(
            &doors::REDEEM,
            taking(ok(&user), json_media, &components.input::<RedeemInput>()),
        ),
        door(
            &doors::AUDIT_EXPORT,
            content("200", "JSON 行，末行为封签", "application/jsonl", &text),
        ),
        door(
            &doors::JOB_EVENTS,
            content("200", "进度事件", "text/event-stream", &event()),
        ),
        door(
            &doors::JOB_ARTIFACT,
            content("200", "产物", "application/octet-stream", &text),
        ),
        door(&doors::OIDC_BEGIN, elsewhere.clone()),
        door(&doors::OIDC_CALLBACK, elsewhere),
        door(
            &doors::DEMO_SIGN_IN,
            taking(ok(&demo), json_media, &components.input::<DemoInput>()),
        ),
        compatible(
            &doors::V1_CHAT,
            taking(
                ok(&json!({"type": "object"})),
                json_media,
                &components.input::<ChatInput>(),
            ),
        ),
        compatible(&doors::V1_MODELS, ok(&json!({"type": "object"}))),
        compatible(
            &doors::V1_EMBEDDINGS,
            taking(
                ok(&json!({"type": "object"})),
                json_media,
                &components.input::<EmbeddingsInput>(),
            ),
        ),
        plain(
            &open("openapi", "接口文档", "/api/openapi.json"),
            json_media,
        ),
        plain(&doors::METRICS, "application/openmetrics-text"),
        plain(&open("live", "进程存活", "/health/live"), "text/plain"),
        plain(&open("ready", "可以回答", "/health/ready"), "text/plain"),
    ]
}

/// The same of cases: filled forms as files, and materials.
fn of_cases(components: &mut Components) -> Vec<(String, &'static str, Value)> {
    let case = components.schema_of::<CaseView>();
    let text = json!({"type": "string"});
    let material = json!({"type": "object", "required": ["material", "file"], "properties": {
        "material": {"type": "string", "description": "材料名称，与办件所列的相同"},
        "file": {"type": "string", "format": "binary", "description": "文件"},
    }});
    let paper = |media: &str| content("200", "申请表", media, &text);
    vec![
        door(&doors::CASE_DOCX, paper(casework::WORD)),
        door(&doors::CASE_PDF, paper(casework::PDF)),
        door(&doors::GUIDE_DOCX, paper(casework::WORD)),
        door(&doors::GUIDE_PDF, paper(casework::PDF)),
        door(
            &doors::MATERIAL_UPLOAD,
            taking(
                content("200", "成功", "application/json", &case),
                "multipart/form-data",
                &material,
            ),
        ),
        door(
            &doors::MATERIAL,
            content("200", "材料文件", "application/octet-stream", &text),
        ),
    ]
}
