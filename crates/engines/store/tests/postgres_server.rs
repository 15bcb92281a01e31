//! The PostgreSQL server as it really is: stopped, started anew, refusing, encrypted.

#[path = "support/postgres.rs"]
mod postgres;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use citymind_engine_store::PostgresRecords;
use kernel::{
    ErrorCode,
    records::{Collection, Expect, Records, Write},
};
use postgres::{Cluster, fresh_schema, shared};
use serde_json::{Value, json};

const NOTES: Collection = Collection {
    name: "notes",
    indexed: &["title"],
};

async fn notes(cluster: &Cluster) -> PostgresRecords {
    let records = PostgresRecords::connect(&cluster.url(), Some(&fresh_schema()))
        .await
        .expect("connect");
    records.define(&[NOTES]).await.expect("define");
    records
}

fn put(id: &str, body: &Value) -> Write {
    Write::put(&NOTES, id, body).expect("put")
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let Some(cluster) = shared() else { return };
    let schema = fresh_schema();
    PostgresRecords::connect(&cluster.url(), Some(&schema))
        .await
        .unwrap();
    cluster.psql(&format!("UPDATE {schema}.schema_version SET version = 99"));
    let refused = PostgresRecords::connect(&cluster.url(), Some(&schema))
        .await
        .err()
        .unwrap();
    assert_eq!(refused.code, ErrorCode::Storage);
    assert!(refused.message.contains("更新版本"));
}

#[tokio::test]
async fn a_schema_can_be_named_by_the_search_path() {
    let Some(cluster) = shared() else { return };
    let schema = fresh_schema();
    let url = format!("{}?options=-c%20search_path%3D{schema}", cluster.url());
    let records = PostgresRecords::connect(&url, None).await.unwrap();
    records.define(&[NOTES]).await.unwrap();
    records.apply(vec![put("a", &json!({}))]).await.unwrap();
    assert_eq!(
        cluster.psql(&format!("SELECT count(*) FROM {schema}.c_notes")),
        "1"
    );
}

#[tokio::test]
async fn a_database_that_goes_away_and_comes_back_is_used_again() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let records = Arc::new(notes(&cluster).await);
    let revision = records
        .apply(vec![put("a", &json!({"title": "甲"}))])
        .await
        .unwrap();
    // Fill the pool, so that many connections break.
    let reads: Vec<_> = (0..12)
        .map(|_| {
            let records = records.clone();
            tokio::spawn(async move { records.count(&NOTES, &[]).await })
        })
        .collect();
    for read in reads {
        read.await.unwrap().unwrap();
    }

    cluster.crash();
    let away = records.get(&NOTES, "a").await.unwrap_err();
    assert_eq!(away.code, ErrorCode::Unavailable);
    assert!(away.message.contains("自动重新连接"), "{away:?}");
    let away = records.apply(vec![put("b", &json!({}))]).await.unwrap_err();
    assert_eq!(away.code, ErrorCode::Unavailable);

    cluster.resume();
    // What was acknowledged survived the crash, and nothing needs to be started anew.
    assert_eq!(records.revision().await.unwrap(), revision);
    assert_eq!(
        records.get(&NOTES, "a").await.unwrap().unwrap().body["title"],
        "甲"
    );
    records.apply(vec![put("b", &json!({}))]).await.unwrap();

    // Broken while nobody looks: the very next calls work, a read and a write alike.
    for _ in 0..2 {
        cluster.crash();
        cluster.resume();
        let next = records.apply(vec![put("c", &json!({}))]).await.unwrap();
        assert_eq!(records.revision().await.unwrap(), next);
    }
    assert_eq!(records.count(&NOTES, &[]).await.unwrap(), 3);
}

#[tokio::test]
async fn sessions_that_the_server_ends_are_replaced() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let records = notes(&cluster).await;
    for round in 1..=5 {
        cluster.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'citymind'");
        assert_eq!(
            records.apply(vec![put("a", &json!({}))]).await.unwrap(),
            round
        );
        cluster.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'citymind'");
        assert_eq!(records.revision().await.unwrap(), round);
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_address_is_said() {
    let Some(cluster) = shared() else { return };
    let refused = async |url: String| PostgresRecords::connect(&url, None).await.err().unwrap();
    let nobody_there = refused("postgres://u:s3cret@127.0.0.1:1/d".into()).await;
    assert_eq!(nobody_there.code, ErrorCode::Unavailable);
    assert!(
        nobody_there.message.contains("127.0.0.1:1/d")
            && nobody_there.message.contains("database.url")
    );
    assert!(!format!("{nobody_there:?}").contains("s3cret"));
    let no_database = refused(
        cluster
            .url()
            .replace("/postgres", "/nowhere")
            .replace("postgres:", "postgresql:"),
    )
    .await;
    assert!(
        no_database.message.contains("没有所配置的库"),
        "{no_database:?}"
    );
    let no_user = refused(cluster.url().replace("citymind@", "stranger@")).await;
    assert!(no_user.message.contains("拒绝了登录"), "{no_user:?}");
    let no_tls = refused(format!("{}?sslmode=require", cluster.url())).await;
    assert!(no_tls.message.contains("TLS"), "{no_tls:?}");
}

#[tokio::test]
async fn an_encrypted_connection_proves_the_server() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let data = cluster.data();
    let made = std::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=db",
        ])
        .args([
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        .arg("-keyout")
        .arg(data.join("server.key"))
        .arg("-out")
        .arg(data.join("server.crt"))
        .output();
    if !made.is_ok_and(|o| o.status.success()) {
        postgres::skipped("no openssl to make a certificate with");
        return;
    }
    // The key must belong to whoever runs the server.
    let owner = format!("--reference={}", data.join("postgresql.conf").display());
    for file in ["server.key", "server.crt"] {
        let done = std::process::Command::new("chown")
            .arg(&owner)
            .arg(data.join(file))
            .status()
            .unwrap();
        assert!(done.success());
    }
    cluster.configure("ssl = on\n");
    cluster.crash();
    cluster.resume();
    let trusting = format!(
        "{}?sslmode=verify-full&sslrootcert={}",
        cluster.url(),
        data.join("server.crt").display()
    );
    let records = PostgresRecords::connect(&trusting, Some("tls"))
        .await
        .unwrap();
    records.define(&[NOTES]).await.unwrap();
    assert_eq!(cluster.psql("SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'citymind'"), "t");
    let unknown = PostgresRecords::connect(&format!("{}?sslmode=require", cluster.url()), None)
        .await
        .err()
        .unwrap();
    assert!(unknown.message.contains("证书"), "{unknown:?}");
}

#[tokio::test]
async fn crashes_under_way_lose_nothing_acknowledged_and_make_nothing_twice() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let records = Arc::new(notes(&cluster).await);
    let cluster = Arc::new(cluster);
    let over = Arc::new(AtomicBool::new(false));
    let crashes = tokio::task::spawn_blocking({
        let (cluster, over) = (cluster.clone(), over.clone());
        move || {
            for _ in 0..3 {
                cluster.crash();
                cluster.resume();
            }
            over.store(true, Ordering::Relaxed);
        }
    });
    let writers: Vec<_> = (0..6)
        .map(|w| {
            let (records, over) = (records.clone(), over.clone());
            tokio::spawn(async move {
                let (mut acknowledged, mut afterwards) = (Vec::new(), 20);
                for i in 0.. {
                    afterwards -= i32::from(over.load(Ordering::Relaxed));
                    if afterwards < 0 {
                        break;
                    }
                    let id = format!("{w}-{i}");
                    let write = put(&id, &json!({})).expecting(Expect::Absent);
                    match records.apply(vec![write]).await {
                        Ok(revision) => acknowledged.push((id, revision)),
                        Err(e) => assert_eq!(e.code, ErrorCode::Unavailable, "{e:?}"),
                    }
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                acknowledged
            })
        })
        .collect();
    crashes.await.unwrap();
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    assert!(acknowledged.len() > 100, "{}", acknowledged.len());
    for (id, revision) in &acknowledged {
        let stands = records.get(&NOTES, id).await.unwrap().unwrap();
        assert_eq!(stands.revision, *revision);
    }
    // Each record is one batch, so a batch made twice would show as a revision too many.
    let stored = records.count(&NOTES, &[]).await.unwrap();
    assert_eq!(records.revision().await.unwrap(), stored);
}
