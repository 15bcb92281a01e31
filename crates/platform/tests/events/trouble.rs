//! Handlers that hang, stores that go away.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use citymind_platform::events::{DeliveryFilter, State};
use kernel::{
    Error, ErrorCode, Result,
    records::{Collection, Condition, Query, Record, Records, Write},
};
use serde_json::Value;

use super::stage::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_hangs_is_ended_and_tried_again() {
    on_each_store(async |records| {
        let tally = Tally::new("tally", &records);
        tally.plays(
            |event, before| match (event.data["number"].as_u64(), before) {
                (Some(1), 0 | 1) => Play::Hang,
                _ => Play::Work,
            },
        );
        let mut options = quick();
        options.limit = Duration::from_millis(300);
        options.grace = Duration::from_millis(1);
        options.attempts = 1000;
        let events = events_of(&records, &[&tally], options).await;
        let running = start(&events);
        publish_numbers(&records, "s", 0..4).await;
        until_tallied(&records, "tally", "s", &[0, 1, 2, 3]).await;
        running.stop().await;
        assert_eq!(count(&records, "event_lanes").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_handler_hangs_other_subjects_go_on_and_stopping_does_not_wait_for_it() {
    on_each_store(async |records| {
        let tally = Tally::new("tally", &records);
        tally.plays(|event, _| {
            if event.subject == "s" {
                Play::Hang
            } else {
                Play::Work
            }
        });
        let mut options = quick();
        options.grace = Duration::from_millis(1);
        let events = events_of(&records, &[&tally], options.clone()).await;
        let running = start(&events);
        publish_numbers(&records, "s", 0..3).await;
        publish_numbers(&records, "t", 0..20).await;
        let want: Vec<u64> = (0..20).collect();
        until_tallied(&records, "tally", "t", &want).await;
        let hanging = DeliveryFilter {
            state: Some(State::Running),
            ..DeliveryFilter::default()
        };
        eventually(async || events.deliveries(&hanging).await.unwrap().total == 1).await;
        let found = events.deliveries(&hanging).await.unwrap().items.remove(0);
        assert!(events.retry(&found.id).await.is_err());
        assert!(events.discard(&found.id).await.is_err());
        running.stop().await;

        tally.plays(|_, _| Play::Work);
        let events = events_of(&records, &[&tally], options).await;
        let running = start(&events);
        until_tallied(&records, "tally", "s", &[0, 1, 2]).await;
        running.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_while_a_handler_runs_leaves_it_to_the_next() {
    on_each_store(async |records| {
        let tally = Tally::new("tally", &records);
        tally.plays(|_, before| if before == 0 { Play::Hang } else { Play::Work });
        let mut options = quick();
        options.grace = Duration::from_millis(1);
        options.limit = Duration::from_millis(100);
        options.slack = Duration::ZERO;
        options.attempts = 1000;
        let events = events_of(&records, &[&tally], options.clone()).await;
        let running = start(&events);
        publish_numbers(&records, "s", 0..1).await;
        eventually(async || count(&records, "event_deliveries").await == 1).await;
        drop(running);
        let running = start(&events);
        until_tallied(&records, "tally", "s", &[0]).await;
        running.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_the_store_refuses_fail_their_handler_and_stop_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = engine_store::SqliteRecords::open(&dir.path().join("db")).unwrap();
    let records: Arc<dyn Records> = Arc::new(sqlite);
    records.define(&[TALLIES]).await.unwrap();
    let tally = Tally::new("tally", &records);
    tally.plays(|event, _| {
        if event.subject == "s" {
            Play::WriteNonsense
        } else {
            Play::Work
        }
    });
    let events = events_of(&records, &[&tally], quick()).await;
    let running = start(&events);
    publish(
        &records,
        &[event("s", 0), event("t", 0), event("s", 1), event("t", 1)],
    )
    .await;
    until_tallied(&records, "tally", "t", &[0, 1]).await;
    eventually(async || events.consumers().await.unwrap()[0].parked == 1).await;
    running.stop().await;
}

/// A store that can be away.
struct Fickle {
    inner: Arc<dyn Records>,
    away: AtomicBool,
    refused: AtomicU64,
}

impl Fickle {
    fn there(&self) -> Result<&Arc<dyn Records>> {
        if self.away.load(Ordering::SeqCst) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(Error::new(ErrorCode::Storage, "数据库没有应答。"));
        }
        Ok(&self.inner)
    }
}

#[async_trait]
impl Records for Fickle {
    async fn define(&self, collections: &[Collection]) -> Result<()> {
        self.there()?.define(collections).await
    }
    async fn get(&self, collection: &Collection, id: &str) -> Result<Option<Record>> {
        self.there()?.get(collection, id).await
    }
    async fn find(&self, collection: &Collection, query: &Query) -> Result<Vec<Record>> {
        self.there()?.find(collection, query).await
    }
    async fn count(&self, collection: &Collection, all: &[Condition]) -> Result<u64> {
        self.there()?.count(collection, all).await
    }
    async fn count_by(
        &self,
        collection: &Collection,
        field: &str,
        all: &[Condition],
    ) -> Result<Vec<(Value, u64)>> {
        self.there()?.count_by(collection, field, all).await
    }
    async fn apply(&self, batch: Vec<Write>) -> Result<u64> {
        self.there()?.apply(batch).await
    }
    async fn revision(&self) -> Result<u64> {
        self.there()?.revision().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_goes_away_and_comes_back_costs_nothing_but_time() {
    on_each_store(async |inner| {
        let fickle = Arc::new(Fickle {
            inner: inner.clone(),
            away: AtomicBool::new(false),
            refused: AtomicU64::new(0),
        });
        let records: Arc<dyn Records> = fickle.clone();
        let tally = Tally::new("tally", &records);
        let mut options = quick();
        options.attempts = 1000;
        let events = events_of(&records, &[&tally], options).await;
        let running = start(&events);
        for round in 0..5 {
            publish_numbers(&inner, "s", round * 10..round * 10 + 10).await;
            fickle.away.store(true, Ordering::SeqCst);
            let before = fickle.refused.load(Ordering::SeqCst);
            eventually(async || fickle.refused.load(Ordering::SeqCst) >= before + 3).await;
            fickle.away.store(false, Ordering::SeqCst);
            let want: Vec<u64> = (0..round * 10 + 10).collect();
            until_tallied(&inner, "tally", "s", &want).await;
        }
        running.stop().await;
    })
    .await;
}
