//! The items of a city, with their bases found in its documents.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::civil::Date;
use kernel::{
    Error, ErrorCode, Result,
    evidence::Citation,
    models::EmbedAs,
    records::{Collection, Query, Records, Sort, Write},
    time,
};
use knowledge::Library;
use parking_lot::RwLock;
use rules::Book;
use serde::{Deserialize, Serialize};

pub use super::reading::read_files;
use super::{
    reading::{read_item, read_shared},
    schema::Item,
};
use crate::{
    bases::Bases,
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

/// The items of a city.
pub struct Catalogue {
    records: Arc<dyn Records>,
    bases: Arc<Bases>,
    entries: RwLock<Entries>,
    library: Arc<Library>,
    recogniser: RwLock<Arc<Recogniser>>,
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
            bases: Arc::new(Bases::new(library.clone())),
            entries: RwLock::default(),
            library,
            recogniser: RwLock::new(Arc::new(Recogniser::new(&[]))),
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
        let mut citing = self.bases.reply(on).after(std::mem::take(citations));
        let marks = citing.cite(&item.basis, ids).await;
        *citations = citing.citations();
        marks
    }

    /// Where quotes stand in the documents.
    pub fn bases(&self) -> &Arc<Bases> {
        &self.bases
    }
}
