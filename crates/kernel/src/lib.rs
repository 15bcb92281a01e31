//! The shared vocabulary of CityMind: ids, dates, errors, evidence, capabilities, and the seams behind which engines
//! stand. No I/O.
//!
//! | module | what |
//! |---|---|
//! | [`error`] | one error type: a stable code, a message for the person, a detail for the log |
//! | [`evidence`] | what an answer stands on: the citation of a clause |
//! | [`capability`] | what the product can do, defined once, called through every door |
//! | [`identity`] | who calls, and what they may |
//! | [`events`] | seam: what happened, delivered at least once |
//! | [`records`] | seam: versioned JSON records with atomic batches |
//! | [`files`] | seam: content-addressed files |
//! | [`lexical`] | seam: a ranked index of tokenised passages |
//! | [`dense`] | seam: passages found by the nearness of vectors |
//! | [`models`] | seams: models that chat, embed and rerank |
//! | [`time`] | the clock, dates and the city's time zone |
//! | [`id`] | identifiers |
//! | `testkit` | fakes and one conformance suite per seam (feature `testkit`) |

pub mod capability;
pub mod dense;
pub mod error;
pub mod events;
pub mod evidence;
pub mod files;
pub mod id;
pub mod identity;
pub mod lexical;
pub mod models;
pub mod page;
pub mod records;
pub mod time;

#[cfg(feature = "testkit")]
pub mod testkit;

pub use error::{Error, ErrorCode, Result};
pub use page::Page;
