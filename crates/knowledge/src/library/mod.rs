//! The documents of the city: stored, indexed, listed, withdrawn.

mod adding;
mod composing;
mod editing;
mod indexing;
mod learning;
mod listing;
mod meaning;
pub(crate) mod pictures;
mod related;
mod relations;
mod searching;
mod validity;
mod versions;

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicBool},
};

use documents::Limits;
use kernel::{
    Error, Result,
    files::Files,
    identity::Caller,
    lexical::LexicalIndex,
    models::Reranker,
    records::{Condition, Query, Records},
    time,
};
use parking_lot::RwLock;
use serde_json::Value;
use tokio::sync::{Mutex, Notify};

use adding::Draft;
pub use adding::{Accompany, Incoming, Outcome, OutcomeState};
pub use composing::{ComposeInput, Composed, OpenedForm};
pub use editing::EditInput;
pub use indexing::Rebuilt;
pub use listing::{Facet, Facets, ListInput};
pub use meaning::{Meaning, MeaningState, key};
pub use pictures::Beside;
pub use related::{Direction, Related, RelatedInput};
pub use searching::{Hit, Search, SearchInput, SearchOutput};
pub use versions::{CompareInput, Comparison, RestoreVersionInput, Versions, VersionsInput};

use crate::{
    quote::Text,
    record::{CONTENTS, ContentRecord, DOCUMENTS, DocumentRecord, RELATIONS, RelationRecord},
    retrieval::{Learned, Scope},
    titles,
};

/// The documents of the city. The store is the truth; the index follows it.
pub struct Library {
    records: Arc<dyn Records>,
    files: Arc<dyn Files>,
    index: Arc<dyn LexicalIndex>,
    limits: Limits,
    /// What the titles of statutes say, by document.
    scopes: RwLock<Arc<HashMap<String, Scope>>>,
    /// The store holds documents that the index does not have yet.
    behind: AtomicBool,
    learned: RwLock<Option<Arc<Learned>>>,
    meaning: RwLock<Option<Meaning>>,
    reranker: RwLock<Option<Arc<dyn Reranker>>>,
    /// Told when clauses may have come to wait for their vectors.
    placed: Notify,
    /// Held from committing documents to indexing them, so that the index never skips a revision.
    gate: Mutex<()>,
}

impl Library {
    /// Opens the library and brings the index up to date with the store.
    ///
    /// # Errors
    /// `Storage`, `Index`, `StorageFull`.
    pub async fn open(
        records: Arc<dyn Records>,
        files: Arc<dyn Files>,
        index: Arc<dyn LexicalIndex>,
        limits: Limits,
    ) -> Result<Self> {
        records.define(&[DOCUMENTS, CONTENTS, RELATIONS]).await?;
        let library = Self {
            records,
            files,
            index,
            limits,
            scopes: RwLock::default(),
            behind: AtomicBool::default(),
            learned: RwLock::default(),
            meaning: RwLock::default(),
            reranker: RwLock::default(),
            placed: Notify::new(),
            gate: Mutex::default(),
        };
        library.name_all().await?;
        library.load_scopes().await?;
        library.catch_up().await?;
        Ok(library)
    }

    /// The limits on files.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The store behind the library.
    pub fn records(&self) -> &dyn Records {
        &*self.records
    }

    /// A document, withdrawn or not.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn document(&self, id: &str) -> Result<DocumentRecord> {
        self.records
            .read(&DOCUMENTS, id)
            .await?
            .ok_or_else(|| Error::not_found("这份文件"))
    }

    /// A document, for whom it is there: one in a space that the caller may not see is not.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn document_for(&self, caller: &Caller, id: &str) -> Result<DocumentRecord> {
        let document = self.document(id).await?;
        if caller.sees(&document.space) {
            Ok(document)
        } else {
            Err(Error::not_found("这份文件"))
        }
    }

    /// A document's structure.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn content(&self, id: &str) -> Result<ContentRecord> {
        self.records
            .read(&CONTENTS, id)
            .await?
            .ok_or_else(|| Error::not_found("这份文件的正文"))
    }

    /// A document's text, read from the store and proven unchanged.
    ///
    /// # Errors
    /// `SourceChanged` if the stored text is no longer what was imported; `NotFound`, `Storage`.
    pub async fn text(&self, document: &DocumentRecord) -> Result<Text> {
        let bytes = self.files.get(&document.text).await?;
        String::from_utf8(bytes)
            .map(Text::new)
            .map_err(Error::internal)
    }

    /// The file as it came.
    ///
    /// # Errors
    /// `SourceChanged`, `NotFound`, `Storage`.
    pub async fn original(&self, document: &DocumentRecord) -> Result<Vec<u8>> {
        self.files.get(&document.source.sha256).await
    }

    /// Takes a document down: it is no longer found, nothing is lost, [`Library::restore`] brings it back.
    ///
    /// # Errors
    /// `NotFound`, `Storage`, `StorageFull`, `Index`.
    pub async fn withdraw(&self, id: &str) -> Result<DocumentRecord> {
        self.set_withdrawn(id, true).await
    }

    /// Brings a withdrawn document back.
    ///
    /// # Errors
    /// `NotFound`, `Storage`, `StorageFull`, `Index`.
    pub async fn restore(&self, id: &str) -> Result<DocumentRecord> {
        self.set_withdrawn(id, false).await
    }

    /// A document goes with all its versions, an earlier version alone.
    async fn set_withdrawn(&self, id: &str, withdrawn: bool) -> Result<DocumentRecord> {
        let _gate = self.gate.lock().await;
        self.catch_up_if_behind().await?;
        let named = self.document(id).await?;
        let mut draft = Draft::default();
        let those = match named.version_of {
            Some(_) => vec![named],
            None => self
                .versions_standing(id, &draft)
                .await?
                .into_values()
                .collect(),
        };
        for mut document in those {
            if document.withdrawn != withdrawn {
                document.withdrawn = withdrawn;
                document.imported_at = time::now();
                let what = if withdrawn { "withdraw" } else { "restore" };
                document.touch(None, vec![what.to_owned()]);
                self.touch_said(&document.id, &mut draft).await?;
                draft.touched.document(&document);
                draft.documents.insert(document.id.clone(), document);
            }
        }
        self.settle_touched(&mut draft).await?;
        self.commit(draft).await?;
        self.document(id).await
    }

    /// Gives documents of an earlier release the names by which they are found among others.
    async fn name_all(&self) -> Result<()> {
        let nameless = Query::by(Condition::is("name", Value::Null));
        let mut draft = Draft::default();
        for record in self.records.find(&RELATIONS, &nameless).await? {
            let mut relation: RelationRecord =
                serde_json::from_value(record.body).map_err(Error::internal)?;
            relation.name = relation.title.as_deref().map(titles::name);
            if relation.name.is_some() {
                draft.relations.insert(record.id, Some(relation));
            }
        }
        for mut document in self
            .records
            .list::<DocumentRecord>(&DOCUMENTS, &nameless)
            .await?
        {
            document.take_names();
            draft.touched.document(&document);
            draft.documents.insert(document.id.clone(), document);
        }
        self.settle_touched(&mut draft).await?;
        let writes = draft.into_writes()?;
        if !writes.is_empty() {
            // The index takes them as it catches up.
            self.records.apply(writes).await?;
        }
        Ok(())
    }
}
