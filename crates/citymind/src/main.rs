//! CityMind 城智: the server and the command line.

mod bench;
mod cli;
mod config;
mod demo;
mod eval;
mod http;
mod mcp;
mod models;
mod threads;
mod training;
mod upkeep;
mod webhook;
mod wiring;

use std::process::ExitCode;

fn main() -> ExitCode {
    threads::settle();
    cli::run()
}
