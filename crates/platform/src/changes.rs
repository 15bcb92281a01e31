//! Tells whoever waits for it that this process has written to a collection.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{
    Result,
    records::{Collection, Condition, Query, Record, Records, Write},
};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;

/// Passes everything on, and tells of what was written.
pub struct Changes {
    inner: Arc<dyn Records>,
    listeners: Mutex<Vec<(&'static str, watch::Sender<u64>)>>,
}

impl Changes {
    /// Tells of what is written through it.
    pub fn new(inner: Arc<dyn Records>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            listeners: Mutex::default(),
        })
    }

    /// Told the revision of each batch that wrote to the collection through this process.
    pub fn of(&self, collection: &Collection) -> watch::Receiver<u64> {
        let (sender, receiver) = watch::channel(0);
        self.listeners.lock().push((collection.name, sender));
        receiver
    }
}

#[async_trait]
impl Records for Changes {
    async fn define(&self, collections: &[Collection]) -> Result<()> {
        self.inner.define(collections).await
    }

    async fn get(&self, collection: &Collection, id: &str) -> Result<Option<Record>> {
        self.inner.get(collection, id).await
    }

    async fn find(&self, collection: &Collection, query: &Query) -> Result<Vec<Record>> {
        self.inner.find(collection, query).await
    }

    async fn count(&self, collection: &Collection, all: &[Condition]) -> Result<u64> {
        self.inner.count(collection, all).await
    }

    async fn count_by(
        &self,
        collection: &Collection,
        field: &str,
        all: &[Condition],
    ) -> Result<Vec<(Value, u64)>> {
        self.inner.count_by(collection, field, all).await
    }

    async fn apply(&self, batch: Vec<Write>) -> Result<u64> {
        let mut touched: Vec<&'static str> = batch
            .iter()
            .map(|w| match w {
                Write::Put { collection, .. } | Write::Delete { collection, .. } => *collection,
            })
            .collect();
        let revision = self.inner.apply(batch).await?;
        touched.sort_unstable();
        touched.dedup();
        for (collection, listener) in self.listeners.lock().iter() {
            if touched.contains(collection) {
                listener.send_replace(revision);
            }
        }
        Ok(revision)
    }

    async fn revision(&self) -> Result<u64> {
        self.inner.revision().await
    }
}
