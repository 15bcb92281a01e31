//! A job as it is stored, and as people see it.

use jiff::Timestamp;
use kernel::{
    Error, Result,
    capability::Progress,
    records::{Collection, Expect, Record, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The jobs.
pub const JOBS: Collection = Collection {
    name: "jobs",
    indexed: &["id", "kind", "state", "due_at", "finished_at"],
};

/// Which job stands for a key.
pub(super) const KEYS: Collection = Collection {
    name: "job_keys",
    indexed: &[],
};

/// Written with every claim of a kind that is limited, so that two processes never claim the last place at once.
pub(super) const PLACES: Collection = Collection {
    name: "job_places",
    indexed: &[],
};

/// How far a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "JobState")]
pub enum State {
    /// Waits: for a worker, or for its time.
    Queued,
    /// A worker is at it.
    Running,
    /// Came to its end.
    Done,
    /// Was given up after errors.
    Failed,
    /// Was called off.
    Cancelled,
}

impl State {
    /// The stable name, as in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it is still to be worked on.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }
}

/// A worker's hold on a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Whose: another one for every claim.
    pub worker: String,
    /// Until when, unless it is renewed.
    pub until: String,
}

/// A file that a job made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    /// Its file name, unique within the job.
    pub name: String,
    /// Its media type.
    pub media: String,
    /// Its size in bytes.
    pub size: u64,
    /// The address of its content.
    pub address: String,
}

/// A job as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its id, sorted by time.
    pub id: String,
    /// What kind.
    pub kind: String,
    /// For people, in Chinese.
    pub title: String,
    /// What it is given.
    pub input: Value,
    /// Higher ones first.
    pub priority: i32,
    /// How far it has come.
    pub state: State,
    /// How often it was begun; interruptions by a clean stop don't count.
    pub attempts: u32,
    /// How often it may be begun.
    pub max_attempts: u32,
    /// Not before.
    pub run_at: String,
    /// Who is at it.
    pub lease: Option<Lease>,
    /// From when on a worker may take it: its time, or the end of the lease; none once it is finished.
    pub due_at: Option<String>,
    /// The place among those that are due; none once it is finished.
    pub place: Option<String>,
    /// How far the work is.
    pub progress: Progress,
    /// From where the next attempt goes on.
    pub checkpoint: Value,
    /// What came of it.
    pub result: Value,
    /// What went wrong last, in Chinese.
    pub error: Option<String>,
    /// The files that it made.
    pub artifacts: Vec<Artifact>,
    /// How many lines it has logged: the number of the next.
    pub log_lines: u64,
    /// A person called it off while it was running.
    pub cancel_requested: bool,
    /// When it was queued.
    pub created_at: String,
    /// When it was begun last.
    pub started_at: Option<String>,
    /// When it was finished.
    pub finished_at: Option<String>,
    /// Who queued it.
    pub created_by: Option<String>,
    /// The schedule that queued it.
    pub schedule: Option<String>,
    /// At most one open job has this key.
    pub key: Option<String>,
}

impl Job {
    /// Brings what is searched by in line with the rest; before every write.
    pub(super) fn settle(&mut self) {
        self.due_at = match (self.state, &self.lease) {
            (State::Queued, _) => Some(self.run_at.clone()),
            (State::Running, Some(lease)) => Some(lease.until.clone()),
            _ => None,
        };
        let rank = 10_000 - i64::from(self.priority.clamp(-9_999, 9_999));
        self.place = self
            .state
            .is_open()
            .then(|| format!("{rank:05} {} {}", self.run_at, self.id));
    }

    /// Ends it.
    pub(super) fn finish(&mut self, state: State, at: String) {
        self.state = state;
        self.lease = None;
        self.cancel_requested = false;
        self.finished_at = Some(at);
    }

    /// Puts it back into the queue.
    pub(super) fn queue(&mut self, at: String) {
        self.state = State::Queued;
        self.lease = None;
        self.run_at = at;
        self.finished_at = None;
    }

    pub(super) fn is_held_by(&self, worker: &str) -> bool {
        self.state == State::Running && self.lease.as_ref().is_some_and(|l| l.worker == worker)
    }
}

/// A job with the revision at which it was read.
#[derive(Clone, Debug)]
pub(super) struct Tracked {
    pub(super) revision: u64,
    pub(super) job: Job,
}

impl Tracked {
    pub(super) fn of(record: Record) -> Result<Self> {
        Ok(Self {
            revision: record.revision,
            job: serde_json::from_value(record.body)
                .map_err(|e| Error::internal(format!("jobs/{}: {e}", record.id)))?,
        })
    }

    /// Writes it, unless somebody else did since it was read.
    pub(super) fn write(&mut self) -> Result<Write> {
        self.job.settle();
        let write = Write::put(&JOBS, self.job.id.clone(), &self.job)?;
        Ok(write.expecting(Expect::Revision(self.revision)))
    }
}

/// A job to be queued.
#[derive(Clone, Debug, Default)]
pub struct NewJob {
    /// What kind.
    pub kind: String,
    /// What it is given.
    pub input: Value,
    /// For people, in Chinese; that of the kind if none.
    pub title: Option<String>,
    /// Higher ones first; 0 is usual.
    pub priority: i32,
    /// Not before; at once if none.
    pub run_at: Option<Timestamp>,
    /// Who queues it.
    pub created_by: Option<String>,
    /// The schedule that queues it.
    pub schedule: Option<String>,
    /// At most one open job has this key.
    pub key: Option<String>,
}

impl NewJob {
    /// A job to be done as soon as possible.
    pub fn new(kind: &str, input: Value) -> Self {
        Self {
            kind: kind.to_owned(),
            input,
            ..Self::default()
        }
    }

    /// The same with a title of its own.
    #[must_use]
    pub fn titled(mut self, title: &str) -> Self {
        self.title = Some(title.to_owned());
        self
    }

    /// The same, before or after others.
    #[must_use]
    pub fn with_priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// The same, later.
    #[must_use]
    pub fn not_before(mut self, at: Timestamp) -> Self {
        self.run_at = Some(at);
        self
    }

    /// The same, unless one with this key is open.
    #[must_use]
    pub fn with_key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// The same, queued by somebody.
    #[must_use]
    pub fn by(mut self, who: &str) -> Self {
        self.created_by = Some(who.to_owned());
        self
    }
}

/// A job as people see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Job")]
pub struct JobView {
    /// Its id.
    pub id: String,
    /// What kind.
    pub kind: String,
    /// For people, in Chinese.
    pub title: String,
    /// What it is given.
    pub input: Value,
    /// Higher ones first.
    pub priority: i32,
    /// How far it has come.
    pub state: State,
    /// It was called off and is about to stop.
    pub cancelling: bool,
    /// How often it was begun.
    pub attempts: u32,
    /// How often it may be begun.
    pub max_attempts: u32,
    /// Not before.
    pub run_at: String,
    /// How far the work is.
    pub progress: Progress,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub result: Value,
    /// What went wrong last, in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The files that it made.
    pub artifacts: Vec<Artifact>,
    /// When it was queued.
    pub created_at: String,
    /// When it was begun last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it was finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// Who queued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// The schedule that queued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        Self {
            id: job.id,
            kind: job.kind,
            title: job.title,
            input: job.input,
            priority: job.priority,
            state: job.state,
            cancelling: job.cancel_requested,
            attempts: job.attempts,
            max_attempts: job.max_attempts,
            run_at: job.run_at,
            progress: job.progress,
            result: job.result,
            error: job.error,
            artifacts: job.artifacts,
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
            created_by: job.created_by,
            schedule: job.schedule,
        }
    }
}
