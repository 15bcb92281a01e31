//! The gate: who may call what, walked over every operation of the interface.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::{collections::BTreeSet, path::Path};

use common::{
    Server, expect, lacks_sqlite,
    people::{Browser, location, unfollowing},
    problem, run, said,
};
use serde_json::{Value, json};

const ROLES: [&str; 12] = [
    "citizen",
    "business",
    "clerk",
    "expert",
    "leader",
    "analyst",
    "duty_officer",
    "commander",
    "field_worker",
    "camera_operator",
    "app_developer",
    "administrator",
];

/// What the walk asks a server to bear.
const UNLIMITED: &[(&str, &str)] = &[
    ("RATES__PER_ADDRESS", "100000"),
    ("RATES__PER_USER", "100000"),
    ("RATES__PER_KEY", "100000"),
    ("RATES__SIGN_INS_PER_MINUTE", "100000"),
];

async fn demo() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start_with(&data, &["--demo"], UNLIMITED).await;
    (folder, server)
}

/// An operation of the interface.
struct Operation {
    name: String,
    method: String,
    path: String,
    permission: Value,
    multipart: bool,
}

async fn operations(server: &Server) -> Vec<Operation> {
    let described = server.read("/api/openapi.json").await;
    let mut all = Vec::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(
                !operation["x-permission"].is_null() && operation["x-effects"].is_boolean(),
                "{method} {path} does not say who may call it"
            );
            all.push(Operation {
                name: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                permission: operation["x-permission"].clone(),
                multipart: operation["requestBody"]["content"]["multipart/form-data"].is_object(),
            });
        }
    }
    assert!(all.len() > 50, "only {} operations", all.len());
    all
}

/// Somebody who calls.
#[derive(Default)]
struct Party {
    name: String,
    key: Option<String>,
    roles: Vec<String>,
    verified: bool,
    /// Signed in, rather than by a key.
    person: bool,
    scope: Option<BTreeSet<String>>,
    /// Shows something that counts no more.
    refused: bool,
}

impl Party {
    fn key(name: &str, key: String, roles: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            key: Some(key),
            roles: roles.iter().map(|r| (*r).to_owned()).collect(),
            ..Self::default()
        }
    }

    fn staff(&self) -> bool {
        self.roles.iter().any(|r| r != "citizen" && r != "business")
    }

    fn may(&self, operation: &Operation) -> bool {
        let narrow = self.scope.as_ref();
        if narrow.is_some_and(|s| !s.contains(&operation.name)) {
            return false;
        }
        match operation.permission.as_str() {
            Some("public") => true,
            Some("signed_in") => self.key.is_some(),
            Some("verified") => self.verified || self.staff(),
            Some(other) => panic!("{}: {other} is no permission", operation.name),
            None => {
                let roles = operation.permission.as_array().unwrap();
                let has = |role: &str| self.roles.iter().any(|r| r == role);
                has("administrator") || roles.iter().any(|r| has(r.as_str().unwrap()))
            }
        }
    }
}

/// What comes of a call with an input that leads nowhere: the status and the problem's code.
async fn attempt(server: &Server, operation: &Operation, key: Option<&str>) -> (u16, String) {
    let path: String = operation
        .path
        .split('/')
        .map(|part| match part {
            "{id}" => "00000000000000000000000000000000",
            part if part.starts_with('{') => "none",
            part => part,
        })
        .collect::<Vec<_>>()
        .join("/");
    let method = operation.method.parse().unwrap();
    // From elsewhere: what is open to this machine alone is closed.
    let mut request = unfollowing()
        .request(method, server.url(&path))
        .header("x-forwarded-for", "203.0.113.7");
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    if operation.method == "POST" && !operation.multipart {
        request = request.json(&json!({}));
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    if status == 303 {
        // A person's browser is sent to a page that tells the code.
        let to = location(&response);
        let code = to.split_once("problem=").map(|(_, code)| code.to_owned());
        let code = code.unwrap_or_default();
        let status = match code.as_str() {
            "sign_in_required" => 401,
            "forbidden" => 403,
            _ => 303,
        };
        return (status, code);
    }
    let text = response.text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    // The OpenAI interface tells of errors in its own form.
    let code = body["code"].as_str().or(body["error"]["code"].as_str());
    (status, code.unwrap_or_default().to_owned())
}

/// One's own account is for people, not for keys, whatever they may; a bad input is told first.
fn own(operation: &Operation) -> bool {
    operation.path.starts_with("/api/v1/account/")
}

fn guarded(operation: &Operation) -> bool {
    let path = &operation.path;
    path.starts_with("/api/v1/") || path.starts_with("/v1/") || operation.name == "metrics"
}

async fn parties(server: &Server) -> Vec<Party> {
    let mut all = vec![Party {
        name: "nobody".to_owned(),
        ..Party::default()
    }];
    for role in ROLES {
        // Half of them by the command line, to which the key of a running server is no hindrance.
        let key = if all.len() % 2 == 0 {
            server.key_of(&[role]).await
        } else {
            let data = server.data.to_string_lossy().into_owned();
            let made = run(&[
                "keys", "create", "--name", role, "--role", role, "--print", "--data", &data,
            ])
            .await;
            assert!(made.status.success(), "{:?}", said(&made));
            said(&made).0.trim().to_owned()
        };
        all.push(Party::key(role, key, &[role]));
    }
    all.push(Party {
        verified: true,
        person: true,
        ..Party::key(
            "a verified citizen",
            server.demo_person("林晓雨").await,
            &["citizen"],
        )
    });
    let scope = ["knowledge.documents", "audit.search"];
    let narrow = json!({"name": "narrow", "roles": ["administrator"], "scope": scope});
    all.push(Party {
        scope: Some(scope.map(str::to_owned).into()),
        ..Party::key(
            "a narrowed key",
            server.new_key(&narrow).await.1,
            &["administrator"],
        )
    });
    let form = json!({"name": "revoked", "roles": ["administrator"]});
    let (id, revoked) = server.new_key(&form).await;
    expect(200, server.delete(&format!("/api/v1/keys/{id}"))).await;
    for (name, key) in [
        ("a revoked key", revoked),
        ("a made-up key", format!("cmk_{}", "0".repeat(64))),
        ("a made-up token", "0".repeat(64)),
    ] {
        all.push(Party {
            refused: true,
            ..Party::key(name, key, &[])
        });
    }
    all
}

#[tokio::test]
async fn everybody_gets_through_every_door_that_is_theirs_and_no_other() {
    let (_folder, server) = demo().await;
    let operations = operations(&server).await;
    let mut wrong = Vec::new();
    for party in &mut parties(&server).await {
        let mut through = 0;
        for operation in &operations {
            let (status, code) = attempt(&server, operation, party.key.as_deref()).await;
            let expected = if party.refused && guarded(operation) {
                Some((401, "sign_in_failed"))
            } else if own(operation) && party.key.is_some() && !party.person && status != 400 {
                Some((403, "forbidden"))
            } else if party.may(operation) || !guarded(operation) {
                None
            } else if party.key.is_none() {
                Some((401, "sign_in_required"))
            } else {
                Some((403, "forbidden"))
            };
            let right = match expected {
                Some(expected) => expected == (status, code.as_str()),
                None => status < 500 && ![401, 403, 429].contains(&status),
            };
            through += usize::from(expected.is_none());
            if !right {
                let name = &operation.name;
                wrong.push(format!("{}: {name} gives {status} {code}", party.name));
            }
            if party.person && operation.name == "auth.sign_out" {
                party.key = Some(server.demo_person("林晓雨").await);
            }
        }
        let all = operations.len();
        match party.name.as_str() {
            "administrator" => assert!(through + 5 > all, "{through} of {all}"),
            _ => assert!((1..all).contains(&through), "{}: {through}", party.name),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_key_counts_no_more_once_its_time_is_over() {
    if lacks_sqlite() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut server = Server::start(&data, &[]).await;
    let form = json!({"name": "short", "roles": ["clerk"], "days": 1});
    let (id, key) = server.new_key(&form).await;
    let imports = "/api/v1/knowledge/imports";
    expect(200, server.with(&key, "GET", imports)).await;
    server.stop().await;
    age_key(&data, &id);
    let server = Server::start(&data, &[]).await;
    let refused = problem(401, "sign_in_failed", server.with(&key, "GET", imports)).await;
    assert!(
        refused["detail"].as_str().unwrap().contains("已过期"),
        "{refused}"
    );
}

/// Lets a key's time have ended a second ago.
fn age_key(data: &Path, id: &str) {
    let past = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(1);
    let database = rusqlite::Connection::open(data.join("citymind.sqlite")).unwrap();
    let changed = database
        .execute(
            "UPDATE c_api_keys SET body = json_set(body, '$.expires_at', ?1) WHERE id = ?2",
            (kernel::time::format(past), id),
        )
        .unwrap();
    assert_eq!(changed, 1);
}

async fn set_access(server: &Server, key: &str, capability: &str, access: Value) -> Value {
    let path = format!("/api/v1/permissions/{capability}");
    let request = server.with(key, "POST", &path);
    expect(200, request.json(&json!({"access": access}))).await
}

#[tokio::test]
async fn a_changed_permission_counts_at_once_at_every_door_and_so_does_the_restored_one() {
    let (_folder, server) = demo().await;
    let operations = operations(&server).await;
    let administrator = server.key_of(&["administrator"]).await;
    let clerk = server.key_of(&["clerk"]).await;
    let expert = server.key_of(&["expert"]).await;
    let listed = expect(
        200,
        server.with(&administrator, "GET", "/api/v1/permissions"),
    )
    .await;
    let listed = listed.as_array().unwrap();
    assert!(listed.len() > 45, "only {}", listed.len());
    let mut wrong = Vec::new();
    for view in listed {
        let name = view["capability"].as_str().unwrap();
        let operation = operations
            .iter()
            .find(|o| o.name == name)
            .unwrap_or_else(|| panic!("{name} is in no document"));
        // New each time: signing out is among the operations.
        let citizen = server.demo_person("赵建国").await;
        let only_citizens = json!({"kind": "some", "roles": ["citizen"]});
        let managing = view["default"]["roles"] == json!(["administrator"]);
        let (only, chosen) = if managing {
            // What administrators alone do can be given to staff, not to the public under another name.
            let path = format!("/api/v1/permissions/{name}");
            let request = server.with(&administrator, "POST", &path);
            let request = request.json(&json!({"access": only_citizens}));
            problem(400, "invalid_input", request).await;
            (json!({"kind": "some", "roles": ["expert"]}), &expert)
        } else {
            (only_citizens, &citizen)
        };
        let changed = set_access(&server, &administrator, name, only).await;
        assert_eq!(changed["default"], view["default"]);
        let inside = attempt(&server, operation, Some(chosen)).await;
        let outside = attempt(&server, operation, Some(&clerk)).await;
        let nobody = attempt(&server, operation, None).await;
        if [401, 403].contains(&inside.0)
            || outside.0 != 403
            || nobody != (401, "sign_in_required".to_owned())
        {
            wrong.push(format!(
                "{name} for them only: they {inside:?}, a clerk {outside:?}, nobody {nobody:?}"
            ));
        }
        let restored = set_access(&server, &administrator, name, Value::Null).await;
        assert_eq!(restored["access"], view["default"]);
        let clerks = Party::key("clerk", String::new(), &["clerk"]).may(operation);
        let again = attempt(&server, operation, Some(&clerk)).await.0;
        if !own(operation) && clerks == (again == 403) {
            wrong.push(format!("{name} restored: a clerk gets {again}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_permission_can_be_given_to_a_department() {
    let (_folder, server) = demo().await;
    let archive = server.department("档案科").await;
    let within = json!({"name": "in", "roles": ["clerk"], "departments": [archive]});
    let (_, within) = server.new_key(&within).await;
    let without = server.key_of(&["clerk"]).await;
    let access = json!({"kind": "some", "departments": [archive]});
    set_access(&server, &server.key, "audit.search", access).await;
    let log = "/api/v1/audit";
    expect(200, server.with(&within, "GET", log)).await;
    problem(403, "forbidden", server.with(&without, "GET", log)).await;
    expect(200, server.get(log)).await;
    // To whom nothing is given nothing is open.
    set_access(
        &server,
        &server.key,
        "audit.search",
        json!({"kind": "some"}),
    )
    .await;
    problem(403, "forbidden", server.with(&within, "GET", log)).await;
}

#[tokio::test]
async fn what_administrators_do_can_not_be_opened_to_the_public() {
    let (_folder, server) = demo().await;
    let only = json!({"kind": "some", "roles": ["administrator"], "departments": []});
    let listed = server.read("/api/v1/permissions").await;
    let closed: Vec<&Value> = listed
        .as_array()
        .unwrap()
        .iter()
        .filter(|view| view["default"] == only)
        .collect();
    assert!(closed.len() > 20, "only {}", closed.len());
    for view in closed {
        let path = format!(
            "/api/v1/permissions/{}",
            view["capability"].as_str().unwrap()
        );
        for kind in ["public", "signed_in", "verified"] {
            let request = server.post(&path);
            problem(
                400,
                "invalid_input",
                request.json(&json!({"access": {"kind": kind}})),
            )
            .await;
        }
    }
    assert_eq!(server.read("/api/v1/permissions").await, listed);
    let nothing = server.post("/api/v1/permissions/no.such").json(&json!({}));
    problem(404, "not_found", nothing).await;
}

#[tokio::test]
async fn what_one_may_use_is_told_and_is_what_the_gate_lets_through() {
    let (_folder, server) = demo().await;
    let told = |me: Value| -> BTreeSet<String> {
        let names = me["capabilities"].as_array().unwrap().iter();
        names.map(|n| n.as_str().unwrap().to_owned()).collect()
    };
    let clerk = server.key_of(&["clerk"]).await;
    let me = expect(200, server.with(&clerk, "GET", "/api/v1/auth/me")).await;
    let clerk = Party::key("clerk", clerk, &["clerk"]);
    let nobody = told(Browser::new(&server).read("/api/v1/auth/me").await);
    let me = told(me);
    for operation in operations(&server).await {
        let within = guarded(&operation);
        let name = &operation.name;
        assert_eq!(me.contains(name), within && clerk.may(&operation), "{name}");
        let open = within && operation.permission == "public";
        assert_eq!(nobody.contains(name), open, "{name}");
    }
}
