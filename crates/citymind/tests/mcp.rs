//! The MCP door: what programs and models see of the capabilities, over HTTP and over standard input and output.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::{
    io::{BufRead, BufReader, Write},
    process::Stdio,
};

use common::{Server, citymind, run, said};
use serde_json::{Value, json};

async fn demo() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::demo(&folder.path().join("data")).await;
    (folder, server)
}

/// One request of the protocol; what comes back is the message itself or the last one of a stream.
async fn send(server: &Server, key: Option<&str>, method: &str, params: Value) -> Value {
    let mut request = server
        .anonymous("POST", "/mcp")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-06-18")
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}));
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let text = response.text().await.unwrap();
    let message = text
        .lines()
        .filter_map(|l| l.strip_prefix("data:"))
        .next_back()
        .unwrap_or(&text);
    serde_json::from_str(message).unwrap_or_else(|e| panic!("{e}: {text}"))
}

async fn tools(server: &Server, key: Option<&str>) -> Vec<Value> {
    let list = send(server, key, "tools/list", json!({})).await;
    list["result"]["tools"].as_array().unwrap().clone()
}

fn named<'a>(tools: &'a [Value], name: &str) -> Option<&'a Value> {
    tools.iter().find(|t| t["name"] == name)
}

async fn key(server: &Server, arguments: &[&str]) -> String {
    let data = server.data.to_str().unwrap();
    let mut all = vec!["keys", "create", "--data", data, "--name", "试", "--print"];
    all.extend(arguments);
    let out = run(&all).await;
    assert_eq!(out.status.code(), Some(0), "{:?}", said(&out));
    said(&out).0.trim().to_owned()
}

#[tokio::test]
async fn the_tools_are_those_that_the_caller_may_use() {
    let (_folder, server) = demo().await;
    let administrator = key(&server, &["--role", "administrator"]).await;
    let scoped = key(
        &server,
        &["--role", "administrator", "--scope", "service.ask"],
    )
    .await;
    let begun = send(
        &server,
        Some(&administrator),
        "initialize",
        json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}),
    )
    .await;
    assert_eq!(begun["result"]["serverInfo"]["name"], "citymind");
    let all = tools(&server, Some(&administrator)).await;
    assert!(all.len() >= 20, "{} tools", all.len());
    let search = named(&all, "knowledge_search").unwrap();
    assert_eq!(search["inputSchema"]["type"], "object");
    assert_eq!(search["outputSchema"]["type"], "object");
    assert_eq!(search["annotations"]["readOnlyHint"], true);
    let withdraw = named(&all, "knowledge_withdraw").unwrap();
    assert_eq!(
        (
            &withdraw["annotations"]["readOnlyHint"],
            &withdraw["annotations"]["destructiveHint"]
        ),
        (&json!(false), &json!(true))
    );
    let anyone = tools(&server, None).await;
    assert!(named(&anyone, "service_ask").is_some());
    assert!(named(&anyone, "users_list").is_none() && anyone.len() < all.len());
    let only: Vec<_> = tools(&server, Some(&scoped)).await;
    assert_eq!(only.len(), 1, "{only:?}");
    assert_eq!(only[0]["name"], "service_ask");
}

#[tokio::test]
async fn a_tool_answers_fails_and_refuses_as_the_capability_does() {
    let (_folder, server) = demo().await;
    let clerk = key(&server, &["--role", "clerk"]).await;
    let call = async |name: &str, arguments: Value| {
        let params = json!({"name": name, "arguments": arguments});
        send(&server, Some(&clerk), "tools/call", params).await
    };
    let answer = call(
        "service_ask",
        json!({"question": "租房子要提取公积金怎么办？"}),
    )
    .await;
    let result = &answer["result"];
    assert_eq!(
        result["structuredContent"]["status"], "answered",
        "{answer}"
    );
    assert!(
        !result["structuredContent"]["citations"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    let listed = call("departments_list", json!({})).await;
    assert_eq!(listed["result"]["structuredContent"]["items"], json!([]));
    let missing = call("service_ask", json!({})).await;
    assert_eq!(missing["result"]["isError"], true, "{missing}");
    assert_eq!(
        missing["result"]["structuredContent"]["code"],
        "invalid_input"
    );
    let closed = call("users_list", json!({})).await;
    assert_eq!(closed["result"]["structuredContent"]["code"], "forbidden");
    let unknown = call("no_such_tool", json!({})).await;
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    // What was called, and what was denied, is in the log.
    let denied = common::wait_for("the denial in the log", || async {
        let found = server
            .read("/api/v1/audit?action=users.list&outcome=forbidden")
            .await;
        (found["total"] != 0).then_some(found)
    })
    .await;
    assert_eq!(denied["items"][0]["actor"]["via"], "key", "{denied}");
}

#[tokio::test]
async fn a_wrong_key_and_a_page_of_another_site_are_kept_out() {
    let (_folder, server) = demo().await;
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let request = || {
        server
            .anonymous("POST", "/mcp")
            .header("accept", "application/json, text/event-stream")
            .json(&message)
    };
    common::problem(401, "sign_in_failed", request().bearer_auth("cmk_wrong")).await;
    let foreign = request().header("origin", "http://evil.example");
    common::problem(403, "forbidden", foreign).await;
}

/// Speaks to `citymind mcp` over its pipes.
fn converse(arguments: &[&str], messages: &[Value], replies: usize) -> Vec<Value> {
    let mut child = citymind()
        .arg("mcp")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for message in messages {
        writeln!(input, "{message}").unwrap();
    }
    input.flush().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let heard: Vec<Value> = lines
        .take(replies)
        .map(|l| serde_json::from_str(&l.unwrap()).unwrap())
        .collect();
    drop(input);
    assert!(child.wait().unwrap().success());
    heard
}

fn session(tool: &str, arguments: &Value) -> Vec<Value> {
    vec![
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}),
        json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}),
    ]
}

#[tokio::test]
async fn standard_input_and_output_serve_the_same_tools_with_and_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let path = data.to_str().unwrap().to_owned();
    let messages = session("departments_create", &json!({"name": "政务服务科"}));
    let alone = {
        let path = path.clone();
        tokio::task::spawn_blocking(move || converse(&["--data", &path], &messages, 3))
            .await
            .unwrap()
    };
    let by_id = |all: &[Value], id: u64| all.iter().find(|m| m["id"] == id).unwrap().clone();
    let tools = by_id(&alone, 2)["result"]["tools"]
        .as_array()
        .unwrap()
        .len();
    assert!(tools >= 20, "{tools}");
    assert_eq!(
        by_id(&alone, 3)["result"]["structuredContent"]["name"],
        "政务服务科"
    );
    let server = Server::start(&data, &[]).await;
    let clerk = key(&server, &["--role", "clerk"]).await;
    let messages = session("departments_list", &json!({}));
    let beside = tokio::task::spawn_blocking(move || {
        converse(&["--data", &path, "--key", &clerk], &messages, 3)
    })
    .await
    .unwrap();
    let listed = by_id(&beside, 3);
    assert_eq!(
        listed["result"]["structuredContent"]["items"][0]["name"],
        "政务服务科"
    );
    assert!(
        by_id(&beside, 2)["result"]["tools"]
            .as_array()
            .unwrap()
            .len()
            < tools
    );
}
