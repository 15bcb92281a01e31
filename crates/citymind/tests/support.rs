//! Business support through the public door: policies, matching, beneficiaries, businesses.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Server, expect, problem, run, said};
use serde_json::{Value, json};

const MATCH: &str = "/api/v1/support/match";

async fn demo() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::demo(&folder.path().join("data")).await;
    (folder, server)
}

fn maker() -> Value {
    json!({
        "kind": "company", "industry": "制造业", "size": "small", "district": "曙光区",
        "established_on": "2018-05-20", "staff": 60, "insured_staff": "60人", "laid_off": 0,
        "disabled_staff": 0, "revenue": "3000万元", "revenue_last_year": 28_000_000, "rnd_spend": "200万元",
        "invention_patents": 3, "energy_saved_tce": 600, "qualifications": ["绿色工厂", "high_tech"],
        "dishonest": false, "tax_arrears": "没有", "wage_arrears": false, "safety_accident": false,
        "environmental_penalty": false
    })
}

fn ids(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.map(|p| p["id"].as_str().unwrap()).collect()
}

fn yuan(policy: &Value) -> f64 {
    policy["worth"].as_str().map_or(0.0, |w| w.parse().unwrap())
}

#[tokio::test]
#[allow(clippy::too_many_lines)] // One profile, and all that is said of it.
async fn a_profile_is_matched_with_reasons_benefits_and_what_is_missing() {
    let (_folder, server) = demo().await;
    let form = expect(
        200,
        server.anonymous("GET", "/api/v1/support/profile-fields"),
    )
    .await;
    let fields = form["fields"].as_array().unwrap();
    assert!(fields.len() > 30);
    assert!(
        fields
            .iter()
            .any(|f| f["id"] == "industry" && f["choices"].as_array().unwrap().len() == 18)
    );
    // Anybody may ask.
    let ask = |profile: Value| {
        server
            .anonymous("POST", MATCH)
            .json(&json!({"profile": profile}))
    };
    let found = expect(200, ask(maker())).await;
    let lists = ["eligible", "near", "unknown", "not_met"];
    let total: usize = lists
        .iter()
        .map(|l| found[l].as_array().unwrap().len())
        .sum();
    assert_eq!(found["policies"], total);
    assert!(total >= 50, "{total}");
    let eligible = ids(&found["eligible"]);
    assert!(eligible.contains(&"green-factory"), "{eligible:?}");
    let worth: Vec<f64> = found["eligible"]
        .as_array()
        .unwrap()
        .iter()
        .map(yuan)
        .collect();
    assert!(worth.is_sorted_by(|a, b| a >= b), "{worth:?}");
    // 100,000 for the title and 50,000 for what it saves; each step and each condition with its clause.
    let factory = &found["eligible"][eligible.iter().position(|i| *i == "green-factory").unwrap()];
    assert_eq!(factory["worth"], "150000");
    assert_eq!(factory["automatic"], true);
    let citations = found["citations"].as_array().unwrap();
    for part in ["conditions", "benefits"] {
        for one in factory[part].as_array().unwrap() {
            let marks = one["citations"].as_array().unwrap();
            assert!(!marks.is_empty(), "{one}");
            for mark in marks {
                let cited = &citations[mark.as_u64().unwrap() as usize - 1];
                assert_eq!(cited["n"], *mark);
                assert!(!cited["quote"].as_str().unwrap().is_empty());
            }
        }
    }
    let headline = factory["benefits"]
        .as_array()
        .unwrap()
        .iter()
        .find(|b| b["headline"] == true);
    assert!(!headline.unwrap()["steps"].as_array().unwrap().is_empty());
    // What is not met says why, and nothing else.
    for policy in found["not_met"].as_array().unwrap() {
        let conditions = policy["conditions"].as_array().unwrap();
        assert!(!conditions.is_empty());
        for condition in conditions {
            assert_eq!(condition["state"], "unmet");
            assert!(condition["reason"].is_string());
        }
    }
    for policy in found["near"].as_array().unwrap() {
        let changes = policy["changes"].as_array().unwrap().len();
        assert!((1..=2).contains(&changes), "{policy}");
    }
    for policy in found["unknown"].as_array().unwrap() {
        assert!(
            !policy["missing"].as_array().unwrap().is_empty(),
            "{policy}"
        );
    }
    // One fact away from the factory's money.
    let mut indebted = maker();
    indebted["environmental_penalty"] = true.into();
    let missed = expect(200, ask(indebted)).await;
    let near = missed["near"].as_array().unwrap();
    let factory = near.iter().find(|p| p["id"] == "green-factory").unwrap();
    assert_eq!(factory["changes"][0]["field"], "environmental_penalty");
    assert_eq!(factory["changes"].as_array().unwrap().len(), 1);
    assert_eq!(factory["worth"], "150000");
    // Nothing known: everything is open, and the first question decides much.
    let open = expect(200, ask(json!({}))).await;
    assert!(ids(&open["eligible"]).is_empty() && ids(&open["not_met"]).is_empty());
    let first = &open["questions"][0];
    assert!(first["settles"].as_u64().unwrap() >= 5, "{first}");
    // Before any of the policies there is nothing to match.
    let early = json!({"profile": maker(), "as_of": "2019-01-01"});
    let early = expect(200, server.anonymous("POST", MATCH).json(&early)).await;
    assert_eq!(early["policies"], 0);
}

#[tokio::test]
async fn a_bad_profile_is_refused_in_chinese() {
    let (_folder, server) = demo().await;
    for (profile, part) in [
        (json!({"colour": "red"}), "没有“colour”这一项"),
        (json!({"staff": -3}), "不能小于"),
        (json!({"staff": 1e300}), "太大"),
        (json!({"revenue": "99999999999999999999"}), ""),
        (json!({"staff": {"n": 1}}), "要写数"),
        (json!({"qualifications": ["x"]}), "没有“x”这个选项"),
        (json!({"industry": "字".repeat(5000)}), "最多"),
        (json!({"established_on": "2999-01-01"}), "不能晚于"),
    ] {
        let request = server
            .anonymous("POST", MATCH)
            .json(&json!({"profile": profile}));
        let told = problem(400, "invalid_input", request).await;
        assert!(told["detail"].as_str().unwrap().contains(part), "{told}");
    }
    for body in [
        json!({}),
        json!({"profile": []}),
        json!({"profile": {}, "as_of": "昨天"}),
        json!({"profile": {}, "x": 1}),
    ] {
        problem(
            400,
            "invalid_input",
            server.anonymous("POST", MATCH).json(&body),
        )
        .await;
    }
}

#[tokio::test]
async fn policies_are_listed_shown_and_imported_whole_or_not_at_all() {
    let (_folder, server) = demo().await;
    let list = async |query: &str| {
        let path = format!("/api/v1/support/policies{query}");
        expect(200, server.anonymous("GET", &path)).await
    };
    let all = list("?page_size=200").await["total"].as_u64().unwrap();
    assert!(all >= 50, "{all}");
    let automatic = list("?automatic=true").await["total"].as_u64().unwrap();
    let applied = list("?automatic=false").await["total"].as_u64().unwrap();
    assert!(automatic > 0 && automatic + applied == all);
    let mining = list("?industry=mining&page_size=200").await;
    assert!(!ids(&mining["items"]).contains(&"green-factory"));
    assert!(
        ids(&list("?industry=manufacturing&page_size=200").await["items"])
            .contains(&"green-factory")
    );
    assert_eq!(
        ids(&list("?q=绿色工厂&topic=绿色低碳").await["items"]),
        ["green-factory"]
    );
    let path = "/api/v1/support/policies/green-factory";
    let shown = expect(200, server.anonymous("GET", path)).await;
    assert_eq!(shown["missing_bases"], json!([]));
    assert!(shown["source"].is_null());
    assert!(shown["citations"].as_array().unwrap().len() >= 5);
    problem(
        404,
        "not_found",
        server.anonymous("GET", "/api/v1/support/policies/none"),
    )
    .await;

    let expert = server.key_of(&["expert"]).await;
    let source = expect(200, server.with(&expert, "GET", path)).await["source"]
        .as_str()
        .unwrap()
        .to_owned();
    let sound = source.replace("id: green-factory", "id: greener-factory");
    let broken = source.replace("automatic: true", "automatik: true");
    let import = |files: Value| {
        let request = server.with(&expert, "POST", "/api/v1/support/policies");
        request.json(&json!({"files": files}))
    };
    let both = json!([{"path": "a.yaml", "content": sound}, {"path": "b.yaml", "content": broken}]);
    let refused = expect(200, import(both)).await;
    assert_eq!(refused["policies"], 0);
    assert_eq!(refused["findings"][0]["path"], "b.yaml");
    assert!(refused["findings"][0]["line"].as_u64().unwrap() > 1);
    assert_eq!(list("").await["total"], all);
    let taken = expect(200, import(json!([{"path": "a.yaml", "content": sound}]))).await;
    assert_eq!(taken["policies"], 1);
    assert_eq!(list("").await["total"], all + 1);
    let clerk = server.key_of(&["clerk"]).await;
    let request = server.with(&clerk, "POST", "/api/v1/support/policies");
    problem(403, "forbidden", request.json(&json!({"files": []}))).await;
    let gone = expect(
        200,
        server.with(
            &expert,
            "DELETE",
            "/api/v1/support/policies/greener-factory",
        ),
    )
    .await;
    assert_eq!(gone["source"], sound);
    assert_eq!(list("").await["total"], all);
}

#[tokio::test]
async fn staff_see_who_qualifies_and_who_nearly_does() {
    let (_folder, server) = demo().await;
    let clerk = server.key_of(&["clerk"]).await;
    let path = "/api/v1/support/policies/stable-jobs/beneficiaries";
    problem(401, "sign_in_required", server.anonymous("GET", path)).await;
    let found = expect(200, server.with(&clerk, "GET", path)).await;
    assert_eq!(found["registered"], 300);
    assert_eq!(found["total"], found["eligible"]);
    assert!(found["eligible"].as_u64().unwrap() > 0, "{found}");
    let worth: Vec<f64> = found["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(yuan)
        .collect();
    assert!(worth.is_sorted_by(|a, b| a >= b), "{worth:?}");
    // Each of them, matched by its own profile, qualifies.
    let one = found["items"][0]["id"].as_str().unwrap();
    let business = expect(
        200,
        server.with(&clerk, "GET", &format!("/api/v1/businesses/{one}")),
    )
    .await;
    assert_eq!(business["synthetic"], true);
    let own = json!({"profile": business["profile"]});
    let matched = expect(200, server.anonymous("POST", MATCH).json(&own)).await;
    assert!(ids(&matched["eligible"]).contains(&"stable-jobs"));
    let near = expect(
        200,
        server.with(&clerk, "GET", &format!("{path}?which=near&page_size=5")),
    )
    .await;
    assert_eq!(near["total"], near["near"]);
    assert!(near["items"].as_array().unwrap().len() <= 5);
    for one in near["items"].as_array().unwrap() {
        assert!(!one["open"].as_array().unwrap().is_empty(), "{one}");
    }
    let early = expect(
        200,
        server.with(&clerk, "GET", &format!("{path}?as_of=2001-01-01")),
    )
    .await;
    assert_eq!(
        (&early["in_force"], &early["eligible"]),
        (&json!(false), &json!(0))
    );
}

#[tokio::test]
#[allow(clippy::too_many_lines)] // One business, from its first day on.
async fn businesses_are_kept_by_offices_and_each_by_itself() {
    let (_folder, server) = demo().await;
    let clerk = server.key_of(&["clerk"]).await;
    let all = "/api/v1/businesses";
    let mine = "/api/v1/businesses/mine";
    problem(401, "sign_in_required", server.anonymous("GET", all)).await;
    assert_eq!(
        expect(200, server.with(&clerk, "GET", all)).await["total"],
        300
    );
    let farming = expect(
        200,
        server.with(&clerk, "GET", &format!("{all}?industry=agriculture")),
    )
    .await;
    assert!((1..300).contains(&farming["total"].as_u64().unwrap()));

    // A business sees and changes its own, and only with the code that it signed in by.
    let person = server.demo_person("何静怡").await;
    problem(403, "forbidden", server.with(&person, "GET", all)).await;
    problem(404, "not_found", server.with(&person, "GET", mine)).await;
    problem(
        404,
        "not_found",
        server.with(&person, "GET", "/api/v1/support/mine"),
    )
    .await;
    let own = |code: &str, staff: Value| {
        server.with(&person, "POST", mine).json(&json!({
            "name": "启明云帆软件有限公司（演示）", "credit_code": code,
            "contact": {"person": "何静怡", "phone": "13800138000"},
            "profile": {"kind": "company", "industry": "软件", "staff": staff}
        }))
    };
    problem(400, "invalid_input", own("91990102MA0DEM0214", json!(20))).await;
    problem(409, "conflict", own("91990100MA0DEM013D", json!(20))).await;
    problem(400, "invalid_input", own("91990102MA0DEM0215", json!(-1))).await;
    let kept = expect(200, own("91990102MA0DEM0215", json!(20))).await;
    assert_eq!(
        (&kept["confirmed"], &kept["profile"]["industry"]),
        (&json!(true), &json!("information"))
    );
    let again = expect(200, own("91990102ma0dem0215", json!("21人"))).await;
    assert_eq!(again["profile"]["staff"], 21);
    let matched = expect(200, server.with(&person, "GET", "/api/v1/support/mine")).await;
    assert_eq!(matched["business"]["id"], "91990102MA0DEM0215");
    assert!(!matched["matches"]["unknown"].as_array().unwrap().is_empty());
    // Another account can't take it over, a citizen has none.
    let other = server.key_of(&["business"]).await;
    let taking = server.with(&other, "POST", mine);
    let taking = taking.json(&json!({"name": "别的企业", "credit_code": "91990102MA0DEM0215"}));
    problem(409, "conflict", taking).await;
    let citizen = server.demo_person("赵建国").await;
    problem(403, "forbidden", server.with(&citizen, "GET", mine)).await;

    // A table is taken in whole or not at all, and adds to what is known.
    let import = |text: &str| {
        let request = server.with(&clerk, "POST", "/api/v1/businesses/import");
        request.json(&json!({"content": text}))
    };
    let bad = "企业名称,统一社会信用代码,职工人数\n启明云帆软件有限公司,91990102MA0DEM0215,30\n坏的,123,1\n";
    let refused = expect(200, import(bad)).await;
    assert_eq!(
        (&refused["businesses"], &refused["findings"][0]["line"]),
        (&json!(0), &json!(3))
    );
    let good =
        "企业名称,统一社会信用代码,参保职工人数\n启明云帆软件有限公司,91990102MA0DEM0215,19\n";
    assert_eq!(expect(200, import(good)).await["businesses"], 1);
    let after = expect(200, server.with(&person, "GET", mine)).await;
    assert_eq!(
        (
            &after["profile"]["staff"],
            &after["profile"]["insured_staff"]
        ),
        (&json!(21), &json!(19))
    );
    let put = json!({"name": "启明青禾农业发展有限公司", "credit_code": "91990100MA0DEM013D", "profile": {}});
    expect(200, server.with(&clerk, "POST", all).json(&put)).await;
    assert_eq!(
        expect(200, server.with(&clerk, "GET", all)).await["total"],
        302
    );
}

#[tokio::test]
async fn policy_files_are_checked_on_the_command_line() {
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo");
    let (policies, documents) = (format!("{demo}/support"), format!("{demo}/knowledge/惠企"));
    let checked = run(&["service", "validate", &policies, "--documents", &documents]).await;
    let (out, err) = said(&checked);
    assert!(checked.status.success(), "{out}{err}");
    assert!(err.contains("60 项政策没有问题"), "{err}");
    let folder = tempfile::tempdir().unwrap();
    let source = std::fs::read_to_string(format!("{policies}/green-factory.yaml")).unwrap();
    let bad = folder.path().join("a.yaml");
    std::fs::write(&bad, source.replace("not dishonest", "not dishonesty")).unwrap();
    let checked = run(&["service", "validate", &bad.to_string_lossy()]).await;
    let (out, _) = said(&checked);
    assert!(!checked.status.success());
    assert!(
        out.contains("dishonesty") && out.contains("a.yaml:"),
        "{out}"
    );
}
