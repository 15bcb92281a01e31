//! The policies of a city.

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;
use kernel::{
    Error, ErrorCode, Result,
    records::{Collection, Query, Records, Write},
    time,
};
use parking_lot::RwLock;
use rules::{Book, Facts, book::Field, sieve::Sieve};
use serde::{Deserialize, Serialize};

use super::{
    profile,
    reading::{read_policies, read_policy},
    schema::Policy,
};

/// Policies as they were written.
pub const POLICIES: Collection = Collection {
    name: "support_policies",
    indexed: &["name", "agency"],
};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct PolicyRecord {
    name: String,
    agency: String,
    source: String,
    updated_at: String,
}

/// A policy with what decides it.
#[derive(Debug)]
pub struct Entry {
    /// The policy.
    pub policy: Policy,
    /// What decides and computes.
    pub book: Book,
    /// The profile fields that it asks, in the order of the form.
    pub asks: Vec<&'static str>,
    /// As it was written.
    pub source: String,
    /// When it was last changed.
    pub updated_at: String,
}

impl Entry {
    /// A policy made ready.
    pub fn new(policy: Policy, source: String, updated_at: String) -> Self {
        let book = policy.book();
        let mut asked: Vec<&str> = Vec::new();
        for rule in &book.rules {
            let expressions = std::iter::once(&rule.require).chain(&rule.when);
            asked.extend(
                expressions
                    .flat_map(|e| book.fields_of(e))
                    .map(|f| f.id.as_str()),
            );
        }
        for amount in &book.amounts {
            let expressions = std::iter::once(&amount.value).chain(&amount.when);
            asked.extend(
                expressions
                    .flat_map(|e| book.fields_of(e))
                    .map(|f| f.id.as_str()),
            );
        }
        let fields = profile::fields().iter().map(|f| f.id.as_str());
        let asks = fields.filter(|f| asked.contains(f)).collect();
        Self {
            policy,
            asks,
            book,
            source,
            updated_at,
        }
    }

    /// The facts that it asks, of all that are known.
    pub fn asked(&self, facts: &Facts) -> Facts {
        let known = self.asks.iter().filter_map(|id| facts.get_key_value(*id));
        known.map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// What decides many cases on a day; nothing if the book has to.
    pub fn sieve(&self, on: Date) -> Option<Sieve> {
        let headline = self.policy.headline().map(|a| a.id.as_str());
        Sieve::new(&self.book, profile::layout(), on, headline)
    }

    /// The same book for a business that asks what to change: what it cannot change has no other values.
    pub fn movable(&self, fields: &[Field]) -> Book {
        Book {
            fields: fields
                .iter()
                .filter(|f| self.asks.contains(&f.id.as_str()))
                .cloned()
                .collect(),
            parameters: self.book.parameters.clone(),
            rules: self.book.rules.clone(),
            amounts: self.book.amounts.clone(),
        }
    }
}

type Entries = Arc<BTreeMap<String, Arc<Entry>>>;

/// The policies of a city.
pub struct Policies {
    records: Arc<dyn Records>,
    entries: RwLock<Entries>,
}

impl Policies {
    /// Opens the policies of a store. One that no longer makes sense to this program is left out, and said in the log.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn open(records: Arc<dyn Records>) -> Result<Arc<Self>> {
        records.define(&[POLICIES]).await?;
        let policies = Arc::new(Self {
            records,
            entries: RwLock::default(),
        });
        policies.reload().await?;
        Ok(policies)
    }

    /// Reads the policies of the store again.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn reload(&self) -> Result<()> {
        let mut entries = BTreeMap::new();
        for record in self.records.find(&POLICIES, &Query::default()).await? {
            let stored: PolicyRecord = match serde_json::from_value(record.body) {
                Ok(stored) => stored,
                Err(error) => {
                    tracing::error!(policy = record.id, %error, "a policy cannot be read");
                    continue;
                }
            };
            match read_policy(&stored.source) {
                Ok(policy) => {
                    let entry = Entry::new(policy, stored.source, stored.updated_at);
                    entries.insert(entry.policy.id.clone(), Arc::new(entry));
                }
                Err(findings) => {
                    let first = findings.first().map(ToString::to_string);
                    tracing::error!(policy = record.id, first, "a policy makes no sense");
                }
            }
        }
        *self.entries.write() = Arc::new(entries);
        Ok(())
    }

    /// All policies.
    pub fn all(&self) -> Entries {
        self.entries.read().clone()
    }

    /// A policy.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn get(&self, id: &str) -> Result<Arc<Entry>> {
        let entries = self.entries.read();
        entries
            .get(id)
            .cloned()
            .ok_or_else(|| Error::not_found("这项政策"))
    }

    /// Takes policies in, all or none: each is a path with its content.
    ///
    /// # Errors
    /// `InvalidInput` with the first findings; `Storage`, `StorageFull`.
    pub async fn import(&self, files: &[(String, String)]) -> Result<usize> {
        let mut batch = Vec::new();
        for ((path, source), (_, read)) in files.iter().zip(read_policies(files)) {
            let policy = read.map_err(|findings| {
                let said: Vec<_> = findings
                    .iter()
                    .take(5)
                    .map(|f| format!("{path}:{f}"))
                    .collect();
                Error::new(ErrorCode::InvalidInput, said.join("\n"))
            })?;
            let record = PolicyRecord {
                name: policy.name.clone(),
                agency: policy.agency.clone(),
                source: source.clone(),
                updated_at: time::now(),
            };
            batch.push(Write::put(&POLICIES, policy.id.clone(), &record)?);
        }
        let count = batch.len();
        if count > 0 {
            self.records.apply(batch).await?;
            self.reload().await?;
        }
        Ok(count)
    }

    /// Takes a policy out; as it was written.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn remove(&self, id: &str) -> Result<String> {
        let entry = self.get(id)?;
        let removal = Write::Delete {
            collection: POLICIES.name,
            id: id.to_owned(),
        };
        self.records.apply(vec![removal]).await?;
        self.reload().await?;
        Ok(entry.source.clone())
    }
}
