//! Seam: passages found by the nearness of vectors.
//!
//! Like the lexical index it holds nothing that the store does not. Vectors are kept by what they were made of, so that
//! a text that several documents hold, or that is imported again, is embedded once.

use crate::{
    Result,
    lexical::{Attributes, Filter, Hit},
};

/// What a vector was made of: the SHA-256 of the embedder's version and the text, cut to 128 bits.
pub type Key = [u8; 16];

/// A document's new state in the index.
#[derive(Clone, Debug)]
pub enum Change {
    /// These are the document's passages now.
    Replace {
        /// The document's id.
        document: String,
        /// What its passages are filtered by.
        attributes: Attributes,
        /// Its passages: the clause's ordinal and what its vector is made of.
        passages: Vec<(u32, Key)>,
    },
    /// The document is no longer to be found.
    Remove {
        /// The document's id.
        document: String,
    },
}

/// A passage that waits for its vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The document's id.
    pub document: String,
    /// The clause's ordinal.
    pub clause: u32,
    /// What the vector is to be made of.
    pub key: Key,
}

/// An index of passages by vectors of length 1.
pub trait VectorIndex: Send + Sync {
    /// Takes the changes in order and records `revision` with them, durably. Passages whose vector is known are found when
    /// this returns, the others once it is put.
    ///
    /// # Errors
    /// `Index` or `StorageFull`; the index then stands where it stood.
    fn apply(&self, changes: Vec<Change>, revision: u64) -> Result<()>;

    /// The store's revision up to which changes are in the index; 0 for an empty one.
    fn revision(&self) -> u64;

    /// Forgets which passages there are. Vectors may be kept for when their texts come back.
    ///
    /// # Errors
    /// `Index`.
    fn clear(&self) -> Result<()>;

    /// Some passages without a vector, a few documents at a time, and each key once.
    fn wanted(&self, limit: usize) -> Vec<Wanted>;

    /// Does not ask for these again until their documents change: their texts can't be read or embedded.
    fn skip(&self, keys: &[Key]);

    /// How many keys are wanted, and how many passages there are.
    fn waiting(&self) -> (u64, u64);

    /// Keeps vectors; their passages are found from now on. A vector of another length is refused.
    ///
    /// # Errors
    /// `Index`, `StorageFull`.
    fn put(&self, vectors: Vec<(Key, Vec<f32>)>) -> Result<()>;

    /// The passages nearest to a vector by inner product, best first; ties by document and clause.
    ///
    /// # Errors
    /// `Index`.
    fn search(&self, query: &[f32], filter: &Filter, limit: usize) -> Result<Vec<Hit>>;
}
