//! What administrators see and do: lists, replay, sweep, the doors.

use std::sync::atomic::Ordering;

use citymind_platform::events::{EventFilter, Swept, capabilities};
use kernel::{
    ErrorCode,
    capability::{Context, Method, Permission},
    identity::Caller,
    time,
};
use serde_json::json;

use super::stage::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_gives_a_handler_everything_again_and_others_nothing() {
    on_each_store(async |records| {
        let again = Tally::new("again", &records);
        let other = Tally::new("other", &records);
        again.plays(|event, _| {
            if event.subject == "broken" {
                Play::Fail
            } else {
                Play::Work
            }
        });
        let events = events_of(&records, &[&again, &other], quick()).await;
        let running = start(&events);
        publish_numbers(&records, "s", 0..12).await;
        publish_numbers(&records, "broken", 0..2).await;
        eventually(async || events.consumers().await.unwrap()[0].parked == 1).await;
        eventually(async || events.consumers().await.unwrap()[0].held == 1).await;
        until_tallied(&records, "other", "broken", &[0, 1]).await;

        again.plays(|_, _| Play::Work);
        let seen = events.replay("again").await.unwrap();
        assert_eq!(seen.generation, 1);
        let once: Vec<u64> = (0..12).collect();
        until_tallied(&records, "again", "s", &[&once[..], &once].concat()).await;
        until_tallied(&records, "again", "broken", &[0, 1]).await;
        // Asked for while it still runs, and not running: nothing of an earlier time counts.
        events.replay("again").await.unwrap();
        running.stop().await;
        events.replay("again").await.unwrap();
        let before = tallied(&records, "again", "broken").await.len();
        let running = start(&events);
        eventually(async || {
            tallied(&records, "again", "broken").await.len() == before + 2
                && events.consumers().await.unwrap()[0].lag == Some(0)
        })
        .await;
        running.stop().await;
        assert_eq!(tallied(&records, "other", "s").await, once);
        let ends = tallied(&records, "again", "s").await;
        assert_eq!(ends[ends.len() - 12..], once);
        assert_eq!(count(&records, "event_deliveries").await, 0);
        assert_eq!(
            events.replay("unknown").await.unwrap_err().code,
            ErrorCode::NotFound
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_replay_together_and_each_effect_comes_once_more() {
    on_each_store(async |records| {
        let tallies = [Tally::new("tally", &records), Tally::new("tally", &records)];
        let processes = [
            events_of(&records, &[&tallies[0]], quick()).await,
            events_of(&records, &[&tallies[1]], quick()).await,
        ];
        let running = processes.each_ref().map(start);
        publish_numbers(&records, "s", 0..30).await;
        let once: Vec<u64> = (0..30).collect();
        until_tallied(&records, "tally", "s", &once).await;
        eventually(async || processes[0].consumers().await.unwrap()[0].lag == Some(0)).await;
        processes[0].replay("tally").await.unwrap();
        until_tallied(&records, "tally", "s", &[&once[..], &once].concat()).await;
        eventually(async || processes[0].consumers().await.unwrap()[0].lag == Some(0)).await;
        for one in running {
            one.stop().await;
        }
        assert_eq!(tallied(&records, "tally", "s").await.len(), 60);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_removes_what_is_old_and_what_all_are_past() {
    on_each_store(async |records| {
        let tally = Tally::new("tally", &records);
        let events = events_of(&records, &[&tally], quick()).await;
        publish_numbers(&records, "s", 0..600).await;
        let nothing = Swept {
            events: 0,
            marks: 0,
        };
        assert_eq!(
            events.sweep(0).await.unwrap(),
            nothing,
            "nobody is past them"
        );
        let running = start(&events);
        eventually(async || events.consumers().await.unwrap()[0].lag == Some(0)).await;
        running.stop().await;
        assert_eq!(events.sweep(1).await.unwrap(), nothing, "they are of today");
        let all = Swept {
            events: 600,
            marks: 600,
        };
        assert_eq!(events.sweep(0).await.unwrap(), all);

        let running = start(&events);
        publish_numbers(&records, "s", 600..601).await;
        eventually(async || tallied(&records, "tally", "s").await.len() == 601).await;
        running.stop().await;
        assert_eq!(tally.called.load(Ordering::SeqCst), 601);
    })
    .await;
}

#[tokio::test]
async fn events_are_listed_by_kind_subject_and_day() {
    on_each_store(async |records| {
        let events = events_of(&records, &[], quick()).await;
        let published = publish_numbers(&records, "s", 0..3).await;
        publish_numbers(&records, "t", 0..2).await;
        let today = time::today();
        let cases = [
            (json!({}), 5),
            (json!({"kind": "test.happened"}), 5),
            (json!({"kind": "test.*"}), 5),
            (json!({"kind": "tes"}), 0),
            (json!({"kind": "*"}), 5),
            (json!({"kind": "tests.*"}), 0),
            (json!({"subject": "s"}), 3),
            (json!({"from": today, "until": today}), 5),
            (json!({"until": today.yesterday().unwrap()}), 0),
            (json!({"from": today.tomorrow().unwrap()}), 0),
        ];
        for (filter, want) in cases {
            let label = filter.to_string();
            let filter: EventFilter = serde_json::from_value(filter).unwrap();
            assert_eq!(events.list(&filter).await.unwrap().total, want, "{label}");
        }
        let page: EventFilter =
            serde_json::from_value(json!({"subject": "s", "page": 3, "page_size": 1})).unwrap();
        assert_eq!(events.list(&page).await.unwrap().items, published[..1]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_is_for_administrators_and_tells_whether_it_changes_something() {
    on_each_store(async |records| {
        let tally = Tally::new("tally", &records);
        tally.plays(|_, _| Play::Fail);
        let events = events_of(&records, &[&tally], quick()).await;
        let doors = capabilities::all(&events);
        for door in &doors {
            let d = &door.definition;
            assert_eq!(d.permission, Permission::ADMINISTRATOR, "{}", d.name);
            assert_eq!(d.effects, d.method == Method::Post, "{}", d.name);
            assert!(d.path.starts_with("/events"), "{}", d.path);
        }
        let call = async |name: &str, input| {
            let door = doors.iter().find(|d| d.definition.name == name).unwrap();
            let context = Context::of(Caller::system("test"));
            let output = door.call(&context, input).await;
            output.map(|output| (output, context.notes()))
        };
        let running = start(&events);
        publish_numbers(&records, "s", 0..2).await;
        eventually(async || {
            let (seen, _) = call("events.consumers", json!({})).await.unwrap();
            seen["items"][0]["parked"] == 1 && seen["items"][0]["held"] == 1
        })
        .await;
        let (seen, _) = call("events.deliveries", json!({"state": "parked"}))
            .await
            .unwrap();
        let id = seen["items"][0]["id"].clone();
        tally.plays(|_, _| Play::Work);
        let (_, notes) = call("events.retry", json!({"id": id})).await.unwrap();
        assert_eq!(notes["handler"], "tally");
        until_tallied(&records, "tally", "s", &[0, 1]).await;
        let (seen, _) = call("events.replay", json!({"name": "tally"}))
            .await
            .unwrap();
        assert_eq!(seen["generation"], 1);
        until_tallied(&records, "tally", "s", &[0, 1, 0, 1]).await;
        running.stop().await;
        let gone = call("events.discard", json!({"id": id})).await.unwrap_err();
        assert_eq!(gone.code, ErrorCode::NotFound);
        let (seen, _) = call("events.list", json!({"kind": "test.*"}))
            .await
            .unwrap();
        assert_eq!(seen["total"], 2);
    })
    .await;
}
