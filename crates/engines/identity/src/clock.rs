//! What time it is, as a value, so that tests can move it.

use std::sync::Arc;

use chrono::{DateTime, Utc};

/// Seconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The clock of this machine.
pub fn system_clock() -> Clock {
    Arc::new(|| Utc::now().timestamp())
}

/// A moment as openidconnect wants it; the year 1970 if it lies outside what a calendar can hold.
pub(crate) fn moment(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}
