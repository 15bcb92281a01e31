//! The audit log through the doors: what stands in it, when, and that no change of it goes unseen.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use common::{
    Server, citymind, expect,
    people::{Browser, PASSWORD},
    run, said, stored, wait_for,
};
use platform::audit::verify_lines;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

async fn empty() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), &[]).await;
    (folder, server)
}

/// Sends a request: its status and the id under which the reply names it.
async fn sent(request: RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    let id = response.headers()["x-request-id"].to_str().unwrap();
    (response.status().as_u16(), id.to_owned())
}

/// What the log says of a request, once it says anything.
async fn entries_of(server: &Server, request: &str) -> Vec<Value> {
    let path = format!("/api/v1/audit?request={request}&page_size=200");
    wait_for("the entry of a request", || async {
        let found = server.read(&path).await["items"].clone();
        let found = found.as_array().unwrap().clone();
        (!found.is_empty()).then_some(found)
    })
    .await
}

/// The one entry of a request.
async fn entry_of(server: &Server, request: RequestBuilder, status: u16) -> Value {
    let (got, id) = sent(request).await;
    assert_eq!(got, status);
    let found = entries_of(server, &id).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0]["request"], id.as_str());
    found[0].clone()
}

fn is(entry: &Value, action: &str, outcome: &str, subject: &str) {
    assert_eq!(
        (&entry["action"], &entry["outcome"], &entry["subject"]),
        (&json!(action), &json!(outcome), &json!(subject)),
        "{entry:#}"
    );
}

#[tokio::test]
#[allow(clippy::too_many_lines)] // One call after the other, each with its entry.
async fn every_call_stands_in_the_log_with_who_what_and_how_it_ended() {
    let (_folder, server) = empty().await;
    let form = json!({"name": "对接程序", "roles": ["clerk"]});
    let (key_id, key) = server.new_key(&form).await;
    let by_key = |method: &str, path: &str| server.with(&key, method, path);
    let entry = entry_of(&server, by_key("GET", "/api/v1/knowledge/facets"), 200).await;
    is(&entry, "knowledge.facets", "ok", "");
    assert_eq!(
        (&entry["actor"]["id"], &entry["actor"]["name"]),
        (&json!(key_id), &json!("对接程序"))
    );
    assert_eq!(
        (&entry["actor"]["via"], &entry["actor"]["address"]),
        (&json!("key"), &json!("127.0.0.1"))
    );
    assert_eq!(entry["effects"], false);

    let missing = by_key("GET", "/api/v1/knowledge/documents/nothing");
    let entry = entry_of(&server, missing, 404).await;
    is(&entry, "knowledge.document", "not_found", "nothing");
    let wrong = by_key("GET", "/api/v1/knowledge/documents?sort=password");
    is(
        &entry_of(&server, wrong, 400).await,
        "knowledge.documents",
        "invalid_input",
        "",
    );
    let denied = by_key("DELETE", &format!("/api/v1/keys/{key_id}"));
    is(
        &entry_of(&server, denied, 403).await,
        "keys.revoke",
        "forbidden",
        &key_id,
    );
    let nobody = server
        .anonymous("GET", "/api/v1/users")
        .header("x-forwarded-for", "203.0.113.8");
    let entry = entry_of(&server, nobody, 401).await;
    is(&entry, "users.list", "sign_in_required", "");
    assert_eq!(entry["actor"]["via"], "anonymous");
    assert_eq!(entry["actor"]["address"], "203.0.113.8");
    let visitor = entry["actor"]["id"].as_str().unwrap();
    assert!(visitor.starts_with("visitor:"), "{entry:#}");

    // Doors that are no capabilities.
    for (request, status, action, outcome, subject) in [
        (by_key("GET", "/api/v1/status"), 200, "status", "ok", ""),
        (by_key("GET", "/api/v1/auth/me"), 200, "auth.me", "ok", ""),
        (
            by_key("GET", "/api/v1/knowledge/documents/x/original"),
            404,
            "knowledge.original",
            "not_found",
            "x",
        ),
        (
            by_key("GET", "/api/v1/knowledge/documents/x/pictures/0"),
            404,
            "knowledge.picture",
            "not_found",
            "x",
        ),
        (
            by_key("GET", "/api/v1/knowledge/imports/x/events"),
            404,
            "knowledge.import_events",
            "not_found",
            "x",
        ),
        (
            by_key("GET", "/api/v1/audit/export"),
            403,
            "audit.export",
            "forbidden",
            "",
        ),
        (
            by_key("POST", "/api/v1/knowledge/imports").body("x"),
            400,
            "knowledge.upload",
            "malformed_body",
            "",
        ),
        (
            by_key("GET", "/api/v1/auth/oidc/none"),
            404,
            "auth.oidc",
            "not_found",
            "none",
        ),
    ] {
        is(
            &entry_of(&server, request, status).await,
            action,
            outcome,
            subject,
        );
    }
    let asked = by_key("POST", "/api/v1/ask").json(&json!({"question": "公积金"}));
    is(
        &entry_of(&server, asked, 200).await,
        "service.ask",
        "ok",
        "",
    );
}

#[tokio::test]
async fn an_attempt_that_failed_is_never_told_as_one_that_went_well() {
    let (_folder, server) = empty().await;
    server.account("zhao", &["clerk"], &[]).await;
    let sign_in = |password: &str| {
        let form = json!({"login": "zhao", "password": password});
        server.anonymous("POST", "/api/v1/auth/sign-in").json(&form)
    };
    for (request, status, outcome) in [
        (sign_in("wrong password"), 401, "sign_in_failed"),
        (sign_in(PASSWORD), 200, "ok"),
        (
            server.anonymous("POST", "/api/v1/auth/sign-in"),
            400,
            "invalid_input",
        ),
    ] {
        let entry = entry_of(&server, request, status).await;
        is(&entry, "auth.sign_in", outcome, "");
        if status != 400 {
            assert_eq!(entry["detail"]["login"], "zhao");
        }
        let told = entry.to_string();
        assert!(!told.contains("password") && !told.contains(PASSWORD));
    }
    let browser = server.signed_in("zhao").await;
    let form = json!({"present": "wrong password", "new": "another good one"});
    let change = browser.post("/api/v1/account/password").json(&form);
    let entry = entry_of(&server, change, 401).await;
    is(&entry, "account.password", "sign_in_failed", "");
    let redeem = server
        .anonymous("POST", "/api/v1/auth/redeem")
        .json(&json!({"secret": "x", "password": PASSWORD}));
    let entry = entry_of(&server, redeem, 401).await;
    is(&entry, "auth.redeem", "sign_in_failed", "");
}

/// The detail of the one entry of an administrator's change.
async fn detail_of(server: &Server, request: RequestBuilder) -> Value {
    let entry = entry_of(server, request, 200).await;
    assert_eq!(
        (&entry["effects"], &entry["outcome"]),
        (&json!(true), &json!("ok"))
    );
    entry["detail"].clone()
}

#[tokio::test]
async fn what_administrators_change_stands_there_with_what_it_was_before() {
    let (_folder, server) = empty().await;
    let id = server.account("qian", &["clerk"], &[]).await;
    let (old, new) = (
        server.department("老科").await,
        server.department("上级").await,
    );
    let user = format!("/api/v1/users/{id}");
    let post = |path: &str, body: Value| server.post(path).json(&body);
    let change = json!({
        "name": "钱先生", "roles": ["expert", "leader"], "departments": [old], "disabled": true,
    });
    let detail = detail_of(&server, post(&user, change)).await;
    assert_eq!(
        detail,
        json!({
            "login": "qian",
            "name_before": "qian先生", "name_after": "钱先生",
            "roles_before": "clerk", "roles_after": "expert leader",
            "departments_before": "", "departments_after": old,
            "disabled_before": "false", "disabled_after": "true",
        })
    );
    let back = post(&user, json!({"departments": [], "disabled": false}));
    let detail = detail_of(&server, back).await;
    assert_eq!(detail["departments_before"], old.as_str());
    assert_eq!(detail["disabled_before"], "true");

    let department = format!("/api/v1/departments/{old}");
    let renamed = post(&department, json!({"name": "新科", "parent": new}));
    assert_eq!(
        detail_of(&server, renamed).await,
        json!({"name_before": "老科", "name_after": "新科", "parent_before": "", "parent_after": new})
    );
    let removed = detail_of(&server, server.delete(&department)).await;
    assert_eq!(removed["name"], "新科");

    let leaders = json!({"kind": "some", "roles": ["leader"], "departments": []});
    let permission = post(
        "/api/v1/permissions/knowledge.search",
        json!({"access": leaders}),
    );
    let detail = detail_of(&server, permission).await;
    let read = |text: &Value| -> Value { serde_json::from_str(text.as_str().unwrap()).unwrap() };
    assert_eq!(read(&detail["before"]), json!({"kind": "public"}));
    assert_eq!(read(&detail["after"]), leaders);
    let restored = post("/api/v1/permissions/knowledge.search", json!({}));
    let detail = detail_of(&server, restored).await;
    assert_eq!(read(&detail["before"]), leaders);

    let space = |access: Value| post("/api/v1/spaces", json!({"space": "内部", "access": access}));
    let detail = detail_of(&server, space(leaders.clone())).await;
    assert_eq!(detail["space"], "内部");
    assert_eq!(
        (read(&detail["before"]), read(&detail["after"])),
        (Value::Null, leaders.clone())
    );
    let detail = detail_of(&server, space(Value::Null)).await;
    assert_eq!(read(&detail["before"]), leaders);

    let key = json!({"name": "窄", "roles": ["clerk"], "scope": ["status"]});
    let made = server.post("/api/v1/keys").json(&key);
    let response = made.send().await.unwrap();
    let request = response.headers()["x-request-id"].to_str().unwrap();
    let entry = entries_of(&server, request).await[0].clone();
    assert_eq!(
        entry["detail"],
        json!({"name": "窄", "roles": "clerk", "scope": "status"})
    );
    let made: Value = response.json().await.unwrap();
    let secret = made["key"].as_str().unwrap();
    assert!(!entry.to_string().contains(&secret[10..]));
    let revoke = server.delete(&format!("/api/v1/keys/{}", made["id"].as_str().unwrap()));
    assert_eq!(detail_of(&server, revoke).await["name"], "窄");
    let link = server.post(&format!("{user}/link"));
    assert_eq!(detail_of(&server, link).await, json!({"login": "qian"}));
}

/// The entries of an export, the seal left out.
fn exported(text: &str) -> Vec<Value> {
    let lines = text.lines().filter(|l| !l.starts_with(r#"{"sealed""#));
    lines.map(|l| serde_json::from_str(l).unwrap()).collect()
}

async fn export(data: &Path) -> String {
    let data = data.to_string_lossy().into_owned();
    let output = run(&["audit", "export", "--data", &data]).await;
    assert!(output.status.success(), "{:?}", said(&output));
    said(&output).0
}

#[tokio::test]
async fn the_entry_of_an_effect_is_there_with_it_even_if_the_power_goes_right_after_the_reply() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for n in 0..5 {
        let server = Server::start(&data, &[]).await;
        let made = server
            .post("/api/v1/departments")
            .json(&json!({"name": format!("第{n}科")}));
        let (status, request) = sent(made).await;
        assert_eq!(status, 200);
        server.kill();
        let found: Vec<Value> = exported(&export(&data).await)
            .into_iter()
            .filter(|e| e["request"] == request.as_str())
            .collect();
        assert_eq!(found.len(), 1);
        is(&found[0], "departments.create", "ok", "");
        assert_eq!(found[0]["detail"]["name"], format!("第{n}科"));
    }
    let server = Server::start(&data, &[]).await;
    let departments = server.read("/api/v1/departments").await;
    assert_eq!(departments.as_array().unwrap().len(), 5);
    let verdict = expect(200, server.post("/api/v1/audit/verify")).await;
    assert_eq!(verdict["broken"], Value::Null, "{verdict}");
}

/// A log of several chains, closed in good order: its folder.
async fn several_chains(data: &Path, starts: usize) {
    for n in 0..starts {
        let mut server = Server::start(data, &[]).await;
        server.department(&format!("第{n}科")).await;
        server.read("/api/v1/knowledge/facets").await;
        Browser::new(&server).read("/api/v1/auth/me").await;
        server.department(&format!("第{n}处")).await;
        assert!(server.stop().await.success());
    }
}

#[tokio::test]
async fn every_start_writes_a_chain_of_its_own_which_vouches_for_those_before() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    several_chains(&data, 4).await;
    let text = export(&data).await;
    let entries = exported(&text);
    let mut chains: Vec<(String, Vec<&Value>)> = Vec::new();
    for entry in &entries {
        let chain = entry["chain"].as_str().unwrap();
        match chains.last_mut() {
            Some((last, own)) if last == chain => own.push(entry),
            _ => chains.push((chain.to_owned(), vec![entry])),
        }
    }
    assert_eq!(chains.len(), 4);
    for (n, (_, own)) in chains.iter().enumerate() {
        assert_eq!(own[0]["action"], "audit.anchor");
        for (place, entry) in own.iter().enumerate() {
            assert_eq!(entry["seq"], place + 1);
            let before = if place == 0 {
                &json!("")
            } else {
                &own[place - 1]["hash"]
            };
            assert_eq!(&entry["prev"], before);
        }
        if n > 0 {
            let (before, entries) = &chains[n - 1];
            let last = entries.last().unwrap();
            let head = format!("{} {}", last["seq"], last["hash"].as_str().unwrap());
            assert_eq!(own[0]["detail"][before], head.as_str());
        }
    }
    let data = data.to_string_lossy().into_owned();
    let verified = run(&["audit", "verify", "--json", "--data", &data]).await;
    assert!(verified.status.success(), "{:?}", said(&verified));
    let verdict: Value = serde_json::from_str(&said(&verified).0).unwrap();
    // The command that exported wrote down that it did.
    assert_eq!(verdict["chains"], 5);
    assert!(verdict["entries"].as_u64().unwrap() > entries.len() as u64);
}

#[tokio::test]
async fn fifty_changes_at_once_keep_the_chain_whole() {
    let (_folder, server) = empty().await;
    let (server, mut tasks) = (std::sync::Arc::new(server), tokio::task::JoinSet::new());
    for n in 0..50 {
        let server = server.clone();
        tasks.spawn(async move {
            let made = server
                .post("/api/v1/departments")
                .json(&json!({"name": format!("第{n}科")}));
            let (status, request) = sent(made).await;
            let read = sent(server.get("/api/v1/knowledge/facets")).await;
            (status, request, read.1)
        });
    }
    let mut requests = BTreeSet::new();
    while let Some(done) = tasks.join_next().await {
        let (status, made, read) = done.unwrap();
        assert_eq!(status, 200);
        requests.extend([made, read]);
    }
    assert_eq!(requests.len(), 100);
    let departments = server.read("/api/v1/departments").await;
    assert_eq!(departments.as_array().unwrap().len(), 50);
    let verdict = expect(200, server.post("/api/v1/audit/verify")).await;
    assert_eq!(verdict["broken"], Value::Null, "{verdict}");
    let text = server.get("/api/v1/audit/export").send().await.unwrap();
    let text = text.text().await.unwrap();
    assert_eq!(verify_lines(text.as_bytes()).broken, None);
    let told: Vec<String> = exported(&text)
        .iter()
        .map(|e| e["request"].as_str().unwrap().to_owned())
        .filter(|r| requests.contains(r))
        .collect();
    assert_eq!(told.len(), 100, "each once");
    assert_eq!(BTreeSet::from_iter(told), requests);
}

/// An export of several chains.
async fn sealed_export() -> String {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    several_chains(&data, 3).await;
    export(&data).await
}

#[tokio::test]
async fn an_export_is_verified_alone_and_every_byte_that_is_changed_is_found() {
    let text = sealed_export().await;
    let verdict = verify_lines(text.as_bytes());
    assert_eq!(verdict.broken, None);
    assert!(verdict.entries >= 12 && verdict.chains >= 3);
    let bytes = text.as_bytes();
    let line = text.lines().nth(4).unwrap();
    let start = line.as_ptr() as usize - text.as_ptr() as usize;
    let whole_line = start..=start + line.len();
    let seal = bytes.len() - text.lines().last().unwrap().len() - 1..bytes.len();
    let sample = (0..bytes.len()).step_by((bytes.len() / 400).max(1));
    let mut found = 0;
    for at in sample.chain(whole_line).chain(seal) {
        for change in [1u8, 0x20, 0x80] {
            let mut changed = bytes.to_vec();
            changed[at] ^= change;
            let verdict = verify_lines(&changed);
            assert!(
                verdict.broken.is_some(),
                "byte {at} ({:?}) with {change:#x} goes unseen",
                char::from(bytes[at])
            );
            found += 1;
        }
        let mut without = bytes.to_vec();
        without.remove(at);
        assert!(verify_lines(&without).broken.is_some(), "byte {at} is gone");
        let mut more = bytes.to_vec();
        more.insert(at, b' ');
        assert!(verify_lines(&more).broken.is_some(), "a blank at {at}");
    }
    assert!(found > 1_500, "{found}");
}

#[tokio::test]
async fn an_export_that_is_cut_off_mixed_up_or_put_together_is_found() {
    let text = sealed_export().await;
    let lines: Vec<&str> = text.lines().collect();
    let broken = |lines: &[&str]| {
        let text: String = lines.iter().map(|l| format!("{l}\n")).collect();
        verify_lines(text.as_bytes()).broken
    };
    assert_eq!(broken(&lines), None);
    let seal = lines.len() - 1;
    for cut in 0..lines.len() {
        assert!(broken(&lines[..cut]).is_some(), "cut off at {cut}");
        let mut without = lines.clone();
        without.remove(cut);
        assert!(broken(&without).is_some(), "line {cut} is gone");
        let mut twice = lines.clone();
        twice.insert(cut, lines[cut]);
        assert!(broken(&twice).is_some(), "line {cut} stands twice");
        if cut > 0 {
            let mut swapped = lines.clone();
            swapped.swap(cut - 1, cut);
            let told = broken(&swapped).unwrap_or_else(|| panic!("{cut} is swapped"));
            assert!(told.place.contains('行'), "{told:?}");
        }
    }
    let mut moved = lines.clone();
    moved.rotate_left(3);
    assert!(broken(&moved).is_some());
    let mut reversed = lines.clone();
    reversed[..seal].reverse();
    assert!(broken(&reversed).is_some());
    for changed in [
        text.replace('\n', "\r\n"),
        format!("{text}\n"),
        text.trim_end().to_owned(),
        format!(" {text}"),
        String::new(),
    ] {
        assert!(verify_lines(changed.as_bytes()).broken.is_some());
    }
    // The same through the command, as an auditor uses it.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.jsonl");
    let verify = async |text: &str| {
        std::fs::write(&file, text).unwrap();
        run(&["audit", "verify", "--file", &file.to_string_lossy()]).await
    };
    let sound = verify(&text).await;
    assert!(sound.status.success(), "{:?}", said(&sound));
    let bad = verify(&text.replacen("departments.create", "departments.remove", 1)).await;
    assert_eq!(bad.status.code(), Some(1));
    let told = said(&bad).0;
    assert!(told.contains("已损坏") && told.contains("第 "), "{told}");
}

/// The database of a data folder with several chains, closed.
async fn database() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    several_chains(&data, 3).await;
    (folder, data)
}

#[tokio::test]
async fn what_is_changed_in_the_database_behind_our_back_is_found() {
    if common::lacks_sqlite() {
        return;
    }
    let (folder, data) = database().await;
    let entry = |offset: usize| {
        // The middle of the second chain, say; places count through all chains.
        format!("(SELECT id FROM c_audit_entries ORDER BY id LIMIT 1 OFFSET {offset})")
    };
    let set = |field: &str, value: &str| {
        format!(
            "UPDATE c_audit_entries SET body = json_set(body, '$.{field}', {value}) WHERE id = {}",
            entry(6)
        )
    };
    let last_of_first = "(SELECT max(id) FROM c_audit_entries WHERE id LIKE (SELECT min(json_extract(body, '$.chain')) FROM c_audit_heads) || '%')";
    let first_chain = "(SELECT min(json_extract(body, '$.chain')) FROM c_audit_heads)";
    let last_of_all = "(SELECT max(id) FROM c_audit_entries)";
    let mut tampers: Vec<(&str, String)> = vec![
        ("who", set("actor.name", "'某人'")),
        ("whose id", set("actor.id", "'x'")),
        ("from where", set("actor.address", "'10.0.0.1'")),
        ("how signed in", set("actor.via", "'key'")),
        ("what", set("action", "'status'")),
        ("to what", set("subject", "'x'")),
        ("how it ended", set("outcome", "'forbidden'")),
        ("whether it had effects", set("effects", "json('false')")),
        ("which request", set("request", "'x'")),
        ("when", set("at", "'2020-01-01T00:00:00.000+08:00'")),
        ("how long", set("elapsed_ms", "99999")),
        ("what more", set("detail.name", "'别的'")),
        ("its number", set("seq", "77")),
        ("the hash before", set("prev", "''")),
        ("its hash", set("hash", "'00'")),
        ("its chain", set("chain", "'x'")),
        ("a field more", set("more", "1")),
        ("no JSON object", format!("UPDATE c_audit_entries SET body = '[]' WHERE id = {}", entry(6))),
        ("a middle entry is gone", format!("DELETE FROM c_audit_entries WHERE id = {}", entry(6))),
        ("the first entry is gone", format!("DELETE FROM c_audit_entries WHERE id = {}", entry(0))),
        ("the last entry is gone", format!("DELETE FROM c_audit_entries WHERE id = {last_of_all}")),
        ("the last entry of a chain is gone", format!("DELETE FROM c_audit_entries WHERE id = {last_of_first}")),
        ("a whole chain is gone", format!("DELETE FROM c_audit_entries WHERE id LIKE {first_chain} || '%'")),
        ("a whole chain and its head are gone", format!("DELETE FROM c_audit_entries WHERE id LIKE {first_chain} || '%'; DELETE FROM c_audit_heads WHERE id = {first_chain}")),
        ("all entries are gone", "DELETE FROM c_audit_entries".to_owned()),
        ("two entries are swapped", format!(
            "CREATE TEMP TABLE t AS SELECT id, body FROM c_audit_entries WHERE id IN ({a}, {b});
             UPDATE c_audit_entries SET body = (SELECT body FROM t WHERE t.id != c_audit_entries.id) WHERE id IN (SELECT id FROM t)",
            a = entry(5), b = entry(6),
        )),
        ("an entry stands twice", format!("INSERT INTO c_audit_entries SELECT id || 'x', revision, body FROM c_audit_entries WHERE id = {}", entry(6))),
        ("a head is gone", format!("DELETE FROM c_audit_heads WHERE id = {first_chain}")),
        ("the last head is gone", "DELETE FROM c_audit_heads WHERE id = (SELECT max(id) FROM c_audit_heads)".to_owned()),
        ("a head's number", format!("UPDATE c_audit_heads SET body = json_set(body, '$.seq', 99) WHERE id = {first_chain}")),
        ("a head's hash", format!("UPDATE c_audit_heads SET body = json_set(body, '$.hash', '00') WHERE id = {first_chain}")),
        ("a head's chain", format!("UPDATE c_audit_heads SET body = json_set(body, '$.chain', 'x') WHERE id = {first_chain}")),
        ("a head is no head", format!("UPDATE c_audit_heads SET body = '{{}}' WHERE id = {first_chain}")),
    ];
    // The last entry of an earlier chain is taken away and its head set back: a later chain's anchor tells.
    let back = format!(
        "DELETE FROM c_audit_entries WHERE id = {last_of_first};
         UPDATE c_audit_heads SET body = json_set(body,
             '$.seq', (SELECT json_extract(body, '$.seq') FROM c_audit_entries WHERE id = {last_of_first}),
             '$.hash', (SELECT json_extract(body, '$.hash') FROM c_audit_entries WHERE id = {last_of_first}))
         WHERE id = {first_chain}"
    );
    tampers.push(("an earlier chain is shortened with its head", back));

    let sound = verify(&folder, &data, "").await;
    assert_eq!(sound["broken"], Value::Null, "{sound}");
    for (what, sql) in &tampers {
        let verdict = verify(&folder, &data, sql).await;
        assert!(
            verdict["broken"]["place"].is_string(),
            "{what} goes unseen: {verdict}"
        );
        assert!(verdict["broken"]["reason"].is_string());
    }
}

#[tokio::test]
async fn a_chain_that_is_written_anew_from_a_changed_entry_on_is_found_by_a_later_one() {
    if common::lacks_sqlite() {
        return;
    }
    let (folder, data) = database().await;
    let database = rusqlite::Connection::open(data.join("citymind.sqlite")).unwrap();
    let mut statement = database
        .prepare("SELECT id, body FROM c_audit_entries ORDER BY id")
        .unwrap();
    let entries: Vec<(String, Value)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
        .unwrap()
        .map(|row| row.unwrap())
        .map(|(id, body)| (id, serde_json::from_str(&body).unwrap()))
        .collect();
    drop(statement);
    drop(database);
    let chain = entries[0].1["chain"].clone();
    let own = entries.into_iter().filter(|(_, e)| e["chain"] == chain);
    let (mut sql, mut prev, mut last) = (String::new(), String::new(), 0);
    for (n, (id, body)) in own.enumerate() {
        let mut entry: platform::audit::Entry = serde_json::from_value(body).unwrap();
        if n == 1 {
            entry.actor.name = "别人".to_owned();
        }
        entry.prev = prev;
        entry.hash = entry.digest().unwrap();
        prev = entry.hash.clone();
        last = entry.seq;
        let line = entry.line().unwrap().replace('\'', "''");
        sql += &format!("UPDATE c_audit_entries SET body = '{line}' WHERE id = '{id}';");
    }
    let chain = chain.as_str().unwrap();
    let head = json!({"chain": chain, "seq": last, "hash": prev});
    sql += &format!("UPDATE c_audit_heads SET body = '{head}' WHERE id = '{chain}';");
    let verdict = verify(&folder, &data, &sql).await;
    let reason = verdict["broken"]["reason"].as_str().unwrap();
    assert!(reason.contains("锚点"), "{verdict}");
}

/// What the command finds in a copy of a database to which something was done.
async fn verify(folder: &tempfile::TempDir, data: &Path, sql: &str) -> Value {
    let copy = tempfile::tempdir_in(folder.path()).unwrap();
    for file in ["citymind.sqlite", "citymind.sqlite-wal"] {
        let from = data.join(file);
        if from.exists() {
            std::fs::copy(from, copy.path().join(file)).unwrap();
        }
    }
    let database = rusqlite::Connection::open(copy.path().join("citymind.sqlite")).unwrap();
    let before: i64 = database
        .query_row("SELECT total_changes()", [], |r| r.get(0))
        .unwrap();
    database.execute_batch(sql).unwrap();
    let after: i64 = database
        .query_row("SELECT total_changes()", [], |r| r.get(0))
        .unwrap();
    assert!(
        sql.is_empty() || after > before,
        "nothing is changed: {sql}"
    );
    drop(database);
    let mut command = citymind();
    command
        .args(["audit", "verify", "--json", "--data"])
        .arg(copy.path());
    stored(&mut command, copy.path());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    let verdict: Value = serde_json::from_str(&said(&output).0)
        .unwrap_or_else(|e| panic!("{e}: {:?}", said(&output)));
    assert_eq!(
        output.status.code(),
        Some(i32::from(!verdict["broken"].is_null()))
    );
    verdict
}
