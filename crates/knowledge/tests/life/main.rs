//! The life of a document over the library's real engines: its versions, its days, its relations, what people correct.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod composing;
mod editing;
mod imports;
mod pictures;
mod relations;
mod support;
mod version_pairs;
mod versions;
