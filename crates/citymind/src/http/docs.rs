//! `/api/docs`: the interface as a page that can be read and searched in a browser, made from the OpenAPI document.
//!
//! Plain HTML and one style sheet: nothing runs, so nothing needs to be allowed to.

use std::fmt::Write as _;

use axum::{
    extract::State as Shared,
    http::header,
    response::{Html, IntoResponse, Response},
};
use kernel::identity::Role;
use serde_json::Value;

use super::{State, openapi};

const STYLE: &str = include_str!("docs.css");

/// The page.
pub(super) async fn page(Shared(state): Shared<State>) -> Html<String> {
    Html(render(&openapi::describe(state.app.catalogue.all())))
}

/// Its style sheet.
pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// Operations by tag, in the order of the document.
fn by_tag(document: &Value) -> Vec<(String, Vec<(&str, &str, &Value)>)> {
    let mut tags: Vec<(String, Vec<(&str, &str, &Value)>)> = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let tag = operation["tags"][0].as_str().unwrap_or("system").to_owned();
            let entry = (path.as_str(), method.as_str(), operation);
            match tags.iter_mut().find(|(t, _)| *t == tag) {
                Some((_, operations)) => operations.push(entry),
                None => tags.push((tag, vec![entry])),
            }
        }
    }
    tags
}

fn render(document: &Value) -> String {
    let tags = by_tag(document);
    let mut html = String::from(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>接口文档 · CityMind 城智</title><link rel=\"stylesheet\" href=\"/api/docs.css\"></head><body>",
    );
    html.push_str("<header><h1>接口文档</h1><p>以 <code>Authorization: Bearer 密钥</code> 调用；密钥由管理员在“身份 › 密钥”中新建。出错时返回 RFC 9457 的问题说明。机器可读的文档：<a href=\"/api/openapi.json\">OpenAPI 3.1</a>。同样的能力也是 MCP 工具（<code>/mcp</code>）和命令（<code>citymind 领域 动作</code>）。</p></header><nav aria-label=\"领域\"><ul>");
    for (tag, operations) in &tags {
        let _ = write!(
            html,
            "<li><a href=\"#{0}\">{0}</a> {1}</li>",
            escape(tag),
            operations.len()
        );
    }
    html.push_str("</ul></nav><main>");
    for (tag, operations) in &tags {
        let _ = write!(html, "<section id=\"{0}\"><h2>{0}</h2>", escape(tag));
        for (path, method, operation) in operations {
            show(&mut html, document, path, method, operation);
        }
        html.push_str("</section>");
    }
    html.push_str("</main></body></html>");
    html
}

/// Who may, in words.
fn who(operation: &Value) -> String {
    match &operation["x-permission"] {
        Value::String(kind) => match kind.as_str() {
            "public" => "所有人".into(),
            "signed_in" => "登录后".into(),
            "verified" => "实名后，以及工作人员".into(),
            other => other.to_owned(),
        },
        Value::Array(roles) => {
            let named = roles
                .iter()
                .filter_map(Value::as_str)
                .filter_map(Role::named);
            named.map(Role::title).collect::<Vec<_>>().join("、")
        }
        _ => "所有人".into(),
    }
}

fn show(html: &mut String, document: &Value, path: &str, method: &str, operation: &Value) {
    let text = |name: &str| escape(operation[name].as_str().unwrap_or_default());
    let _ = write!(
        html,
        "<article id=\"{0}\"><h3><span class=\"{1}\">{2}</span> <code>{3}</code> <a href=\"#{0}\">{4}</a></h3><p>{5}</p><p class=\"who\">可用：{6}{7}</p>",
        text("operationId"),
        method,
        method.to_uppercase(),
        escape(path),
        text("summary"),
        text("description"),
        escape(&who(operation)),
        if operation["x-effects"] == true {
            " · 有改动，记入审计"
        } else {
            ""
        },
    );
    let parameters = operation["parameters"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    if !parameters.is_empty() {
        html.push_str("<table><caption>参数</caption><tr><th>名称</th><th>位置</th><th>类型</th><th>说明</th></tr>");
        for p in &parameters {
            let name = p["name"].as_str().unwrap_or_default();
            let place = if p["in"] == "path" {
                "路径"
            } else {
                "查询"
            };
            let required = p["required"] == true;
            row(
                html,
                document,
                name,
                place,
                required,
                &p["schema"],
                p["description"].as_str(),
            );
        }
        html.push_str("</table>");
    }
    for (media, body) in operation["requestBody"]["content"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let schema = resolved(document, &body["schema"]);
        let _ = write!(
            html,
            "<table><caption>请求内容 <code>{}</code></caption><tr><th>名称</th><th></th><th>类型</th><th>说明</th></tr>",
            escape(media)
        );
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let needed = required.iter().any(|r| r == name.as_str());
            row(
                html,
                document,
                name,
                "",
                needed,
                field,
                field["description"].as_str(),
            );
        }
        html.push_str("</table>");
    }
    html.push_str("<p class=\"replies\">应答：");
    for (status, reply) in operation["responses"].as_object().into_iter().flatten() {
        for (media, body) in reply["content"].as_object().into_iter().flatten() {
            let _ = write!(
                html,
                "<span><code>{}</code> {} {}</span> ",
                escape(status),
                escape(media),
                escape(&kind(document, &body["schema"]))
            );
        }
    }
    html.push_str("</p></article>");
}

fn row(
    html: &mut String,
    document: &Value,
    name: &str,
    place: &str,
    required: bool,
    schema: &Value,
    description: Option<&str>,
) {
    let _ = write!(
        html,
        "<tr><td><code>{}</code>{}</td><td>{place}</td><td>{}</td><td>{}</td></tr>",
        escape(name),
        if required { " *" } else { "" },
        escape(&kind(document, schema)),
        escape(description.unwrap_or_default())
    );
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or(&Value::Null),
        None => schema,
    }
}

/// A schema's type in a few words.
fn kind(document: &Value, schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        let target = resolved(document, schema);
        return match choices(target) {
            Some(values) => values,
            None => name.to_owned(),
        };
    }
    if let Some(options) = schema["anyOf"].as_array() {
        let real = options.iter().filter(|o| o["type"] != "null");
        return real
            .map(|o| kind(document, o))
            .collect::<Vec<_>>()
            .join(" 或 ");
    }
    if let Some(values) = choices(schema) {
        return values;
    }
    let named = match &schema["type"] {
        Value::Array(types) => types.iter().find(|t| *t != "null").and_then(Value::as_str),
        single => single.as_str(),
    };
    match named {
        Some("array") => format!("{} 的列表", kind(document, &schema["items"])),
        Some(name) => name.to_owned(),
        None => "任意".to_owned(),
    }
}

fn choices(schema: &Value) -> Option<String> {
    let listed = schema["enum"].as_array();
    let single = schema["oneOf"].as_array();
    let values: Vec<&str> = match (listed, single) {
        (Some(values), _) => values.iter().filter_map(Value::as_str).collect(),
        (None, Some(options)) => options.iter().filter_map(|o| o["const"].as_str()).collect(),
        (None, None) => return None,
    };
    (!values.is_empty()).then(|| values.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_operation_is_on_the_page_and_nothing_of_the_document_becomes_markup() {
        let document = json!({
            "paths": {"/api/v1/x/{id}": {"get": {
                "operationId": "x.get", "tags": ["x"], "summary": "<b>甲</b>", "description": "a & b",
                "x-permission": ["clerk"], "x-effects": true,
                "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"$ref": "#/components/schemas/S"}}],
                "responses": {"200": {"content": {"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}}}},
            }}},
            "components": {"schemas": {"S": {"type": "string", "enum": ["on", "off"]}}},
        });
        let html = render(&document);
        for part in [
            "/api/v1/x/{id}",
            "&lt;b&gt;甲&lt;/b&gt;",
            "a &amp; b",
            "窗口人员",
            "on | off",
            "string 的列表",
            "有改动",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("<b>") && !html.contains("<script") && !html.contains("style="));
    }
}
