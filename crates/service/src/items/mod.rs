//! Service items as data: what a citizen can apply for, with conditions and amounts as rules. The format is in
//! `docs/guide/service-items.md`.
//!
//! | module | what |
//! |---|---|
//! | [`schema`] | the keys of a file |
//! | [`reading`] | from YAML to an item that makes sense, or findings with line and column |
//! | [`capabilities`] | what the outside can do with them |
//! | [`catalogue`] | the items of a city, with their bases found in its documents |

pub mod capabilities;
pub mod catalogue;
pub(crate) mod checking;
pub(crate) mod locating;
pub mod reading;
pub mod schema;

pub use catalogue::Catalogue;
pub use reading::{Finding, read_item, read_shared};
pub use schema::{FieldKind, Item};
