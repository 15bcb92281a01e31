//! Who waits for whom: events come into the lane of their subject and leave it.
//!
//! A delivery that failed opens a *lane* for its subject and heads it; later events of the subject queue behind it. Every
//! change of who is in a lane writes the lane's record at the revision at which it was read, so that two processes never
//! change it at once. An event is in order as long as nobody passes it by who doesn't know it marked or in a lane.

use kernel::{
    Error, Result,
    events::Event,
    records::{Collection, Condition, Expect, Query, Sort, Write},
    time,
};

use super::{
    delivery::{DELIVERIES, LANES, Lane, Leaving, OpenDelivery, State, Tracked, Under, make_due},
    ledger::{Ledger, conflict, is_conflict},
};

/// How often a batch is tried against others who change the same lane.
const RACES: usize = 16;

/// How an event that was tried comes into a lane.
pub(super) enum Head {
    Failed(Error),
    StillRunning,
}

/// What came of it.
pub(super) enum Enlisted {
    /// The lane is new, and the first event heads it.
    Opened(Box<Tracked>),
    /// The lane was there: the events are in it or through.
    Joined,
    /// There is no lane, and the first event needs none.
    Free,
}

impl Ledger {
    /// Puts events of one subject, in order, where they are waited for: behind those in the subject's lane if there is
    /// one; else in a new lane, if the first was tried.
    pub(super) async fn enlist(
        &self,
        under: Under<'_>,
        events: &[Event],
        head: Option<&Head>,
    ) -> Result<Enlisted> {
        let Some(first) = events.first() else {
            return Ok(Enlisted::Joined);
        };
        let lane_id = under.lane(&first.subject);
        for _ in 0..RACES {
            let standing = self.records.get(&LANES, &lane_id).await?;
            let (mut lane, expect) = match &standing {
                Some(record) => {
                    let lane: Lane =
                        serde_json::from_value(record.body.clone()).map_err(Error::internal)?;
                    (lane, Expect::Revision(record.revision))
                }
                None => {
                    let lane = Lane {
                        handler: under.handler.to_owned(),
                        subject: first.subject.clone(),
                        generation: under.generation,
                        next: 0,
                    };
                    (lane, Expect::Absent)
                }
            };
            let heads = match head {
                None if standing.is_none() => return Ok(Enlisted::Free),
                Some(_) if standing.is_none() && self.handled(under, first).await? => {
                    return Ok(Enlisted::Free);
                }
                head => head.filter(|_| standing.is_none()),
            };
            let new = self
                .queue(under, &lane_id, &mut lane, events, heads)
                .await?;
            let Some(leading) = new.first().cloned() else {
                return Ok(Enlisted::Joined);
            };
            if heads.is_some() && leading.event.id != first.id {
                // Another process was through with it just now.
                continue;
            }
            let mut batch = vec![Write::put(&LANES, lane_id.clone(), &lane)?.expecting(expect)];
            for delivery in &new {
                let write = Write::put(&DELIVERIES, delivery.id.clone(), delivery)?;
                batch.push(write.expecting(Expect::Absent));
            }
            let applied = self.records.apply(batch).await;
            if is_conflict(&applied) {
                continue;
            }
            let revision = applied?;
            return Ok(match heads {
                Some(_) => Enlisted::Opened(Box::new(Tracked {
                    revision,
                    delivery: leading,
                })),
                None => Enlisted::Joined,
            });
        }
        Err(contended())
    }

    /// The deliveries to add to a lane: of those events that are neither in it nor handled.
    async fn queue(
        &self,
        under: Under<'_>,
        lane_id: &str,
        lane: &mut Lane,
        events: &[Event],
        head: Option<&Head>,
    ) -> Result<Vec<OpenDelivery>> {
        let mut new = Vec::new();
        for event in events {
            let id = under.id(&event.id);
            let known = self.records.get(&DELIVERIES, &id).await?.is_some()
                || self.handled(under, event).await?;
            if known {
                continue;
            }
            let mut delivery = OpenDelivery {
                id,
                handler: under.handler.to_owned(),
                generation: under.generation,
                lane: lane_id.to_owned(),
                sequence: lane.next,
                state: State::Held,
                attempts: 0,
                due_at: None,
                error: None,
                since: time::now(),
                event: event.clone(),
            };
            match head.filter(|_| new.is_empty()) {
                Some(Head::Failed(error)) => {
                    delivery.attempts = 1;
                    self.note_failure(&mut delivery, error);
                }
                Some(Head::StillRunning) => self.start(&mut delivery),
                None => {}
            }
            lane.next += 1;
            new.push(delivery);
        }
        Ok(new)
    }

    pub(super) async fn leave(
        &self,
        delivery: &OpenDelivery,
        writes: &[Write],
        leaving: Leaving,
    ) -> Result<Option<Tracked>> {
        let under = delivery.under();
        for _ in 0..RACES {
            let Some(lane) = self.records.get(&LANES, &delivery.lane).await? else {
                return Ok(None);
            };
            let members = self.first_two(&delivery.lane).await?;
            // Read after the lane: whoever takes it out meanwhile changes the lane as well.
            let stands = self.records.get(&DELIVERIES, &delivery.id).await?;
            if stands.is_none() {
                return Ok(None);
            }
            let mut batch = Vec::new();
            if !self.handled(under, &delivery.event).await? {
                batch.extend_from_slice(writes);
                batch.push(under.mark(&delivery.event, leaving)?);
            }
            batch.push(delete(&DELIVERIES, &delivery.id));
            let body = &lane.body;
            let expect = Expect::Revision(lane.revision);
            batch.push(Write::put(&LANES, lane.id.clone(), body)?.expecting(expect));
            let heads = members
                .first()
                .is_some_and(|m| m.delivery.id == delivery.id);
            let mut next = members.into_iter().nth(1).filter(|_| heads);
            match &mut next {
                Some(next) if leaving == Leaving::Handled => self.start(&mut next.delivery),
                Some(next) => make_due(&mut next.delivery),
                None if heads => batch.push(delete(&LANES, &lane.id)),
                None => {}
            }
            if let Some(next) = &next {
                batch.push(next.write()?);
            }
            let applied = self.records.apply(batch).await;
            if is_conflict(&applied) {
                continue;
            }
            let revision = applied?;
            return Ok(next.map(|next| Tracked { revision, ..next }));
        }
        Err(contended())
    }

    async fn first_two(&self, lane: &str) -> Result<Vec<Tracked>> {
        let query = Query {
            all: vec![Condition::is("lane", lane)],
            sort: Some(Sort {
                field: "sequence".into(),
                descending: false,
            }),
            offset: 0,
            limit: 2,
        };
        let tracked = |record: kernel::records::Record| {
            Ok(Tracked {
                revision: record.revision,
                delivery: serde_json::from_value(record.body).map_err(Error::internal)?,
            })
        };
        let found = self.records.find(&DELIVERIES, &query).await?;
        found.into_iter().map(tracked).collect()
    }
}

fn contended() -> Error {
    conflict("写入与他人的修改反复冲突。")
}

fn delete(collection: &Collection, id: &str) -> Write {
    Write::Delete {
        collection: collection.name,
        id: id.to_owned(),
    }
}
