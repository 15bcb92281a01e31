//! PostgreSQL and SQLite answer the same questions alike, over values of every kind.

#[path = "support/postgres.rs"]
mod postgres;

use citymind_engine_store::{PostgresRecords, SqliteRecords};
use kernel::records::{Collection, Condition, Query, Records, Sort, Write};
use serde_json::{Value, json};

const NOTES: Collection = Collection {
    name: "notes",
    indexed: &["at.day", "n"],
};

/// Values of every kind, so that orders and conditions meet them all.
fn mixed() -> Vec<(String, Value)> {
    let long = "长".repeat(700);
    let values = [
        json!(5),
        json!("5"),
        json!(5.5),
        json!("a"),
        json!("B"),
        json!("ab"),
        json!("中"),
        json!("é"),
        json!("Z"),
        json!("😀"),
        json!(""),
        Value::Null,
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!("\u{FFFD}"),
        json!(["x", 1]),
        json!({"k": "v"}),
        json!(long),
        json!(format!("{long}甲")),
        json!(format!("{long}乙")),
        json!("长".repeat(500)),
        json!("长".repeat(499)),
    ];
    let mut bodies: Vec<Value> = values
        .iter()
        .map(|v| json!({"n": v, "at": {"day": v}}))
        .collect();
    bodies.push(json!({}));
    bodies.push(json!({"at": 3}));
    bodies.push(json!({"at": [{"day": 5}]}));
    bodies
        .into_iter()
        .enumerate()
        .map(|(i, body)| (format!("{:02}", (i * 7) % 26), body))
        .collect()
}

/// Conditions on which both must agree, and their opposites.
fn conditions() -> Vec<Condition> {
    let mut conditions = Vec::new();
    for (_, body) in mixed() {
        let value = body.get("n").cloned().unwrap_or_default();
        conditions.push(Condition::Is("n".into(), value.clone()));
        if !value.is_null() {
            let options = vec![value.clone(), json!("a"), json!(5)];
            conditions.push(Condition::In("at.day".into(), options));
        }
        if value.is_number() {
            conditions.push(Condition::AtMost("n".into(), value));
        } else if let Some(text) = value.as_str() {
            // SQLite looks into the digits of numbers as well.
            if !text.is_empty() && text != "5" {
                conditions.push(Condition::contains("n", text));
            }
            conditions.push(Condition::AtLeast("n".into(), value.clone()));
            // SQLite holds every number to be below every text.
            let number = Condition::AtMost("n".into(), json!(1e308));
            conditions.push(Condition::Any(vec![
                number,
                Condition::AtMost("n".into(), value),
            ]));
        }
    }
    let opposites: Vec<Condition> = conditions
        .iter()
        .map(|c| Condition::Not(Box::new(c.clone())))
        .collect();
    conditions.extend(opposites);
    conditions
}

fn orders() -> Vec<Query> {
    let mut queries = Vec::new();
    for field in ["n", "at.day", "absent", ""] {
        for descending in [false, true] {
            for (offset, limit) in [(0, 0), (3, 5), (20, 0)] {
                queries.push(Query {
                    sort: Some(Sort {
                        field: field.into(),
                        descending,
                    }),
                    offset,
                    limit,
                    ..Query::default()
                });
            }
        }
    }
    queries
}

#[tokio::test]
async fn orders_conditions_and_counts_agree() {
    let Some(cluster) = postgres::shared() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let sqlite = SqliteRecords::open(&dir.path().join("db")).unwrap();
    let postgres = PostgresRecords::connect(&cluster.url(), Some(&postgres::fresh_schema()))
        .await
        .unwrap();
    let both: [&dyn Records; 2] = [&sqlite, &postgres];
    for records in both {
        records.define(&[NOTES]).await.unwrap();
        for (id, body) in mixed() {
            records
                .apply(vec![Write::put(&NOTES, id, &body).unwrap()])
                .await
                .unwrap();
        }
    }
    let by_conditions = conditions().into_iter().map(Query::by);
    for query in orders().into_iter().chain(by_conditions) {
        let (one, two) = tokio::join!(postgres.find(&NOTES, &query), sqlite.find(&NOTES, &query));
        assert_eq!(one.unwrap(), two.unwrap(), "{query:?}");
    }
    // Numbers beyond 64 bits are rounded by SQLite.
    let exact = [Condition::Not(Box::new(Condition::In(
        "n".into(),
        vec![json!(1e300), json!(u64::MAX)],
    )))];
    assert_eq!(
        postgres.count_by(&NOTES, "n", &exact).await.unwrap(),
        sqlite.count_by(&NOTES, "n", &exact).await.unwrap()
    );
}
