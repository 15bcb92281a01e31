//! Which job is next, and that one worker at a time is at it.

use std::sync::Arc;

use citymind_platform::jobs::{Limits, NewJob, State};
use kernel::ErrorCode;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::stage::*;

#[tokio::test(flavor = "multi_thread")]
async fn urgent_jobs_go_first_then_those_that_were_due_first() {
    on_each_store(async |stage| {
        let play = Play::idle();
        let mut options = stage.options();
        options.slots = 1;
        let jobs = stage.jobs_with(&[&play], Vec::new(), options).await;
        let moment = |text: &str| text.parse().unwrap();
        let later = moment("2026-11-24T09:30:00+08:00");
        let earlier = moment("2026-11-24T09:00:00+08:00");
        let future = moment("2026-11-24T10:00:01+08:00");
        for job in [
            new("low").with_priority(-5),
            new("later").not_before(later),
            new("earlier").not_before(earlier),
            new("first at once"),
            new("second at once"),
            new("high").with_priority(100),
            new("higher").with_priority(101),
            new("not yet").with_priority(1000).not_before(future),
        ] {
            jobs.enqueue(job).await.unwrap();
        }
        let workers = start(&jobs);
        let due = [
            "higher",
            "high",
            "earlier",
            "later",
            "first at once",
            "second at once",
            "low",
        ];
        eventually(async || play.times() >= due.len()).await;
        assert_eq!(*play.begun.lock(), due.map(Value::from));
        stage.pass(1);
        eventually(async || play.times() == due.len() + 1).await;
        workers.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_pools_exactly_one_takes_each_job() {
    on_each_store(async |stage| {
        let play = Play::new(async |job| {
            step(&job, 0).await?;
            Ok(json!(job.attempt()))
        });
        let first = stage.jobs(&[&play]).await;
        let second = stage.jobs(&[&play]).await;
        let workers = [start(&first), start(&second)];
        let mut ids = Vec::new();
        for n in 0..60 {
            ids.push(first.enqueue(new(n)).await.unwrap().id);
        }
        for id in &ids {
            let job = until(&first, id, State::Done).await;
            assert_eq!((job.attempts, &job.result), (1, &json!(1)));
            assert_eq!(stage.effects(id).await, Some(json!([0])));
        }
        assert_eq!(play.times(), 60);
        for pool in workers {
            pool.stop().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_queued_with_a_change_is_there_if_and_only_if_the_change_is() {
    on_each_store(async |stage| {
        let play = Play::idle();
        let jobs = stage.jobs(&[&play]).await;
        let change = |expect| {
            kernel::records::Write::put(&EFFECTS, "change", &json!({}))
                .unwrap()
                .expecting(expect)
        };
        let (lost, mut batch) = jobs.new_job(new("lost")).await.unwrap();
        batch.push(change(kernel::records::Expect::Revision(99_999)));
        stage.records.apply(batch).await.unwrap_err();
        let (kept, mut batch) = jobs.new_job(new("kept")).await.unwrap();
        batch.push(change(kernel::records::Expect::Absent));
        stage.records.apply(batch).await.unwrap();
        let workers = start(&jobs);
        until(&jobs, &kept.id, State::Done).await;
        let missing = jobs.get(&lost.id).await.unwrap_err();
        assert_eq!(missing.code, ErrorCode::NotFound);
        workers.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_need_not_tick_when_somebody_tells_of_a_write() {
    let stage = Stage::new(Arc::new(kernel::testkit::MemoryRecords::default())).await;
    let play = Play::idle();
    let mut options = stage.options();
    options.poll = std::time::Duration::from_secs(100_000);
    let jobs = stage.jobs_with(&[&play], Vec::new(), options).await;
    let told = tokio::sync::watch::Sender::new(0);
    let workers = jobs.start(&told.subscribe());
    let first = jobs.enqueue(new(1)).await.unwrap();
    until(&jobs, &first.id, State::Done).await;
    let (second, batch) = jobs.new_job(new(2)).await.unwrap();
    told.send_replace(stage.records.apply(batch).await.unwrap());
    until(&jobs, &second.id, State::Done).await;
    workers.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_most_one_open_job_has_a_key() {
    on_each_store(async |stage| {
        let play = Play::idle();
        let jobs = stage.jobs(&[&play]).await;
        let keyed = || new("x").with_key("rebuild");
        let first = jobs.enqueue(keyed()).await.unwrap();
        assert_eq!(jobs.enqueue(keyed()).await.unwrap().id, first.id);
        let refused = jobs.new_job(keyed()).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Conflict);

        jobs.cancel(&first.id).await.unwrap();
        let (second, batch) = jobs.new_job(keyed()).await.unwrap();
        // While that batch was on its way, the first was taken up again.
        jobs.retry(&first.id).await.unwrap();
        stage.records.apply(batch).await.unwrap_err();
        jobs.cancel(&first.id).await.unwrap();
        let third = jobs.enqueue(keyed()).await.unwrap();
        assert_ne!(third.id, second.id);
        let refused = jobs.retry(&first.id).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Conflict);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_kind_never_runs_more_often_than_it_may_in_all_pools_together() {
    on_each_store(async |stage| {
        let limits = Limits {
            concurrency: Some(2),
            ..Limits::default()
        };
        let counter = Arc::new(std::sync::atomic::AtomicI32::new(0));
        let go = Arc::new(Notify::new());
        let (counting, waiting) = (counter.clone(), go.clone());
        let play = Play::of("test.limited", limits, move |_| {
            let (counter, go) = (counting.clone(), waiting.clone());
            async move {
                let running = counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
                assert!(running <= 2, "{running} at once");
                go.notified().await;
                counter.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                Ok(Value::Null)
            }
        });
        let other = Play::idle();
        let pools = [
            stage.jobs(&[&play, &other]).await,
            stage.jobs(&[&play, &other]).await,
        ];
        let jobs = &pools[0];
        let mut ids = Vec::new();
        for n in 0..12 {
            let limited = NewJob::new("test.limited", json!(n)).with_priority(10);
            ids.push(jobs.enqueue(limited).await.unwrap().id);
        }
        let behind = jobs.enqueue(new("behind")).await.unwrap();
        let workers = [start(&pools[0]), start(&pools[1])];
        until(jobs, &behind.id, State::Done).await;
        for id in &ids {
            eventually(async || {
                go.notify_one();
                jobs.get(id).await.unwrap().state == State::Done
            })
            .await;
        }
        assert_eq!(play.times(), 12);
        for pool in workers {
            pool.stop().await;
        }
    })
    .await;
}
