//! Capabilities as routes, plain or as server-sent events.

use std::{collections::HashMap, convert::Infallible};

use axum::{
    Router,
    body::Bytes,
    extract::{
        DefaultBodyLimit, Path, Query, State as Shared,
        rejection::{BytesRejection, PathRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderValue, header},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event as SseEvent, KeepAlive},
    },
    routing::{delete, get, post},
};
use futures_util::StreamExt;
use kernel::{
    Error, ErrorCode, Result,
    capability::{Context, Method, Registered},
};
use platform::catalogue::Catalogue;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

use super::{
    State,
    error::{Problem, body, unreadable},
    request::Who,
};

/// The greatest size of a JSON body that holds pictures, in bytes.
const PICTURES: usize = 24 << 20;

type Params = HashMap<String, String>;

/// A route per capability.
pub(super) fn routes(capabilities: &[Registered]) -> Router<State> {
    capabilities
        .iter()
        .fold(Router::new(), |router, capability| {
            let registered = capability.clone();
            let handler = move |Shared(state): Shared<State>,
                                who: Who,
                                headers: HeaderMap,
                                path: Result<Path<Params>, PathRejection>,
                                query: Result<Query<Params>, QueryRejection>,
                                body: Result<Bytes, BytesRejection>| async move {
                match input(&registered, path, query, body) {
                    Ok(input) => call(&state, registered, &who, input, &headers).await,
                    Err(error) => Problem(error).into_response(),
                }
            };
            let route = match capability.definition.method {
                Method::Get => get(handler),
                Method::Post => post(handler),
                Method::Delete => delete(handler),
            };
            let route = if capability.definition.pictures {
                route.layer(DefaultBodyLimit::max(PICTURES))
            } else {
                route
            };
            router.route(capability.definition.path, route)
        })
}

/// The input as one JSON object: the body's fields, then the query's, then the path's.
fn input(
    capability: &Registered,
    path: Result<Path<Params>, PathRejection>,
    query: Result<Query<Params>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Value> {
    let path = path.map_err(unreadable)?.0;
    let query = query.map_err(unreadable)?.0;
    let mut fields = if capability.definition.method == Method::Post {
        object(body)?
    } else {
        Map::new()
    };
    for (name, text) in query.into_iter().chain(path) {
        let value = typed(capability, &name, text);
        fields.insert(name, value);
    }
    Ok(Value::Object(fields))
}

/// The body as a JSON object; an empty body is an empty one.
pub(super) fn object(body: Result<Bytes, BytesRejection>) -> Result<Map<String, Value>> {
    let bytes = body.map_err(|e| match e.status() {
        axum::http::StatusCode::PAYLOAD_TOO_LARGE => Error::new(
            ErrorCode::TooLarge,
            "请求内容过大。问题最多 2000 个字；表单里的图片请压缩后再保存，或分成几份录入；文件请用导入接口上传。",
        ),
        _ => {
            Error::new(ErrorCode::MalformedBody, "没有收到完整的请求内容，请重试。").with_detail(e)
        }
    })?;
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    let text = std::str::from_utf8(&bytes).map_err(|e| {
        let at = e.valid_up_to();
        Error::new(
            ErrorCode::MalformedBody,
            format!("请求内容不是 UTF-8 文本（第 {at} 字节处）。请以 UTF-8 编码发送。"),
        )
    })?;
    let value: Value = serde_json::from_str(text).map_err(|e| {
        let (line, column) = (e.line(), e.column());
        Error::new(
            ErrorCode::MalformedBody,
            format!("请求内容不是有效的 JSON（第 {line} 行第 {column} 列）。"),
        )
        .with_detail(&e)
    })?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Error::new(
            ErrorCode::MalformedBody,
            "请求内容应为 JSON 对象。",
        )),
    }
}

/// A parameter's text as the type that the schema asks for.
fn typed(capability: &Registered, name: &str, text: String) -> Value {
    let schema = capability.input.as_value()["properties"][name].to_string();
    let number = || text.parse::<i64>().map(Value::from);
    if schema.contains("\"integer\"")
        && let Ok(number) = number()
    {
        return number;
    }
    if schema.contains("\"boolean\"") && (text == "true" || text == "false") {
        return Value::Bool(text == "true");
    }
    if text.is_empty() && schema.contains("\"null\"") {
        Value::Null
    } else {
        Value::String(text)
    }
}

async fn call(
    state: &State,
    capability: Registered,
    who: &Who,
    input: Value,
    headers: &HeaderMap,
) -> Response {
    let wanted = headers
        .get(header::ACCEPT)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let name = capability.definition.name;
    let catalogue = &state.app.catalogue;
    if capability.definition.streams && wanted.contains("text/event-stream") {
        return stream(catalogue.clone(), name, who.context(), input);
    }
    match catalogue.call(name, &who.context(), input).await {
        Ok(output) => {
            let json = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, json)], output.to_string()).into_response()
        }
        Err(error) => Problem(who.explain(error)).into_response(),
    }
}

/// The call's events as they happen; its output is the last one (`done`), its error likewise (`error`). Whoever goes away
/// cancels the call.
fn stream(catalogue: Catalogue, name: &'static str, context: Context, input: Value) -> Response {
    let (sender, receiver) = mpsc::unbounded_channel();
    let last = sender.clone();
    let context = context.following(move |event| {
        let data = SseEvent::default()
            .event(event.name)
            .data(event.data.to_string());
        sender.send(data).is_ok()
    });
    tokio::spawn(async move {
        let end = match catalogue.call(name, &context, input).await {
            Ok(output) => SseEvent::default().event("done").data(output.to_string()),
            Err(error) => {
                let mut body = body(&error);
                body["request_id"] = context.request.clone().into();
                SseEvent::default().event("error").data(body.to_string())
            }
        };
        // The listener may be the very one who has gone away.
        let _ = last.send(end);
    });
    let events = UnboundedReceiverStream::new(receiver).map(Ok::<_, Infallible>);
    let mut response = Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
