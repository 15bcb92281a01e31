//! A request as the protocol writes it.

use kernel::models::{ChatRequest, Message, Role};
use serde_json::{Map, Value, json};

use super::ChatAbilities;

/// The most stop strings that endpoints take; the rest is seen to on this side, as all of them are.
const MOST_STOPS: usize = 4;

/// The body of a request.
pub(super) fn body(
    model: &str,
    request: &ChatRequest,
    abilities: ChatAbilities,
) -> Map<String, Value> {
    let mut body = Map::new();
    let mut set = |key: &str, value: Value| body.insert(key.to_owned(), value);
    let mut messages: Vec<Value> = request.messages.iter().map(message).collect();
    if let Some(schema) = &request.schema {
        if abilities.json_schema {
            let format = json!({"name": "reply", "schema": schema, "strict": true});
            set(
                "response_format",
                json!({"type": "json_schema", "json_schema": format}),
            );
        } else {
            instruct(&mut messages, schema);
        }
    }
    set("model", model.into());
    set("messages", messages.into());
    set("stream", true.into());
    if abilities.usage {
        set("stream_options", json!({"include_usage": true}));
    }
    set("max_tokens", request.max_tokens.into());
    // As it's written, not as the nearest double: .7 and not .699999988.
    let temperature: f64 = request.temperature.to_string().parse().unwrap_or_default();
    set("temperature", temperature.into());
    if let Some(seed) = request.seed {
        set("seed", seed.into());
    }
    if !request.stop.is_empty() {
        let stops: Vec<&String> = request.stop.iter().take(MOST_STOPS).collect();
        set("stop", json!(stops));
    }
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            json!({"type": "function", "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.input,
            }})
        });
        set("tools", tools.collect());
    }
    body
}

fn message(message: &Message) -> Value {
    let mut written = json!({
        "role": match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        },
        "content": message.content,
    });
    if !message.tool_calls.is_empty() {
        let calls = message.tool_calls.iter().map(|call| {
            json!({"id": call.id, "type": "function", "function": {
                "name": call.name,
                "arguments": call.arguments.to_string(),
            }})
        });
        written["tool_calls"] = calls.collect();
    }
    if let Some(id) = &message.tool_call {
        written["tool_call_id"] = id.as_str().into();
    }
    written
}

/// Asks for JSON by the schema in words, at the end of the instructions.
fn instruct(messages: &mut Vec<Value>, schema: &Value) {
    let wanted = format!(
        "只输出一个符合下面 JSON Schema 的 JSON，不要输出其他文字，也不要用代码块：\n{schema}"
    );
    match messages.first_mut() {
        Some(first) if first["role"] == "system" => {
            let before = first["content"].as_str().unwrap_or_default();
            first["content"] = format!("{before}\n\n{wanted}").into();
        }
        _ => messages.insert(0, json!({"role": "system", "content": wanted})),
    }
}

#[cfg(test)]
mod tests {
    use kernel::models::{Tool, ToolCall};

    use super::*;

    #[test]
    fn everything_asked_is_written() {
        let mut called = Message::new(Role::Assistant, "");
        called.tool_calls.push(ToolCall {
            id: "c1".into(),
            name: "find".into(),
            arguments: json!({"q": "公积金"}),
        });
        let mut result = Message::new(Role::Tool, "3 条");
        result.tool_call = Some("c1".into());
        let mut request = ChatRequest::new(vec![Message::new(Role::User, "问"), called, result]);
        request.tools.push(Tool {
            name: "find".into(),
            description: "检索".into(),
            input: json!({"type": "object"}),
        });
        request.temperature = 0.7;
        request.seed = Some(9);
        request.stop = ["一", "二", "三", "四", "五"].map(str::to_owned).to_vec();
        let body = Value::Object(body("qwen-plus", &request, ChatAbilities::default()));
        assert_eq!(
            body,
            json!({
                "model": "qwen-plus",
                "stream": true,
                "stream_options": {"include_usage": true},
                "max_tokens": 512,
                "temperature": 0.7,
                "seed": 9,
                "stop": ["一", "二", "三", "四"],
                "messages": [
                    {"role": "user", "content": "问"},
                    {"role": "assistant", "content": "", "tool_calls": [{
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "find", "arguments": "{\"q\":\"公积金\"}"},
                    }]},
                    {"role": "tool", "content": "3 条", "tool_call_id": "c1"},
                ],
                "tools": [{"type": "function", "function": {
                    "name": "find",
                    "description": "检索",
                    "parameters": {"type": "object"},
                }}],
            })
        );
    }

    #[test]
    fn a_schema_goes_where_the_endpoint_takes_it() {
        let mut request = ChatRequest::new(vec![
            Message::new(Role::System, "简短。"),
            Message::new(Role::User, "问"),
        ]);
        request.schema = Some(json!({"type": "boolean"}));
        let mut abilities = ChatAbilities::default();
        let in_words = body("m", &request, abilities);
        let system = in_words["messages"][0]["content"].as_str().unwrap();
        assert!(system.starts_with("简短。") && system.ends_with(r#"{"type":"boolean"}"#));
        assert!(!in_words.contains_key("response_format"));
        request.messages.remove(0);
        let in_words = body("m", &request, abilities);
        assert_eq!(in_words["messages"][0]["role"], "system");

        abilities.json_schema = true;
        let by_format = body("m", &request, abilities);
        assert_eq!(by_format["messages"].as_array().unwrap().len(), 1);
        let format = &by_format["response_format"];
        assert_eq!(format["json_schema"]["schema"], json!({"type": "boolean"}));
    }
}
