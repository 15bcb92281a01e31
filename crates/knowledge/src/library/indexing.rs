//! The index follows the store.

use std::{sync::atomic::Ordering, time::Instant};

use kernel::{
    Error, ErrorCode, Result,
    capability::Context,
    lexical::{Change, Passage},
    records::{Condition, Query, Sort},
};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::mpsc;

use super::Library;
use crate::{
    record::{DOCUMENTS, DocumentRecord},
    retrieval::tokens,
};

/// Documents read from the store at a time.
const BATCH: u64 = 64;

/// What rebuilding the index came to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Rebuilt {
    /// The store's revision that the index now stands at.
    pub revision: u64,
    /// How many documents were indexed.
    pub documents: u64,
    /// How many passages can be found.
    pub passages: u64,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

impl Library {
    /// Puts documents' current state into the index.
    pub(super) async fn index_documents(
        &self,
        documents: Vec<DocumentRecord>,
        revision: u64,
    ) -> Result<()> {
        let mut changes = Vec::with_capacity(documents.len());
        for document in documents {
            self.know_scope(&document);
            changes.push(self.change_or_removal(&document).await);
        }
        let index = self.index.clone();
        tokio::task::spawn_blocking(move || index.apply(changes, revision))
            .await
            .map_err(Error::internal)?
    }

    /// A document whose text can't be read is not to be found, with a word in the log.
    async fn change_or_removal(&self, document: &DocumentRecord) -> Change {
        self.change(document).await.unwrap_or_else(|error| {
            tracing::error!(document = document.id, title = document.title, %error, detail = error.detail, "left out of the index");
            Change::Remove { document: document.id.clone() }
        })
    }

    async fn change(&self, document: &DocumentRecord) -> Result<Change> {
        if !document.is_found() {
            return Ok(Change::Remove {
                document: document.id.clone(),
            });
        }
        let content = self.content(&document.id).await?;
        let text = self.text(document).await?;
        let passages = content
            .clauses
            .iter()
            .enumerate()
            .filter_map(|(ordinal, clause)| {
                let body = text.at(&clause.span)?;
                Some(Passage {
                    clause: u32::try_from(ordinal).ok()?,
                    tokens: [
                        tokens::of_title(&document.title, &clause.path),
                        tokens::of_text(body),
                    ],
                })
            });
        Ok(Change::Replace {
            document: document.id.clone(),
            attributes: document.attributes(),
            passages: passages.collect(),
        })
    }

    /// Indexes what was stored after the index's revision: after a crash, or a new index altogether. A document whose
    /// text can't be read is left out with a word in the log.
    ///
    /// # Errors
    /// `Storage`, `Index`, `StorageFull`.
    pub async fn catch_up(&self) -> Result<u64> {
        let _gate = self.gate.lock().await;
        let done = self.catch_up_inside().await?;
        if done > 0 {
            self.follow_meaning().await;
        }
        Ok(done)
    }

    /// Brings the index up to date if an earlier batch could not; the caller holds the gate.
    pub(super) async fn catch_up_if_behind(&self) -> Result<()> {
        if self.behind.load(Ordering::Acquire) {
            self.catch_up_inside().await?;
            self.behind.store(false, Ordering::Release);
        }
        Ok(())
    }

    async fn catch_up_inside(&self) -> Result<u64> {
        let mut from = self.index.revision();
        let stored = self.records.revision().await?;
        if from > stored {
            // The index is of another store: the data folder was restored from a backup.
            self.index.clear()?;
            from = 0;
        }
        let query = Query {
            all: vec![Condition::After(from)],
            sort: Some(Sort {
                field: String::new(),
                descending: false,
            }),
            ..Query::default()
        };
        let mut done = 0;
        loop {
            let found = self
                .records
                .find(
                    &DOCUMENTS,
                    &Query {
                        offset: done,
                        limit: BATCH,
                        ..query.clone()
                    },
                )
                .await?;
            let Some(last) = found.last() else { break };
            // A batch of the store may span two of ours: only a revision that is wholly indexed is written down.
            let whole = if (found.len() as u64) < BATCH {
                last.revision
            } else {
                last.revision - 1
            };
            let whole = whole.max(from);
            done += found.len() as u64;
            let mut changes = Vec::new();
            for record in found {
                let document: DocumentRecord =
                    serde_json::from_value(record.body).map_err(Error::internal)?;
                changes.push(self.change_or_removal(&document).await);
            }
            let index = self.index.clone();
            tokio::task::spawn_blocking(move || index.apply(changes, whole))
                .await
                .map_err(Error::internal)??;
        }
        Ok(done)
    }

    /// Builds the index again from the store. What stood is found until it is whole, and stays if it is stopped on the way.
    ///
    /// # Errors
    /// `Cancelled`, `Storage`, `Index`, `StorageFull`.
    pub async fn reindex(&self, context: &Context) -> Result<Rebuilt> {
        let start = Instant::now();
        let total = self.records.count(&DOCUMENTS, &[]).await?;
        context.progress(0, total, "正在重建索引")?;
        let _gate = self.gate.lock().await;
        let revision = self.records.revision().await?;
        let (sender, mut given) = mpsc::channel::<Result<Option<Vec<Change>>>>(2);
        let index = self.index.clone();
        let building = tokio::task::spawn_blocking(move || {
            // Whoever gives has gone away before the end.
            let stopped = || Err(Error::new(ErrorCode::Cancelled, "操作已取消。"));
            index.rebuild(
                &mut || given.blocking_recv().unwrap_or_else(stopped),
                revision,
            )
        });
        let told = |done| context.progress(done, total, "正在重建索引");
        let fed = self.feed(&sender, told).await;
        let last = match &fed {
            Ok(_) => Ok(None),
            Err(error) => Err(error.clone()),
        };
        // If nobody takes it, the building has ended, and says why.
        let _ = sender.send(last).await;
        building.await.map_err(Error::internal)??;
        let documents = fed?;
        self.behind.store(false, Ordering::Release);
        Ok(Rebuilt {
            revision: self.index.revision(),
            documents,
            passages: self.index.passages(),
            elapsed_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// Gives all documents to an index that is built again, and says how many they were. `told` hears of each batch.
    async fn feed(
        &self,
        sender: &mpsc::Sender<Result<Option<Vec<Change>>>>,
        told: impl Fn(u64) -> Result<()>,
    ) -> Result<u64> {
        let mut done = 0;
        loop {
            let query = Query {
                offset: done,
                limit: BATCH,
                ..Query::default()
            };
            let documents: Vec<DocumentRecord> = self.records.list(&DOCUMENTS, &query).await?;
            if documents.is_empty() {
                return Ok(done);
            }
            done += documents.len() as u64;
            let mut changes = Vec::with_capacity(documents.len());
            for document in &documents {
                changes.push(self.change_or_removal(document).await);
            }
            if sender.send(Ok(Some(changes))).await.is_err() {
                return Ok(done);
            }
            told(done)?;
        }
    }

    /// The revision of the document that was written last, and the one that the index stands at. Other things are
    /// written to the same store.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn revisions(&self) -> Result<(u64, u64)> {
        let last = Query {
            sort: Some(Sort {
                field: String::new(),
                descending: true,
            }),
            limit: 1,
            ..Query::default()
        };
        let last = self.records.find(&DOCUMENTS, &last).await?;
        let stored = last.first().map_or(0, |r| r.revision);
        Ok((stored, self.index.revision()))
    }

    /// How many clauses can be found.
    pub fn passages(&self) -> u64 {
        self.index.passages()
    }
}
