//! Cases through the doors: handed in once, decided by who may, followed by the applicant, sent to another system.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use common::{Server, expect, problem, wait_for};
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const ITEM: &str = include_str!("../../../demo/service/公积金/住房公积金租房提取.yaml");
const CARD: &str = "本人名下的Ⅰ类银行储蓄卡";
const CONTRACT: &str = "经登记备案的住房租赁合同";

async fn demo(settings: &[(&str, &str)]) -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_with(&folder.path().join("data"), &["--demo"], settings).await;
    (folder, server)
}

/// Somebody at the server with a token or a key.
#[derive(Clone, Copy)]
struct Person<'a> {
    server: &'a Server,
    key: &'a str,
}

impl Person<'_> {
    fn get(self, path: &str) -> reqwest::RequestBuilder {
        self.server.with(self.key, "GET", &format!("/api/v1{path}"))
    }

    fn post(self, path: &str) -> reqwest::RequestBuilder {
        self.server
            .with(self.key, "POST", &format!("/api/v1{path}"))
    }

    async fn read(self, path: &str) -> Value {
        expect(200, self.get(path)).await
    }

    async fn send(self, path: &str, input: Value) -> Value {
        expect(200, self.post(path).json(&input)).await
    }

    async fn decide(self, id: &str, decision: &str, opinion: &str) -> Value {
        let input = json!({"decision": decision, "opinion": opinion});
        self.send(&format!("/cases/{id}/decide"), input).await
    }

    /// A dialogue whose form is complete: its conversation.
    async fn fill(self) -> String {
        let begun = self
            .send("/ask", json!({"question": "我要办理住房公积金租房提取"}))
            .await;
        assert_eq!(begun["status"], "guide", "{begun:#}");
        let session = begun["session"].as_str().unwrap().to_owned();
        let fill = json!({
            "owns_home": "没有", "months_paid": "14个月", "has_loan": "没有", "restricted": "否",
            "rent_kind": "已备案", "rent": "2400元", "children": "1个", "married": "未婚", "balance": "20000元",
            "pay_mode": "按月", "id_number": "110101199003078515", "phone": "13800138000",
            "bank_card": "6222020200112233446", "name": "林晓雨",
        });
        let input = json!({"question": "填好了", "session": session, "fill": fill});
        let filled = self.send("/ask", input).await;
        assert_eq!(filled["guide"]["state"], "review", "{filled:#}");
        session
    }

    /// A case handed in: its id.
    async fn apply(self) -> String {
        let session = self.fill().await;
        let input = json!({"question": "确认提交", "session": session});
        let done = self.send("/ask", input).await;
        assert_eq!(done["guide"]["state"], "submitted", "{done:#}");
        let mine = self.read("/cases/mine").await;
        mine["items"][0]["id"].as_str().unwrap().to_owned()
    }

    fn uploading(
        self,
        id: &str,
        material: &str,
        name: &str,
        bytes: Vec<u8>,
    ) -> reqwest::RequestBuilder {
        let form = Form::new()
            .text("material", material.to_owned())
            .part("file", Part::bytes(bytes).file_name(name.to_owned()));
        self.post(&format!("/cases/{id}/materials")).multipart(form)
    }
}

/// The text of a file that a path gives, without blanks.
async fn text_of(person: Person<'_>, path: &str, name: &str) -> String {
    let response = person.get(path).send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    let disposition = response.headers()["content-disposition"].to_str().unwrap();
    assert!(disposition.starts_with("attachment"), "{disposition}");
    let bytes = response.bytes().await.unwrap();
    let read = documents::read(name, &bytes, &documents::Limits::default()).unwrap();
    read.text.chars().filter(|c| !c.is_whitespace()).collect()
}

async fn notices_of(person: Person<'_>, kind: &str, count: usize) -> Vec<Value> {
    wait_for("notices", || async {
        let all = person.read("/notices?page_size=100").await;
        let all = all["items"].as_array().unwrap().clone();
        let own: Vec<_> = all.into_iter().filter(|n| n["kind"] == kind).collect();
        (own.len() >= count).then_some(own)
    })
    .await
}

#[tokio::test]
#[allow(clippy::too_many_lines)] // One step after the other, of one case.
async fn one_dialogue_gives_one_case_that_only_its_applicant_and_clerks_see() {
    let (_folder, server) = demo(&[]).await;
    let (token, other, key) = (
        server.demo_person("林晓雨").await,
        server.demo_person("赵建国").await,
        server.key_of(&["clerk"]).await,
    );
    let person = |key| Person {
        server: &server,
        key,
    };
    let (citizen, other, clerk) = (person(&token), person(&other), person(&key));
    let session = citizen.fill().await;

    let printed = text_of(citizen, &format!("/guides/{session}/form.pdf"), "表.pdf").await;
    assert!(
        printed.contains("尚未提交") && printed.contains("林晓雨"),
        "{printed}"
    );
    text_of(citizen, &format!("/guides/{session}/form.docx"), "表.docx").await;
    let theirs = other.get(&format!("/guides/{session}/form.pdf"));
    problem(404, "not_found", theirs).await;

    // Impatient: the same word several times at once, and again.
    let input = json!({"question": "确认提交", "session": session});
    let at_once = (0..5).map(|_| citizen.post("/ask").json(&input).send());
    let replies = join_all(at_once).await;
    let statuses: Vec<u16> = replies
        .into_iter()
        .map(|r| r.unwrap().status().as_u16())
        .collect();
    assert!(statuses.contains(&200), "{statuses:?}");
    citizen.send("/ask", input).await;
    let mine = citizen.read("/cases/mine").await;
    assert_eq!(mine["total"], 1, "{mine:#}");
    assert_eq!(mine["items"][0]["unread"], false);
    let id = mine["items"][0]["id"].as_str().unwrap();
    let number = mine["items"][0]["number"].as_str().unwrap();
    assert_eq!(
        notices_of(clerk, "service.case_submitted", 1).await.len(),
        1
    );

    assert_eq!(other.read("/cases/mine").await["total"], 0);
    for path in ["", "/form.pdf", "/form.docx", "/materials/x"] {
        let path = format!("/cases/{id}{path}");
        problem(404, "not_found", other.get(&path)).await;
    }
    for verb in ["withdraw", "read", "resubmit"] {
        let request = other.post(&format!("/cases/{id}/{verb}"));
        let body = if verb == "resubmit" {
            json!({"note": "补"})
        } else {
            json!({})
        };
        problem(404, "not_found", request.json(&body)).await;
    }
    problem(
        404,
        "not_found",
        other.uploading(id, CARD, "卡.txt", b"x".to_vec()),
    )
    .await;
    problem(403, "forbidden", other.get("/cases")).await;

    for (person, name) in [(citizen, "pdf"), (clerk, "docx")] {
        let text = text_of(
            person,
            &format!("/cases/{id}/form.{name}"),
            &format!("表.{name}"),
        )
        .await;
        for words in [
            number,
            "启明市住房公积金租房提取申请表",
            "6222020200112233446",
            "本人承诺以上信息真实有效",
            "（签名）",
            "2400元",
        ] {
            assert!(text.contains(words), "{words} is not in {text}");
        }
    }
}

#[tokio::test]
#[allow(clippy::too_many_lines)] // One step after the other, of one case.
async fn a_case_is_decided_by_clerks_step_by_step_and_every_step_is_told() {
    let (_folder, server) = demo(&[]).await;
    let token = server.demo_person("林晓雨").await;
    let (clerk, expert) = (
        server.key_of(&["clerk"]).await,
        server.key_of(&["expert"]).await,
    );
    let person = |key| Person {
        server: &server,
        key,
    };
    let (citizen, clerk, expert) = (person(&token), person(&clerk), person(&expert));
    let id = citizen.apply().await;
    let path = format!("/cases/{id}");
    let decide = format!("{path}/decide");
    for who in [citizen, expert] {
        let input = json!({"decision": "approve"});
        problem(403, "forbidden", who.post(&decide).json(&input)).await;
    }
    for decision in ["return", "reject"] {
        let input = json!({"decision": decision});
        problem(400, "invalid_input", clerk.post(&decide).json(&input)).await;
    }
    assert!(citizen.read(&path).await["review"].is_null());
    let seen = clerk.read(&path).await;
    assert_eq!(
        seen["review"]["suggestion"], "return",
        "{:#}",
        seen["review"]
    );
    assert_eq!(clerk.decide(&id, "accept", "").await["status"], "accepted");
    assert_eq!(
        clerk.decide(&id, "return", "请上传银行卡。").await["status"],
        "returned"
    );
    let input = json!({"decision": "approve"});
    problem(409, "conflict", clerk.post(&decide).json(&input)).await;

    let mine = citizen.read("/cases/mine").await;
    assert_eq!(mine["items"][0]["unread"], true);
    let read = citizen.send(&format!("{path}/read"), json!({})).await;
    assert_eq!(
        (&read["unread"], &read["status"]),
        (&json!(false), &json!("returned"))
    );
    let card = "持卡人：林晓雨\n卡号 6222 0202 0011 2233 446\n"
        .as_bytes()
        .to_vec();
    expect(200, citizen.uploading(&id, CARD, "卡.txt", card)).await;
    let again = citizen
        .send(&format!("{path}/resubmit"), json!({"note": "已传银行卡"}))
        .await;
    assert_eq!(again["status"], "submitted");
    assert_eq!(notices_of(clerk, "service.case_changed", 1).await.len(), 1);
    let seen = clerk.read(&path).await;
    assert_eq!(
        seen["review"]["suggestion"], "approve",
        "{:#}",
        seen["review"]
    );

    // Two clerks at once: one of them decides.
    let (yes, no) = (
        json!({"decision": "approve"}),
        json!({"decision": "reject", "opinion": "不符合。"}),
    );
    let replies = join_all([yes, no].map(|i| clerk.post(&decide).json(&i).send())).await;
    let mut statuses: Vec<u16> = replies
        .into_iter()
        .map(|r| r.unwrap().status().as_u16())
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let done = citizen.read(&path).await;
    assert_eq!(done["history"].as_array().unwrap().len(), 5);
    problem(409, "conflict", citizen.post(&format!("{path}/withdraw"))).await;
    let late = citizen.uploading(&id, CARD, "卡.txt", b"1".to_vec());
    problem(409, "conflict", late).await;
    let log = server
        .read("/api/v1/audit?action=cases.decide&outcome=ok&page_size=100")
        .await;
    let of_it = log["items"].as_array().unwrap().iter();
    assert_eq!(
        of_it.filter(|e| e["subject"] == id.as_str()).count(),
        3,
        "{log:#}"
    );

    let second = citizen.apply().await;
    let gone = citizen
        .send(&format!("/cases/{second}/withdraw"), json!({}))
        .await;
    assert_eq!(gone["status"], "withdrawn");
    assert_eq!(notices_of(clerk, "service.case_changed", 2).await.len(), 2);

    let figures = clerk.read("/cases/figures").await;
    let all = &figures["all"];
    assert_eq!(
        (&all["cases"], &all["decided"]),
        (&json!(2), &json!(1)),
        "{figures:#}"
    );
    assert_eq!(
        (&all["returned"], &all["withdrawn"]),
        (&json!(1), &json!(1))
    );
    assert!(
        all["median_minutes"].is_number() && all["median_turns"] == 3.0,
        "{figures:#}"
    );
    assert_eq!(figures["items"][0]["item_id"], "gjj-rent");
    problem(403, "forbidden", citizen.get("/cases/figures")).await;
    let backwards = clerk.get("/cases/figures?from=2026-02-01&to=2026-01-01");
    problem(400, "invalid_input", backwards).await;
}

#[tokio::test]
#[allow(clippy::too_many_lines)] // One step after the other, of one case.
async fn materials_are_held_against_the_form() {
    let (_folder, server) = demo(&[]).await;
    let token = server.demo_person("林晓雨").await;
    let key = server.key_of(&["clerk"]).await;
    let person = |key| Person {
        server: &server,
        key,
    };
    let (citizen, clerk) = (person(&token), person(&key));
    let id = citizen.apply().await;
    let view = citizen.read(&format!("/cases/{id}")).await;
    assert_eq!(view["prereview"]["missing"], json!([CARD]));

    let contract = "房屋租赁合同\n承租人：林 晓雨\n每月租金：2,600.00元\n"
        .as_bytes()
        .to_vec();
    let view = expect(
        200,
        citizen.uploading(&id, CONTRACT, "合同.txt", contract.clone()),
    )
    .await;
    let told = view["prereview"].to_string();
    assert!(
        told.contains("2,600.00元") && told.contains("2400元"),
        "{told}"
    );
    assert_eq!(
        view["prereview"]["findings"].as_array().unwrap().len(),
        2,
        "{told}"
    );
    let upload = view["uploads"][0]["id"].as_str().unwrap();
    let path = format!("/cases/{id}/materials/{upload}");
    let given = clerk.get(&path).send().await.unwrap();
    assert_eq!(given.headers()["content-type"], "application/octet-stream");
    assert_eq!(given.bytes().await.unwrap(), contract);
    // The same again is no second one.
    let view = expect(200, citizen.uploading(&id, CONTRACT, "合同.txt", contract)).await;
    assert_eq!(view["uploads"].as_array().unwrap().len(), 1);

    let right = "承租人：林晓雨\n每月租金：2400元\n".as_bytes().to_vec();
    expect(200, citizen.uploading(&id, CONTRACT, "补充.txt", right)).await;
    let picture = b"\x89PNG\r\n\x1a\nthe rest".to_vec();
    let view = expect(200, citizen.uploading(&id, CARD, "卡.png", picture)).await;
    assert_eq!(
        view["prereview"]["complete"], true,
        "{:#}",
        view["prereview"]
    );
    let findings = view["prereview"]["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert!(
        findings[0]["text"]
            .as_str()
            .unwrap()
            .contains("图片文字暂不能自动核对")
    );
    let review = &clerk.read(&format!("/cases/{id}")).await["review"];
    assert_eq!(review["suggestion"], "accept", "{review:#}");

    for (name, bytes, status, code) in [
        ("a.exe", b"MZ\x90\0\x03".to_vec(), 415, "unsupported_format"),
        (
            "a.pdf",
            b"%PDF-1.7 and no more".to_vec(),
            422,
            "damaged_file",
        ),
        ("a.txt", Vec::new(), 400, "invalid_input"),
        ("a.txt", vec![b'a'; (20 << 20) + 1], 413, "too_large"),
    ] {
        problem(status, code, citizen.uploading(&id, CARD, name, bytes)).await;
    }
    let unknown = citizen.uploading(&id, "别的材料", "a.txt", b"a".to_vec());
    problem(400, "invalid_input", unknown).await;
    let own = clerk.uploading(&id, CARD, "a.txt", b"a".to_vec());
    problem(404, "not_found", own).await;
    let upload = view["uploads"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/cases/{id}/materials/{upload}");
    let less = expect(200, server.with(&token, "DELETE", &path)).await;
    assert_eq!(
        less["uploads"].as_array().unwrap().len(),
        view["uploads"].as_array().unwrap().len() - 1
    );
}

#[tokio::test]
async fn a_case_that_runs_out_of_time_is_told_of_once() {
    let (_folder, server) = demo(&[]).await;
    let promised = "promised: 3, statutory: 3, unit: working_days";
    assert!(ITEM.contains(promised));
    let item = ITEM.replace(promised, "promised: 1, statutory: 3, unit: days");
    let files = json!({"files": [{"path": "租房.yaml", "content": item}]});
    let taken = expect(200, server.post("/api/v1/service/items").json(&files)).await;
    assert_eq!(taken["items"], 1, "{taken:#}");
    let token = server.demo_person("林晓雨").await;
    let key = server.key_of(&["clerk"]).await;
    let citizen = Person {
        server: &server,
        key: &token,
    };
    let clerk = Person {
        server: &server,
        key: &key,
    };
    citizen.apply().await;
    for _ in 0..2 {
        let job = json!({"kind": "cases.deadlines"});
        let job = expect(200, server.post("/api/v1/jobs").json(&job)).await;
        let path = format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
        wait_for("the job's end", || async {
            let job = server.read(&path).await;
            (job["job"]["state"] == "done").then_some(())
        })
        .await;
    }
    let told = notices_of(clerk, "service.case_due", 1).await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0]["text"].as_str().unwrap().contains("明天到期"),
        "{told:#?}"
    );
}

/// A request that another system got: its head in lower case, and its body.
type Got = (String, Vec<u8>);

/// Another system: it fails twice, then takes what comes.
async fn other_system(got: Arc<Mutex<Vec<Got>>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            let (head, body) = loop {
                let mut chunk = [0; 4096];
                let read = stream.read(&mut chunk).await.unwrap();
                bytes.extend_from_slice(&chunk[..read]);
                let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else {
                    assert!(read > 0, "the head never ended");
                    continue;
                };
                let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
                let length = header(&head, "content-length").parse::<usize>().unwrap();
                if bytes.len() >= end + 4 + length {
                    break (head, bytes[end + 4..].to_vec());
                }
            };
            let before = {
                let mut got = got.lock().unwrap();
                got.push((head, body));
                got.len()
            };
            let reply = if before <= 2 {
                "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned()
            } else {
                let body = r#"{"number": "ZW-2026-77"}"#;
                format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                )
            };
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
    });
    format!("http://{address}/cases")
}

fn header(head: &str, name: &str) -> String {
    let line = head
        .lines()
        .find_map(|l| l.strip_prefix(&format!("{name}:")));
    line.unwrap_or_else(|| panic!("no {name} in {head}"))
        .trim()
        .to_owned()
}

#[tokio::test]
async fn a_case_is_sent_signed_until_it_is_taken_and_survives_a_kill() {
    let got = Arc::new(Mutex::new(Vec::new()));
    let url = other_system(got.clone()).await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let settings = [
        ("CASES__WEBHOOK__URL", url.as_str()),
        ("CASES__WEBHOOK__SECRET", "钥匙"),
    ];
    let server = Server::start_with(&data, &["--demo"], &settings).await;
    let token = server.demo_person("林晓雨").await;
    let id = Person {
        server: &server,
        key: &token,
    }
    .apply()
    .await;
    server.kill();

    let server = Server::start_with(Path::new(&data), &["--demo"], &settings).await;
    let token = server.demo_person("林晓雨").await;
    let citizen = Person {
        server: &server,
        key: &token,
    };
    assert_eq!(citizen.read("/cases/mine").await["total"], 1);
    let key = server.key_of(&["clerk"]).await;
    let clerk = Person {
        server: &server,
        key: &key,
    };
    assert_eq!(
        notices_of(clerk, "service.case_submitted", 1).await.len(),
        1
    );
    let view = wait_for("the other system's number", || async {
        let view = clerk.read(&format!("/cases/{id}")).await;
        view["external"]["number"].is_string().then_some(view)
    })
    .await;
    assert_eq!(view["external"]["number"], "ZW-2026-77");

    let got = got.lock().unwrap().clone();
    // Killed between its sending and its mark, it is sent once more, under the same key.
    assert!((3..=4).contains(&got.len()), "{} requests", got.len());
    for (head, body) in &got {
        assert_eq!(header(head, "idempotency-key"), id);
        let mut mac = Hmac::<Sha256>::new_from_slice("钥匙".as_bytes()).unwrap();
        mac.update(body);
        let code: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(
            header(head, "x-citymind-signature"),
            format!("sha256={code}")
        );
        let case: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(
            (&case["id"], &case["event"]),
            (&json!(id), &json!("case_submitted"))
        );
        assert_eq!(
            case["facts"]["bank_card"]["value"], "6222020200112233446",
            "{case:#}"
        );
    }
}
