//! Once in effect: whatever is delivered again, and to however many processes.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use citymind_platform::events::LogBus;
use kernel::{
    Result,
    events::{Delivery, Event, EventBus},
};
use tokio::sync::{Notify, watch};

use super::stage::*;

/// A bus at which a process dies before it has acknowledged anything.
struct DeadlyBus {
    log: LogBus,
    deadly: AtomicBool,
    died: Notify,
}

#[async_trait]
impl EventBus for DeadlyBus {
    async fn publish(&self, events: &[Event]) -> Result<()> {
        self.log.publish(events).await
    }

    async fn next(&self, consumer: &str, limit: usize) -> Result<Vec<Delivery>> {
        self.log.next(consumer, limit).await
    }

    async fn acknowledge(&self, consumer: &str, position: &str) -> Result<()> {
        if self.deadly.load(Ordering::SeqCst) {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
        self.log.acknowledge(consumer, position).await
    }

    async fn rewind(&self, consumer: &str) -> Result<()> {
        self.log.rewind(consumer).await
    }

    async fn waiting(&self, consumer: &str) -> Result<u64> {
        self.log.waiting(consumer).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_between_effect_and_acknowledgement_doubles_nothing() {
    on_each_store(async |records| {
        let tally = Tally::new("tally", &records);
        let bus = Arc::new(DeadlyBus {
            log: LogBus::open(records.clone()).await.unwrap(),
            deadly: AtomicBool::new(true),
            died: Notify::new(),
        });
        let events = events_over(&records, Some(bus.clone()), &[&tally], quick()).await;
        publish_numbers(&records, "s", 0..20).await;
        for _ in 0..3 {
            let running = start(&events);
            bus.died.notified().await;
            drop(running);
            assert_eq!(tallied(&records, "tally", "s").await, [0, 1, 2, 3, 4]);
        }
        assert_eq!(events.consumers().await.unwrap()[1].lag, Some(20));
        bus.deadly.store(false, Ordering::SeqCst);
        let running = start(&events);
        let want: Vec<u64> = (0..20).collect();
        until_tallied(&records, "tally", "s", &want).await;
        running.stop().await;
        assert_eq!(tallied(&records, "tally", "s").await, want);
        assert_eq!(tally.called.load(Ordering::SeqCst), 20);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_with_the_same_handlers_have_each_effect_once_and_in_order() {
    on_each_store(async |records| {
        // Each process has handlers of its own; each fails now and then.
        let process = async |seed: u64| {
            let tallies = ["one", "two"].map(|name| Tally::new(name, &records));
            for tally in &tallies {
                tally.plays(move |event, before| {
                    let number = event.data["number"].as_u64().unwrap();
                    match (number * 7 + seed) % 5 {
                        0 if before == 0 => Play::Fail,
                        1 if before == 0 => Play::Panic,
                        _ => Play::Work,
                    }
                });
            }
            let [one, two] = &tallies;
            let mut options = quick();
            options.attempts = 1000;
            events_of(&records, &[one, two], options).await
        };
        let processes = [process(0).await, process(1).await, process(2).await];
        let running = processes.each_ref().map(start);
        let subjects = ["a", "b", "c", "d"];
        for number in 0..25 {
            let events = subjects.map(|s| event(s, number));
            publish(&records, &events).await;
        }
        let want: Vec<u64> = (0..25).collect();
        for handler in ["one", "two"] {
            for subject in subjects {
                until_tallied(&records, handler, subject, &want).await;
            }
        }
        let caught_up = async || {
            let consumers = processes[0].consumers().await.unwrap();
            let open = consumers.iter().map(|c| c.failing + c.held + c.running);
            open.sum::<u64>() == 0 && consumers.iter().all(|c| c.lag == Some(0))
        };
        eventually(caught_up).await;
        for one in running {
            one.stop().await;
        }
        for handler in ["one", "two"] {
            for subject in subjects {
                assert_eq!(tallied(&records, handler, subject).await, want);
            }
        }
        assert_eq!(count(&records, "event_lanes").await, 0);
        assert_eq!(count(&records, "event_deliveries").await, 0);
        assert_eq!(count(&records, "event_marks").await, 2 * 4 * 25);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn handlers_take_their_kinds_and_know_nothing_of_one_another() {
    on_each_store(async |records| {
        let some = Tally::of("some", &["test.happened"], &records);
        let none = Tally::of("none", &["other.*"], &records);
        let all = Tally::of("all", &["*"], &records);
        all.plays(|_, _| Play::Fail);
        let events = events_of(&records, &[&some, &none, &all], quick()).await;
        let running = start(&events);
        publish_numbers(&records, "s", 0..7).await;
        until_tallied(&records, "some", "s", &[0, 1, 2, 3, 4, 5, 6]).await;
        eventually(async || events.consumers().await.unwrap()[2].parked == 1).await;
        eventually(async || events.consumers().await.unwrap()[1].lag == Some(0)).await;
        running.stop().await;
        assert_eq!(none.called.load(Ordering::SeqCst), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_can_tell_and_need_not() {
    on_each_store(async |records| {
        let tally = Tally::new("tally", &records);
        let mut options = quick();
        options.poll = std::time::Duration::from_secs(1_000_000);
        let events = events_of(&records, &[&tally], options).await;
        let (written, receiver) = watch::channel(0);
        let running = events.start(&receiver);
        for number in 0..5 {
            publish_numbers(&records, "s", number..number + 1).await;
            written.send_modify(|n| *n += 1);
            let want: Vec<u64> = (0..=number).collect();
            until_tallied(&records, "tally", "s", &want).await;
        }
        running.stop().await;

        let events = events_of(&records, &[&tally], quick()).await;
        let running = start(&events);
        publish_numbers(&records, "s", 5..6).await;
        until_tallied(&records, "tally", "s", &[0, 1, 2, 3, 4, 5]).await;
        running.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_handler_has_one_name_of_its_own() {
    on_each_store(async |records| {
        for names in [["a", "a"], ["relay", "b"], ["no name", "b"], ["", "b"]] {
            let tallies = names.map(|n| Tally::new(n, &records));
            let handlers = tallies.map(|t| t as Arc<dyn citymind_platform::events::Handler>);
            let opened = citymind_platform::events::Events::open(
                records.clone(),
                None,
                handlers.into(),
                quick(),
            );
            assert!(opened.await.is_err(), "{names:?}");
        }
    })
    .await;
}
