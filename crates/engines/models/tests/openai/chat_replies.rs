//! Replies in every shape that services give them.

use citymind_engine_models::{ChatAbilities, EndpointSettings, OpenAiChat};
use futures_util::StreamExt;
use kernel::{
    Error, ErrorCode,
    models::{
        ChatEvent, ChatModel, ChatReply, ChatRequest, Finish, Message, Role, Tool, ToolCall, Usage,
    },
};
use serde_json::{Value, json};

use crate::server::{Act, DONE, STOP, Server, json, says, stream, stream_head};

pub(crate) fn question() -> ChatRequest {
    ChatRequest::new(vec![Message::new(Role::User, "问")])
}

pub(crate) async fn reply(
    settings: &EndpointSettings,
    request: ChatRequest,
) -> Result<ChatReply, Error> {
    let model = OpenAiChat::new(settings, ChatAbilities::default()).unwrap();
    ChatReply::whole(model.chat(request).await?).await
}

async fn replied(server: &Server) -> ChatReply {
    reply(&server.settings(), question()).await.unwrap()
}

#[tokio::test]
async fn bytes_may_be_cut_anywhere_and_other_lines_are_passed_over() {
    let body = format!(
        ": hello\r\nevent: message\r\ndata: {}\r\n\r\n: ping\r\n\r\ndata: {}\r\n\r\ndata: {STOP}\r\n\r\ndata: [DONE]\r\n\r\n",
        says("数字"),
        says("政府😀"),
    );
    let server = Server::start(move |_, _| {
        let bytes = body.bytes().map(|byte| Act::Send(vec![byte]));
        [Act::Send(stream_head())]
            .into_iter()
            .chain(bytes)
            .collect()
    })
    .await;
    let reply = replied(&server).await;
    assert_eq!(reply.text, "数字政府😀");
    assert_eq!((reply.finish, reply.usage), (Finish::Stop, None));
}

#[tokio::test]
async fn an_end_is_an_end_with_a_reason_or_with_the_mark() {
    let text = says("好");
    for events in [
        vec![text.as_str(), STOP],
        vec![text.as_str(), DONE],
        vec![
            text.as_str(),
            STOP,
            r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#,
        ],
    ] {
        let usage = (events.len() == 3).then_some(Usage {
            prompt: 3,
            completion: 1,
        });
        let server = Server::always(stream(&events)).await;
        let reply = replied(&server).await;
        assert_eq!(
            (reply.text.as_str(), reply.finish, reply.usage),
            ("好", Finish::Stop, usage)
        );
    }
    // Whatever a service sends after it is not waited for.
    let mut bytes = stream(&[&text, STOP, DONE]);
    bytes.extend(b"data: more\n\n");
    let server = Server::start(move |_, _| vec![Act::Send(bytes.clone()), Act::Hang]).await;
    assert_eq!(replied(&server).await.text, "好");
}

#[tokio::test]
async fn an_answer_without_streaming_is_read_as_well() {
    let server = Server::always(json(&json!({
        "choices": [{
            "message": {"role": "assistant", "content": "<think>嗯</think>好", "reasoning_content": "嗯"},
            "finish_reason": "length",
        }],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2},
    })))
    .await;
    let reply = replied(&server).await;
    assert_eq!((reply.text.as_str(), reply.finish), ("好", Finish::Length));
    assert_eq!(reply.usage.unwrap().prompt, 5);
}

#[tokio::test]
async fn thinking_aloud_is_left_out() {
    let thought = r#"{"choices":[{"delta":{"reasoning_content":"想","content":null}}]}"#;
    let (open, close) = (says("<thi"), says("nk>又想</think>\n\n好"));
    let server = Server::always(stream(&[thought, &open, &close, STOP, DONE])).await;
    assert_eq!(replied(&server).await.text, "好");
}

#[tokio::test]
async fn the_reply_ends_before_stop_strings_even_if_the_service_does_not_know_them() {
    let pieces = ["甲乙", "丙", "丁戊"].map(says);
    let events: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let mut bytes = stream(&events);
    bytes.extend(b": still writing\n\n");
    let mut server = Server::start(move |_, _| vec![Act::Send(bytes.clone()), Act::Hang]).await;
    let mut request = question();
    request.stop = vec!["丙丁".into()];
    let reply = reply(&server.settings(), request).await.unwrap();
    assert_eq!((reply.text.as_str(), reply.finish), ("甲乙", Finish::Stop));
    server.hung_up().await;
}

#[tokio::test]
async fn tool_calls_are_put_together_from_their_parts() {
    let parts = [
        json!([{"index": 0, "id": "a", "function": {"name": "find", "arguments": "{\"q\":"}}]),
        json!([{"index": 1, "id": "b", "function": {"name": "today"}}]),
        json!([{"index": 0, "function": {"arguments": "\"公积金\"}"}}]),
        json!([{"index": 2, "function": {"name": "sum", "arguments": {"n": [1, 2]}}}]),
    ];
    let mut events: Vec<String> = parts
        .iter()
        .map(|calls| json!({"choices": [{"delta": {"tool_calls": calls}}]}).to_string())
        .collect();
    events.push(json!({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}).to_string());
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let server = Server::always(stream(&events)).await;
    let mut request = question();
    request.tools.push(Tool {
        name: "find".into(),
        description: "检索".into(),
        input: json!({"type": "object"}),
    });
    let reply = reply(&server.settings(), request.clone()).await.unwrap();
    let call = |id: &str, name: &str, arguments: Value| ToolCall {
        id: id.into(),
        name: name.into(),
        arguments,
    };
    assert_eq!(reply.finish, Finish::ToolCalls);
    assert_eq!(
        reply.tool_calls,
        [
            call("a", "find", json!({"q": "公积金"})),
            call("b", "today", json!({})),
            call("call_2", "sum", json!({"n": [1, 2]})),
        ]
    );

    let abilities = ChatAbilities {
        tools: false,
        ..ChatAbilities::default()
    };
    let model = OpenAiChat::new(&server.settings(), abilities).unwrap();
    let error = model.chat(request).await.err().unwrap();
    assert_eq!(error.code, ErrorCode::ModelUnavailable);
    assert_eq!(server.requests().len(), 1, "it was not asked");
}

#[tokio::test]
async fn a_reply_to_a_schema_is_checked_before_anything_is_given_out() {
    for (text, sound) in [
        (r#"{"n": 3}"#, true),
        ("```json\n{\"n\": 3}\n```", true),
        (r#"{"n": "3"}"#, false),
        (r#"{"n": 3"#, false),
        ("好的，结果是 3", false),
    ] {
        let said = says(text);
        let server = Server::always(stream(&[&said, STOP, DONE])).await;
        let model = OpenAiChat::new(&server.settings(), ChatAbilities::default()).unwrap();
        let mut request = question();
        request.schema = Some(json!({"properties": {"n": {"type": "integer"}}, "required": ["n"]}));
        let events: Vec<_> = model.chat(request).await.unwrap().collect().await;
        if sound {
            let want = ChatEvent::Text(r#"{"n": 3}"#.into());
            assert_eq!(*events[0].as_ref().unwrap(), want, "{text}");
            assert_eq!(events.len(), 2);
        } else {
            let error = events[0].as_ref().unwrap_err();
            assert_eq!(error.code, ErrorCode::ModelReply, "{text}");
            assert_eq!(events.len(), 1);
        }
    }
    let server = Server::always(Vec::new()).await;
    let mut request = question();
    request.schema = Some(json!({"pattern": "x"}));
    let error = reply(&server.settings(), request).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidInput);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn further_headers_and_fields_are_sent() {
    let server = Server::always(stream(&[&says("好"), STOP, DONE])).await;
    let mut settings = server.settings();
    settings.base_url += "/";
    settings
        .headers
        .insert("X-App-Id".into(), "citymind".into());
    settings.body.insert("enable_thinking".into(), false.into());
    reply(&settings, question()).await.unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.path, "/v1/chat/completions");
    assert!(request.headers.contains("x-app-id: citymind"));
    assert_eq!(request.body["enable_thinking"], false);
    assert_eq!(request.body["stream"], true);
}
