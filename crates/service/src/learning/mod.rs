//! Learning from confirmed questions: pairs of question and clause that people confirmed, the models that were trained
//! from them, and which of them is ranked by.
//!
//! A model is used only if the gate lets it through (`knowledge::retrieval::learned::judge`), at once and without a
//! restart; every version stays and can be gone back to.

pub mod capabilities;
mod model;
mod pair;

use std::{collections::BTreeMap, sync::Arc};

use kernel::{
    Error, Result,
    id::fresh,
    records::{Collection, Condition, Query, Records, Sort, Write},
    time,
};
use knowledge::{
    Library,
    retrieval::learned::{Key, Model, Pair},
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

pub use model::{ModelRecord, ModelState};
pub use pair::{PairRecord, Source};

/// Confirmed pairs.
pub const PAIRS: Collection = Collection {
    name: "learning_pairs",
    indexed: &["document", "confirmed_at", "withdrawn"],
};

/// Trained models, each with its figures.
pub const MODELS: Collection = Collection {
    name: "learning_models",
    indexed: &["version"],
};

/// Which model is in use: one record.
pub const USED: Collection = Collection {
    name: "learning_used",
    indexed: &[],
};

/// The one record of [`USED`].
const CURRENT: &str = "current";

#[derive(Default, Serialize, Deserialize)]
struct Used {
    /// The model's id; none for ranking without.
    model: Option<String>,
}

/// Tells how far training is: done, total, and at what.
pub type Told<'a> = dyn Fn(u64, u64, &str) -> Result<()> + Send + Sync + 'a;

/// Learns from confirmed questions.
#[derive(Clone)]
pub struct Learning {
    library: Arc<Library>,
    records: Arc<dyn Records>,
    /// One model is trained or chosen at a time.
    gate: Arc<Mutex<()>>,
}

impl Learning {
    /// Over a library and the store that keeps pairs and models; what is in use is ranked by from now on.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn open(library: Arc<Library>, records: Arc<dyn Records>) -> Result<Self> {
        records.define(&[PAIRS, MODELS, USED]).await?;
        let learning = Self {
            library,
            records,
            gate: Arc::default(),
        };
        if let Some(used) = learning.used().await? {
            learning.rank_by(Some(&used));
        }
        Ok(learning)
    }

    /// The model in use.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn used(&self) -> Result<Option<ModelRecord>> {
        let used: Used = self.records.read(&USED, CURRENT).await?.unwrap_or_default();
        match used.model {
            Some(id) => self.records.read(&MODELS, &id).await,
            None => Ok(None),
        }
    }

    fn rank_by(&self, model: Option<&ModelRecord>) {
        let ready = model.and_then(|m| m.model.as_ref()).map(Model::ready);
        self.library.set_learned(ready.map(Arc::new));
    }

    /// Trains a model from all confirmed pairs, judges it, and uses it if it may be. Whatever the judgement, it is kept.
    ///
    /// # Errors
    /// `Storage`, `StorageFull`, `Index`, and what `told` returns.
    pub async fn train(&self, by: &str, told: &Told<'_>) -> Result<ModelRecord> {
        let _gate = self.gate.lock().await;
        let (pairs, gone) = self.standing().await?;
        let used = self.used().await?;
        let before: &[Pair] = used
            .as_ref()
            .and_then(|m| m.model.as_ref())
            .map_or(&[], |m| &m.pairs);
        let new: Vec<Pair> = pairs
            .iter()
            .filter(|p| !before.contains(p))
            .cloned()
            .collect();
        let unlearned = before.iter().filter(|p| !pairs.contains(p)).count();

        let mut right: BTreeMap<String, Vec<Key>> = BTreeMap::new();
        for pair in &pairs {
            let keys = right.entry(pair.question.clone()).or_default();
            keys.push(pair.passage.clone());
        }
        let total = right.len() as u64;
        let mut replays = Vec::with_capacity(right.len());
        for (done, (question, keys)) in right.into_iter().enumerate() {
            told(done as u64, total, "回放已确认的问题")?;
            replays.push(self.library.replay(question, keys).await?);
        }
        told(total, total, "训练和评判")?;
        let questions = replays.len();
        let model = self.library.learn(pairs).await?;
        let ready = Arc::new(model.ready());
        let mut verdict = self
            .library
            .judge(ready.clone(), replays, new.clone())
            .await?;
        if new.is_empty() && unlearned > 0 {
            // What was withdrawn is not to be ranked by any longer, whatever that does to the figures.
            verdict.promoted = true;
        }
        let record = ModelRecord {
            id: fresh(),
            version: self.latest().await? + 1,
            state: if verdict.promoted {
                ModelState::Promoted
            } else {
                ModelState::Rejected
            },
            trained_at: time::now(),
            trained_by: by.to_owned(),
            questions,
            pairs: model.pairs.len(),
            new: new.len(),
            unlearned,
            gone,
            verdict,
            model: Some(model),
        };
        let mut batch = vec![Write::put(&MODELS, record.id.clone(), &record)?];
        if record.verdict.promoted {
            let used = Used {
                model: Some(record.id.clone()),
            };
            batch.push(Write::put(&USED, CURRENT, &used)?);
        }
        self.records.apply(batch).await?;
        if record.verdict.promoted {
            self.library.set_learned(Some(ready));
        }
        Ok(record)
    }

    /// Goes back to a version that may be used, or to ranking without what was learned.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` for a rejected version, `Storage`, `StorageFull`.
    pub async fn roll_back(&self, to: Option<&str>) -> Result<Option<ModelRecord>> {
        let _gate = self.gate.lock().await;
        let chosen = match to {
            Some(id) => Some(self.model(id).await?),
            None => None,
        };
        if chosen
            .as_ref()
            .is_some_and(|m| m.state == ModelState::Rejected)
        {
            return Err(Error::new(
                kernel::ErrorCode::Conflict,
                "这个版本没有通过评判，不能启用。",
            ));
        }
        let used = Used {
            model: chosen.as_ref().map(|m| m.id.clone()),
        };
        self.records.save(&USED, CURRENT, &used).await?;
        self.rank_by(chosen.as_ref());
        Ok(chosen)
    }

    async fn model(&self, id: &str) -> Result<ModelRecord> {
        let found = self.records.read(&MODELS, id).await?;
        found.ok_or_else(|| Error::not_found("这个模型版本"))
    }

    async fn latest(&self) -> Result<u64> {
        let query = Query {
            sort: Some(Sort {
                field: "version".into(),
                descending: true,
            }),
            limit: 1,
            ..Query::default()
        };
        let found: Vec<ModelRecord> = self.records.list(&MODELS, &query).await?;
        Ok(found.first().map_or(0, |m| m.version))
    }

    /// The pairs that stand, and how many name a clause that is no longer there.
    async fn standing(&self) -> Result<(Vec<Pair>, usize)> {
        let query = Query::by(Condition::is("withdrawn", false));
        let records: Vec<PairRecord> = self.records.list(&PAIRS, &query).await?;
        let (mut pairs, mut gone) = (Vec::new(), 0);
        for record in records {
            match self.clause_now(&record).await {
                Some(clause) => pairs.push(Pair {
                    question: record.question,
                    passage: Key {
                        document: record.document,
                        clause,
                    },
                    weight: 1.0,
                }),
                None => gone += 1,
            }
        }
        Ok((pairs, gone))
    }
}

#[cfg(test)]
mod tests;
