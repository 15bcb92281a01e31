//! Long work: queued with the change that causes it, done by one worker at a time, resumed after a crash.
//!
//! A [`JobKind`] does the work of its jobs. A worker claims a job by writing its lease onto the job's record at the
//! revision at which it was read; every later write of the attempt is fenced the same way. Work that must have effect
//! once goes through [`Running::commit`]: the writes and the checkpoint from which the next attempt goes on are one
//! batch. Everything else an attempt does may happen again.
//!
//! | module | what |
//! |---|---|
//! | `job` | a job as it is stored, and as people see it |
//! | `queue`, `sweep` | what is done with jobs from outside: queue, cancel, retry, list, remove |
//! | `claim` | which job a worker takes next |
//! | `running` | a job under way, as its kind sees it |
//! | `attempt` | how the record of a job under way is kept while the lease holds |
//! | `worker` | the loop that claims jobs and watches over attempts |
//! | `schedule`, `when` | jobs at certain times |
//! | `follow` | tells whoever follows a job |
//! | [`capabilities`] | the same for the doors |

mod attempt;
pub mod capabilities;
mod claim;
mod follow;
mod job;
mod queue;
mod running;
mod schedule;
mod sweep;
mod when;
mod worker;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Result, files::Files, id, records::Records, time};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::{sync::watch, task::JoinSet};

pub use job::{Artifact, JOBS, Job, JobView, Lease, NewJob, State};
pub use queue::{JobFilter, LogLine};
pub use running::Running;
pub use schedule::{Builtin, SCHEDULES, Schedule, ScheduleUpdate};
pub use when::When;

use attempt::Attempt;
use follow::Followers;

/// What a kind of job may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long an attempt may take; then it is stopped and the job fails.
    pub time: Duration,
    /// How often a job may be begun.
    pub attempts: u32,
    /// How long after the first failure it is tried again; twice as long after each further one.
    pub first_delay: Duration,
    /// How many jobs of the kind may run at once in all processes together; no limit if none.
    pub concurrency: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(3600),
            attempts: 5,
            first_delay: Duration::from_secs(5),
            concurrency: None,
        }
    }
}

/// Does the work of one kind of job.
#[async_trait]
pub trait JobKind: Send + Sync + 'static {
    /// Its name, the same for ever, e.g. `knowledge.import`.
    fn name(&self) -> &str;

    /// For people, in Chinese.
    fn title(&self) -> &str;

    /// Whether an administrator may start one by hand.
    fn startable(&self) -> bool {
        false
    }

    /// What it may use up.
    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// Whether a job can be queued with this input.
    ///
    /// # Errors
    /// `InvalidInput`, saying in Chinese what is wrong with it.
    fn check(&self, _input: &Value) -> Result<()> {
        Ok(())
    }

    /// Does the work, or goes on with it from the checkpoint, and returns the result. It should report progress at least
    /// every few seconds: there it learns that it is to stop.
    ///
    /// # Errors
    /// `InvalidInput`, `Forbidden`, `NotFound`, `UnsupportedFormat` and what else can't get better fail the job at once;
    /// after others it is tried again.
    async fn run(&self, job: &Running) -> Result<Value>;
}

/// The clock; another one in tests.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How jobs are done.
#[derive(Clone)]
pub struct Options {
    /// How many jobs this process works on at once.
    pub slots: usize,
    /// How long a worker's hold on a job lasts without being renewed.
    pub lease: Duration,
    /// How long a job that is asked to stop may take to do so before it is ended.
    pub grace: Duration,
    /// How often to look for jobs of which nobody told.
    pub poll: Duration,
    /// How far apart progress is stored.
    pub progress_every: Duration,
    /// The longest delay before a failed job is tried again.
    pub longest_delay: Duration,
    /// The clock by which jobs and schedules are due and leases end.
    pub now: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            slots: 4,
            lease: Duration::from_secs(60),
            grace: Duration::from_secs(10),
            poll: Duration::from_secs(1),
            progress_every: Duration::from_millis(500),
            longest_delay: Duration::from_secs(3600),
            now: Arc::new(Timestamp::now),
        }
    }
}

/// So many times a change is tried against others who change the same record.
const RACES: usize = 16;

/// The jobs of a store.
#[derive(Clone)]
pub struct Jobs(Arc<Shared>);

struct Shared {
    records: Arc<dyn Records>,
    files: Arc<dyn Files>,
    kinds: BTreeMap<String, Arc<dyn JobKind>>,
    options: Options,
    /// This process, in the names of its workers.
    process: String,
    claims: AtomicU64,
    followers: Followers,
    /// The attempts of this process.
    attempts: Mutex<HashMap<String, Arc<Attempt>>>,
    /// Told when something was done here that the workers should see at once.
    stirred: watch::Sender<u64>,
}

impl Jobs {
    /// Opens the jobs of a store, and makes the built-in schedules where they are missing.
    ///
    /// # Errors
    /// `Storage`; `Internal` if two kinds have one name or a schedule can't be.
    pub async fn open(
        records: Arc<dyn Records>,
        files: Arc<dyn Files>,
        kinds: Vec<Arc<dyn JobKind>>,
        schedules: Vec<Builtin>,
        options: Options,
    ) -> Result<Self> {
        let mut named = BTreeMap::new();
        for kind in kinds {
            let name = kind.name().to_owned();
            if let Some(other) = named.insert(name, kind) {
                return Err(Error::internal(format!(
                    "two kinds of job are called {}",
                    other.name()
                )));
            }
        }
        records
            .define(&[JOBS, job::KEYS, job::PLACES, attempt::LOGS, SCHEDULES])
            .await?;
        let jobs = Self(Arc::new(Shared {
            records,
            files,
            kinds: named,
            options,
            process: id::fresh(),
            claims: AtomicU64::new(0),
            followers: Followers::default(),
            attempts: Mutex::default(),
            stirred: watch::Sender::default(),
        }));
        for schedule in schedules {
            jobs.declare(schedule).await?;
        }
        Ok(jobs)
    }

    fn kind(&self, name: &str) -> Result<&Arc<dyn JobKind>> {
        self.0.kinds.get(name).ok_or_else(|| {
            Error::new(
                kernel::ErrorCode::InvalidInput,
                format!("没有名为“{name}”的任务类型，请在任务类型列表中选择。"),
            )
        })
    }

    fn stir(&self) {
        self.0.stirred.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// Begins to do jobs and to keep the schedules. `written` is told whenever this process has written to [`JOBS`]; its
    /// value doesn't matter.
    pub fn start(&self, written: &watch::Receiver<u64>) -> Workers {
        let (stop, stopping) = watch::channel(false);
        let mut loops = JoinSet::new();
        let pulse = |written: Option<watch::Receiver<u64>>| worker::Pulse {
            written,
            stirred: Some(self.0.stirred.subscribe()),
            stopping: stopping.clone(),
        };
        loops.spawn(worker::run(self.clone(), pulse(Some(written.clone()))));
        loops.spawn(schedule::run(self.clone(), pulse(None)));
        Workers { stop, loops }
    }
}

impl Shared {
    /// This moment, as it is stored.
    fn now(&self) -> String {
        time::format((self.options.now)())
    }

    /// A moment so much later, as it is stored.
    fn after(&self, delay: Duration) -> String {
        let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::MAX);
        let at = (self.options.now)()
            .saturating_add(delay)
            .unwrap_or(Timestamp::MAX);
        time::format(at)
    }

    /// A name that no other claim has.
    fn worker(&self) -> String {
        let number = self.claims.fetch_add(1, Ordering::Relaxed);
        format!("{}-{number}", self.process)
    }

    /// How long to wait after so many failures.
    fn delay(&self, first: Duration, failures: u32) -> Duration {
        let doubled = 2u32.saturating_pow(failures.saturating_sub(1).min(30));
        first
            .saturating_mul(doubled)
            .min(self.options.longest_delay)
    }
}

/// The loops that do jobs; dropped, they end at once.
pub struct Workers {
    stop: watch::Sender<bool>,
    loops: JoinSet<()>,
}

impl Workers {
    /// Ends them: jobs under way are asked to stop; those that don't finish go back into the queue as if they had not
    /// been begun this time.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while let Some(ended) = self.loops.join_next().await {
            if let Err(error) = ended {
                tracing::error!("a loop of the job queue did not end well: {error}");
            }
        }
    }
}
