//! The audit log: every call and every administrative change, append-only and hash-chained.
//!
//! | file | what |
//! |---|---|
//! | `entry.rs` | an entry, its canonical line and its hash |
//! | `chain.rs` | the chain that this process writes |
//! | `accompany.rs` | records whose batches carry the entry of the call that makes them |
//! | `verify.rs` | finding what was changed or taken away |
//! | `capabilities.rs` | searching the log |
//!
//! **What is kept when.** A call with effects commits its entry in the batch that makes its first change, before it
//! replies: there is no effect without its entry. Entries of reads and of questions are committed in groups, within 50
//! milliseconds: a crash loses at most those. Each process writes one chain; a chain begins with an *anchor*, an entry
//! that holds the heads of the other chains, and anchors again from time to time, so that a chain cannot be shortened or
//! taken away without another one telling.

mod accompany;
pub mod capabilities;
mod chain;
mod entry;
mod verify;

pub(crate) use chain::aside;
pub use chain::{Act, Audit};
pub use entry::{Actor, Entry, Seal};
pub use verify::{Broken, Verdict, verify_lines};

use kernel::records::Collection;

/// The entries, by chain and number.
pub(crate) const ENTRIES: Collection = Collection {
    name: "audit_entries",
    indexed: &["at", "action", "actor.id"],
};
/// The last entry of each chain.
pub(crate) const HEADS: Collection = Collection {
    name: "audit_heads",
    indexed: &[],
};
