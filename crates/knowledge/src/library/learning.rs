//! What confirmed questions teach the ranking, in a library.

use std::{collections::HashMap, sync::Arc};

use kernel::{Error, Result};

use super::Library;
use crate::retrieval::{
    Dense, Learned,
    learned::{self, Key, Model, Pair, Replay, Verdict},
};

impl Library {
    /// Ranks by what was learned from now on, or no longer.
    pub fn set_learned(&self, learned: Option<Arc<Learned>>) {
        *self.learned.write() = learned;
    }

    /// What is ranked by now.
    pub fn learned(&self) -> Option<Arc<Learned>> {
        self.learned.read().clone()
    }

    /// Learns from confirmed pairs.
    ///
    /// # Errors
    /// `Index`.
    pub async fn learn(&self, pairs: Vec<Pair>) -> Result<Model> {
        let index = self.index.clone();
        tokio::task::spawn_blocking(move || learned::train(pairs, &*index))
            .await
            .map_err(Error::internal)?
    }

    /// Finds what there is for a confirmed question without anything learned; clauses that are gone are left out.
    ///
    /// # Errors
    /// `Index`.
    pub async fn replay(&self, question: String, right: Vec<Key>) -> Result<Replay> {
        let mut texts = HashMap::new();
        for key in right {
            if let Ok(text) = self.clause_text(&key.document, key.clause).await {
                texts.insert(key, text);
            }
        }
        let vector = self.question_vector(&question).await.and_then(Result::ok);
        let (index, scopes) = (self.index.clone(), self.scopes.read().clone());
        let replayed = tokio::task::spawn_blocking(move || {
            let dense = vector.as_ref().map(|(index, vector)| Dense {
                index: &**index,
                vector,
            });
            let mut right: Vec<Key> = texts.keys().cloned().collect();
            right.sort();
            let text_of = |key: &Key| texts.get(key).cloned();
            learned::replay(&*index, dense, &scopes, &question, right, &text_of)
        });
        replayed.await.map_err(Error::internal)?
    }

    /// Judges a model against the one in use.
    ///
    /// # Errors
    /// `Index`.
    pub async fn judge(
        &self,
        after: Arc<Learned>,
        replays: Vec<Replay>,
        new: Vec<Pair>,
    ) -> Result<Verdict> {
        let (before, scopes) = (self.learned(), self.scopes.read().clone());
        tokio::task::spawn_blocking(move || {
            learned::judge(before.as_deref(), &after, &replays, &new, &scopes)
        })
        .await
        .map_err(Error::internal)?
    }
}
