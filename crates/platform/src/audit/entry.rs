//! An entry, its canonical line and its hash.

use std::collections::BTreeMap;

use kernel::{
    Error, Result,
    id::{content_hash, derived},
    identity::Caller,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The action of an anchor, whose detail holds heads of other chains: `chain` → `seq hash`.
pub(super) const ANCHOR: &str = "audit.anchor";

/// Who did it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// The account or key; for an anonymous citizen a name derived from the browser's cookie, which it doesn't reveal.
    pub id: String,
    /// What it was called then.
    pub name: String,
    /// How it had proved who it is: `sign_in`, `key`, `system`, `anonymous`.
    pub via: String,
    /// The network address; empty if there is none.
    pub address: String,
}

impl Actor {
    /// A caller as the log names it.
    pub fn of(caller: &Caller) -> Self {
        let address = caller.address.map(|a| a.to_string()).unwrap_or_default();
        match &caller.account {
            Some(account) => Self {
                id: account.id.clone(),
                name: account.name.clone(),
                via: account.via.as_str().to_owned(),
                address,
            },
            None => Self {
                id: format!("visitor:{}", derived(&["visitor", &caller.visitor])),
                name: String::new(),
                via: "anonymous".to_owned(),
                address,
            },
        }
    }
}

/// An entry. Its canonical form is this struct as compact JSON, the fields in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The chain: one for each process that wrote.
    pub chain: String,
    /// Its number in the chain, from 1.
    pub seq: u64,
    /// When it ended.
    pub at: String,
    /// Who did it.
    pub actor: Actor,
    /// What, e.g. a capability's name.
    pub action: String,
    /// To what, e.g. a document's id.
    pub subject: String,
    /// `ok`, else the code of the error.
    pub outcome: String,
    /// It had effects, and the entry was committed with them.
    pub effects: bool,
    /// The request, as the reply names it.
    pub request: String,
    /// How long it took until the entry was written, in milliseconds.
    pub elapsed_ms: u64,
    /// More, e.g. what a value was before.
    pub detail: BTreeMap<String, String>,
    /// The hash of the entry before; empty for the first.
    pub prev: String,
    /// The SHA-256 of this entry's canonical form with an empty `hash`, in hex.
    pub hash: String,
}

impl Entry {
    /// What its hash must be.
    ///
    /// # Errors
    /// `Internal` if it can't be written as JSON.
    pub fn digest(&self) -> Result<String> {
        let open = Self {
            hash: String::new(),
            ..self.clone()
        };
        Ok(content_hash(open.line()?.as_bytes()))
    }

    /// Its canonical form, without a line end.
    ///
    /// # Errors
    /// `Internal` if it can't be written as JSON.
    pub fn line(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::internal)
    }

    /// Its id in the store: entries sort by chain, then number.
    pub(super) fn id(&self) -> String {
        format!("{}-{:012}", self.chain, self.seq)
    }
}

/// The last line of an export: how many entries there are and where each chain ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// How many entries precede it.
    pub sealed: u64,
    /// When it was exported.
    pub at: String,
    /// `chain` → `seq hash` of its last entry.
    pub heads: BTreeMap<String, String>,
    /// The SHA-256 of this line with an empty `hash`, in hex.
    pub hash: String,
}

impl Seal {
    /// A seal on so many entries.
    ///
    /// # Errors
    /// `Internal` if it can't be written as JSON.
    pub fn on(entries: u64, at: String, heads: BTreeMap<String, String>) -> Result<Self> {
        let mut seal = Self {
            sealed: entries,
            at,
            heads,
            hash: String::new(),
        };
        seal.hash = seal.digest()?;
        Ok(seal)
    }

    /// What its hash must be.
    ///
    /// # Errors
    /// `Internal` if it can't be written as JSON.
    pub fn digest(&self) -> Result<String> {
        let open = Self {
            hash: String::new(),
            ..self.clone()
        };
        Ok(content_hash(open.line()?.as_bytes()))
    }

    /// Its canonical form, without a line end.
    ///
    /// # Errors
    /// `Internal` if it can't be written as JSON.
    pub fn line(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::internal)
    }
}
