//! Which job a worker takes next.

use std::sync::Arc;

use kernel::{
    Error, ErrorCode, Result,
    records::{Condition, Expect, Query, Sort, Write},
};
use serde_json::json;

use super::{
    JobKind, Jobs, attempt,
    job::{JOBS, Job, PLACES, State, Tracked},
};

/// So many of those that are due are looked at, because other processes may take the first of them.
const CANDIDATES: u64 = 8;

/// A job that this process may begin.
pub(super) struct Claimed {
    pub(super) kind: Arc<dyn JobKind>,
    pub(super) worker: String,
    pub(super) tracked: Tracked,
}

/// The kinds of which a job may be claimed.
#[derive(Default)]
struct Room {
    free: Vec<String>,
    /// Only those whose worker is gone: they hold a place already.
    full: Vec<String>,
    /// Whoever takes the place of a limited kind writes this record at the revision at which it stood before counting.
    places: Vec<(String, Expect)>,
}

impl Jobs {
    /// Takes the most urgent job that is due, if there is one.
    pub(super) async fn claim(&self) -> Result<Option<Claimed>> {
        if self.0.kinds.is_empty() {
            return Ok(None);
        }
        loop {
            let room = self.room().await?;
            let due = self.due(&room).await?;
            if due.is_empty() {
                return Ok(None);
            }
            for tracked in due {
                if let Some(claimed) = self.take(tracked, &room).await? {
                    return Ok(Some(claimed));
                }
            }
            // All were taken by others meanwhile, so somebody got on: look again.
        }
    }

    async fn room(&self) -> Result<Room> {
        let mut room = Room::default();
        for (name, kind) in &self.0.kinds {
            let Some(most) = kind.limits().concurrency else {
                room.free.push(name.clone());
                continue;
            };
            let record = self.0.records.get(&PLACES, name).await?;
            let expect = record.map_or(Expect::Absent, |r| Expect::Revision(r.revision));
            let running = [
                Condition::is("kind", name.as_str()),
                Condition::is("state", State::Running.as_str()),
            ];
            if self.0.records.count(&JOBS, &running).await? < u64::from(most) {
                room.free.push(name.clone());
                room.places.push((name.clone(), expect));
            } else {
                room.full.push(name.clone());
            }
        }
        Ok(room)
    }

    async fn due(&self, room: &Room) -> Result<Vec<Tracked>> {
        let among = |kinds: &[String]| {
            let kinds = kinds.iter().map(|k| k.as_str().into()).collect();
            Condition::In("kind".into(), kinds)
        };
        let lapsed = Condition::is("state", State::Running.as_str());
        let kinds = match (room.free.is_empty(), room.full.is_empty()) {
            (_, true) => vec![among(&room.free)],
            (true, false) => vec![among(&room.full), lapsed],
            (false, false) => vec![
                Condition::Any(vec![among(&room.free), lapsed]),
                Condition::In(
                    "kind".into(),
                    self.0.kinds.keys().map(|k| k.as_str().into()).collect(),
                ),
            ],
        };
        let mut all = vec![Condition::AtMost("due_at".into(), self.0.now().into())];
        all.extend(kinds);
        let query = Query {
            all,
            sort: Some(Sort {
                field: "place".into(),
                descending: false,
            }),
            offset: 0,
            limit: CANDIDATES,
        };
        let found = self.0.records.find(&JOBS, &query).await?;
        let readable = found.into_iter().filter_map(|record| {
            // One that a later version wrote must not hold up the rest.
            Tracked::of(record)
                .inspect_err(|e| tracing::error!(detail = e.detail, "a job can't be read: {e}"))
                .ok()
        });
        Ok(readable.collect())
    }

    /// Takes one job; none if another process was quicker, or if there was nothing to begin.
    async fn take(&self, mut tracked: Tracked, room: &Room) -> Result<Option<Claimed>> {
        let Some(kind) = self.0.kinds.get(&tracked.job.kind).cloned() else {
            return Ok(None);
        };
        let worker = self.0.worker();
        let job = &mut tracked.job;
        let was = job.state;
        let now = self.0.now();
        if job.cancel_requested {
            job.finish(State::Cancelled, now);
        } else if job.attempts >= job.max_attempts {
            job.error = Some("执行中断：执行它的进程已退出，且已达到最多执行次数。".into());
            job.finish(State::Failed, now);
        } else {
            job.state = State::Running;
            job.attempts += 1;
            job.started_at = Some(now);
            job.lease = Some(attempt::lease(&self.0, &worker));
        }
        let mut batch = vec![tracked.write()?];
        if was == State::Queued
            && let Some(place) = place(&tracked.job, room)?
        {
            batch.push(place);
        }
        match self.0.records.apply(batch).await {
            Ok(revision) => tracked.revision = revision,
            Err(error) if error.code == ErrorCode::Conflict => return Ok(None),
            Err(error) => return Err(error),
        }
        self.0.followers.tell(&tracked.job);
        if tracked.job.state != State::Running {
            tracing::warn!(
                job = tracked.job.id,
                kind = tracked.job.kind,
                "a job whose worker is gone has ended"
            );
            return Ok(None);
        }
        Ok(Some(Claimed {
            kind,
            worker,
            tracked,
        }))
    }
}

fn place(job: &Job, room: &Room) -> Result<Option<Write>> {
    let Some((kind, expect)) = room.places.iter().find(|(kind, _)| *kind == job.kind) else {
        return Ok(None);
    };
    let write = Write::put(&PLACES, kind.clone(), &json!({"claimed": job.id}))?;
    Ok(Some(write.expecting(*expect)))
}

/// Whether trying again can't help.
pub(super) fn is_final(error: &Error) -> bool {
    matches!(
        error.code,
        ErrorCode::InvalidInput
            | ErrorCode::Forbidden
            | ErrorCode::NotFound
            | ErrorCode::UnsupportedFormat
            | ErrorCode::DamagedFile
            | ErrorCode::UnsafeFile
            | ErrorCode::EmptyDocument
            | ErrorCode::TooLarge
    )
}
