//! The hash chain over records in memory: whatever is called, the log is whole; whatever is changed in it, it is found.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use citymind_platform::audit::{Act, Audit, verify_lines};
use kernel::{
    Error, ErrorCode,
    capability::{Context, Definition},
    identity::Caller,
    records::{Collection, Query, Record, Records, Write},
    testkit::MemoryRecords,
};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

const ENTRIES: Collection = collection("audit_entries");
const HEADS: Collection = collection("audit_heads");
const THINGS: Collection = collection("things");

const READS: Definition = Definition::get("things.read", "读", "读一件", "/things/{id}");
const CHANGES: Definition = Definition::post("things.change", "改", "改一件", "/things/{id}");

const fn collection(name: &'static str) -> Collection {
    Collection { name, indexed: &[] }
}

/// One thing that happens to a log.
#[derive(Clone, Debug)]
enum Step {
    /// A call without effects, which may fail.
    Read { fails: bool },
    /// A call with effects that writes so many batches and may fail after them.
    Change { batches: u8, fails: bool },
    /// Waiting entries are committed.
    Flush,
    /// Another process goes on; entries that wait are committed, or lost with the power.
    Restart { orderly: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<bool>().prop_map(|fails| Step::Read { fails }),
        4 => (0..3u8, any::<bool>()).prop_map(|(batches, fails)| Step::Change { batches, fails }),
        1 => Just(Step::Flush),
        2 => any::<bool>().prop_map(|orderly| Step::Restart { orderly }),
    ]
}

fn ended(fails: bool) -> kernel::Result<()> {
    if fails {
        Err(Error::new(ErrorCode::Conflict, "有冲突。"))
    } else {
        Ok(())
    }
}

/// Plays the steps. Returns how many entries must be there, anchors aside.
async fn play(records: &Arc<dyn Records>, steps: &[Step]) -> u64 {
    let mut audit = Audit::open(records.clone()).await.unwrap();
    let (mut kept, mut waiting) = (0, 0);
    for (n, step) in steps.iter().enumerate() {
        let context = Context::of(Caller::system("测试"));
        match *step {
            Step::Read { fails } => {
                let act = Act::of(&READS, &context, n.to_string());
                let _ = audit.during(&context, act, async { ended(fails) }).await;
                waiting += 1;
            }
            Step::Change { batches, fails } => {
                let store = audit.accompany();
                let act = Act::of(&CHANGES, &context, n.to_string());
                context.note("before", "“一”\n二\u{0}");
                let work = async {
                    for _ in 0..batches {
                        store
                            .save(&THINGS, &n.to_string(), &json!({"n": n}))
                            .await?;
                    }
                    ended(fails)
                };
                let _ = audit.during(&context, act, work).await;
                match (batches, fails) {
                    (0, true) => waiting += 1,
                    (_, true) => kept += 2,
                    (_, false) => kept += 1,
                }
            }
            Step::Flush => {
                audit.flush().await.unwrap();
                kept += std::mem::take(&mut waiting);
            }
            Step::Restart { orderly } => {
                if orderly {
                    audit.flush().await.unwrap();
                    kept += waiting;
                }
                waiting = 0;
                audit = Audit::open(records.clone()).await.unwrap();
            }
        }
    }
    audit.flush().await.unwrap();
    kept + waiting
}

fn fresh() -> Arc<dyn Records> {
    Arc::new(MemoryRecords::default())
}

async fn verified(records: &Arc<dyn Records>) -> citymind_platform::audit::Verdict {
    let audit = Audit::open(records.clone()).await.unwrap();
    audit.verify().await.unwrap()
}

async fn all(records: &Arc<dyn Records>, collection: &Collection) -> Vec<Record> {
    records.find(collection, &Query::default()).await.unwrap()
}

fn running<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(work)
}

/// One change of what is stored.
#[derive(Clone, Debug)]
enum Tamper {
    /// One value of an entry or head is another.
    Value(Index),
    /// A name and value more in an entry, or one less.
    More,
    Less(Index),
    /// It is gone.
    Delete,
    /// It stands under a name of its own as well.
    Copy,
    /// It stands where another one stood, and that one in its place.
    Swap(Index),
}

fn tamper() -> impl Strategy<Value = Tamper> {
    prop_oneof![
        6 => any::<Index>().prop_map(Tamper::Value),
        1 => Just(Tamper::More),
        2 => any::<Index>().prop_map(Tamper::Less),
        2 => Just(Tamper::Delete),
        1 => Just(Tamper::Copy),
        2 => any::<Index>().prop_map(Tamper::Swap),
    ]
}

/// The JSON pointers of all values that hold no others.
fn leaves(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let name = name.replace('~', "~0").replace('/', "~1");
                leaves(value, format!("{at}/{name}"), found);
            }
        }
        _ => found.push(at),
    }
}

fn another(value: &Value) -> Value {
    match value {
        Value::Bool(b) => (!b).into(),
        Value::Number(n) => (n.as_u64().unwrap() + 1).into(),
        Value::String(s) => match s.as_bytes() {
            [first, ..] if first.is_ascii_digit() => {
                let digit = (first - b'0' + 1) % 10;
                format!("{digit}{}", &s[1..]).into()
            }
            _ => format!("{s}x").into(),
        },
        other => panic!("{other}"),
    }
}

/// Does it. Returns whether anything is another than before.
async fn done(records: &Arc<dyn Records>, tamper: &Tamper, of_heads: bool, which: &Index) -> bool {
    let collection = if of_heads { HEADS } else { ENTRIES };
    let stored = all(records, &collection).await;
    let chosen = which.get(&stored[..]).clone();
    let mut body = chosen.body.clone();
    let put = |id: &str, body: Value| Write::put(&collection, id, &body).unwrap();
    let batch = match tamper {
        Tamper::Value(place) => {
            let mut found = Vec::new();
            leaves(&body, String::new(), &mut found);
            let pointer: &String = place.get(&found[..]);
            let at = body.pointer_mut(pointer).unwrap();
            *at = another(at);
            vec![put(&chosen.id, body)]
        }
        // What a head knows more says nothing.
        Tamper::More if of_heads => return false,
        Tamper::More => {
            body["detail"]["more"] = "x".into();
            vec![put(&chosen.id, body)]
        }
        Tamper::Less(place) => {
            let object = body.as_object_mut().unwrap();
            let names: Vec<String> = object.keys().cloned().collect();
            let name: &String = place.get(&names[..]);
            object.remove(name);
            vec![put(&chosen.id, body)]
        }
        Tamper::Delete => vec![Write::Delete {
            collection: collection.name,
            id: chosen.id,
        }],
        Tamper::Copy => vec![put(&format!("{}x", chosen.id), body)],
        Tamper::Swap(other) => {
            let other = other.get(&stored[..]);
            if other.id == chosen.id {
                return false;
            }
            vec![put(&chosen.id, other.body.clone()), put(&other.id, body)]
        }
    };
    records.apply(batch).await.unwrap();
    true
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn whatever_is_called_the_log_is_whole_and_says_all_of_it(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        running(async {
            let records = fresh();
            let expected = play(&records, &steps).await;
            let verdict = verified(&records).await;
            prop_assert_eq!(verdict.broken, None);
            let stored = all(&records, &ENTRIES).await;
            prop_assert_eq!(verdict.entries, stored.len() as u64);
            let calls = stored.iter().filter(|r| r.body["action"] != "audit.anchor").count() as u64;
            prop_assert_eq!(calls, expected);

            let audit = Audit::open(records.clone()).await.unwrap();
            let mut text = String::new();
            audit.export(|line| {
                text += line;
                text.push('\n');
                Ok(())
            }).await.unwrap();
            let alone = verify_lines(text.as_bytes());
            prop_assert_eq!(alone.broken, None);
            prop_assert_eq!(alone.entries, verdict.entries);
            Ok(())
        })?;
    }

    #[test]
    fn whatever_is_changed_in_the_log_is_found(
        steps in prop::collection::vec(step(), 1..25),
        tamper in tamper(),
        of_heads in prop::bool::weighted(0.3),
        which in any::<Index>(),
    ) {
        running(async {
            let records = fresh();
            play(&records, &steps).await;
            prop_assume!(!all(&records, &ENTRIES).await.is_empty());
            prop_assume!(done(&records, &tamper, of_heads, &which).await);
            let verdict = verified(&records).await;
            prop_assert!(verdict.broken.is_some(), "goes unseen");
            Ok(())
        })?;
    }

    #[test]
    fn whatever_byte_of_an_export_is_changed_is_found(
        steps in prop::collection::vec(step(), 1..12),
        place in any::<Index>(),
        change in 1..=255u8,
    ) {
        running(async {
            let records = fresh();
            play(&records, &steps).await;
            let audit = Audit::open(records.clone()).await.unwrap();
            let mut text = Vec::new();
            audit.export(|line| {
                text.extend(line.as_bytes());
                text.push(b'\n');
                Ok(())
            }).await.unwrap();
            let at = place.index(text.len());
            text[at] ^= change;
            prop_assert!(verify_lines(&text).broken.is_some(), "byte {} goes unseen", at);
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_call_that_the_store_refuses_leaves_the_chain_whole() {
    let records = fresh();
    let audit = Audit::open(records.clone()).await.unwrap();
    let store = audit.accompany();
    for n in 0..6 {
        let context = Context::of(Caller::system("测试"));
        let act = Act::of(&CHANGES, &context, n.to_string());
        let work = async {
            let write = Write::put(&THINGS, "one", &json!({"n": n}))?;
            // Only the first finds it absent.
            store
                .apply(vec![write.expecting(kernel::records::Expect::Absent)])
                .await
        };
        let done = audit.during(&context, act, work).await;
        assert_eq!(done.is_ok(), n == 0);
    }
    audit.flush().await.unwrap();
    assert_eq!(verified(&records).await.broken, None);
    let outcomes: Vec<Value> = all(&records, &ENTRIES)
        .await
        .iter()
        .skip(1)
        .map(|r| r.body["outcome"].clone())
        .collect();
    let mut expected = vec![json!("ok")];
    expected.extend(vec![json!("conflict"); 5]);
    assert_eq!(outcomes, expected);
}

#[tokio::test]
async fn a_call_whose_caller_goes_away_stands_in_the_log_as_cancelled() {
    let records = fresh();
    let audit = Audit::open(records.clone()).await.unwrap();
    let context = Context::of(Caller::system("测试"));
    let act = Act::of(&READS, &context, "x");
    let endless = audit.during(&context, act, std::future::pending::<kernel::Result<()>>());
    tokio::select! {
        biased;
        _ = endless => unreachable!("it never ends"),
        () = std::future::ready(()) => {}
    }
    audit.flush().await.unwrap();
    let last = all(&records, &ENTRIES).await.pop().unwrap();
    assert_eq!(last.body["outcome"], "cancelled");
}
