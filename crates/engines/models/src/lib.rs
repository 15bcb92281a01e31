//! Models inside the process and behind endpoints.
//!
//! [`E5`] turns texts into vectors inside the process.

mod embedder_e5;

pub use embedder_e5::E5;
