//! Failed sign-ins, by name, known or not: what is told must not depend on whether there is such an account.

use jiff::{SignedDuration, Timestamp};
use kernel::{
    Error, ErrorCode, Result,
    id::derived,
    records::{Collection, Expect, Write},
    time,
};
use serde::{Deserialize, Serialize};

use super::Identity;
use crate::audit::aside;

pub(super) const FAILURES: Collection = Collection {
    name: "sign_in_failures",
    indexed: &["last_at"],
};

/// So many failures lock.
const FAILURES_ALLOWED: u32 = 5;
/// Failures are forgotten after so much time without one.
const MEMORY: SignedDuration = SignedDuration::from_mins(30);
/// The first lock lasts so long; each further failure doubles it.
const FIRST_LOCK: SignedDuration = SignedDuration::from_mins(1);
/// No lock lasts longer: whoever fails on purpose must not shut others out for good.
const LONGEST_LOCK: SignedDuration = SignedDuration::from_mins(60);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Failures {
    count: u32,
    last_at: String,
    locked_until: String,
}

fn record_id(login: &str) -> String {
    derived(&["sign-in", &login.to_lowercase()])
}

fn from_now(duration: SignedDuration) -> String {
    time::format(Timestamp::now() + duration)
}

impl Identity {
    /// Refuses while a name is locked.
    pub(super) async fn require_unlocked(&self, login: &str) -> Result<()> {
        let failures: Failures = self.failures(login).await?;
        if failures.locked_until > time::now() {
            return Err(locked(&failures.locked_until));
        }
        Ok(())
    }

    async fn failures(&self, login: &str) -> Result<Failures> {
        let found: Option<Failures> = self.records.read(&FAILURES, &record_id(login)).await?;
        Ok(remembered(found))
    }

    /// Counts a failure and returns what to tell.
    pub(super) async fn failed(&self, login: &str) -> Result<Error> {
        let failures = aside(self.count_failure(login)).await?;
        Ok(if failures.count >= FAILURES_ALLOWED {
            locked(&failures.locked_until)
        } else {
            super::refused("登录名或密码不正确。请核对后再试；忘记密码请联系管理员重置。")
        })
    }

    /// Whoever guesses in parallel is counted as often as they guess.
    async fn count_failure(&self, login: &str) -> Result<Failures> {
        let id = record_id(login);
        loop {
            let standing = self.records.get(&FAILURES, &id).await?;
            let (expect, found) = match standing {
                Some(record) => (
                    Expect::Revision(record.revision),
                    serde_json::from_value(record.body).map_err(Error::internal)?,
                ),
                None => (Expect::Absent, None),
            };
            let mut failures = remembered(found);
            failures.count += 1;
            failures.last_at = time::now();
            if failures.count >= FAILURES_ALLOWED {
                let doublings = (failures.count - FAILURES_ALLOWED).min(6);
                let lock = (FIRST_LOCK * 2_i32.pow(doublings)).min(LONGEST_LOCK);
                failures.locked_until = from_now(lock);
            }
            let write = Write::put(&FAILURES, id.as_str(), &failures)?.expecting(expect);
            match self.records.apply(vec![write]).await {
                Ok(_) => return Ok(failures),
                Err(error) if error.code == ErrorCode::Conflict => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Forgets the failures of a name.
    pub(super) fn forgiven(login: &str) -> Write {
        Write::Delete {
            collection: FAILURES.name,
            id: record_id(login),
        }
    }
}

fn remembered(found: Option<Failures>) -> Failures {
    let since = from_now(-MEMORY);
    found.filter(|f| f.last_at > since).unwrap_or_default()
}

fn locked(until: &str) -> Error {
    let clock = until.get(11..16).unwrap_or_default();
    Error::new(
        ErrorCode::LockedOut,
        format!("多次登录失败，已暂时锁定，{clock} 之后可以再试；也可以请管理员重置密码。"),
    )
    .after(seconds_until(until))
}

/// At least one, for a moment that is just past.
fn seconds_until(moment: &str) -> u64 {
    let until: Option<Timestamp> = moment.parse().ok();
    until
        .map(|u| u.duration_since(Timestamp::now()).as_secs())
        .and_then(|s| u64::try_from(s).ok())
        .unwrap_or(0)
        + 1
}
