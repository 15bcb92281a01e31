//! How jobs end: done, failed, cancelled, stopped.

use std::{sync::Arc, time::Duration};

use citymind_platform::jobs::{Limits, State};
use kernel::{Error, ErrorCode};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::stage::*;

fn away() -> Error {
    Error::new(ErrorCode::Unavailable, "对方系统没有应答。").with_detail("secret")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_job_is_tried_later_and_later_then_failed_and_goes_on_when_retried_by_hand() {
    on_each_store(async |stage| {
        let limits = Limits {
            attempts: 3,
            first_delay: Duration::from_secs(10),
            ..Limits::default()
        };
        let play = Play::of("test.play", limits, async |job| {
            step(&job, done(&job)).await?;
            if done(&job) < 5 {
                return Err(away());
            }
            Ok(json!("through"))
        });
        let jobs = stage.jobs(&[&play]).await;
        let workers = start(&jobs);
        let id = jobs.enqueue(new("x")).await.unwrap().id;
        eventually(async || jobs.get(&id).await.unwrap().error.is_some()).await;
        let waiting = jobs.get(&id).await.unwrap();
        assert_eq!((waiting.state, waiting.attempts), (State::Queued, 1));
        assert_eq!(waiting.run_at, "2026-11-24T10:00:10.000+08:00");
        assert_eq!(waiting.error.unwrap(), "对方系统没有应答。");
        stage.pass(10);
        eventually(async || jobs.get(&id).await.unwrap().attempts == 2).await;
        let waiting = until(&jobs, &id, State::Queued).await;
        assert_eq!(waiting.run_at, "2026-11-24T10:00:30.000+08:00");
        stage.pass(20);
        let failed = until(&jobs, &id, State::Failed).await;
        assert_eq!((failed.attempts, play.times()), (3, 3));
        assert!(failed.finished_at.is_some() && failed.lease.is_none());

        jobs.retry(&id).await.unwrap();
        eventually(async || play.times() == 4 && jobs.get(&id).await.unwrap().error.is_some())
            .await;
        // Waiting for its next attempt: by hand it need not wait.
        until(&jobs, &id, State::Queued).await;
        jobs.retry(&id).await.unwrap();
        let done = until(&jobs, &id, State::Done).await;
        assert_eq!((done.result, done.error), (json!("through"), None));
        assert_eq!(stage.effects(&id).await, Some(json!([0, 1, 2, 3, 4])));
        assert!(jobs.retry(&id).await.is_err());
        workers.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_get_better_fails_at_once() {
    on_each_store(async |stage| {
        let play = Play::new(async |_| Err(Error::new(ErrorCode::UnsupportedFormat, "不支持。")));
        let jobs = stage.jobs(&[&play]).await;
        let workers = start(&jobs);
        let id = jobs.enqueue(new("x")).await.unwrap().id;
        assert_eq!(until(&jobs, &id, State::Failed).await.attempts, 1);
        workers.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_failure_and_others_go_on() {
    on_each_store(async |stage| {
        let limits = Limits {
            attempts: 1,
            ..Limits::default()
        };
        let play = Play::of("test.play", limits, async |job| {
            assert_ne!(job.input(), "bad", "a bug of the kind");
            Ok(Value::Null)
        });
        let jobs = stage.jobs(&[&play]).await;
        let workers = start(&jobs);
        let bad = jobs.enqueue(new("bad")).await.unwrap().id;
        let good = jobs.enqueue(new("good")).await.unwrap().id;
        let failed = until(&jobs, &bad, State::Failed).await;
        assert!(failed.error.unwrap().contains("异常中止"));
        until(&jobs, &good, State::Done).await;
        workers.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_never_ends_is_ended_and_fails_with_a_reason() {
    on_each_store(async |stage| {
        let limits = Limits {
            time: Duration::from_millis(50),
            ..Limits::default()
        };
        let play = Play::of("test.play", limits, async |_| std::future::pending().await);
        let mut options = stage.options();
        options.grace = Duration::from_millis(5);
        let jobs = stage.jobs_with(&[&play], Vec::new(), options).await;
        let workers = start(&jobs);
        let id = jobs.enqueue(new("x")).await.unwrap().id;
        let failed = until(&jobs, &id, State::Failed).await;
        assert!(failed.error.unwrap().contains("时限"));
        assert_eq!(play.times(), 1);
        workers.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_job_is_cancelled_at_once_and_a_running_one_when_it_has_stopped() {
    on_each_store(async |stage| {
        let gate = Gate::new();
        let at = gate.clone();
        let play = Play::new(move |job| {
            let gate = at.clone();
            async move {
                step(&job, 0).await?;
                gate.pass().await;
                job.cancelled().await;
                // What is done may still be kept.
                step(&job, 1).await?;
                job.progress(1, 2, "做了一半")?;
                Ok(Value::Null)
            }
        });
        let jobs = stage.jobs(&[&play]).await;
        let queued = jobs.enqueue(new("queued")).await.unwrap().id;
        let cancelled = jobs.cancel(&queued).await.unwrap();
        assert_eq!(cancelled.state, State::Cancelled);
        assert!(jobs.cancel(&queued).await.is_err());

        let workers = start(&jobs);
        let id = jobs.enqueue(new("running")).await.unwrap().id;
        gate.arrival().await;
        let asked = jobs.cancel(&id).await.unwrap();
        assert!(asked.state == State::Running && asked.cancel_requested);
        gate.release();
        let cancelled = until(&jobs, &id, State::Cancelled).await;
        assert_eq!(cancelled.checkpoint, json!([0, 1]));
        assert_eq!(play.times(), 1);
        workers.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_cancelled_from_another_process_and_ended_if_it_does_not_listen() {
    on_each_store(async |stage| {
        let gate = Gate::new();
        let at = gate.clone();
        let play = Play::new(move |_| {
            let gate = at.clone();
            async move {
                gate.pass().await;
                Ok(Value::Null)
            }
        });
        let mut options = stage.options();
        options.grace = Duration::from_millis(5);
        options.lease = Duration::from_millis(30);
        let here = stage.jobs_with(&[&play], Vec::new(), options).await;
        let elsewhere = stage.jobs(&[&play]).await;
        let workers = start(&here);
        let id = here.enqueue(new("x")).await.unwrap().id;
        gate.arrival().await;
        elsewhere.cancel(&id).await.unwrap();
        until(&here, &id, State::Cancelled).await;
        workers.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_stop_gives_unfinished_jobs_back_uncounted_and_lets_others_finish() {
    on_each_store(async |stage| {
        let gate = Gate::new();
        let at = gate.clone();
        let play = Play::new(move |job| {
            let gate = at.clone();
            async move {
                step(&job, done(&job)).await?;
                gate.pass().await;
                match job.input().as_str() {
                    Some("listens") if job.attempt() == 1 && done(&job) == 1 => {
                        job.cancelled().await;
                        job.check()?;
                    }
                    Some("finishes") => job.cancelled().await,
                    _ => {}
                }
                Ok(Value::Null)
            }
        });
        let jobs = stage.jobs(&[&play]).await;
        let workers = start(&jobs);
        let listens = jobs.enqueue(new("listens")).await.unwrap().id;
        let finishes = jobs.enqueue(new("finishes")).await.unwrap().id;
        for _ in 0..2 {
            gate.arrival().await;
            gate.release();
        }
        workers.stop().await;
        let released = jobs.get(&listens).await.unwrap();
        assert_eq!((released.state, released.attempts), (State::Queued, 0));
        assert!(released.lease.is_none());
        let finished = jobs.get(&finishes).await.unwrap();
        assert_eq!(finished.state, State::Done);

        let workers = start(&jobs);
        gate.arrival().await;
        gate.release();
        let done = until(&jobs, &listens, State::Done).await;
        assert_eq!((done.attempts, done.checkpoint), (1, json!([0, 1])));
        workers.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_in_this_process_can_be_followed_to_the_end() {
    on_each_store(async |stage| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let play = Play::new(async |job| {
            for n in 1..=3 {
                job.progress(n, 3, "逐步处理")?;
            }
            Ok(Value::Null)
        });
        let jobs = stage.jobs(&[&play]).await;
        let id = jobs.enqueue(new("x")).await.unwrap().id;
        let mut changes = jobs.follow(&id).await.unwrap().unwrap();
        let workers = start(&jobs);
        while let Ok(view) = changes.recv().await {
            seen.lock().push((view.state, view.progress.done));
        }
        let mut seen = std::mem::take(&mut *seen.lock());
        seen.dedup();
        let wanted = [(0, false), (1, false), (2, false), (3, false), (3, true)];
        let wanted = wanted.map(|(done, ended)| match ended {
            true => (State::Done, done),
            false => (State::Running, done),
        });
        assert_eq!(seen, wanted);
        assert!(jobs.follow(&id).await.unwrap().is_none());
        assert!(jobs.follow("nothing").await.unwrap().is_none());
        workers.stop().await;
    })
    .await;
}
