//! What an administrator sees of events and does about them.

use jiff::civil::Date;
use kernel::{
    Error, ErrorCode, Page, Result,
    events::{EVENTS, Event, EventBus},
    page::PageRequest,
    records::{Condition, Query, Sort},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Events, Handler, OpenDelivery, RELAY, State, delivery::DELIVERIES, worker::Generation,
};

/// Which events.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventFilter {
    /// Only this kind, or with a `*` at the end those that begin so, e.g. `knowledge.*`.
    #[serde(default)]
    pub kind: Option<String>,
    /// Only this subject.
    #[serde(default)]
    pub subject: Option<String>,
    /// From this day on.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub from: Option<Date>,
    /// Until the end of this day.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
    /// Which page, from 1.
    #[serde(default)]
    pub page: Option<u64>,
    /// How many a page holds, at most 200.
    #[serde(default)]
    pub page_size: Option<u64>,
}

impl EventFilter {
    fn conditions(&self) -> Vec<Condition> {
        let mut all = Vec::new();
        match self.kind.as_deref().map(|k| (k, k.strip_suffix('*'))) {
            None => {}
            Some((_, Some(beginning))) => {
                all.push(Condition::AtLeast("kind".into(), beginning.into()));
                let end = format!("{beginning}{}", char::MAX);
                all.push(Condition::AtMost("kind".into(), end.into()));
            }
            Some((kind, None)) => all.push(Condition::is("kind", kind)),
        }
        if let Some(subject) = &self.subject {
            all.push(Condition::is("subject", subject.as_str()));
        }
        if let Some(day) = self.from {
            all.push(Condition::AtLeast("at".into(), day.to_string().into()));
        }
        if let Some(day) = self.until {
            // Every moment of the day begins with its date and goes on with a `T`.
            all.push(Condition::AtMost("at".into(), format!("{day}U").into()));
        }
        all
    }
}

/// Which deliveries that are not through.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryFilter {
    /// Only those that stand so.
    #[serde(default)]
    pub state: Option<State>,
    /// Only this handler's.
    #[serde(default)]
    pub handler: Option<String>,
    /// Which page, from 1.
    #[serde(default)]
    pub page: Option<u64>,
    /// How many a page holds, at most 200.
    #[serde(default)]
    pub page_size: Option<u64>,
}

/// How far a handler is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Consumer {
    /// Its name.
    pub name: String,
    /// The kinds of events that it takes.
    pub kinds: Vec<String>,
    /// How many events it has not looked at yet; none while the bus can't be reached.
    pub lag: Option<u64>,
    /// The event that it looks at next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many it handles beside.
    pub running: u64,
    /// How many failed and are tried again.
    pub failing: u64,
    /// How many wait behind those.
    pub held: u64,
    /// How many wait for a person.
    pub parked: u64,
    /// How often it was given everything again.
    pub generation: u64,
    /// Why the lag is not known, in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Events {
    /// The events that match, the latest first.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn list(&self, filter: &EventFilter) -> Result<Page<Event>> {
        let page = PageRequest {
            page: filter.page,
            page_size: filter.page_size,
        };
        let records = &self.0.ledger.records;
        let all = filter.conditions();
        let total = records.count(&EVENTS, &all).await?;
        let query = Query {
            all,
            // By time, and those of one moment too.
            sort: Some(Sort {
                field: "id".into(),
                descending: true,
            }),
            offset: page.offset(),
            limit: page.size(),
        };
        Ok(page.of(records.list(&EVENTS, &query).await?, total))
    }

    /// The deliveries that are not through, the oldest first.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Page<OpenDelivery>> {
        let page = PageRequest {
            page: filter.page,
            page_size: filter.page_size,
        };
        let mut all = Vec::new();
        if let Some(state) = filter.state {
            all.push(Condition::is("state", state.as_str()));
        }
        if let Some(handler) = &filter.handler {
            all.push(Condition::is("handler", handler.as_str()));
        }
        let records = &self.0.ledger.records;
        let total = records.count(&DELIVERIES, &all).await?;
        let query = Query {
            all,
            sort: Some(Sort {
                field: "since".into(),
                descending: false,
            }),
            offset: page.offset(),
            limit: page.size(),
        };
        Ok(page.of(records.list(&DELIVERIES, &query).await?, total))
    }

    /// One delivery that is not through.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn delivery(&self, id: &str) -> Result<OpenDelivery> {
        let found = self.0.ledger.records.read(&DELIVERIES, id).await?;
        found.ok_or_else(|| Error::not_found("这条投递"))
    }

    /// Tries a failing or parked delivery at once, with all its attempts before it.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` while it is being handled or waits for an earlier one; `Storage`.
    pub async fn retry(&self, id: &str) -> Result<OpenDelivery> {
        let retried = self.0.ledger.retry(id).await?;
        self.stir();
        Ok(retried)
    }

    /// Gives a delivery up; those that wait for it go on.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` while it is being handled; `Storage`.
    pub async fn discard(&self, id: &str) -> Result<OpenDelivery> {
        let discarded = self.0.ledger.discard(id).await?;
        self.stir();
        Ok(discarded)
    }

    /// Gives a handler every event that is still kept again, from the first. What is failing, held or parked of the time
    /// before is forgotten: it comes again with the rest. The relay sends everything again, for a bus that lost its data.
    ///
    /// # Errors
    /// `NotFound` if there is no such handler; `Storage`.
    pub async fn replay(&self, handler: &str) -> Result<Consumer> {
        if handler == RELAY && self.0.beyond.is_some() {
            self.0.log.rewind(RELAY).await?;
            self.stir();
            return Ok(self.relay().await);
        }
        let handler = self.handler(handler)?;
        loop {
            let (current, expect) = self.generation(handler.name()).await?;
            let wanted = Generation {
                generation: current.generation + 1,
                rewind: true,
            };
            if self.set_generation(handler.name(), wanted, expect).await? {
                break;
            }
        }
        self.stir();
        self.consumer(handler).await
    }

    fn handler(&self, name: &str) -> Result<&dyn Handler> {
        let mut handlers = self.0.handlers.iter().map(|h| &**h);
        handlers.find(|h| h.name() == name).ok_or_else(|| {
            Error::new(
                ErrorCode::NotFound,
                format!("没有名为“{name}”的事件处理程序，请在处理程序列表中选择。"),
            )
        })
    }

    /// How far every handler is, and the relay if there is one.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn consumers(&self) -> Result<Vec<Consumer>> {
        let mut consumers = Vec::new();
        if self.0.beyond.is_some() {
            consumers.push(self.relay().await);
        }
        for handler in &self.0.handlers {
            consumers.push(self.consumer(&**handler).await?);
        }
        Ok(consumers)
    }

    async fn relay(&self) -> Consumer {
        let mut relay = Consumer {
            name: RELAY.to_owned(),
            kinds: vec!["*".to_owned()],
            ..Consumer::default()
        };
        look(&*self.0.log, &mut relay).await;
        relay
    }

    async fn consumer(&self, handler: &dyn Handler) -> Result<Consumer> {
        let mut consumer = Consumer {
            name: handler.name().to_owned(),
            kinds: handler.kinds().iter().map(|k| (*k).to_owned()).collect(),
            generation: self.generation(handler.name()).await?.0.generation,
            ..Consumer::default()
        };
        let own = [Condition::is("handler", handler.name())];
        let records = &self.0.ledger.records;
        for (state, count) in records.count_by(&DELIVERIES, "state", &own).await? {
            match serde_json::from_value(state).map_err(Error::internal)? {
                State::Running => consumer.running = count,
                State::Failing => consumer.failing = count,
                State::Held => consumer.held = count,
                State::Parked => consumer.parked = count,
            }
        }
        look(&**self.bus(), &mut consumer).await;
        Ok(consumer)
    }
}

/// Notes how far a consumer is on its bus. A bus that is away must not hide the rest.
async fn look(bus: &dyn EventBus, consumer: &mut Consumer) {
    let seen = async {
        let next = bus.next(&consumer.name, 1).await?;
        let next = next.into_iter().next().map(|d| d.event.id);
        Ok::<_, Error>((bus.waiting(&consumer.name).await?, next))
    };
    match seen.await {
        Ok((lag, next)) => (consumer.lag, consumer.next) = (Some(lag), next),
        Err(error) => consumer.error = Some(error.message),
    }
}
