//! The whole way from the button to the claims, and what a browser or another client may try on it.

use citymind_engine_identity::{Begun, Callback, Claims, Kind, OidcClient};
use kernel::{Error, ErrorCode};
use openidconnect::url::Url;
use serde_json::json;

use crate::provider::{BACK, Stage, browser, callback, stage};

fn is_refused(result: Result<Claims, Error>, because: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.code, ErrorCode::SignInFailed, "{error:?}");
    assert!(error.message.contains(because), "{error:?}");
}

/// A sign-in up to where the browser is back.
async fn back(stage: &Stage, client: &OidcClient) -> (Begun, Callback) {
    let begun = client.begin(BACK).await.unwrap();
    let callback = stage.browse(&begun, "demo-citizen-01").await;
    (begun, callback)
}

#[tokio::test]
async fn a_citizen_signs_in() {
    let stage = stage().await;
    let claims = stage
        .sign_in(&stage.client(), "demo-citizen-01")
        .await
        .unwrap();
    assert_eq!(claims.name, "林晓雨");
    assert_eq!(claims.subject, "demo-citizen-01");
    assert_eq!(
        (&claims.provider, &claims.issuer),
        (&"demo".into(), &stage.issuer)
    );
    assert_eq!(claims.phone.as_deref(), Some("12000000001"));
    assert_eq!(claims.kind, Kind::Citizen);
    assert!(claims.verified);
}

#[tokio::test]
async fn an_agent_signs_in_for_a_business() {
    let stage = stage().await;
    let claims = stage
        .sign_in(&stage.client(), "demo-business-02")
        .await
        .unwrap();
    let Kind::Business { name, credit_code } = claims.kind else {
        panic!("{claims:?}")
    };
    assert_eq!(name, "启明云帆软件有限公司（演示）");
    assert!(citymind_engine_identity::is_credit_code(&credit_code));
}

#[tokio::test]
async fn the_shortcut_gives_the_claims_that_the_whole_way_gives() {
    let stage = stage().await;
    let client = stage.client();
    for name in ["林晓雨", "何静怡", "任何名字"] {
        let whole = stage.sign_in(&client, name).await.unwrap();
        let short = stage.provider.lock().sign_in(&stage.issuer, name).unwrap();
        assert_eq!(whole, short);
        assert!(short.verified);
    }
}

#[tokio::test]
async fn what_the_caller_keeps_survives_as_json_and_the_calls_can_run_on_any_thread() {
    let stage = stage().await;
    let client = stage.client();
    let (begun, callback) = back(&stage, &client).await;
    let kept = serde_json::to_string(&begun).unwrap();
    let begun = serde_json::from_str(&kept).unwrap();
    let task = tokio::spawn(async move { client.finish(&begun, &callback, BACK).await });
    assert!(task.await.unwrap().is_ok());
    let shown = format!("{:?}", serde_json::from_str::<Begun>(&kept).unwrap());
    for secret in ["state", "nonce", "verifier", "code"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_its_replay_takes_back_what_it_gave() {
    let stage = stage().await;
    let client = stage.client();
    let (begun, callback) = back(&stage, &client).await;
    assert!(client.finish(&begun, &callback, BACK).await.is_ok());
    let bearer = format!(
        "Bearer {}",
        stage.tokens.lock()["access_token"].as_str().unwrap()
    );
    let ask = || {
        let url = format!("{}/userinfo", stage.issuer);
        browser().get(url).header("authorization", &bearer).send()
    };
    assert_eq!(ask().await.unwrap().status(), 200);
    is_refused(client.finish(&begun, &callback, BACK).await, "已经用过");
    assert_eq!(ask().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_code_is_good_for_a_minute() {
    let stage = stage().await;
    let client = stage.client();
    let (begun, callback) = back(&stage, &client).await;
    stage.pass(61);
    is_refused(client.finish(&begun, &callback, BACK).await, "已过期");
}

#[tokio::test]
async fn a_changed_or_missing_state_is_refused_before_the_provider_is_asked() {
    let stage = stage().await;
    let client = stage.client();
    let (begun, callback) = back(&stage, &client).await;
    for state in [None, Some(String::new()), Some("another".into())] {
        let mut callback = callback.clone();
        callback.state = state;
        is_refused(
            client.finish(&begun, &callback, BACK).await,
            "不属于本浏览器",
        );
    }
    assert!(client.finish(&begun, &callback, BACK).await.is_ok());
}

#[tokio::test]
async fn a_code_is_worthless_without_the_verifier_of_its_sign_in() {
    let stage = stage().await;
    let client = stage.client();
    for wrong in [
        client.begin(BACK).await.unwrap().pkce_verifier,
        "short".into(),
    ] {
        let (mut begun, callback) = back(&stage, &client).await;
        begun.pkce_verifier = wrong;
        is_refused(
            client.finish(&begun, &callback, BACK).await,
            "已经用过或已过期",
        );
    }
}

#[tokio::test]
async fn a_code_for_another_client_or_address_is_refused() {
    let stage = stage().await;
    let (begun, callback) = back(&stage, &stage.client()).await;
    let mut settings = stage.settings();
    settings.client_id = "other".into();
    settings.client_secret = Some("a secret: & + % 密".into());
    let other = stage.client_with(settings);
    is_refused(other.finish(&begun, &callback, BACK).await, "重新登录");

    let client = stage.client();
    let (begun, callback) = back(&stage, &client).await;
    let elsewhere = client
        .finish(&begun, &callback, "http://127.0.0.1:9/else")
        .await;
    is_refused(elsewhere, "重新登录");
}

#[tokio::test]
async fn a_client_with_a_secret_needs_the_right_one() {
    let stage = stage().await;
    let mut settings = stage.settings();
    settings.client_id = "other".into();
    settings.client_secret = Some("a secret: & + % 密".into());
    let client = stage.client_with(settings.clone());
    assert!(stage.sign_in(&client, "林晓雨").await.is_ok());
    // A provider that takes the secret in the form only.
    *stage.discovery.lock() = Box::new(|mut document| {
        document["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
        document
    });
    let client = stage.client_with(settings.clone());
    assert!(stage.sign_in(&client, "林晓雨").await.is_ok());
    settings.client_secret = Some("wrong".into());
    let client = stage.client_with(settings);
    let error = stage.sign_in(&client, "林晓雨").await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Unavailable);
    assert!(error.message.contains("管理员"), "{error:?}");
}

#[tokio::test]
async fn somebody_who_cancels_or_takes_too_long_begins_again() {
    let stage = stage().await;
    let client = stage.client();
    let begun = client.begin(BACK).await.unwrap();
    let (_, form) = stage.visit(&begun.url).await;
    let callback = stage.choose(form, &[("cancel", "1")]).await;
    is_refused(client.finish(&begun, &callback, BACK).await, "已取消");

    let (begun, callback) = back(&stage, &client).await;
    stage.pass(601);
    is_refused(client.finish(&begun, &callback, BACK).await, "等待时间过长");
}

#[tokio::test]
async fn an_answer_of_another_provider_or_for_another_button_is_refused() {
    let stage = stage().await;
    let client = stage.client();
    let (begun, callback) = back(&stage, &client).await;
    let mut mixed = callback.clone();
    mixed.iss = Some("https://id.example.gov".into());
    is_refused(client.finish(&begun, &mixed, BACK).await, "另一个认证平台");
    let mut other = begun.clone();
    other.provider = "another".into();
    is_refused(
        client.finish(&other, &callback, BACK).await,
        "另一种登录方式",
    );
    let mut empty = callback.clone();
    empty.code = None;
    is_refused(client.finish(&begun, &empty, BACK).await, "不完整");
}

#[tokio::test]
async fn an_address_that_is_not_registered_is_shown_to_the_person_and_never_followed() {
    let stage = stage().await;
    let begun = stage
        .client()
        .begin("https://elsewhere.example/back")
        .await
        .unwrap();
    let (page, _) = stage.visit(&begun.url).await;
    assert_eq!(page.status(), 400);
    assert!(page.headers().get("location").is_none());
    assert!(page.text().await.unwrap().contains("返回地址没有登记"));
    let mut settings = stage.settings();
    settings.client_id = "stranger".into();
    let begun = stage.client_with(settings).begin(BACK).await.unwrap();
    assert_eq!(stage.visit(&begun.url).await.0.status(), 400);
}

#[tokio::test]
async fn a_client_that_asks_wrongly_is_told_by_the_way_back() {
    let stage = stage().await;
    let begun = stage.client().begin(BACK).await.unwrap();
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("scope", "profile", "invalid_scope"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("prompt", "none", "login_required"),
    ] {
        let mut url = Url::parse(&begun.url).unwrap();
        let pairs: Vec<_> = url
            .query_pairs()
            .into_owned()
            .filter(|(n, _)| n != name)
            .collect();
        url.query_pairs_mut()
            .clear()
            .extend_pairs(pairs)
            .append_pair(name, value);
        let (page, _) = stage.visit(url.as_str()).await;
        assert_eq!(page.status(), 303);
        let back = callback(page.headers()["location"].to_str().unwrap());
        assert_eq!(back.error.as_deref(), Some(error), "{name}");
        assert_eq!(back.state.as_deref(), Some(begun.state.as_str()));
    }
}

#[tokio::test]
async fn what_the_token_lacks_comes_from_the_user_info_of_the_same_person() {
    let stage = stage().await;
    let strip = |claims: &mut serde_json::Value| {
        for name in [
            "name",
            "user_type",
            "business_name",
            "credit_code",
            "verified",
        ] {
            claims.as_object_mut().unwrap().remove(name);
        }
    };
    stage.alter(strip);
    let claims = stage.sign_in(&stage.client(), "何静怡").await.unwrap();
    assert_eq!(claims.name, "何静怡");
    assert!(matches!(claims.kind, Kind::Business { .. }) && claims.verified);

    *stage.user_info.lock() = Box::new(|mut claims| {
        claims["sub"] = json!("demo-citizen-01");
        claims
    });
    is_refused(stage.sign_in(&stage.client(), "何静怡").await, "不符");
}
