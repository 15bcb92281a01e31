//! Records in memory, and what every implementation of [`Records`] must do.

use std::{cmp::Ordering, collections::BTreeMap};

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::{
    Error, ErrorCode, Result,
    records::{Collection, Condition, Expect, Query, Record, Records, Sort, Write},
};

#[derive(Default)]
struct State {
    revision: u64,
    rows: BTreeMap<&'static str, BTreeMap<String, Record>>,
}

/// Records in memory, for tests.
#[derive(Default)]
pub struct MemoryRecords(Mutex<State>);

fn field<'a>(body: &'a Value, path: &str) -> &'a Value {
    path.split('.')
        .fold(body, |at, key| at.get(key).unwrap_or(&Value::Null))
}

fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn holds(record: &Record, condition: &Condition) -> bool {
    let at = |name: &String| field(&record.body, name);
    match condition {
        Condition::Is(name, value) => at(name) == value,
        Condition::In(name, values) => values.contains(at(name)),
        Condition::AtLeast(name, value) => compare(at(name), value).is_some_and(Ordering::is_ge),
        Condition::AtMost(name, value) => compare(at(name), value).is_some_and(Ordering::is_le),
        Condition::Contains(name, text) => at(name)
            .as_str()
            .is_some_and(|s| s.to_ascii_lowercase().contains(&text.to_ascii_lowercase())),
        Condition::Any(conditions) => conditions.iter().any(|c| holds(record, c)),
        Condition::Not(condition) => !holds(record, condition),
        Condition::After(revision) => record.revision > *revision,
    }
}

impl MemoryRecords {
    fn matching(&self, collection: &Collection, all: &[Condition]) -> Vec<Record> {
        let state = self.0.lock();
        let rows = state
            .rows
            .get(collection.name)
            .into_iter()
            .flat_map(BTreeMap::values);
        rows.filter(|r| all.iter().all(|c| holds(r, c)))
            .cloned()
            .collect()
    }
}

#[async_trait]
impl Records for MemoryRecords {
    async fn define(&self, _: &[Collection]) -> Result<()> {
        Ok(())
    }

    async fn get(&self, collection: &Collection, id: &str) -> Result<Option<Record>> {
        Ok(self
            .0
            .lock()
            .rows
            .get(collection.name)
            .and_then(|rows| rows.get(id))
            .cloned())
    }

    async fn find(&self, collection: &Collection, query: &Query) -> Result<Vec<Record>> {
        let mut found = self.matching(collection, &query.all);
        if let Some(sort) = &query.sort {
            let key = |r: &Record| {
                if sort.field.is_empty() {
                    json!(r.revision)
                } else {
                    field(&r.body, &sort.field).clone()
                }
            };
            found.sort_by(|a, b| {
                let (x, y) = (key(a), key(b));
                // A missing value comes first, as in SQLite; databases are told to do the same.
                let order = compare(&x, &y).unwrap_or_else(|| (!x.is_null()).cmp(&!y.is_null()));
                if sort.descending {
                    order.reverse()
                } else {
                    order
                }
            });
        }
        let limit = if query.limit == 0 {
            usize::MAX
        } else {
            usize::try_from(query.limit).unwrap_or(usize::MAX)
        };
        Ok(found
            .into_iter()
            .skip(usize::try_from(query.offset).unwrap_or(usize::MAX))
            .take(limit)
            .collect())
    }

    async fn count(&self, collection: &Collection, all: &[Condition]) -> Result<u64> {
        Ok(self.matching(collection, all).len() as u64)
    }

    async fn count_by(
        &self,
        collection: &Collection,
        name: &str,
        all: &[Condition],
    ) -> Result<Vec<(Value, u64)>> {
        let mut counts: Vec<(Value, u64)> = Vec::new();
        for record in self.matching(collection, all) {
            let value = field(&record.body, name);
            match counts.iter_mut().find(|(v, _)| v == value) {
                Some((_, n)) => *n += 1,
                None => counts.push((value.clone(), 1)),
            }
        }
        counts.sort_by(|a, b| {
            b.1.cmp(&a.1)
                .then_with(|| compare(&a.0, &b.0).unwrap_or(Ordering::Equal))
        });
        Ok(counts)
    }

    async fn apply(&self, batch: Vec<Write>) -> Result<u64> {
        let mut state = self.0.lock();
        for write in &batch {
            if let Write::Put {
                collection,
                id,
                expect,
                ..
            } = write
            {
                let stands = state
                    .rows
                    .get(collection)
                    .and_then(|rows| rows.get(id))
                    .map(|r| r.revision);
                let met = match expect {
                    Expect::Any => true,
                    Expect::Absent => stands.is_none(),
                    Expect::Revision(revision) => stands == Some(*revision),
                };
                if !met {
                    return Err(Error::new(
                        ErrorCode::Conflict,
                        "内容已被他人修改，请刷新后重试。",
                    ));
                }
            }
        }
        state.revision += 1;
        let revision = state.revision;
        for write in batch {
            match write {
                Write::Put {
                    collection,
                    id,
                    body,
                    ..
                } => {
                    let record = Record {
                        id: id.clone(),
                        revision,
                        body,
                    };
                    state.rows.entry(collection).or_default().insert(id, record);
                }
                Write::Delete { collection, id } => {
                    state.rows.entry(collection).or_default().remove(&id);
                }
            }
        }
        Ok(revision)
    }

    async fn revision(&self) -> Result<u64> {
        Ok(self.0.lock().revision)
    }
}

const PEOPLE: Collection = Collection {
    name: "conformance_people",
    indexed: &["name", "age", "home.city"],
};
const PLACES: Collection = Collection {
    name: "conformance_places",
    indexed: &[],
};

async fn ids(records: &dyn Records, query: Query) -> Vec<String> {
    records
        .find(&PEOPLE, &query)
        .await
        .expect("find")
        .into_iter()
        .map(|r| r.id)
        .collect()
}

/// Checks an empty store for everything [`Records`] promises.
///
/// # Panics
/// When it breaks a promise.
pub async fn records_conform(records: &dyn Records) {
    records.define(&[PEOPLE, PLACES]).await.expect("define");
    records
        .define(&[PEOPLE, PLACES])
        .await
        .expect("define again");
    assert_eq!(records.revision().await.expect("revision"), 0);
    let people = [
        (
            "a",
            json!({"name": "李雷", "age": 31, "home": {"city": "启明"}, "member": true}),
        ),
        (
            "b",
            json!({"name": "Han 100%_", "age": 9, "home": {"city": "启明"}}),
        ),
        (
            "c",
            json!({"name": "王芳", "age": 31.5, "note": "it's \"quoted\" 😀"}),
        ),
    ];
    let batch = people
        .iter()
        .map(|(id, body)| Write::put(&PEOPLE, *id, body).expect("put"))
        .collect();
    let first = records.apply(batch).await.expect("apply");
    assert!(first > 0);
    let c = records.get(&PEOPLE, "c").await.expect("get").expect("c");
    assert_eq!((c.revision, &c.body), (first, &people[2].1));
    assert_eq!(records.get(&PLACES, "c").await.expect("get"), None);

    conditions_conform(records, first).await;
    order_conforms(records).await;
    batches_conform(records, first).await;
}

async fn conditions_conform(records: &dyn Records, first: u64) {
    let cases: Vec<(Vec<Condition>, &[&str])> = vec![
        (vec![], &["a", "b", "c"]),
        (vec![Condition::is("name", "李雷")], &["a"]),
        (
            vec![
                Condition::is("home.city", "启明"),
                Condition::AtLeast("age".into(), json!(10)),
            ],
            &["a"],
        ),
        (vec![Condition::is("home.city", Value::Null)], &["c"]),
        (vec![Condition::is("member", true)], &["a"]),
        (
            vec![Condition::AtMost("age".into(), json!(31))],
            &["a", "b"],
        ),
        (
            vec![Condition::In(
                "name".into(),
                vec![json!("李雷"), json!("王芳")],
            )],
            &["a", "c"],
        ),
        (vec![Condition::In("name".into(), vec![])], &[]),
        (vec![Condition::contains("name", "han")], &["b"]),
        (vec![Condition::contains("name", "0%_")], &["b"]),
        (vec![Condition::contains("name", "_%")], &[]),
        (vec![Condition::contains("note", "'s \"q")], &["c"]),
        (
            vec![Condition::Any(vec![
                Condition::is("name", "王芳"),
                Condition::is("age", 9),
            ])],
            &["b", "c"],
        ),
        (
            vec![Condition::Not(Box::new(Condition::is("home.city", "启明")))],
            &["c"],
        ),
        (vec![Condition::After(first)], &[]),
        (vec![Condition::After(first - 1)], &["a", "b", "c"]),
    ];
    for (all, want) in cases {
        let label = format!("{all:?}");
        assert_eq!(
            records.count(&PEOPLE, &all).await.expect("count"),
            want.len() as u64,
            "{label}"
        );
        assert_eq!(
            ids(
                records,
                Query {
                    all,
                    ..Query::default()
                }
            )
            .await,
            want,
            "{label}"
        );
    }
    let cities = records
        .count_by(&PEOPLE, "home.city", &[])
        .await
        .expect("count_by");
    assert_eq!(cities, [(json!("启明"), 2), (Value::Null, 1)]);
}

async fn order_conforms(records: &dyn Records) {
    let sorted = |field: &str, descending| Query {
        sort: Some(Sort {
            field: field.to_owned(),
            descending,
        }),
        ..Query::default()
    };
    assert_eq!(ids(records, sorted("age", false)).await, ["b", "a", "c"]);
    assert_eq!(ids(records, sorted("age", true)).await, ["c", "a", "b"]);
    assert_eq!(
        ids(records, sorted("home.city", false)).await,
        ["c", "a", "b"]
    );
    assert_eq!(
        ids(
            records,
            Query {
                offset: 1,
                limit: 1,
                ..sorted("age", false)
            }
        )
        .await,
        ["a"]
    );
    assert_eq!(
        ids(
            records,
            Query {
                offset: 7,
                ..Query::default()
            }
        )
        .await,
        [""; 0]
    );
}

async fn batches_conform(records: &dyn Records, first: u64) {
    let put = |id: &str, expect| {
        Write::put(&PEOPLE, id, &json!({"name": "新"}))
            .expect("put")
            .expecting(expect)
    };
    let refused = records
        .apply(vec![put("d", Expect::Absent), put("a", Expect::Absent)])
        .await;
    assert_eq!(refused.expect_err("a stands").code, ErrorCode::Conflict);
    assert_eq!(
        records.get(&PEOPLE, "d").await.expect("get"),
        None,
        "a refused batch leaves nothing"
    );
    let second = records
        .apply(vec![put("a", Expect::Revision(first))])
        .await
        .expect("apply");
    assert!(second > first);
    let refused = records.apply(vec![put("a", Expect::Revision(first))]).await;
    assert_eq!(
        refused.expect_err("a was changed").code,
        ErrorCode::Conflict
    );
    assert_eq!(
        ids(records, Query::by(Condition::After(first))).await,
        ["a"]
    );

    let gone = Write::Delete {
        collection: PEOPLE.name,
        id: "b".into(),
    };
    let third = records
        .apply(vec![gone.clone(), put("e", Expect::Any)])
        .await
        .expect("apply");
    records
        .apply(vec![gone])
        .await
        .expect("removing again is no error");
    assert_eq!(ids(records, Query::default()).await, ["a", "c", "e"]);

    // The writes of a batch are made in their order, so that a record can be removed on a condition.
    let removed = |expect| {
        let gone = Write::Delete {
            collection: PEOPLE.name,
            id: "f".into(),
        };
        vec![put("f", expect), gone]
    };
    let refused = records.apply(removed(Expect::Revision(first))).await;
    assert_eq!(refused.expect_err("no f yet").code, ErrorCode::Conflict);
    records
        .apply(removed(Expect::Absent))
        .await
        .expect("put and removed at once");
    assert_eq!(records.get(&PEOPLE, "f").await.expect("get"), None);
    let by_revision = Query {
        sort: Some(Sort {
            field: String::new(),
            descending: true,
        }),
        ..Query::default()
    };
    assert_eq!(ids(records, by_revision).await, ["e", "a", "c"]);
    assert!(records.revision().await.expect("revision") > third);
}
