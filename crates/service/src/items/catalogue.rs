//! The items of a city, with their bases found in its documents.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::civil::Date;
use kernel::{
    Error, ErrorCode, Result,
    evidence::Citation,
    records::{Collection, Query, Records, Sort, Write},
    time,
};
use knowledge::Library;
use parking_lot::RwLock;
use rules::Book;
use serde::{Deserialize, Serialize};

use super::{
    reading::{Finding, read_item, read_shared},
    schema::{Item, Shared},
};
use crate::bases::Bases;

/// Items as they were written.
pub const ITEMS: Collection = Collection {
    name: "service_items",
    indexed: &["name", "area"],
};

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
            bases: Arc::new(Bases::new(library)),
            entries: RwLock::default(),
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
        *self.entries.write() = Arc::new(entries);
        Ok(())
    }

    /// All items.
    pub fn all(&self) -> Entries {
        self.entries.read().clone()
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

type Read<'a> = std::result::Result<(Item, &'a str), Vec<Finding>>;

/// Reads files: each item with the text of what its folder shares. Two items of one id are a finding.
pub fn read_files(files: &[(String, String)]) -> Vec<(String, Read<'_>)> {
    let folder = |path: &str| {
        path.rsplit_once(['/', '\\'])
            .map(|p| p.0.to_owned())
            .unwrap_or_default()
    };
    let is_shared = |path: &str| path.rsplit(['/', '\\']).next() == Some("parameters.yaml");
    let shared: HashMap<String, &str> = files
        .iter()
        .filter(|f| is_shared(&f.0))
        .map(|f| (folder(&f.0), f.1.as_str()))
        .collect();
    let mut seen: HashMap<String, String> = HashMap::new();
    let mut read = Vec::new();
    for (path, source) in files {
        if is_shared(path) {
            if let Err(findings) = read_shared(source) {
                read.push((path.clone(), Err(findings)));
            }
            continue;
        }
        let text = shared.get(&folder(path)).copied().unwrap_or("{}");
        let common: Shared = read_shared(text).unwrap_or_default();
        let item = read_item(source, &common).and_then(|item| {
            match seen.insert(item.id.clone(), path.clone()) {
                Some(other) => Err(vec![Finding {
                    line: 1,
                    column: 1,
                    message: format!("id“{}”已经在 {other} 里用了", item.id),
                }]),
                None => Ok((item, text)),
            }
        });
        read.push((path.clone(), item));
    }
    read
}
