//! Documents to clauses to retrieval to citations.
//!
//! | module | what |
//! |---|---|
//! | [`library`] | the documents of the city: stored, indexed, listed, withdrawn |
//! | [`imports`] | files on their way in, with a row per file, through crashes |
//! | [`retrieval`] | from words to ranked clauses: one path for chat, test page and evaluation |
//! | [`compare`] | two wordings, clause by clause |
//! | [`facts`] | what is known of a document: extracted, and corrected by people |
//! | [`forms`] | entry forms, one per kind of knowledge |
//! | [`quote`] | passages read back from the stored source before they are shown |
//! | [`record`] | what the store keeps |
//! | [`view`] | what the outside sees |
//! | [`capabilities`] | what the outside can do |

pub mod capabilities;
pub mod compare;
pub mod facts;
pub mod forms;
pub mod imports;
pub mod library;
pub mod quote;
pub mod record;
pub mod retrieval;
mod titles;
pub mod view;

pub use documents::{Limits, Media, is_suspicious};
pub use library::{Incoming, Library, Outcome};
