//! `embed MODEL THREADS [query] <passages.txt >vectors.f32`: a passage (or question) a line in, its vector as
//! little-endian f32 out.

#![allow(clippy::print_stderr, reason = "a program for the terminal")]

use std::{
    error::Error,
    io::{self, Write},
    num::NonZeroUsize,
    path::Path,
    time::Instant,
};

use citymind_engine_models::E5;
use kernel::models::{EmbedAs, Embedder};

/// Passages handed over at once.
const AT_ONCE: usize = 256;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(model), Some(threads)) = (arguments.next(), arguments.next()) else {
        return Err("usage: embed MODEL THREADS [query] <passages.txt >vectors.f32".into());
    };
    let kind = match arguments.next().as_deref() {
        Some("query") => EmbedAs::Query,
        _ => EmbedAs::Passage,
    };
    let passages: Vec<String> = io::stdin().lines().collect::<Result<_, _>>()?;
    let begun = Instant::now();
    let model = E5::open(
        "e5-small-q4",
        Path::new(&model),
        threads.parse::<NonZeroUsize>()?,
    )?;
    model.load().await?;
    eprintln!("{} loaded in {:.2?}", model.version(), begun.elapsed());
    let begun = Instant::now();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut done = 0;
    for passages in passages.chunks(AT_ONCE) {
        for vector in model.embed(passages.to_vec(), kind).await? {
            for value in vector {
                out.write_all(&value.to_le_bytes())?;
            }
        }
        done += passages.len();
        let rate = done as f64 / begun.elapsed().as_secs_f64();
        eprint!("\r{done} passages, {rate:.1} a second ");
    }
    eprintln!();
    out.flush()?;
    Ok(())
}
