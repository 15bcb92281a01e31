//! Fakes of the seams, and one conformance suite per seam that every implementation runs.

mod dense;
mod events;
mod files;
mod lexical;
mod models;
mod records;

pub use dense::{MemoryVectors, vector_index_conforms};
pub use events::event_bus_conforms;
pub use files::{MemoryFiles, files_conform};
pub use lexical::{MemoryIndex, index_conforms};
pub use models::{
    HashEmbedder, OverlapReranker, Script, ScriptedChat, chat_conforms, embedder_conforms,
    reranker_conforms,
};
pub use records::{MemoryRecords, records_conform};
