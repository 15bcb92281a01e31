//! Feeds the outbox to a bus beyond the store: in order, at least once; the bus knows again what it has.

use std::sync::Arc;

use kernel::{
    Result,
    events::{Event, EventBus},
};

use super::{Events, RELAY, pulse::Pulse, worker::LONGEST_PAUSE};

/// Copies until it should end. What can't be copied now is copied later.
pub(super) async fn run(events: Events, beyond: Arc<dyn EventBus>, mut pulse: Pulse) {
    let options = &events.0.ledger.options;
    let mut failures = 0;
    while !pulse.stopping() {
        match copy(&*events.0.log, &*beyond, options.batch).await {
            Ok(0) => {
                failures = 0;
                pulse.next(options.poll).await;
            }
            Ok(_) => {
                failures = 0;
                events.stir();
            }
            Err(error) => {
                failures += 1;
                tracing::warn!(
                    detail = error.detail,
                    failures,
                    "events were not relayed: {error}"
                );
                pulse
                    .pause(options.delay(failures).min(LONGEST_PAUSE))
                    .await;
            }
        }
    }
}

async fn copy(log: &dyn EventBus, beyond: &dyn EventBus, limit: usize) -> Result<usize> {
    let deliveries = log.next(RELAY, limit).await?;
    let Some(last) = deliveries.last() else {
        return Ok(0);
    };
    let events: Vec<Event> = deliveries.iter().map(|d| d.event.clone()).collect();
    beyond.publish(&events).await?;
    log.acknowledge(RELAY, &last.position).await?;
    Ok(events.len())
}
