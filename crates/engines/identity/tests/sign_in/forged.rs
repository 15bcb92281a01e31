//! ID tokens that lie, one lie at a time.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use citymind_engine_identity::Claims;
use kernel::{Error, ErrorCode};
use openidconnect::{
    JsonWebKeyId, PrivateSigningKey,
    core::{CoreHmacKey, CoreJwsSigningAlgorithm, CoreRsaPrivateSigningKey},
};
use rsa::pkcs1::EncodeRsaPrivateKey;
use serde_json::{Value, json};

use crate::provider::{BACK, SEED, Stage, signed, stage, unsigned};

/// What comes of a sign-in with a token that this makes from header and claims of the right one.
async fn with(forge: impl Fn(Value, Value) -> String + Send + 'static) -> Result<Claims, Error> {
    let stage = stage().await;
    stage.forge(forge);
    stage.sign_in(&stage.client(), "林晓雨").await
}

/// What comes of a sign-in with a token that is rightly signed but says something else.
async fn saying(name: &'static str, value: Value) -> Result<Claims, Error> {
    with(move |header, mut claims| {
        claims[name] = value.clone();
        signed(&header, &claims, SEED)
    })
    .await
}

fn is_refused(result: Result<Claims, Error>, because: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.code, ErrorCode::SignInFailed, "{error:?}");
    assert!(error.message.contains(because), "{error:?}");
    assert!(error.detail.is_some(), "{error:?}");
}

#[tokio::test]
async fn a_token_that_says_the_truth_once_more_is_taken() {
    let same = with(|header, claims| signed(&header, &claims, SEED)).await;
    assert_eq!(same.unwrap().name, "林晓雨");
}

#[tokio::test]
async fn a_token_signed_with_rsa_as_most_providers_do_is_taken() {
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    let pem = key.to_pkcs1_pem(rsa::pkcs1::LineEnding::LF).unwrap();
    let kid = Some(JsonWebKeyId::new("rsa-1".into()));
    let key = CoreRsaPrivateSigningKey::from_pem(&pem, kid).unwrap();
    let public = serde_json::to_value(key.as_verification_key()).unwrap();
    let stage = stage().await;
    *stage.keys.lock() = Box::new(move |mut keys| {
        // Beside the provider's own, and one of a kind that nobody knows yet.
        let all = keys["keys"].as_array_mut().unwrap();
        all.push(public.clone());
        all.push(json!({ "kty": "SM2", "kid": "gm-1" }));
        keys
    });
    stage.forge(move |_, mut claims| {
        // The hash that stands there was made for another algorithm.
        claims.as_object_mut().unwrap().remove("at_hash");
        let message = unsigned(&json!({ "alg": "RS256", "kid": "rsa-1" }), &claims);
        let algorithm = CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256;
        let signature = key.sign(&algorithm, message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    });
    assert!(stage.sign_in(&stage.client(), "林晓雨").await.is_ok());
}

#[tokio::test]
async fn a_token_without_a_signature_is_refused() {
    let none = with(|_, claims| format!("{}.", unsigned(&json!({ "alg": "none" }), &claims)));
    is_refused(none.await, "没有签名");
}

#[tokio::test]
async fn an_unknown_algorithm_is_refused() {
    let unknown = with(|mut header, claims| {
        header["alg"] = json!("XX512");
        signed(&header, &claims, SEED)
    });
    is_refused(unknown.await, "无法识别");
}

#[tokio::test]
async fn a_token_signed_with_a_shared_secret_is_refused_even_for_a_client_with_that_secret() {
    let stage = stage().await;
    stage.forge(|_, mut claims| {
        claims["aud"] = json!(["other"]);
        let message = unsigned(&json!({ "alg": "HS256" }), &claims);
        let key = CoreHmacKey::new("a secret: & + % 密");
        let signature = key.sign(&CoreJwsSigningAlgorithm::HmacSha256, message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.unwrap()))
    });
    let mut settings = stage.settings();
    settings.client_id = "other".into();
    settings.client_secret = Some("a secret: & + % 密".into());
    let result = stage.sign_in(&stage.client_with(settings), "林晓雨").await;
    is_refused(result, "不受支持");
}

#[tokio::test]
async fn a_token_signed_with_another_key_is_refused_whatever_key_it_names() {
    let same_name = with(|header, claims| signed(&header, &claims, 8)).await;
    is_refused(same_name, "签名无效");
    let other_name = with(|mut header, claims| {
        header["kid"] = json!("another");
        signed(&header, &claims, 8)
    });
    is_refused(other_name.await, "签名无效");
    let no_name = with(|_, claims| signed(&json!({ "alg": "EdDSA" }), &claims, 8));
    is_refused(no_name.await, "签名无效");
}

#[tokio::test]
async fn a_changed_claim_under_the_old_signature_is_refused() {
    let changed = with(|header, claims| {
        let old = signed(&header, &claims, SEED);
        let mut lie = claims;
        lie["sub"] = json!("demo-business-01");
        format!(
            "{}.{}",
            unsigned(&header, &lie),
            old.rsplit('.').next().unwrap()
        )
    });
    is_refused(changed.await, "签名无效");
}

#[tokio::test]
async fn a_token_for_another_client_is_refused() {
    is_refused(saying("aud", json!("other")).await, "不是发给本系统的");
    is_refused(saying("aud", json!([])).await, "不是发给本系统的");
}

#[tokio::test]
async fn of_several_audiences_the_authorized_party_must_be_us() {
    let to_both = |azp: Option<&'static str>| {
        with(move |header, mut claims| {
            claims["aud"] = json!(["other", "citymind"]);
            if let Some(azp) = azp {
                claims["azp"] = json!(azp);
            }
            signed(&header, &claims, SEED)
        })
    };
    assert!(to_both(Some("citymind")).await.is_ok());
    is_refused(to_both(Some("other")).await, "不是发给本系统的");
    is_refused(to_both(None).await, "不是发给本系统的");
    is_refused(saying("azp", json!("other")).await, "不是发给本系统的");
}

#[tokio::test]
async fn a_token_of_another_issuer_is_refused() {
    let other = saying("iss", json!("https://id.example.gov")).await;
    is_refused(other, "不是由所选的认证平台签发的");
}

/// What comes of a token whose time is that far from now.
async fn at(stage: &Arc<Stage>, name: &'static str, seconds: i64) -> Result<Claims, Error> {
    let time = stage.time() + seconds;
    stage.alter(move |claims| claims[name] = json!(time));
    stage.sign_in(&stage.client(), "林晓雨").await
}

#[tokio::test]
async fn an_expired_token_is_refused_beyond_a_minute_for_clocks_that_differ() {
    let stage = stage().await;
    assert!(at(&stage, "exp", -59).await.is_ok());
    is_refused(at(&stage, "exp", -60).await, "已过期");
}

#[tokio::test]
async fn a_token_from_the_future_is_refused_beyond_a_minute_for_clocks_that_differ() {
    let stage = stage().await;
    assert!(at(&stage, "iat", 60).await.is_ok());
    is_refused(at(&stage, "iat", 61).await, "校准服务器时间");
}

#[tokio::test]
async fn a_token_older_than_the_sign_in_is_refused_beyond_a_minute_for_clocks_that_differ() {
    let stage = stage().await;
    assert!(at(&stage, "iat", -60).await.is_ok());
    is_refused(at(&stage, "iat", -61).await, "重复使用");
}

#[tokio::test]
async fn a_token_with_absurd_times_is_refused() {
    for absurd in [i64::MIN, i64::MAX] {
        let stage = stage().await;
        for name in ["exp", "iat"] {
            stage.alter(move |claims| claims[name] = json!(absurd));
            let result = stage.sign_in(&stage.client(), "林晓雨").await;
            assert_eq!(result.unwrap_err().code, ErrorCode::SignInFailed);
        }
    }
}

#[tokio::test]
async fn a_token_of_another_sign_in_is_refused() {
    is_refused(saying("nonce", json!("another")).await, "重复使用");
    is_refused(saying("nonce", Value::Null).await, "重复使用");
    // The other way round: the right token, but the browser's sign-in is another.
    let stage = stage().await;
    let client = stage.client();
    let mut begun = client.begin(BACK).await.unwrap();
    let callback = stage.browse(&begun, "林晓雨").await;
    begun.nonce = client.begin(BACK).await.unwrap().nonce;
    is_refused(client.finish(&begun, &callback, BACK).await, "重复使用");
}

#[tokio::test]
async fn a_token_beside_another_access_token_is_refused() {
    is_refused(saying("at_hash", json!("AAAA")).await, "访问令牌不符");
}

#[tokio::test]
async fn a_token_that_is_none_is_refused() {
    for junk in ["", "junk", "a.b.c", "....", "eyJhbGciOiJFZERTQSJ9.e30.AA"] {
        is_refused(with(move |_, _| junk.into()).await, "无法识别");
    }
    is_refused(saying("sub", json!("")).await, "用户编号");
}
