//! What is done with jobs from outside: queue, cancel, retry, list, follow.

use kernel::{
    Error, ErrorCode, Page, Result,
    capability::Progress,
    id,
    page::PageRequest,
    records::{Condition, Expect, Query, Sort, Write},
    time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::broadcast;

use super::{
    Jobs, RACES,
    attempt::{Asked, LOGS, contended},
    job::{JOBS, Job, JobView, KEYS, NewJob, State, Tracked},
};

/// A line of a job's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "JobLogLine")]
pub struct LogLine {
    /// The job.
    pub job: String,
    /// Its number within the job, from 0.
    pub seq: u64,
    /// When.
    pub at: String,
    /// What.
    pub line: String,
}

/// Which jobs.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobFilter {
    /// Only those that have come so far.
    #[serde(default)]
    pub state: Option<State>,
    /// Only this kind.
    #[serde(default)]
    pub kind: Option<String>,
    /// Only those with this text in their title or error, or with this id.
    #[serde(default)]
    pub text: Option<String>,
    /// Which page, from 1.
    #[serde(default)]
    pub page: Option<u64>,
    /// How many a page holds, at most 200.
    #[serde(default)]
    pub page_size: Option<u64>,
}

impl JobFilter {
    fn conditions(&self) -> Vec<Condition> {
        let mut all = Vec::new();
        if let Some(state) = self.state {
            all.push(Condition::is("state", state.as_str()));
        }
        if let Some(kind) = &self.kind {
            all.push(Condition::is("kind", kind.as_str()));
        }
        if let Some(text) = self.text.as_deref().filter(|t| !t.is_empty()) {
            all.push(Condition::Any(vec![
                Condition::contains("title", text),
                Condition::contains("error", text),
                Condition::is("id", text),
            ]));
        }
        all
    }
}

/// What stands for a key.
#[derive(Serialize, Deserialize)]
struct Standing {
    key: String,
    job: String,
}

/// What a person wants of a job.
#[derive(Clone, Copy)]
enum Wish {
    Cancel,
    Retry,
}

pub(super) fn key_id(key: &str) -> String {
    id::derived(&[key])
}

fn conflict(message: &str) -> Error {
    Error::new(ErrorCode::Conflict, message)
}

impl Jobs {
    /// A job with the writes that queue it, for the batch of the change that causes it.
    ///
    /// # Errors
    /// `InvalidInput` if there is no such kind or it doesn't take the input; `Conflict` if an open job has the key;
    /// `Storage`.
    pub async fn new_job(&self, new: NewJob) -> Result<(Job, Vec<Write>)> {
        let kind = self.kind(&new.kind)?;
        kind.check(&new.input)?;
        let now = self.0.now();
        let mut job = Job {
            id: id::fresh(),
            title: new.title.unwrap_or_else(|| kind.title().to_owned()),
            kind: new.kind,
            input: new.input,
            priority: new.priority,
            state: State::Queued,
            attempts: 0,
            max_attempts: kind.limits().attempts.max(1),
            run_at: new.run_at.map_or_else(|| now.clone(), time::format),
            lease: None,
            due_at: None,
            place: None,
            progress: Progress::default(),
            checkpoint: Value::Null,
            result: Value::Null,
            error: None,
            artifacts: Vec::new(),
            log_lines: 0,
            cancel_requested: false,
            created_at: now,
            started_at: None,
            finished_at: None,
            created_by: new.created_by,
            schedule: new.schedule,
            key: new.key,
        };
        job.settle();
        let mut writes = vec![Write::put(&JOBS, job.id.clone(), &job)?.expecting(Expect::Absent)];
        if let Some(key) = &job.key {
            let (standing, expect) = self.standing(key).await?;
            if standing.is_some() {
                return Err(conflict("同样的任务已在排队或执行，不需要再次添加。"));
            }
            writes.push(stand(key, &job.id, expect)?);
        }
        Ok((job, writes))
    }

    /// The open job that has the key, and what a change of that has to expect.
    async fn standing(&self, key: &str) -> Result<(Option<Job>, Expect)> {
        let Some(record) = self.0.records.get(&KEYS, &key_id(key)).await? else {
            return Ok((None, Expect::Absent));
        };
        let standing: Standing = serde_json::from_value(record.body).map_err(Error::internal)?;
        let job: Option<Job> = self.0.records.read(&JOBS, &standing.job).await?;
        let open = job.filter(|job| job.state.is_open());
        Ok((open, Expect::Revision(record.revision)))
    }

    /// Queues a job; if an open one has its key, that is the one.
    ///
    /// # Errors
    /// As [`Jobs::new_job`], apart from the key.
    pub async fn enqueue(&self, new: NewJob) -> Result<Job> {
        for _ in 0..RACES {
            if let Some(key) = &new.key
                && let Some(open) = self.standing(key).await?.0
            {
                return Ok(open);
            }
            let queued = match self.new_job(new.clone()).await {
                Ok((job, writes)) => self.0.records.apply(writes).await.map(|_| job),
                Err(error) => Err(error),
            };
            match queued {
                Err(error) if error.code == ErrorCode::Conflict => {}
                queued => {
                    self.stir();
                    return queued;
                }
            }
        }
        Err(contended())
    }

    async fn tracked(&self, id: &str) -> Result<Tracked> {
        let found = self.0.records.get(&JOBS, id).await?;
        Tracked::of(found.ok_or_else(|| Error::not_found("这个任务"))?)
    }

    /// Changes a job because a person says so, against others who change it too.
    async fn change(&self, id: &str, wish: Wish) -> Result<Job> {
        for _ in 0..RACES {
            let mut tracked = self.tracked(id).await?;
            let mut batch = match wish {
                Wish::Cancel => self.call_off(&mut tracked.job)?,
                Wish::Retry => self.begin_anew(&mut tracked.job).await?,
            };
            batch.push(tracked.write()?);
            match self.0.records.apply(batch).await {
                Err(error) if error.code == ErrorCode::Conflict => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    self.0.followers.tell(&tracked.job);
                    self.stir();
                    return Ok(tracked.job);
                }
            }
        }
        Err(contended())
    }

    fn call_off(&self, job: &mut Job) -> Result<Vec<Write>> {
        match job.state {
            State::Queued => job.finish(State::Cancelled, self.0.now()),
            State::Running => job.cancel_requested = true,
            _ => return Err(conflict("这个任务已经结束，不能取消。")),
        }
        Ok(Vec::new())
    }

    async fn begin_anew(&self, job: &mut Job) -> Result<Vec<Write>> {
        let mut further = Vec::new();
        match job.state {
            State::Running => return Err(conflict("这个任务正在执行，请稍后查看结果。")),
            State::Done => return Err(conflict("这个任务已经完成，不需要重试。")),
            State::Queued => {}
            State::Failed | State::Cancelled => {
                if let Some(key) = &job.key {
                    let (standing, expect) = self.standing(key).await?;
                    if standing.is_some() {
                        return Err(conflict(
                            "同样的任务已在排队或执行，请等它结束后再重试这一个。",
                        ));
                    }
                    further.push(stand(key, &job.id, expect)?);
                }
            }
        }
        job.attempts = 0;
        job.error = None;
        job.queue(self.0.now());
        Ok(further)
    }

    /// Calls a job off: at once if it waits, else as soon as its worker has stopped.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` if it is finished; `Storage`.
    pub async fn cancel(&self, id: &str) -> Result<Job> {
        let cancelled = self.change(id, Wish::Cancel).await?;
        let attempt = self.0.attempts.lock().get(id).cloned();
        if let Some(attempt) = attempt.filter(|_| cancelled.state == State::Running) {
            attempt.ask(Asked::Cancel);
        }
        Ok(cancelled)
    }

    /// Tries a failed or cancelled job again, or one that waits at once, with all its attempts before it. It goes on from
    /// its checkpoint.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` while it runs, if it is done, or if another open job has its key; `Storage`.
    pub async fn retry(&self, id: &str) -> Result<Job> {
        self.change(id, Wish::Retry).await
    }

    /// The jobs that match, the latest first.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn list(&self, filter: &JobFilter) -> Result<Page<JobView>> {
        let page = PageRequest {
            page: filter.page,
            page_size: filter.page_size,
        };
        let all = filter.conditions();
        let total = self.0.records.count(&JOBS, &all).await?;
        let query = Query {
            all,
            // By the time at which they were queued.
            sort: Some(Sort {
                field: "id".into(),
                descending: true,
            }),
            offset: page.offset(),
            limit: page.size(),
        };
        let found: Vec<Job> = self.0.records.list(&JOBS, &query).await?;
        Ok(page.of(found.into_iter().map(JobView::from).collect(), total))
    }

    /// One job.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn get(&self, id: &str) -> Result<Job> {
        Ok(self.tracked(id).await?.job)
    }

    /// What a job logged: the first page holds the latest lines; within a page they stand in their order.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn log(&self, id: &str, page: PageRequest) -> Result<Page<LogLine>> {
        let all = vec![Condition::is("job", id)];
        let total = self.0.records.count(&LOGS, &all).await?;
        let query = Query {
            all,
            sort: Some(Sort {
                field: "seq".into(),
                descending: true,
            }),
            offset: page.offset(),
            limit: page.size(),
        };
        let mut lines: Vec<LogLine> = self.0.records.list(&LOGS, &query).await?;
        lines.reverse();
        Ok(page.of(lines, total))
    }

    /// A file that a job made: its media type and its bytes.
    ///
    /// # Errors
    /// `NotFound`; what the file store returns.
    pub async fn artifact(&self, id: &str, name: &str) -> Result<(String, Vec<u8>)> {
        let job = self.get(id).await?;
        let found = job.artifacts.into_iter().find(|a| a.name == name);
        let artifact = found.ok_or_else(|| Error::not_found(format!("任务产物“{name}”")))?;
        let bytes = self.0.files.get(&artifact.address).await?;
        Ok((artifact.media, bytes))
    }

    /// Every change of an open job that this process makes from now on; the channel closes after the last. None if the
    /// job is finished or there is none. What another process does about the job is not told here.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn follow(&self, id: &str) -> Result<Option<broadcast::Receiver<JobView>>> {
        // Before it is read, so that no change is missed between the two.
        let receiver = self.0.followers.follow(id);
        let job: Option<Job> = self.0.records.read(&JOBS, id).await?;
        Ok(job.filter(|job| job.state.is_open()).map(|_| receiver))
    }
}

pub(super) fn stand(key: &str, job: &str, expect: Expect) -> Result<Write> {
    let standing = Standing {
        key: key.to_owned(),
        job: job.to_owned(),
    };
    Ok(Write::put(&KEYS, key_id(key), &standing)?.expecting(expect))
}
