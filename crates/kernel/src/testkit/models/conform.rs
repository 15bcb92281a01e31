//! What every model behind the seams must do.

use std::{future::poll_fn, task::Poll};

use serde_json::{Value, json};

use crate::{
    ErrorCode,
    models::{
        ChatEvent, ChatModel, ChatReply, ChatRequest, ChatStream, EmbedAs, Embedder, Finish,
        Message, Reranker, Role,
    },
};

fn question(text: &str) -> ChatRequest {
    let mut request = ChatRequest::new(vec![
        Message::new(Role::System, "你是政务服务助手，回答要简短。"),
        Message::new(Role::User, text),
    ]);
    request.max_tokens = 24;
    request
}

async fn next(stream: &mut ChatStream) -> Option<crate::Result<ChatEvent>> {
    poll_fn(|context| stream.as_mut().poll_next(context)).await
}

async fn begun(model: &dyn ChatModel, request: ChatRequest) -> ChatStream {
    model.chat(request).await.expect("a stream")
}

async fn whole(model: &dyn ChatModel, request: ChatRequest) -> ChatReply {
    let stream = begun(model, request).await;
    ChatReply::whole(stream).await.expect("a whole reply")
}

/// Checks a chat model for everything [`ChatModel`] promises, whatever it says.
///
/// # Panics
/// When it breaks a promise.
pub async fn chat_conforms(model: &dyn ChatModel) {
    assert!(!model.card().name.trim().is_empty());
    streams_end_once(model).await;
    limits_hold(model).await;
    schemas_hold(model).await;
    dropped_replies_leave_room(model).await;
    if let Some(context) = model.card().context {
        let request = question(&"甲乙丙丁戊己庚辛".repeat(context));
        let error = match model.chat(request).await {
            Ok(stream) => ChatReply::whole(stream).await.expect_err("too long"),
            Err(error) => error,
        };
        assert_eq!(error.code, ErrorCode::InvalidInput, "{error:?}");
    }
}

async fn streams_end_once(model: &dyn ChatModel) {
    let mut stream = begun(model, question("住房公积金每月提取多少？")).await;
    let (mut texts, mut dones, mut events) = (0, 0, 0);
    while let Some(event) = next(&mut stream).await {
        assert_eq!(dones, 0, "nothing follows the end");
        match event.expect("an event") {
            ChatEvent::Model(_) => assert_eq!(events, 0, "who replies comes first"),
            ChatEvent::Text(text) => {
                assert!(!text.is_empty());
                texts += 1;
            }
            ChatEvent::ToolCall(call) => panic!("a tool that was not offered: {call:?}"),
            ChatEvent::Done { finish, usage } => {
                assert_ne!(finish, Finish::ToolCalls);
                if let Some(usage) = usage {
                    assert!(usage.prompt > 0 && usage.completion > 0, "{usage:?}");
                }
                dones += 1;
            }
        }
        events += 1;
    }
    assert!(texts > 0, "something is said");
    assert_eq!(dones, 1, "the end is said");
}

async fn limits_hold(model: &dyn ChatModel) {
    let request = question("请用一句话介绍居住证。");
    let first = whole(model, request.clone()).await;
    let again = whole(model, request.clone()).await;
    assert_eq!(first.text, again.text, "the likeliest reply stays the same");

    let mut short = request.clone();
    short.max_tokens = 1;
    let reply = whole(model, short).await;
    assert!(reply.text.chars().count() <= first.text.chars().count());
    if let Some(usage) = reply.usage {
        assert!(usage.completion <= 1, "{usage:?}");
    }

    // The reply ends before whatever it's told to end before.
    let middle = first.text.chars().nth(first.text.chars().count() / 2);
    let middle = middle.expect("a character").to_string();
    let mut stopped = request;
    stopped.stop = vec!["不会出现的词".into(), middle.clone()];
    let reply = whole(model, stopped).await;
    let before = first.text.split(&middle).next().unwrap_or_default();
    assert_eq!(reply.text, before);
    assert_eq!(reply.finish, Finish::Stop);
}

async fn schemas_hold(model: &dyn ChatModel) {
    let mut request = question("居住证有效期是不是一年？以 JSON 回答。");
    request.schema = Some(json!({
        "type": "object",
        "properties": {
            "answer": {"enum": ["是", "否", "不确定"]},
            "sure": {"type": "boolean"},
        },
        "required": ["answer", "sure"],
        "additionalProperties": false,
    }));
    request.max_tokens = 64;
    let reply = whole(model, request).await;
    let value: Value = serde_json::from_str(&reply.text).expect("JSON");
    let object = value.as_object().expect("an object");
    assert_eq!(object.len(), 2, "{value}");
    assert!(value["sure"].is_boolean(), "{value}");
    let answers = ["是", "否", "不确定"];
    assert!(answers.iter().any(|a| value["answer"] == *a), "{value}");
}

async fn dropped_replies_leave_room(model: &dyn ChatModel) {
    let mut stream = begun(model, question("介绍一下养老金。")).await;
    assert!(next(&mut stream).await.is_some());
    drop(stream);
    drop(begun(model, question("介绍一下失业金。")).await);
    // A future dropped before it's done.
    let mut asked = model.chat(question("介绍一下生育津贴。"));
    poll_fn(|context| {
        let _ = asked.as_mut().poll(context);
        Poll::Ready(())
    })
    .await;
    drop(asked);
    let reply = whole(model, question("介绍一下医保。")).await;
    assert!(!reply.text.is_empty());
}

fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Checks an embedder for everything [`Embedder`] promises.
///
/// # Panics
/// When it breaks a promise.
pub async fn embedder_conforms(embedder: &dyn Embedder) {
    assert!(!embedder.card().name.trim().is_empty());
    assert!(!embedder.version().trim().is_empty());
    assert_eq!(embedder.version(), embedder.version());
    assert!(embedder.dimensions() > 0);
    let embed = async |texts: &[&str], kind| {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let count = texts.len();
        let vectors = embedder.embed(texts, kind).await.expect("vectors");
        assert_eq!(vectors.len(), count);
        for vector in &vectors {
            assert_eq!(vector.len(), embedder.dimensions());
            let norm = product(vector, vector);
            assert!((norm - 1.0).abs() < 1e-3, "length {norm}");
        }
        vectors
    };

    assert!(embed(&[], EmbedAs::Passage).await.is_empty());
    let long = "住房公积金提取办法。".repeat(3_000);
    let texts = [
        "租房提取住房公积金需要什么材料",
        "",
        " \n",
        "😀 Ａ１ 1,500元\u{200b}",
        &long,
        "今天天气晴朗，适合郊游",
        "提取住房公积金支付房租，应提供租赁合同",
    ];
    let many: Vec<&str> = texts.iter().cycle().take(45).copied().collect();
    let together = embed(&many, EmbedAs::Passage).await;
    for (at, text) in texts.iter().enumerate() {
        let alone = embed(&[text], EmbedAs::Passage).await;
        for copy in together.iter().skip(at).step_by(texts.len()) {
            let near = product(&alone[0], copy);
            assert!(near > 0.999, "{text:.20}: alone or in a batch, {near}");
        }
    }

    let query = embed(&["公积金能付房租吗"], EmbedAs::Query).await;
    let (near, far) = (
        product(&query[0], &together[6]),
        product(&query[0], &together[5]),
    );
    assert!(near > far, "{near} is nearer than {far}");
}

/// Checks a reranker for everything [`Reranker`] promises.
///
/// # Panics
/// When it breaks a promise.
pub async fn reranker_conforms(reranker: &dyn Reranker) {
    assert!(!reranker.card().name.trim().is_empty());
    let query = "租房怎么提取公积金";
    let rerank = async |passages: Vec<&str>| {
        let passages: Vec<String> = passages.into_iter().map(str::to_owned).collect();
        let count = passages.len();
        let scores = reranker
            .rerank(query.to_owned(), passages)
            .await
            .expect("scores");
        assert_eq!(scores.len(), count);
        assert!(scores.iter().all(|score| score.is_finite()), "{scores:?}");
        scores
    };

    assert!(rerank(vec![]).await.is_empty());
    let passages = vec![
        "今天天气晴朗，适合郊游。",
        "租房提取公积金的，应当连续缴存满三个月。",
        "",
    ];
    let scores = rerank(passages.clone()).await;
    assert!(scores[1] > scores[0] && scores[1] > scores[2], "{scores:?}");
    let mut turned = rerank(passages.into_iter().rev().collect()).await;
    turned.reverse();
    for (a, b) in scores.iter().zip(&turned) {
        assert!((a - b).abs() < 1e-3, "the order does not matter: {a} {b}");
    }
    rerank(vec!["公积金"; 150]).await;
}
