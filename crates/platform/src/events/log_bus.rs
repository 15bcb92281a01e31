//! The outbox itself as the bus: for one process, and for processes that share a store.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{
    Error, ErrorCode, Result,
    events::{Delivery, EVENTS, Event, EventBus, check_name},
    records::{Collection, Condition, Expect, Query, Record, Records, Sort, Write},
};
use serde::{Deserialize, Serialize};

const CONSUMERS: Collection = Collection {
    name: "event_consumers",
    indexed: &[],
};

/// Up to where a consumer is through. Events are in the order in which the store took them: by revision, and within one
/// batch by id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Cursor {
    /// Grows when the consumer is rewound, so that a late acknowledgement doesn't undo that.
    generation: u64,
    revision: u64,
    event: String,
}

impl Cursor {
    fn position(&self) -> String {
        format!("{}.{}.{}", self.generation, self.revision, self.event)
    }

    fn parse(position: &str) -> Result<Self> {
        let mut parts = position.splitn(3, '.');
        let mut part = || parts.next().unwrap_or_default();
        let (generation, revision, event) = (part(), part(), part());
        match (generation.parse(), revision.parse()) {
            (Ok(generation), Ok(revision)) => Ok(Self {
                generation,
                revision,
                event: event.to_owned(),
            }),
            _ => Err(Error::internal(format!(
                "no position of the log: {position}"
            ))),
        }
    }

    fn place(&self) -> (u64, &str) {
        (self.revision, &self.event)
    }
}

/// The outbox as a bus.
#[derive(Clone)]
pub struct LogBus {
    records: Arc<dyn Records>,
}

impl LogBus {
    /// Opens the outbox of a store.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn open(records: Arc<dyn Records>) -> Result<Self> {
        records.define(&[EVENTS, CONSUMERS]).await?;
        Ok(Self { records })
    }

    async fn cursor(&self, consumer: &str) -> Result<(Cursor, Expect)> {
        check_name(consumer)?;
        Ok(match self.records.get(&CONSUMERS, consumer).await? {
            None => (Cursor::default(), Expect::Absent),
            Some(record) => (
                serde_json::from_value(record.body).map_err(Error::internal)?,
                Expect::Revision(record.revision),
            ),
        })
    }

    /// Changes a cursor whoever else does the same at once; `change` says false where nothing is to be done.
    async fn advance(
        &self,
        consumer: &str,
        change: impl Fn(&mut Cursor) -> bool + Send + Sync,
    ) -> Result<()> {
        loop {
            let (mut cursor, expect) = self.cursor(consumer).await?;
            if !change(&mut cursor) {
                return Ok(());
            }
            let write = Write::put(&CONSUMERS, consumer, &cursor)?.expecting(expect);
            match self.records.apply(vec![write]).await {
                Err(error) if error.code == ErrorCode::Conflict => {}
                applied => return applied.map(|_| ()),
            }
        }
    }

    /// The conditions for what comes after a cursor: in the batch in which it stands, and in later ones.
    fn after(cursor: &Cursor) -> [Vec<Condition>; 2] {
        let same_batch = vec![
            Condition::After(cursor.revision.saturating_sub(1)),
            Condition::Not(Box::new(Condition::After(cursor.revision))),
            Condition::AtLeast("id".into(), cursor.event.as_str().into()),
            Condition::Not(Box::new(Condition::is("id", cursor.event.as_str()))),
        ];
        [same_batch, vec![Condition::After(cursor.revision)]]
    }

    async fn missing(&self, events: &[Event]) -> Result<Vec<Event>> {
        let mut missing: Vec<Event> = Vec::new();
        for event in events {
            let known = missing.iter().any(|m| m.id == event.id)
                || self.records.get(&EVENTS, &event.id).await?.is_some();
            if !known {
                missing.push(event.clone());
            }
        }
        Ok(missing)
    }
}

#[async_trait]
impl EventBus for LogBus {
    async fn publish(&self, events: &[Event]) -> Result<()> {
        // Within a batch the order is that of the ids: where these don't ascend, another batch begins.
        for run in events.chunk_by(|a, b| a.id < b.id) {
            loop {
                let writes = self.missing(run).await?;
                if writes.is_empty() {
                    break;
                }
                let writes = writes
                    .iter()
                    .map(|e| Ok(e.write()?.expecting(Expect::Absent)))
                    .collect::<Result<_>>()?;
                match self.records.apply(writes).await {
                    Err(error) if error.code == ErrorCode::Conflict => {}
                    applied => {
                        applied?;
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    async fn next(&self, consumer: &str, limit: usize) -> Result<Vec<Delivery>> {
        let (cursor, _) = self.cursor(consumer).await?;
        let mut found: Vec<Record> = Vec::new();
        for all in Self::after(&cursor) {
            if found.len() >= limit {
                break;
            }
            let query = Query {
                all,
                sort: Some(Sort {
                    field: String::new(),
                    descending: false,
                }),
                offset: 0,
                limit: (limit - found.len()) as u64,
            };
            found.extend(self.records.find(&EVENTS, &query).await?);
        }
        let delivery = |record: Record| {
            let at = Cursor {
                generation: cursor.generation,
                revision: record.revision,
                event: record.id,
            };
            Ok(Delivery {
                event: serde_json::from_value(record.body).map_err(Error::internal)?,
                position: at.position(),
            })
        };
        found.into_iter().map(delivery).collect()
    }

    async fn acknowledge(&self, consumer: &str, position: &str) -> Result<()> {
        let through = Cursor::parse(position)?;
        self.advance(consumer, |cursor| {
            let onwards =
                through.generation == cursor.generation && through.place() > cursor.place();
            if onwards {
                *cursor = through.clone();
            }
            onwards
        })
        .await
    }

    async fn rewind(&self, consumer: &str) -> Result<()> {
        self.advance(consumer, |cursor| {
            *cursor = Cursor {
                generation: cursor.generation + 1,
                ..Cursor::default()
            };
            true
        })
        .await
    }

    async fn waiting(&self, consumer: &str) -> Result<u64> {
        let (cursor, _) = self.cursor(consumer).await?;
        let mut waiting = 0;
        for all in Self::after(&cursor) {
            waiting += self.records.count(&EVENTS, &all).await?;
        }
        Ok(waiting)
    }
}

#[cfg(test)]
mod tests {
    use kernel::testkit::{MemoryRecords, event_bus_conforms};

    use super::*;

    async fn opened(records: &Arc<dyn Records>) -> Arc<dyn EventBus> {
        Arc::new(LogBus::open(records.clone()).await.unwrap())
    }

    async fn conforms(records: Arc<dyn Records>, by_outbox: bool) {
        let publish = async |events: Vec<Event>| {
            if by_outbox {
                let writes = events.iter().map(|e| e.write().unwrap()).collect();
                records.apply(writes).await.unwrap();
            } else {
                opened(&records).await.publish(&events).await.unwrap();
            }
        };
        event_bus_conforms(async || opened(&records).await, publish).await;
    }

    #[tokio::test]
    async fn conforms_in_memory() {
        for by_outbox in [false, true] {
            conforms(Arc::new(MemoryRecords::default()), by_outbox).await;
        }
    }

    #[tokio::test]
    async fn conforms_in_sqlite() {
        for by_outbox in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let records = engine_store::SqliteRecords::open(&dir.path().join("db")).unwrap();
            conforms(Arc::new(records), by_outbox).await;
        }
    }
}
