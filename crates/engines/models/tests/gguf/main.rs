//! Chat inside the process: with a tiny model of random weights, with damaged files, and with real weights where they are.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod broken;
mod mini;
mod real;
mod tiny;
