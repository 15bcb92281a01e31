//! Files become documents: read, stored and indexed whole, or not at all.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use documents::Document;
use kernel::{
    Error, Result,
    id::{content_hash, derived},
    records::{Condition, Expect, Query, Write},
    time,
};
use serde_json::Value;

use super::{
    Library,
    pictures::{Beside, Gathered},
    validity::Touched,
};
use crate::{
    compare::Changes,
    facts::{Edits, Facts},
    forms::Form,
    record::{
        CONTENTS, ContentRecord, DOCUMENTS, DocumentRecord, PictureRecord, READER_VERSION,
        RELATIONS, RelationRecord, Said, Source,
    },
};

/// A file on its way in.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The knowledge space it goes to.
    pub space: String,
    /// Its path: the same path in the same space is the same document.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// The title, where it is known better than the file says.
    pub title: Option<String>,
}

/// What became of a file.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What happened.
    pub state: OutcomeState,
    /// The document as it now stands.
    pub document: DocumentRecord,
    /// What a person should look at.
    pub warnings: Vec<String>,
    /// How its clauses differ from those of the version before, if there is one.
    pub changes: Option<Changes>,
    /// The picture files beside it that are kept with it, by path.
    pub pictures: Vec<String>,
}

impl Outcome {
    fn unchanged(known: &DocumentRecord, warnings: Vec<String>, pictures: Vec<String>) -> Self {
        Self {
            state: OutcomeState::Unchanged,
            document: known.clone(),
            warnings,
            changes: None,
            pictures,
        }
    }
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeState {
    /// It is new.
    Imported,
    /// Its document was changed.
    Updated,
    /// The same file was there already.
    Unchanged,
}

/// Gives the writes that go with a batch, from its outcomes.
pub type Accompany<'a> = dyn FnMut(&[Result<Outcome>]) -> Result<Vec<Write>> + Send + 'a;

/// A file with what else is known of it.
pub(super) struct Given {
    pub(super) file: Incoming,
    /// The form that it was made from.
    pub(super) form: Option<Form>,
    /// The pictures to keep where the files beside it are not at hand; without them those of the document that stands.
    pub(super) pictures: Option<Vec<PictureRecord>>,
    /// How its document must stand.
    pub(super) expected: Expected,
}

/// How a document must stand for a file to be taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Expected {
    #[default]
    Any,
    Absent,
    Revision(u64),
}

struct Read {
    given: Given,
    document: Document,
    hash: String,
    /// `None` where the document has no pictures.
    pictures: Option<Gathered>,
}

/// A batch's documents and what else it writes.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) documents: BTreeMap<String, DocumentRecord>,
    /// Their structure, where it is new.
    pub(super) contents: BTreeMap<String, ContentRecord>,
    /// What documents of the batch say of others, by id; `None` where it is no longer said.
    pub(super) relations: BTreeMap<String, Option<RelationRecord>>,
    /// What may hold otherwise after it.
    pub(super) touched: Touched,
    /// How documents must still stand for the batch to be made.
    pub(super) expected: BTreeMap<String, Expect>,
    writes: Vec<Write>,
}

impl Draft {
    /// All that the batch writes.
    pub(super) fn into_writes(self) -> Result<Vec<Write>> {
        let mut writes = self.writes;
        for (id, relation) in self.relations {
            writes.push(match relation {
                Some(relation) => Write::put(&RELATIONS, id, &relation)?,
                None => Write::Delete {
                    collection: RELATIONS.name,
                    id,
                },
            });
        }
        for (id, content) in &self.contents {
            writes.push(Write::put(&CONTENTS, id.clone(), content)?);
        }
        for (id, document) in &self.documents {
            let expected = self.expected.get(id).copied().unwrap_or_default();
            writes.push(Write::put(&DOCUMENTS, id.clone(), document)?.expecting(expected));
        }
        Ok(writes)
    }
}

impl Library {
    /// Takes files in, all in one batch: what is returned as `Ok` is stored and found. `accompany` gives the writes to be
    /// made in the same batch, from the outcomes.
    ///
    /// # Errors
    /// Per file: what [`documents::read`] returns. For all: `Storage`, `StorageFull`, `Index`.
    pub async fn add(
        &self,
        files: Vec<Incoming>,
        accompany: &mut Accompany<'_>,
    ) -> Result<Vec<Result<Outcome>>> {
        self.add_beside(files, &Beside::new(), accompany).await
    }

    /// The same for files that have pictures beside them. A picture that is referred to and is not there, or is none, is
    /// left out with a note.
    ///
    /// # Errors
    /// As [`Library::add`].
    pub async fn add_beside(
        &self,
        files: Vec<Incoming>,
        beside: &Beside,
        accompany: &mut Accompany<'_>,
    ) -> Result<Vec<Result<Outcome>>> {
        let files = files.into_iter().map(|file| Given {
            file,
            form: None,
            pictures: None,
            expected: Expected::Any,
        });
        self.take_in(files.collect(), beside, accompany).await
    }

    /// The same for files of which more is known.
    pub(super) async fn take_in(
        &self,
        files: Vec<Given>,
        beside: &Beside,
        accompany: &mut Accompany<'_>,
    ) -> Result<Vec<Result<Outcome>>> {
        // One after the other, so that the pictures of one document at a time are held.
        let mut read = Vec::with_capacity(files.len());
        for given in files {
            read.push(self.read(given, beside).await?);
        }
        let _gate = self.gate.lock().await;
        self.catch_up_if_behind().await?;
        let mut draft = Draft::default();
        let mut outcomes = Vec::with_capacity(read.len());
        for file in read {
            let file = match file {
                Ok(file) => self.expect(&file.given, &draft).await.map(|()| file),
                Err(error) => Err(error),
            };
            outcomes.push(match file {
                Ok(file) => Ok(self.draft(file, &mut draft).await?),
                Err(error) => Err(error),
            });
        }
        self.settle_touched(&mut draft).await?;
        for outcome in outcomes.iter_mut().flatten() {
            if let Some(settled) = draft.documents.get(&outcome.document.id) {
                outcome.document.clone_from(settled);
            }
        }
        draft.writes.extend(accompany(&outcomes)?);
        self.commit(draft).await?;
        Ok(outcomes)
    }

    /// Reads a file and keeps its pictures.
    async fn read(&self, given: Given, beside: &Beside) -> Result<Result<Read>> {
        let limits = self.limits.clone();
        let read = tokio::task::spawn_blocking(move || read(given, &limits));
        let mut read = match read.await.map_err(Error::internal)? {
            Ok(read) => read,
            Err(error) => return Ok(Err(error)),
        };
        let pictures = std::mem::take(&mut read.document.pictures);
        if !pictures.is_empty() {
            let mut gathered = self.gather(&read.given, pictures, beside).await?;
            read.document.notes.append(&mut gathered.notes);
            read.pictures = Some(gathered);
        }
        if let Some(form) = read.given.form.take() {
            let kept = read.pictures.as_ref().map_or(&[][..], |p| &p.kept);
            read.given.form = Some(self.file_pictures(form, kept).await?);
        }
        Ok(Ok(read))
    }

    /// Stores a batch and brings its documents into the index. Where that fails the index is behind, and is brought up to
    /// date before the next batch.
    pub(super) async fn commit(&self, draft: Draft) -> Result<()> {
        let documents: Vec<DocumentRecord> = draft.documents.values().cloned().collect();
        let writes = draft.into_writes()?;
        if writes.is_empty() {
            return Ok(());
        }
        let revision = self.records.apply(writes).await?;
        if documents.is_empty() {
            return Ok(());
        }
        self.behind.store(true, Ordering::Release);
        self.index_documents(documents, revision).await?;
        self.behind.store(false, Ordering::Release);
        self.follow_meaning().await;
        Ok(())
    }

    async fn draft(&self, file: Read, draft: &mut Draft) -> Result<Outcome> {
        let Read {
            given:
                Given {
                    file: mut incoming,
                    mut form,
                    ..
                },
            document: mut read,
            hash,
            pictures,
        } = file;
        let known = self.under(&incoming.space, &incoming.path, draft).await?;
        let id = match &known {
            Some(known) => known.id.clone(),
            None => derived(&[&incoming.space, &incoming.path]),
        };
        let mut warnings: Vec<String> = read.notes.iter().map(|n| n.message.clone()).collect();
        if let Some(known) = &known
            && self
                .is_unchanged(known, &incoming, &hash, pictures.as_ref(), draft)
                .await?
        {
            let used = pictures.unwrap_or_default().used;
            return Ok(Outcome::unchanged(known, warnings, used));
        }
        let pictures = pictures.unwrap_or_default();
        warnings.extend(pictures.warning());
        if let Some(known) = known.as_ref().filter(|k| k.source.sha256 == hash) {
            // The same file read anew was still made from the same form.
            form = form.or(self.content_standing(&known.id, draft).await?.form);
        }
        warnings.extend(self.twin_warning(&incoming, &hash, &id, draft).await?);
        let size = incoming.bytes.len() as u64;
        let original = std::mem::take(&mut incoming.bytes);
        self.files.put(original).await?;
        let text = self.files.put(read.text.clone().into_bytes()).await?;
        let content = content(&mut read, form, pictures.kept);
        let relations = said(&mut read);
        let name = file_name(&incoming.path);
        let source = Source {
            name,
            bytes: size,
            sha256: hash,
        };
        let words = std::mem::take(&mut read.text);
        let mut document = record(incoming, read, source, text);
        document.clauses = content.clauses.len();
        document.characters = words.chars().count();
        document.id.clone_from(&id);
        warnings.extend(lay_over(
            &mut document,
            content.form.as_ref(),
            known.as_ref(),
        )?);
        warnings.extend(self.doubts(known.as_ref(), &document, draft).await?);
        document.warnings = warnings.len();
        if let Some(known) = &known {
            self.follow(known, &mut document, &content, &words, draft)
                .await?;
        }
        document.touch(None, vec!["import".to_owned()]);
        self.relate(&document, &relations, draft).await?;
        draft.touched.document(&document);
        draft.contents.insert(id.clone(), content);
        draft.documents.insert(id, document.clone());
        Ok(Outcome {
            state: if known.is_some() {
                OutcomeState::Updated
            } else {
                OutcomeState::Imported
            },
            changes: document.changes,
            document,
            warnings,
            pictures: pictures.used,
        })
    }

    /// Whether a file is the one that a document was read from, with the same pictures, and there is nothing to mend.
    async fn is_unchanged(
        &self,
        known: &DocumentRecord,
        incoming: &Incoming,
        hash: &str,
        pictures: Option<&Gathered>,
        draft: &Draft,
    ) -> Result<bool> {
        let title = incoming.title.as_ref();
        let same = known.source.sha256 == hash
            && known.reader == READER_VERSION
            && !known.withdrawn
            && title.is_none_or(|t| *t == known.extracted().title)
            && self.is_whole(known).await;
        match pictures {
            Some(gathered) if same => self.has_pictures(known, &gathered.kept, draft).await,
            _ => Ok(same),
        }
    }

    /// What stands under a path of a space: also a document that was moved from there, or to there.
    pub(super) async fn under(
        &self,
        space: &str,
        path: &str,
        draft: &Draft,
    ) -> Result<Option<DocumentRecord>> {
        let here = self.standing(&derived(&[space, path]), draft).await?;
        if here.is_some() {
            return Ok(here);
        }
        let moved = self
            .all_standing(Condition::is("path", path), draft, |d| {
                d.space == space && d.path == path && d.version_of.is_none()
            })
            .await?;
        Ok(moved.into_values().next())
    }

    /// Has a document take the place of what stood under its path: another file makes a new version, and so does another
    /// picture; the same file read anew does not.
    async fn follow(
        &self,
        known: &DocumentRecord,
        document: &mut DocumentRecord,
        content: &ContentRecord,
        text: &str,
        draft: &mut Draft,
    ) -> Result<()> {
        draft.touched.document(known);
        document.version = known.version;
        document.changes = known.changes;
        document.revision = known.revision;
        document.log.clone_from(&known.log);
        if known.source.sha256 != document.source.sha256
            || self.loses_pictures(known, &content.pictures, draft).await?
        {
            document.version += 1;
            document.changes = self.changes(known, content, text, draft).await?;
            self.keep(known, draft).await?;
        }
        Ok(())
    }

    /// A word on another document with the same content.
    async fn twin_warning(
        &self,
        incoming: &Incoming,
        hash: &str,
        id: &str,
        draft: &Draft,
    ) -> Result<Option<String>> {
        let same = |d: &&DocumentRecord| {
            d.source.sha256 == hash
                && d.space == incoming.space
                && d.id != id
                && d.version_of.is_none()
        };
        let twin = match draft.documents.values().find(same) {
            Some(twin) => Some(twin.clone()),
            None => self.twin(&incoming.space, hash, id).await?,
        };
        Ok(twin.map(|twin| format!("与已有文件《{}》内容相同（{}）", twin.title, twin.path)))
    }

    /// Whether a document's stored files are what they were: importing the file again mends what was changed.
    async fn is_whole(&self, document: &DocumentRecord) -> bool {
        self.text(document).await.is_ok() && self.original(document).await.is_ok()
    }

    async fn twin(&self, space: &str, hash: &str, id: &str) -> Result<Option<DocumentRecord>> {
        let query = Query {
            all: vec![
                Condition::is("source.sha256", hash),
                Condition::is("space", space),
                Condition::is("withdrawn", false),
                Condition::is("version_of", Value::Null),
                Condition::Not(Box::new(Condition::is("id", id))),
            ],
            limit: 1,
            ..Query::default()
        };
        Ok(self
            .records
            .list(&DOCUMENTS, &query)
            .await?
            .into_iter()
            .next())
    }
}

/// Lays over what the reader found what was typed into its form, and over that what people corrected. Returns a word on
/// every correction that the new file disagrees with.
fn lay_over(
    document: &mut DocumentRecord,
    form: Option<&Form>,
    known: Option<&DocumentRecord>,
) -> Result<Vec<String>> {
    if let Some(form) = form {
        let facts = form.over(document.facts());
        document.extracted = Some(facts.clone());
        document.take_facts(facts);
    }
    let Some(known) = known else {
        return Ok(Vec::new());
    };
    let warnings = known.edits_against(document);
    document.edits.clone_from(&known.edits);
    document.take_facts(document.extracted().corrected(&document.edits)?);
    Ok(warnings)
}

/// What a document says of others.
fn said(read: &mut Document) -> Vec<Said> {
    let relations = std::mem::take(&mut read.metadata.relations).into_iter();
    relations
        .map(|relation| Said {
            kind: relation.kind.into(),
            reference: relation.reference,
            clause: relation.clause,
            article: relation.article,
        })
        .collect()
}

/// The structure of a document that was read.
fn content(read: &mut Document, form: Option<Form>, pictures: Vec<PictureRecord>) -> ContentRecord {
    ContentRecord {
        clauses: std::mem::take(&mut read.clauses),
        outline: std::mem::take(&mut read.outline),
        notes: std::mem::take(&mut read.notes),
        form,
        pictures,
    }
}

fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

/// The record of a document that was read; counts of clauses, characters and warnings are for the caller to fill in.
fn record(incoming: Incoming, read: Document, source: Source, text: String) -> DocumentRecord {
    let m = read.metadata;
    let facts = Facts {
        title: incoming.title.unwrap_or(m.title),
        kind: m.kind,
        issuer: m.issuer,
        number: m.number,
        region: m.region,
        issued: m.issued,
        effective_from: m.effective_from,
        effective_until: m.effective_until,
        topics: m.topics,
        space: incoming.space.clone(),
    };
    let mut record = DocumentRecord {
        id: derived(&[&incoming.space, &incoming.path]),
        space: String::new(),
        path: incoming.path,
        title: String::new(),
        name: String::new(),
        law: None,
        version: 1,
        version_of: None,
        replaced: false,
        changes: None,
        kind: facts.kind,
        format: read.format,
        issuer: None,
        number: None,
        region: None,
        topics: Vec::new(),
        issued: None,
        effective_from: None,
        effective_until: None,
        begins: None,
        repealed_on: None,
        repealed_by: Vec::new(),
        amended_on: None,
        amended_by: None,
        withdrawn: false,
        clauses: 0,
        characters: 0,
        warnings: 0,
        source,
        text,
        reader: READER_VERSION,
        imported_at: time::now(),
        extracted: Some(facts.clone()),
        edits: Edits::new(),
        revision: 0,
        log: Vec::new(),
    };
    record.take_facts(facts);
    record
}

fn read(given: Given, limits: &documents::Limits) -> Result<Read> {
    let document = documents::read(&given.file.path, &given.file.bytes, limits)?;
    let hash = content_hash(&given.file.bytes);
    Ok(Read {
        given,
        document,
        hash,
        pictures: None,
    })
}
