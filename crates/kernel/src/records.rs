//! Seam: versioned JSON records with atomic batches.
//!
//! A product declares its collections and the fields it asks by; an engine keeps them. The revision of the store grows
//! with every batch, so that whoever derives something from records (an index, a feed) can go on from where it stood.

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Error, ErrorCode, Result};

/// A named set of records.
#[derive(Clone, Copy, Debug)]
pub struct Collection {
    /// Lower-case letters, digits and `_`.
    pub name: &'static str,
    /// The fields by which records are found or sorted quickly; other fields work too, slowly.
    pub indexed: &'static [&'static str],
}

/// A stored record.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Unique in its collection.
    pub id: String,
    /// The revision of the batch that last wrote it.
    pub revision: u64,
    /// A JSON object.
    pub body: Value,
}

/// What must hold for a write to be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expect {
    /// Nothing.
    #[default]
    Any,
    /// No record stands under the id yet.
    Absent,
    /// The record stands at this revision.
    Revision(u64),
}

/// One change of a batch.
#[derive(Clone, Debug)]
pub enum Write {
    /// Creates or replaces a record.
    Put {
        /// Where.
        collection: &'static str,
        /// Which.
        id: String,
        /// A JSON object.
        body: Value,
        /// What must hold.
        expect: Expect,
    },
    /// Removes a record; removing what is not there is no error.
    Delete {
        /// Where.
        collection: &'static str,
        /// Which.
        id: String,
    },
}

impl Write {
    /// Creates or replaces the record.
    ///
    /// # Errors
    /// `Internal` if the body can't be written as JSON.
    pub fn put<T: Serialize>(
        collection: &Collection,
        id: impl Into<String>,
        body: &T,
    ) -> Result<Self> {
        Ok(Self::Put {
            collection: collection.name,
            id: id.into(),
            body: serde_json::to_value(body).map_err(Error::internal)?,
            expect: Expect::Any,
        })
    }

    /// The same, on a condition.
    #[must_use]
    pub fn expecting(mut self, wanted: Expect) -> Self {
        if let Self::Put { expect, .. } = &mut self {
            *expect = wanted;
        }
        self
    }
}

/// A condition on a field. Fields are named by dots (`source.name`); strings compare by code point, numbers by value.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Equal to a string, number or boolean; `null` matches a missing field.
    Is(String, Value),
    /// One of these.
    In(String, Vec<Value>),
    /// At least.
    AtLeast(String, Value),
    /// At most.
    AtMost(String, Value),
    /// A string that contains this text, upper and lower case of ASCII alike.
    Contains(String, String),
    /// One of these conditions holds.
    Any(Vec<Condition>),
    /// This condition doesn't hold (a missing field doesn't meet a condition either).
    Not(Box<Condition>),
    /// Written by a batch after this revision.
    After(u64),
}

impl Condition {
    /// Equal.
    pub fn is(field: &str, value: impl Into<Value>) -> Self {
        Self::Is(field.to_owned(), value.into())
    }

    /// Contains this text.
    pub fn contains(field: &str, text: &str) -> Self {
        Self::Contains(field.to_owned(), text.to_owned())
    }
}

/// By what records are sorted; ties by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// A field, or `""` for the revision.
    pub field: String,
    /// Largest first.
    pub descending: bool,
}

/// Which records, in which order.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// All of these must hold.
    pub all: Vec<Condition>,
    /// The order; by id if none.
    pub sort: Option<Sort>,
    /// How many to pass over.
    pub offset: u64,
    /// At most so many; 0 for all.
    pub limit: u64,
}

impl Query {
    /// All records that meet a condition.
    pub fn by(condition: Condition) -> Self {
        Self {
            all: vec![condition],
            ..Self::default()
        }
    }
}

/// Versioned JSON records with atomic batches.
#[async_trait]
pub trait Records: Send + Sync {
    /// Makes the collections and their indexes where they are missing. Safe to run again.
    ///
    /// # Errors
    /// `Storage`, `StorageFull`.
    async fn define(&self, collections: &[Collection]) -> Result<()>;

    /// One record.
    ///
    /// # Errors
    /// `Storage`.
    async fn get(&self, collection: &Collection, id: &str) -> Result<Option<Record>>;

    /// The records that match.
    ///
    /// # Errors
    /// `Storage`.
    async fn find(&self, collection: &Collection, query: &Query) -> Result<Vec<Record>>;

    /// How many records match; order, offset and limit don't count.
    ///
    /// # Errors
    /// `Storage`.
    async fn count(&self, collection: &Collection, all: &[Condition]) -> Result<u64>;

    /// How many matching records have each value of a field, most frequent first, ties by value. A missing field counts
    /// as `null`.
    ///
    /// # Errors
    /// `Storage`.
    async fn count_by(
        &self,
        collection: &Collection,
        field: &str,
        all: &[Condition],
    ) -> Result<Vec<(Value, u64)>>;

    /// Makes all the writes or none, durably, and returns the batch's revision.
    ///
    /// # Errors
    /// `Conflict` if an expectation doesn't hold, `StorageFull`, `Storage`.
    async fn apply(&self, batch: Vec<Write>) -> Result<u64>;

    /// The revision of the last batch; 0 before the first.
    ///
    /// # Errors
    /// `Storage`.
    async fn revision(&self) -> Result<u64>;
}

/// Records as Rust types.
impl dyn Records + '_ {
    /// One record, read as `T`.
    ///
    /// # Errors
    /// `Storage`; `Internal` if it isn't a `T`.
    pub async fn read<T: DeserializeOwned>(
        &self,
        collection: &Collection,
        id: &str,
    ) -> Result<Option<T>> {
        self.get(collection, id)
            .await?
            .map(|r| decode(collection, r))
            .transpose()
    }

    /// The records that match, read as `T`.
    ///
    /// # Errors
    /// `Storage`; `Internal` if one isn't a `T`.
    pub async fn list<T: DeserializeOwned>(
        &self,
        collection: &Collection,
        query: &Query,
    ) -> Result<Vec<T>> {
        let found = self.find(collection, query).await?;
        found.into_iter().map(|r| decode(collection, r)).collect()
    }

    /// Writes one record, whatever stands there.
    ///
    /// # Errors
    /// `StorageFull`, `Storage`.
    pub async fn save<T: Serialize + Sync>(
        &self,
        collection: &Collection,
        id: &str,
        body: &T,
    ) -> Result<u64> {
        self.apply(vec![Write::put(collection, id, body)?]).await
    }
}

fn decode<T: DeserializeOwned>(collection: &Collection, record: Record) -> Result<T> {
    serde_json::from_value(record.body).map_err(|e| {
        Error::new(
            ErrorCode::Internal,
            "存储的记录与当前版本不符，请联系管理员。",
        )
        .with_detail(format!("{}/{}: {e}", collection.name, record.id))
    })
}
