//! The embedder of an evaluation, and vectors computed with a progress bar.

use std::{num::NonZeroUsize, path::PathBuf, sync::Arc};

use engine_models::E5;
use engine_search::FlatVectors;
use indicatif::{ProgressBar, ProgressStyle};
use kernel::{
    Error, ErrorCode, Result,
    dense::{Change, VectorIndex},
    lexical::Attributes,
    models::{EmbedAs, Embedder},
};
use knowledge::library::{Library, key};

use super::CorpusArgs;
use crate::models::{DEFAULT_EMBEDDER, Models};

/// Texts embedded at a time.
const AT_ONCE: usize = 64;

/// Finds by meaning in an evaluation.
pub(super) struct Meaning {
    pub(super) embedder: Arc<dyn Embedder>,
    pub(super) vectors: FlatVectors,
    /// Holds the vectors where no cache was named.
    _folder: Option<tempfile::TempDir>,
}

impl Meaning {
    /// The embedder that the arguments name; `None` for words alone.
    pub(super) fn open(args: &CorpusArgs) -> Result<Option<Self>> {
        let Some(embedder) = embedder(&args.embedder, args.threads)? else {
            return Ok(None);
        };
        let (at, folder) = place(args)?;
        let vectors = FlatVectors::open(&at, &embedder.version(), embedder.dimensions())?;
        Ok(Some(Self {
            embedder,
            vectors,
            _folder: folder,
        }))
    }

    /// Embeds entries, each a document of one passage: its id and what is embedded of it.
    pub(super) async fn learn(&self, entries: Vec<(String, String)>) -> Result<()> {
        let version = self.embedder.version();
        let keyed: Vec<_> = entries
            .into_iter()
            .map(|(id, text)| (id, key(&version, &text), text))
            .collect();
        self.vectors.clear()?;
        let changes = keyed.iter().map(|(id, key, _)| Change::Replace {
            document: id.clone(),
            attributes: Attributes::default(),
            passages: vec![(0, *key)],
        });
        self.vectors.apply(changes.collect(), 1)?;
        let wanted: std::collections::HashSet<_> = self
            .vectors
            .wanted(usize::MAX)
            .into_iter()
            .map(|w| w.document)
            .collect();
        let mut texts: Vec<_> = keyed
            .into_iter()
            .filter(|(id, ..)| wanted.contains(id))
            .map(|(_, key, text)| (key, text))
            .collect();
        // Texts of a length together: a batch then has less to wait for.
        texts.sort_by_key(|(_, text)| text.len());
        let bar = bar(texts.len());
        for some in texts.chunks(AT_ONCE) {
            let (keys, some): (Vec<_>, Vec<_>) = some.iter().cloned().unzip();
            let made = self.embedder.embed(some, EmbedAs::Passage).await?;
            bar.inc(made.len() as u64);
            self.vectors.put(keys.into_iter().zip(made).collect())?;
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// A question's vector.
    pub(super) async fn question(&self, text: &str) -> Result<Vec<f32>> {
        let mut made = self
            .embedder
            .embed(vec![text.to_owned()], EmbedAs::Query)
            .await?;
        made.pop().ok_or_else(|| Error::internal("no vector"))
    }
}

/// The embedder of a name; `None` for words alone.
pub(super) fn embedder(name: &str, threads: usize) -> Result<Option<Arc<dyn Embedder>>> {
    let folder = Models::default().folder()?;
    let name = match name {
        "none" => return Ok(None),
        "default" if folder.find(DEFAULT_EMBEDDER)?.is_none() => return Ok(None),
        "default" => DEFAULT_EMBEDDER,
        name => name,
    };
    let unusable = || {
        let message =
            format!("--embedder {name}：没有这个向量模型，或还没有下载；见 citymind models list。");
        Error::new(ErrorCode::InvalidInput, message)
    };
    let installed = folder.find(name)?.ok_or_else(unusable)?;
    let path = folder.root().join(name).join(&installed.file);
    let threads = NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN);
    Ok(Some(Arc::new(E5::open(name, &path, threads)?)))
}

/// Where vectors are kept: the cache that the arguments name, or a folder for this run.
fn place(args: &CorpusArgs) -> Result<(PathBuf, Option<tempfile::TempDir>)> {
    if let Some(cache) = &args.cache {
        return Ok((cache.join("vectors"), None));
    }
    let folder = tempfile::tempdir().map_err(Error::internal)?;
    Ok((folder.path().to_owned(), Some(folder)))
}

fn bar(length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("向量 {bar:32} {pos}/{len}  {elapsed}，余 {eta}");
    let bar = ProgressBar::new(length as u64);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Embeds whatever waits in a library.
pub(super) async fn embed_all(library: &Library) -> Result<()> {
    let Some(state) = library.meaning_state() else {
        return Ok(());
    };
    let bar = bar(usize::try_from(state.waiting).unwrap_or_default());
    loop {
        let made = library.embed_some().await?;
        if made == 0 {
            break;
        }
        bar.inc(made as u64);
    }
    bar.finish_and_clear();
    Ok(())
}
