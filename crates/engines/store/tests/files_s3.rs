//! Files in a real S3 server.

#[path = "support/s3.rs"]
mod s3;

use std::time::Duration;

use citymind_engine_store::{S3Files, S3Settings};
use kernel::{Error, ErrorCode, files::Files};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};

fn settings(server: &s3::Server) -> S3Settings {
    S3Settings {
        endpoint: format!("http://{}", server.host()),
        bucket: server.bucket(),
        access_key: s3::ACCESS_KEY.into(),
        secret_key: s3::SECRET_KEY.into(),
        prefix: "智答/a b+c".into(),
        ..S3Settings::default()
    }
}

async fn refused(settings: &S3Settings) -> Error {
    let files = S3Files::new(settings).expect("settings");
    files.check().await.expect_err("refused")
}

/// Writes an object behind the store's back.
async fn overwrite(settings: &S3Settings, address: &str, bytes: &'static [u8]) {
    let endpoint = settings.endpoint.parse().expect("endpoint");
    let name = settings.bucket.clone();
    let bucket = Bucket::new(endpoint, UrlStyle::Path, name, "us-east-1").expect("bucket");
    let key = format!("{}/{}/{}", settings.prefix, &address[..2], &address[2..]);
    let credentials = Credentials::new(s3::ACCESS_KEY, s3::SECRET_KEY);
    let url = bucket
        .put_object(Some(&credentials), &key)
        .sign(Duration::from_mins(1));
    let client = reqwest::Client::new();
    let answer = client.put(url).body(bytes).send().await.expect("answer");
    assert!(answer.status().is_success());
}

#[tokio::test]
async fn conforms() {
    let Some(server) = s3::shared() else { return };
    let mut settings = settings(&server);
    for prefix in ["智答/a b+c", ""] {
        settings.prefix = prefix.into();
        let files = S3Files::new(&settings).unwrap();
        files.check().await.unwrap();
        kernel::testkit::files_conform(&files).await;
    }
}

#[tokio::test]
async fn a_changed_object_is_noticed_and_mended_by_storing_it_again() {
    let Some(server) = s3::shared() else { return };
    let settings = settings(&server);
    let files = S3Files::new(&settings).unwrap();
    let address = files.put("每月一千五百元".into()).await.unwrap();
    // Of the same length, so that only reading tells.
    overwrite(&settings, &address, "每月一千六百元".as_bytes()).await;
    let changed = files.get(&address).await.unwrap_err();
    assert_eq!(changed.code, ErrorCode::SourceChanged);
    assert!(changed.message.contains("对象存储"));
    files.put("每月一千五百元".into()).await.unwrap();
    assert_eq!(
        files.get(&address).await.unwrap(),
        "每月一千五百元".as_bytes()
    );
}

#[tokio::test]
async fn a_wrong_key_or_a_missing_bucket_is_said() {
    let Some(server) = s3::shared() else { return };
    let good = settings(&server);
    let wrong_secret = S3Settings {
        secret_key: "guessed".into(),
        ..good.clone()
    };
    let wrong_name = S3Settings {
        access_key: "stranger".into(),
        ..good.clone()
    };
    for wrong in [wrong_secret, wrong_name] {
        let error = refused(&wrong).await;
        assert_eq!(error.code, ErrorCode::Storage);
        assert!(error.message.contains("密钥不正确"), "{error:?}");
        assert!(!format!("{error:?}").contains("Signature="), "{error:?}");
    }
    let no_bucket = S3Settings {
        bucket: "nowhere".into(),
        ..good
    };
    let error = refused(&no_bucket).await;
    assert_eq!(error.code, ErrorCode::Storage);
    assert!(error.message.contains("没有名为“nowhere”的桶"), "{error:?}");
    let get = S3Files::new(&no_bucket).unwrap().get(&"0".repeat(64)).await;
    assert_eq!(get.unwrap_err().code, ErrorCode::Storage);
}

#[tokio::test]
async fn nobody_at_the_address_is_said_after_a_few_tries() {
    let settings = S3Settings {
        endpoint: "http://127.0.0.1:1".into(),
        bucket: "city".into(),
        access_key: "name".into(),
        secret_key: "s3cret".into(),
        ..S3Settings::default()
    };
    let error = refused(&settings).await;
    assert_eq!(error.code, ErrorCode::Unavailable);
    assert!(error.message.contains("files.endpoint"));
    assert!(!format!("{error:?}").contains("X-Amz"), "{error:?}");
}

#[tokio::test]
async fn a_passing_failure_is_overcome_and_a_lasting_one_is_not_repeated() {
    // A server of its own: its failures would meet other tests.
    let Some(server) = s3::Server::start() else {
        return;
    };
    let files = S3Files::new(&settings(&server)).unwrap();
    server.fail(2, 503, "SlowDown");
    let address = files.put(b"abc".to_vec()).await.unwrap();
    server.fail(1, 500, "InternalError");
    assert_eq!(files.get(&address).await.unwrap(), b"abc");
    server.fail(1, 507, "XMinioStorageFull");
    let full = files.put(b"abd".to_vec()).await.unwrap_err();
    assert_eq!(full.code, ErrorCode::StorageFull);
    assert!(full.message.contains("已满"));
    // The one failure was all that was asked for.
    files.put(b"abd".to_vec()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_goes_away_is_said() {
    let Some(server) = s3::Server::start() else {
        return;
    };
    let settings = settings(&server);
    let files = S3Files::new(&settings).unwrap();
    let address = files.put(b"abc".to_vec()).await.unwrap();
    drop(server);
    let away = files.get(&address).await.unwrap_err();
    assert_eq!(away.code, ErrorCode::Unavailable);
}

#[tokio::test]
async fn an_encrypted_connection_proves_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = (dir.path().join("crt.pem"), dir.path().join("key.pem"));
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
        .args(["ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args([
            "-subj",
            "/CN=store",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    if !made.is_ok_and(|o| o.status.success()) {
        s3::skipped("no openssl to make a certificate with");
        return;
    }
    let Some(server) = s3::Server::encrypted(&certificate, &key) else {
        return;
    };
    let unknown = S3Settings {
        endpoint: format!("https://{}", server.host()),
        bucket: "city".into(),
        access_key: s3::ACCESS_KEY.into(),
        secret_key: s3::SECRET_KEY.into(),
        ..S3Settings::default()
    };
    let error = refused(&unknown).await;
    assert_eq!(error.code, ErrorCode::Storage);
    assert!(error.message.contains("files.ca_certificate"), "{error:?}");
    let known = S3Settings {
        ca_certificate: Some(certificate),
        ..unknown
    };
    S3Files::new(&known).unwrap().check().await.unwrap();
}
