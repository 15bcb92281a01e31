//! Search by words and by nearness of meaning.
//!
//! | file | seam | engine |
//! |---|---|---|
//! | `search_tantivy.rs` | [`kernel::lexical::LexicalIndex`] | postings kept by Tantivy |
//! | `scoring.rs` | | BM25F over those postings, with filters |
//! | `vectors/` | [`kernel::dense::VectorIndex`] | vectors compared one by one, in two files that only grow |

mod scoring;
mod search_tantivy;
mod vectors;

pub use search_tantivy::TantivyIndex;
pub use vectors::FlatVectors;
