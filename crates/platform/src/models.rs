//! The models that products may use at the moment. Which they are is decided elsewhere and may change while the
//! product runs.

use std::sync::Arc;

use kernel::models::{ChatModel, Reranker};
use parking_lot::RwLock;

/// Hands out the models in use. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct Gateway(Arc<RwLock<InUse>>);

#[derive(Clone, Default)]
struct InUse {
    chat: Option<Arc<dyn ChatModel>>,
    reranker: Option<Arc<dyn Reranker>>,
}

impl Gateway {
    /// The chat model, if there is one. Whoever asks goes on without when it fails.
    pub fn chat(&self) -> Option<Arc<dyn ChatModel>> {
        self.0.read().chat.clone()
    }

    /// From now on this chat model is used, or none.
    pub fn set_chat(&self, model: Option<Arc<dyn ChatModel>>) {
        self.0.write().chat = model;
    }

    /// The reranker, if there is one.
    pub fn reranker(&self) -> Option<Arc<dyn Reranker>> {
        self.0.read().reranker.clone()
    }

    /// From now on this reranker is used, or none.
    pub fn set_reranker(&self, model: Option<Arc<dyn Reranker>>) {
        self.0.write().reranker = model;
    }
}
