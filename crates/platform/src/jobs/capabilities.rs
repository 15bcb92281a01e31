//! What the doors offer of jobs, to administrators.

use kernel::{
    Error, ErrorCode, Page, Result,
    capability::{ById, Capability, Context, Definition, Permission, Registered},
    page::PageRequest,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Job, JobFilter, JobView, Jobs, LogLine, NewJob, Schedule, ScheduleUpdate};

/// All capabilities of jobs.
pub fn all(jobs: &Jobs) -> Vec<Registered> {
    vec![
        Registered::new(ListJobs(jobs.clone())),
        Registered::new(GetJob(jobs.clone())),
        Registered::new(CancelJob(jobs.clone())),
        Registered::new(RetryJob(jobs.clone())),
        Registered::new(StartJob(jobs.clone())),
        Registered::new(ListKinds(jobs.clone())),
        Registered::new(ListSchedules(jobs.clone())),
        Registered::new(UpdateSchedule(jobs.clone())),
    ]
}

struct ListJobs(Jobs);

impl Capability for ListJobs {
    type Input = JobFilter;
    type Output = Page<JobView>;

    fn definition(&self) -> Definition {
        Definition::get(
            "jobs.list",
            "作业",
            "分页列出作业，最近的在前，可按状态、类型和文字（标题、错误信息或任务编号）筛选。",
            "/jobs",
        )
        .open_to(Permission::ADMINISTRATOR)
    }

    async fn call(&self, _: &Context, input: JobFilter) -> Result<Page<JobView>> {
        self.0.list(&input).await
    }
}

/// Names a job and a page of its log.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobAndPage {
    /// The job's id.
    pub id: String,
    /// Which page of the log, from 1, where the latest lines are.
    #[serde(default)]
    pub page: Option<u64>,
    /// How many lines a page holds, at most 200.
    #[serde(default)]
    pub page_size: Option<u64>,
}

/// A job with a page of its log.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct JobWithLog {
    /// The job.
    pub job: JobView,
    /// What it logged: the first page holds the latest lines.
    pub log: Page<LogLine>,
}

struct GetJob(Jobs);

impl Capability for GetJob {
    type Input = JobAndPage;
    type Output = JobWithLog;

    fn definition(&self) -> Definition {
        Definition::get(
            "jobs.get",
            "作业详情",
            "给出一个作业的状态、进度、结果、产物和一页日志，第一页是最新的日志。",
            "/jobs/{id}",
        )
        .open_to(Permission::ADMINISTRATOR)
    }

    async fn call(&self, _: &Context, input: JobAndPage) -> Result<JobWithLog> {
        let page = PageRequest {
            page: input.page,
            page_size: input.page_size,
        };
        Ok(JobWithLog {
            job: self.0.get(&input.id).await?.into(),
            log: self.0.log(&input.id, page).await?,
        })
    }
}

fn note(context: &Context, job: &Job) {
    context.note("job", job.id.as_str());
    context.note("kind", job.kind.as_str());
    context.note("state", job.state.as_str());
}

struct CancelJob(Jobs);

impl Capability for CancelJob {
    type Input = ById;
    type Output = JobView;

    fn definition(&self) -> Definition {
        Definition::post(
            "jobs.cancel",
            "取消作业",
            "取消一个作业：排队的立即取消，执行中的会被要求停止。已经保存的部分不会撤销。",
            "/jobs/{id}/cancel",
        )
    }

    async fn call(&self, context: &Context, input: ById) -> Result<JobView> {
        note(context, &self.0.get(&input.id).await?);
        self.0.cancel(&input.id).await.map(JobView::from)
    }
}

struct RetryJob(Jobs);

impl Capability for RetryJob {
    type Input = ById;
    type Output = JobView;

    fn definition(&self) -> Definition {
        Definition::post(
            "jobs.retry",
            "重试作业",
            "重新执行一个失败或已取消的作业，或立即执行一个等待重试的任务；从上次保存的进度继续，执行次数重新计算。",
            "/jobs/{id}/retry",
        )
    }

    async fn call(&self, context: &Context, input: ById) -> Result<JobView> {
        note(context, &self.0.get(&input.id).await?);
        self.0.retry(&input.id).await.map(JobView::from)
    }
}

/// A job to be started by hand.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByKind {
    /// The kind's name.
    pub kind: String,
    /// What the job is given.
    #[serde(default)]
    pub input: Value,
}

struct StartJob(Jobs);

impl Capability for StartJob {
    type Input = ByKind;
    type Output = JobView;

    fn definition(&self) -> Definition {
        Definition::post(
            "jobs.start",
            "启动作业",
            "启动一个作业，类型须是任务类型列表中可以手工启动的。",
            "/jobs",
        )
    }

    async fn call(&self, context: &Context, input: ByKind) -> Result<JobView> {
        if !self.0.kind(&input.kind)?.startable() {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                format!(
                    "“{}”类型的任务不能手工启动，请在任务类型列表中选择可以启动的。",
                    input.kind
                ),
            ));
        }
        context.note("kind", input.kind.as_str());
        let account = context.caller.account.as_ref();
        let new = NewJob {
            created_by: account.map(|a| a.name.clone()),
            ..NewJob::new(&input.kind, input.input)
        };
        self.0.enqueue(new).await.map(JobView::from)
    }
}

/// Takes nothing.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "NoJobFilter")]
#[serde(deny_unknown_fields)]
pub struct NoFilter {}

/// A kind of job.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "JobKind")]
pub struct KindView {
    /// Its name.
    pub name: String,
    /// For people, in Chinese.
    pub title: String,
    /// Whether one may be started by hand.
    pub startable: bool,
    /// How long an attempt may take, in seconds.
    pub time_limit: u64,
    /// How often a job may be begun.
    pub max_attempts: u32,
    /// How many may run at once; no limit if none.
    pub concurrency: Option<u32>,
}

/// The kinds of jobs.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "JobKinds")]
pub struct Kinds {
    /// One by one.
    pub items: Vec<KindView>,
}

struct ListKinds(Jobs);

impl Capability for ListKinds {
    type Input = NoFilter;
    type Output = Kinds;

    fn definition(&self) -> Definition {
        Definition::get(
            "jobs.kinds",
            "作业类型",
            "列出作业的类型、各自的限制，以及是否可以手工启动。",
            "/jobs/kinds",
        )
        .open_to(Permission::ADMINISTRATOR)
    }

    async fn call(&self, _: &Context, _: NoFilter) -> Result<Kinds> {
        let kinds = self.0.0.kinds.values().map(|kind| {
            let limits = kind.limits();
            KindView {
                name: kind.name().to_owned(),
                title: kind.title().to_owned(),
                startable: kind.startable(),
                time_limit: limits.time.as_secs(),
                max_attempts: limits.attempts,
                concurrency: limits.concurrency,
            }
        });
        Ok(Kinds {
            items: kinds.collect(),
        })
    }
}

/// The schedules of jobs.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "JobSchedules")]
pub struct Schedules {
    /// One by one.
    pub items: Vec<Schedule>,
}

struct ListSchedules(Jobs);

impl Capability for ListSchedules {
    type Input = NoFilter;
    type Output = Schedules;

    fn definition(&self) -> Definition {
        Definition::get(
            "jobs.schedules",
            "定时计划",
            "列出定时执行的作业：何时执行、下次时间和上次的任务。",
            "/jobs/schedules",
        )
        .open_to(Permission::ADMINISTRATOR)
    }

    async fn call(&self, _: &Context, _: NoFilter) -> Result<Schedules> {
        Ok(Schedules {
            items: self.0.schedules().await?,
        })
    }
}

struct UpdateSchedule(Jobs);

impl Capability for UpdateSchedule {
    type Input = ScheduleUpdate;
    type Output = Schedule;

    fn definition(&self) -> Definition {
        Definition::post(
            "jobs.schedule_update",
            "修改定时计划",
            "启用或停用一个定时计划，或修改它的执行时间（城市所在时区）。",
            "/jobs/schedules/{id}",
        )
    }

    async fn call(&self, context: &Context, input: ScheduleUpdate) -> Result<Schedule> {
        let before = self.0.schedule(&input.id).await?;
        context.note("schedule", before.id.as_str());
        context.note("enabled_before", before.enabled);
        let when = serde_json::to_value(&before.when).map_err(Error::internal)?;
        context.note("when_before", when);
        self.0.update_schedule(&input).await
    }
}
