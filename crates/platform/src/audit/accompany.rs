//! Records whose batches carry the entry of the call that makes them.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{
    Result,
    records::{Collection, Condition, Query, Record, Records, Write},
};
use serde_json::Value;

use super::chain::{Audit, CALL};

/// Passes everything on; the first batch of a call with effects takes the call's entry along.
pub(super) struct Accompanied {
    audit: Arc<Audit>,
    inner: Arc<dyn Records>,
}

impl Accompanied {
    pub(super) fn new(audit: Arc<Audit>) -> Self {
        let inner = audit.records.clone();
        Self { audit, inner }
    }
}

#[async_trait]
impl Records for Accompanied {
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
        let call = CALL.try_with(Clone::clone).ok().flatten();
        let entry = call.as_ref().and_then(|call| call.first_change());
        let (Some(call), Some(entry)) = (call, entry) else {
            return self.inner.apply(batch).await;
        };
        let revision = self.audit.commit(vec![entry], batch).await?;
        call.recorded();
        Ok(revision)
    }

    async fn revision(&self) -> Result<u64> {
        self.inner.revision().await
    }
}
