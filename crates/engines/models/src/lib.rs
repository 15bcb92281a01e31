//! Models inside the process and behind endpoints.
//!
//! | module | seam | what |
//! |---|---|---|
//! | `chat_gguf/` | [`kernel::models::ChatModel`] | weights of the Qwen families inside the process |
//! | `chat_openai/` | [`kernel::models::ChatModel`] | any OpenAI-compatible endpoint, streamed |
//! | `embedder_openai.rs` | [`kernel::models::Embedder`] | the same for vectors |
//! | `reranker_openai.rs` | [`kernel::models::Reranker`] | endpoints that rerank as Jina, Cohere, Xinference and vLLM do |
//! | `ladder/` | [`kernel::models::ChatModel`] | several models, the best that can reply does |
//! | `endpoint/` | | HTTP to an endpoint: settings, time limits, repeats, server-sent events, what faults mean |
//! | `schema/` | | JSON schemas of replies |
//! | `shaping.rs` | | thinking left out, the end before stop strings |

mod chat_gguf;
mod chat_openai;
mod embedder_openai;
mod endpoint;
mod ladder;
mod reranker_openai;
mod schema;
mod shaping;

pub use chat_gguf::{GgufChat, GgufSettings, threads, threads_environment};
pub use chat_openai::{ChatAbilities, OpenAiChat};
pub use embedder_openai::{EmbeddingSettings, OpenAiEmbedder};
pub use endpoint::{EndpointSettings, Times};
pub use ladder::{Clock, Health, Ladder, Patience, RungState, system_clock};
pub use reranker_openai::{OpenAiReranker, RerankSettings};
