//! API keys: hashed, scoped, revocable.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use kernel::{
    Error, ErrorCode, Page, Result,
    id::fresh,
    identity::{Account, Role, Via},
    page::PageRequest,
    records::{Collection, Condition, Expect, Query, Sort, Write},
    time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Identity, Known, fingerprint, new_secret, refused};

pub(super) const KEYS: Collection = Collection {
    name: "api_keys",
    indexed: &["hash", "created_at"],
};

/// How every key begins, so that people and scanners for leaked secrets know one.
pub(super) const PREFIX: &str = "cmk_";
/// When a key was last used is written down at most so often.
const USED: SignedDuration = SignedDuration::from_mins(10);

/// A key without its secret.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct KeyView {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// The beginning of the key, to know it by.
    pub hint: String,
    /// What it may act as.
    pub roles: BTreeSet<Role>,
    /// Only these capabilities; all that its roles allow if none.
    #[serde(default)]
    pub scope: Option<BTreeSet<String>>,
    /// Departments, by id.
    #[serde(default)]
    pub departments: BTreeSet<String>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: String,
    /// Until when it counts; for good if none.
    pub expires_at: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<String>,
    /// When it was last used, to within ten minutes.
    pub used_at: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeyRecord {
    #[serde(flatten)]
    view: KeyView,
    hash: String,
}

/// What a new key shall be.
#[derive(Clone, Debug, Default)]
pub struct NewKey {
    /// What it is for.
    pub name: String,
    /// What it may act as.
    pub roles: BTreeSet<Role>,
    /// Only these capabilities.
    pub scope: Option<BTreeSet<String>>,
    /// Departments, by id.
    pub departments: BTreeSet<String>,
    /// Counts so many days; for good if none.
    pub days: Option<u32>,
    /// Who makes it.
    pub created_by: String,
}

impl Identity {
    /// Makes a key; its secret is told only here.
    ///
    /// # Errors
    /// `InvalidInput`, `Storage`.
    pub async fn create_key(&self, new: NewKey) -> Result<(KeyView, String)> {
        let name = new.name.trim();
        if name.is_empty() || name.chars().count() > 50 {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "密钥名称应为 1 到 50 个字，写明给谁、做什么用。",
            ));
        }
        if new.roles.is_empty() {
            return Err(Error::new(ErrorCode::InvalidInput, "请至少指定一个角色。"));
        }
        if new.days.is_some_and(|d| d == 0 || d > 3650) {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "有效期应为 1 到 3650 天。",
            ));
        }
        let key = format!("{PREFIX}{}", new_secret());
        let lasts = |days: u32| SignedDuration::from_hours(i64::from(days) * 24);
        let view = KeyView {
            id: fresh(),
            name: name.to_owned(),
            hint: key.chars().take(PREFIX.len() + 6).collect(),
            roles: new.roles,
            scope: new.scope,
            departments: new.departments,
            created_by: new.created_by,
            created_at: time::now(),
            expires_at: new.days.map(|d| time::format(Timestamp::now() + lasts(d))),
            revoked_at: None,
            used_at: None,
        };
        let record = KeyRecord {
            view: view.clone(),
            hash: fingerprint(&key),
        };
        self.records.save(&KEYS, &view.id, &record).await?;
        Ok((view, key))
    }

    /// Keys, the latest first.
    ///
    /// # Errors
    /// `Storage`.
    pub(super) async fn list_keys(&self, page: PageRequest) -> Result<Page<KeyView>> {
        let query = Query {
            sort: Some(Sort {
                field: "created_at".into(),
                descending: true,
            }),
            offset: page.offset(),
            limit: page.size(),
            ..Query::default()
        };
        let found: Vec<KeyRecord> = self.records.list(&KEYS, &query).await?;
        let total = self.records.count(&KEYS, &[]).await?;
        Ok(page.of(found.into_iter().map(|k| k.view).collect(), total))
    }

    pub(super) async fn key(&self, id: &str) -> Result<KeyView> {
        let found: Option<KeyRecord> = self.records.read(&KEYS, id).await?;
        Ok(found.ok_or_else(|| Error::not_found("这个密钥"))?.view)
    }

    /// Revokes a key. Revoking it again is no error.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub(super) async fn revoke_key(&self, id: &str) -> Result<KeyView> {
        let found: Option<KeyRecord> = self.records.read(&KEYS, id).await?;
        let mut key = found.ok_or_else(|| Error::not_found("这个密钥"))?;
        if key.view.revoked_at.is_none() {
            key.view.revoked_at = Some(time::now());
            self.records.save(&KEYS, id, &key).await?;
        }
        self.forget();
        Ok(key.view)
    }

    pub(super) async fn account_of_key(&self, key: &str) -> Result<Account> {
        let hash = fingerprint(key);
        if let Some(Known::Key(account)) = self.recall(&hash) {
            return Ok(account);
        }
        let query = Query::by(Condition::is("hash", hash.as_str()));
        let found = self.records.find(&KEYS, &query).await?.pop();
        let wrong = || refused("密钥无效。请核对，或向管理员要一个新密钥。");
        let found = found.ok_or_else(wrong)?;
        let mut record: KeyRecord = serde_json::from_value(found.body).map_err(Error::internal)?;
        let view = &record.view;
        let now = time::now();
        if view.revoked_at.is_some() {
            return Err(refused("密钥已被吊销。请向管理员要一个新密钥。"));
        }
        if view.expires_at.as_ref().is_some_and(|e| *e <= now) {
            return Err(refused("密钥已过期。请向管理员要一个新密钥。"));
        }
        let account = Account {
            id: view.id.clone(),
            name: view.name.clone(),
            roles: view.roles.clone(),
            departments: view.departments.clone(),
            verified: false,
            via: Via::Key,
            scope: view.scope.clone(),
        };
        let lately = time::format(Timestamp::now() - USED);
        if view.used_at.as_ref().is_none_or(|u| *u < lately) {
            record.view.used_at = Some(now);
            let write = Write::put(&KEYS, &account.id, &record)?;
            // It only informs; whoever changed the key meanwhile goes first.
            let noted = self
                .records
                .apply(vec![write.expecting(Expect::Revision(found.revision))])
                .await;
            if let Err(error) = noted {
                tracing::debug!(detail = error.detail, "time of use not kept: {error}");
            }
        }
        self.remember(&hash, Known::Key(account.clone()));
        Ok(account)
    }
}
