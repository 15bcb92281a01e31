//! Records in a real PostgreSQL.

#[path = "support/postgres.rs"]
mod postgres;

use std::{sync::Arc, time::Duration};

use citymind_engine_store::PostgresRecords;
use kernel::{
    ErrorCode,
    records::{Collection, Condition, Expect, Query, Records, Sort, Write},
};
use postgres::{Cluster, fresh_schema, shared};
use serde_json::{Value, json};

const NOTES: Collection = Collection {
    name: "notes",
    indexed: &["title", "at.day", "n"],
};

async fn opened(cluster: &Cluster, schema: &str) -> PostgresRecords {
    PostgresRecords::connect(&cluster.url(), Some(schema))
        .await
        .expect("connect")
}

async fn notes(cluster: &Cluster) -> PostgresRecords {
    let records = opened(cluster, &fresh_schema()).await;
    records.define(&[NOTES]).await.expect("define");
    records
}

fn put(id: &str, body: &Value) -> Write {
    Write::put(&NOTES, id, body).expect("put")
}

#[tokio::test]
async fn conforms() {
    let Some(cluster) = shared() else { return };
    let records = opened(&cluster, &fresh_schema()).await;
    kernel::testkit::records_conform(&records).await;
}

#[tokio::test]
async fn a_body_reads_back_equal_to_what_was_written() {
    let Some(cluster) = shared() else { return };
    let records = notes(&cluster).await;
    let body = json!({
        "nul": "a\0b", "key\0": 1, "max": u64::MAX, "min": i64::MIN, "tenth": 0.1, "huge": 1e300, "whole": 1e16,
        "tiny": 5e-324, "zero": -0.0, "one": 1.0, "z": 1, "a": {"深": [null, true, "\u{10FFFF}", "😀\\u0000"]}, "": "",
    });
    let batch = vec![
        put("id\0 '\"\\ 甲", &body),
        put("plain", &json!({"title": "a\0b"})),
    ];
    records.apply(batch).await.unwrap();
    let read = records.get(&NOTES, "id\0 '\"\\ 甲").await.unwrap().unwrap();
    assert_eq!(read.body, body);
    assert_eq!(read.id, "id\0 '\"\\ 甲");
    let by_nul = Query::by(Condition::is("title", "a\0b"));
    assert_eq!(records.find(&NOTES, &by_nul).await.unwrap()[0].id, "plain");
}

#[tokio::test]
async fn a_missing_field_is_one_of_options_with_null() {
    let Some(cluster) = shared() else { return };
    let records = notes(&cluster).await;
    let batch = vec![
        put("a", &json!({})),
        put("b", &json!({"n": 1})),
        put("c", &json!({"n": 2})),
    ];
    records.apply(batch).await.unwrap();
    let either = [Condition::In("n".into(), vec![Value::Null, json!(2)])];
    assert_eq!(records.count(&NOTES, &either).await.unwrap(), 2);
}

#[tokio::test]
async fn two_processes_that_write_the_same_record_get_one_winner() {
    let Some(cluster) = shared() else { return };
    let schema = fresh_schema();
    let (one, two) = tokio::join!(opened(&cluster, &schema), opened(&cluster, &schema));
    let (a, b) = tokio::join!(one.define(&[NOTES]), two.define(&[NOTES]));
    a.and(b).unwrap();
    let stores = [Arc::new(one), Arc::new(two)];
    let mut revision = stores[0]
        .apply(vec![put("x", &json!({"n": 0}))])
        .await
        .unwrap();
    for round in 0..20 {
        let mut tasks = Vec::new();
        for store in stores
            .iter()
            .flat_map(|s| [s.clone(), s.clone(), s.clone()])
        {
            let write = put("x", &json!({"n": round})).expecting(Expect::Revision(revision));
            tasks.push(tokio::spawn(async move { store.apply(vec![write]).await }));
        }
        let mut won = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(revision) => won.push(revision),
                Err(e) => assert_eq!(e.code, ErrorCode::Conflict),
            }
        }
        assert_eq!(won, [revision + 1]);
        revision = won[0];
    }
    assert_eq!(stores[1].revision().await.unwrap(), revision);
}

#[tokio::test]
async fn who_follows_the_revisions_of_busy_writers_misses_nothing() {
    let Some(cluster) = shared() else { return };
    let schema = fresh_schema();
    let records = Arc::new(opened(&cluster, &schema).await);
    records.define(&[NOTES]).await.unwrap();
    let writers: Vec<_> = (0..8)
        .map(|w| {
            let records = records.clone();
            tokio::spawn(async move {
                for i in 0..25 {
                    records
                        .apply(vec![put(&format!("{w}-{i}"), &json!({}))])
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    let (mut seen, mut at) = (0, 0);
    while seen < 200 {
        let now = records.revision().await.unwrap();
        let after = Query::by(Condition::After(at));
        let found = records.find(&NOTES, &after).await.unwrap();
        // A later batch may be found already; one up to `now` may not be missing.
        let due = found.iter().filter(|r| r.revision <= now).count() as u64;
        assert_eq!(due, now - at);
        (seen, at) = (seen + due, now);
    }
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn many_processes_may_start_together_while_others_write() {
    let Some(cluster) = shared() else { return };
    let schema = fresh_schema();
    let starts: Vec<_> = (0..6)
        .map(|i| {
            let (cluster, schema) = (cluster.clone(), schema.clone());
            tokio::spawn(async move {
                let records = opened(&cluster, &schema).await;
                for round in 0..5 {
                    records.define(&[NOTES]).await.unwrap();
                    let id = format!("{i}-{round}");
                    records
                        .apply(vec![put(&id, &json!({"title": id}))])
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for start in starts {
        start.await.unwrap();
    }
    assert_eq!(
        opened(&cluster, &schema).await.revision().await.unwrap(),
        30
    );
}

#[tokio::test]
async fn a_field_name_cannot_smuggle_sql() {
    let Some(cluster) = shared() else { return };
    let records = notes(&cluster).await;
    for field in ["title' IS NULL OR 1=1 --", "", "a..b", "Title"] {
        let query = Query::by(Condition::is(field, "x"));
        assert_eq!(
            records.find(&NOTES, &query).await.unwrap_err().code,
            ErrorCode::InvalidInput
        );
    }
}

#[tokio::test]
async fn the_last_of_several_writes_of_a_record_stands() {
    let Some(cluster) = shared() else { return };
    let records = notes(&cluster).await;
    let gone = |id: &str| Write::Delete {
        collection: NOTES.name,
        id: id.into(),
    };
    let batch = vec![
        put("a", &json!({"n": 1})),
        put("a", &json!({"n": 2})),
        put("b", &json!({})),
        gone("b"),
        gone("c"),
        put("c", &json!({"n": 3})),
    ];
    records.apply(batch).await.unwrap();
    let found = records.find(&NOTES, &Query::default()).await.unwrap();
    let bodies: Vec<_> = found
        .into_iter()
        .map(|r| (r.id, r.body["n"].clone()))
        .collect();
    assert_eq!(bodies, [("a".into(), json!(2)), ("c".into(), json!(3))]);
}

#[tokio::test]
async fn equality_ranges_and_orders_use_the_indexes() {
    let Some(cluster) = shared() else { return };
    let schema = fresh_schema();
    let records = opened(&cluster, &schema).await;
    records.define(&[NOTES]).await.unwrap();
    let batch = (0..5000)
        .map(|i| {
            put(
                &format!("{i}"),
                &json!({"title": format!("题{i}"), "n": i, "note": "字".repeat(50)}),
            )
        })
        .collect();
    records.apply(batch).await.unwrap();
    cluster.psql(&format!("ANALYZE {schema}.c_notes"));
    let by_title = Query::by(Condition::is("title", "题77"));
    let by_range = Query {
        all: vec![
            Condition::AtLeast("title".into(), json!("题99")),
            Condition::AtMost("title".into(), json!("题991")),
        ],
        ..Query::default()
    };
    let by_number = Query::by(Condition::In("n".into(), vec![json!(7), json!(8.0)]));
    let sorted = |descending| Query {
        sort: Some(Sort {
            field: "n".into(),
            descending,
        }),
        limit: 3,
        ..Query::default()
    };
    let cases = [
        (by_title, "i_notes_title", 1),
        (by_range, "i_notes_title", 3),
        (by_number, "i_notes_n", 2),
        (sorted(false), "i_notes_n", 3),
        (sorted(true), "i_notes_n", 3),
    ];
    for (query, index, want) in cases {
        let scans = || -> u64 {
            let sql = format!(
                "SELECT idx_scan FROM pg_stat_user_indexes WHERE schemaname = '{schema}' AND indexrelname = '{index}'"
            );
            cluster.psql(&sql).parse().unwrap()
        };
        let before = scans();
        let records = opened(&cluster, &schema).await;
        assert_eq!(
            records.find(&NOTES, &query).await.unwrap().len(),
            want,
            "{query:?}"
        );
        // The server counts what a session did when the session ends, a little later.
        drop(records);
        for _ in 0..100 {
            if scans() > before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(scans() > before, "{query:?} does not use {index}");
    }
}
