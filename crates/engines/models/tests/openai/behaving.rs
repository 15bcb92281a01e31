//! Endpoints that behave, held to what every model promises.

use citymind_engine_models::{
    ChatAbilities, EmbeddingSettings, OpenAiChat, OpenAiEmbedder, OpenAiReranker, RerankSettings,
};
use kernel::testkit::{
    HashEmbedder, OverlapReranker, Script, ScriptedChat, chat_conforms, embedder_conforms,
    reranker_conforms,
};
use serde_json::{Value, json};

use crate::server::{Act, DONE, Request, Server, answer, json, says, stream};

/// Streams a reply, honours `max_tokens` (a character a token), knows nothing of `stop`, wraps JSON into a fence.
fn chat(_: usize, request: &Request) -> Vec<Act> {
    let body = &request.body;
    let messages = body["messages"].as_array().unwrap();
    let prompt: usize = messages
        .iter()
        .map(|message| message["content"].as_str().unwrap().chars().count())
        .sum();
    if prompt > 2_000 {
        let error = r#"{"error":{"code":"context_length_exceeded","message":"too long"}}"#;
        return vec![Act::Send(answer(
            "400 Bad Request",
            "application/json",
            error,
        ))];
    }
    let in_words = messages[0]["content"]
        .as_str()
        .unwrap()
        .contains("JSON Schema");
    let text = if in_words || body.get("response_format").is_some() {
        "```json\n{\"answer\": \"是\", \"sure\": true}\n```"
    } else {
        "按规定，每月最多可提取一千五百元。"
    };
    let most = usize::try_from(body["max_tokens"].as_u64().unwrap()).unwrap();
    let letters: Vec<String> = text.chars().take(most).map(String::from).collect();
    let finish = if text.chars().count() > most {
        "length"
    } else {
        "stop"
    };
    let mut events: Vec<String> = letters.iter().map(|letter| says(letter)).collect();
    events.push(json!({"choices": [{"delta": {}, "finish_reason": finish}]}).to_string());
    let usage = json!({"prompt_tokens": prompt, "completion_tokens": letters.len()});
    events.push(json!({"choices": [], "usage": usage}).to_string());
    events.push(DONE.into());
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    vec![Act::Send(stream(&events))]
}

#[tokio::test]
async fn chats_conform() {
    let server = Server::start(chat).await;
    for json_schema in [false, true] {
        let abilities = ChatAbilities {
            json_schema,
            context: Some(1_000),
            ..ChatAbilities::default()
        };
        let model = OpenAiChat::new(&server.settings(), abilities).unwrap();
        chat_conforms(&model).await;
    }
    let request = &server.requests()[0];
    assert_eq!(request.path, "/v1/chat/completions");
    assert!(request.headers.contains("authorization: bearer sk-hush"));
}

#[tokio::test]
async fn embedders_conform() {
    let server = Server::start(|_, request| {
        let texts = request.body["input"].as_array().unwrap();
        assert!(texts.len() <= 10, "no more than a batch");
        let vectors = HashEmbedder::new(64);
        // Not of length 1, and in another order.
        let data = texts.iter().enumerate().rev().map(|(index, text)| {
            let vector = vectors.vector(text.as_str().unwrap());
            let vector: Vec<f32> = vector.iter().map(|x| x * 3.0).collect();
            json!({"index": index, "embedding": vector, "object": "embedding"})
        });
        vec![Act::Send(json(&json!({"data": data.collect::<Value>()})))]
    })
    .await;
    let settings = EmbeddingSettings {
        dimensions: 64,
        query_prefix: "query: ".into(),
        passage_prefix: "passage: ".into(),
        ..EmbeddingSettings::default()
    };
    let embedder = OpenAiEmbedder::new(&server.settings(), settings.clone()).unwrap();
    embedder_conforms(&embedder).await;
    let requests = server.requests();
    assert_eq!(requests[0].path, "/v1/embeddings");
    let last = requests.last().unwrap();
    assert_eq!(last.body["input"], json!(["query: 公积金能付房租吗"]));

    // Whatever may change the vectors changes the version.
    let mut other = settings.clone();
    other.passage_prefix = String::new();
    let mut elsewhere = server.settings();
    elsewhere.base_url = "https://a.example/v1".into();
    for changed in [
        OpenAiEmbedder::new(&server.settings(), other).unwrap(),
        OpenAiEmbedder::new(&elsewhere, settings).unwrap(),
    ] {
        use kernel::models::Embedder;
        assert_ne!(changed.version(), embedder.version());
    }
}

#[tokio::test]
async fn rerankers_conform() {
    let server = Server::start(|_, request| {
        let query = request.body["query"].as_str().unwrap();
        let passages = request.body["documents"].as_array().unwrap();
        let mut results: Vec<(usize, f32)> = (passages.iter().enumerate())
            .map(|(index, passage)| {
                (
                    index,
                    OverlapReranker::score(query, passage.as_str().unwrap()),
                )
            })
            .collect();
        // The best first, as services do.
        results.sort_by(|a, b| b.1.total_cmp(&a.1));
        let results = results
            .iter()
            .map(|(index, score)| json!({"index": index, "relevance_score": score}));
        vec![Act::Send(json(
            &json!({"results": results.collect::<Value>()}),
        ))]
    })
    .await;
    let reranker = OpenAiReranker::new(&server.settings(), RerankSettings::default()).unwrap();
    reranker_conforms(&reranker).await;
    let request = &server.requests()[0];
    assert_eq!(request.path, "/v1/rerank");
    assert_eq!(request.body["model"], "model-1");
}

#[tokio::test]
async fn models_without_weights_conform() {
    let chat = ScriptedChat::replying(|request| match request.schema {
        Some(_) => Script::say(r#"{"answer":"否","sure":false}"#),
        None => Script::Say(vec!["居住证".into(), "有效期一年。".into()]),
    });
    chat_conforms(&chat).await;
    assert!(chat.asked().len() > 5);
    embedder_conforms(&HashEmbedder::new(256)).await;
    reranker_conforms(&OverlapReranker).await;
}
