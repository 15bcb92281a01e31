//! Trained models as they are kept.

use knowledge::retrieval::learned::{Model, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a model may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelState {
    /// It passed, and was used from then on.
    Promoted,
    /// It did not pass, and was never used.
    Rejected,
}

/// A trained model.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ModelRecord {
    /// Its id.
    pub id: String,
    /// Its number, from 1.
    pub version: u64,
    /// Whether it may be used.
    pub state: ModelState,
    /// When it was trained.
    pub trained_at: String,
    /// By whom.
    pub trained_by: String,
    /// The confirmed questions that it was trained from.
    pub questions: usize,
    /// The pairs of question and clause.
    pub pairs: usize,
    /// The pairs that the model in use did not have.
    pub new: usize,
    /// The pairs of the model in use that were withdrawn since.
    pub unlearned: usize,
    /// The pairs whose clause is no longer there.
    pub gone: usize,
    /// How it was judged.
    pub verdict: Verdict,
    /// What was learned; left out of what is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub model: Option<Model>,
}
