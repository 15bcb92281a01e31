//! Jobs at certain times.

use citymind_platform::jobs::{Builtin, JobFilter, ScheduleUpdate, State, When};
use kernel::ErrorCode;
use serde_json::json;

use super::stage::*;

fn nightly() -> Builtin {
    Builtin {
        id: "nightly",
        kind: "test.play",
        input: json!({"deep": true}),
        title: "夜间整理",
        when: When::Daily { at: "03:00".into() },
        enabled: true,
    }
}

const DAY: i64 = 24 * 3600;

#[tokio::test(flavor = "multi_thread")]
async fn a_due_time_makes_one_job_however_many_pools_look_and_missed_times_make_one_together() {
    on_each_store(async |stage| {
        let play = Play::idle();
        let mut pools = Vec::new();
        for _ in 0..3 {
            let options = stage.options();
            pools.push(stage.jobs_with(&[&play], vec![nightly()], options).await);
        }
        let jobs = &pools[0];
        let workers: Vec<_> = pools.iter().map(start).collect();
        let all = JobFilter::default();
        let planned = jobs.schedule("nightly").await.unwrap();
        assert_eq!(planned.next_at.unwrap(), "2026-11-25T03:00:00.000+08:00");
        for (round, days) in [1, 1, 4].into_iter().enumerate() {
            stage.pass(days * DAY);
            eventually(async || jobs.list(&all).await.unwrap().total > round as u64).await;
            let last = jobs.schedule("nightly").await.unwrap().last_job.unwrap();
            let job = until(jobs, &last, State::Done).await;
            assert_eq!(job.schedule.unwrap(), "nightly");
            assert_eq!(
                (job.title, job.input),
                ("夜间整理".into(), json!({"deep": true}))
            );
        }
        for pool in workers {
            pool.stop().await;
        }
        assert_eq!(jobs.list(&all).await.unwrap().total, 3);
        assert_eq!(play.times(), 3);
        let planned = jobs.schedule("nightly").await.unwrap();
        assert_eq!(planned.next_at.unwrap(), "2026-12-01T03:00:00.000+08:00");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_whose_last_job_is_open_makes_no_other() {
    on_each_store(async |stage| {
        let gate = Gate::new();
        let at = gate.clone();
        let play = Play::new(move |_| {
            let gate = at.clone();
            async move {
                gate.pass().await;
                Ok(json!(null))
            }
        });
        let mut options = stage.options();
        options.lease = std::time::Duration::from_secs(3600);
        let jobs = stage.jobs_with(&[&play], vec![nightly()], options).await;
        let workers = start(&jobs);
        stage.pass(DAY);
        gate.arrival().await;
        let often = ScheduleUpdate {
            id: "nightly".into(),
            enabled: None,
            when: Some(When::EveryMinutes(1)),
        };
        jobs.update_schedule(&often).await.unwrap();
        let next = async || jobs.schedule("nightly").await.unwrap().next_at.unwrap();
        // The times go by one after the other; the lease is not so short that it would end meanwhile.
        for minute in 1..=3 {
            let due = format!("2026-11-25T10:0{minute}:00.000+08:00");
            assert_eq!(next().await, due);
            stage.pass(60);
            eventually(async || next().await > due).await;
        }
        let filter = JobFilter::default();
        assert_eq!(jobs.list(&filter).await.unwrap().total, 1);
        let first = jobs.schedule("nightly").await.unwrap().last_job.unwrap();
        gate.release();
        until(&jobs, &first, State::Done).await;
        stage.pass(60);
        gate.arrival().await;
        gate.release();
        assert_eq!(jobs.list(&filter).await.unwrap().total, 2);
        workers.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_administrator_changed_stays_when_the_product_starts_again() {
    on_each_store(async |stage| {
        let play = Play::idle();
        let open = async |builtin| {
            let options = stage.options();
            stage.jobs_with(&[&play], vec![builtin], options).await
        };
        let jobs = open(nightly()).await;
        let change = |enabled, when| ScheduleUpdate {
            id: "nightly".into(),
            enabled,
            when,
        };
        let weekly = When::Weekly {
            weekday: 7,
            at: "22:30".into(),
        };
        let changed = jobs
            .update_schedule(&change(None, Some(weekly.clone())))
            .await
            .unwrap();
        assert_eq!(changed.next_at.unwrap(), "2026-11-29T22:30:00.000+08:00");
        let off = jobs.update_schedule(&change(Some(false), None)).await;
        assert_eq!(off.unwrap().next_at, None);
        let wrong = change(None, Some(When::EveryMinutes(0)));
        let refused = jobs.update_schedule(&wrong).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidInput);

        let renamed = Builtin {
            title: "夜间深度整理",
            ..nightly()
        };
        let jobs = open(renamed).await;
        let schedules = jobs.schedules().await.unwrap();
        assert_eq!(schedules.len(), 1);
        assert_eq!(schedules[0].title, "夜间深度整理");
        assert_eq!((&schedules[0].when, schedules[0].enabled), (&weekly, false));
        let workers = start(&jobs);
        stage.pass(30 * DAY);
        let probe = jobs.enqueue(new("probe")).await.unwrap();
        until(&jobs, &probe.id, State::Done).await;
        workers.stop().await;
        assert_eq!(jobs.list(&JobFilter::default()).await.unwrap().total, 1);
    })
    .await;
}
