//! JSON lines, plain or gzip.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
    sync::LazyLock,
};

use kernel::{Error, ErrorCode, Result};
use regex::Regex;
use serde::{Deserialize, de::DeserializeOwned};

/// An entry of a corpus.
#[derive(Deserialize)]
pub(super) struct Entry {
    #[serde(rename = "_id")]
    pub(super) id: String,
    #[serde(default)]
    pub(super) title: String,
    pub(super) text: String,
}

/// A question.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(rename = "_id")]
    pub(super) id: String,
    pub(super) text: String,
}

/// Where Python's `json` writes NaN or Infinity as a value.
static NOT_A_NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"("\s*:\s*)-?(?:NaN|Infinity)\b"#).expect("the pattern is fixed")
});

/// Calls `visit` with each line of a file; a bad line is named by its number.
pub(super) fn each<T: DeserializeOwned>(
    path: &Path,
    mut visit: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    lines(path, |number, text| {
        let bad = |e| {
            let message = format!("{} 第 {number} 行不合格式：{e}。", path.display());
            Error::new(ErrorCode::InvalidInput, message)
        };
        let read = serde_json::from_str(text).or_else(|error| {
            // Python writes numbers that are none in ways that JSON does not know; in a field that nobody reads they do no harm.
            let known = NOT_A_NUMBER.replace_all(text, "${1}null");
            serde_json::from_str(&known).map_err(|_| error)
        });
        visit(read.map_err(bad)?)
    })
}

/// Calls `visit` with the number and the tab-separated cells of each line of a file.
pub(super) fn rows(path: &Path, mut visit: impl FnMut(usize, &[&str]) -> Result<()>) -> Result<()> {
    lines(path, |number, text| {
        let cells: Vec<&str> = text.split('\t').collect();
        visit(number, &cells)
    })
}

/// Calls `visit` with the number and the text of each line that is not empty.
fn lines(path: &Path, mut visit: impl FnMut(usize, &str) -> Result<()>) -> Result<()> {
    let file = File::open(path).map_err(|e| {
        Error::new(
            ErrorCode::InvalidInput,
            format!("打不开 {}：{e}。", path.display()),
        )
    })?;
    let gzip = path.extension().is_some_and(|e| e == "gz");
    let plain: Box<dyn Read> = if gzip {
        Box::new(flate2::read::MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let mut reader = BufReader::with_capacity(1 << 16, plain);
    let (mut line, mut number) = (Vec::new(), 0);
    loop {
        line.clear();
        number += 1;
        let bad = |what: String| {
            Error::new(
                ErrorCode::InvalidInput,
                format!("{} 第 {number} 行{what}。", path.display()),
            )
        };
        if reader
            .read_until(b'\n', &mut line)
            .map_err(|e| bad(format!("读不出：{e}")))?
            == 0
        {
            return Ok(());
        }
        let text = std::str::from_utf8(&line).map_err(|_| bad("不是 UTF-8 文本".into()))?;
        let text = text.trim_end_matches(['\r', '\n']);
        if !text.trim().is_empty() {
            visit(number, text)?;
        }
    }
}

/// All lines of a file.
pub(super) fn all<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let mut out = Vec::new();
    each(path, |item| {
        out.push(item);
        Ok(())
    })?;
    Ok(out)
}
