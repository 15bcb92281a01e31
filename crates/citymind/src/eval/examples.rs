//! Candidate spans with their features, for training the extraction model (`models/README.md`).

use std::{
    collections::HashSet,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use kernel::{Error, ErrorCode, Result};
use serde_json::json;
use service::{evidence::Source, extract::Example};

/// Three files in a folder: `questions.jsonl` {qid, rows, documents}, `texts.jsonl` {document, text} and `rows.f32`:
/// little-endian floats, per row the document's place, start and end in characters, then the features.
pub(super) struct ExampleFolder {
    questions: BufWriter<File>,
    texts: BufWriter<File>,
    rows: BufWriter<File>,
    known: HashSet<String>,
}

impl ExampleFolder {
    pub(super) fn create(folder: &Path) -> Result<Self> {
        let unusable = |e: std::io::Error| {
            Error::new(
                ErrorCode::InvalidInput,
                format!("不能写入 {}：{e}。", folder.display()),
            )
        };
        std::fs::create_dir_all(folder).map_err(unusable)?;
        let file = |name: &str| {
            File::create(folder.join(name))
                .map(BufWriter::new)
                .map_err(unusable)
        };
        Ok(Self {
            questions: file("questions.jsonl")?,
            texts: file("texts.jsonl")?,
            rows: file("rows.f32")?,
            known: HashSet::new(),
        })
    }

    /// Writes down one question's spans.
    pub(super) fn add(
        &mut self,
        qid: &str,
        sources: &[Source],
        examples: &[Example],
    ) -> Result<()> {
        let name = |s: &Source| s.document.path.trim_end_matches(".txt").to_owned();
        let write = |out: &mut BufWriter<File>, line: String| {
            writeln!(out, "{line}").map_err(Error::internal)
        };
        for source in sources {
            if self.known.insert(name(source)) {
                write(
                    &mut self.texts,
                    json!({"document": name(source), "text": source.text.as_str()}).to_string(),
                )?;
            }
        }
        let documents: Vec<String> = sources.iter().map(name).collect();
        write(
            &mut self.questions,
            json!({"qid": qid, "rows": examples.len(), "documents": documents}).to_string(),
        )?;
        for example in examples {
            let text = &sources[example.source].text;
            let place = [
                example.source,
                text.characters(example.span.start),
                text.characters(example.span.end),
            ];
            let numbers = place
                .into_iter()
                .map(|n| n as f32)
                .chain(example.features.iter().copied());
            let bytes: Vec<u8> = numbers.flat_map(f32::to_le_bytes).collect();
            self.rows.write_all(&bytes).map_err(Error::internal)?;
        }
        Ok(())
    }

    /// Finishes the files.
    pub(super) fn finish(mut self) -> Result<()> {
        for out in [&mut self.questions, &mut self.texts, &mut self.rows] {
            out.flush().map_err(Error::internal)?;
        }
        Ok(())
    }
}
