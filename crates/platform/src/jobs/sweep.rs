//! Removes jobs that are long finished.

use jiff::{SignedDuration, Timestamp};
use kernel::{
    ErrorCode, Result,
    records::{Condition, Expect, Query, Write},
    time,
};

use super::{
    Jobs,
    attempt::{LOG_LINES, LOGS, line_id},
    job::{JOBS, KEYS, Tracked},
    queue::{key_id, stand},
};

/// So many finished jobs are looked at at once when they are swept.
const CHUNK: u64 = 200;

impl Jobs {
    /// Removes jobs that were finished so many days ago, with their logs; returns how many. Their files stay: others may
    /// have the same content.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn sweep(&self, days: u32) -> Result<u64> {
        let age = SignedDuration::from_hours(24 * i64::from(days));
        let until = (self.0.options.now)()
            .saturating_sub(age)
            .unwrap_or(Timestamp::MIN);
        let query = Query {
            all: vec![Condition::AtMost(
                "finished_at".into(),
                time::format(until).into(),
            )],
            limit: CHUNK,
            ..Query::default()
        };
        let mut removed = 0;
        loop {
            let before = removed;
            for record in self.0.records.find(&JOBS, &query).await? {
                removed += u64::from(self.remove(Tracked::of(record)?).await?);
            }
            if removed == before {
                return Ok(removed);
            }
        }
    }

    /// Removes a finished job with all that belongs to it; false if it was changed meanwhile.
    async fn remove(&self, mut tracked: Tracked) -> Result<bool> {
        // A deletion can't expect anything; a write of the same batch can.
        let mut batch = vec![tracked.write()?];
        let job = &tracked.job;
        batch.push(delete(JOBS.name, job.id.clone()));
        for seq in 0..job.log_lines.min(LOG_LINES) {
            batch.push(delete(LOGS.name, line_id(&job.id, seq)));
        }
        if let Some(key) = &job.key
            && let Some(record) = self.0.records.get(&KEYS, &key_id(key)).await?
            && record.body["job"] == job.id.as_str()
        {
            batch.push(stand(key, &job.id, Expect::Revision(record.revision))?);
            batch.push(delete(KEYS.name, key_id(key)));
        }
        match self.0.records.apply(batch).await {
            Err(error) if error.code == ErrorCode::Conflict => Ok(false),
            applied => applied.map(|_| true),
        }
    }
}

fn delete(collection: &'static str, id: String) -> Write {
    Write::Delete { collection, id }
}
