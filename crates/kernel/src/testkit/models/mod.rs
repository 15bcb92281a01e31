//! Models that need no weights, and what every [`ChatModel`], [`Embedder`] and [`Reranker`] must do.
//!
//! [`ChatModel`]: crate::models::ChatModel
//! [`Embedder`]: crate::models::Embedder
//! [`Reranker`]: crate::models::Reranker

mod conform;
mod fakes;

pub use conform::{chat_conforms, embedder_conforms, reranker_conforms};
pub use fakes::{HashEmbedder, OverlapReranker, Script, ScriptedChat};
