//! The items of a city, with their bases found in its documents.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::Arc,
    time::Duration,
};

use jiff::civil::Date;
use kernel::{
    Error, ErrorCode, Result,
    evidence::Citation,
    models::EmbedAs,
    records::{Collection, Condition, Query, Records, Sort, Write},
    time,
};
use knowledge::{
    Library,
    record::{DOCUMENTS, DocumentRecord},
};
use parking_lot::{Mutex, RwLock};
use rules::Book;
use serde::{Deserialize, Serialize};

pub use super::reading::read_files;
use super::{
    reading::{read_item, read_shared},
    schema::{Basis, Item},
};
use crate::{
    evidence::Source,
    intents::{ItemWords, Reading, Recogniser},
};

/// Items as they were written.
pub const ITEMS: Collection = Collection {
    name: "service_items",
    indexed: &["name", "area"],
};

/// How often it is looked whether items or embedder have changed.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Sayings embedded at a time: citizens' questions go in between.
const AT_A_TIME: usize = 16;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ItemRecord {
    name: String,
    area: String,
    source: String,
    shared: String,
    updated_at: String,
}

/// An item with what decides it.
#[derive(Debug)]
pub struct Entry {
    /// The item.
    pub item: Item,
    /// What decides and computes.
    pub book: Book,
    /// As it was written.
    pub source: String,
    /// When it was last changed.
    pub updated_at: String,
}

type Entries = Arc<BTreeMap<String, Arc<Entry>>>;

/// The document in which a quote stands, and where, in bytes.
type Place = (String, Range<usize>);

/// The items of a city.
pub struct Catalogue {
    records: Arc<dyn Records>,
    library: Arc<Library>,
    entries: RwLock<Entries>,
    recogniser: RwLock<Arc<Recogniser>>,
    places: Mutex<HashMap<(String, String), Place>>,
}

impl Catalogue {
    /// Opens the items of a store. One that no longer makes sense to this program is left out, and said in the log.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn open(records: Arc<dyn Records>, library: Arc<Library>) -> Result<Arc<Self>> {
        records.define(&[ITEMS]).await?;
        let catalogue = Arc::new(Self {
            records,
            library,
            entries: RwLock::default(),
            recogniser: RwLock::new(Arc::new(Recogniser::new(&[]))),
            places: Mutex::default(),
        });
        catalogue.reload().await?;
        Ok(catalogue)
    }

    /// Reads the items of the store again.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn reload(&self) -> Result<()> {
        let query = Query {
            sort: Some(Sort {
                field: "name".to_owned(),
                descending: false,
            }),
            ..Query::default()
        };
        let mut entries = BTreeMap::new();
        for record in self.records.find(&ITEMS, &query).await? {
            let stored: ItemRecord = match serde_json::from_value(record.body) {
                Ok(stored) => stored,
                Err(error) => {
                    tracing::error!(item = record.id, %error, "a service item cannot be read");
                    continue;
                }
            };
            let shared = read_shared(&stored.shared).unwrap_or_default();
            match read_item(&stored.source, &shared) {
                Ok(item) => {
                    let entry = Entry {
                        book: item.book(),
                        item,
                        source: stored.source,
                        updated_at: stored.updated_at,
                    };
                    entries.insert(entry.item.id.clone(), Arc::new(entry));
                }
                Err(findings) => {
                    let first = findings.first().map(ToString::to_string);
                    tracing::error!(item = record.id, first, "a service item makes no sense");
                }
            }
        }
        let words: Vec<ItemWords> = entries.values().map(|e| (&e.item).into()).collect();
        let learn = tokio::task::spawn_blocking(move || Recogniser::new(&words));
        let recogniser = learn.await.map_err(Error::internal)?;
        *self.recogniser.write() = Arc::new(recogniser);
        *self.entries.write() = Arc::new(entries);
        Ok(())
    }

    /// All items.
    pub fn all(&self) -> Entries {
        self.entries.read().clone()
    }

    /// What tells which item is meant.
    pub fn recogniser(&self) -> Arc<Recogniser> {
        self.recogniser.read().clone()
    }

    /// How a message reads: by its words, and by its meaning as soon as that is learned. An embedder that fails leaves the words.
    pub async fn read(&self, message: &str) -> Reading {
        let recogniser = self.recogniser();
        let embedder = self.library.embedder();
        let Some(embedder) = embedder.filter(|_| recogniser.knows_meaning()) else {
            return recogniser.recognise(message);
        };
        let plain = recogniser.plain(message);
        let vector = match embedder.embed(vec![plain], EmbedAs::Query).await {
            Ok(mut vectors) => vectors.pop(),
            Err(error) => {
                tracing::warn!(%error, "a message is read by its words");
                None
            }
        };
        recogniser.recognise_with(message, vector.as_deref())
    }

    /// Has the recogniser learn meaning from the embedder in use, now and whenever items or embedder change. Never returns.
    pub async fn keep_understanding(&self) {
        let mut learned: Option<(String, usize)> = None;
        loop {
            let version = self.library.embedder().map(|e| e.version());
            let present = Arc::as_ptr(&*self.entries.read()) as usize;
            let wanted = version.map(|v| (v, present));
            if wanted != learned {
                match self.learn_meaning().await {
                    Ok(()) => learned = wanted,
                    Err(error) => tracing::warn!(%error, "items are recognised by words for now"),
                }
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn learn_meaning(&self) -> Result<()> {
        let entries = self.all();
        let words: Vec<ItemWords> = entries.values().map(|e| (&e.item).into()).collect();
        let learn = tokio::task::spawn_blocking(move || Recogniser::new(&words));
        let mut recogniser = learn.await.map_err(Error::internal)?;
        if let Some(embedder) = self.library.embedder() {
            let sayings: Vec<String> = recogniser.sayings().map(str::to_owned).collect();
            let mut vectors = Vec::with_capacity(sayings.len());
            for some in sayings.chunks(AT_A_TIME) {
                vectors.extend(embedder.embed(some.to_vec(), EmbedAs::Query).await?);
            }
            let learn = tokio::task::spawn_blocking(move || {
                recogniser.learn_meaning(vectors);
                recogniser
            });
            recogniser = learn.await.map_err(Error::internal)?;
        }
        // Items that changed meanwhile have a recogniser of their own, which the next look replaces.
        if Arc::ptr_eq(&entries, &self.all()) {
            *self.recogniser.write() = Arc::new(recogniser);
        }
        Ok(())
    }

    /// An item.
    pub fn get(&self, id: &str) -> Option<Arc<Entry>> {
        self.entries.read().get(id).cloned()
    }

    /// The item of a name.
    pub fn named(&self, name: &str) -> Option<Arc<Entry>> {
        let entries = self.entries.read();
        entries.values().find(|e| e.item.name == name).cloned()
    }

    /// Takes items in, all or none: each is a path with its content; a `parameters.yaml` is shared by its folder.
    ///
    /// # Errors
    /// `InvalidInput` with the first finding; `Storage`, `StorageFull`.
    pub async fn import(&self, files: &[(String, String)]) -> Result<usize> {
        let mut batch = Vec::new();
        for (path, read) in read_files(files) {
            let (item, shared) = read.map_err(|findings| {
                let said: Vec<_> = findings
                    .iter()
                    .take(5)
                    .map(|f| format!("{path}:{f}"))
                    .collect();
                Error::new(ErrorCode::InvalidInput, said.join("\n"))
            })?;
            let source = files.iter().find(|f| f.0 == path).map(|f| f.1.clone());
            let record = ItemRecord {
                name: item.name.clone(),
                area: item.area.clone(),
                source: source.unwrap_or_default(),
                shared: shared.to_owned(),
                updated_at: time::now(),
            };
            batch.push(Write::put(&ITEMS, item.id.clone(), &record)?);
        }
        let count = batch.len();
        if count > 0 {
            self.records.apply(batch).await?;
            self.reload().await?;
        }
        Ok(count)
    }

    /// Takes an item out; as it was written.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn remove(&self, id: &str) -> Result<String> {
        let entry = self.get(id).ok_or_else(|| Error::not_found("这个事项"))?;
        let removal = Write::Delete {
            collection: ITEMS.name,
            id: id.to_owned(),
        };
        self.records.apply(vec![removal]).await?;
        self.reload().await?;
        Ok(entry.source.clone())
    }

    /// The citations of these bases of an item, numbered from the next number of `citations`, to which new ones are added; the
    /// marks. A basis that does not stand in the documents as quoted is left out.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn cite(
        &self,
        item: &Item,
        ids: &[String],
        on: Date,
        citations: &mut Vec<Citation>,
    ) -> Result<Vec<usize>> {
        let mut marks = Vec::new();
        for id in ids {
            let Some(basis) = item.basis.iter().find(|b| b.id == *id) else {
                continue;
            };
            let Some(mut citation) = self.citation(basis, on).await? else {
                tracing::warn!(
                    item = item.id,
                    basis = id,
                    "the quote does not stand in the documents"
                );
                continue;
            };
            let same = |c: &&Citation| {
                c.document == citation.document
                    && (c.start, c.end) == (citation.start, citation.end)
            };
            let n = match citations.iter().find(same) {
                Some(cited) => cited.n,
                None => {
                    citation.n = citations.len() + 1;
                    let n = citation.n;
                    citations.push(citation);
                    n
                }
            };
            if !marks.contains(&n) {
                marks.push(n);
            }
        }
        Ok(marks)
    }

    async fn citation(&self, basis: &Basis, on: Date) -> Result<Option<Citation>> {
        let key = (basis.document.clone(), basis.quote.clone());
        let known = self.places.lock().get(&key).cloned();
        if let Some((document, span)) = known {
            let document = self.library.document(&document).await?;
            // Of the wordings of one rule, the one in force on the day.
            if !document.withdrawn
                && document.status(on) == kernel::evidence::DocumentStatus::Current
                && let Some(citation) = self.at(document, &span, &basis.quote, on).await?
            {
                return Ok(Some(citation));
            }
            self.places.lock().remove(&key);
        }
        let query = Query {
            all: vec![
                // The title on file may name the office before what the file quotes.
                Condition::contains("title", &basis.document),
                Condition::is("withdrawn", false),
            ],
            ..Query::default()
        };
        let mut documents: Vec<DocumentRecord> =
            self.library.records().list(&DOCUMENTS, &query).await?;
        documents.retain(|d| !d.replaced);
        documents.sort_by_key(|d| {
            let current = d.status(on) == kernel::evidence::DocumentStatus::Current;
            (!current, std::cmp::Reverse(d.begins))
        });
        for document in documents {
            let Ok(text) = self.library.text(&document).await else {
                continue;
            };
            let Some(start) = text.as_str().find(&basis.quote) else {
                continue;
            };
            let span = start..start + basis.quote.len();
            let place = (document.id.clone(), span.clone());
            if let Some(citation) = self.at(document, &span, &basis.quote, on).await? {
                self.places.lock().insert(key, place);
                return Ok(Some(citation));
            }
        }
        Ok(None)
    }

    /// The citation of a span, if the quote stands there: read back from the store.
    async fn at(
        &self,
        document: DocumentRecord,
        span: &Range<usize>,
        quote: &str,
        on: Date,
    ) -> Result<Option<Citation>> {
        let text = match self.library.text(&document).await {
            Ok(text) => text,
            Err(error) if matches!(error.code, ErrorCode::SourceChanged | ErrorCode::NotFound) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        if !text.confirms(span, quote) {
            return Ok(None);
        }
        let content = self.library.content(&document.id).await?;
        Ok(Source::of(document, content, text).cite(0, span, on))
    }
}
