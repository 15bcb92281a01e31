//! Models inside the process and behind endpoints.
//!
//! | module | seam | what |
//! |---|---|---|
//! | `embedder_e5/` | [`kernel::models::Embedder`] | multilingual E5 inside the process |
//! | `chat_gguf/` | [`kernel::models::ChatModel`] | weights of the Qwen families inside the process |
//! | `chat_openai/` | [`kernel::models::ChatModel`] | any OpenAI-compatible endpoint, streamed |
//! | `embedder_openai.rs` | [`kernel::models::Embedder`] | the same for vectors |
//! | `reranker_openai.rs` | [`kernel::models::Reranker`] | endpoints that rerank as Jina, Cohere, Xinference and vLLM do |
//! | `ladder/` | [`kernel::models::ChatModel`] | several models, the best that can reply does |
//! | `endpoint/` | | HTTP to an endpoint: settings, time limits, repeats, server-sent events, what faults mean |
//! | `schema/` | | JSON schemas of replies |
//! | `catalogue/` | | models that can be pulled, and the folder where they lie |
//! | `pull/` | | models brought from packages, a mirror or a folder, and verified |
//! | `shaping.rs` | | thinking left out, the end before stop strings |

mod catalogue;
mod chat_gguf;
mod chat_openai;
mod embedder_e5;
mod embedder_openai;
mod endpoint;
mod ladder;
mod pull;
mod reranker_openai;
mod schema;
mod shaping;

pub use catalogue::{
    CataloguedModel, Installed, ModelFolder, Packages, Purpose, catalogue, catalogued,
};
pub use chat_gguf::{GgufChat, GgufSettings, threads, threads_environment};
pub use chat_openai::{ChatAbilities, OpenAiChat};
pub use embedder_e5::E5;
pub use embedder_openai::{EmbeddingSettings, OpenAiEmbedder};
pub use endpoint::{EndpointSettings, Times};
pub use ladder::{Clock, Health, Ladder, Patience, RungState, system_clock};
pub use pull::{OnProgress, Patience as PullPatience, Progress, Puller, Source, Stage};
pub use reranker_openai::{OpenAiReranker, RerankSettings};
