//! The records of the ledger: deliveries that are not through, their lanes, and marks of what is handled.

use std::time::Duration;

use jiff::Timestamp;
use kernel::{
    Result,
    events::Event,
    id,
    records::{Collection, Expect, Write},
    time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const DELIVERIES: Collection = Collection {
    name: "event_deliveries",
    indexed: &["handler", "state", "due_at", "lane", "since"],
};
pub(super) const LANES: Collection = Collection {
    name: "event_lanes",
    indexed: &["handler"],
};
pub(super) const MARKS: Collection = Collection {
    name: "event_marks",
    indexed: &["event_at"],
};

/// Where a delivery that is not through stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Being handled at this moment.
    Running,
    /// Failed, and tried again at `due_at`.
    Failing,
    /// Waits for an earlier event of the same subject.
    Held,
    /// Failed too often: waits for a person.
    Parked,
}

impl State {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Failing => "failing",
            Self::Held => "held",
            Self::Parked => "parked",
        }
    }
}

/// An event that a handler is not through with.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OpenDelivery {
    /// Its id.
    pub id: String,
    /// Which handler.
    pub handler: String,
    /// How often the handler was given everything again before.
    pub generation: u64,
    /// The events of one subject share a lane.
    pub lane: String,
    /// Its place in the lane.
    pub sequence: u64,
    /// Where it stands.
    pub state: State,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried again, or taken to be given up by who runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
    /// Why it failed last, in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Since when it is here.
    pub since: String,
    /// The event.
    pub event: Event,
}

/// A delivery as read, to be written at that revision.
#[derive(Clone, Debug)]
pub(super) struct Tracked {
    pub(super) revision: u64,
    pub(super) delivery: OpenDelivery,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lane {
    pub(super) handler: String,
    pub(super) subject: String,
    pub(super) generation: u64,
    /// The place of the next one to queue.
    pub(super) next: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) handler: String,
    pub(super) generation: u64,
    pub(super) event: String,
    pub(super) event_at: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) discarded: bool,
}

/// What happens with a delivery that leaves its lane.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaving {
    Handled,
    Discarded,
}

/// A handler in one of its generations.
#[derive(Clone, Copy)]
pub(super) struct Under<'a> {
    pub(super) handler: &'a str,
    pub(super) generation: u64,
}

impl Under<'_> {
    /// The id of this handler's mark and delivery of an event.
    pub(super) fn id(self, event: &str) -> String {
        format!("{}-{}-{event}", self.handler, self.generation)
    }

    pub(super) fn lane(self, subject: &str) -> String {
        id::derived(&[self.handler, &self.generation.to_string(), subject])
    }

    pub(super) fn mark(self, event: &Event, leaving: Leaving) -> Result<Write> {
        let mark = Mark {
            handler: self.handler.to_owned(),
            generation: self.generation,
            event: event.id.clone(),
            event_at: event.at.clone(),
            discarded: leaving == Leaving::Discarded,
        };
        Ok(Write::put(&MARKS, self.id(&event.id), &mark)?.expecting(Expect::Absent))
    }
}

impl OpenDelivery {
    pub(super) fn under(&self) -> Under<'_> {
        Under {
            handler: &self.handler,
            generation: self.generation,
        }
    }
}

impl Tracked {
    pub(super) fn write(&self) -> Result<Write> {
        let write = Write::put(&DELIVERIES, self.delivery.id.clone(), &self.delivery)?;
        Ok(write.expecting(Expect::Revision(self.revision)))
    }
}

pub(super) fn after(delay: Duration) -> String {
    time::format(Timestamp::now() + jiff::SignedDuration::try_from(delay).unwrap_or_default())
}

pub(super) fn make_due(delivery: &mut OpenDelivery) {
    delivery.state = State::Failing;
    delivery.attempts = 0;
    delivery.due_at = Some(time::now());
}
