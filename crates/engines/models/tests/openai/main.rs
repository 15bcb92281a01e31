//! Models behind endpoints that behave, and behind endpoints that don't, over HTTP on this machine.
#![allow(clippy::unwrap_used)]

mod behaving;
mod chat_faults;
mod chat_replies;
mod server;
mod vectors;
