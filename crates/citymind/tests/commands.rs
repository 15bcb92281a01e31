//! Every capability as a command.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use common::{Server, run, said};
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

async fn makes_and_lists_departments(data: &str) {
    let made = run(&[
        "departments",
        "create",
        "--name",
        "办公室",
        "--json",
        "--data",
        data,
    ])
    .await;
    assert_eq!(made.status.code(), Some(0), "{:?}", said(&made));
    let made = json(&said(&made).0);
    let id = made["id"].as_str().unwrap();
    let listed = run(&["departments", "list", "--data", data]).await;
    assert!(said(&listed).0.contains("办公室"), "{:?}", said(&listed));
    let renamed = run(&[
        "departments",
        "update",
        id,
        "--name",
        "综合办公室",
        "--data",
        data,
    ])
    .await;
    assert!(
        said(&renamed).0.contains("综合办公室"),
        "{:?}",
        said(&renamed)
    );
    let removed = run(&["departments", "remove", id, "--data", data]).await;
    assert_eq!(removed.status.code(), Some(0), "{:?}", said(&removed));
    let again = run(&["departments", "remove", id, "--data", data]).await;
    assert_eq!(again.status.code(), Some(1));
    assert!(said(&again).1.contains("没有找到"), "{:?}", said(&again));
}

#[tokio::test]
async fn commands_work_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    makes_and_lists_departments(data.to_str().unwrap()).await;
}

#[tokio::test]
async fn commands_go_through_the_server_that_holds_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::demo(&data).await;
    let data = data.to_str().unwrap();
    makes_and_lists_departments(data).await;
    let found = run(&[
        "knowledge",
        "search",
        "--query",
        "公积金",
        "--limit",
        "3",
        "--json",
        "--data",
        data,
    ])
    .await;
    let hits = json(&said(&found).0)["hits"].as_array().unwrap().len();
    assert_eq!(hits, 3, "{:?}", said(&found));
    let input = folder.path().join("input.json");
    std::fs::write(&input, r#"{"query": "育儿补贴", "limit": 2}"#).unwrap();
    let whole = run(&[
        "knowledge",
        "search",
        "--input",
        input.to_str().unwrap(),
        "--json",
        "--data",
        data,
    ])
    .await;
    assert_eq!(json(&said(&whole).0)["hits"].as_array().unwrap().len(), 2);
    // The command line is in the log as the machine's own.
    let log = server.read("/api/v1/audit?action=departments.create").await;
    assert_eq!(log["items"][0]["actor"]["via"], "system", "{log}");
}

#[tokio::test]
async fn what_is_wrong_with_the_arguments_is_said_with_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    for arguments in [
        vec!["users", "list", "--state", "bogus", "--data", data],
        vec!["users", "list", "--page", "x", "--data", data],
        vec!["departments", "create", "--data", data],
        vec!["departments", "remove", "--data", data],
        vec!["departments", "bogus", "--data", data],
        vec!["bogus", "list", "--data", data],
        vec![
            "knowledge",
            "search",
            "--input",
            "/no/such/file",
            "--data",
            data,
        ],
        vec![
            "permissions",
            "update",
            "service.ask",
            "--access",
            "{",
            "--data",
            data,
        ],
    ] {
        let out = run(&arguments).await;
        assert_eq!(
            out.status.code(),
            Some(2),
            "{arguments:?}: {:?}",
            said(&out)
        );
        assert!(!said(&out).1.is_empty(), "{arguments:?}");
    }
}

#[tokio::test]
async fn help_names_every_area_and_every_command_of_an_area() {
    let top = run(&["--help"]).await;
    for area in ["knowledge", "users", "audit", "jobs", "events"] {
        assert!(said(&top).0.contains(area), "{area}: {:?}", said(&top));
    }
    let area = run(&["knowledge", "--help"]).await;
    // Written by hand and made from capabilities, side by side.
    for verb in ["import", "reindex", "search", "documents", "withdraw"] {
        assert!(said(&area).0.contains(verb), "{verb}: {:?}", said(&area));
    }
    let verb = run(&["users", "create", "--help"]).await;
    assert_eq!(verb.status.code(), Some(0));
    assert!(said(&verb).0.contains("--login") && said(&verb).0.contains("administrator"));
}
