//! Clauses found by what they mean: a second index of vectors, filled in the background.
//!
//! Documents are found by their words at once; their meaning follows as fast as the embedder goes.

use std::{collections::HashMap, sync::Arc, time::Duration};

use kernel::{
    Error, ErrorCode, Result,
    dense::{Change, Key, VectorIndex},
    models::{EmbedAs, Embedder, ModelCard, Reranker},
    records::{Condition, Query, Sort},
};
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Library;
use crate::{
    quote::Text,
    record::{ContentRecord, DOCUMENTS, DocumentRecord},
    retrieval::tokens,
};

/// Documents read from the store at a time.
const BATCH: u64 = 64;

/// Passages embedded at a time: a crash or a stop costs no more.
const AT_ONCE: usize = 32;

/// After a failure of the embedder, so long until the next try.
const PAUSE: Duration = Duration::from_secs(15);

/// By what clauses are found by meaning.
#[derive(Clone)]
pub struct Meaning {
    /// Makes vectors of clauses and questions.
    pub embedder: Arc<dyn Embedder>,
    /// Keeps the clauses' vectors.
    pub vectors: Arc<dyn VectorIndex>,
}

/// How far clauses are embedded.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MeaningState {
    /// The embedder.
    pub model: ModelCard,
    /// Clauses that wait for their vector; those with the same text count once.
    pub waiting: u64,
    /// Clauses that there are.
    pub clauses: u64,
}

/// What a vector is made of.
pub fn key(version: &str, text: &str) -> Key {
    let digest = Sha256::new()
        .chain_update(version)
        .chain_update([0])
        .chain_update(text)
        .finalize();
    let mut key = Key::default();
    key.copy_from_slice(&digest[..16]);
    key
}

/// A document with what its clauses are embedded from.
struct Opened {
    document: DocumentRecord,
    content: ContentRecord,
    text: Text,
}

impl Opened {
    fn to_embed(&self, clause: u32) -> Option<String> {
        let clause = self.content.clauses.get(clause as usize)?;
        let text = self.text.at(&clause.span)?;
        Some(tokens::to_embed(&self.document.title, &clause.path, text))
    }
}

impl Library {
    /// Finds clauses by meaning as well from now on, or no longer. Until clauses are embedded they are found by words.
    ///
    /// # Errors
    /// `Storage`, `Index`, `StorageFull`.
    pub async fn set_meaning(&self, meaning: Option<Meaning>) -> Result<()> {
        let _gate = self.gate.lock().await;
        if let Some(meaning) = &meaning {
            self.place_all(meaning).await?;
        }
        *self.meaning.write() = meaning;
        self.placed.notify_one();
        Ok(())
    }

    /// Has what was found ordered by a reranker from now on, or no longer.
    pub fn set_reranker(&self, reranker: Option<Arc<dyn Reranker>>) {
        *self.reranker.write() = reranker;
    }

    /// The embedder in use.
    pub fn embedder(&self) -> Option<Arc<dyn Embedder>> {
        let meaning = self.meaning.read();
        meaning.as_ref().map(|m| m.embedder.clone())
    }

    /// How far clauses are embedded; `None` without an embedder.
    pub fn meaning_state(&self) -> Option<MeaningState> {
        let meaning = self.meaning.read().clone()?;
        let (waiting, clauses) = meaning.vectors.waiting();
        Some(MeaningState {
            model: meaning.embedder.card(),
            waiting,
            clauses,
        })
    }

    /// Brings the vector index to where the store is; the caller holds the gate. What fails is caught up with next time:
    /// documents are found by their words all the same.
    pub(super) async fn follow_meaning(&self) {
        let meaning = self.meaning.read().clone();
        let Some(meaning) = meaning else { return };
        if let Err(error) = self.place_all(&meaning).await {
            tracing::error!(%error, detail = error.detail, "the vector index is behind");
        }
        self.placed.notify_one();
    }

    /// Tells the vector index of documents that were stored after its revision.
    async fn place_all(&self, meaning: &Meaning) -> Result<()> {
        let vectors = &meaning.vectors;
        let stored = self.records.revision().await?;
        if vectors.revision() > stored {
            // The index is of another store: the data folder was restored from a backup.
            vectors.clear()?;
        }
        let from = vectors.revision();
        let mut offset = 0;
        loop {
            let query = Query {
                all: vec![Condition::After(from)],
                sort: Some(Sort {
                    field: String::new(),
                    descending: false,
                }),
                offset,
                limit: BATCH,
            };
            let found = self.records.find(&DOCUMENTS, &query).await?;
            let Some(last) = found.last() else {
                return Ok(());
            };
            // A batch of the store may span two of ours: only a revision that is wholly placed is written down.
            let whole = if (found.len() as u64) < BATCH {
                last.revision
            } else {
                (last.revision - 1).max(from)
            };
            offset += found.len() as u64;
            let mut changes = Vec::with_capacity(found.len());
            for record in found {
                let document: DocumentRecord =
                    serde_json::from_value(record.body).map_err(Error::internal)?;
                changes.push(self.placed(&document, meaning).await);
            }
            let vectors = vectors.clone();
            tokio::task::spawn_blocking(move || vectors.apply(changes, whole))
                .await
                .map_err(Error::internal)??;
        }
    }

    async fn placed(&self, document: &DocumentRecord, meaning: &Meaning) -> Change {
        let remove = Change::Remove {
            document: document.id.clone(),
        };
        if !document.is_found() {
            return remove;
        }
        // The lexical index has told the log of what can't be read.
        let Ok(opened) = self.opened(&document.id).await else {
            return remove;
        };
        let version = meaning.embedder.version();
        let clauses = 0..u32::try_from(opened.content.clauses.len()).unwrap_or(u32::MAX);
        let passages =
            clauses.filter_map(|clause| Some((clause, key(&version, &opened.to_embed(clause)?))));
        Change::Replace {
            document: document.id.clone(),
            attributes: document.attributes(),
            passages: passages.collect(),
        }
    }

    /// Embeds some of the clauses that wait, and returns how many it took up; 0 where none wait.
    ///
    /// # Errors
    /// Of the embedder and of the index; the clauses then wait on.
    pub async fn embed_some(&self) -> Result<usize> {
        let meaning = self.meaning.read().clone();
        let Some(meaning) = meaning else { return Ok(0) };
        let vectors = meaning.vectors.clone();
        let wanted = tokio::task::spawn_blocking(move || vectors.wanted(AT_ONCE))
            .await
            .map_err(Error::internal)?;
        if wanted.is_empty() {
            return Ok(0);
        }
        let (mut keys, mut texts, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        let version = meaning.embedder.version();
        let mut open = HashMap::new();
        for wanted in &wanted {
            if !open.contains_key(&wanted.document) {
                let opened = self.opened(&wanted.document).await.ok();
                open.insert(wanted.document.clone(), opened);
            }
            let opened = open.get(&wanted.document).and_then(Option::as_ref);
            let text = opened.and_then(|o| o.to_embed(wanted.clause));
            match text.filter(|t| key(&version, t) == wanted.key) {
                Some(text) => {
                    keys.push(wanted.key);
                    texts.push(text);
                }
                None => gone.push(wanted.key),
            }
        }
        meaning.vectors.skip(&gone);
        let made = match meaning
            .embedder
            .embed(texts.clone(), EmbedAs::Passage)
            .await
        {
            // One text may be what a model can't take: each by itself then, and that one is left out.
            Err(error) if error.code == ErrorCode::InvalidInput => {
                self.embed_singly(&meaning, &keys, texts).await?
            }
            made => keys.into_iter().zip(made?).collect(),
        };
        let vectors = meaning.vectors.clone();
        tokio::task::spawn_blocking(move || vectors.put(made))
            .await
            .map_err(Error::internal)??;
        Ok(wanted.len())
    }

    async fn embed_singly(
        &self,
        meaning: &Meaning,
        keys: &[Key],
        texts: Vec<String>,
    ) -> Result<Vec<(Key, Vec<f32>)>> {
        let mut made = Vec::new();
        for (key, text) in keys.iter().zip(texts) {
            match meaning.embedder.embed(vec![text], EmbedAs::Passage).await {
                Ok(vectors) => made.extend(vectors.into_iter().map(|v| (*key, v))),
                Err(error) if error.code == ErrorCode::InvalidInput => {
                    tracing::warn!(%error, "a clause can't be embedded");
                    meaning.vectors.skip(&[*key]);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(made)
    }

    /// What is embedded and reranked of a clause.
    pub(super) async fn clause_text(&self, id: &str, clause: u32) -> Result<String> {
        let opened = self.opened(id).await?;
        opened
            .to_embed(clause)
            .ok_or_else(|| Error::not_found("这个条款"))
    }

    async fn opened(&self, id: &str) -> Result<Opened> {
        let document = self.document(id).await?;
        Ok(Opened {
            content: self.content(id).await?,
            text: self.text(&document).await?,
            document,
        })
    }

    /// Embeds whatever comes to wait, for as long as it is polled.
    pub async fn keep_embedding(&self) {
        let mut told = false;
        loop {
            match self.embed_some().await {
                Ok(0) => {
                    told = false;
                    self.placed.notified().await;
                }
                Ok(_) => told = false,
                Err(error) => {
                    if !told {
                        tracing::warn!(%error, detail = error.detail, "clauses wait for their vectors");
                        told = true;
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// A question's vector. Where it can't be made the question is answered by words, and the reason is returned.
    pub(super) async fn question_vector(
        &self,
        question: &str,
    ) -> Option<Result<(Arc<dyn VectorIndex>, Vec<f32>)>> {
        let meaning = self.meaning.read().clone()?;
        let made = meaning
            .embedder
            .embed(vec![question.to_owned()], EmbedAs::Query)
            .await;
        Some(made.and_then(|mut vectors| match vectors.pop() {
            Some(vector) if vectors.is_empty() => Ok((meaning.vectors, vector)),
            _ => Err(Error::internal("no vector for a question")),
        }))
    }
}
