//! An attempt at a job: how its record is kept while the lease holds.

use std::{collections::VecDeque, sync::Arc};

use kernel::{
    Error, ErrorCode, Result,
    capability::Progress,
    records::{Collection, Write},
};
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until},
};

use super::{
    RACES, Shared,
    job::{JOBS, Job, Lease, Tracked},
    queue::LogLine,
};

/// What jobs logged: a ring of lines per job.
pub(super) const LOGS: Collection = Collection {
    name: "job_logs",
    indexed: &["job"],
};

/// So many of a job's lines are kept, the latest.
pub(super) const LOG_LINES: u64 = 1000;

/// The longest line, in characters.
const LINE: usize = 2000;

/// The record that holds a job's line of that number.
pub(super) fn line_id(job: &str, seq: u64) -> String {
    format!("{job}/{:04}", seq % LOG_LINES)
}

/// Why an attempt is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Cancel,
    TimeLimit,
    Stop,
    Lost,
}

/// What is not stored yet.
#[derive(Clone, Default)]
struct Pending {
    progress: Option<Progress>,
    /// Numbered when they are logged, so that a line written a second time is the same record.
    lines: VecDeque<LogLine>,
    /// The number of the next line.
    next: u64,
}

/// The record as this attempt knows it.
struct Held {
    tracked: Tracked,
    /// The attempt has ended or lost its lease: nothing is written any more.
    over: bool,
    /// Whether the last commit was made is not known.
    uncertain: bool,
}

pub(super) struct Attempt {
    pub(super) shared: Arc<Shared>,
    worker: String,
    held: tokio::sync::Mutex<Held>,
    /// The job as it stands, without waiting for a write under way.
    seen: Mutex<Job>,
    pending: Mutex<Pending>,
    dirty: Notify,
    asked: watch::Sender<Option<Asked>>,
}

impl Attempt {
    pub(super) fn new(shared: &Arc<Shared>, worker: String, tracked: Tracked) -> Arc<Self> {
        Arc::new(Self {
            shared: shared.clone(),
            worker,
            seen: Mutex::new(tracked.job.clone()),
            pending: Mutex::new(Pending {
                next: tracked.job.log_lines,
                ..Pending::default()
            }),
            held: tokio::sync::Mutex::new(Held {
                tracked,
                over: false,
                uncertain: false,
            }),
            dirty: Notify::new(),
            asked: watch::Sender::new(None),
        })
    }

    pub(super) fn job(&self) -> Job {
        self.seen.lock().clone()
    }

    /// Asks the attempt to stop; the first reason stands, but a lost lease is final.
    pub(super) fn ask(&self, why: Asked) {
        self.asked.send_if_modified(|asked| {
            let news = asked.is_none() || (why == Asked::Lost && *asked != Some(Asked::Lost));
            if news {
                *asked = Some(why);
            }
            news
        });
    }

    pub(super) fn asked(&self) -> Option<Asked> {
        *self.asked.borrow()
    }

    /// Waits until it is asked to stop.
    pub(super) async fn told(&self) {
        let mut asked = self.asked.subscribe();
        let _ = asked.wait_for(Option::is_some).await;
    }

    pub(super) fn check(&self) -> Result<()> {
        let message = match self.asked() {
            None => return Ok(()),
            Some(Asked::Cancel) => "任务已被取消。",
            Some(Asked::TimeLimit) => "任务超过了时限，已要求停止。",
            Some(Asked::Stop) => "服务正在停止，任务稍后继续。",
            Some(Asked::Lost) => return Err(lost()),
        };
        Err(Error::new(ErrorCode::Cancelled, message))
    }

    pub(super) fn set_progress(&self, progress: Progress) {
        self.pending.lock().progress = Some(progress.clone());
        self.dirty.notify_one();
        let mut seen = self.seen.lock();
        seen.progress = progress;
        self.shared.followers.tell(&seen);
    }

    pub(super) fn log(&self, line: &str) {
        let job = self.seen.lock().id.clone();
        let at = self.shared.now();
        let line = line.chars().take(LINE).collect();
        let mut pending = self.pending.lock();
        if pending.lines.len() as u64 >= LOG_LINES {
            pending.lines.pop_front();
        }
        let seq = pending.next;
        pending.next += 1;
        pending.lines.push_back(LogLine { job, seq, at, line });
        drop(pending);
        self.dirty.notify_one();
    }

    /// Forgets progress and lines that are not stored yet: the store may have refused them.
    pub(super) fn forget_pending(&self) {
        let mut pending = self.pending.lock();
        pending.progress = None;
        pending.lines.clear();
    }

    /// Changes the record, with what is pending and with further writes in the same batch, as long as the lease is this
    /// attempt's. `commit` holds the job's own writes, which must not be made twice.
    pub(super) async fn write(
        &self,
        change: impl Fn(&mut Job) + Send + Sync,
        commit: Option<&[Write]>,
    ) -> Result<()> {
        let mut held = self.held.lock().await;
        if held.over {
            return Err(lost());
        }
        if commit.is_some() && held.uncertain {
            return Err(Error::new(
                ErrorCode::Storage,
                "上一次保存的结果不明，本次执行停止，稍后从保存的进度继续。",
            ));
        }
        // Also what stands if whoever commits stops waiting for the outcome.
        held.uncertain |= commit.is_some();
        for _ in 0..RACES {
            let mut next = held.tracked.clone();
            let pending = self.pending.lock().clone();
            change(&mut next.job);
            if let Some(progress) = &pending.progress {
                next.job.progress = progress.clone();
            }
            if let Some(lease) = &mut next.job.lease {
                lease.until = self.shared.after(self.shared.options.lease);
            }
            let mut batch = commit.unwrap_or_default().to_vec();
            for line in &pending.lines {
                batch.push(Write::put(&LOGS, line_id(&line.job, line.seq), line)?);
            }
            next.job.log_lines = pending.next;
            batch.push(next.write()?);
            match self.shared.records.apply(batch).await {
                Ok(revision) => {
                    next.revision = revision;
                    held.uncertain &= commit.is_none();
                    held.over = !next.job.is_held_by(&self.worker);
                    held.tracked = next;
                    self.stored(&pending, &held.tracked.job);
                    return Ok(());
                }
                Err(error) if error.code == ErrorCode::Conflict => {
                    if !self.catch_up(&mut held).await? {
                        held.uncertain &= commit.is_none();
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        held.uncertain &= commit.is_none();
        Err(contended())
    }

    /// Reads what others wrote onto the record; false if nobody did, so that a conflict is of other writes.
    async fn catch_up(&self, held: &mut Held) -> Result<bool> {
        let id = &held.tracked.job.id;
        let record = self.shared.records.get(&JOBS, id).await?;
        let stands = record.map(Tracked::of).transpose()?;
        let Some(stands) = stands.filter(|t| t.job.is_held_by(&self.worker)) else {
            held.over = true;
            self.ask(Asked::Lost);
            return Err(lost());
        };
        if stands.revision == held.tracked.revision {
            return Ok(false);
        }
        if stands.job.cancel_requested {
            self.ask(Asked::Cancel);
        }
        held.tracked = stands;
        Ok(true)
    }

    /// Takes what was written out of what is pending.
    fn stored(&self, written: &Pending, job: &Job) {
        let mut pending = self.pending.lock();
        pending.lines.retain(|line| line.seq >= written.next);
        if pending.progress == written.progress {
            pending.progress = None;
        }
        let later = pending.progress.clone();
        drop(pending);
        let mut seen = self.seen.lock();
        *seen = job.clone();
        if let Some(progress) = later {
            seen.progress = progress;
        }
        self.shared.followers.tell(&seen);
    }

    /// Keeps the lease and stores progress, until it is dropped or the lease is lost.
    pub(super) async fn keep(&self) {
        let options = &self.shared.options;
        let beat = options.lease / 3;
        let mut written = Instant::now();
        let mut dirty = false;
        let mut failures = 0;
        loop {
            let every = if failures == 0 && dirty {
                options.progress_every.min(beat)
            } else {
                beat
            };
            tokio::select! {
                () = self.dirty.notified(), if !dirty => {
                    dirty = true;
                    continue;
                }
                () = sleep_until(written + every) => {}
            }
            match self.write(|_| {}, None).await {
                Ok(()) => {
                    failures = 0;
                    dirty = false;
                }
                Err(error) => self.note_failure(&error, &mut failures),
            }
            written = Instant::now();
            if self.asked() == Some(Asked::Lost) {
                return std::future::pending().await;
            }
        }
    }

    fn note_failure(&self, error: &Error, failures: &mut u32) {
        *failures += 1;
        let job = self.job();
        if *failures == 1 {
            tracing::warn!(
                job = job.id,
                detail = error.detail,
                "a job's lease was not renewed: {error}"
            );
        }
        // Nobody can be told not to take it over any more.
        if job.lease.is_some_and(|l| l.until <= self.shared.now()) {
            self.ask(Asked::Lost);
        }
    }
}

fn lost() -> Error {
    Error::new(
        ErrorCode::Conflict,
        "任务的执行权已失效（已结束或由其他进程接手），本次执行停止。",
    )
}

pub(super) fn contended() -> Error {
    Error::new(
        ErrorCode::Conflict,
        "任务正被反复修改，这次没有写入，请稍后再试。",
    )
}

/// A hold on a job from now on.
pub(super) fn lease(shared: &Shared, worker: &str) -> Lease {
    Lease {
        worker: worker.to_owned(),
        until: shared.after(shared.options.lease),
    }
}
