//! Applications that were handed in: kept as they were, decided by clerks, followed by the applicant.
//!
//! | module | what |
//! |---|---|
//! | [`case`] | a case and its life |

pub mod case;

pub use case::{CASES, Case, CaseStatus};
