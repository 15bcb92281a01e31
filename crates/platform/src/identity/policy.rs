//! Permissions per capability and per knowledge space: what the definition says, unless an administrator says otherwise.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Instant,
};

use kernel::{
    Error, ErrorCode, Result,
    capability::{Definition, Permission},
    id::derived,
    identity::{Account, Caller, Role},
    records::{Collection, Query, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FRESH, Identity};

pub(super) const ACCESS: Collection = Collection {
    name: "access_rules",
    indexed: &[],
};
pub(super) const SPACES: Collection = Collection {
    name: "space_rules",
    indexed: &[],
};

/// Who may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Access {
    /// Anyone, without signing in.
    Public,
    /// Whoever is signed in.
    SignedIn,
    /// A citizen or business behind whom a real one stands, and staff.
    Verified,
    /// Whoever has one of these roles or belongs to one of these departments. The administrator always may.
    Some {
        /// The roles.
        #[serde(default)]
        roles: BTreeSet<Role>,
        /// The departments, by id.
        #[serde(default)]
        departments: BTreeSet<String>,
    },
}

impl From<Permission> for Access {
    fn from(permission: Permission) -> Self {
        match permission {
            Permission::Public => Self::Public,
            Permission::SignedIn => Self::SignedIn,
            Permission::Verified => Self::Verified,
            Permission::Roles(roles) => Self::Some {
                roles: roles.iter().copied().collect(),
                departments: BTreeSet::new(),
            },
        }
    }
}

impl Access {
    fn allows(&self, account: Option<&Account>) -> bool {
        if *self == Self::Public {
            return true;
        }
        let Some(account) = account else { return false };
        if account.roles.contains(&Role::Administrator) {
            return true;
        }
        match self {
            Self::Public | Self::SignedIn => true,
            Self::Verified => account.verified || account.roles.iter().any(|r| r.is_staff()),
            Self::Some { roles, departments } => {
                !roles.is_disjoint(&account.roles) || !departments.is_disjoint(&account.departments)
            }
        }
    }
}

/// Who sees a knowledge space.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SpaceRule {
    /// The space's name.
    pub space: String,
    /// Who sees it.
    pub access: Access,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct AccessRule {
    capability: String,
    access: Access,
}

/// What administrators have said.
pub(super) struct Policy {
    access: HashMap<String, Access>,
    spaces: Vec<SpaceRule>,
}

impl Identity {
    async fn policy(&self) -> Result<Arc<Policy>> {
        if let Some((at, policy)) = &*self.policy.lock()
            && at.elapsed() < FRESH
        {
            return Ok(policy.clone());
        }
        let all = Query::default();
        let rules: Vec<AccessRule> = self.records.list(&ACCESS, &all).await?;
        let policy = Arc::new(Policy {
            access: rules
                .into_iter()
                .map(|r| (r.capability, r.access))
                .collect(),
            spaces: self.records.list(&SPACES, &all).await?,
        });
        *self.policy.lock() = Some((Instant::now(), policy.clone()));
        Ok(policy)
    }

    /// Lets a caller through to a capability, or says why not.
    ///
    /// # Errors
    /// `SignInRequired`, `Forbidden`, `Storage`.
    pub async fn permit(&self, caller: &Caller, definition: &Definition) -> Result<()> {
        let account = caller.account.as_ref();
        let in_scope = account
            .and_then(|a| a.scope.as_ref())
            .is_none_or(|scope| scope.contains(definition.name));
        if !in_scope {
            return Err(Error::new(
                ErrorCode::Forbidden,
                format!("这个密钥的范围不包括“{}”。", definition.title),
            ));
        }
        if self.access(definition).await?.allows(account) {
            return Ok(());
        }
        Err(match account {
            None => Error::new(
                ErrorCode::SignInRequired,
                format!("“{}”需要登录后使用。", definition.title),
            ),
            Some(_) => Error::new(
                ErrorCode::Forbidden,
                format!(
                    "您没有使用“{}”的权限。如工作需要，请联系管理员。",
                    definition.title
                ),
            ),
        })
    }

    /// Who may call a capability now.
    pub(super) async fn access(&self, definition: &Definition) -> Result<Access> {
        let policy = self.policy().await?;
        Ok(policy
            .access
            .get(definition.name)
            .cloned()
            .unwrap_or_else(|| definition.permission.into()))
    }

    /// The knowledge spaces that an account, or nobody in particular, may not see.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn hidden_spaces(&self, account: Option<&Account>) -> Result<Arc<BTreeSet<String>>> {
        let policy = self.policy().await?;
        let hidden = policy.spaces.iter().filter(|s| !s.access.allows(account));
        Ok(Arc::new(hidden.map(|s| s.space.clone()).collect()))
    }

    /// The rules of knowledge spaces.
    pub(super) async fn space_rules(&self) -> Result<Vec<SpaceRule>> {
        Ok(self.policy().await?.spaces.clone())
    }

    /// Says who sees a knowledge space; without an access, everybody does again.
    pub(super) async fn set_space_rule(&self, space: &str, access: Option<Access>) -> Result<()> {
        let space = space.trim();
        if space.is_empty() || space.chars().count() > 50 {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "知识空间的名称应为 1 到 50 个字。",
            ));
        }
        let id = derived(&["space", space]);
        let write = match access.filter(|a| *a != Access::Public) {
            Some(access) => Write::put(
                &SPACES,
                id,
                &SpaceRule {
                    space: space.to_owned(),
                    access,
                },
            )?,
            None => Write::Delete {
                collection: SPACES.name,
                id,
            },
        };
        self.records.apply(vec![write]).await?;
        self.forget();
        Ok(())
    }

    /// Says who may call a capability; without an access, what its definition says counts again.
    pub(super) async fn set_access(
        &self,
        definition: &Definition,
        access: Option<Access>,
    ) -> Result<()> {
        let closed = definition.permission == Permission::ADMINISTRATOR;
        let for_staff = |access: &Access| match access {
            Access::Some { roles, .. } => roles.iter().all(|r| r.is_staff()),
            _ => false,
        };
        if closed && access.as_ref().is_some_and(|a| !for_staff(a)) {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "管理类能力只能开放给工作人员的角色或部门。",
            ));
        }
        let write = match access {
            Some(access) => Write::put(
                &ACCESS,
                definition.name,
                &AccessRule {
                    capability: definition.name.to_owned(),
                    access,
                },
            )?,
            None => Write::Delete {
                collection: ACCESS.name,
                id: definition.name.to_owned(),
            },
        };
        self.records.apply(vec![write]).await?;
        self.forget();
        Ok(())
    }
}
