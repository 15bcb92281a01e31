//! What keeps strangers from doing harm: rates, sizes, headers that bind the browser.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use common::{Server, expect, files::below, form, people::unfollowing, problem, problem_of};
use reqwest::Response;
use serde_json::json;

async fn with(settings: &[(&str, &str)]) -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start_with(&data, &["--demo"], settings).await;
    (folder, server)
}

/// Asks until it is too much.
async fn until_refused(mut ask: impl AsyncFnMut() -> Response) -> (u64, Response) {
    for count in 0..500 {
        let response = ask().await;
        if response.status() == 429 {
            return (count, response);
        }
        assert!(response.status().is_success(), "{}", response.status());
    }
    panic!("nothing is too much");
}

async fn told_to_wait(response: Response) {
    let wait = response.headers()["retry-after"].to_str().unwrap();
    let wait: u64 = wait.parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    problem_of(429, "too_many_requests", response).await;
}

#[tokio::test]
async fn each_address_has_its_own_measure_and_keys_have_theirs() {
    let (_folder, server) = with(&[
        ("RATES__PER_ADDRESS", "1"),
        ("RATES__PER_KEY", "1"),
        ("RATES__PER_USER", "1"),
    ])
    .await;
    let path = "/api/v1/sessions";
    let from = |address: &str| {
        server
            .anonymous("GET", path)
            .header("x-forwarded-for", address.to_owned())
    };
    let (count, refused) = until_refused(async || from("203.0.113.5").send().await.unwrap()).await;
    assert!(count >= 10, "ten may come at once: {count}");
    told_to_wait(refused).await;
    expect(200, from("203.0.113.6")).await;
    // What somebody writes into the header is not the address that our proxy saw.
    let (_, refused) = until_refused(async || from("203.0.113.5").send().await.unwrap()).await;
    told_to_wait(refused).await;
    let disguised = from("198.51.100.1, 203.0.113.5").send().await.unwrap();
    told_to_wait(disguised).await;
    // A wrong key is no way around.
    let wrong = server
        .with("cmk_wrong", "GET", path)
        .header("x-forwarded-for", "203.0.113.5");
    told_to_wait(wrong.send().await.unwrap()).await;
    // A whole /64 belongs to one customer.
    let six = async || from("2001:db8:1:2::1").send().await.unwrap();
    told_to_wait(until_refused(six).await.1).await;
    told_to_wait(from("2001:db8:1:2:ffff::9").send().await.unwrap()).await;
    expect(200, from("2001:db8:1:3::1")).await;

    // Keys and accounts are measured by what they are, not by where they come from.
    let (first, second) = (
        server.key_of(&["clerk"]).await,
        server.key_of(&["clerk"]).await,
    );
    let by = |key: &str| {
        server
            .with(key, "GET", path)
            .header("x-forwarded-for", "203.0.113.5")
    };
    let (_, refused) = until_refused(async || by(&first).send().await.unwrap()).await;
    told_to_wait(refused).await;
    expect(200, by(&second)).await;
    let (one, other) = (
        server.demo_person("吴秀英").await,
        server.demo_person("陈立新").await,
    );
    let (_, refused) = until_refused(async || by(&one).send().await.unwrap()).await;
    told_to_wait(refused).await;
    expect(200, by(&other)).await;
    // Whoever sits at the machine is let in.
    for _ in 0..30 {
        expect(200, server.get(path)).await;
    }
}

#[tokio::test]
async fn attempts_to_sign_in_are_few_whatever_they_are_for() {
    let (_folder, server) = with(&[("RATES__SIGN_INS_PER_MINUTE", "6")]).await;
    let browser = unfollowing();
    let attempts = [
        ("POST", "/api/v1/auth/sign-in"),
        ("POST", "/api/v1/auth/link"),
        ("POST", "/api/v1/auth/redeem"),
        ("POST", "/api/v1/demo/sign-in"),
        ("GET", "/api/v1/auth/oidc/demo"),
        ("GET", "/api/v1/auth/oidc/demo/callback"),
    ];
    let send = async |method: &str, path: &str, from: &str| {
        let request = browser
            .request(method.parse().unwrap(), server.url(path))
            .header("x-forwarded-for", from.to_owned());
        let body = json!({"login": "a", "password": "b", "secret": "c"});
        let request = if method == "POST" {
            request.json(&body)
        } else {
            request
        };
        request.send().await.unwrap()
    };
    for (method, path) in attempts {
        let response = send(method, path, "203.0.113.9").await;
        assert_ne!(response.status(), 429, "{path}");
    }
    for (method, path) in attempts {
        let response = send(method, path, "203.0.113.9").await;
        told_to_wait(response).await;
        let elsewhere = send(method, path, "203.0.113.10").await;
        assert_ne!(elsewhere.status(), 429, "{path}");
    }
}

#[tokio::test]
async fn an_upload_or_a_document_that_is_too_large_is_refused_and_leaves_nothing() {
    let (_folder, server) = with(&[("LIMITS__UPLOAD_MIB", "3"), ("LIMITS__FILE_MIB", "1")]).await;
    let text = |mib: usize| "公积金提取办法。".repeat((mib << 20) / 24).into_bytes();
    let before = server.read("/api/v1/knowledge/imports").await["total"].clone();
    let large = server.uploading(vec![("大.md", text(4))]);
    problem(413, "too_large", large).await;
    let total = server.read("/api/v1/knowledge/imports").await["total"].clone();
    assert_eq!(total, before);
    assert!(below(&server.data.join("staging")).is_empty());
    let import = server.import(vec![("中.md", text(2))]).await;
    let row = &import["rows"][0];
    assert_eq!(row["state"], "failed", "{import:#}");
    assert!(row["error"].as_str().unwrap().contains("MB"), "{row}");
    // A body that is no upload may be much smaller still.
    let body = json!({"question": "x".repeat(300 << 10)});
    problem(413, "too_large", server.post("/api/v1/ask").json(&body)).await;
    // Not even whoever may upload nothing fills the disk.
    let anonymous = server.anonymous("POST", "/api/v1/knowledge/imports");
    let refused = anonymous.multipart(form(vec![("a.md", text(1))]));
    problem(401, "sign_in_required", refused).await;
    assert!(below(&server.data.join("staging")).is_empty());
}

/// The sources from which a page may run scripts.
fn scripts_from(policy: &str) -> Vec<&str> {
    let directives: Vec<Vec<&str>> = policy
        .split(';')
        .map(|d| d.split_whitespace().collect())
        .collect();
    let named = |name: &str| directives.iter().find(|d| d.first() == Some(&name));
    let found = named("script-src").or_else(|| named("default-src"));
    found.map_or_else(Vec::new, |d| d[1..].to_vec())
}

#[tokio::test]
async fn no_page_and_no_reply_lets_foreign_or_inline_scripts_run() {
    let (_folder, server) = with(&[("RATES__SIGN_INS_PER_MINUTE", "1000")]).await;
    let described = server.read("/api/openapi.json").await;
    let mut asked: Vec<(String, String)> = Vec::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            asked.push((method.to_uppercase(), path.clone()));
            asked.push(("PUT".into(), path.clone()));
        }
    }
    for page in [
        "/",
        "/ask",
        "/sign-in",
        "/setup",
        "/password",
        "/knowledge/documents/x",
        "/nothing.js",
        "/api/v1/nothing",
        "/demo/identity/jwks",
        "/demo/identity/authorize",
    ] {
        asked.push(("GET".into(), page.into()));
    }
    let client = unfollowing();
    let begun = client.get(server.url("/api/v1/auth/oidc/demo"));
    let begun = begun.send().await.unwrap();
    let authorize = common::people::location(&begun);
    let path = authorize.strip_prefix(&server.url("")).unwrap();
    asked.push(("GET".into(), path.to_owned()));
    let mut pages = 0;
    for (method, path) in asked {
        for key in [None, Some(&server.key)] {
            let request = client.request(method.parse().unwrap(), server.url(&path));
            let request = match key {
                Some(key) => request.bearer_auth(key),
                None => request,
            };
            let response = request.send().await.unwrap();
            let headers = response.headers();
            let policy = headers
                .get("content-security-policy")
                .unwrap_or_else(|| panic!("{method} {path} without a policy"))
                .to_str()
                .unwrap();
            assert_eq!(scripts_from(policy), ["'self'"], "{method} {path}");
            for wanted in ["object-src 'none'", "base-uri 'self'"] {
                assert!(policy.contains(wanted), "{method} {path}: {policy}");
            }
            assert_eq!(headers["x-content-type-options"], "nosniff");
            assert!(headers.contains_key("x-request-id"), "{method} {path}");
            let kind = headers.get("content-type").map(|v| v.to_str().unwrap());
            if kind.is_some_and(|k| k.starts_with("text/html")) {
                pages += 1;
                let html = response.text().await.unwrap();
                for script in html.split("<script").skip(1) {
                    let (attributes, rest) = script.split_once('>').unwrap();
                    assert!(
                        attributes.contains("src=\"/") && rest.starts_with("</script>"),
                        "{path}: a script within the page would not run"
                    );
                }
            }
        }
    }
    assert!(pages >= 8, "{pages}");
}
