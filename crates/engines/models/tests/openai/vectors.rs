//! Vectors and scores that are not what was asked for.

use citymind_engine_models::{EmbeddingSettings, OpenAiEmbedder, OpenAiReranker, RerankSettings};
use kernel::{
    ErrorCode,
    models::{EmbedAs, Embedder, Reranker},
};
use serde_json::{Value, json};

use crate::server::{Server, answer, json};

fn texts(count: usize) -> Vec<String> {
    vec!["文".to_owned(); count]
}

fn settings() -> EmbeddingSettings {
    EmbeddingSettings {
        dimensions: 2,
        ..EmbeddingSettings::default()
    }
}

fn vector(index: u64, embedding: &Value) -> Value {
    json!({"index": index, "embedding": embedding})
}

#[tokio::test]
async fn wrong_vectors_are_refused_with_what_is_wrong() {
    let good = vector(0, &json!([3, 4]));
    for (data, word) in [
        (json!([good]), "得到 1 个向量"),
        (json!([good, good]), "序号"),
        (json!([good, vector(2, &json!([1, 0]))]), "序号"),
        (
            json!([good, vector(1, &json!([1, 0, 0]))]),
            "dimensions 为 2",
        ),
        (json!([good, vector(1, &json!([1, null]))]), "不是数字"),
        (json!([good, vector(1, &json!([0, 0.0]))]), "全为零"),
        (json!([good, vector(1, &json!([1e300, 1e300]))]), "不是数字"),
        (json!([good, {"index": 1}]), "embedding"),
        (json!("none"), "data"),
    ] {
        let server = Server::always(json(&json!({"data": data}))).await;
        let embedder = OpenAiEmbedder::new(&server.settings(), settings()).unwrap();
        let error = embedder
            .embed(texts(2), EmbedAs::Passage)
            .await
            .unwrap_err();
        assert_eq!(error.code, ErrorCode::ModelReply, "{data}");
        assert!(error.message.contains(word), "{word}: {error:?}");
    }
}

#[tokio::test]
async fn services_that_do_not_number_their_vectors_are_believed_to_keep_the_order() {
    let data = json!([{"embedding": [3, 4]}, {"embedding": [0, -2]}]);
    let server = Server::always(json(&json!({"data": data}))).await;
    let mut settings = settings();
    settings.send_dimensions = true;
    let embedder = OpenAiEmbedder::new(&server.settings(), settings).unwrap();
    let vectors = embedder.embed(texts(2), EmbedAs::Query).await.unwrap();
    assert_eq!(vectors, [[0.6, 0.8], [0.0, -1.0]]);
    assert_eq!(server.requests()[0].body["dimensions"], 2);
}

#[tokio::test]
async fn wrong_scores_are_refused_with_what_is_wrong() {
    let score = |index: u64, score: Value| json!({"index": index, "relevance_score": score});
    for (results, word) in [
        (json!([score(0, json!(1))]), "得到 1 个分数"),
        (json!([score(0, json!(1)), score(0, json!(1))]), "序号"),
        (json!([score(0, json!(1)), score(9, json!(1))]), "序号"),
        (
            json!([score(0, json!(1)), score(1, json!(null))]),
            "不是数字",
        ),
        (
            json!([score(0, json!(1)), score(1, json!(1e300))]),
            "不是数字",
        ),
        (json!(null), "results"),
    ] {
        let server = Server::always(json(&json!({"results": results}))).await;
        let reranker = OpenAiReranker::new(&server.settings(), RerankSettings::default()).unwrap();
        let error = reranker.rerank("问".into(), texts(2)).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::ModelReply, "{results}");
        assert!(error.message.contains(word), "{word}: {error:?}");
    }
}

#[tokio::test]
async fn refusals_and_pages_are_told_as_for_chats() {
    for (bytes, code) in [
        (
            answer("401 Unauthorized", "text/plain", ""),
            ErrorCode::ModelUnavailable,
        ),
        (
            answer("200 OK", "text/html", "<html>"),
            ErrorCode::ModelReply,
        ),
        (
            json(&json!({"error": {"code": "429"}})),
            ErrorCode::ModelUnavailable,
        ),
    ] {
        let server = Server::always(bytes).await;
        let embedder = OpenAiEmbedder::new(&server.settings(), settings()).unwrap();
        let error = embedder.embed(texts(1), EmbedAs::Query).await.unwrap_err();
        assert_eq!(error.code, code, "{error:?}");
        let reranker = OpenAiReranker::new(&server.settings(), RerankSettings::default()).unwrap();
        let error = reranker.rerank("问".into(), texts(1)).await.unwrap_err();
        assert_eq!(error.code, code, "{error:?}");
    }
}

#[tokio::test]
async fn settings_without_a_length_are_refused() {
    let server = Server::always(Vec::new()).await;
    let error = OpenAiEmbedder::new(&server.settings(), EmbeddingSettings::default()).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidInput);
    assert!(error.message.contains("dimensions"), "{error:?}");
}
