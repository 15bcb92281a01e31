//! The product on models: chosen while it runs, checked sentence by sentence, and gone on without.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use common::{Server, events, expect, problem, wait_for};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How the endpoint behaves.
#[derive(Clone)]
enum Play {
    /// Streams this reply, some characters at a time.
    Says(String),
    /// Sends half a reply and closes.
    BreaksOff(String),
    /// Answers with a status.
    Status(u16),
    /// Sends something else with status 200.
    Garbage,
    /// Never answers.
    Hangs,
}

#[derive(Clone)]
struct Endpoint {
    address: SocketAddr,
    play: Arc<Mutex<Play>>,
    asked: Arc<Mutex<Vec<Value>>>,
}

fn chunk(text: &str) -> String {
    let event = json!({"choices": [{"index": 0, "delta": {"content": text}}]});
    format!("data: {event}\n\n")
}

fn streamed(body: String, whole: bool) -> Response {
    let parts = if whole {
        vec![Ok(body)]
    } else {
        vec![Ok(body), Err(std::io::Error::other("cut off"))]
    };
    let body = Body::from_stream(futures_util::stream::iter(parts));
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

async fn chat(State(endpoint): State<Endpoint>, Json(request): Json<Value>) -> Response {
    endpoint.asked.lock().unwrap().push(request);
    let play = endpoint.play.lock().unwrap().clone();
    match play {
        Play::Says(text) => {
            let characters: Vec<char> = text.chars().collect();
            let mut body: String = characters
                .chunks(3)
                .map(|c| chunk(&c.iter().collect::<String>()))
                .collect();
            body += "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
            streamed(body, true)
        }
        Play::BreaksOff(text) => streamed(chunk(&text), false),
        Play::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Play::Garbage => "<html>这不是模型</html>".into_response(),
        Play::Hangs => std::future::pending::<Result<Response, Infallible>>()
            .await
            .into_response(),
    }
}

/// A vector whose directions are subjects: texts about the same subject are near without sharing a word.
async fn embed(Json(request): Json<Value>) -> Json<Value> {
    const SUBJECTS: [&[&str]; 3] = [
        &["毛孩", "养犬", "犬只"],
        &["房租", "租赁"],
        &["停车", "泊位"],
    ];
    let vector = |text: &str| -> Vec<f32> {
        let mut vector = vec![0.05f32; 4];
        for (place, words) in SUBJECTS.iter().enumerate() {
            vector[place] += words.iter().filter(|w| text.contains(**w)).count() as f32;
        }
        vector
    };
    let data: Vec<Value> = request["input"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(index, text)| json!({"index": index, "embedding": vector(text.as_str().unwrap())}))
        .collect();
    Json(json!({"data": data}))
}

impl Endpoint {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Self {
            address: listener.local_addr().unwrap(),
            play: Arc::new(Mutex::new(Play::Garbage)),
            asked: Arc::default(),
        };
        let routes = Router::new()
            .route("/v1/chat/completions", post(chat))
            .route("/v1/embeddings", post(embed))
            .with_state(endpoint.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        endpoint
    }

    fn plays(&self, play: Play) {
        *self.play.lock().unwrap() = play;
    }

    fn settings(&self) -> String {
        format!(
            r#"[models]
embedder = "none"

[[models.chat_endpoints]]
endpoint = {{ name = "talker", base_url = "http://{0}/v1", model = "m", retries = 0, times = {{ connect = 2, first_byte = 0.5, between = 0.5, whole = 5 }} }}

[[models.embedding_endpoints]]
endpoint = {{ name = "subjects", base_url = "http://{0}/v1", model = "e" }}
embedding = {{ dimensions = 4 }}
"#,
            self.address
        )
    }
}

const RULE: &str = "# 启明市养犬管理办法\n\n启政规〔2025〕9号\n\n第一条 为了规范养犬行为，制定本办法。\n\n\
    第二条 个人养犬的，应当自取得犬只之日起15日内到居住地派出所办理养犬登记，登记不收取费用。\n\n\
    第三条 未办理养犬登记的，由公安机关责令限期改正；逾期不改正的，处200元以上500元以下罚款。\n\n第四条 本办法自2025年6月1日起施行。\n";

async fn server(folder: &std::path::Path, endpoint: &Endpoint) -> Server {
    let data = folder.join("data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("citymind.toml"), endpoint.settings()).unwrap();
    let server = Server::start(&data, &[]).await;
    server
        .import(vec![("养犬.md", RULE.as_bytes().to_vec())])
        .await;
    server
}

async fn use_model(server: &Server, name: &str, body: Value) -> Value {
    let path = format!("/api/v1/models/{name}/use");
    expect(200, server.post(&path).json(&body)).await
}

const QUESTION: &str = "个人养犬登记应当在多少日内办理，登记收取费用吗？";

#[tokio::test]
async fn a_model_phrases_and_only_what_the_evidence_supports_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::start().await;
    let server = server(folder.path(), &endpoint).await;
    let status = server.read("/api/v1/status").await;
    assert_eq!(status["model"]["mode"], "none");
    let plain = server.ask(QUESTION).await;
    assert_eq!(
        (&plain["status"], &plain["phrased_by"]),
        (&json!("answered"), &Value::Null)
    );

    use_model(&server, "talker", json!({})).await;
    let status = server.read("/api/v1/status").await;
    assert_eq!(
        (&status["model"]["mode"], &status["model"]["chat"]),
        (&json!("remote"), &json!("talker"))
    );
    endpoint.plays(Play::Says(
        "取得犬只之日起15日内到居住地派出所办理养犬登记。〔1〕登记不收取费用〔1〕。办理时须缴纳300元押金。〔1〕\n应当在30日内办理养犬登记。〔1〕"
            .into(),
    ));
    let answer = server.ask(QUESTION).await;
    assert_eq!(answer["phrased_by"], "talker");
    let said = answer["answer"].as_str().unwrap();
    assert!(
        said.contains("15日内") && said.contains("不收取费用"),
        "{said}"
    );
    assert!(!said.contains("300") && !said.contains("30日"), "{said}");
    let citation = &answer["citations"][0];
    assert!(citation["quote"].as_str().unwrap().contains("15日内"));
    assert_eq!(answer["segments"][0]["citations"], json!([1]));

    // What was dropped, and why, is in the trace.
    let trace = answer["trace"].as_str().unwrap();
    let trace = server.read(&format!("/api/v1/traces/{trace}")).await;
    let spans = trace["spans"].as_array().unwrap();
    let phrase = spans.iter().find(|s| s["name"] == "phrase").unwrap();
    let dropped: Vec<&Value> = phrase["attributes"]["sentences"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|s| s.get("dropped"))
        .map(|d| &d["reason"])
        .collect();
    assert_eq!(dropped, [&json!("number"), &json!("number")]);
    assert_eq!(phrase["attributes"]["model"]["name"], "talker");

    // The instructions and the evidence went along, the question last.
    let asked = endpoint.asked.lock().unwrap().last().unwrap().clone();
    let user = asked["messages"][1]["content"].as_str().unwrap();
    assert!(user.contains("〔1〕") && user.ends_with(QUESTION), "{user}");

    // Streamed, each sentence comes after what it stands on, once.
    let streamed = server
        .post("/api/v1/ask")
        .header("accept", "text/event-stream")
        .json(&json!({"question": QUESTION}))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let names: Vec<String> = events(&streamed).into_iter().map(|e| e.0).collect();
    let first = |name: &str| names.iter().position(|n| n == name).unwrap();
    assert!(first("citation") < first("segment"), "{names:?}");
    assert_eq!(names.iter().filter(|n| *n == "segment").count(), 2);

    // The choice outlives a restart; `none` ends it.
    let mut server = server;
    server.stop().await;
    let server = Server::start(&folder.path().join("data"), &[]).await;
    assert_eq!(server.ask(QUESTION).await["phrased_by"], "talker");
    use_model(&server, "none", json!({"part": "chat"})).await;
    assert_eq!(server.ask(QUESTION).await["phrased_by"], Value::Null);
}

#[tokio::test]
async fn whatever_the_endpoint_does_the_question_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::start().await;
    let server = server(folder.path(), &endpoint).await;
    let plain = server.ask(QUESTION).await;
    for play in [
        Play::Status(500),
        Play::Status(429),
        Play::Status(401),
        Play::Garbage,
        Play::Hangs,
        Play::BreaksOff("办理养".into()),
        Play::Says("资料未提及".into()),
        Play::Says("您可以随时办理，费用为800元。〔1〕".into()),
        Play::Says(String::new()),
    ] {
        // Chosen anew, so that what happened before is forgotten.
        use_model(&server, "talker", json!({})).await;
        endpoint.plays(play);
        let answer = server.ask(QUESTION).await;
        assert_eq!(
            (&answer["status"], &answer["answer"], &answer["phrased_by"]),
            (&plain["status"], &plain["answer"], &Value::Null)
        );
    }
    let models = server.read("/api/v1/models").await;
    assert_eq!(models["chat"][0]["model"]["name"], "talker");
}

#[tokio::test]
async fn clauses_are_found_by_meaning_once_they_are_embedded_and_by_words_before() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::start().await;
    let server = server(folder.path(), &endpoint).await;
    // Shares no word with the rule.
    let query = "毛孩";
    assert!(server.search(query).await.is_empty());
    use_model(&server, "subjects", json!({})).await;
    wait_for("the vectors", || async {
        let status = server.read("/api/v1/status").await;
        (status["model"]["waiting"] == 0).then_some(())
    })
    .await;
    let hits = server.search(query).await;
    assert!(
        hits[0]["title"].as_str().unwrap().contains("养犬"),
        "{hits:?}"
    );
    // Gone from the knowledge is gone from what is found by meaning, at once.
    let id = hits[0]["document"].as_str().unwrap().to_owned();
    expect(
        200,
        server.delete(&format!("/api/v1/knowledge/documents/{id}")),
    )
    .await;
    assert!(server.search(query).await.is_empty());
}

#[tokio::test]
async fn what_is_not_there_can_not_be_used_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::start().await;
    let server = server(folder.path(), &endpoint).await;
    let models = server.read("/api/v1/models").await;
    let all = models["models"].as_array().unwrap();
    let e5 = all.iter().find(|m| m["name"] == "e5-small-q4").unwrap();
    assert_eq!((&e5["available"], &e5["place"]), (&json!(false), &json!(0)));
    let use_it = |name: &str| {
        server
            .post(&format!("/api/v1/models/{name}/use"))
            .json(&json!({}))
    };
    let told = problem(503, "model_unavailable", use_it("e5-small-q4")).await;
    assert!(told["detail"].as_str().unwrap().contains("models pull"));
    problem(400, "invalid_input", use_it("nothing-like-it")).await;
    problem(400, "invalid_input", use_it("none")).await;
    let wrong = json!({"part": "embedding"});
    let wrong = server.post("/api/v1/models/talker/use").json(&wrong);
    problem(400, "invalid_input", wrong).await;
    problem(
        400,
        "invalid_input",
        server.post("/api/v1/models/talker/pull"),
    )
    .await;
    // Only for those who keep models.
    problem(
        401,
        "sign_in_required",
        server.anonymous("GET", "/api/v1/models"),
    )
    .await;
}
