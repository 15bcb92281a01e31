//! How long it took and how much memory.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use kernel::{Error, ErrorCode, Result};
use serde_json::json;

use crate::cli::say;

/// The answer file, written beside its place and moved there when it is whole.
pub(super) struct AnswerFile {
    draft: PathBuf,
    path: PathBuf,
    out: BufWriter<File>,
}

impl AnswerFile {
    pub(super) fn create(path: &Path) -> Result<Self> {
        if path.is_dir() {
            let message = format!("{} 是文件夹，请给出文件名。", path.display());
            return Err(Error::new(ErrorCode::InvalidInput, message));
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let draft = path.with_file_name(name);
        let file = File::create(&draft).map_err(|e| {
            Error::new(
                ErrorCode::InvalidInput,
                format!("不能写入 {}：{e}。", path.display()),
            )
        })?;
        Ok(Self {
            draft,
            path: path.to_owned(),
            out: BufWriter::new(file),
        })
    }

    pub(super) fn line(&mut self, text: &str) -> Result<()> {
        writeln!(self.out, "{text}").map_err(Error::internal)
    }

    pub(super) fn finish(mut self) -> Result<()> {
        self.out
            .flush()
            .and_then(|()| std::fs::rename(&self.draft, &self.path))
            .map_err(Error::internal)
    }
}

/// Times each item.
pub(super) struct Clock {
    start: Instant,
    times: Vec<Duration>,
    bar: ProgressBar,
}

impl Clock {
    pub(super) fn new(items: usize) -> Self {
        let style = ProgressStyle::with_template("{bar:32} {pos}/{len}  {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        Self {
            start: Instant::now(),
            times: Vec::new(),
            bar: ProgressBar::new(items as u64).with_style(style),
        }
    }

    pub(super) fn item(&mut self, time: Duration) {
        self.times.push(time);
        self.bar.inc(1);
    }

    /// Prints the figures if asked to.
    pub(super) fn report(mut self, wanted: bool, more: &[(&str, f64)]) {
        self.bar.finish_and_clear();
        if !wanted {
            return;
        }
        self.times.sort_unstable();
        let at = |share: f64| {
            let place = ((self.times.len() as f64 * share) as usize)
                .min(self.times.len().saturating_sub(1));
            self.times
                .get(place)
                .map_or(0.0, |t| round(t.as_secs_f64() * 1e3))
        };
        let mut figures = json!({
            "items": self.times.len(),
            "seconds": round(self.start.elapsed().as_secs_f64()),
            "p50_ms": at(0.5),
            "p95_ms": at(0.95),
            "peak_mb": peak_memory(),
        });
        for (name, value) in more {
            figures[*name] = json!(round(*value));
        }
        say(&figures.to_string());
    }
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The process's greatest resident memory in MiB, as the kernel tells it.
fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some((kib / 1024.0).round())
}
