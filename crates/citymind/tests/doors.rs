//! The HTTP doors: what is described, what is refused and how, who may do what.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use common::{Server, expect, is_chinese, problem, problem_of};
use serde_json::{Value, json};

async fn empty() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), &[]).await;
    (folder, server)
}

/// Every `$ref` below a value.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            found.extend(
                object
                    .get("$ref")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            object.values().for_each(|v| references(v, found));
        }
        Value::Array(items) => items.iter().for_each(|v| references(v, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_interface_is_described_whole_and_every_reference_leads_somewhere() {
    let (_folder, server) = empty().await;
    let described = server.read("/api/openapi.json").await;
    assert!(described["openapi"].as_str().unwrap().starts_with("3.1."));
    for (path, method) in [
        ("/api/v1/ask", "post"),
        ("/api/v1/sessions", "get"),
        ("/api/v1/sessions/{id}", "get"),
        ("/api/v1/sessions/{id}", "delete"),
        ("/api/v1/sessions/{id}/restore", "post"),
        ("/api/v1/traces/{id}", "get"),
        ("/api/v1/knowledge/search", "post"),
        ("/api/v1/knowledge/documents", "get"),
        ("/api/v1/knowledge/documents/{id}", "get"),
        ("/api/v1/knowledge/documents/{id}", "delete"),
        ("/api/v1/knowledge/documents/{id}/restore", "post"),
        ("/api/v1/knowledge/documents/{id}/original", "get"),
        ("/api/v1/knowledge/documents/{id}/pictures/{picture}", "get"),
        ("/api/v1/knowledge/facets", "get"),
        ("/api/v1/knowledge/reindex", "post"),
        ("/api/v1/knowledge/imports", "get"),
        ("/api/v1/knowledge/imports", "post"),
        ("/api/v1/knowledge/imports/{id}", "get"),
        ("/api/v1/knowledge/imports/{id}/cancel", "post"),
        ("/api/v1/knowledge/imports/{id}/events", "get"),
        ("/api/v1/status", "get"),
        ("/health/live", "get"),
        ("/health/ready", "get"),
        ("/api/openapi.json", "get"),
    ] {
        let operation = &described["paths"][path][method];
        assert!(
            operation["responses"].is_object(),
            "{method} {path} is not described"
        );
        for name in path
            .split('{')
            .skip(1)
            .map(|p| p.split('}').next().unwrap())
        {
            let parameters = operation["parameters"].as_array().unwrap();
            let own = parameters
                .iter()
                .find(|p| p["name"] == name && p["in"] == "path")
                .unwrap_or_else(|| panic!("{path}: {name}"));
            assert_eq!(own["required"], true);
        }
    }
    let mut found = Vec::new();
    references(&described, &mut found);
    assert!(found.len() > 20);
    for reference in found {
        let pointer = reference
            .strip_prefix('#')
            .unwrap_or_else(|| panic!("{reference} leads outside"));
        assert!(
            described.pointer(pointer).is_some(),
            "{reference} leads nowhere"
        );
    }
    let mut operations: Vec<&str> = Vec::new();
    for methods in described["paths"].as_object().unwrap().values() {
        operations.extend(
            methods
                .as_object()
                .unwrap()
                .values()
                .filter_map(|o| o["operationId"].as_str()),
        );
    }
    let count = operations.len();
    operations.sort_unstable();
    operations.dedup();
    assert_eq!(operations.len(), count, "two operations share a name");
}

#[tokio::test]
async fn every_described_get_route_without_parameters_exists() {
    let (_folder, server) = empty().await;
    let described = server.read("/api/openapi.json").await;
    for (path, methods) in described["paths"].as_object().unwrap() {
        if methods.get("get").is_some() && !path.contains('{') {
            let response = server.get(path).send().await.unwrap();
            let status = match path.as_str() {
                // The administrator at this machine is nobody's account, and no business.
                path if path.starts_with("/api/v1/account/") => 403,
                "/api/v1/businesses/mine" | "/api/v1/support/mine" => 404,
                _ => 200,
            };
            assert_eq!(response.status(), status, "{path}");
        }
        // Where people come back to from a provider, a page tells them.
        if path.contains('{') && !path.ends_with("/callback") {
            let missing = path.replace("{id}", "00000000000000000000000000000000");
            for method in methods.as_object().unwrap().keys() {
                let method = reqwest::Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                if method != "POST" || path.ends_with("/cancel") || path.ends_with("/restore") {
                    let request = server.client.request(method, server.url(&missing));
                    let request = request.bearer_auth(&server.key);
                    // What is one's own needs somebody who signed in.
                    if path.starts_with("/api/v1/account/") {
                        problem(403, "forbidden", request).await;
                    } else {
                        problem(404, "not_found", request).await;
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn what_does_not_exist_is_told_as_a_problem_in_chinese() {
    let (_folder, server) = empty().await;
    problem(404, "not_found", server.get("/api/v1/no-such-thing")).await;
    problem(404, "not_found", server.get("/api/v2/ask")).await;
    problem(
        404,
        "not_found",
        server.get("/api/v1/knowledge/documents/nothing"),
    )
    .await;
    problem(
        404,
        "not_found",
        server.get("/api/v1/sessions/..%2f..%2fetc"),
    )
    .await;
    for (method, path) in [
        ("GET", "/api/v1/ask"),
        ("PUT", "/api/v1/sessions"),
        ("DELETE", "/api/v1/knowledge/imports"),
        ("POST", "/api/v1/status"),
    ] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let response = server
            .client
            .request(method, server.url(path))
            .send()
            .await
            .unwrap();
        assert!(response.headers().contains_key("allow"), "{path}");
        problem_of(405, "invalid_input", response).await;
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_told_as_a_problem_in_chinese() {
    let (_folder, server) = empty().await;
    let ask = |body: Vec<u8>| {
        server
            .post("/api/v1/ask")
            .header("content-type", "application/json")
            .body(body)
    };
    for body in [
        &b"{"[..],
        b"[]",
        b"\"x\"",
        b"null",
        b"{\"question\": 1 1}",
        b"question=x",
    ] {
        problem(400, "malformed_body", ask(body.to_vec())).await;
    }
    problem(
        400,
        "malformed_body",
        ask(b"{\"question\": \"\xff\xfe\"}".to_vec()),
    )
    .await;
    problem(
        400,
        "malformed_body",
        ask([&b"{\"question\": \""[..], &[0xC4, 0xE3, 0xBA, 0xC3], b"\"}"].concat()),
    )
    .await;
    let deep = format!(
        "{{\"question\": {}{}}}",
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    problem(400, "malformed_body", ask(deep.into_bytes())).await;
    let unpaired = ask(b"{\"question\": \"\\ud800\"}".to_vec())
        .send()
        .await
        .unwrap();
    problem_of(400, "malformed_body", unpaired).await;
}

#[tokio::test]
async fn fields_that_are_wrong_are_named() {
    let (_folder, server) = empty().await;
    let ask = |body: Value| server.post("/api/v1/ask").json(&body);
    let unknown = problem(
        400,
        "invalid_input",
        ask(json!({"question": "你好", "colour": "red"})),
    )
    .await;
    assert!(
        unknown["detail"].as_str().unwrap().contains("colour"),
        "{unknown}"
    );
    let missing = problem(400, "invalid_input", ask(json!({}))).await;
    assert!(
        missing["detail"].as_str().unwrap().contains("question"),
        "{missing}"
    );
    let nothing = problem(400, "invalid_input", server.post("/api/v1/ask")).await;
    assert!(
        nothing["detail"].as_str().unwrap().contains("question"),
        "{nothing}"
    );
    for empty in ["", "   ", "\n\u{3000}\t"] {
        problem(400, "invalid_input", ask(json!({"question": empty}))).await;
    }
    problem(
        404,
        "not_found",
        ask(json!({"question": "你好", "session": "no-such-session"})),
    )
    .await;
    problem(
        400,
        "invalid_input",
        server.get("/api/v1/knowledge/documents?sort=password"),
    )
    .await;
    problem(
        400,
        "invalid_input",
        server.get("/api/v1/knowledge/documents?colour=red"),
    )
    .await;
}

#[tokio::test]
async fn a_field_of_the_wrong_type_is_explained_in_chinese() {
    let (_folder, server) = empty().await;
    let ask = |body: Value| server.post("/api/v1/ask").json(&body);
    problem(400, "invalid_input", ask(json!({"question": 7}))).await;
    problem(400, "invalid_input", ask(json!({"question": ["你好"]}))).await;
    problem(
        400,
        "invalid_input",
        ask(json!({"question": "你好", "as_of": "2023-13-45"})),
    )
    .await;
    problem(
        400,
        "invalid_input",
        ask(json!({"question": "你好", "as_of": "昨天"})),
    )
    .await;
    problem(
        400,
        "invalid_input",
        server.get("/api/v1/knowledge/documents?page=abc"),
    )
    .await;
    problem(
        400,
        "invalid_input",
        server.get("/api/v1/knowledge/documents?status=broken"),
    )
    .await;
    let search = server
        .post("/api/v1/knowledge/search")
        .json(&json!({"query": "补贴", "limit": -1}));
    problem(400, "invalid_input", search).await;
}

#[tokio::test]
async fn an_address_that_is_no_utf8_is_told_as_a_problem() {
    let (_folder, server) = empty().await;
    for path in [
        "/api/v1/sessions/%FF%FE",
        "/api/v1/knowledge/documents/%C4%E3",
        "/api/v1/knowledge/documents/%FF/original",
    ] {
        let response = server.get(path).send().await.unwrap();
        let status = response.status().as_u16();
        assert!([400, 404].contains(&status), "{path}: {status}");
        problem_of(
            status,
            if status == 404 {
                "not_found"
            } else {
                "invalid_input"
            },
            response,
        )
        .await;
    }
}

#[tokio::test]
async fn a_question_that_is_too_long_is_refused_whatever_its_length() {
    let (_folder, server) = empty().await;
    let ask = |question: String| {
        server
            .post("/api/v1/ask")
            .json(&json!({"question": question}))
    };
    expect(200, ask("育".repeat(2000))).await;
    let refused = problem(413, "question_too_long", ask("育".repeat(2001))).await;
    assert!(
        refused["detail"].as_str().unwrap().contains("2001"),
        "{refused}"
    );
    let huge = ask("育".repeat((1 << 20) / 3)).send().await.unwrap();
    let status = huge.status().as_u16();
    let body: Value = huge.json().await.unwrap();
    assert_eq!(status, 413);
    assert!(
        ["too_large", "question_too_long"].contains(&body["code"].as_str().unwrap())
            && is_chinese(&body["detail"]),
        "{body}"
    );
    let search = server
        .post("/api/v1/knowledge/search")
        .json(&json!({"query": "育".repeat(2001)}));
    problem(413, "question_too_long", search).await;
    expect(200, ask("育儿补贴".into())).await;
}

#[tokio::test]
async fn an_upload_that_is_no_form_or_has_no_file_is_refused() {
    let (_folder, server) = empty().await;
    let upload = || server.post("/api/v1/knowledge/imports");
    problem(400, "malformed_body", upload().body("x")).await;
    problem(400, "malformed_body", upload().json(&json!({"file": "x"}))).await;
    problem(
        400,
        "invalid_input",
        upload().multipart(reqwest::multipart::Form::new().text("space", "x")),
    )
    .await;
    problem(
        400,
        "invalid_input",
        upload().multipart(reqwest::multipart::Form::new().text("colour", "red")),
    )
    .await;
    let cut =
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.md\"\r\n\r\n# 标题";
    problem(
        400,
        "malformed_body",
        upload()
            .header("content-type", "multipart/form-data; boundary=b")
            .body(cut),
    )
    .await;
    assert_eq!(server.read("/api/v1/knowledge/imports").await["total"], 0);
    assert_eq!(
        std::fs::read_dir(server.data.join("staging"))
            .unwrap()
            .count(),
        0,
        "nothing stays in the staging folder"
    );
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_a_page() {
    let (_folder, server) = empty().await;
    for path in [
        "/",
        "/api/v1/status",
        "/api/v1/nothing",
        "/health/live",
        "/knowledge",
    ] {
        let response = server.get(path).send().await.unwrap();
        let headers = response.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        assert!(headers.contains_key("referrer-policy"), "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("script-src 'unsafe"), "{policy}");
    }
}

#[tokio::test]
async fn paths_of_the_console_give_its_page_and_missing_files_do_not() {
    let (_folder, server) = empty().await;
    let mut pages = Vec::new();
    for path in [
        "/",
        "/knowledge",
        "/knowledge/documents/abc",
        "/some/where/else",
    ] {
        let response = server.get(path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert!(
            response.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/html"),
            "{path}"
        );
        pages.push(response.text().await.unwrap());
    }
    assert!(
        pages.windows(2).all(|p| p[0] == p[1]) && pages[0].contains("城智"),
        "{}",
        pages[0]
    );
    for path in [
        "/assets/missing.js",
        "/favicon.missing",
        "/..%2f..%2fetc%2fpasswd.txt",
    ] {
        assert_eq!(
            server.get(path).send().await.unwrap().status(),
            404,
            "{path}"
        );
    }
}

#[test]
fn the_page_on_errors_lists_every_code() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    let page = std::fs::read_to_string(&path).unwrap();
    for code in kernel::ErrorCode::ALL {
        assert!(
            page.contains(&format!("`{}`", code.as_str())),
            "docs/errors.md lacks {}",
            code.as_str()
        );
        assert!(
            page.contains(code.title()),
            "docs/errors.md lacks {}",
            code.title()
        );
    }
}
