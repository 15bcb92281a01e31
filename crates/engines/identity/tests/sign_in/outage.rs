//! Providers that are down, slow to tell, overlong, moved, or sign with new keys.

use std::sync::atomic::Ordering;

use kernel::{Error, ErrorCode};
use serde_json::json;

use crate::provider::{BACK, Stage, Trouble, signed, silent_port, stage};

fn is_unavailable<T: std::fmt::Debug>(result: Result<T, Error>) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.code, ErrorCode::Unavailable, "{error:?}");
    assert!(
        error.message.contains("城市统一身份认证（演示）"),
        "{error:?}"
    );
    assert!(error.detail.is_some(), "{error:?}");
    error
}

#[tokio::test]
async fn a_provider_that_is_down_is_said_to_be_and_comes_back_by_itself() {
    let (socket, issuer) = silent_port();
    let stage = Stage::new(issuer);
    let client = stage.client();
    let error = is_unavailable(client.begin(BACK).await);
    assert!(error.message.contains("稍后再试"), "{error:?}");
    stage.open(socket.listen(64).unwrap());
    // Not asked again at once, so that nobody queues for timeouts.
    is_unavailable(client.begin(BACK).await);
    assert_eq!(stage.requests.load(Ordering::SeqCst), 0);
    stage.pass(5);
    assert!(stage.sign_in(&client, "林晓雨").await.is_ok());
}

#[tokio::test]
async fn what_the_provider_said_is_used_for_an_hour_and_in_need_for_a_day() {
    let stage = stage().await;
    let client = stage.client();
    assert!(stage.sign_in(&client, "林晓雨").await.is_ok());
    assert!(stage.sign_in(&client, "林晓雨").await.is_ok());
    assert_eq!(stage.key_fetches.load(Ordering::SeqCst), 1);
    stage.pass(3600);
    assert!(stage.sign_in(&client, "林晓雨").await.is_ok());
    assert_eq!(stage.key_fetches.load(Ordering::SeqCst), 2);

    stage.in_trouble(Trouble::Failing, "/openid-configuration");
    stage.pass(3600);
    assert!(stage.sign_in(&client, "林晓雨").await.is_ok());
    stage.pass(23 * 3600);
    is_unavailable(client.begin(BACK).await);
}

#[tokio::test]
async fn junk_endless_and_moved_answers_are_an_outage_wherever_they_come() {
    for trouble in [
        Trouble::Failing,
        Trouble::Junk,
        Trouble::Huge,
        Trouble::Moved,
    ] {
        for path in ["/openid-configuration", "/jwks", "/token", "/userinfo"] {
            let stage = stage().await;
            // So that user info is asked for.
            stage.alter(|claims| {
                claims.as_object_mut().unwrap().remove("verified");
            });
            let client = stage.client();
            stage.in_trouble(trouble, path);
            is_unavailable(stage.sign_in(&client, "林晓雨").await);
            assert_eq!(stage.strayed.load(Ordering::SeqCst), 0);
            stage.in_trouble(Trouble::None, "");
            stage.pass(5);
            assert!(stage.sign_in(&client, "林晓雨").await.is_ok());
        }
    }
}

#[tokio::test]
async fn a_provider_that_calls_itself_something_else_is_for_the_operator_to_mend() {
    for (name, value) in [
        ("issuer", "http://127.0.0.1:1/else"),
        ("token_endpoint", "http://id.example.gov/token"),
        ("userinfo_endpoint", "ftp://127.0.0.1/userinfo"),
    ] {
        let stage = stage().await;
        *stage.discovery.lock() = Box::new(move |mut document| {
            document[name] = json!(value);
            document
        });
        let error = is_unavailable(stage.client().begin(BACK).await);
        assert!(error.message.contains("管理员"), "{name}: {error:?}");
    }
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it() {
    let stage = stage().await;
    let client = stage.client();
    assert!(stage.sign_in(&client, "林晓雨").await.is_ok());
    stage.rotate(8);
    assert!(stage.sign_in(&client, "林晓雨").await.is_ok());
    // The next one within a minute has to wait.
    stage.rotate(9);
    let error = stage.sign_in(&client, "林晓雨").await.unwrap_err();
    assert_eq!(error.code, ErrorCode::SignInFailed);
    stage.pass(60);
    assert!(stage.sign_in(&client, "林晓雨").await.is_ok());
}

#[tokio::test]
async fn invented_keys_do_not_make_us_ask_the_provider_again_and_again() {
    let stage = stage().await;
    let client = stage.client();
    stage.forge(|mut header, claims| {
        header["kid"] = json!("invented");
        signed(&header, &claims, 8)
    });
    for _ in 0..5 {
        let error = stage.sign_in(&client, "林晓雨").await.unwrap_err();
        assert!(error.message.contains("签名无效"), "{error:?}");
    }
    assert_eq!(stage.key_fetches.load(Ordering::SeqCst), 2);
}
