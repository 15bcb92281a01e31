//! Which models an administrator chose, kept in the store.

use engine_models::Purpose;
use kernel::{
    Result,
    records::{Collection, Records, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The choice, under one id.
const CHOICES: Collection = Collection {
    name: "model_choices",
    indexed: &[],
};

const ID: &str = "models";

/// What a model is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    /// Finding clauses by meaning.
    Embedding,
    /// Phrasing answers.
    Chat,
    /// Ordering what was found.
    Rerank,
}

impl Part {
    pub(super) const ALL: [Self; 3] = [Self::Embedding, Self::Chat, Self::Rerank];

    pub(super) fn of(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Embedding => Self::Embedding,
            Purpose::Chat => Self::Chat,
        }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Embedding => "向量检索",
            Self::Chat => "对话",
            Self::Rerank => "重排",
        }
    }
}

/// What was chosen; what was not is as the configuration says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Choice {
    embedding: Option<Vec<String>>,
    chat: Option<Vec<String>>,
    rerank: Option<Vec<String>>,
}

impl Choice {
    pub(super) fn of(&self, part: Part) -> Option<Vec<String>> {
        match part {
            Part::Embedding => self.embedding.clone(),
            Part::Chat => self.chat.clone(),
            Part::Rerank => self.rerank.clone(),
        }
    }

    pub(super) fn set(&mut self, part: Part, names: Option<Vec<String>>) {
        match part {
            Part::Embedding => self.embedding = names,
            Part::Chat => self.chat = names,
            Part::Rerank => self.rerank = names,
        }
    }
}

pub(super) async fn define(records: &dyn Records) -> Result<()> {
    records.define(&[CHOICES]).await
}

pub(super) async fn read(records: &dyn Records) -> Result<Choice> {
    Ok(records.read(&CHOICES, ID).await?.unwrap_or_default())
}

pub(super) async fn write(records: &dyn Records, choice: &Choice) -> Result<()> {
    let write = Write::put(&CHOICES, ID.to_owned(), choice)?;
    records.apply(vec![write]).await?;
    Ok(())
}
