//! Guided handling, from the first question to the submitted case, through HTTP as a citizen's browser does it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Server, expect, problem};
use serde_json::{Value, json};

/// A citizen whom the demonstration's provider has verified.
struct Citizen<'a> {
    server: &'a Server,
    token: String,
}

impl<'a> Citizen<'a> {
    async fn named(server: &'a Server, name: &str) -> Self {
        let signed_in = expect(
            200,
            server
                .anonymous("POST", "/api/v1/demo/sign-in")
                .json(&json!({"name": name})),
        )
        .await;
        Self {
            server,
            token: signed_in["token"].as_str().unwrap().to_owned(),
        }
    }

    async fn ask(&self, input: Value) -> Value {
        expect(200, self.request("POST", "/api/v1/ask").json(&input)).await
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.server
            .anonymous(method, path)
            .header("accept", "application/json")
            .bearer_auth(&self.token)
    }

    /// Answers every question with its example, from a message that begins a dialogue; the last reply and the fields asked.
    async fn to_the_end(&self, first: Value) -> (Value, Vec<String>) {
        let mut reply = self.ask(first).await;
        let session = reply["session"].clone();
        let mut asked = Vec::new();
        while reply["guide"]["state"] == "asking" {
            let ask = &reply["guide"]["ask"];
            asked.push(ask["field"].as_str().unwrap().to_owned());
            assert!(asked.len() < 40, "it goes on and on: {asked:?}");
            let input = json!({"question": ask["example"], "session": session});
            reply = self.ask(input).await;
        }
        (reply, asked)
    }
}

fn amount<'a>(guide: &'a Value, label: &str) -> &'a Value {
    let amounts = guide["amounts"].as_array().unwrap();
    amounts
        .iter()
        .find(|a| a["label"].as_str().unwrap().contains(label))
        .unwrap_or_else(|| panic!("no {label} in {amounts:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_item_ends_in_one_case() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::demo(data.path()).await;
    let citizen = Citizen::named(&server, "检查").await;
    let items = server.read("/api/v1/service/items?page_size=200").await;
    let items = items["items"].as_array().unwrap();
    assert!(items.len() >= 47, "{}", items.len());
    for item in items {
        let name = item["name"].as_str().unwrap();
        let first = json!({"question": format!("帮我办理{name}")});
        let (reply, asked) = citizen.to_the_end(first).await;
        assert_eq!(reply["guide"]["item"], *name);
        assert_eq!(reply["guide"]["state"], "review", "{name}: {reply:#}");
        let mut once = asked.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), asked.len(), "{name} asks twice: {asked:?}");
        let session = &reply["session"];
        let confirm = json!({"question": "确认提交", "session": session});
        let submitted = citizen.ask(confirm.clone()).await;
        assert_eq!(submitted["guide"]["state"], "submitted", "{name}");
        let again = citizen.ask(confirm).await;
        assert_eq!(submitted["guide"]["case"], again["guide"]["case"], "{name}");
    }
    let mine = expect(200, citizen.request("GET", "/api/v1/cases/mine")).await;
    assert_eq!(mine["total"], items.len());
    // Every condition and every figure stands on a clause that is there.
    for item in items {
        let id = item["id"].as_str().unwrap();
        let view = server.read(&format!("/api/v1/service/items/{id}")).await;
        assert_eq!(view["missing_bases"], json!([]), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_allowance_is_computed_from_the_base_and_the_days() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::demo(data.path()).await;
    let citizen = Citizen::named(&server, "李小红").await;
    let (reply, _) = citizen
        .to_the_end(json!({"question": "帮我申领生育津贴"}))
        .await;
    let guide = &reply["guide"];
    assert_eq!(guide["item"], "生育津贴申领");
    let allowance = amount(guide, "生育津贴");
    let steps = allowance["steps"].to_string();
    assert!(
        steps.contains("÷ 30") && steps.contains('×') && steps.contains("基数"),
        "{steps}"
    );
    assert_eq!(allowance["value"], "44766.67元");
    let difference = amount(guide, "补");
    assert_eq!(difference["value"], "3686.66元");
    assert!(!allowance["citations"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_offered_can_be_taken_up_corrected_and_left() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::demo(data.path()).await;
    let citizen = Citizen::named(&server, "王小明").await;
    let asked = citizen
        .ask(json!({"question": "租房子要提取公积金怎么办？"}))
        .await;
    assert_eq!(asked["status"], "answered");
    assert_eq!(asked["offer"]["item"], "住房公积金租房提取");
    let session = &asked["session"];
    let say = |text: &str| json!({"question": text, "session": session});
    let begun = citizen.ask(say("需要，我的材料已经准备好了")).await;
    assert_eq!(begun["guide"]["state"], "asking", "{begun:#}");
    let pending = begun["guide"]["ask"]["field"].clone();
    // A question aside is answered, and the dialogue waits at the same question.
    let aside = citizen.ask(say("提前还贷可以用公积金吗？")).await;
    assert_eq!(aside["status"], "answered");
    assert_eq!(aside["guide"]["ask"]["field"], pending);
    // A condition that is not met refuses with its clause, and with what would have to differ.
    let refused = citizen.ask(say("有")).await;
    assert_eq!(refused["guide"]["state"], "ineligible", "{refused:#}");
    let reason = &refused["guide"]["reasons"][0];
    assert!(!reason["citations"].as_array().unwrap().is_empty());
    assert_eq!(reason["instead"], "偿还购房贷款提取住房公积金");
    assert_eq!(refused["guide"]["nearest"][0]["field"], "owns_home");
    // A correction, filled in place: all that depends on it follows.
    let fill = json!({"question": "在表中修改", "session": session, "fill": {"owns_home": "没有", "rent_kind": "商品住房，合同没有备案", "children": "2个"}});
    let corrected = citizen.ask(fill).await;
    assert_eq!(corrected["guide"]["state"], "asking");
    assert_eq!(corrected["guide"]["changed"].as_array().unwrap().len(), 3);
    let monthly = amount(&corrected["guide"], "每月可提取");
    assert_eq!(monthly["value"], "2250元");
    let figures = monthly["figures"].to_string();
    assert!(
        figures.contains("1500元") && figures.contains("2024年7月1日"),
        "{figures}"
    );
    // Nonsense in place changes nothing.
    let nonsense =
        json!({"question": "在表中修改", "session": session, "fill": {"children": "很多"}});
    problem(
        400,
        "invalid_input",
        citizen.request("POST", "/api/v1/ask").json(&nonsense),
    )
    .await;
    let unknown = json!({"question": "在表中修改", "session": session, "fill": {"no_such": "1"}});
    problem(
        400,
        "invalid_input",
        citizen.request("POST", "/api/v1/ask").json(&unknown),
    )
    .await;
    let left = citizen.ask(say("算了")).await;
    assert_eq!(left["guide"]["state"], "stopped");
    let resumed = citizen.ask(say("继续办理")).await;
    assert_eq!(resumed["guide"]["state"], "asking");
    assert_eq!(amount(&resumed["guide"], "每月可提取")["value"], "2250元");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_handed_in_without_a_verified_account() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::demo(data.path()).await;
    let visitor = common::Visitor::new(&server).await;
    let mut reply = visitor
        .ask(json!({"question": "帮我办理社会保险参保证明打印"}))
        .await;
    let session = reply["session"].clone();
    while reply["guide"]["state"] == "asking" {
        let example = reply["guide"]["ask"]["example"].clone();
        reply = visitor
            .ask(json!({"question": example, "session": session}))
            .await;
    }
    assert_eq!(reply["guide"]["state"], "review", "{reply:#}");
    assert_eq!(reply["guide"]["needs_sign_in"], true);
    let confirmed = visitor
        .ask(json!({"question": "确认提交", "session": session}))
        .await;
    assert_eq!(confirmed["guide"]["state"], "review");
    assert_eq!(confirmed["guide"]["case"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_seen_by_its_applicant_and_decided_by_a_clerk() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::demo(data.path()).await;
    let citizen = Citizen::named(&server, "王小明").await;
    let (reply, _) = citizen
        .to_the_end(json!({"question": "帮我办理社会保险参保证明打印"}))
        .await;
    let confirm = json!({"question": "确认提交", "session": reply["session"]});
    citizen.ask(confirm).await;
    let mine = expect(200, citizen.request("GET", "/api/v1/cases/mine")).await;
    let id = mine["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/cases/{id}");
    let seen = expect(200, citizen.request("GET", &path)).await;
    assert_eq!(
        seen["review"],
        Value::Null,
        "what the rules suggest is for clerks"
    );
    let other = Citizen::named(&server, "别人").await;
    problem(404, "not_found", other.request("GET", &path)).await;
    problem(
        404,
        "not_found",
        other
            .request("POST", &format!("{path}/withdraw"))
            .json(&json!({})),
    )
    .await;
    let decide = format!("{path}/decide");
    let approve = json!({"decision": "approve", "opinion": "同意。"});
    problem(
        403,
        "forbidden",
        citizen.request("POST", &decide).json(&approve),
    )
    .await;
    // The server's own machine acts as administrator.
    let listed = server.read("/api/v1/cases?open=true").await;
    assert_eq!(listed["total"], 1);
    let view = server.read(&path).await;
    assert_eq!(
        view["review"]["suggestion"], "approve",
        "{:#}",
        view["review"]
    );
    let silent = json!({"decision": "return"});
    problem(400, "invalid_input", server.post(&decide).json(&silent)).await;
    let returned = json!({"decision": "return", "opinion": "请补充单位名称。"});
    let view = expect(200, server.post(&decide).json(&returned)).await;
    assert_eq!(view["status"], "returned");
    problem(409, "conflict", server.post(&decide).json(&approve)).await;
    let resubmit = json!({"note": "已补充。"});
    let view = expect(
        200,
        citizen
            .request("POST", &format!("{path}/resubmit"))
            .json(&resubmit),
    )
    .await;
    assert_eq!(view["status"], "submitted");
    let view = expect(200, server.post(&decide).json(&approve)).await;
    assert_eq!(view["status"], "approved");
    assert_eq!(view["history"].as_array().unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn chat_programs_of_the_openai_interface_work_unchanged() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::demo(data.path()).await;
    let chat = |messages: Value, stream: bool| {
        server
            .anonymous("POST", "/v1/chat/completions")
            .json(&json!({"model": "service", "messages": messages, "stream": stream}))
    };
    let first = json!({"role": "user", "content": "帮我办理住房公积金租房提取"});
    let reply = expect(200, chat(json!([first]), false)).await;
    let said = reply["choices"][0]["message"].clone();
    assert_eq!(reply["object"], "chat.completion");
    assert_eq!(reply["citymind"]["guide"]["state"], "asking");
    // The client sends the whole conversation; it is the same dialogue.
    let more = json!([{"role": "system", "content": "你是海盗"}, first, said, {"role": "user", "content": "没有"}]);
    let next = expect(200, chat(more, false)).await;
    assert_eq!(next["citymind"]["session"], reply["citymind"]["session"]);
    assert_ne!(
        next["citymind"]["guide"]["ask"],
        reply["citymind"]["guide"]["ask"]
    );
    let text = chat(
        json!([{"role": "user", "content": "租房一个月能提多少公积金"}]),
        true,
    )
    .send()
    .await
    .unwrap()
    .text()
    .await
    .unwrap();
    assert!(text.trim_end().ends_with("data: [DONE]"), "{text}");
    let pieces = text.lines().filter_map(|l| l.strip_prefix("data: {"));
    let whole: String = pieces
        .map(|p| serde_json::from_str::<Value>(&format!("{{{p}")).unwrap())
        .filter_map(|c| {
            c["choices"][0]["delta"]["content"]
                .as_str()
                .map(str::to_owned)
        })
        .collect();
    assert!(
        whole.contains("1500元") && whole.contains("[1] 《"),
        "{whole}"
    );
    let models = expect(200, server.anonymous("GET", "/v1/models")).await;
    assert_eq!(models["data"][0]["id"], "service");
    let unknown = server
        .anonymous("POST", "/v1/chat/completions")
        .json(&json!({"model": "gpt-9", "messages": [{"role": "user", "content": "你好"}]}));
    let refused = expect(404, unknown).await;
    assert_eq!(refused["error"]["code"], "not_found");
    let empty = chat(json!([]), false);
    assert_eq!(
        expect(400, empty).await["error"]["type"],
        "invalid_request_error"
    );
}
