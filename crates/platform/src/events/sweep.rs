//! Removes events and marks that are old and that every consumer is past.

use jiff::{SignedDuration, Timestamp};
use kernel::{
    Error, Result,
    events::{EVENTS, EventBus},
    records::{Collection, Condition, Query, Records, Write},
    time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Events, RELAY,
    delivery::{MARKS, Under},
};

/// How many records are removed in one batch.
const CHUNK: u64 = 500;

/// Events stand in the order in which they were stored, and nearly in that of their times: what may still be handed out
/// is kept with so much before it.
const MARGIN: SignedDuration = SignedDuration::from_hours(24);

/// What was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Swept {
    /// So many events.
    pub events: u64,
    /// So many marks of events that were handled.
    pub marks: u64,
}

impl Events {
    /// Removes events and marks of events that are older than so many days and that all consumers are past.
    ///
    /// # Errors
    /// `Storage`; `Unavailable` where the bus can't say what it still has to hand out.
    pub async fn sweep(&self, days: u32) -> Result<Swept> {
        let mut until = Timestamp::now() - SignedDuration::from_hours(24 * i64::from(days));
        for handler in &self.0.handlers {
            until = until.min(before(&**self.bus(), handler.name()).await?);
        }
        if self.0.beyond.is_some() {
            until = until.min(before(&*self.0.log, RELAY).await?);
        }
        let until = time::format(until);
        let records = &*self.0.ledger.records;
        let old = |field: &str| vec![Condition::AtMost(field.into(), until.as_str().into())];
        let swept = Swept {
            events: remove(records, &EVENTS, old("at")).await?,
            marks: remove(records, &MARKS, old("event_at")).await?,
        };
        for handler in &self.0.handlers {
            let generation = self.generation(handler.name()).await?.0.generation;
            let handler = handler.name();
            let under = Under {
                handler,
                generation,
            };
            self.0.ledger.forget_before(under).await?;
        }
        Ok(swept)
    }
}

/// Before this moment a consumer has nothing left.
async fn before(bus: &dyn EventBus, consumer: &str) -> Result<Timestamp> {
    match bus.next(consumer, 1).await?.first() {
        None => Ok(Timestamp::MAX),
        Some(delivery) => {
            let at: Timestamp = delivery.event.at.parse().map_err(Error::internal)?;
            Ok(at.saturating_sub(MARGIN).map_err(Error::internal)?)
        }
    }
}

/// Removes all matching records, some at a time.
pub(super) async fn remove(
    records: &dyn Records,
    collection: &Collection,
    all: Vec<Condition>,
) -> Result<u64> {
    let query = Query {
        all,
        limit: CHUNK,
        ..Query::default()
    };
    let mut removed = 0;
    loop {
        let found = records.find(collection, &query).await?;
        if found.is_empty() {
            return Ok(removed);
        }
        removed += found.len() as u64;
        let gone = found.into_iter().map(|record| Write::Delete {
            collection: collection.name,
            id: record.id,
        });
        records.apply(gone.collect()).await?;
    }
}
