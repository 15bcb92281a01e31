//! What happened is handled: delivered at least once, once in effect, in order per subject.
//!
//! A [`Handler`] returns the writes that are its effect; they are made in one batch with a mark of the event, so that an
//! event delivered again, or to several processes, changes nothing a second time. An event that fails is tried again
//! later and later, then parked for a person; later events of its subject wait behind it, other subjects go on.
//!
//! | module | what |
//! |---|---|
//! | [`LogBus`] | the outbox itself as the bus |
//! | `ledger`, `lanes`, `delivery` | what is handled; what failed, waits or is parked |
//! | `worker` | one handler's loop |
//! | `relay` | feeds the outbox to a bus beyond the store |
//! | `sweep` | removes what all are through with |
//! | `desk` | what an administrator sees and does |
//! | [`capabilities`] | the same for the doors |

pub mod capabilities;
mod delivery;
mod desk;
mod lanes;
mod ledger;
mod log_bus;
mod pulse;
mod relay;
mod sweep;
mod worker;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use kernel::{
    Error, Result,
    events::{Event, EventBus, check_name},
    records::{Records, Write},
};
use tokio::{sync::watch, task::JoinSet};

pub use delivery::{OpenDelivery, State};
pub use desk::{Consumer, DeliveryFilter, EventFilter};
pub use log_bus::LogBus;
pub use sweep::Swept;

use ledger::Ledger;
use pulse::Pulse;

/// Does something about events.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Its name, the same for ever: under it stands what it is through with.
    fn name(&self) -> &str;

    /// The kinds of events that it takes: exact ones, beginnings as `knowledge.*`, or `*`.
    fn kinds(&self) -> &[&str];

    /// Handles one event. The writes are its effect: they are made at once and only once per event. Whatever else it
    /// does may happen again, also in two processes at a time.
    ///
    /// # Errors
    /// Any: the event is tried again later.
    async fn handle(&self, event: &Event) -> Result<Vec<Write>>;
}

/// Whether one of the patterns names the kind.
fn takes(kinds: &[&str], kind: &str) -> bool {
    kinds.iter().any(|k| match k.strip_suffix('*') {
        Some(beginning) => kind.starts_with(beginning),
        None => *k == kind,
    })
}

/// How events are handled.
#[derive(Clone, Debug)]
pub struct Options {
    /// How often an event is tried before it is parked.
    pub attempts: u32,
    /// How long after the first failure it is tried again; twice as long after each further one.
    pub first_delay: Duration,
    /// The longest of these delays.
    pub longest_delay: Duration,
    /// How long one handling may take.
    pub limit: Duration,
    /// How long after the limit a handling is taken to be given up by a process that is gone.
    pub slack: Duration,
    /// How long a handling may hold up the events of other subjects before it goes on beside them.
    pub grace: Duration,
    /// How often to look for events of which nobody told.
    pub poll: Duration,
    /// How many events are taken at once.
    pub batch: usize,
    /// How many subjects a handler works on at once.
    pub concurrency: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            attempts: 8,
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(300),
            limit: Duration::from_secs(60),
            slack: Duration::from_secs(5),
            grace: Duration::from_secs(1),
            poll: Duration::from_secs(1),
            batch: 64,
            concurrency: 8,
        }
    }
}

impl Options {
    /// How long to wait after so many failures.
    fn delay(&self, failures: u32) -> Duration {
        let doubled = 2u32.saturating_pow(failures.saturating_sub(1).min(30));
        self.first_delay
            .saturating_mul(doubled)
            .min(self.longest_delay)
    }
}

/// The name under which the relay reads the outbox.
const RELAY: &str = "relay";

/// The events of a store with all their handlers.
#[derive(Clone)]
pub struct Events(Arc<Shared>);

struct Shared {
    log: Arc<dyn EventBus>,
    beyond: Option<Arc<dyn EventBus>>,
    handlers: Vec<Arc<dyn Handler>>,
    ledger: Ledger,
    /// Told when a person or the relay did something that the workers should see at once.
    stirred: watch::Sender<u64>,
}

impl Events {
    /// Opens the events of a store. Without a bus beyond it the outbox itself is the bus.
    ///
    /// # Errors
    /// `Storage`; `InvalidInput` or `Internal` if a handler's name is no name or stands twice.
    pub async fn open(
        records: Arc<dyn Records>,
        beyond: Option<Arc<dyn EventBus>>,
        handlers: Vec<Arc<dyn Handler>>,
        options: Options,
    ) -> Result<Self> {
        let mut names = BTreeSet::from([RELAY]);
        for handler in &handlers {
            check_name(handler.name())?;
            if !names.insert(handler.name()) {
                return Err(Error::internal(format!(
                    "two event handlers are called {}",
                    handler.name()
                )));
            }
        }
        drop(names);
        let log = Arc::new(LogBus::open(records.clone()).await?);
        records
            .define(&[
                delivery::DELIVERIES,
                delivery::LANES,
                delivery::MARKS,
                worker::HANDLERS,
            ])
            .await?;
        Ok(Self(Arc::new(Shared {
            log,
            beyond,
            handlers,
            ledger: Ledger { records, options },
            stirred: watch::Sender::default(),
        })))
    }

    fn bus(&self) -> &Arc<dyn EventBus> {
        self.0.beyond.as_ref().unwrap_or(&self.0.log)
    }

    fn stir(&self) {
        self.0.stirred.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// Begins to handle events. `written` is told whenever this process has written to the outbox; its value doesn't
    /// matter.
    pub fn start(&self, written: &watch::Receiver<u64>) -> Running {
        let (stop, stopping) = watch::channel(false);
        let mut loops = JoinSet::new();
        let pulse = || Pulse {
            written: Some(written.clone()),
            stirred: Some(self.0.stirred.subscribe()),
            stopping: stopping.clone(),
        };
        for handler in &self.0.handlers {
            let worker = worker::Worker::new(self, handler.clone(), stopping.clone());
            loops.spawn(worker.run(pulse()));
        }
        if let Some(beyond) = &self.0.beyond {
            loops.spawn(relay::run(self.clone(), beyond.clone(), pulse()));
        }
        Running { stop, loops }
    }
}

/// The loops that handle events; dropped, they end at once.
pub struct Running {
    stop: watch::Sender<bool>,
    loops: JoinSet<()>,
}

impl Running {
    /// Ends them: what is being handled may finish within moments or is left for the next start.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while let Some(ended) = self.loops.join_next().await {
            if let Err(error) = ended {
                tracing::error!("a loop of the event system did not end well: {error}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_exact_or_beginnings() {
        assert!(takes(&["*"], "a.b"));
        assert!(takes(&["x", "a.*"], "a.b"));
        assert!(takes(&["a.b"], "a.b"));
        assert!(!takes(&["a.b"], "a.bc"));
        assert!(!takes(&["a.*"], "ab.c"));
        assert!(!takes(&[], "a.b"));
    }

    #[test]
    fn delays_double_up_to_the_longest() {
        let options = Options::default();
        let seconds = |n| options.delay(n).as_secs();
        assert_eq!(
            [1, 2, 3, 8, 9, 10, 99].map(seconds),
            [1, 2, 4, 128, 256, 300, 300]
        );
    }
}
