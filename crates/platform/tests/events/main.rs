//! The event system as a whole, on records in memory and in SQLite.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod desk;
mod once;
mod order;
mod stage;
mod trouble;
