//! One-time links: the set-up of the first administrator, invitations, resets of a password.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use kernel::{
    Error, ErrorCode, Result,
    identity::Role,
    records::{Collection, Condition, Expect, Query, Write},
    time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Identity, fingerprint, new_secret, passwords,
    sign_ins::{Client, Token},
    users::{USERS, User, UserRecord, UserState},
};

pub(super) const LINKS: Collection = Collection {
    name: "sign_in_links",
    indexed: &["expires_at", "purpose", "user"],
};

/// How long a link can be used.
const LIFETIME: SignedDuration = SignedDuration::from_hours(72);

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkPurpose {
    /// Makes the first administrator.
    Setup,
    /// Sets the first password of an account.
    Invitation,
    /// Sets a new password.
    Reset,
}

/// A one-time link, told once.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "OneTimeLink")]
pub struct Link {
    /// The page's path with the secret in its fragment, which browsers don't send to servers or put into logs.
    pub path: String,
    /// Until when it can be used.
    pub expires_at: String,
}

/// What a link is good for, as its page asks before the form is shown.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LinkView {
    /// What it is for.
    pub purpose: LinkPurpose,
    /// The login name; none for the set-up, where it is chosen.
    pub login: Option<String>,
    /// The person's name.
    pub name: Option<String>,
    /// Until when it can be used.
    pub expires_at: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct LinkRecord {
    purpose: LinkPurpose,
    user: Option<String>,
    expires_at: String,
    used: bool,
}

/// What the form of a link brings.
pub struct Redeemed<'a> {
    /// The link's secret.
    pub secret: &'a str,
    /// The login name, for the set-up.
    pub login: Option<&'a str>,
    /// The person's name.
    pub name: Option<&'a str>,
    /// The new password.
    pub password: &'a str,
}

fn unusable() -> Error {
    Error::new(
        ErrorCode::SignInFailed,
        "链接无效、已用过或已过期。请向管理员要一个新链接；首次设置的链接在服务重新启动时重新生成。",
    )
}

impl Identity {
    /// A new set-up link if nobody can administer yet; earlier ones count no more.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn setup_link(&self) -> Result<Option<Link>> {
        if self.has_administrator().await? {
            return Ok(None);
        }
        let (link, write) = self.new_link(LinkPurpose::Setup, None)?;
        let mut batch = self.earlier(Condition::is("purpose", "setup")).await?;
        batch.push(write);
        self.records.apply(batch).await?;
        Ok(Some(link))
    }

    async fn earlier(&self, which: Condition) -> Result<Vec<Write>> {
        let found = self.records.find(&LINKS, &Query::by(which)).await?;
        Ok(found
            .into_iter()
            .map(|r| Write::Delete {
                collection: LINKS.name,
                id: r.id,
            })
            .collect())
    }

    pub(super) fn new_link(
        &self,
        purpose: LinkPurpose,
        user: Option<&str>,
    ) -> Result<(Link, Write)> {
        let secret = new_secret();
        let record = LinkRecord {
            purpose,
            user: user.map(str::to_owned),
            expires_at: time::format(Timestamp::now() + LIFETIME),
            used: false,
        };
        let write = Write::put(&LINKS, fingerprint(&secret), &record)?;
        let page = match purpose {
            LinkPurpose::Setup => "/setup",
            LinkPurpose::Invitation | LinkPurpose::Reset => "/password",
        };
        let link = Link {
            path: format!("{page}#{secret}"),
            expires_at: record.expires_at,
        };
        Ok((link, write))
    }

    /// A link that sets a new password; earlier links of the account count no more.
    pub(super) async fn link_for(&self, id: &str) -> Result<Link> {
        let user = self.user(id).await?;
        if user.external {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "这个账号通过统一身份认证登录，没有密码可以重置。",
            ));
        }
        let purpose = if user.state == UserState::Invited {
            LinkPurpose::Invitation
        } else {
            LinkPurpose::Reset
        };
        let (link, write) = self.new_link(purpose, Some(id))?;
        let mut batch = self.earlier(Condition::is("user", id)).await?;
        batch.push(write);
        batch.push(Self::forgiven(&user.login));
        self.records.apply(batch).await?;
        Ok(link)
    }

    async fn usable_link(&self, secret: &str) -> Result<(LinkRecord, u64)> {
        let found = self.records.get(&LINKS, &fingerprint(secret)).await?;
        let found = found.ok_or_else(unusable)?;
        let link: LinkRecord = serde_json::from_value(found.body).map_err(Error::internal)?;
        if link.used || link.expires_at <= time::now() {
            return Err(unusable());
        }
        if link.purpose == LinkPurpose::Setup && self.has_administrator().await? {
            return Err(unusable());
        }
        Ok((link, found.revision))
    }

    /// What a link is good for.
    ///
    /// # Errors
    /// `SignInFailed` if it can't be used; `Storage`.
    pub async fn link(&self, secret: &str) -> Result<LinkView> {
        let (link, _) = self.usable_link(secret).await?;
        let user = match &link.user {
            Some(id) => Some(self.user(id).await.map_err(|_| unusable())?),
            None => None,
        };
        Ok(LinkView {
            purpose: link.purpose,
            login: user.as_ref().map(|u| u.login.clone()),
            name: user.map(|u| u.name),
            expires_at: link.expires_at,
        })
    }

    /// Uses a link: sets the password, ends all other sign-ins of the account, and signs in.
    ///
    /// # Errors
    /// `SignInFailed` if the link can't be used, `InvalidInput` for a weak password or a bad name, `Conflict` for a login
    /// name that is taken, `Storage`. The link stays usable where the input was wrong.
    pub async fn redeem(&self, form: Redeemed<'_>, client: Client<'_>) -> Result<(User, Token)> {
        let (mut link, revision) = self.usable_link(form.secret).await?;
        let (user, mut batch) = match &link.user {
            Some(id) => {
                let (user, write) = self.with_password(id, form.password, form.name).await?;
                let mut batch = vec![write, Self::forgiven(&user.login)];
                batch.extend(self.sign_outs(id, None).await?);
                (user, batch)
            }
            None => self.first_administrator(&form).await?,
        };
        link.used = true;
        let write = Write::put(&LINKS, fingerprint(form.secret), &link)?;
        // Two who use it at the same time: one is too late.
        batch.push(write.expecting(Expect::Revision(revision)));
        let (token, write) = self.issue(&user, client)?;
        batch.push(write);
        self.records.apply(batch).await?;
        self.forget();
        Ok((user, token))
    }

    async fn first_administrator(&self, form: &Redeemed<'_>) -> Result<(User, Vec<Write>)> {
        let login = form.login.unwrap_or("admin");
        let name = form
            .name
            .filter(|n| !n.trim().is_empty())
            .unwrap_or("管理员");
        let roles = BTreeSet::from([Role::Administrator]);
        let (mut user, _) = self.new_user(login, name, roles, BTreeSet::new()).await?;
        passwords::require_strong(form.password, &user.login)?;
        user.state = UserState::Active;
        user.signed_in_at = Some(time::now());
        let hash = self.hash_password(form.password).await?;
        let record = UserRecord::new(user.clone(), Some(hash));
        let write = Write::put(&USERS, &user.id, &record)?.expecting(Expect::Absent);
        Ok((user, vec![write]))
    }

    /// Changes one's own password; all other sign-ins end.
    ///
    /// # Errors
    /// `SignInFailed` if the present one is wrong, `LockedOut`, `InvalidInput` for a weak one, `Storage`.
    pub(super) async fn change_password(
        &self,
        id: &str,
        present: &str,
        new: &str,
        token: Option<&str>,
    ) -> Result<()> {
        let (record, _) = self.user_record(id).await?;
        let login = record.user.login.clone();
        self.require_unlocked(&login).await?;
        if record.user.external {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "这个账号通过统一身份认证登录，没有密码可以修改。",
            ));
        }
        if !self.password_is(present, record.password).await? {
            self.failed(&login).await?;
            return Err(super::refused("现在的密码不正确。"));
        }
        let (_, write) = self.with_password(id, new, None).await?;
        let mut batch = vec![write];
        batch.extend(self.sign_outs(id, token).await?);
        self.records.apply(batch).await?;
        self.forget();
        Ok(())
    }
}
