//! When a loop looks again.

use std::time::Duration;

use tokio::{sync::watch, time::sleep};

/// Tells a loop when to look: something was written here, somebody did something, it should end.
pub(super) struct Pulse {
    pub(super) written: Option<watch::Receiver<u64>>,
    pub(super) stirred: Option<watch::Receiver<u64>>,
    pub(super) stopping: watch::Receiver<bool>,
}

async fn changed(receiver: &mut Option<watch::Receiver<u64>>) {
    if let Some(open) = receiver
        && open.changed().await.is_ok()
    {
        return;
    }
    // Whoever told is gone: without it there is still the clock.
    *receiver = None;
    std::future::pending().await
}

impl Pulse {
    pub(super) fn stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Waits until something happened, at most so long.
    pub(super) async fn next(&mut self, most: Duration) {
        tokio::select! {
            () = changed(&mut self.written) => {}
            () = changed(&mut self.stirred) => {}
            () = stopped(&mut self.stopping) => {}
            () = sleep(most) => {}
        }
    }

    /// Waits so long whatever is written, unless it should end: for when something is out of order.
    pub(super) async fn pause(&mut self, long: Duration) {
        tokio::select! {
            () = stopped(&mut self.stopping) => {}
            () = sleep(long) => {}
        }
    }
}

/// Waits until it should end; nobody left to say so means the same.
pub(super) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}
