//! Accounts that an identity provider vouches for.

use std::collections::BTreeSet;

use kernel::{
    Error, ErrorCode, Result,
    id::derived,
    identity::Role,
    records::{Expect, Write},
    time,
};

use super::{
    Identity,
    sign_ins::{Client, Token},
    users::{Business, USERS, User, UserRecord, UserState},
};

/// Whom a provider vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExternalKind {
    /// A citizen.
    Citizen,
    /// Somebody who acts for a business.
    Business(Business),
    /// Somebody who works for the city.
    Staff,
}

/// What a provider says of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// The provider.
    pub issuer: String,
    /// Who, unchanging, as the provider numbers them.
    pub subject: String,
    /// What the person is called.
    pub name: String,
    /// Whom it vouches for.
    pub kind: ExternalKind,
    /// The provider has proved the person's or business's identity.
    pub verified: bool,
    /// Roles of staff, if the provider is trusted to give them.
    pub roles: BTreeSet<Role>,
}

impl Identity {
    /// Signs in whom a provider vouches for; the account is made at the first time and kept up to date.
    ///
    /// # Errors
    /// `Forbidden` for a disabled account, `Storage`.
    pub async fn sign_in_external(
        &self,
        external: &External,
        client: Client<'_>,
    ) -> Result<(User, Token)> {
        let id = derived(&["external", &external.issuer, &external.subject]);
        let standing = self.records.get(&USERS, &id).await?;
        let (mut user, expect) = match standing {
            Some(found) => {
                let record: UserRecord =
                    serde_json::from_value(found.body).map_err(Error::internal)?;
                (record.user, Expect::Revision(found.revision))
            }
            None => (first(id, external), Expect::Absent),
        };
        if user.state == UserState::Disabled {
            return Err(Error::new(
                ErrorCode::Forbidden,
                "这个账号已停用，请联系管理员。",
            ));
        }
        user.name.clone_from(&external.name);
        user.verified = external.verified;
        user.signed_in_at = Some(time::now());
        match &external.kind {
            ExternalKind::Citizen => {
                user.roles.insert(Role::Citizen);
            }
            ExternalKind::Business(business) => {
                user.roles.insert(Role::Business);
                user.business = Some(business.clone());
            }
            // What an administrator gave stays; what the provider takes back is for the administrator to take.
            ExternalKind::Staff => user.roles.extend(&external.roles),
        }
        let (token, write) = self.issue(&user, client)?;
        let record = UserRecord::new(user.clone(), None);
        self.records
            .apply(vec![
                Write::put(&USERS, &user.id, &record)?.expecting(expect),
                write,
            ])
            .await?;
        self.forget();
        Ok((user, token))
    }
}

fn first(id: String, external: &External) -> User {
    User {
        id,
        login: format!("{}（统一身份认证）", external.name),
        name: external.name.clone(),
        roles: BTreeSet::new(),
        departments: BTreeSet::new(),
        state: UserState::Active,
        verified: external.verified,
        business: None,
        external: true,
        created_at: time::now(),
        signed_in_at: None,
    }
}
