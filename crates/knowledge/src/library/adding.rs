//! Files become documents: read, stored and indexed whole, or not at all.

use std::collections::BTreeMap;

use documents::Document;
use jiff::civil::Date;
use kernel::{
    Error, Result,
    id::{content_hash, derived},
    records::{Condition, Query, Write},
    time,
};

use super::Library;
use crate::record::{
    CONTENTS, ContentRecord, DOCUMENTS, DocumentRecord, READER_VERSION, RELATIONS, RelationRecord,
    Source,
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

struct Read {
    incoming: Incoming,
    document: Document,
    hash: String,
}

/// A batch's documents and what else it writes.
#[derive(Default)]
pub(super) struct Draft {
    documents: BTreeMap<String, DocumentRecord>,
    writes: Vec<Write>,
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
        let limits = self.limits.clone();
        let read = tokio::task::spawn_blocking(move || {
            files
                .into_iter()
                .map(|f| read(f, &limits))
                .collect::<Vec<Result<Read>>>()
        });
        let read = read.await.map_err(Error::internal)?;
        let _gate = self.gate.lock().await;
        let mut draft = Draft::default();
        let mut outcomes = Vec::with_capacity(read.len());
        for file in read {
            outcomes.push(match file {
                Ok(file) => Ok(self.draft(file, &mut draft).await?),
                Err(error) => Err(error),
            });
        }
        draft.writes.extend(accompany(&outcomes)?);
        for (id, document) in &draft.documents {
            draft.writes.push(Write::put(&DOCUMENTS, id, document)?);
        }
        if !draft.writes.is_empty() {
            let revision = self.records.apply(draft.writes).await?;
            if !draft.documents.is_empty() {
                self.index_documents(draft.documents.into_values().collect(), revision)
                    .await?;
            }
        }
        Ok(outcomes)
    }

    async fn draft(&self, file: Read, draft: &mut Draft) -> Result<Outcome> {
        let Read {
            mut incoming,
            document: mut read,
            hash,
        } = file;
        let id = derived(&[&incoming.space, &incoming.path]);
        let known: Option<DocumentRecord> = match draft.documents.get(&id) {
            Some(document) => Some(document.clone()),
            None => self.records.read(&DOCUMENTS, &id).await?,
        };
        let mut warnings: Vec<String> = read.notes.iter().map(|n| n.message.clone()).collect();
        let same_title = |k: &DocumentRecord| incoming.title.as_ref().is_none_or(|t| *t == k.title);
        if let Some(known) = &known
            && known.source.sha256 == hash
            && known.reader == READER_VERSION
            && !known.withdrawn
            && same_title(known)
            && self.is_whole(known).await
        {
            return Ok(Outcome {
                state: OutcomeState::Unchanged,
                document: known.clone(),
                warnings,
            });
        }
        let in_batch = |d: &&DocumentRecord| d.source.sha256 == hash && d.space == incoming.space && d.id != id;
        let twin = match draft.documents.values().find(in_batch) {
            Some(twin) => Some(twin.clone()),
            None => self.twin(&incoming.space, &hash, &id).await?,
        };
        if let Some(twin) = twin {
            warnings.push(format!(
                "与已有文件《{}》内容相同（{}）",
                twin.title, twin.path
            ));
        }
        let size = incoming.bytes.len() as u64;
        let original = std::mem::take(&mut incoming.bytes);
        self.files.put(original).await?;
        let text = self.files.put(read.text.clone().into_bytes()).await?;
        let state = if known.is_some() {
            OutcomeState::Updated
        } else {
            OutcomeState::Imported
        };
        let content = ContentRecord {
            clauses: std::mem::take(&mut read.clauses),
            outline: std::mem::take(&mut read.outline),
            notes: std::mem::take(&mut read.notes),
            repeals: std::mem::take(&mut read.metadata.repeals),
        };
        let name = file_name(&incoming.path);
        let source = Source {
            name,
            bytes: size,
            sha256: hash,
        };
        let mut document = record(incoming, read, source, text);
        document.clauses = content.clauses.len();
        document.warnings = warnings.len();
        self.relate(&mut document, &content, known.is_some(), draft)
            .await?;
        draft
            .writes
            .push(Write::put(&CONTENTS, id.clone(), &content)?);
        draft.documents.insert(id, document.clone());
        Ok(Outcome {
            state,
            document,
            warnings,
        })
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

    /// Works out which documents end by this one, and whether this one is ended by a document already here.
    async fn relate(
        &self,
        document: &mut DocumentRecord,
        content: &ContentRecord,
        again: bool,
        draft: &mut Draft,
    ) -> Result<()> {
        if again {
            self.unrelate(&document.id, draft).await?;
        }
        let on = document.effective_from.or(document.issued);
        for reference in &content.repeals {
            let relation = RelationRecord {
                from: document.id.clone(),
                space: document.space.clone(),
                title: reference.title.clone(),
                number: reference.number.clone(),
                on,
            };
            let key = derived(&[
                &document.id,
                reference.title.as_deref().unwrap_or(""),
                reference.number.as_deref().unwrap_or(""),
            ]);
            draft.writes.push(Write::put(&RELATIONS, key, &relation)?);
            for mut ended in self.named(&relation, draft).await? {
                if ended.id != document.id {
                    end(&mut ended, document, on);
                    draft.documents.insert(ended.id.clone(), ended);
                }
            }
        }
        let named = |field: &str, value: &Option<String>| {
            value.as_ref().map(|v| Condition::is(field, v.as_str()))
        };
        let by_name = [
            named("title", &Some(document.title.clone())),
            named("number", &document.number),
        ];
        let query = Query {
            all: vec![
                Condition::is("space", document.space.as_str()),
                Condition::Any(by_name.into_iter().flatten().collect()),
            ],
            ..Query::default()
        };
        for relation in self
            .records
            .list::<RelationRecord>(&RELATIONS, &query)
            .await?
        {
            let fits = names(&relation, document);
            if fits
                && relation.from != document.id
                && let Some(ender) = self.current(&relation.from, draft).await?
                && !ender.withdrawn
            {
                end(document, &ender, relation.on);
            }
        }
        // Documents of the same batch are not in the store yet.
        let earlier: Vec<DocumentRecord> = draft.documents.values().cloned().collect();
        for ender in earlier {
            let repeals = draft_relations(&draft.writes, &ender.id);
            for relation in repeals {
                if names(&relation, document)
                    && relation.space == document.space
                    && relation.from != document.id
                {
                    end(document, &ender, relation.on);
                }
            }
        }
        Ok(())
    }

    /// Takes back what an earlier version of a document said of others.
    async fn unrelate(&self, id: &str, draft: &mut Draft) -> Result<()> {
        for record in self
            .records
            .find(&RELATIONS, &Query::by(Condition::is("from", id)))
            .await?
        {
            let relation: RelationRecord =
                serde_json::from_value(record.body).map_err(Error::internal)?;
            for mut other in self.named(&relation, draft).await? {
                other
                    .repealed_by
                    .retain(|l| l.document.as_deref() != Some(id));
                if other.repealed_by.is_empty() {
                    other.repealed_on = None;
                }
                draft.documents.insert(other.id.clone(), other);
            }
            draft.writes.push(Write::Delete {
                collection: RELATIONS.name,
                id: record.id,
            });
        }
        Ok(())
    }

    async fn current(&self, id: &str, draft: &Draft) -> Result<Option<DocumentRecord>> {
        match draft.documents.get(id) {
            Some(document) => Ok(Some(document.clone())),
            None => self.records.read(&DOCUMENTS, id).await,
        }
    }

    /// The documents that a relation names, as the batch leaves them.
    pub(super) async fn named(
        &self,
        relation: &RelationRecord,
        draft: &Draft,
    ) -> Result<Vec<DocumentRecord>> {
        // A number names one document; a title may be shared by versions, so it counts only without a number.
        let condition = match (&relation.number, &relation.title) {
            (Some(number), _) => Condition::is("number", number.as_str()),
            (None, Some(title)) => Condition::is("title", title.as_str()),
            (None, None) => return Ok(Vec::new()),
        };
        let query = Query {
            all: vec![Condition::is("space", relation.space.as_str()), condition],
            ..Query::default()
        };
        let mut found: BTreeMap<String, DocumentRecord> = BTreeMap::new();
        for document in self
            .records
            .list::<DocumentRecord>(&DOCUMENTS, &query)
            .await?
        {
            found.insert(document.id.clone(), document);
        }
        for (id, document) in &draft.documents {
            if document.space == relation.space && names(relation, document) {
                found.insert(id.clone(), document.clone());
            }
        }
        Ok(found.into_values().collect())
    }
}

fn names(relation: &RelationRecord, document: &DocumentRecord) -> bool {
    match (&relation.number, &relation.title) {
        (Some(number), _) => document.number.as_ref() == Some(number),
        (None, Some(title)) => document.title == *title,
        (None, None) => false,
    }
}

fn draft_relations(writes: &[Write], from: &str) -> Vec<RelationRecord> {
    let bodies = writes.iter().filter_map(|w| match w {
        Write::Put {
            collection, body, ..
        } if *collection == RELATIONS.name && body["from"] == from => Some(body.clone()),
        _ => None,
    });
    bodies
        .filter_map(|b| serde_json::from_value(b).ok())
        .collect()
}

fn end(ended: &mut DocumentRecord, by: &DocumentRecord, on: Option<Date>) {
    let link = by.link();
    ended.repealed_by.retain(|l| l.document != link.document);
    ended.repealed_by.push(link);
    ended.repealed_on = match (ended.repealed_on, on) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
}

fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

/// The record of a document that was read; counts of clauses and warnings are for the caller to fill in.
fn record(incoming: Incoming, read: Document, source: Source, text: String) -> DocumentRecord {
    let m = read.metadata;
    DocumentRecord {
        id: derived(&[&incoming.space, &incoming.path]),
        space: incoming.space,
        path: incoming.path,
        title: incoming.title.unwrap_or(m.title),
        kind: m.kind,
        format: read.format,
        issuer: m.issuer,
        number: m.number,
        region: m.region,
        issued: m.issued,
        effective_from: m.effective_from,
        effective_until: m.effective_until,
        repealed_on: None,
        repealed_by: Vec::new(),
        withdrawn: false,
        clauses: 0,
        characters: read.text.chars().count(),
        warnings: 0,
        source,
        text,
        reader: READER_VERSION,
        imported_at: time::now(),
    }
}

fn read(incoming: Incoming, limits: &documents::Limits) -> Result<Read> {
    let document = documents::read(&incoming.path, &incoming.bytes, limits)?;
    let hash = content_hash(&incoming.bytes);
    Ok(Read {
        incoming,
        document,
        hash,
    })
}
