//! What became of events at each handler: what is handled, and what is to be tried when.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use kernel::{
    Error, ErrorCode, Result,
    events::Event,
    records::{Condition, Query, Records, Sort, Write},
    time,
};

use super::{
    Options,
    delivery::{
        DELIVERIES, LANES, Leaving, MARKS, Mark, OpenDelivery, State, Tracked, Under, after,
        make_due,
    },
    sweep,
};

#[derive(Clone)]
pub(super) struct Ledger {
    pub(super) records: Arc<dyn Records>,
    pub(super) options: Options,
}

impl Ledger {
    pub(super) async fn handled(&self, under: Under<'_>, event: &Event) -> Result<bool> {
        let mark = self.records.get(&MARKS, &under.id(&event.id)).await?;
        Ok(mark.is_some())
    }

    /// Makes the effect of an event that is in no lane, with its mark. True unless it conflicts with what others wrote,
    /// other than the mark: what was handled already is not handled again.
    pub(super) async fn commit(
        &self,
        under: Under<'_>,
        event: &Event,
        mut writes: Vec<Write>,
    ) -> Result<bool> {
        writes.push(under.mark(event, Leaving::Handled)?);
        let applied = self.records.apply(writes).await;
        if is_conflict(&applied) {
            return self.handled(under, event).await;
        }
        applied.map(|_| true)
    }

    pub(super) fn start(&self, delivery: &mut OpenDelivery) {
        delivery.state = State::Running;
        delivery.attempts += 1;
        // Whoever runs it has given up by then, or is gone.
        delivery.due_at = Some(after(self.options.limit + self.options.slack));
    }

    pub(super) fn note_failure(&self, delivery: &mut OpenDelivery, error: &Error) {
        tracing::warn!(
            handler = delivery.handler,
            event = delivery.event.id,
            kind = delivery.event.kind,
            subject = delivery.event.subject,
            attempts = delivery.attempts,
            detail = error.detail,
            "an event was not handled: {error}"
        );
        delivery.error = Some(error.message.clone());
        if delivery.attempts >= self.options.attempts {
            delivery.state = State::Parked;
            delivery.due_at = None;
        } else {
            delivery.state = State::Failing;
            delivery.due_at = Some(after(self.options.delay(delivery.attempts)));
        }
    }

    /// At most `limit` deliveries to be tried now, and how long it is until the next.
    pub(super) async fn due(
        &self,
        under: Under<'_>,
        limit: usize,
    ) -> Result<(Vec<Tracked>, Option<Duration>)> {
        let query = Query {
            all: vec![
                Condition::is("handler", under.handler),
                Condition::is("generation", under.generation),
                Condition::In(
                    "state".into(),
                    [State::Running, State::Failing]
                        .map(|s| s.as_str().into())
                        .into(),
                ),
            ],
            sort: Some(Sort {
                field: "due_at".into(),
                descending: false,
            }),
            offset: 0,
            limit: limit as u64 + 1,
        };
        let now = time::now();
        let mut due = Vec::new();
        for record in self.records.find(&DELIVERIES, &query).await? {
            let revision = record.revision;
            let delivery: OpenDelivery =
                serde_json::from_value(record.body).map_err(Error::internal)?;
            let at = delivery.due_at.clone().unwrap_or_default();
            if at > now || due.len() == limit {
                let left = at.parse().map_or(Duration::ZERO, |at: Timestamp| {
                    let left = at.duration_since(Timestamp::now());
                    Duration::try_from(left).unwrap_or_default()
                });
                return Ok((due, Some(left)));
            }
            due.push(Tracked { revision, delivery });
        }
        Ok((due, None))
    }

    /// Takes a due delivery in hand; none if another process did, or if it was tried too often by processes that then
    /// were gone.
    pub(super) async fn claim(&self, mut tracked: Tracked) -> Result<Option<Tracked>> {
        let delivery = &mut tracked.delivery;
        let spent = delivery.attempts >= self.options.attempts;
        if spent {
            let gone = Error::new(ErrorCode::Unavailable, "处理中断：处理它的进程已退出。");
            self.note_failure(delivery, &gone);
        } else {
            self.start(delivery);
        }
        Ok(self.save(tracked).await?.filter(|_| !spent))
    }

    /// Writes a delivery; none if it was changed meanwhile.
    async fn save(&self, tracked: Tracked) -> Result<Option<Tracked>> {
        let applied = self.records.apply(vec![tracked.write()?]).await;
        if is_conflict(&applied) {
            return Ok(None);
        }
        Ok(Some(Tracked {
            revision: applied?,
            ..tracked
        }))
    }

    /// A delivery that was in hand has failed.
    pub(super) async fn fail(&self, mut tracked: Tracked, error: &Error) -> Result<()> {
        self.note_failure(&mut tracked.delivery, error);
        self.save(tracked).await.map(|_| ())
    }

    /// A delivery that was in hand is left to whoever comes next, as if it had not been tried.
    pub(super) async fn release(&self, mut tracked: Tracked) -> Result<()> {
        let delivery = &mut tracked.delivery;
        delivery.state = State::Failing;
        delivery.attempts = delivery.attempts.saturating_sub(1);
        delivery.due_at = Some(time::now());
        self.save(tracked).await.map(|_| ())
    }

    /// Makes the effect of a delivery that was in hand, with its mark, and takes the next of its lane in hand.
    pub(super) async fn resolve(
        &self,
        delivery: &OpenDelivery,
        writes: &[Write],
    ) -> Result<Option<Tracked>> {
        self.leave(delivery, writes, Leaving::Handled).await
    }

    async fn standing(&self, id: &str) -> Result<Tracked> {
        let found = self.records.get(&DELIVERIES, id).await?;
        let record = found.ok_or_else(|| Error::not_found("这条投递"))?;
        Ok(Tracked {
            revision: record.revision,
            delivery: serde_json::from_value(record.body).map_err(Error::internal)?,
        })
    }

    /// Tries a delivery again at once, with all its attempts before it, because a person says so.
    pub(super) async fn retry(&self, id: &str) -> Result<OpenDelivery> {
        let mut tracked = self.standing(id).await?;
        match tracked.delivery.state {
            State::Parked | State::Failing => {}
            State::Running => return Err(conflict("这条投递正在处理，请稍后查看结果。")),
            State::Held => {
                return Err(conflict(
                    "这条投递在等待同一对象更早的事件，请先重试或放弃更早的那一条。",
                ));
            }
        }
        make_due(&mut tracked.delivery);
        let saved = self.save(tracked).await?;
        let saved = saved.ok_or_else(|| conflict("这条投递的状态刚刚变了，请刷新后再试。"))?;
        Ok(saved.delivery)
    }

    /// Gives a delivery up, because a person says so; those behind it go on.
    pub(super) async fn discard(&self, id: &str) -> Result<OpenDelivery> {
        let delivery = self.standing(id).await?.delivery;
        if delivery.state == State::Running {
            return Err(conflict("这条投递正在处理，不能放弃，请稍后查看结果。"));
        }
        self.leave(&delivery, &[], Leaving::Discarded).await?;
        let mark = delivery.under().id(&delivery.event.id);
        let mark: Option<Mark> = self.records.read(&MARKS, &mark).await?;
        if mark.is_some_and(|m| !m.discarded) {
            return Err(conflict("这条投递刚刚处理完成，没有放弃。"));
        }
        Ok(delivery)
    }

    /// Removes the open deliveries of a handler's earlier generations.
    pub(super) async fn forget_before(&self, under: Under<'_>) -> Result<()> {
        let Some(last) = under.generation.checked_sub(1) else {
            return Ok(());
        };
        for collection in [&DELIVERIES, &LANES] {
            let all = vec![
                Condition::is("handler", under.handler),
                Condition::AtMost("generation".into(), last.into()),
            ];
            sweep::remove(&*self.records, collection, all).await?;
        }
        Ok(())
    }
}

pub(super) fn conflict(message: &str) -> Error {
    Error::new(ErrorCode::Conflict, message)
}

pub(super) fn is_conflict(result: &Result<u64>) -> bool {
    matches!(result, Err(error) if error.code == ErrorCode::Conflict)
}
