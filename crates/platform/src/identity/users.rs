//! Accounts of people.

use std::collections::BTreeSet;

use kernel::{
    Error, ErrorCode, Page, Result,
    id::derived,
    identity::{Account, Role, Via},
    page::PageRequest,
    records::{Collection, Condition, Expect, Query, Sort, Write},
    time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Identity, passwords};

pub(super) const USERS: Collection = Collection {
    name: "users",
    indexed: &["login", "name", "state"],
};

/// Whether an account can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    /// Invited, and without a password yet.
    Invited,
    /// Can sign in.
    Active,
    /// Cannot sign in; what it did stays.
    Disabled,
}

/// An account of a person.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Its id.
    pub id: String,
    /// The name to sign in by; for an account of an identity provider, the provider's name.
    pub login: String,
    /// What the person is called.
    pub name: String,
    /// What it may act as.
    pub roles: BTreeSet<Role>,
    /// Departments, by id.
    pub departments: BTreeSet<String>,
    /// Whether it can be used.
    pub state: UserState,
    /// An identity provider confirmed who it is.
    pub verified: bool,
    /// The business that it acts for.
    #[serde(default)]
    pub business: Option<Business>,
    /// An identity provider signs it in, not a password.
    pub external: bool,
    /// When it was made.
    pub created_at: String,
    /// When it last signed in.
    #[serde(default)]
    pub signed_in_at: Option<String>,
}

/// A business, as its identity provider names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Business {
    /// Its name.
    pub name: String,
    /// Its unified social credit code.
    pub credit_code: String,
}

/// An account as the store keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct UserRecord {
    #[serde(flatten)]
    pub(super) user: User,
    /// The argon2id hash.
    #[serde(default)]
    pub(super) password: Option<String>,
    /// `|id|id|`, to be searched.
    #[serde(default)]
    department_list: String,
}

impl UserRecord {
    pub(super) fn new(user: User, password: Option<String>) -> Self {
        let list: String = user.departments.iter().map(|d| format!("{d}|")).collect();
        Self {
            department_list: format!("|{list}"),
            user,
            password,
        }
    }
}

impl User {
    /// The account as a call sees it.
    pub(super) fn account(&self, via: Via) -> Account {
        Account {
            id: self.id.clone(),
            name: self.name.clone(),
            roles: self.roles.clone(),
            departments: self.departments.clone(),
            verified: self.verified,
            via,
            scope: None,
        }
    }
}

/// What can be changed about an account.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    pub(super) name: Option<String>,
    pub(super) roles: Option<BTreeSet<Role>>,
    pub(super) departments: Option<BTreeSet<String>>,
    pub(super) disabled: Option<bool>,
}

/// The name by which somebody signs in: case doesn't matter.
pub(super) fn login_of(text: &str) -> String {
    text.trim().to_lowercase()
}

pub(super) fn user_id(login: &str) -> String {
    derived(&["user", &login_of(login)])
}

fn require_login(login: &str) -> Result<String> {
    let login = login_of(login);
    let sound = (2..=40).contains(&login.chars().count())
        && login
            .chars()
            .all(|c| c.is_alphanumeric() || "._-@".contains(c));
    if sound {
        Ok(login)
    } else {
        Err(Error::new(
            ErrorCode::InvalidInput,
            "登录名应为 2 到 40 个字，只能用文字、数字和 . _ - @。",
        ))
    }
}

fn require_name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 50 || name.chars().any(char::is_control) {
        return Err(Error::new(
            ErrorCode::InvalidInput,
            "姓名应为 1 到 50 个字。",
        ));
    }
    Ok(name.to_owned())
}

impl Identity {
    /// An account with the revision at which it stands.
    pub(super) async fn user_record(&self, id: &str) -> Result<(UserRecord, u64)> {
        let found = self.records.get(&USERS, id).await?;
        let record = found.ok_or_else(|| Error::not_found("这个账号"))?;
        let user = serde_json::from_value(record.body).map_err(Error::internal)?;
        Ok((user, record.revision))
    }

    /// An account.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn user(&self, id: &str) -> Result<User> {
        Ok(self.user_record(id).await?.0.user)
    }

    /// Accounts, by login name.
    ///
    /// # Errors
    /// `Storage`.
    pub(super) async fn list_users(
        &self,
        text: Option<&str>,
        state: Option<UserState>,
        department: Option<&str>,
        page: PageRequest,
    ) -> Result<Page<User>> {
        let mut all = Vec::new();
        if let Some(text) = text.map(str::trim).filter(|t| !t.is_empty()) {
            all.push(Condition::Any(vec![
                Condition::contains("login", text),
                Condition::contains("name", text),
            ]));
        }
        if let Some(state) = state {
            let state = serde_json::to_value(state).map_err(Error::internal)?;
            all.push(Condition::Is("state".into(), state));
        }
        if let Some(department) = department.filter(|d| !d.is_empty()) {
            let mark = format!("|{department}|");
            all.push(Condition::contains("department_list", &mark));
        }
        let total = self.records.count(&USERS, &all).await?;
        let query = Query {
            all,
            sort: Some(Sort {
                field: "login".into(),
                descending: false,
            }),
            offset: page.offset(),
            limit: page.size(),
        };
        let found: Vec<UserRecord> = self.records.list(&USERS, &query).await?;
        Ok(page.of(found.into_iter().map(|u| u.user).collect(), total))
    }

    /// The write that makes an account which nobody has yet.
    pub(super) async fn new_user(
        &self,
        login: &str,
        name: &str,
        roles: BTreeSet<Role>,
        departments: BTreeSet<String>,
    ) -> Result<(User, Write)> {
        let login = require_login(login)?;
        let user = User {
            id: user_id(&login),
            name: require_name(name)?,
            login,
            roles,
            departments: self.require_departments(departments).await?,
            state: UserState::Invited,
            verified: false,
            business: None,
            external: false,
            created_at: time::now(),
            signed_in_at: None,
        };
        let record = UserRecord::new(user.clone(), None);
        let write = Write::put(&USERS, &user.id, &record)?.expecting(Expect::Absent);
        Ok((user, write))
    }

    async fn require_departments(&self, wanted: BTreeSet<String>) -> Result<BTreeSet<String>> {
        let all = self.departments().await?;
        match wanted.iter().find(|w| !all.iter().any(|d| d.id == **w)) {
            Some(_) => Err(Error::not_found("所选的部门")),
            None => Ok(wanted),
        }
    }

    /// Changes an account. A disabled one is signed out everywhere.
    pub(super) async fn change_user(&self, id: &str, change: Change) -> Result<User> {
        let (mut record, revision) = self.user_record(id).await?;
        let before = record.user.clone();
        if let Some(name) = change.name {
            record.user.name = require_name(&name)?;
        }
        if let Some(roles) = change.roles {
            record.user.roles = roles;
        }
        if let Some(departments) = change.departments {
            record.user.departments = self.require_departments(departments).await?;
        }
        if let Some(disabled) = change.disabled {
            record.user.state = match (disabled, &record.password, record.user.external) {
                (true, ..) => UserState::Disabled,
                (false, None, false) => UserState::Invited,
                (false, ..) => UserState::Active,
            };
        }
        self.require_an_administrator(&before, &record.user).await?;
        let user = record.user.clone();
        let record = UserRecord::new(record.user, record.password);
        let mut batch =
            vec![Write::put(&USERS, id, &record)?.expecting(Expect::Revision(revision))];
        if user.state == UserState::Disabled {
            batch.extend(self.sign_outs(id, None).await?);
        }
        self.records.apply(batch).await?;
        self.forget();
        Ok(user)
    }

    /// Somebody must be left who can let others in.
    async fn require_an_administrator(&self, before: &User, after: &User) -> Result<()> {
        let runs =
            |u: &User| u.state == UserState::Active && u.roles.contains(&Role::Administrator);
        if !runs(before) || runs(after) {
            return Ok(());
        }
        let others: Vec<UserRecord> = self
            .records
            .list(&USERS, &Query::by(Condition::is("state", "active")))
            .await?;
        if others
            .iter()
            .any(|o| o.user.id != before.id && runs(&o.user))
        {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::Conflict,
            "这是最后一个可用的管理员，不能停用或取消管理员角色。请先指定另一位管理员。",
        ))
    }

    /// Whether anybody can administer yet.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn has_administrator(&self) -> Result<bool> {
        let active: Vec<UserRecord> = self
            .records
            .list(&USERS, &Query::by(Condition::is("state", "active")))
            .await?;
        Ok(active
            .iter()
            .any(|u| u.user.roles.contains(&Role::Administrator)))
    }

    /// The write that sets a password and makes the account usable.
    pub(super) async fn with_password(
        &self,
        id: &str,
        password: &str,
        name: Option<&str>,
    ) -> Result<(User, Write)> {
        let (mut record, revision) = self.user_record(id).await?;
        passwords::require_strong(password, &record.user.login)?;
        if record.user.state == UserState::Disabled {
            return Err(Error::new(
                ErrorCode::Forbidden,
                "这个账号已停用，请联系管理员。",
            ));
        }
        if let Some(name) = name.filter(|n| !n.trim().is_empty()) {
            record.user.name = require_name(name)?;
        }
        record.user.state = UserState::Active;
        // Who sets a password by a link is signed in with it; who changes it is already.
        record.user.signed_in_at = Some(time::now());
        let hash = self.hash_password(password).await?;
        let user = record.user.clone();
        let record = UserRecord::new(record.user, Some(hash));
        let write = Write::put(&USERS, id, &record)?.expecting(Expect::Revision(revision));
        Ok((user, write))
    }
}
