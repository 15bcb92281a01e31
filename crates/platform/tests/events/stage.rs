//! A store with a handler whose effects tell what it was given, how often and in which order.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use citymind_platform::events::{Events, Handler, Options, Running};
use engine_store::SqliteRecords;
use kernel::{
    Error, ErrorCode, Result,
    events::{Event, EventBus},
    records::{Collection, Expect, Query, Records, Write},
    testkit::MemoryRecords,
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::watch;

pub const TALLIES: Collection = Collection {
    name: "tallies",
    indexed: &[],
};

/// Runs a test on every kind of store.
pub async fn on_each_store(test: impl AsyncFn(Arc<dyn Records>)) {
    let memory: Arc<dyn Records> = Arc::new(MemoryRecords::default());
    memory.define(&[TALLIES]).await.unwrap();
    test(memory).await;
    let dir = tempfile::tempdir().unwrap();
    let sqlite: Arc<dyn Records> = Arc::new(SqliteRecords::open(&dir.path().join("db")).unwrap());
    sqlite.define(&[TALLIES]).await.unwrap();
    test(sqlite).await;
}

/// Quick enough for tests, and no time limit that a slow machine could meet.
pub fn quick() -> Options {
    Options {
        attempts: 4,
        first_delay: Duration::from_millis(2),
        longest_delay: Duration::from_millis(20),
        limit: Duration::from_secs(3600),
        poll: Duration::from_millis(5),
        batch: 5,
        ..Options::default()
    }
}

/// What the handler does about an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Play {
    Work,
    Fail,
    Panic,
    Hang,
    /// Writes into a collection that was never defined.
    WriteNonsense,
}

type Script = dyn Fn(&Event, u32) -> Play + Send + Sync;

/// Notes every event at its subject: `tallies/{name}/{subject}` holds the numbers in the order in which they had effect.
pub struct Tally {
    name: String,
    kinds: &'static [&'static str],
    records: Arc<dyn Records>,
    script: Mutex<Arc<Script>>,
    calls: Mutex<BTreeMap<String, u32>>,
    pub called: AtomicU64,
}

impl Tally {
    pub fn new(name: &str, records: &Arc<dyn Records>) -> Arc<Self> {
        Self::of(name, &["test.*"], records)
    }

    pub fn of(name: &str, kinds: &'static [&'static str], records: &Arc<dyn Records>) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            kinds,
            records: records.clone(),
            script: Mutex::new(Arc::new(|_, _| Play::Work)),
            calls: Mutex::default(),
            called: AtomicU64::new(0),
        })
    }

    /// From now on it does that: told the event and how often it was called with it before.
    pub fn plays(&self, script: impl Fn(&Event, u32) -> Play + Send + Sync + 'static) {
        *self.script.lock() = Arc::new(script);
    }

    fn play(&self, event: &Event) -> Play {
        self.called.fetch_add(1, Ordering::SeqCst);
        let mut calls = self.calls.lock();
        let before = calls.entry(event.id.clone()).or_default();
        let script = self.script.lock().clone();
        let play = script(event, *before);
        *before += 1;
        play
    }
}

#[async_trait]
impl Handler for Tally {
    fn name(&self) -> &str {
        &self.name
    }

    fn kinds(&self) -> &[&str] {
        self.kinds
    }

    async fn handle(&self, event: &Event) -> Result<Vec<Write>> {
        match self.play(event) {
            Play::Work => {}
            Play::Fail => return Err(Error::new(ErrorCode::Unavailable, "对方系统没有应答。")),
            Play::Panic => panic!("a bug of the handler"),
            Play::Hang => std::future::pending().await,
            Play::WriteNonsense => {
                return Ok(vec![Write::Put {
                    collection: "never_defined",
                    id: "x".into(),
                    body: json!({}),
                    expect: Expect::Any,
                }]);
            }
        }
        let id = format!("{}/{}", self.name, event.subject);
        let (mut numbers, expect) = match self.records.get(&TALLIES, &id).await? {
            None => (Vec::new(), Expect::Absent),
            Some(record) => (
                record.body["numbers"].as_array().unwrap().clone(),
                Expect::Revision(record.revision),
            ),
        };
        numbers.push(event.data["number"].clone());
        let body = json!({"numbers": numbers});
        Ok(vec![Write::put(&TALLIES, id, &body)?.expecting(expect)])
    }
}

/// The numbers that had effect at a subject, in their order.
pub async fn tallied(records: &Arc<dyn Records>, handler: &str, subject: &str) -> Vec<u64> {
    let id = format!("{handler}/{subject}");
    let found = records.get(&TALLIES, &id).await.unwrap();
    found.map_or_else(Vec::new, |record| {
        let numbers = record.body["numbers"].as_array().unwrap();
        numbers.iter().filter_map(Value::as_u64).collect()
    })
}

/// Waits until a subject's numbers are these.
pub async fn until_tallied(records: &Arc<dyn Records>, handler: &str, subject: &str, want: &[u64]) {
    eventually(async || tallied(records, handler, subject).await == want).await;
}

pub fn event(subject: &str, number: u64) -> Event {
    Event::new("test.happened", subject, json!({"number": number}))
}

/// Publishes events the way products do, each in a batch of its own.
pub async fn publish(records: &Arc<dyn Records>, events: &[Event]) {
    for event in events {
        records.apply(vec![event.write().unwrap()]).await.unwrap();
    }
}

/// Publishes `subject` 0, 1, … and returns the events.
pub async fn publish_numbers(
    records: &Arc<dyn Records>,
    subject: &str,
    numbers: std::ops::Range<u64>,
) -> Vec<Event> {
    let events: Vec<Event> = numbers.map(|n| event(subject, n)).collect();
    publish(records, &events).await;
    events
}

pub async fn events_of(records: &Arc<dyn Records>, handlers: &[&Arc<Tally>], o: Options) -> Events {
    events_over(records, None, handlers, o).await
}

pub async fn events_over(
    records: &Arc<dyn Records>,
    beyond: Option<Arc<dyn EventBus>>,
    handlers: &[&Arc<Tally>],
    options: Options,
) -> Events {
    let handlers = handlers.iter().map(|h| (*h).clone() as Arc<dyn Handler>);
    Events::open(records.clone(), beyond, handlers.collect(), options)
        .await
        .unwrap()
}

/// Starts without anybody who tells of writes: the clock alone.
pub fn start(events: &Events) -> Running {
    events.start(&watch::channel(0).1)
}

/// Waits for what is to come about, for as long as even a machine under load may take.
pub async fn eventually(holds: impl AsyncFn() -> bool) {
    let came = tokio::time::timeout(Duration::from_secs(120), async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    came.await.expect("it comes about in the end");
}

pub async fn count(records: &Arc<dyn Records>, name: &'static str) -> usize {
    let collection = Collection { name, indexed: &[] };
    records
        .find(&collection, &Query::default())
        .await
        .unwrap()
        .len()
}
