//! Tells whoever follows a job in this process what becomes of it.

use std::collections::HashMap;

use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::job::{Job, JobView};

/// So many changes are kept for a follower that is slow; it misses the oldest then.
const KEPT: usize = 64;

#[derive(Default)]
pub(super) struct Followers(Mutex<HashMap<String, broadcast::Sender<JobView>>>);

impl Followers {
    pub(super) fn follow(&self, id: &str) -> broadcast::Receiver<JobView> {
        let mut all = self.0.lock();
        // Those of whom nobody wants to hear any more, in other processes or gone.
        all.retain(|_, sender| sender.receiver_count() > 0);
        all.entry(id.to_owned())
            .or_insert_with(|| broadcast::Sender::new(KEPT))
            .subscribe()
    }

    /// Tells of a change; with the last one the channel closes.
    pub(super) fn tell(&self, job: &Job) {
        let mut all = self.0.lock();
        let sender = if job.state.is_open() {
            all.get(&job.id).cloned()
        } else {
            all.remove(&job.id)
        };
        drop(all);
        if let Some(sender) = sender {
            // Nobody listening is no fault.
            let _ = sender.send(job.clone().into());
        }
    }
}
