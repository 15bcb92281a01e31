//! Accounts and sign-ins through the HTTP doors: links, passwords, cookies, lock-out, what an administrator changes.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use common::{
    Server, expect,
    people::{Browser, PASSWORD, secret_of, set_cookies},
    problem, problem_of, wait_for,
};
use serde_json::{Value, json};

const SIGN_IN: &str = "citymind_sign_in";
const VISITOR: &str = "citymind_visitor";
const OTHER_PASSWORD: &str = "另一个 也很长的 密码";
const MANY: (&str, &str) = ("RATES__SIGN_INS_PER_MINUTE", "100000");

async fn empty() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start_with(&data, &[], &[MANY]).await;
    (folder, server)
}

async fn link_of(server: &Server) -> String {
    wait_for("the set-up link", || async { server.setup_links().pop() }).await
}

#[tokio::test]
async fn the_set_up_link_works_once_and_every_start_makes_a_new_one_until_there_is_an_administrator()
 {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut server = Server::start(&data, &[]).await;
    let first = link_of(&server).await;
    server.stop().await;
    let server = Server::start(&data, &[]).await;
    let second = wait_for("another link", || async {
        server.setup_links().pop().filter(|link| *link != first)
    })
    .await;
    let browser = Browser::new(&server);
    let dead = browser.redeem(&first, PASSWORD).await;
    problem_of(401, "sign_in_failed", dead).await;
    let view = browser
        .post("/api/v1/auth/link")
        .json(&json!({"secret": second}));
    let view = expect(200, view).await;
    assert_eq!(view["purpose"], "setup");
    assert_eq!(browser.read("/api/v1/auth/me").await["needs_setup"], true);

    let form = json!({"secret": second, "login": "Root", "name": "张管理", "password": PASSWORD});
    let request = browser.post("/api/v1/auth/redeem").json(&form);
    assert_eq!(browser.status(request).await, 200);
    let me = browser.read("/api/v1/auth/me").await;
    assert_eq!(
        (&me["user"]["login"], &me["user"]["roles"]),
        (&json!("root"), &json!(["administrator"]))
    );
    assert_eq!(me["needs_setup"], false);
    let stranger = Browser::new(&server);
    let again = stranger.redeem(&second, PASSWORD).await;
    problem_of(401, "sign_in_failed", again).await;
    assert_eq!(stranger.read("/api/v1/auth/me").await["needs_setup"], false);

    let count = server.setup_links().len();
    server.kill();
    let mut server = Server::start(&data, &[]).await;
    // Its orderly end comes after the place where a link would be printed.
    assert!(server.stop().await.success());
    assert_eq!(server.setup_links().len(), count, "no link any more");
}

#[tokio::test]
async fn a_weak_password_is_refused_and_the_link_stays_usable() {
    let (_folder, server) = empty().await;
    let secret = link_of(&server).await;
    let browser = Browser::new(&server);
    for weak in [
        "short",
        "123456789",
        "1234567890",
        "Password123",
        "aaaaaaaaaaaaaa",
        "我的admin密码一二三",
        &"长".repeat(171),
    ] {
        let refused = browser.redeem(&secret, weak).await;
        problem_of(400, "invalid_input", refused).await;
    }
    assert!(browser.cookie(SIGN_IN).is_none());
    assert_eq!(browser.redeem(&secret, PASSWORD).await.status(), 200);
    assert_eq!(browser.who().await.as_deref(), Some("admin"));
    // The same holds for a change of one's own.
    let change = |new: &str| {
        let form = json!({"present": PASSWORD, "new": new});
        browser.post("/api/v1/account/password").json(&form)
    };
    problem(400, "invalid_input", change("1234567890")).await;
    expect(200, change(OTHER_PASSWORD)).await;
    assert_eq!(browser.who().await, None, "a new password ends sign-ins");
    let old = browser.sign_in("admin", PASSWORD).await;
    problem_of(401, "sign_in_failed", old).await;
    assert_eq!(browser.sign_in("ADMIN", OTHER_PASSWORD).await.status(), 200);
}

#[tokio::test]
async fn an_invitation_sets_the_first_password_once_and_then_one_signs_in() {
    let (_folder, server) = empty().await;
    let (_, secret) = server.invite("wang.fang", &["clerk"], &[]).await;
    let browser = Browser::new(&server);
    let early = browser.sign_in("wang.fang", PASSWORD).await;
    problem_of(401, "sign_in_failed", early).await;
    let view = browser
        .post("/api/v1/auth/link")
        .json(&json!({"secret": secret}));
    let view = expect(200, view).await;
    assert_eq!(
        (&view["purpose"], &view["login"]),
        (&json!("invitation"), &json!("wang.fang"))
    );
    assert_eq!(browser.redeem(&secret, PASSWORD).await.status(), 200);
    assert_eq!(browser.who().await.as_deref(), Some("wang.fang"));
    let again = Browser::new(&server).redeem(&secret, OTHER_PASSWORD).await;
    problem_of(401, "sign_in_failed", again).await;
    let elsewhere = server.signed_in("Wang.Fang").await;
    let open = elsewhere.read("/api/v1/account/sign-ins").await;
    assert_eq!(open.as_array().unwrap().len(), 2);
    // A name is given once.
    let form = json!({"login": "WANG.FANG", "name": "王芳"});
    let twice = server.post("/api/v1/users").json(&form);
    problem(409, "conflict", twice).await;
}

#[tokio::test]
async fn a_reset_ends_every_sign_in_and_the_old_password() {
    let (_folder, server) = empty().await;
    let id = server.account("li.na", &["clerk"], &[]).await;
    let (here, there) = (
        server.signed_in("li.na").await,
        server.signed_in("li.na").await,
    );
    let path = format!("/api/v1/users/{id}/link");
    let earlier = secret_of(&expect(200, server.post(&path)).await);
    let link = secret_of(&expect(200, server.post(&path)).await);
    assert_eq!(
        here.who().await.as_deref(),
        Some("li.na"),
        "not yet: nobody has used it"
    );
    let browser = Browser::new(&server);
    let dead = browser.redeem(&earlier, OTHER_PASSWORD).await;
    problem_of(401, "sign_in_failed", dead).await;
    assert_eq!(browser.redeem(&link, OTHER_PASSWORD).await.status(), 200);
    for other in [&here, &there] {
        let own = other.get("/api/v1/account/sign-ins");
        problem(401, "sign_in_failed", own).await;
        assert_eq!(other.who().await, None);
    }
    assert_eq!(browser.who().await.as_deref(), Some("li.na"));
    let old = Browser::new(&server).sign_in("li.na", PASSWORD).await;
    problem_of(401, "sign_in_failed", old).await;
}

#[tokio::test]
async fn signing_out_ends_the_sign_in_for_whoever_has_copied_it_as_well() {
    let (_folder, server) = empty().await;
    server.account("chen", &["clerk"], &[]).await;
    let (browser, elsewhere) = (
        server.signed_in("chen").await,
        server.signed_in("chen").await,
    );
    let thief = browser.copy();
    assert_eq!(thief.who().await.as_deref(), Some("chen"));
    let visitor = browser.cookie(VISITOR);
    browser.sign_out().await;
    assert!(browser.cookie(SIGN_IN).is_none());
    assert_ne!(
        browser.cookie(VISITOR),
        visitor,
        "whoever comes next is another"
    );
    problem(401, "sign_in_failed", thief.get("/api/v1/account/sign-ins")).await;
    assert_eq!(thief.who().await, None);
    assert!(thief.cookie(SIGN_IN).is_none(), "the cookie is taken away");
    // Another one of the same person goes on, and can be ended from anywhere.
    let here = server.signed_in("chen").await;
    let open = here.read("/api/v1/account/sign-ins").await;
    let open = open.as_array().unwrap();
    // Here, elsewhere, and where the password was set.
    assert_eq!(open.len(), 3);
    let other = open[1]["id"].as_str().unwrap();
    let end = |id: &str| here.delete(&format!("/api/v1/account/sign-ins/{id}"));
    expect(200, end(other)).await;
    assert_eq!(elsewhere.who().await, None);
    assert_eq!(here.who().await.as_deref(), Some("chen"));
    // Somebody else's is not there.
    server.account("zhou", &["clerk"], &[]).await;
    let zhou = server.signed_in("zhou").await;
    let own = zhou.read("/api/v1/account/sign-ins").await;
    problem(404, "not_found", end(own[0]["id"].as_str().unwrap())).await;
    assert_eq!(zhou.who().await.as_deref(), Some("zhou"));
}

/// The cookie that a sign-in sets.
async fn cookie_of_a_sign_in(server: &Server, forwarded: Option<&str>) -> String {
    let form = json!({"login": "liu", "password": PASSWORD});
    let mut request = server.anonymous("POST", "/api/v1/auth/sign-in").json(&form);
    if let Some(protocol) = forwarded {
        request = request.header("x-forwarded-proto", protocol);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let cookies = set_cookies(&response);
    let secure = cookies.iter().filter(|c| c.contains("; Secure")).count();
    assert!(
        secure == 0 || secure == cookies.len(),
        "both or none: {cookies:?}"
    );
    let found = cookies.into_iter().find(|c| c.starts_with(SIGN_IN));
    found.unwrap()
}

#[tokio::test]
async fn the_cookie_of_a_sign_in_is_for_our_pages_alone_and_secure_wherever_https_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut server = Server::start_with(&data, &[], &[MANY]).await;
    server.account("liu", &["clerk"], &[]).await;
    let plain = cookie_of_a_sign_in(&server, None).await;
    for attribute in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(plain.contains(attribute), "{plain}");
    }
    assert!(
        !plain.contains("Secure") && !plain.contains("Domain"),
        "{plain}"
    );
    let proxied = cookie_of_a_sign_in(&server, Some("https")).await;
    assert!(proxied.contains("; Secure") && proxied.contains("; HttpOnly"));
    server.stop().await;

    // A proxy that is not ours is not believed.
    let distrustful = [MANY, ("SERVER__TRUSTED_PROXIES", "[]")];
    let mut server = Server::start_with(&data, &[], &distrustful).await;
    let told = cookie_of_a_sign_in(&server, Some("https")).await;
    assert!(!told.contains("Secure"), "{told}");
    server.stop().await;

    let public = [MANY, ("SERVER__PUBLIC_URL", "https://city.example")];
    let server = Server::start_with(&data, &[], &public).await;
    let secure = cookie_of_a_sign_in(&server, None).await;
    assert!(secure.contains("; Secure"), "{secure}");
}

#[tokio::test]
async fn five_failures_lock_a_name_whether_there_is_such_an_account_or_not() {
    let (_folder, server) = empty().await;
    let id = server.account("sun.li", &["clerk"], &[]).await;
    let browser = Browser::new(&server);
    let mut told: Vec<Vec<String>> = Vec::new();
    // The time at which it ends is another minute at times.
    let blank = |body: &Value| {
        let text = body["detail"].as_str().unwrap();
        text.replace(|c: char| c.is_ascii_digit(), "")
    };
    for login in ["sun.li", "no.such.person"] {
        let mut messages = Vec::new();
        for attempt in 1..=7 {
            // In whatever case: it is the same name.
            let login = if attempt % 2 == 0 {
                login.to_uppercase()
            } else {
                login.to_owned()
            };
            let response = browser.sign_in(&login, "wrong password").await;
            let body = if attempt < 5 {
                problem_of(401, "sign_in_failed", response).await
            } else {
                problem_of(429, "locked_out", response).await
            };
            messages.push(blank(&body));
        }
        told.push(messages);
    }
    assert_eq!(told[0], told[1], "what is told doesn't tell who exists");
    let right = browser.sign_in("sun.li", PASSWORD).await;
    problem_of(429, "locked_out", right).await;
    // Others are not locked, and a reset unlocks.
    server.account("ma.li", &["clerk"], &[]).await;
    server.signed_in("ma.li").await;
    let link = expect(200, server.post(&format!("/api/v1/users/{id}/link"))).await;
    server.signed_in("ma.li").await;
    let reset = browser.redeem(&secret_of(&link), PASSWORD).await;
    assert_eq!(reset.status(), 200);
    server.signed_in("sun.li").await;
}

#[tokio::test]
async fn a_sign_in_between_failures_makes_them_forgotten() {
    let (_folder, server) = empty().await;
    server.account("gao", &["clerk"], &[]).await;
    let browser = Browser::new(&server);
    for _ in 0..3 {
        for _ in 0..4 {
            let wrong = browser.sign_in("gao", "wrong password").await;
            problem_of(401, "sign_in_failed", wrong).await;
        }
        assert_eq!(browser.sign_in("gao", PASSWORD).await.status(), 200);
    }
}

#[tokio::test]
async fn what_an_administrator_changes_about_an_account_counts_at_its_next_request() {
    let (_folder, server) = empty().await;
    let id = server.account("he.jun", &["clerk"], &[]).await;
    let browser = server.signed_in("he.jun").await;
    let path = format!("/api/v1/users/{id}");
    let change = |what: Value| server.post(&path).json(&what);
    let imports = || browser.get("/api/v1/knowledge/imports");
    let before = browser.copy();
    let as_before = || before.get("/api/v1/knowledge/imports");
    expect(200, imports()).await;
    for _ in 0..3 {
        expect(200, change(json!({"roles": []}))).await;
        problem(403, "forbidden", imports()).await;
        expect(200, change(json!({"roles": ["clerk"]}))).await;
        expect(200, imports()).await;
    }
    let disabled = expect(200, change(json!({"disabled": true}))).await;
    assert_eq!(disabled["state"], "disabled");
    problem(401, "sign_in_failed", imports()).await;
    let out = browser.sign_in("he.jun", PASSWORD).await;
    problem_of(401, "sign_in_failed", out).await;
    let back = expect(200, change(json!({"disabled": false}))).await;
    assert_eq!(back["state"], "active");
    problem(401, "sign_in_failed", as_before()).await;
    assert_eq!(browser.sign_in("he.jun", PASSWORD).await.status(), 200);
    expect(200, imports()).await;
    // Out everywhere, by an administrator.
    expect(200, server.post(&format!("{path}/sign-out"))).await;
    problem(401, "sign_in_failed", imports()).await;
}

#[tokio::test]
async fn the_last_administrator_can_neither_be_disabled_nor_lose_the_role() {
    let (_folder, server) = empty().await;
    let first = server.administrator().await;
    let me = first.read("/api/v1/auth/me").await;
    let path = format!("/api/v1/users/{}", me["user"]["id"].as_str().unwrap());
    let change = |what: Value| first.post(&path).json(&what);
    problem(409, "conflict", change(json!({"disabled": true}))).await;
    problem(409, "conflict", change(json!({"roles": ["clerk"]}))).await;
    // Somebody who is only invited can't let anybody in.
    let (_, secret) = server.invite("second", &["administrator"], &[]).await;
    problem(409, "conflict", change(json!({"disabled": true}))).await;
    let second = Browser::new(&server);
    assert_eq!(second.redeem(&secret, PASSWORD).await.status(), 200);
    expect(200, change(json!({"roles": ["clerk"]}))).await;
    problem(403, "forbidden", first.get("/api/v1/users")).await;
    expect(200, second.get("/api/v1/users")).await;
}

#[tokio::test]
async fn a_token_counts_only_where_it_belongs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start_with(&data, &["--demo"], &[MANY]).await;
    let browser = server.administrator().await;
    let token = browser.cookie(SIGN_IN).unwrap();
    let stolen = problem(
        401,
        "sign_in_failed",
        server.with(&token, "GET", "/api/v1/users"),
    )
    .await;
    assert!(
        stolen["detail"].as_str().unwrap().contains("浏览器"),
        "{stolen}"
    );
    expect(200, browser.get("/api/v1/users")).await;
    // A program's token and a key do not make a browser signed in.
    let person = server.demo_person("周思琪").await;
    let key = server.key_of(&["administrator"]).await;
    for (credential, own) in [
        (&person, "/api/v1/account/sign-ins"),
        (&key, "/api/v1/users"),
        (&server.key, "/api/v1/users"),
    ] {
        expect(200, server.with(credential, "GET", own)).await;
        let request = server.anonymous("GET", own);
        let response = request
            .header("cookie", format!("{SIGN_IN}={credential}"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 401);
    }
    let request = server.anonymous("GET", "/api/v1/status");
    let basic = request.header("authorization", "Basic YWRtaW46YWRtaW4=");
    problem(401, "sign_in_failed", basic).await;
}

#[tokio::test]
async fn a_revoked_key_counts_no_more_at_once() {
    let (_folder, server) = empty().await;
    let form = json!({"name": "对接程序", "roles": ["clerk"]});
    let (id, key) = server.new_key(&form).await;
    let imports = || server.with(&key, "GET", "/api/v1/knowledge/imports");
    // Known by now, and remembered.
    for _ in 0..3 {
        expect(200, imports()).await;
    }
    expect(200, server.delete(&format!("/api/v1/keys/{id}"))).await;
    problem(401, "sign_in_failed", imports()).await;
    let keys = server.read("/api/v1/keys").await;
    assert!(keys["items"][0]["revoked_at"].is_string());
    assert!(
        !keys.to_string().contains(&key[12..]),
        "a key is shown once"
    );
}

#[tokio::test]
async fn another_sites_page_can_not_make_a_browser_change_anything() {
    let (_folder, server) = empty().await;
    let browser = server.administrator().await;
    let own = format!("http://{}", server.address);
    let mut n = 0;
    let mut make = || {
        n += 1;
        browser
            .post("/api/v1/departments")
            .json(&json!({"name": format!("第{n}科")}))
    };
    for (header, value) in [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let refused = problem(403, "forbidden", make().header(header, value)).await;
        assert!(
            refused["detail"].as_str().unwrap().contains("其他网站"),
            "{refused}"
        );
    }
    assert_eq!(
        browser.read("/api/v1/departments").await,
        json!([]),
        "nothing was made"
    );
    for (header, value) in [
        ("origin", own.as_str()),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
        ("x-nothing", "1"),
    ] {
        expect(200, make().header(header, value)).await;
    }
    // What browsers say of themselves goes before what a page can say.
    let both = make()
        .header("origin", own.as_str())
        .header("sec-fetch-site", "cross-site");
    problem(403, "forbidden", both).await;
    // Programs carry no cookies by themselves.
    let key = server.key_of(&["administrator"]).await;
    let by_key = server.with(&key, "POST", "/api/v1/departments");
    let by_key = by_key.json(&json!({"name": "程序科"}));
    expect(200, by_key.header("origin", "http://evil.example")).await;
    // Nor may it sign somebody in as somebody else, or out.
    for path in ["/api/v1/auth/sign-in", "/api/v1/auth/sign-out"] {
        let request = browser.post(path).header("sec-fetch-site", "cross-site");
        problem(403, "forbidden", request.json(&json!({}))).await;
    }
    assert_eq!(browser.who().await.as_deref(), Some("admin"));
}

#[tokio::test]
async fn a_conversation_is_for_whoever_had_it() {
    let (_folder, server) = empty().await;
    server.account("first", &["clerk"], &[]).await;
    server.account("second", &["clerk"], &[]).await;
    let first = server.signed_in("first").await;
    let question = json!({"question": "生育津贴怎么领？"});
    let answer = expect(200, first.post("/api/v1/ask").json(&question)).await;
    let (session, trace) = (
        answer["session"].as_str().unwrap(),
        answer["trace"].as_str().unwrap(),
    );
    let path = format!("/api/v1/sessions/{session}");
    first.read(&path).await;
    first.read(&format!("/api/v1/traces/{trace}")).await;
    let elsewhere = server.signed_in("first").await;
    elsewhere.read(&path).await;

    let second = server.signed_in("second").await;
    let stranger = Browser::new(&server);
    let key = server.key_of(&["clerk"]).await;
    for other in [
        &|method: &str, path: &str| second.request(method.parse().unwrap(), path),
        &|method: &str, path: &str| stranger.request(method.parse().unwrap(), path),
        &|method: &str, path: &str| server.with(&key, method, path),
    ] as [&dyn Fn(&str, &str) -> reqwest::RequestBuilder; 3]
    {
        problem(404, "not_found", other("GET", &path)).await;
        problem(404, "not_found", other("DELETE", &path)).await;
        problem(404, "not_found", other("POST", &format!("{path}/restore"))).await;
        let traced = other("GET", &format!("/api/v1/traces/{trace}"));
        problem(404, "not_found", traced).await;
        let on = json!({"question": "那材料呢？", "session": session});
        problem(404, "not_found", other("POST", "/api/v1/ask").json(&on)).await;
        let list = expect(200, other("GET", "/api/v1/sessions")).await;
        assert_eq!(list["total"], 0);
    }
    first.sign_out().await;
    problem(404, "not_found", first.get(&path)).await;
}
