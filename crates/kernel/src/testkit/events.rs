//! What every implementation of [`EventBus`] must do.

use std::sync::Arc;

use serde_json::json;

use crate::{
    ErrorCode,
    events::{Delivery, Event, EventBus},
};

fn event(kind: &str, subject: &str, number: u32) -> Event {
    Event::new(kind, subject, json!({"number": number, "text": "中文 😀"}))
}

fn ids(events: &[Event]) -> Vec<&str> {
    events.iter().map(|e| e.id.as_str()).collect()
}

async fn next(bus: &dyn EventBus, consumer: &str, limit: usize) -> Vec<Delivery> {
    bus.next(consumer, limit).await.expect("next")
}

async fn given(bus: &dyn EventBus, consumer: &str, limit: usize) -> Vec<String> {
    let deliveries = next(bus, consumer, limit).await;
    deliveries.into_iter().map(|d| d.event.id).collect()
}

async fn acknowledge(bus: &dyn EventBus, consumer: &str, delivery: &Delivery) {
    bus.acknowledge(consumer, &delivery.position)
        .await
        .expect("acknowledge");
}

/// Checks an empty bus for everything [`EventBus`] promises. `open` opens it, each time as a new process would;
/// `publish` is how events come in, all of one call at once.
///
/// # Panics
/// When it breaks a promise.
pub async fn event_bus_conforms(
    open: impl AsyncFn() -> Arc<dyn EventBus>,
    publish: impl AsyncFn(Vec<Event>),
) {
    let bus = open().await;
    assert!(given(&*bus, "early", 10).await.is_empty());
    assert_eq!(bus.waiting("early").await.expect("waiting"), 0);

    let first: Vec<Event> = (0..5)
        .map(|n| event("a.made", ["s", "t"][n as usize % 2], n))
        .collect();
    publish(first.clone()).await;
    let second: Vec<Event> = (5..8).map(|n| event("a.changed", "s", n)).collect();
    for event in &second {
        publish(vec![event.clone()]).await;
    }
    let all = [first, second].concat();

    order_conforms(&*bus, &all).await;
    acknowledging_conforms(&*bus, &all).await;
    let reopened = open().await;
    let bus = &*reopened;
    assert_eq!(given(bus, "early", 10).await, ids(&all[4..]), "reopened");
    assert_eq!(given(bus, "late", 10).await, ids(&all), "another consumer");
    publishing_again_conforms(bus, &all).await;
    rewinding_conforms(bus, &all).await;

    let refused = bus.next("no name > *", 1).await.expect_err("no name");
    assert_eq!(refused.code, ErrorCode::InvalidInput);
}

async fn order_conforms(bus: &dyn EventBus, all: &[Event]) {
    let deliveries = next(bus, "early", 100).await;
    let events: Vec<Event> = deliveries.into_iter().map(|d| d.event).collect();
    assert_eq!(events, all, "whole, and in order");
    assert_eq!(bus.waiting("early").await.expect("waiting"), 8);
    assert_eq!(given(bus, "early", 3).await, ids(&all[..3]), "at most 3");
}

async fn acknowledging_conforms(bus: &dyn EventBus, all: &[Event]) {
    let deliveries = next(bus, "early", 100).await;
    // In the middle of what was published at once.
    acknowledge(bus, "early", &deliveries[1]).await;
    assert_eq!(given(bus, "early", 2).await, ids(&all[2..4]));
    assert_eq!(
        given(bus, "early", 100).await,
        ids(&all[2..]),
        "not acknowledged: given out again"
    );
    acknowledge(bus, "early", &deliveries[3]).await;
    assert_eq!(bus.waiting("early").await.expect("waiting"), 4);
    acknowledge(bus, "early", &deliveries[0]).await;
    assert_eq!(
        given(bus, "early", 100).await,
        ids(&all[4..]),
        "never back by acknowledging"
    );
}

async fn publishing_again_conforms(bus: &dyn EventBus, all: &[Event]) {
    bus.publish(&all[6..]).await.expect("publish again");
    assert_eq!(given(bus, "early", 100).await, ids(&all[4..]));
    let third: Vec<Event> = (8..10).map(|n| event("b.made", "u", n)).collect();
    // Ids made one after the other sort that way; a bus goes by the order in which it is given events.
    let turned = [third[1].clone(), third[0].clone(), all[0].clone()];
    bus.publish(&turned).await.expect("publish");
    let want = [&ids(&all[4..])[..], &[&third[1].id, &third[0].id]].concat();
    assert_eq!(given(bus, "early", 100).await, want);
}

async fn rewinding_conforms(bus: &dyn EventBus, all: &[Event]) {
    let deliveries = next(bus, "early", 100).await;
    let last = deliveries.last().expect("a last one");
    acknowledge(bus, "early", last).await;
    assert!(given(bus, "early", 100).await.is_empty());
    assert_eq!(bus.waiting("early").await.expect("waiting"), 0);
    bus.rewind("early").await.expect("rewind");
    acknowledge(bus, "early", last).await;
    assert_eq!(
        given(bus, "early", 8).await,
        ids(all),
        "what was given out before the rewind doesn't count"
    );
    assert_eq!(bus.waiting("early").await.expect("waiting"), 10);
    let again = next(bus, "early", 2).await;
    acknowledge(bus, "early", &again[1]).await;
    assert_eq!(given(bus, "early", 1).await, [all[2].id.clone()]);
    assert_eq!(given(bus, "late", 1).await, [all[0].id.clone()]);
    bus.rewind("new").await.expect("rewind a new one");
    assert_eq!(given(bus, "new", 1).await, [all[0].id.clone()]);
}
