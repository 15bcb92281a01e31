//! One handler's loop: takes events from the bus, handles them, tries again what failed.

use std::{collections::HashMap, pin::Pin, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use kernel::{
    Error, ErrorCode, Result,
    events::{Event, EventBus},
    records::{Collection, Expect, Write},
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    Events, Handler, Options,
    delivery::{Tracked, Under},
    lanes::{Enlisted, Head},
    ledger::Ledger,
    pulse::{Pulse, stopped},
    takes,
};

pub(super) const HANDLERS: Collection = Collection {
    name: "event_handlers",
    indexed: &[],
};

/// How often a handler is called again at once because others changed what its writes expected.
const CONFLICTS: u32 = 3;

/// The longest pause after the store or the bus was away.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How many handlings may go on beside the loop.
const BESIDE: usize = 64;

/// Which time a handler goes through the events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Generation {
    /// Marks and open deliveries belong to one generation.
    pub(super) generation: u64,
    /// The bus is still to be rewound for it.
    pub(super) rewind: bool,
}

impl Events {
    /// The handler's generation, and what a change of it has to expect.
    pub(super) async fn generation(&self, handler: &str) -> Result<(Generation, Expect)> {
        Ok(match self.0.ledger.records.get(&HANDLERS, handler).await? {
            None => (Generation::default(), Expect::Absent),
            Some(record) => (
                serde_json::from_value(record.body).map_err(Error::internal)?,
                Expect::Revision(record.revision),
            ),
        })
    }

    /// Changes the generation; false if it was changed meanwhile.
    pub(super) async fn set_generation(
        &self,
        handler: &str,
        wanted: Generation,
        expect: Expect,
    ) -> Result<bool> {
        let write = Write::put(&HANDLERS, handler, &wanted)?.expecting(expect);
        match self.0.ledger.records.apply(vec![write]).await {
            Err(error) if error.code == ErrorCode::Conflict => Ok(false),
            applied => applied.map(|_| true),
        }
    }
}

/// A handling under way; dropped, it ends.
type Handling = Pin<Box<dyn Future<Output = Result<Vec<Write>>> + Send>>;

fn handling(handler: Arc<dyn Handler>, event: Event, limit: Duration) -> Handling {
    Box::pin(async move {
        // A task of its own: a panic ends it alone, and one that never yields can still be left behind.
        let mut task = JoinSet::new();
        task.spawn(async move { handler.handle(&event).await });
        match timeout(limit, task.join_next()).await {
            Ok(Some(Ok(result))) => result,
            Ok(Some(Err(error))) => Err(Error::new(
                ErrorCode::Internal,
                "处理程序异常中止，请把事件编号告诉管理员。",
            )
            .with_detail(error)),
            Ok(None) => Err(Error::internal("a handling without a task")),
            Err(_) => Err(Error::new(
                ErrorCode::Unavailable,
                format!("处理超过{}秒没有完成，已中止。", limit.as_secs()),
            )),
        }
    })
}

/// What became of a subject's events of one batch.
enum LaneEnd {
    /// All are marked or in the ledger.
    Through,
    /// The same, and the first of those in the ledger is still being handled.
    Beside(Box<Tracked>, Handling),
    /// Left, because the loop should end.
    Left,
}

/// What one look at the bus and the ledger came to.
struct Round {
    /// There is more to do at once.
    more: bool,
    /// When the next failed delivery is due.
    due: Option<Duration>,
}

pub(super) struct Worker {
    events: Events,
    handler: Arc<dyn Handler>,
    bus: Arc<dyn EventBus>,
    ledger: Ledger,
    options: Options,
    stopping: watch::Receiver<bool>,
    beside: JoinSet<()>,
}

impl Worker {
    pub(super) fn new(
        events: &Events,
        handler: Arc<dyn Handler>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self {
            events: events.clone(),
            handler,
            bus: events.bus().clone(),
            ledger: events.0.ledger.clone(),
            options: events.0.ledger.options.clone(),
            stopping,
            beside: JoinSet::new(),
        }
    }

    fn under(&self, generation: u64) -> Under<'_> {
        Under {
            handler: self.handler.name(),
            generation,
        }
    }

    fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Handles events until it should end. When the store or the bus is away, it waits and goes on.
    pub(super) async fn run(mut self, mut pulse: Pulse) {
        let mut failures = 0;
        while !pulse.stopping() {
            match self.round().await {
                Ok(round) => {
                    failures = 0;
                    if round.more {
                        continue;
                    }
                    let wait = round
                        .due
                        .unwrap_or(self.options.poll)
                        .min(self.options.poll);
                    tokio::select! {
                        () = pulse.next(wait) => {}
                        Some(_) = self.beside.join_next() => {}
                    }
                }
                Err(error) => {
                    failures += 1;
                    tracing::warn!(
                        handler = self.handler.name(),
                        detail = error.detail,
                        failures,
                        "events can't be handled now: {error}"
                    );
                    pulse
                        .pause(self.options.delay(failures).min(LONGEST_PAUSE))
                        .await;
                }
            }
        }
        while self.beside.join_next().await.is_some() {}
    }

    async fn round(&mut self) -> Result<Round> {
        while self.beside.try_join_next().is_some() {}
        let current = self.generation().await?;
        let due = self.try_due(current).await?;
        if self.beside.len() >= BESIDE {
            return Ok(Round { more: false, due });
        }
        let name = self.handler.name().to_owned();
        let batch = self.bus.next(&name, self.options.batch).await?;
        // What is handed out after a rewind belongs to the generation for which that was done.
        if self.generation().await? != current {
            return Ok(Round { more: true, due });
        }
        let Some(last) = batch.last().map(|d| d.position.clone()) else {
            return Ok(Round { more: false, due });
        };
        let taken = batch
            .into_iter()
            .map(|d| d.event)
            .filter(|e| takes(self.handler.kinds(), &e.kind));
        let lanes = by_subject(taken);
        let more = self.handle_all(current, lanes).await?;
        if more {
            self.bus.acknowledge(&name, &last).await?;
        }
        Ok(Round { more, due })
    }

    /// The handler's generation; the bus is rewound for it first if that is still to be done.
    async fn generation(&self) -> Result<u64> {
        let name = self.handler.name();
        loop {
            let (current, expect) = self.events.generation(name).await?;
            if !current.rewind {
                return Ok(current.generation);
            }
            self.bus.rewind(name).await?;
            self.ledger
                .forget_before(self.under(current.generation))
                .await?;
            let rewound = Generation {
                rewind: false,
                ..current
            };
            self.events.set_generation(name, rewound, expect).await?;
        }
    }

    /// Begins to try deliveries that are due; says when the next one is.
    async fn try_due(&mut self, generation: u64) -> Result<Option<Duration>> {
        let most = BESIDE - self.beside.len();
        let (due, next) = self.ledger.due(self.under(generation), most).await?;
        for tracked in due {
            if let Some(tracked) = self.ledger.claim(tracked).await? {
                self.go_on_beside(tracked, None);
            }
        }
        Ok(next)
    }

    /// Handles the events of some subjects; false if some are left because the loop should end.
    async fn handle_all(&mut self, generation: u64, lanes: Vec<Vec<Event>>) -> Result<bool> {
        let under = self.under(generation);
        let lanes: Vec<_> = lanes.iter().map(|l| self.lane(under, l)).collect();
        let ends: Vec<_> = stream::iter(lanes)
            .buffer_unordered(self.options.concurrency)
            .collect()
            .await;
        let mut whole = Ok(true);
        for end in ends {
            match end {
                Ok(LaneEnd::Through) => {}
                Ok(LaneEnd::Beside(tracked, handling)) => {
                    self.go_on_beside(*tracked, Some(handling));
                }
                Ok(LaneEnd::Left) => whole = whole.map(|_| false),
                Err(error) => whole = Err(error),
            }
        }
        whole
    }

    async fn lane(&self, under: Under<'_>, events: &[Event]) -> Result<LaneEnd> {
        let mut rest = events;
        if matches!(
            self.ledger.enlist(under, rest, None).await?,
            Enlisted::Joined
        ) {
            return Ok(LaneEnd::Through);
        }
        while let Some((event, later)) = rest.split_first() {
            if self.is_stopping() {
                return Ok(LaneEnd::Left);
            }
            if self.ledger.handled(under, event).await? {
                rest = later;
                continue;
            }
            let (head, handling) = match self.attempt(under, event).await {
                Attempt::Done => {
                    rest = later;
                    continue;
                }
                Attempt::Failed(error) => (Head::Failed(error), None),
                Attempt::Slow(_) if self.is_stopping() => return Ok(LaneEnd::Left),
                Attempt::Slow(handling) => (Head::StillRunning, Some(handling)),
            };
            match (
                self.ledger.enlist(under, rest, Some(&head)).await?,
                handling,
            ) {
                // Another process was through with it meanwhile.
                (Enlisted::Free, _) => rest = later,
                (Enlisted::Opened(tracked), Some(handling)) => {
                    return Ok(LaneEnd::Beside(tracked, handling));
                }
                _ => return Ok(LaneEnd::Through),
            }
        }
        Ok(LaneEnd::Through)
    }

    async fn attempt(&self, under: Under<'_>, event: &Event) -> Attempt {
        for _ in 0..CONFLICTS {
            let mut handling = handling(self.handler.clone(), event.clone(), self.options.limit);
            let result = tokio::select! {
                biased;
                result = &mut handling => result,
                () = sleep(self.options.grace) => return Attempt::Slow(handling),
            };
            match result {
                Err(error) => return Attempt::Failed(error),
                // A store that is away fails here and again when this failure is noted: then nothing is
                // acknowledged. If only these writes fail, it is the handler that does.
                Ok(writes) => match self.ledger.commit(under, event, writes).await {
                    Ok(true) => return Attempt::Done,
                    Ok(false) => {}
                    Err(error) => return Attempt::Failed(error),
                },
            }
        }
        Attempt::Failed(Error::new(
            ErrorCode::Conflict,
            "处理结果反复与他人的修改冲突，稍后再试。",
        ))
    }

    fn go_on_beside(&mut self, tracked: Tracked, handling: Option<Handling>) {
        let beside = Beside {
            handler: self.handler.clone(),
            ledger: self.ledger.clone(),
            stopping: self.stopping.clone(),
        };
        self.beside.spawn(beside.run(tracked, handling));
    }
}

/// What became of one event at its first try.
enum Attempt {
    Done,
    Failed(Error),
    Slow(Handling),
}

/// Handles what is in a lane, one after the other, beside the loop.
struct Beside {
    handler: Arc<dyn Handler>,
    ledger: Ledger,
    stopping: watch::Receiver<bool>,
}

impl Beside {
    async fn run(mut self, first: Tracked, handling: Option<Handling>) {
        let name = self.handler.name().to_owned();
        if let Err(error) = self.go_through(first, handling).await {
            // The delivery stands as running, and is tried again once its time is over.
            tracing::warn!(
                handler = name,
                detail = error.detail,
                "what became of an event could not be noted: {error}"
            );
        }
    }

    async fn go_through(&mut self, first: Tracked, begun: Option<Handling>) -> Result<()> {
        let (mut current, mut begun) = (first, begun);
        loop {
            let delivery = &current.delivery;
            let under = Under {
                handler: &delivery.handler,
                generation: delivery.generation,
            };
            let result = if self.ledger.handled(under, &delivery.event).await? {
                Ok(Vec::new())
            } else {
                let limit = self.ledger.options.limit;
                let handling = begun.take().unwrap_or_else(|| {
                    handling(self.handler.clone(), delivery.event.clone(), limit)
                });
                tokio::select! {
                    biased;
                    result = handling => result,
                    () = stopped(&mut self.stopping) => return self.ledger.release(current).await,
                }
            };
            let next = match result {
                Ok(writes) => self.ledger.resolve(delivery, &writes).await,
                Err(error) => Err(error),
            };
            match next {
                Ok(Some(next)) => current = next,
                Ok(None) => return Ok(()),
                Err(error) => return self.ledger.fail(current, &error).await,
            }
        }
    }
}

/// The events by subject, in order.
fn by_subject(events: impl Iterator<Item = Event>) -> Vec<Vec<Event>> {
    let mut lanes: Vec<Vec<Event>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for event in events {
        let place = *places.entry(event.subject.clone()).or_insert(lanes.len());
        match lanes.get_mut(place) {
            Some(lane) => lane.push(event),
            None => lanes.push(vec![event]),
        }
    }
    lanes
}
