//! The job queue as a whole, on records in memory and in SQLite.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod desk;
mod end;
mod once;
mod schedules;
mod stage;
mod trouble;
