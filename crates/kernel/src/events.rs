//! Seam: what happened, published with the write that caused it, delivered at least once and in order per subject.
//!
//! An event is a record of [`EVENTS`] (the outbox), written in the batch that makes the change: it is there if and only
//! if the change is. A bus carries the events on to consumers. Within one process, and among processes that share a
//! store, the outbox itself is the bus; beyond, it is a message broker that the outbox feeds.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Error, ErrorCode, Result, id,
    records::{Collection, Write},
    time,
};

/// The outbox.
pub const EVENTS: Collection = Collection {
    name: "events",
    indexed: &["id", "kind", "subject", "at"],
};

/// The longest event in bytes of JSON. Brokers refuse messages beyond a limit of theirs, and what a broker refuses for
/// ever would hold up everything behind it: an event tells of a thing and where it stands, and doesn't carry it.
pub const LONGEST: usize = 256 * 1024;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Its id, sorted by time.
    pub id: String,
    /// What kind, `area.happened`, e.g. `knowledge.imported`.
    pub kind: String,
    /// What it happened to, e.g. a document's id. Events of one subject are delivered in order.
    pub subject: String,
    /// When.
    pub at: String,
    /// What a consumer needs to know.
    pub data: Value,
}

impl Event {
    /// Something that happened just now.
    pub fn new(kind: &str, subject: &str, data: Value) -> Self {
        Self {
            id: id::fresh(),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            at: time::now(),
            data,
        }
    }

    /// The write that publishes it, for the batch that makes the change.
    ///
    /// # Errors
    /// `Internal` if it can't be written as JSON or is longer than [`LONGEST`].
    pub fn write(&self) -> Result<Write> {
        let length = serde_json::to_vec(self).map_err(Error::internal)?.len();
        if length > LONGEST {
            return Err(Error::internal(format!(
                "event {} of kind {} is {length} bytes long",
                self.id, self.kind
            )));
        }
        Write::put(&EVENTS, self.id.clone(), self)
    }
}

/// An event on its way to a consumer.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The event.
    pub event: Event,
    /// Where it stands in the bus; opaque.
    pub position: String,
}

/// Carries events to consumers. A consumer has a name (lower-case letters, digits, `_`, `-` and `.`) and goes on from what
/// it acknowledged, also after a restart; one that is new begins with the first event that is still kept.
///
/// Several processes may act as one consumer: each is given the same events until one acknowledges them. Whoever
/// acknowledges vouches for everything before, so that a bus must not deal the events out among them.
#[async_trait]
pub trait EventBus: Send + Sync {
    /// Takes events in, in order. The same event again, by its id, is no second one.
    ///
    /// # Errors
    /// `Unavailable` where the bus can't be reached, `Storage`.
    async fn publish(&self, events: &[Event]) -> Result<()>;

    /// The next events after what the consumer acknowledged, in order, at most `limit`; none if there are none now. What
    /// was given out and not acknowledged is given out again.
    ///
    /// # Errors
    /// `Unavailable`, `Storage`.
    async fn next(&self, consumer: &str, limit: usize) -> Result<Vec<Delivery>>;

    /// The consumer is through with everything up to and including this position. One from before a rewind, or behind
    /// what is acknowledged already, changes nothing.
    ///
    /// # Errors
    /// `Unavailable`, `Storage`.
    async fn acknowledge(&self, consumer: &str, position: &str) -> Result<()>;

    /// Gives the consumer everything again, from the first event that is still kept.
    ///
    /// # Errors
    /// `Unavailable`, `Storage`.
    async fn rewind(&self, consumer: &str) -> Result<()>;

    /// How many events the consumer has not acknowledged yet.
    ///
    /// # Errors
    /// `Unavailable`, `Storage`.
    async fn waiting(&self, consumer: &str) -> Result<u64>;
}

/// Refuses what no bus takes as the name of a consumer.
///
/// # Errors
/// `InvalidInput`.
pub fn check_name(consumer: &str) -> Result<()> {
    let plain = consumer
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b));
    let dotted = consumer.split('.').any(str::is_empty);
    if plain && !dotted && consumer.len() <= 64 {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::InvalidInput,
        format!(
            "“{consumer}”不能用作事件处理程序的名称：只用小写字母、数字、“_”“-”“.”，不超过64个字符，“.”不在首尾。"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_no_broker_would_take_is_refused_where_it_is_made() {
        let event = |bytes: usize| Event::new("a.happened", "1", "x".repeat(bytes).into());
        assert!(event(LONGEST - 1000).write().is_ok());
        assert!(event(LONGEST).write().is_err());
    }
}
