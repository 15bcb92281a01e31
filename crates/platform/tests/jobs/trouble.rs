//! Processes that are gone, workers that come late, stores that go away.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use citymind_platform::jobs::{Limits, State};
use kernel::{
    Error, ErrorCode, Result,
    records::{Collection, Condition, Query, Record, Records, Write},
};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::stage::*;

/// Does five steps and stands at the gate after the second, in the first attempt only.
fn stumbling(gate: &Gate) -> Arc<Play> {
    let at = gate.clone();
    Play::new(move |job| {
        let gate = at.clone();
        async move {
            while done(&job) < 5 {
                step(&job, done(&job)).await?;
                job.log(format!("step {}", done(&job)));
                if job.attempt() == 1 && done(&job) == 2 {
                    gate.pass().await;
                }
            }
            Ok(json!(job.attempt()))
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_process_was_killed_goes_on_from_its_checkpoint_elsewhere() {
    on_each_store(async |stage| {
        let gate = Gate::new();
        let play = stumbling(&gate);
        let killed = stage.one_slot(&[&play]).await;
        let workers = start(&killed);
        let id = killed.enqueue(new("x")).await.unwrap().id;
        gate.arrival().await;
        gate.kill(workers).await;

        let other = stage.jobs(&[&play]).await;
        let workers = start(&other);
        // As long as the lease lasts, nobody touches it: a later job is through before it.
        let later = other.enqueue(new("later")).await.unwrap().id;
        gate.arrival().await;
        gate.release();
        until(&other, &later, State::Done).await;
        let held = other.get(&id).await.unwrap();
        assert_eq!((held.state, held.attempts), (State::Running, 1));

        stage.pass(61);
        let done = until(&other, &id, State::Done).await;
        assert_eq!((done.attempts, done.result), (2, json!(2)));
        assert_eq!(stage.effects(&id).await, Some(json!([0, 1, 2, 3, 4])));
        workers.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_lease_was_lost_can_not_write_and_is_stopped() {
    on_each_store(async |stage| {
        let gate = Gate::new();
        let outcome = Arc::new(Mutex::new(None));
        let (at, told) = (gate.clone(), outcome.clone());
        let play = Play::new(move |job| {
            let (gate, outcome) = (at.clone(), told.clone());
            async move {
                step(&job, 0).await?;
                if job.attempt() == 1 {
                    gate.pass().await;
                    let late = step(&job, 666).await;
                    *outcome.lock() = Some((late.clone(), job.is_cancelled()));
                    late?;
                }
                Ok(json!(job.attempt()))
            }
        });
        let slow = stage.jobs(&[&play]).await;
        let slow_workers = start(&slow);
        let id = slow.enqueue(new("x")).await.unwrap().id;
        gate.arrival().await;
        stage.pass(61);
        // Whichever pool takes it over, the slow one itself included: the first attempt has no say any more.
        let quick = stage.jobs(&[&play]).await;
        let quick_workers = start(&quick);
        until(&quick, &id, State::Done).await;
        gate.release();
        eventually(async || outcome.lock().is_some()).await;
        let (late, cancelled) = outcome.lock().take().unwrap();
        assert_eq!(late.unwrap_err().code, ErrorCode::Conflict);
        assert!(cancelled);
        slow_workers.stop().await;
        quick_workers.stop().await;
        let job = quick.get(&id).await.unwrap();
        assert_eq!((job.state, job.result), (State::Done, json!(2)));
        assert_eq!(stage.effects(&id).await, Some(json!([0, 0])));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_kills_its_process_every_time_is_given_up() {
    on_each_store(async |stage| {
        let limits = Limits {
            attempts: 2,
            ..Limits::default()
        };
        let gate = Gate::new();
        let at = gate.clone();
        let play = Play::of("test.play", limits, move |_| {
            let gate = at.clone();
            async move {
                gate.pass().await;
                Ok(Value::Null)
            }
        });
        let jobs = stage.one_slot(&[&play]).await;
        let id = jobs.enqueue(new("x")).await.unwrap().id;
        for _ in 0..2 {
            let workers = start(&jobs);
            gate.arrival().await;
            gate.kill(workers).await;
            stage.pass(61);
        }
        let workers = start(&jobs);
        let failed = until(&jobs, &id, State::Failed).await;
        assert_eq!((failed.attempts, play.times()), (2, 2));
        assert!(failed.error.unwrap().contains("进程已退出"));
        workers.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_of_a_jobs_own_writes_is_its_own_to_solve() {
    on_each_store(async |stage| {
        let play = Play::new(async |job| {
            let write = |expect| {
                let write = Write::put(&EFFECTS, job.id(), &json!({"steps": 1}));
                write.map(|w| w.expecting(expect))
            };
            use kernel::records::Expect;
            let refused = job
                .commit(vec![write(Expect::Revision(99_999))?], json!("no"))
                .await;
            assert_eq!(refused.unwrap_err().code, ErrorCode::Conflict);
            assert!(!job.is_cancelled());
            job.commit(vec![write(Expect::Absent)?], json!("yes"))
                .await?;
            Ok(Value::Null)
        });
        let jobs = stage.jobs(&[&play]).await;
        let workers = start(&jobs);
        let id = jobs.enqueue(new("x")).await.unwrap().id;
        let done = until(&jobs, &id, State::Done).await;
        assert_eq!(done.checkpoint, json!("yes"));
        workers.stop().await;
    })
    .await;
}

/// A store that can be away, or make a batch and then be away.
struct Fickle {
    inner: Arc<dyn Records>,
    away: AtomicBool,
    silent: AtomicBool,
    refused: AtomicU64,
}

fn no_answer() -> Error {
    Error::new(ErrorCode::Storage, "数据库没有应答。")
}

impl Fickle {
    fn new(inner: Arc<dyn Records>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            away: AtomicBool::new(false),
            silent: AtomicBool::new(false),
            refused: AtomicU64::new(0),
        })
    }

    fn there(&self) -> Result<&Arc<dyn Records>> {
        if self.away.load(Ordering::SeqCst) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(no_answer());
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
        let own = batch
            .iter()
            .any(|w| matches!(w, Write::Put { collection, .. } if *collection == EFFECTS.name));
        let applied = self.there()?.apply(batch).await;
        if own && self.silent.swap(false, Ordering::SeqCst) {
            return Err(no_answer());
        }
        applied
    }
    async fn revision(&self) -> Result<u64> {
        self.there()?.revision().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_goes_away_and_comes_back_costs_nothing_but_time() {
    on_each_store(async |stage| {
        let fickle = Fickle::new(stage.records.clone());
        let shaky = Stage {
            records: fickle.clone(),
            ..stage.clone()
        };
        let gate = Gate::new();
        let at = gate.clone();
        let play = Play::new(move |job| {
            let gate = at.clone();
            async move {
                step(&job, 0).await?;
                gate.pass().await;
                Ok(Value::Null)
            }
        });
        let jobs = shaky.jobs(&[&play]).await;
        let workers = start(&jobs);
        for round in 0..3 {
            let id = jobs.enqueue(new(round)).await.unwrap().id;
            gate.arrival().await;
            fickle.away.store(true, Ordering::SeqCst);
            let before = fickle.refused.load(Ordering::SeqCst);
            // It ends while the store is away.
            gate.release();
            eventually(async || fickle.refused.load(Ordering::SeqCst) >= before + 6).await;
            fickle.away.store(false, Ordering::SeqCst);
            let done = until(&jobs, &id, State::Done).await;
            assert_eq!(done.attempts, 1);
        }
        workers.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_which_nobody_knows_whether_it_was_made_is_not_made_twice() {
    on_each_store(async |stage| {
        let fickle = Fickle::new(stage.records.clone());
        let shaky = Stage {
            records: fickle.clone(),
            ..stage.clone()
        };
        let limits = Limits {
            first_delay: Duration::ZERO,
            ..Limits::default()
        };
        let play = Play::of("test.play", limits, async |job| {
            while done(&job) < 4 {
                // Stubborn: tries the same step again whatever happened.
                let next = done(&job);
                if step(&job, next).await.is_err() {
                    step(&job, next).await?;
                }
            }
            Ok(Value::Null)
        });
        let jobs = shaky.jobs(&[&play]).await;
        fickle.silent.store(true, Ordering::SeqCst);
        let workers = start(&jobs);
        let id = jobs.enqueue(new("x")).await.unwrap().id;
        let done = until(&jobs, &id, State::Done).await;
        assert_eq!(done.attempts, 2);
        assert_eq!(stage.effects(&id).await, Some(json!([0, 1, 2, 3])));
        workers.stop().await;
    })
    .await;
}
