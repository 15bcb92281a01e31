//! Postings kept by Tantivy: its files are checksummed, committed atomically, and merged in the background.
//!
//! Tantivy's own ranking is not used: it scores fields apart and rounds lengths to a byte. `scoring.rs` reads the
//! postings instead.

use std::{fs, path::Path, sync::Arc};

use kernel::{
    Error, ErrorCode, Result,
    lexical::{Attributes, BODY, Change, Filter, Hit, LexicalIndex, Passage, Query, Source, TITLE},
};
use parking_lot::{Mutex, RwLock};
use tantivy::{
    Directory, Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, TantivyError, Term,
    directory::MmapDirectory,
    schema::{FAST, Field, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions},
    tokenizer::{TextAnalyzer, WhitespaceTokenizer},
};

use crate::scoring::View;

/// The tokenizer of fields whose tokens come separated by spaces.
const SPACED: &str = "spaced";

/// Memory for passages not yet written out, in bytes.
const WRITER_MEMORY: usize = 48 << 20;

/// The index's fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields {
    pub(crate) tokens: [Field; 2],
    pub(crate) document: Field,
    clause: Field,
    lengths: [Field; 2],
    space: Field,
    region: Field,
    kind: Field,
    issued: Field,
    from: Field,
    until: Field,
}

fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(SPACED)
        .set_index_option(IndexRecordOption::WithFreqs)
        .set_fieldnorms(false);
    let tokens = TextOptions::default().set_indexing_options(indexing);
    let label = TextOptions::default().set_fast("raw");
    let fields = Fields {
        tokens: [
            builder.add_text_field("title", tokens.clone()),
            builder.add_text_field("body", tokens),
        ],
        document: builder.add_text_field("document", STRING | FAST),
        clause: builder.add_u64_field("clause", FAST),
        lengths: [
            builder.add_u64_field("title_length", FAST),
            builder.add_u64_field("body_length", FAST),
        ],
        space: builder.add_text_field("space", label.clone()),
        region: builder.add_text_field("region", label.clone()),
        kind: builder.add_text_field("kind", label),
        issued: builder.add_i64_field("issued", FAST),
        from: builder.add_i64_field("from", FAST),
        until: builder.add_i64_field("until", FAST),
    };
    (builder.build(), fields)
}

/// A lexical index in a folder or in memory.
pub struct TantivyIndex {
    fields: Fields,
    reader: IndexReader,
    writer: Mutex<IndexWriter>,
    view: RwLock<Arc<View>>,
}

impl TantivyIndex {
    /// Opens the index in a folder of its own. One that can't be read, or that another version wrote, is thrown away: it
    /// then stands at revision 0 and is to be filled from the store.
    ///
    /// # Errors
    /// `Index`, `StorageFull`.
    pub fn open(folder: &Path) -> Result<Self> {
        let opened = Self::try_open(folder);
        let Err(error) = &opened else { return opened };
        if error.code == ErrorCode::StorageFull {
            return opened;
        }
        tracing::warn!(folder = %folder.display(), detail = error.detail, "the search index can't be read: starting a new one");
        match fs::remove_dir_all(folder) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(fault(e)),
            _ => Self::try_open(folder),
        }
    }

    fn try_open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(fault)?;
        let directory = MmapDirectory::open(folder).map_err(fault)?;
        let (schema, fields) = schema();
        Self::over(
            Index::open_or_create(directory, schema).map_err(fault)?,
            fields,
        )
    }

    /// An empty index in memory.
    ///
    /// # Errors
    /// `Index`.
    pub fn in_memory() -> Result<Self> {
        let (schema, fields) = schema();
        Self::over(Index::create_in_ram(schema), fields)
    }

    fn over(index: Index, fields: Fields) -> Result<Self> {
        index
            .tokenizers()
            .register(SPACED, TextAnalyzer::from(WhitespaceTokenizer::default()));
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .map_err(fault)?;
        // One thread: the same passages give the same segments, and two cores have other work.
        let writer = index
            .writer_with_num_threads(1, WRITER_MEMORY)
            .map_err(fault)?;
        let view = Arc::new(View::new(&reader.searcher(), fields)?);
        Ok(Self {
            fields,
            reader,
            writer: Mutex::new(writer),
            view: RwLock::new(view),
        })
    }

    fn refresh(&self) -> Result<()> {
        self.reader.reload().map_err(fault)?;
        *self.view.write() = Arc::new(View::new(&self.reader.searcher(), self.fields)?);
        Ok(())
    }

    fn view(&self) -> Arc<View> {
        self.view.read().clone()
    }

    fn document(
        &self,
        document: &str,
        attributes: &Attributes,
        passage: Passage,
    ) -> TantivyDocument {
        let f = &self.fields;
        let mut out = TantivyDocument::default();
        out.add_text(f.document, document);
        out.add_u64(f.clause, u64::from(passage.clause));
        for field in [TITLE, BODY] {
            let length = passage.tokens[field]
                .split(' ')
                .filter(|t| !t.is_empty())
                .count();
            out.add_u64(f.lengths[field], length as u64);
        }
        let [title, body] = passage.tokens;
        out.add_text(f.tokens[TITLE], title);
        out.add_text(f.tokens[BODY], body);
        for (field, value) in [
            (f.space, &attributes.space),
            (f.region, &attributes.region),
            (f.kind, &attributes.kind),
        ] {
            if !value.is_empty() {
                out.add_text(field, value);
            }
        }
        for (field, day) in [
            (f.issued, attributes.issued),
            (f.from, attributes.from),
            (f.until, attributes.until),
        ] {
            if let Some(day) = day {
                out.add_i64(field, day);
            }
        }
        out
    }

    fn take(&self, writer: &IndexWriter, changes: Vec<Change>) -> tantivy::Result<()> {
        for change in changes {
            let (Change::Replace { document, .. } | Change::Remove { document }) = &change;
            writer.delete_term(Term::from_field_text(self.fields.document, document));
            if let Change::Replace {
                document,
                attributes,
                passages,
            } = change
            {
                for passage in passages {
                    writer.add_document(self.document(&document, &attributes, passage))?;
                }
            }
        }
        Ok(())
    }

    /// Has every document gone with the next commit. Segments are not dropped, so that a rollback finds them.
    fn delete_all(&self, writer: &IndexWriter) -> tantivy::Result<()> {
        for segment in self.reader.searcher().segment_readers() {
            let index = segment.inverted_index(self.fields.document)?;
            let mut documents = index.terms().stream()?;
            while let Some((document, _)) = documents.next() {
                let document = String::from_utf8_lossy(document);
                writer.delete_term(Term::from_field_text(self.fields.document, &document));
            }
        }
        Ok(())
    }

    fn commit(writer: &mut IndexWriter, revision: u64) -> tantivy::Result<()> {
        let mut commit = writer.prepare_commit()?;
        commit.set_payload(&revision.to_string());
        commit.commit()?;
        Ok(())
    }

    /// Writes and commits, or leaves everything as it was.
    fn write(&self, write: impl FnOnce(&mut IndexWriter) -> Result<()>) -> Result<()> {
        let mut writer = self.writer.lock();
        if let Err(told) = write(&mut writer) {
            let again = writer.rollback().err().map(fault);
            // A writer that dies in a thread of its own doesn't say of what.
            return Err(if told.code == ErrorCode::Index && self.is_full() {
                full().with_detail(told.detail.unwrap_or_default())
            } else {
                again.unwrap_or(told)
            });
        }
        drop(writer);
        self.refresh()
    }
}

impl TantivyIndex {
    /// Whether there is no room for a small file beside the index.
    fn is_full(&self) -> bool {
        let searcher = self.reader.searcher();
        let folder = searcher.index().directory();
        let probe = Path::new("room.probe");
        let written = folder.atomic_write(probe, &vec![0; 256 << 10]);
        // It is in nobody's way if it stays.
        let _ = folder.delete(probe);
        written.is_err_and(|e| {
            matches!(
                e.kind(),
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
            )
        })
    }
}

impl LexicalIndex for TantivyIndex {
    fn apply(&self, changes: Vec<Change>, revision: u64) -> Result<()> {
        self.write(|writer| {
            self.take(writer, changes)
                .and_then(|()| Self::commit(writer, revision))
                .map_err(fault)
        })
    }

    fn rebuild(&self, source: &mut Source<'_>, revision: u64) -> Result<()> {
        self.write(|writer| {
            self.delete_all(writer).map_err(fault)?;
            while let Some(changes) = source()? {
                self.take(writer, changes).map_err(fault)?;
            }
            Self::commit(writer, revision).map_err(fault)
        })
    }

    fn revision(&self) -> u64 {
        let payload = self
            .reader
            .searcher()
            .index()
            .load_metas()
            .ok()
            .and_then(|m| m.payload);
        payload.and_then(|p| p.parse().ok()).unwrap_or(0)
    }

    fn clear(&self) -> Result<()> {
        let mut writer = self.writer.lock();
        writer.delete_all_documents().map_err(fault)?;
        let mut commit = writer.prepare_commit().map_err(fault)?;
        commit.set_payload("0");
        commit.commit().map_err(fault)?;
        drop(writer);
        self.refresh()
    }

    fn search(&self, query: &Query) -> Result<Vec<Hit>> {
        self.view().search(query)
    }

    fn admitted(&self, passages: &[(&str, u32)], filter: &Filter) -> Result<Vec<bool>> {
        self.view().admitted(passages, filter)
    }

    fn passages(&self) -> u64 {
        self.view().passages()
    }

    fn rarity(&self, tokens: &[String]) -> Result<Vec<f32>> {
        self.view().rarity(tokens)
    }
}

fn full() -> Error {
    Error::new(
        ErrorCode::StorageFull,
        "存储空间已满，检索索引没有更新。请清理磁盘后重建索引（citymind knowledge reindex）。",
    )
}

/// A fault of the index engine, told as ours.
pub(crate) fn fault(error: impl Into<TantivyError>) -> Error {
    let error = error.into();
    let full = match &error {
        TantivyError::IoError(e) => matches!(
            e.kind(),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
        ),
        _ => error.to_string().contains("No space left"),
    };
    if full {
        self::full()
    } else {
        Error::new(
            ErrorCode::Index,
            "检索索引出错，请稍后再试；如持续出现，请重建索引（citymind knowledge reindex）。",
        )
    }
    .with_detail(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conforms_in_memory() {
        kernel::testkit::index_conforms(&TantivyIndex::in_memory().unwrap());
    }

    #[test]
    fn conforms_in_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        kernel::testkit::index_conforms(&TantivyIndex::open(&dir.path().join("lexical")).unwrap());
    }

    #[test]
    fn a_damaged_index_starts_anew_at_revision_zero() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("lexical");
        let index = TantivyIndex::open(&folder).unwrap();
        let passages = vec![Passage {
            clause: 0,
            tokens: ["a".into(), "b".into()],
        }];
        let change = Change::Replace {
            document: "d".into(),
            attributes: Attributes::default(),
            passages,
        };
        index.apply(vec![change], 5).unwrap();
        drop(index);
        let kept = TantivyIndex::open(&folder).unwrap();
        assert_eq!((kept.revision(), kept.passages()), (5, 1));
        drop(kept);
        fs::write(folder.join("meta.json"), "{ not json").unwrap();
        let anew = TantivyIndex::open(&folder).unwrap();
        assert_eq!((anew.revision(), anew.passages()), (0, 0));
    }
}
