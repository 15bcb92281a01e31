//! Who is who: accounts, sign-ins, keys, departments, and who may do what.
//!
//! | file | what |
//! |---|---|
//! | `users.rs` | accounts of people |
//! | `departments.rs` | the departments that they belong to |
//! | `passwords.rs` | argon2id, and what a password must be |
//! | `lockout.rs` | failed sign-ins, by name, known or not |
//! | `sign_ins.rs` | tokens of sign-ins: rotation, expiry, replay, revocation |
//! | `links.rs` | one-time links: set-up, invitation, reset |
//! | `keys.rs` | API keys: hashed, scoped, revocable |
//! | `flows.rs` | sign-ins under way at an identity provider |
//! | `external.rs` | accounts that an identity provider vouches for |
//! | `policy.rs` | permissions per capability and per knowledge space |
//! | `capabilities.rs`, `administration.rs`, `inputs.rs` | what the outside can do with all that |
//!
//! Secrets (tokens, keys, links) are random and stored as SHA-256 only; passwords as argon2id.

mod administration;
pub mod capabilities;
mod departments;
mod external;
mod flows;
pub mod inputs;
mod keys;
mod links;
mod lockout;
mod passwords;
mod policy;
mod sign_ins;
mod users;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use kernel::{
    Error, ErrorCode, Result,
    capability::Definition,
    id::{content_hash, secret},
    identity::{Account, Role},
    records::Records,
};
use parking_lot::Mutex;

pub use departments::Department;
pub use external::{External, ExternalKind};
pub use keys::{KeyView, NewKey};
pub use links::{Link, LinkPurpose, LinkView, Redeemed};
pub use policy::{Access, SpaceRule};
pub use sign_ins::{Client, OpenSignIn, SignedIn, Token};
pub use users::{Business, User, UserState};

/// How long what was looked up of an identity is taken for true without asking the store again: a change made by this
/// process counts at once, one made by another process after this time.
const FRESH: Duration = Duration::from_secs(1);

/// How long sign-ins last.
#[derive(Clone, Debug)]
pub struct Terms {
    /// A sign-in ends after so much time, whatever happens.
    pub lifetime: Duration,
    /// A sign-in ends after so much time without a request.
    pub idle: Duration,
    /// The browser's token is replaced when it is older than this.
    pub rotation: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_secs(12 * 3600),
            idle: Duration::from_secs(2 * 3600),
            rotation: Duration::from_secs(3600),
        }
    }
}

/// Who is who.
pub struct Identity {
    records: Arc<dyn Records>,
    terms: Terms,
    known: Mutex<HashMap<String, (Instant, Known)>>,
    policy: Mutex<Option<(Instant, Arc<policy::Policy>)>>,
    hashing: tokio::sync::Semaphore,
    definitions: OnceLock<Vec<Definition>>,
}

/// What a token or key was found to be.
#[derive(Clone)]
enum Known {
    SignIn(Box<(sign_ins::SignIn, User)>),
    Key(Account),
}

impl Identity {
    /// Opens the identities of a store.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn open(records: Arc<dyn Records>, terms: Terms) -> Result<Arc<Self>> {
        records
            .define(&[
                users::USERS,
                departments::DEPARTMENTS,
                lockout::FAILURES,
                sign_ins::SIGN_INS,
                flows::FLOWS,
                links::LINKS,
                keys::KEYS,
                policy::ACCESS,
                policy::SPACES,
            ])
            .await?;
        Ok(Arc::new(Self {
            records,
            terms,
            known: Mutex::default(),
            policy: Mutex::default(),
            // Each password takes 19 MiB and tens of milliseconds: more at once would only wait for the processor.
            hashing: tokio::sync::Semaphore::new(2),
            definitions: OnceLock::new(),
        }))
    }

    /// Learns what can be permitted; once.
    pub fn know(&self, definitions: Vec<Definition>) {
        // A second catalogue would be a mistake of the wiring; the first one stays.
        let _ = self.definitions.set(definitions);
    }

    pub(crate) fn definitions(&self) -> &[Definition] {
        self.definitions.get().map_or(&[], Vec::as_slice)
    }

    fn definition(&self, name: &str) -> Result<&Definition> {
        self.definitions()
            .iter()
            .find(|d| d.name == name)
            .ok_or_else(|| Error::not_found("这项能力"))
    }

    fn require_capabilities(&self, names: &BTreeSet<String>) -> Result<()> {
        match names.iter().find(|n| self.definition(n).is_err()) {
            Some(name) => Err(Error::new(
                ErrorCode::InvalidInput,
                format!("没有名为“{name}”的能力。能力清单见接口文档。"),
            )),
            None => Ok(()),
        }
    }

    /// Forgets what was looked up: something has changed.
    fn forget(&self) {
        self.known.lock().clear();
        *self.policy.lock() = None;
    }

    fn recall(&self, hash: &str) -> Option<Known> {
        let mut known = self.known.lock();
        match known.get(hash) {
            Some((at, found)) if at.elapsed() < FRESH => Some(found.clone()),
            Some(_) => {
                known.remove(hash);
                None
            }
            None => None,
        }
    }

    fn remember(&self, hash: &str, found: Known) {
        let mut known = self.known.lock();
        if known.len() > 10_000 {
            known.retain(|_, (at, _)| at.elapsed() < FRESH);
        }
        known.insert(hash.to_owned(), (Instant::now(), found));
    }

    /// Who shows this token of a sign-in or key.
    ///
    /// # Errors
    /// `SignInFailed` if it is wrong, expired, revoked or used again after it was replaced; `Storage`, `Unavailable`.
    pub async fn authenticate(&self, token: &str) -> Result<SignedIn> {
        if token.starts_with(keys::PREFIX) {
            let account = self.account_of_key(token).await?;
            return Ok(SignedIn {
                account,
                replacement: None,
                bearer: true,
            });
        }
        self.account_of_sign_in(token).await
    }
}

/// A new secret of 244 random bits, in hex.
fn new_secret() -> String {
    secret() + &secret()
}

/// As which a secret is stored.
fn fingerprint(secret: &str) -> String {
    content_hash(secret.as_bytes())
}

fn refused(message: &str) -> Error {
    Error::new(ErrorCode::SignInFailed, message)
}

/// Roles by their names.
///
/// # Errors
/// `InvalidInput` for a name that is none.
pub fn roles_named(names: &[String]) -> Result<BTreeSet<Role>> {
    names
        .iter()
        .map(|name| {
            Role::named(name).ok_or_else(|| {
                let all: Vec<&str> = Role::ALL.iter().map(|r| r.as_str()).collect();
                Error::new(
                    ErrorCode::InvalidInput,
                    format!("没有“{name}”这个角色。可用的角色：{}。", all.join("、")),
                )
            })
        })
        .collect()
}
