//! What the administration of identities takes and gives.

use std::collections::BTreeSet;

use kernel::identity::Role;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    keys::KeyView,
    links::Link,
    policy::Access,
    users::{User, UserState},
};

/// Which accounts.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UsersInput {
    /// A part of the name or login name.
    #[serde(default)]
    pub text: Option<String>,
    /// Only in this state.
    #[serde(default)]
    pub state: Option<UserState>,
    /// Only of this department, by id.
    #[serde(default)]
    pub department: Option<String>,
    /// Which page, from 1 (default 1).
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub page: Option<u64>,
    /// How many items a page holds (default 20, at most 200).
    #[serde(default)]
    #[schemars(range(min = 1, max = 200))]
    pub page_size: Option<u64>,
}

/// A new account.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUserInput {
    /// The name to sign in by: 2 to 40 letters, digits and `. _ - @`.
    #[schemars(length(min = 2, max = 40))]
    pub login: String,
    /// What the person is called.
    #[schemars(length(min = 1, max = 50))]
    pub name: String,
    /// What it may act as.
    #[serde(default)]
    pub roles: BTreeSet<Role>,
    /// Departments, by id.
    #[serde(default)]
    pub departments: BTreeSet<String>,
}

/// A new account with the link for whom it is meant.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Invited {
    /// The account.
    pub user: User,
    /// Where its owner sets the password.
    pub link: Link,
}

/// A change of an account; what is left out stays.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChangeInput {
    /// Its id.
    pub id: String,
    /// What the person is called.
    #[serde(default)]
    pub name: Option<String>,
    /// What it may act as.
    #[serde(default)]
    pub roles: Option<BTreeSet<Role>>,
    /// Departments, by id.
    #[serde(default)]
    pub departments: Option<BTreeSet<String>>,
    /// Out of use, or in use again.
    #[serde(default)]
    pub disabled: Option<bool>,
}

/// A new department.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DepartmentInput {
    /// Its name.
    #[schemars(length(min = 1, max = 50))]
    pub name: String,
    /// The department that it belongs to, by id.
    #[serde(default)]
    pub parent: Option<String>,
}

/// A change of a department.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DepartmentChangeInput {
    /// Its id.
    pub id: String,
    /// Its name.
    #[schemars(length(min = 1, max = 50))]
    pub name: String,
    /// The department that it belongs to, by id.
    #[serde(default)]
    pub parent: Option<String>,
}

/// A new key.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKeyInput {
    /// What it is for.
    #[schemars(length(min = 1, max = 50))]
    pub name: String,
    /// What it may act as.
    #[schemars(length(min = 1))]
    pub roles: BTreeSet<Role>,
    /// Only these capabilities.
    #[serde(default)]
    pub scope: Option<BTreeSet<String>>,
    /// Departments, by id.
    #[serde(default)]
    pub departments: BTreeSet<String>,
    /// Counts so many days; for good if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 3650))]
    pub days: Option<u32>,
}

/// A new key with its secret.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct CreatedKey {
    /// The key without its secret.
    #[serde(flatten)]
    pub view: KeyView,
    /// The key itself, told only here.
    pub key: String,
}

/// Who may use a capability.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PermissionView {
    /// Its name.
    pub capability: String,
    /// Its Chinese title.
    pub title: String,
    /// What it does.
    pub description: String,
    /// Changes something.
    pub effects: bool,
    /// Who may by its definition.
    pub default: Access,
    /// Who may now.
    pub access: Access,
}

/// A change of who may use a capability.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PermissionInput {
    /// Its name.
    pub capability: String,
    /// Who may; what its definition says if left out.
    #[serde(default)]
    pub access: Option<Access>,
}

/// A change of who sees a knowledge space.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpaceInput {
    /// The space's name.
    #[schemars(length(min = 1, max = 50))]
    pub space: String,
    /// Who sees it; everybody if left out.
    #[serde(default)]
    pub access: Option<Access>,
}
