//! Jobs at certain times.
//!
//! A schedule that is due is moved on and its job queued in one batch, at the revision at which the schedule was read:
//! however many processes look, a due time makes one job. Times that passed while nothing ran make one job together. A
//! schedule whose last job is still open makes none.

use kernel::{
    Error, ErrorCode, Result,
    records::{Collection, Condition, Expect, Query, Sort, Write},
    time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Jobs, NewJob, RACES,
    attempt::contended,
    when::When,
    worker::{Pulse, Trouble},
};

/// The schedules.
pub const SCHEDULES: Collection = Collection {
    name: "job_schedules",
    indexed: &["next_at"],
};

/// Queues jobs at certain times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "JobSchedule")]
pub struct Schedule {
    /// Its id.
    pub id: String,
    /// The kind of its jobs.
    pub kind: String,
    /// What they are given.
    pub input: Value,
    /// For people, in Chinese.
    pub title: String,
    /// When.
    pub when: When,
    /// Whether it queues jobs at all.
    pub enabled: bool,
    /// When next; none while it is off.
    pub next_at: Option<String>,
    /// The job that it queued last.
    pub last_job: Option<String>,
}

/// A schedule that comes with the product.
#[derive(Clone, Debug)]
pub struct Builtin {
    /// Its id, the same for ever.
    pub id: &'static str,
    /// The kind of its jobs.
    pub kind: &'static str,
    /// What they are given.
    pub input: Value,
    /// For people, in Chinese.
    pub title: &'static str,
    /// When, unless an administrator says otherwise.
    pub when: When,
    /// Whether it is on, unless an administrator says otherwise.
    pub enabled: bool,
}

/// A change of a schedule; what is missing stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "JobScheduleUpdate")]
#[serde(deny_unknown_fields)]
pub struct ScheduleUpdate {
    /// Which.
    pub id: String,
    /// On or off.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// When.
    #[serde(default)]
    pub when: Option<When>,
}

impl Jobs {
    /// Makes a built-in schedule if it is missing. When it is there, what an administrator may change stays.
    pub(super) async fn declare(&self, builtin: Builtin) -> Result<()> {
        self.kind(builtin.kind)
            .and_then(|kind| kind.check(&builtin.input))
            .map_err(|e| Error::internal(format!("schedule {}: {e}", builtin.id)))?;
        for _ in 0..RACES {
            let standing = self.0.records.get(&SCHEDULES, builtin.id).await?;
            let expect = standing
                .as_ref()
                .map_or(Expect::Absent, |r| Expect::Revision(r.revision));
            let was: Option<Schedule> = standing
                .map(|r| serde_json::from_value(r.body).map_err(Error::internal))
                .transpose()?;
            let mut schedule = was.clone().unwrap_or_else(|| Schedule {
                id: builtin.id.to_owned(),
                kind: String::new(),
                input: Value::Null,
                title: String::new(),
                when: builtin.when.clone(),
                enabled: builtin.enabled,
                next_at: None,
                last_job: None,
            });
            builtin.kind.clone_into(&mut schedule.kind);
            builtin.title.clone_into(&mut schedule.title);
            schedule.input = builtin.input.clone();
            if was.is_none() {
                self.plan(&mut schedule)?;
            }
            if was.as_ref() == Some(&schedule) || self.save(&schedule, expect).await? {
                return Ok(());
            }
        }
        Err(contended())
    }

    fn plan(&self, schedule: &mut Schedule) -> Result<()> {
        let next = schedule.when.next_after((self.0.options.now)())?;
        schedule.next_at = schedule.enabled.then(|| time::format(next));
        Ok(())
    }

    async fn save(&self, schedule: &Schedule, expect: Expect) -> Result<bool> {
        let write = Write::put(&SCHEDULES, schedule.id.clone(), schedule)?.expecting(expect);
        match self.0.records.apply(vec![write]).await {
            Err(error) if error.code == ErrorCode::Conflict => Ok(false),
            applied => applied.map(|_| true),
        }
    }

    /// All schedules.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn schedules(&self) -> Result<Vec<Schedule>> {
        self.0.records.list(&SCHEDULES, &Query::default()).await
    }

    /// One schedule.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn schedule(&self, id: &str) -> Result<Schedule> {
        let found = self.0.records.read(&SCHEDULES, id).await?;
        found.ok_or_else(|| Error::not_found("这个计划"))
    }

    /// Changes a schedule.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` if it names no time; `Storage`.
    pub async fn update_schedule(&self, update: &ScheduleUpdate) -> Result<Schedule> {
        for _ in 0..RACES {
            let found = self.0.records.get(&SCHEDULES, &update.id).await?;
            let record = found.ok_or_else(|| Error::not_found("这个计划"))?;
            let expect = Expect::Revision(record.revision);
            let was: Schedule = serde_json::from_value(record.body).map_err(Error::internal)?;
            let mut schedule = was.clone();
            schedule.enabled = update.enabled.unwrap_or(was.enabled);
            if let Some(when) = &update.when {
                schedule.when = when.clone();
            }
            if (schedule.enabled, &schedule.when) != (was.enabled, &was.when) {
                self.plan(&mut schedule)?;
            }
            if self.save(&schedule, expect).await? {
                return Ok(schedule);
            }
        }
        Err(contended())
    }

    /// Queues the jobs of all schedules that are due.
    async fn fire_due(&self) -> Result<()> {
        if self.0.kinds.is_empty() {
            return Ok(());
        }
        let kinds = self.0.kinds.keys().map(|k| k.as_str().into()).collect();
        let query = Query {
            all: vec![
                Condition::AtMost("next_at".into(), self.0.now().into()),
                // Others are for processes that know their kinds.
                Condition::In("kind".into(), kinds),
            ],
            sort: Some(Sort {
                field: "next_at".into(),
                descending: false,
            }),
            ..Query::default()
        };
        for record in self.0.records.find(&SCHEDULES, &query).await? {
            let expect = Expect::Revision(record.revision);
            let schedule: Schedule =
                serde_json::from_value(record.body).map_err(Error::internal)?;
            self.fire(schedule, expect).await?;
        }
        Ok(())
    }

    async fn fire(&self, mut schedule: Schedule, expect: Expect) -> Result<()> {
        let new = NewJob {
            title: Some(schedule.title.clone()),
            schedule: Some(schedule.id.clone()),
            key: Some(format!("schedule/{}", schedule.id)),
            ..NewJob::new(&schedule.kind, schedule.input.clone())
        };
        let (job, mut batch) = match self.new_job(new).await {
            Ok((job, writes)) => (Some(job), writes),
            Err(error) if error.code == ErrorCode::Conflict => (None, Vec::new()),
            Err(error) if error.code == ErrorCode::InvalidInput => {
                tracing::error!(schedule = schedule.id, "a schedule's job can't be: {error}");
                (None, Vec::new())
            }
            Err(error) => return Err(error),
        };
        self.plan(&mut schedule)?;
        if let Some(job) = &job {
            schedule.last_job = Some(job.id.clone());
        }
        batch.push(Write::put(&SCHEDULES, schedule.id.clone(), &schedule)?.expecting(expect));
        match self.0.records.apply(batch).await {
            // Another process did it, or it is seen again at the next look.
            Err(error) if error.code == ErrorCode::Conflict => return Ok(()),
            applied => applied.map(|_| ())?,
        }
        if job.is_some() {
            self.stir();
        } else {
            tracing::info!(
                schedule = schedule.id,
                "a schedule was due and made no job: its last one is open, or there can be none"
            );
        }
        Ok(())
    }
}

/// Keeps the schedules until it should end.
pub(super) async fn run(jobs: Jobs, mut pulse: Pulse) {
    const WHAT: &str = "keeping job schedules";
    let poll = jobs.0.options.poll;
    let mut trouble = Trouble::default();
    while !pulse.stopping() {
        match jobs.fire_due().await {
            Ok(()) => {
                trouble.over(WHAT);
                pulse.next(poll).await;
            }
            Err(error) => {
                let stopping = &mut pulse.stopping;
                trouble.wait(WHAT, &error, poll, stopping).await;
            }
        }
    }
}
