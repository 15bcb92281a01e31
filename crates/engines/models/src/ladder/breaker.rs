//! Whether a model is asked: left alone after failures, then tried with a single request.

use std::{sync::Arc, time::Duration};

use kernel::{Error, ErrorCode, models::ModelCard};
use parking_lot::Mutex;

use super::{Clock, Health, Patience, RungState};

/// However long a model says that it wants to be left alone.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

#[derive(Default)]
struct Inner {
    /// Failures in a row.
    failures: u32,
    /// Until then it's left alone; afterwards it's on trial until something comes of it.
    rests_until: Option<Duration>,
    /// A request is trying it.
    trying: bool,
    first_text: Option<Duration>,
    asked: u64,
    answered: u64,
    failed: u64,
    last_error: Option<(String, String)>,
}

/// Watches over one model.
pub(super) struct Breaker {
    patience: Patience,
    clock: Clock,
    local: bool,
    inner: Mutex<Inner>,
}

impl Breaker {
    pub(super) fn new(patience: Patience, clock: Clock, local: bool) -> Self {
        Self {
            patience,
            clock,
            local,
            inner: Mutex::default(),
        }
    }

    /// Whether the next request would be let in.
    pub(super) fn is_open(&self) -> bool {
        let inner = self.inner.lock();
        inner
            .rests_until
            .is_none_or(|until| (self.clock)() >= until && !inner.trying)
    }

    /// Lets a request in, or says in how many seconds to come again.
    pub(super) fn enter(self: &Arc<Self>) -> Result<Trial, u64> {
        let mut inner = self.inner.lock();
        let mut trying = false;
        if let Some(until) = inner.rests_until {
            let left = until.saturating_sub((self.clock)());
            if !left.is_zero() {
                return Err(seconds(left));
            }
            if inner.trying {
                return Err(1);
            }
            inner.trying = true;
            trying = true;
        }
        inner.asked += 1;
        Ok(Trial {
            breaker: self.clone(),
            trying,
        })
    }

    pub(super) fn state(&self, model: ModelCard) -> RungState {
        let inner = self.inner.lock();
        let left = inner
            .rests_until
            .map(|until| until.saturating_sub((self.clock)()));
        let (last_error, last_error_at) = inner.last_error.clone().unzip();
        RungState {
            model,
            health: match left {
                None => Health::Open,
                Some(Duration::ZERO) => Health::OnTrial,
                Some(_) => Health::Resting,
            },
            rests_for: left.filter(|left| !left.is_zero()).map(seconds),
            first_text_ms: inner.first_text.map(|time| time.as_millis() as u64),
            asked: inner.asked,
            answered: inner.answered,
            failed: inner.failed,
            last_error,
            last_error_at,
        }
    }
}

fn seconds(left: Duration) -> u64 {
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

/// One request that was let in. Dropped without a word, it leaves everything as it was.
pub(super) struct Trial {
    breaker: Arc<Breaker>,
    /// It's the one request that tries a model that was left alone.
    trying: bool,
}

impl Trial {
    /// The first text has come: others may come in, too.
    pub(super) fn spoke(&self, after: Duration) {
        let mut inner = self.breaker.inner.lock();
        inner.first_text = Some(after);
        inner.rests_until = None;
    }

    /// The reply has come to its end.
    pub(super) fn answered(self) {
        let mut inner = self.breaker.inner.lock();
        inner.answered += 1;
        inner.failures = 0;
    }

    pub(super) fn failed(self, error: &Error) {
        let patience = self.breaker.patience;
        let now = (self.breaker.clock)();
        let mut inner = self.breaker.inner.lock();
        inner.failed += 1;
        inner.last_error = Some((error.message.clone(), kernel::time::now()));
        let told = error.retry_after.map(Duration::from_secs);
        if told.is_some() && self.breaker.local {
            // It's only busy, and costs nothing to ask again.
            return;
        }
        inner.failures += 1;
        if let Some(told) = told {
            inner.rests_until = Some(now + told.min(LONGEST_PAUSE));
        } else if self.trying
            || error.code == ErrorCode::ModelTimeout
            || inner.failures >= patience.failures
        {
            inner.rests_until = Some(now + patience.pause);
        }
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if self.trying {
            self.breaker.inner.lock().trying = false;
        }
    }
}
