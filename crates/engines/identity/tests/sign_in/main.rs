//! Sign-in at the demonstration provider over HTTP on this machine: the whole way, tokens that lie, providers in trouble.
#![allow(clippy::unwrap_used)]

mod forged;
mod outage;
mod provider;
mod whole_way;
