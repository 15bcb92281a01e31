//! Seam: a ranked index of tokenised passages.
//!
//! The index holds nothing that the store does not: it can be thrown away and rebuilt. Tokens are made by the caller
//! (`lang::token`), so that an engine only counts.

use serde::{Deserialize, Serialize};

use crate::Result;

/// The fields of a passage, each with its own length and weight.
pub const FIELDS: usize = 2;

/// The passage's place: the document's title and the path of headings.
pub const TITLE: usize = 0;

/// The passage's own text.
pub const BODY: usize = 1;

/// A passage to be found: one clause of a document.
#[derive(Clone, Debug)]
pub struct Passage {
    /// The clause's ordinal in its document.
    pub clause: u32,
    /// The tokens of each field, repeated as often as they occur, separated by single spaces.
    pub tokens: [String; FIELDS],
}

/// What a document's passages are filtered by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attributes {
    /// Knowledge space.
    pub space: String,
    /// Region, empty where none is known.
    pub region: String,
    /// Document kind.
    pub kind: String,
    /// Issued on this day (days since 1970), if known.
    pub issued: Option<i64>,
    /// In force from this day (inclusive), if known.
    pub from: Option<i64>,
    /// In force until this day (inclusive), if known.
    pub until: Option<i64>,
}

/// A document's new state in the index.
#[derive(Clone, Debug)]
pub enum Change {
    /// These are the document's passages now.
    Replace {
        /// The document's id.
        document: String,
        /// What its passages are filtered by.
        attributes: Attributes,
        /// Its passages.
        passages: Vec<Passage>,
    },
    /// The document is no longer to be found.
    Remove {
        /// The document's id.
        document: String,
    },
}

/// Which passages may be returned. Unset fields allow all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Only these documents, if not empty.
    pub documents: Vec<String>,
    /// Only this knowledge space.
    pub space: Option<String>,
    /// None of these knowledge spaces.
    pub hidden_spaces: Vec<String>,
    /// Only this region, or documents without one.
    pub region: Option<String>,
    /// Only this document kind.
    pub kind: Option<String>,
    /// Only what is in force on this day. A document without dates is always in force.
    pub in_force: Option<i64>,
    /// Only what starts to be in force after this day.
    pub upcoming_after: Option<i64>,
    /// Only what ended before this day.
    pub ended_before: Option<i64>,
    /// Only what was issued on or after this day.
    pub issued_from: Option<i64>,
    /// Only what was issued on or before this day.
    pub issued_until: Option<i64>,
}

impl Filter {
    /// Whether a document's passages may be returned.
    pub fn admits(&self, document: &str, a: &Attributes) -> bool {
        let filter = self;
        let same = |want: &Option<String>, have: &str| want.as_ref().is_none_or(|w| w == have);
        (filter.documents.is_empty() || filter.documents.iter().any(|d| d == document))
            && same(&filter.space, &a.space)
            && !filter.hidden_spaces.contains(&a.space)
            && (a.region.is_empty() || same(&filter.region, &a.region))
            && same(&filter.kind, &a.kind)
            && filter.in_force.is_none_or(|day| {
                a.from.is_none_or(|f| f <= day) && a.until.is_none_or(|u| u >= day)
            })
            && filter
                .upcoming_after
                .is_none_or(|day| a.from.is_some_and(|f| f > day))
            && filter
                .ended_before
                .is_none_or(|day| a.until.is_some_and(|u| u < day))
            && filter
                .issued_from
                .is_none_or(|day| a.issued.is_some_and(|i| i >= day))
            && filter
                .issued_until
                .is_none_or(|day| a.issued.is_some_and(|i| i <= day))
    }
}

/// A query term with its weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The token.
    pub token: String,
    /// How much a match counts, before the term's rarity.
    pub weight: f32,
}

/// Parameters of BM25F (Robertson, Zaragoza & Taylor 2004): a term's frequency is summed over the fields, each
/// normalised by its own length and weighted, before it saturates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bm25f {
    /// Saturation of the term frequency.
    pub k1: f32,
    /// Length normalisation per field, 0 to 1.
    pub b: [f32; FIELDS],
    /// Weight per field.
    pub weight: [f32; FIELDS],
    /// Exponent of the inverse document frequency.
    pub idf_power: f32,
}

/// A ranked query.
#[derive(Clone, Debug)]
pub struct Query {
    /// Distinct terms.
    pub terms: Vec<Term>,
    /// Which passages may be returned.
    pub filter: Filter,
    /// How terms are scored.
    pub scoring: Bm25f,
    /// Terms less rare than this are passed over, see [`LexicalIndex::rarity`]; 0 for none.
    pub least_rarity: f32,
    /// At most so many passages.
    pub limit: usize,
}

/// A passage found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The document's id.
    pub document: String,
    /// The clause's ordinal.
    pub clause: u32,
    /// BM25F score, comparable within one query only.
    pub score: f32,
}

/// Gives the next documents of an index that is built anew, none at the end.
pub type Source<'a> = dyn FnMut() -> Result<Option<Vec<Change>>> + Send + 'a;

/// A ranked index of passages.
pub trait LexicalIndex: Send + Sync {
    /// Takes the changes in order and records `revision` with them, atomically and durably; what was changed is found
    /// (or gone) when this returns.
    ///
    /// # Errors
    /// `Index` or `StorageFull`; the index then stands where it stood.
    fn apply(&self, changes: Vec<Change>, revision: u64) -> Result<()>;

    /// The store's revision up to which changes are in the index; 0 for an empty one.
    fn revision(&self) -> u64;

    /// Puts what the source gives in place of everything, and records `revision` with it. Until it has given its last, what
    /// stood is found; then it is gone in one step.
    ///
    /// # Errors
    /// What the source returns, `Index` or `StorageFull`; the index then stands where it stood.
    fn rebuild(&self, source: &mut Source<'_>, revision: u64) -> Result<()>;

    /// Forgets everything.
    ///
    /// # Errors
    /// `Index`.
    fn clear(&self) -> Result<()>;

    /// The best passages, best first; ties by document and clause, so that the order is the same on every run.
    ///
    /// # Errors
    /// `Index`.
    fn search(&self, query: &Query) -> Result<Vec<Hit>>;

    /// Which of these passages, by document and clause, are there and may be returned.
    ///
    /// # Errors
    /// `Index`.
    fn admitted(&self, passages: &[(&str, u32)], filter: &Filter) -> Result<Vec<bool>>;

    /// How many passages can be found.
    fn passages(&self) -> u64;

    /// The rarity of tokens: ln(1 + (N − n + ½)/(n + ½)) with N passages, of which n hold the token in any field.
    ///
    /// # Errors
    /// `Index`.
    fn rarity(&self, tokens: &[String]) -> Result<Vec<f32>>;
}
