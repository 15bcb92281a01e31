//! The tiny model at work.

use std::sync::Arc;

use candle_core::quantized::GgmlDType;
use citymind_engine_models::{GgufChat, GgufSettings};
use futures_util::StreamExt;
use kernel::{
    ErrorCode,
    models::{ChatModel, ChatReply, ChatRequest, Finish, Message, Role, Tool},
    testkit::chat_conforms,
};
use serde_json::{Value, json};

use crate::mini::Mini;

fn model(mini: &Mini, settings: &GgufSettings) -> GgufChat {
    let (_folder, path) = mini.written();
    GgufChat::open("mini", &path, settings).unwrap()
}

fn settings() -> GgufSettings {
    GgufSettings {
        context: 600,
        ..GgufSettings::default()
    }
}

fn question(text: &str) -> ChatRequest {
    let mut request = ChatRequest::new(vec![Message::new(Role::User, text)]);
    request.max_tokens = 20;
    request
}

async fn reply(model: &GgufChat, request: ChatRequest) -> ChatReply {
    ChatReply::whole(model.chat(request).await.unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn families_and_forms_of_weights_conform() {
    for (architecture, dtype) in [
        ("qwen2", GgmlDType::F32),
        ("qwen2", GgmlDType::F16),
        ("qwen2", GgmlDType::Q8_0),
        ("qwen2", GgmlDType::Q5_0),
        ("qwen3", GgmlDType::Q8_0),
    ] {
        let model = model(&Mini::new(architecture, dtype), &settings());
        chat_conforms(&model).await;
    }
}

#[tokio::test]
async fn what_is_reused_of_earlier_conversations_changes_nothing() {
    let mini = Mini::new("qwen2", GgmlDType::Q8_0);
    let used = model(&mini, &settings());
    let long = "住房公积金提取".repeat(10);
    for text in [
        format!("{long}甲"),
        format!("{long}乙"),
        "短".into(),
        format!("{long}甲"),
        long,
    ] {
        let fresh = model(&mini, &settings());
        let (a, b) = (
            reply(&used, question(&text)).await,
            reply(&fresh, question(&text)).await,
        );
        assert_eq!(a, b, "{text}");
    }
}

#[tokio::test]
async fn seeds_repeat_and_differ() {
    let model = model(&Mini::new("qwen2", GgmlDType::F32), &settings());
    let drawn = async |seed| {
        let mut request = question("问");
        request.temperature = 1.0;
        request.seed = seed;
        reply(&model, request).await.text
    };
    assert_eq!(drawn(Some(1)).await, drawn(Some(1)).await);
    assert_ne!(drawn(Some(1)).await, drawn(Some(2)).await);
    assert_ne!(drawn(None).await, drawn(None).await);
}

#[tokio::test]
async fn whatever_it_writes_by_a_schema_is_what_the_schema_says() {
    let model = model(&Mini::new("qwen2", GgmlDType::F32), &settings());
    for schema in [
        json!({"type": "boolean"}),
        json!({"type": "integer", "minimum": 17, "maximum": 19}),
        json!({"type": "string", "minLength": 2, "maxLength": 5}),
        json!({"type": "array", "items": {"enum": ["甲", "乙"]}, "minItems": 1, "maxItems": 2}),
        json!({"properties": {"n": {"type": "null"}, "a": {"type": ["boolean", "null"]}}, "required": ["n"], "additionalProperties": false}),
    ] {
        for seed in 0..5 {
            let mut request = question("问");
            request.schema = Some(schema.clone());
            request.temperature = 1.0;
            request.seed = Some(seed);
            request.max_tokens = 60;
            let reply = reply(&model, request).await;
            let value: Value = serde_json::from_str(&reply.text).unwrap();
            let sound = match &value {
                Value::Bool(_) => true,
                Value::Number(n) => (17..=19).contains(&n.as_i64().unwrap()),
                Value::String(text) => (2..=5).contains(&text.chars().count()),
                Value::Array(items) => (1..=2).contains(&items.len()),
                Value::Object(fields) => fields["n"].is_null(),
                Value::Null => false,
            };
            assert!(sound, "{schema}: {value}");
            assert_eq!(reply.finish, Finish::Stop);
        }
    }
    // Without room to be written whole, it's no reply.
    let mut request = question("问");
    request.schema = Some(json!({"type": "string", "minLength": 50}));
    let error = ChatReply::whole(model.chat(request).await.unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::ModelReply);
}

#[tokio::test]
async fn what_a_person_writes_is_never_a_mark() {
    let model = model(&Mini::new("qwen2", GgmlDType::F32), &settings());
    let prompt = async |text: &str| reply(&model, question(text)).await.usage.unwrap().prompt;
    let empty = prompt("").await;
    assert_eq!(
        prompt("<|im_end|>").await,
        empty + "<|im_end|>".len() as u64
    );
}

#[tokio::test]
async fn limits_are_told() {
    let model = model(&Mini::new("qwen2", GgmlDType::F32), &settings());
    let mut request = question("问");
    request.max_tokens = 10_000;
    let reply = reply(&model, request).await;
    let usage = reply.usage.unwrap();
    assert_eq!(reply.finish, Finish::Length);
    assert_eq!(usage.prompt + usage.completion, 600);

    let mut request = question("问");
    request.tools.push(Tool {
        name: "find".into(),
        description: "检索".into(),
        input: json!({"type": "object"}),
    });
    let error = model.chat(request).await.err().unwrap();
    assert_eq!(error.code, ErrorCode::ModelUnavailable);
    let mut request = question("问");
    request.schema = Some(json!({"pattern": "x"}));
    assert_eq!(
        model.chat(request).await.err().unwrap().code,
        ErrorCode::InvalidInput
    );
}

#[tokio::test]
async fn beyond_the_queue_it_is_busy_and_says_for_how_long() {
    let settings = GgufSettings {
        queue: 1,
        ..settings()
    };
    let model = model(&Mini::new("qwen2", GgmlDType::F32), &settings);
    let first = model.chat(question("一")).await.unwrap();
    let second = model.chat(question("二")).await.unwrap();
    let error = model.chat(question("三")).await.err().unwrap();
    assert_eq!(error.code, ErrorCode::ModelUnavailable);
    assert!(error.retry_after.is_some());
    drop(first);
    let third = model.chat(question("三")).await.unwrap();
    for stream in [second, third] {
        ChatReply::whole(stream).await.unwrap();
    }
    // Whoever has been served takes no place, however long the stream is kept.
    let streams = [
        model.chat(question("四")).await.unwrap(),
        model.chat(question("五")).await.unwrap(),
    ];
    let streams = streams.map(|stream| stream.collect::<Vec<_>>());
    for events in streams {
        assert!(!events.await.is_empty());
    }
    reply(&model, question("六")).await;
}

#[tokio::test]
async fn a_dropped_reply_is_not_written_to_its_end() {
    let settings = GgufSettings {
        context: 50_000,
        ..GgufSettings::default()
    };
    let model = Arc::new(model(&Mini::new("qwen2", GgmlDType::F32), &settings));
    let mut request = question("问");
    request.max_tokens = 40_000;
    let mut stream = model.chat(request).await.unwrap();
    assert!(stream.next().await.unwrap().is_ok());
    drop(stream);
    reply(&model, question("问")).await;
    assert!(model.written() < 40_000, "{}", model.written());
}
