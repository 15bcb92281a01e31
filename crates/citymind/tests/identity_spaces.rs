//! Knowledge spaces that not everybody sees.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use common::{
    Server, Visitor, expect,
    files::{code, policy},
    problem,
};
use reqwest::{
    RequestBuilder,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

const SPACE: &str = "内部";

/// A document that only one space has.
struct Filed {
    id: String,
    import: String,
    code: String,
}

fn one(space: &str, n: usize) -> Form {
    let text = policy(n) + "\n\n![示意](data:image/gif;base64,R0lGODlhAQABAAAAACw=)\n";
    let file = Part::bytes(text.into_bytes()).file_name(format!("第{n}号.md"));
    Form::new()
        .text("space", space.to_owned())
        .part("file", file)
}

async fn file(server: &Server, space: &str, n: usize) -> Filed {
    let upload = server.post("/api/v1/knowledge/imports");
    let accepted = expect(202, upload.multipart(one(space, n))).await;
    let import = server.import_done(accepted["id"].as_str().unwrap()).await;
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    Filed {
        id: text(&import["rows"][0]["document"]),
        import: text(&import["id"]),
        code: code(n),
    }
}

/// How somebody asks.
type Asks<'a> = &'a dyn Fn(&str, &str) -> RequestBuilder;

async fn spaces_told(ask: Asks<'_>) -> String {
    let facets = expect(200, ask("GET", "/api/v1/knowledge/facets")).await;
    facets.to_string()
}

async fn found(ask: Asks<'_>, query: &str) -> Vec<Value> {
    let search = ask("POST", "/api/v1/knowledge/search");
    let found = expect(200, search.json(&json!({"query": query, "limit": 50}))).await;
    found["hits"].as_array().unwrap().clone()
}

async fn listed(ask: Asks<'_>) -> Vec<String> {
    let path = "/api/v1/knowledge/documents?page_size=200";
    let list = expect(200, ask("GET", path)).await;
    let items = list["items"].as_array().unwrap();
    assert_eq!(list["total"], items.len());
    let ids = items.iter().map(|d| d["id"].as_str().unwrap().to_owned());
    ids.collect()
}

async fn sees(ask: Asks<'_>, document: &Filed) {
    assert!(listed(ask).await.contains(&document.id));
    let path = format!("/api/v1/knowledge/documents/{}", document.id);
    expect(200, ask("GET", &path)).await;
    let original = ask("GET", &format!("{path}/original")).send().await;
    let original = original.unwrap().text().await.unwrap();
    assert!(original.contains(&document.code));
    let picture = ask("GET", &format!("{path}/pictures/0")).send().await;
    assert_eq!(picture.unwrap().status(), 200);
    assert_eq!(found(ask, &document.code).await[0]["document"], document.id);
    assert!(spaces_told(ask).await.contains(SPACE));
    let answer = asked(ask, document).await;
    assert_eq!(answer["status"], "answered", "{answer:#}");
    assert_eq!(answer["citations"][0]["document"], document.id);
}

async fn asked(ask: Asks<'_>, document: &Filed) -> Value {
    let question = format!("代号{}的试点单位，每月补助多少元？", document.code);
    let request = ask("POST", "/api/v1/ask");
    expect(200, request.json(&json!({"question": question}))).await
}

async fn sees_nothing(ask: Asks<'_>, document: &Filed) {
    assert!(!listed(ask).await.contains(&document.id));
    let path = format!("/api/v1/knowledge/documents/{}", document.id);
    problem(404, "not_found", ask("GET", &path)).await;
    problem(404, "not_found", ask("GET", &format!("{path}/original"))).await;
    problem(404, "not_found", ask("GET", &format!("{path}/pictures/0"))).await;
    for hit in found(ask, &document.code).await {
        assert_ne!(hit["document"], document.id);
    }
    // Asking for the space by name opens nothing.
    let named = json!({"query": document.code, "space": SPACE});
    let search = ask("POST", "/api/v1/knowledge/search").json(&named);
    let response = search.send().await.unwrap().text().await.unwrap();
    assert!(!response.contains(&document.id), "{response}");
    assert!(!spaces_told(ask).await.contains(SPACE));
    let answer = asked(ask, document).await.to_string();
    assert!(
        !answer.contains(&document.id) && !answer.contains("117元"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_restricted_space_is_there_for_whom_it_is_meant_and_nowhere_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let inner = file(&server, SPACE, 17).await;
    let open = file(&server, "公开", 23).await;
    let office = server.department("机要科").await;
    let key = async |roles: &[&str], departments: &[&str]| {
        let form = json!({"name": "k", "roles": roles, "departments": departments});
        server.new_key(&form).await.1
    };
    let (leader, within, clerk) = (
        key(&["leader"], &[]).await,
        key(&["clerk"], &[&office]).await,
        key(&["clerk"], &[]).await,
    );
    let visitor = Visitor::new(&server).await;
    let nobody = |method: &str, path: &str| match method {
        "GET" => visitor.get(path),
        _ => visitor.post(path),
    };
    let by_leader = |method: &str, path: &str| server.with(&leader, method, path);
    let by_within = |method: &str, path: &str| server.with(&within, method, path);
    let by_clerk = |method: &str, path: &str| server.with(&clerk, method, path);
    let local = |method: &str, path: &str| server.with(&server.key, method, path);
    let everybody: [Asks<'_>; 5] = [&nobody, &by_leader, &by_within, &by_clerk, &local];
    for ask in everybody {
        sees(ask, &inner).await;
    }

    let rule = |access: Value| {
        server
            .post("/api/v1/spaces")
            .json(&json!({"space": SPACE, "access": access}))
    };
    let some = json!({"kind": "some", "roles": ["leader"], "departments": [office]});
    expect(200, rule(some)).await;
    for ask in [&by_leader as Asks<'_>, &by_within, &local] {
        sees(ask, &inner).await;
    }
    for ask in [&nobody as Asks<'_>, &by_clerk] {
        sees_nothing(ask, &inner).await;
        assert!(listed(ask).await.contains(&open.id), "the rest is there");
        assert_eq!(found(ask, &open.code).await[0]["document"], open.id);
    }
    // Who keeps the knowledge keeps what they see.
    let path = format!("/api/v1/knowledge/documents/{}", inner.id);
    problem(404, "not_found", by_clerk("DELETE", &path)).await;
    problem(
        404,
        "not_found",
        by_clerk("POST", &format!("{path}/restore")),
    )
    .await;
    let import = format!("/api/v1/knowledge/imports/{}", inner.import);
    problem(404, "not_found", by_clerk("GET", &import)).await;
    problem(
        404,
        "not_found",
        by_clerk("GET", &format!("{import}/events")),
    )
    .await;
    problem(
        404,
        "not_found",
        by_clerk("POST", &format!("{import}/cancel")),
    )
    .await;
    let imports = expect(200, by_clerk("GET", "/api/v1/knowledge/imports")).await;
    assert_eq!(
        (&imports["total"], &imports["items"][0]["id"]),
        (&json!(1), &json!(open.import))
    );
    let upload = by_clerk("POST", "/api/v1/knowledge/imports");
    problem(403, "forbidden", upload.multipart(one(SPACE, 31))).await;
    expect(200, by_within("GET", &import)).await;

    // Whoever is signed in; then, with the rule taken back, everybody again.
    expect(200, rule(json!({"kind": "signed_in"}))).await;
    sees(&by_clerk, &inner).await;
    sees_nothing(&nobody, &inner).await;
    let rules = expect(200, rule(Value::Null)).await;
    assert_eq!(rules, json!([]));
    for ask in everybody {
        sees(ask, &inner).await;
    }
}
