//! Seam: what happened, published with the write that caused it, delivered at least once and in order per subject.
//!
//! An event is a record of [`EVENTS`] (the outbox), written in the batch that makes the change: it is there if and only
//! if the change is. A bus carries the events on to consumers. Within one process, and among processes that share a
//! store, the outbox itself is the bus; beyond, it is a message broker that the outbox feeds.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Result, id,
    records::{Collection, Write},
    time,
};

/// The outbox.
pub const EVENTS: Collection = Collection {
    name: "events",
    indexed: &["kind", "subject", "at"],
};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// `Internal` if it can't be written as JSON.
    pub fn write(&self) -> Result<Write> {
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

/// Carries events to consumers. A consumer has a name and goes on from what it acknowledged, also after a restart.
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

    /// The consumer is through with everything up to and including this position.
    ///
    /// # Errors
    /// `Unavailable`, `Storage`.
    async fn acknowledge(&self, consumer: &str, position: &str) -> Result<()>;

    /// Gives the consumer everything again, from the first event that is still kept.
    ///
    /// # Errors
    /// `Unavailable`, `Storage`.
    async fn rewind(&self, consumer: &str) -> Result<()>;
}
