//! Applications that were handed in: kept as they were, decided by clerks, followed by the applicant.
//!
//! | module | what |
//! |---|---|
//! | [`case`] | a case and its life |
//! | [`desk`] | what clerks and applicants do with cases |
//! | [`materials`], `comparing` | what is uploaded, and whether it agrees with the form |
//! | [`review`] | what rules and materials suggest to a clerk |
//! | [`paper`] | the filled form as it is printed |
//! | [`deadlines`] | days that run out |
//! | [`outward`] | cases on their way to the city's own system |
//! | [`figures`] | how long things take |
//! | [`capabilities`] | what the outside can do with them |

pub mod capabilities;
pub mod case;
mod comparing;
pub mod deadlines;
pub mod desk;
pub mod figures;
pub mod materials;
pub mod outward;
pub mod paper;
pub mod review;

pub use case::{CASES, Case, CaseStatus};
pub use deadlines::Deadlines;
pub use desk::CaseDesk;
pub use outward::{CasesOutward, Outward};
