//! Applications that were handed in: kept as they were, decided by clerks, followed by the applicant.
//!
//! | module | what |
//! |---|---|
//! | [`case`] | a case and its life |
//! | [`desk`] | what clerks and applicants do with cases |
//! | [`capabilities`] | what the outside can do with them |

pub mod capabilities;
pub mod case;
pub mod desk;

pub use case::{CASES, Case, CaseStatus};
pub use desk::CaseDesk;
