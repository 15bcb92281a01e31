//! Event buses beyond one process.
