//! Event buses beyond one process.
//!
//! [`NatsBus`] keeps events in a stream of NATS JetStream.

mod events_nats;

pub use events_nats::{NatsBus, NatsOptions};
