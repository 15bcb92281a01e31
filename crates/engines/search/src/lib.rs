//! Lexical search.
//!
//! | file | seam | engine |
//! |---|---|---|
//! | `search_tantivy.rs` | [`kernel::lexical::LexicalIndex`] | postings kept by Tantivy |
//! | `scoring.rs` | | BM25F over those postings, with filters |

mod scoring;
mod search_tantivy;

pub use search_tantivy::TantivyIndex;
