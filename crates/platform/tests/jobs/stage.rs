//! A store, a clock that stands until it is moved, and a kind of job that does what its script says.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use citymind_platform::jobs::{
    Builtin, Job, JobKind, Jobs, Limits, NewJob, Options, Running, State, Workers,
};
use engine_store::SqliteRecords;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use kernel::{
    Result,
    records::{Collection, Records},
    testkit::{MemoryFiles, MemoryRecords},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

pub const EFFECTS: Collection = Collection {
    name: "effects",
    indexed: &[],
};

/// Runs a test on every kind of store.
pub async fn on_each_store(test: impl AsyncFn(Stage)) {
    test(Stage::new(Arc::new(MemoryRecords::default())).await).await;
    let dir = tempfile::tempdir().unwrap();
    let sqlite = SqliteRecords::open(&dir.path().join("db")).unwrap();
    test(Stage::new(Arc::new(sqlite)).await).await;
}

/// What several pools share, as processes share a store.
#[derive(Clone)]
pub struct Stage {
    pub records: Arc<dyn Records>,
    pub files: Arc<MemoryFiles>,
    /// Milliseconds since 1970.
    pub clock: Arc<AtomicI64>,
}

impl Stage {
    pub async fn new(records: Arc<dyn Records>) -> Self {
        records.define(&[EFFECTS]).await.unwrap();
        // 2026-11-24 10:00 in the city, a Tuesday.
        let start: Timestamp = "2026-11-24T10:00:00+08:00".parse().unwrap();
        Self {
            records,
            files: Arc::default(),
            clock: Arc::new(AtomicI64::new(start.as_millisecond())),
        }
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Quick enough for tests; leases end only by the clock.
    pub fn options(&self) -> Options {
        let clock = self.clock.clone();
        Options {
            slots: 4,
            grace: Duration::from_secs(3600),
            poll: Duration::from_millis(5),
            progress_every: Duration::from_millis(1),
            now: Arc::new(move || {
                Timestamp::from_millisecond(clock.load(Ordering::SeqCst)).unwrap()
            }),
            ..Options::default()
        }
    }

    pub async fn jobs(&self, kinds: &[&Arc<Play>]) -> Jobs {
        self.jobs_with(kinds, Vec::new(), self.options()).await
    }

    /// For pools that are dropped: with its only slot taken a pool claims nothing in its last moments.
    pub async fn one_slot(&self, kinds: &[&Arc<Play>]) -> Jobs {
        let options = Options {
            slots: 1,
            ..self.options()
        };
        self.jobs_with(kinds, Vec::new(), options).await
    }

    pub async fn jobs_with(
        &self,
        kinds: &[&Arc<Play>],
        schedules: Vec<Builtin>,
        options: Options,
    ) -> Jobs {
        let kinds = kinds.iter().map(|k| (*k).clone() as Arc<dyn JobKind>);
        let (records, files) = (self.records.clone(), self.files.clone());
        Jobs::open(records, files, kinds.collect(), schedules, options)
            .await
            .unwrap()
    }

    /// What a job's committed writes amount to.
    pub async fn effects(&self, id: &str) -> Option<Value> {
        let found = self.records.get(&EFFECTS, id).await.unwrap();
        found.map(|r| r.body["steps"].clone())
    }
}

type Script = Arc<dyn Fn(Running) -> BoxFuture<'static, Result<Value>> + Send + Sync>;

/// A kind of job that does what its script says.
pub struct Play {
    name: String,
    limits: Limits,
    startable: bool,
    script: Script,
    /// The titles of what was begun, in order.
    pub begun: Mutex<Vec<Value>>,
}

impl Play {
    pub fn new<F>(script: impl Fn(Running) -> F + Send + Sync + 'static) -> Arc<Self>
    where
        F: Future<Output = Result<Value>> + Send + 'static,
    {
        Self::of("test.play", Limits::default(), script)
    }

    pub fn of<F>(
        name: &str,
        limits: Limits,
        script: impl Fn(Running) -> F + Send + Sync + 'static,
    ) -> Arc<Self>
    where
        F: Future<Output = Result<Value>> + Send + 'static,
    {
        Arc::new(Self {
            name: name.to_owned(),
            limits,
            startable: name == "test.play",
            script: Arc::new(move |running| Box::pin(script(running))),
            begun: Mutex::default(),
        })
    }

    /// Does nothing.
    pub fn idle() -> Arc<Self> {
        Self::new(async |_| Ok(Value::Null))
    }

    pub fn times(&self) -> usize {
        self.begun.lock().len()
    }
}

#[async_trait]
impl JobKind for Play {
    fn name(&self) -> &str {
        &self.name
    }

    fn title(&self) -> &str {
        "试验任务"
    }

    fn startable(&self) -> bool {
        self.startable
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    async fn run(&self, job: &Running) -> Result<Value> {
        self.begun.lock().push(job.input());
        (self.script)(job.clone()).await
    }
}

/// Lets a script wait until the test says so, and the test until the script is there.
#[derive(Clone)]
pub struct Gate {
    arrived: Arc<Semaphore>,
    open: Arc<Semaphore>,
    ended: Arc<Semaphore>,
}

/// Tells that whoever stood at the gate was ended there.
struct Standing {
    ended: Arc<Semaphore>,
    passed: bool,
}

impl Drop for Standing {
    fn drop(&mut self) {
        if !self.passed {
            self.ended.add_permits(1);
        }
    }
}

impl Gate {
    pub fn new() -> Self {
        Self {
            arrived: Arc::new(Semaphore::new(0)),
            open: Arc::new(Semaphore::new(0)),
            ended: Arc::new(Semaphore::new(0)),
        }
    }

    /// The script: here I am; may I go on?
    pub async fn pass(&self) {
        let mut standing = Standing {
            ended: self.ended.clone(),
            passed: false,
        };
        self.arrived.add_permits(1);
        self.open.acquire().await.unwrap().forget();
        standing.passed = true;
    }

    /// The test: ends a pool as if its process were killed while one job of it is at the gate, and waits until nothing of
    /// it is left that could take what is meant for others.
    pub async fn kill(&self, workers: Workers) {
        drop(workers);
        self.ended.acquire().await.unwrap().forget();
    }

    /// The test: until one more is at the gate.
    pub async fn arrival(&self) {
        self.arrived.acquire().await.unwrap().forget();
    }

    /// The test: let one through.
    pub fn release(&self) {
        self.open.add_permits(1);
    }
}

/// Notes a step as the effect of the job, with the checkpoint of having done it.
pub async fn step(job: &Running, number: u64) -> Result<()> {
    let mut steps = job.checkpoint().as_array().cloned().unwrap_or_default();
    steps.push(json!(number));
    let steps = json!(steps);
    let write = kernel::records::Write::put(&EFFECTS, job.id(), &json!({"steps": steps}))?;
    job.commit(vec![write], steps).await
}

/// How many steps are done.
pub fn done(job: &Running) -> u64 {
    job.checkpoint().as_array().map_or(0, Vec::len) as u64
}

pub fn new(input: impl Into<Value>) -> NewJob {
    NewJob::new("test.play", input.into())
}

/// Starts without anybody who tells of writes: the clock alone.
pub fn start(jobs: &Jobs) -> Workers {
    jobs.start(&watch::channel(0).1)
}

/// Waits until a job has come so far.
pub async fn until(jobs: &Jobs, id: &str, state: State) -> Job {
    eventually(async || jobs.get(id).await.unwrap().state == state).await;
    jobs.get(id).await.unwrap()
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
