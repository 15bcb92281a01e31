//! Signing in at an identity provider, from page to page as a browser goes.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::collections::BTreeMap;

use common::{
    Server,
    people::{Browser, location, set_cookies},
    problem_of,
};
use reqwest::Url;
use serde_json::json;

const MANY: (&str, &str) = ("RATES__SIGN_INS_PER_MINUTE", "100000");
const BEGIN: &str = "/api/v1/auth/oidc/demo";

async fn demo() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start_with(&data, &["--demo"], &[MANY]).await;
    (folder, server)
}

/// The hidden fields of the first form of a page.
fn hidden(html: &str) -> BTreeMap<String, String> {
    let form = html.split("</form>").next().unwrap();
    let field = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!("{name}=\"")).unwrap();
        rest.split('"').next().unwrap().replace("&amp;", "&")
    };
    form.lines()
        .filter(|l| l.contains("type=\"hidden\""))
        .map(|l| (field(l, "name"), field(l, "value")))
        .collect()
}

/// Goes to the provider and chooses there: the address to which it sends the browser back.
async fn choose(browser: &Browser<'_>, begin: &str, choice: (&str, &str)) -> String {
    let begun = browser.send(browser.get(begin)).await;
    assert_eq!(begun.status(), 303, "{}", begun.text().await.unwrap());
    let authorize = location(&begun);
    let asked: BTreeMap<String, String> = Url::parse(&authorize)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect();
    for needed in ["state", "nonce", "code_challenge", "redirect_uri"] {
        assert!(!asked[needed].is_empty(), "{needed}");
    }
    assert_eq!(asked["code_challenge_method"], "S256");
    let page = browser.send(browser.get(&authorize)).await;
    assert_eq!(page.status(), 200);
    let mut form = hidden(&page.text().await.unwrap());
    assert_eq!(form["state"], asked["state"]);
    form.insert(choice.0.to_owned(), choice.1.to_owned());
    let answered = browser.send(browser.post(&authorize).form(&form)).await;
    assert_eq!(answered.status(), 303);
    location(&answered)
}

/// A person of the demonstration's directory, by name.
async fn come_back(browser: &Browser<'_>, callback: &str) -> String {
    let back = browser.send(browser.get(callback)).await;
    assert_eq!(back.status(), 303);
    location(&back)
}

#[tokio::test]
async fn a_citizen_signs_in_at_the_provider_and_comes_back_to_the_page() {
    let (_folder, server) = demo().await;
    let browser = Browser::new(&server);
    let me = browser.read("/api/v1/auth/me").await;
    assert_eq!(me["providers"][0]["url"], BEGIN);
    let begin = format!("{BEGIN}?to=/knowledge%3Fspace%3Da");
    let callback = choose(&browser, &begin, ("person", "demo-citizen-01")).await;
    let back = browser.send(browser.get(&callback)).await;
    assert_eq!(location(&back), "/knowledge?space=a");
    let cookies = set_cookies(&back);
    let sign_in = cookies
        .iter()
        .find(|c| c.starts_with("citymind_sign_in="))
        .unwrap();
    assert!(
        sign_in.contains("HttpOnly") && sign_in.contains("SameSite=Strict"),
        "{sign_in}"
    );
    let user = browser.read("/api/v1/auth/me").await["user"].clone();
    assert_eq!(
        (&user["name"], &user["verified"], &user["external"]),
        (&json!("林晓雨"), &json!(true), &json!(true))
    );
    assert_eq!(user["roles"], json!(["citizen"]));
    assert_eq!(user["business"], json!(null));
    browser.sign_out().await;
    assert_eq!(browser.who().await, None);

    // The same person again is the same account.
    let callback = choose(&browser, BEGIN, ("name", "林晓雨")).await;
    assert_eq!(come_back(&browser, &callback).await, "/");
    let again = browser.read("/api/v1/auth/me").await;
    assert_eq!(again["user"]["id"], user["id"]);
}

#[tokio::test]
async fn who_acts_for_a_business_brings_its_name_and_code() {
    let (_folder, server) = demo().await;
    let browser = Browser::new(&server);
    let callback = choose(&browser, BEGIN, ("person", "demo-business-02")).await;
    come_back(&browser, &callback).await;
    let user = browser.read("/api/v1/auth/me").await["user"].clone();
    assert_eq!(user["roles"], json!(["business"]));
    assert_eq!(user["business"]["credit_code"], "91990102MA0DEM0215");
    // A password opens no account of the provider's.
    let login = user["login"].as_str().unwrap();
    let by_password = Browser::new(&server).sign_in(login, "whatever it is").await;
    problem_of(401, "sign_in_failed", by_password).await;
}

#[tokio::test]
async fn a_callback_counts_once_and_only_in_the_browser_that_began() {
    let (_folder, server) = demo().await;
    let failed = "/sign-in?problem=sign_in_failed";
    let browser = Browser::new(&server);
    let callback = choose(&browser, BEGIN, ("person", "demo-citizen-02")).await;
    // Somebody sends one's own callback to others, to have them signed in as oneself.
    let other = Browser::new(&server);
    other.read("/api/v1/auth/me").await;
    for stranger in [&other, &Browser::new(&server)] {
        assert_eq!(come_back(stranger, &callback).await, failed);
        assert_eq!(stranger.who().await, None);
    }
    assert_eq!(come_back(&browser, &callback).await, "/");
    assert!(browser.who().await.is_some());
    let token = browser.cookie("citymind_sign_in");
    assert_eq!(come_back(&browser, &callback).await, failed);
    assert_eq!(
        browser.cookie("citymind_sign_in"),
        token,
        "what was signed in stays so"
    );
    // Without a state, with a made-up one, with another's code.
    let callback_path = format!("{BEGIN}/callback");
    let mine = choose(&other, BEGIN, ("person", "demo-citizen-03")).await;
    let code = |url: &str, name: &str| -> String {
        let url = Url::parse(url).unwrap();
        let found = url.query_pairs().find(|(n, _)| n == name);
        found.unwrap().1.into_owned()
    };
    let forged = [
        callback_path.clone(),
        format!("{callback_path}?code=x&state=y"),
        format!(
            "{callback_path}?code={}&state={}",
            code(&callback, "code"),
            code(&mine, "state")
        ),
    ];
    for path in forged {
        assert_eq!(come_back(&other, &path).await, failed, "{path}");
    }
    assert_eq!(come_back(&other, &mine).await, failed, "taken by then");
    assert_eq!(other.who().await, None);
}

#[tokio::test]
async fn whoever_turns_back_at_the_provider_is_told_so_and_signed_in_nowhere() {
    let (_folder, server) = demo().await;
    let browser = Browser::new(&server);
    let callback = choose(&browser, BEGIN, ("cancel", "1")).await;
    assert!(callback.contains("error=access_denied"), "{callback}");
    let back = come_back(&browser, &callback).await;
    assert!(back.starts_with("/sign-in?problem="), "{back}");
    assert_eq!(browser.who().await, None);
}

#[tokio::test]
async fn one_comes_back_to_pages_of_ours_alone() {
    let (_folder, server) = demo().await;
    for (to, expected) in [
        ("/ask", "/ask"),
        ("/knowledge/documents/a?b=c", "/knowledge/documents/a?b=c"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("/\r\nset-cookie: a=b", "/"),
        ("javascript:alert(1)", "/"),
        ("evil", "/"),
        ("", "/"),
    ] {
        let browser = Browser::new(&server);
        let mut begin = Url::parse(&server.url(BEGIN)).unwrap();
        begin.query_pairs_mut().append_pair("to", to);
        let callback = choose(&browser, begin.as_str(), ("person", "demo-citizen-04")).await;
        assert_eq!(come_back(&browser, &callback).await, expected, "{to:?}");
        assert!(browser.who().await.is_some());
    }
}

#[tokio::test]
async fn an_account_that_is_disabled_stays_out_whatever_the_provider_says() {
    let (_folder, server) = demo().await;
    let browser = Browser::new(&server);
    let callback = choose(&browser, BEGIN, ("person", "demo-citizen-05")).await;
    come_back(&browser, &callback).await;
    let user = browser.read("/api/v1/auth/me").await["user"].clone();
    let path = format!("/api/v1/users/{}", user["id"].as_str().unwrap());
    let disable = server.post(&path).json(&json!({"disabled": true}));
    common::expect(200, disable).await;
    assert_eq!(browser.who().await, None);
    let callback = choose(&browser, BEGIN, ("person", "demo-citizen-05")).await;
    let back = come_back(&browser, &callback).await;
    assert_eq!(back, "/sign-in?problem=forbidden");
    assert_eq!(browser.who().await, None);
    // There is no password that a link could set.
    let link = server.post(&format!("{path}/link"));
    common::problem(400, "invalid_input", link).await;
}

#[tokio::test]
async fn without_the_demonstration_there_is_no_provider_that_lets_anybody_in() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let browser = Browser::new(&server);
    let me = browser.read("/api/v1/auth/me").await;
    assert_eq!(me["providers"], json!([]));
    for path in [
        BEGIN,
        "/demo/identity/authorize",
        "/demo/identity/jwks",
        "/demo/identity/.well-known/openid-configuration",
    ] {
        let response = browser.send(browser.get(path)).await;
        problem_of(404, "not_found", response).await;
    }
    let sign_in = browser.post("/api/v1/demo/sign-in");
    let sign_in = browser.send(sign_in.json(&json!({"name": "林晓雨"}))).await;
    problem_of(404, "not_found", sign_in).await;
}
