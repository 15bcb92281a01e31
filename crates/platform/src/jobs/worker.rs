//! The loop that claims jobs and watches over attempts.

use std::{pin::pin, sync::Arc, time::Duration};

use kernel::{Error, ErrorCode, Result};
use serde_json::Value;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    Jobs, Limits, Shared,
    attempt::{Asked, Attempt},
    claim::{Claimed, is_final},
    job::{Job, State},
    running::Running,
};

/// The longest pause after the store was away.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Tells a loop when to look: jobs were written here, somebody did something, it should end.
pub(super) struct Pulse {
    pub(super) written: Option<watch::Receiver<u64>>,
    pub(super) stirred: Option<watch::Receiver<u64>>,
    pub(super) stopping: watch::Receiver<bool>,
}

async fn changed(receiver: &mut Option<watch::Receiver<u64>>) {
    if let Some(open) = receiver
        && open.changed().await.is_ok()
    {
        return;
    }
    // Whoever told is gone: without it there is still the clock.
    *receiver = None;
    std::future::pending().await
}

/// Waits until it should end; nobody left to say so means the same.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}

impl Pulse {
    pub(super) fn stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Waits until something happened, at most so long.
    pub(super) async fn next(&mut self, most: Duration) {
        tokio::select! {
            () = changed(&mut self.written) => {}
            () = changed(&mut self.stirred) => {}
            () = stopped(&mut self.stopping) => {}
            () = sleep(most) => {}
        }
    }
}

/// The store is away: told once, and tried again later and later.
#[derive(Default)]
pub(super) struct Trouble(u32);

impl Trouble {
    pub(super) fn over(&mut self, what: &str) {
        if self.0 > 0 {
            tracing::info!(failures = self.0, "{what} again");
        }
        self.0 = 0;
    }

    pub(super) async fn wait(
        &mut self,
        what: &str,
        error: &Error,
        poll: Duration,
        stopping: &mut watch::Receiver<bool>,
    ) {
        if self.0 == 0 {
            tracing::warn!(detail = error.detail, "no longer {what}: {error}");
        }
        let pause = poll.saturating_mul(2u32.saturating_pow(self.0.min(10)));
        self.0 = self.0.saturating_add(1);
        // Ended early when the loop should stop.
        let _ = timeout(pause.min(LONGEST_PAUSE), stopped(stopping)).await;
    }
}

/// Does jobs until it should end.
pub(super) async fn run(jobs: Jobs, mut pulse: Pulse) {
    const WHAT: &str = "claiming jobs";
    let (slots, poll) = (jobs.0.options.slots, jobs.0.options.poll);
    let mut at_work = JoinSet::new();
    let mut trouble = Trouble::default();
    while !pulse.stopping() {
        while at_work.try_join_next().is_some() {}
        if at_work.len() >= slots {
            tokio::select! {
                Some(_) = at_work.join_next() => {}
                () = stopped(&mut pulse.stopping) => {}
            }
            continue;
        }
        match jobs.claim().await {
            Ok(claimed) => {
                trouble.over(WHAT);
                if let Some(claimed) = claimed {
                    at_work.spawn(attend(jobs.0.clone(), claimed, pulse.stopping.clone()));
                    continue;
                }
                tokio::select! {
                    () = pulse.next(poll) => {}
                    Some(_) = at_work.join_next() => {}
                }
            }
            Err(error) => {
                let stopping = &mut pulse.stopping;
                trouble.wait(WHAT, &error, poll, stopping).await;
            }
        }
    }
    while at_work.join_next().await.is_some() {}
}

/// Takes the attempt out of those of this process, however it ends.
struct Listed {
    shared: Arc<Shared>,
    attempt: Arc<Attempt>,
    id: String,
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut attempts = self.shared.attempts.lock();
        if attempts
            .get(&self.id)
            .is_some_and(|a| Arc::ptr_eq(a, &self.attempt))
        {
            attempts.remove(&self.id);
        }
        drop(attempts);
        // Whatever is left of it learns that it has no say any more.
        self.attempt.ask(Asked::Lost);
    }
}

/// Does one attempt at a job and stores what came of it.
async fn attend(shared: Arc<Shared>, claimed: Claimed, mut stopping: watch::Receiver<bool>) {
    let limits = claimed.kind.limits();
    let id = claimed.tracked.job.id.clone();
    let attempt = Attempt::new(&shared, claimed.worker.clone(), claimed.tracked.clone());
    shared.attempts.lock().insert(id.clone(), attempt.clone());
    let listed = Listed {
        shared: shared.clone(),
        attempt: attempt.clone(),
        id,
    };
    let ended = watch_over(&shared, &attempt, claimed, &mut stopping).await;
    let asked = attempt.asked();
    if asked == Some(Asked::Lost) {
        tracing::warn!(job = listed.id, "an attempt at a job lost its lease");
        return;
    }
    let end = End::of(asked, ended, &limits);
    store(&shared, &attempt, end, &limits, &mut stopping).await;
}

/// Lets the kind work; none if it had to be ended.
async fn watch_over(
    shared: &Shared,
    attempt: &Arc<Attempt>,
    claimed: Claimed,
    stopping: &mut watch::Receiver<bool>,
) -> Option<Result<Value>> {
    let limits = claimed.kind.limits();
    let running = Running(attempt.clone());
    // A task of its own: a panic ends it alone, and one that never yields can still be left behind.
    let mut task = JoinSet::new();
    task.spawn(async move { claimed.kind.run(&running).await });
    let mut keep = pin!(attempt.keep());
    let ended = tokio::select! {
        ended = task.join_next() => Some(ended),
        () = attempt.told() => None,
        () = stopped(stopping) => { attempt.ask(Asked::Stop); None }
        () = sleep(limits.time) => { attempt.ask(Asked::TimeLimit); None }
        () = &mut keep => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => tokio::select! {
            ended = task.join_next() => ended,
            () = sleep(shared.options.grace) => None,
            () = &mut keep => None,
        },
    };
    ended.map(|joined| {
        joined.unwrap_or_else(|error| {
            Err(Error::new(
                ErrorCode::Internal,
                "任务执行程序异常中止，请把任务编号告诉管理员。",
            )
            .with_detail(error))
        })
    })
}

/// What an attempt came to.
enum End {
    Done(Value),
    Cancelled,
    Released,
    /// It will not get better.
    Failed(Error),
    /// To be tried again, if it may.
    Trouble(Error),
}

impl End {
    fn of(asked: Option<Asked>, ended: Option<Result<Value>>, limits: &Limits) -> Self {
        match (asked, ended) {
            (_, Some(Ok(result))) => Self::Done(result),
            (Some(Asked::Cancel), _) => Self::Cancelled,
            (Some(Asked::Stop | Asked::Lost), _) => Self::Released,
            (Some(Asked::TimeLimit), _) => Self::Failed(Error::new(
                ErrorCode::Unavailable,
                format!(
                    "执行超过时限（{}秒）没有完成，已中止。请检查任务内容后手工重试。",
                    limits.time.as_secs_f64()
                ),
            )),
            (None, Some(Err(error))) if is_final(&error) => Self::Failed(error),
            (None, Some(Err(error))) => Self::Trouble(error),
            (None, None) => Self::Trouble(Error::internal("an attempt that ended without a word")),
        }
    }

    fn tell(&self, job: &Job) {
        if let Self::Failed(error) | Self::Trouble(error) = self {
            tracing::warn!(
                job = job.id,
                kind = job.kind,
                attempts = job.attempts,
                detail = error.detail,
                "an attempt at a job failed: {error}"
            );
        }
    }

    fn apply(&self, job: &mut Job, shared: &Shared, limits: &Limits) {
        let now = shared.now();
        match self {
            Self::Done(result) => {
                job.result = result.clone();
                job.error = None;
                job.finish(State::Done, now);
            }
            Self::Failed(error) => {
                job.error = Some(error.message.clone());
                job.finish(State::Failed, now);
            }
            // Called off in the very moment in which it would have gone back into the queue.
            _ if job.cancel_requested => job.finish(State::Cancelled, now),
            Self::Cancelled => job.finish(State::Cancelled, now),
            Self::Released => {
                job.attempts = job.attempts.saturating_sub(1);
                job.queue(now);
            }
            Self::Trouble(error) => {
                job.error = Some(error.message.clone());
                if job.attempts >= job.max_attempts {
                    job.finish(State::Failed, now);
                } else {
                    let delay = shared.delay(limits.first_delay, job.attempts);
                    job.queue(shared.after(delay));
                }
            }
        }
    }
}

/// Stores what an attempt came to, however long the store is away, unless the process stops or the lease is lost.
async fn store(
    shared: &Shared,
    attempt: &Attempt,
    mut end: End,
    limits: &Limits,
    stopping: &mut watch::Receiver<bool>,
) {
    const WHAT: &str = "storing what came of jobs";
    end.tell(&attempt.job());
    let mut trouble = Trouble::default();
    let mut refused = false;
    loop {
        let change = |job: &mut Job| end.apply(job, shared, limits);
        let Err(error) = attempt.write(change, None).await else {
            trouble.over(WHAT);
            return;
        };
        if attempt.asked() == Some(Asked::Lost) {
            return;
        }
        let away = matches!(
            error.code,
            ErrorCode::Storage
                | ErrorCode::StorageFull
                | ErrorCode::Unavailable
                | ErrorCode::Conflict
        );
        if !away {
            // Something in it can't be stored; without that, people must still learn that it failed.
            attempt.forget_pending();
            end = End::Failed(error.clone());
            if std::mem::replace(&mut refused, true) {
                tracing::error!(
                    detail = error.detail,
                    "a job's end can't be stored: {error}"
                );
                return;
            }
        }
        if *stopping.borrow() && away {
            // The lease ends by itself; whoever takes the job over goes on from the checkpoint.
            tracing::warn!(detail = error.detail, "a job's end was not stored: {error}");
            return;
        }
        let poll = shared.options.poll;
        trouble.wait(WHAT, &error, poll, stopping).await;
    }
}
