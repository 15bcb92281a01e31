//! In order per subject, whatever fails.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use citymind_platform::events::{DeliveryFilter, State};

use super::stage::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_event_holds_those_of_its_subject_and_no_others() {
    on_each_store(async |records| {
        let tally = Tally::new("tally", &records);
        let mended = Arc::new(AtomicBool::new(false));
        let seen = mended.clone();
        tally.plays(move |event, _| {
            let broken = event.subject == "s" && event.data["number"] == 2;
            if broken && !seen.load(Ordering::SeqCst) {
                Play::Fail
            } else {
                Play::Work
            }
        });
        let mut options = quick();
        options.attempts = u32::MAX;
        let events = events_of(&records, &[&tally], options).await;
        let running = start(&events);
        for number in 0..8 {
            publish(&records, &[event("s", number), event("t", number)]).await;
        }
        until_tallied(&records, "tally", "t", &[0, 1, 2, 3, 4, 5, 6, 7]).await;
        let held = DeliveryFilter {
            state: Some(State::Held),
            ..DeliveryFilter::default()
        };
        eventually(async || events.deliveries(&held).await.unwrap().total == 5).await;
        assert_eq!(tallied(&records, "tally", "s").await, [0, 1]);
        let only_one = async || {
            let seen = events.consumers().await.unwrap().remove(0);
            seen.lag == Some(0) && seen.failing + seen.running == 1
        };
        eventually(only_one).await;

        mended.store(true, Ordering::SeqCst);
        until_tallied(&records, "tally", "s", &[0, 1, 2, 3, 4, 5, 6, 7]).await;
        running.stop().await;
        assert_eq!(count(&records, "event_lanes").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_and_what_waits_outlasts_the_process() {
    on_each_store(async |records| {
        let tally = Tally::new("tally", &records);
        tally.plays(|_, _| Play::Fail);
        let mut options = quick();
        options.first_delay = Duration::from_secs(3600);
        options.longest_delay = options.first_delay;
        let events = events_of(&records, &[&tally], options).await;
        let running = start(&events);
        publish_numbers(&records, "s", 0..7).await;
        eventually(async || events.consumers().await.unwrap()[0].held == 6).await;
        running.stop().await;

        tally.plays(|_, _| Play::Work);
        let events = events_of(&records, &[&tally], quick()).await;
        let failing = DeliveryFilter {
            state: Some(State::Failing),
            ..DeliveryFilter::default()
        };
        let found = events.deliveries(&failing).await.unwrap().items.remove(0);
        assert_eq!(
            (found.attempts, found.error.as_deref()),
            (1, Some("对方系统没有应答。"))
        );
        let running = start(&events);
        events.retry(&found.id).await.unwrap();
        until_tallied(&records, "tally", "s", &[0, 1, 2, 3, 4, 5, 6]).await;
        running.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_too_often_is_parked_until_a_person_retries_it() {
    on_each_store(async |records| {
        let tally = Tally::new("tally", &records);
        tally.plays(|event, _| {
            if event.data["number"] == 1 {
                Play::Panic
            } else {
                Play::Work
            }
        });
        let events = events_of(&records, &[&tally], quick()).await;
        let running = start(&events);
        publish_numbers(&records, "s", 0..4).await;
        let parked = DeliveryFilter {
            state: Some(State::Parked),
            handler: Some("tally".into()),
            ..DeliveryFilter::default()
        };
        eventually(async || events.deliveries(&parked).await.unwrap().total == 1).await;
        eventually(async || events.consumers().await.unwrap()[0].held == 2).await;
        let found = events.deliveries(&parked).await.unwrap().items.remove(0);
        assert_eq!((found.attempts, found.due_at), (4, None));
        assert_eq!(found.event.data["number"], 1);
        assert_eq!(tallied(&records, "tally", "s").await, [0]);

        // Still broken: parked again after as many attempts.
        let before = tally.called.load(Ordering::SeqCst);
        events.retry(&found.id).await.unwrap();
        eventually(async || tally.called.load(Ordering::SeqCst) == before + 4).await;
        eventually(async || events.deliveries(&parked).await.unwrap().total == 1).await;

        tally.plays(|_, _| Play::Work);
        events.retry(&found.id).await.unwrap();
        until_tallied(&records, "tally", "s", &[0, 1, 2, 3]).await;
        running.stop().await;
        assert!(events.retry(&found.id).await.is_err());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_discards_has_no_effect_and_lets_the_others_go_on() {
    on_each_store(async |records| {
        let tally = Tally::new("tally", &records);
        tally.plays(|event, _| match event.data["number"].as_u64() {
            Some(1 | 3) => Play::Fail,
            _ => Play::Work,
        });
        let events = events_of(&records, &[&tally], quick()).await;
        let running = start(&events);
        let published = publish_numbers(&records, "s", 0..6).await;
        let in_state = async |state| {
            let filter = DeliveryFilter {
                state: Some(state),
                ..DeliveryFilter::default()
            };
            events.deliveries(&filter).await.unwrap().items
        };
        eventually(async || in_state(State::Parked).await.len() == 1).await;
        eventually(async || in_state(State::Held).await.len() == 4).await;
        let held = in_state(State::Held).await;
        assert!(
            events.retry(&held[0].id).await.is_err(),
            "it is not its turn"
        );
        let four = held.iter().find(|d| d.event.id == published[4].id).unwrap();
        events.discard(&four.id).await.unwrap();
        events
            .discard(&in_state(State::Parked).await[0].id)
            .await
            .unwrap();
        until_tallied(&records, "tally", "s", &[0, 2]).await;
        eventually(async || in_state(State::Parked).await.len() == 1).await;
        events
            .discard(&in_state(State::Parked).await[0].id)
            .await
            .unwrap();
        until_tallied(&records, "tally", "s", &[0, 2, 5]).await;
        running.stop().await;
        assert_eq!(count(&records, "event_deliveries").await, 0);
        assert_eq!(count(&records, "event_lanes").await, 0);
    })
    .await;
}
