//! Tokens of sign-ins: rotation, expiry, replay, revocation.

use jiff::{SignedDuration, Timestamp};
use kernel::{
    Error, Result,
    id::fresh,
    identity::{Account, Via},
    records::{Collection, Condition, Expect, Query, Write},
    time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Identity, Known, fingerprint, new_secret, refused,
    users::{USERS, User, UserRecord, UserState, login_of, user_id},
};

pub(super) const SIGN_INS: Collection = Collection {
    name: "sign_ins",
    indexed: &["user", "family", "expires_at"],
};

/// A replaced token still counts for so long: requests under way in the same browser carry it.
const GRACE: SignedDuration = SignedDuration::from_secs(60);
/// When a sign-in was last used is written down at most so often.
const SEEN: SignedDuration = SignedDuration::from_mins(5);

/// A token as the store keeps it, under its fingerprint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SignIn {
    user: String,
    /// All tokens of one sign-in.
    family: String,
    signed_in_at: String,
    issued_at: String,
    seen_at: String,
    expires_at: String,
    /// Sent in a header by a program, not in a cookie by a browser: it isn't replaced.
    bearer: bool,
    replaced_at: Option<String>,
    address: String,
    agent: String,
}

/// A sign-in that somebody has open.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OpenSignIn {
    /// Its id.
    pub id: String,
    /// When it began.
    pub signed_in_at: String,
    /// When it was last used, to within five minutes.
    pub seen_at: String,
    /// From which address.
    pub address: String,
    /// With which program.
    pub agent: String,
}

/// A token, told once.
#[derive(Clone, Debug)]
pub struct Token {
    /// The secret.
    pub secret: String,
    /// Until when it counts at most.
    pub expires_at: String,
}

/// Who shows a token, and the token to use from now on.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub account: Account,
    /// The browser is to use this token from now on.
    pub replacement: Option<Token>,
    /// The token is meant for a header, not for a cookie.
    pub bearer: bool,
}

/// With what somebody signs in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Client<'a> {
    /// The network address.
    pub address: &'a str,
    /// The program, as it names itself.
    pub agent: &'a str,
    /// The token will be sent in a header.
    pub bearer: bool,
}

fn at(offset: SignedDuration) -> String {
    time::format(Timestamp::now() + offset)
}

fn duration(of: std::time::Duration) -> SignedDuration {
    SignedDuration::try_from(of).unwrap_or(SignedDuration::MAX)
}

fn expired() -> kernel::Error {
    refused("登录已过期，请重新登录。")
}

impl Identity {
    /// Signs in by password.
    ///
    /// # Errors
    /// `SignInFailed`, `LockedOut`, `Storage`.
    pub async fn sign_in(
        &self,
        login: &str,
        password: &str,
        client: Client<'_>,
    ) -> Result<(User, Token)> {
        let login = login_of(login);
        self.require_unlocked(&login).await?;
        let found: Option<UserRecord> = self.records.read(&USERS, &user_id(&login)).await?;
        let usable = found.filter(|u| u.user.state == UserState::Active && !u.user.external);
        let hash = usable.as_ref().and_then(|u| u.password.clone());
        let right = self.password_is(password, hash).await?;
        // Guesses that came at the same time count before this one does.
        self.require_unlocked(&login).await?;
        match usable {
            Some(record) if right => {
                let (token, write) = self.issue(&record.user, client)?;
                self.records
                    .apply(vec![write, Self::forgiven(&login)])
                    .await?;
                self.note_sign_in(&record.user.id).await;
                Ok((record.user, token))
            }
            _ => Err(self.failed(&login).await?),
        }
    }

    /// The write that makes a new sign-in of somebody who has proved who they are.
    pub(super) fn issue(&self, user: &User, client: Client<'_>) -> Result<(Token, Write)> {
        let now = time::now();
        let token = Token {
            secret: new_secret(),
            expires_at: at(duration(self.terms.lifetime)),
        };
        let short = |text: &str| text.chars().take(200).collect::<String>();
        let sign_in = SignIn {
            user: user.id.clone(),
            family: fresh(),
            signed_in_at: now.clone(),
            issued_at: now.clone(),
            seen_at: now,
            expires_at: token.expires_at.clone(),
            bearer: client.bearer,
            replaced_at: None,
            address: short(client.address),
            agent: short(client.agent),
        };
        let write = Write::put(&SIGN_INS, fingerprint(&token.secret), &sign_in)?;
        Ok((token, write))
    }

    async fn note_sign_in(&self, id: &str) {
        // It only informs: a failure must not keep anybody out.
        let noted = async {
            let (mut record, revision) = self.user_record(id).await?;
            record.user.signed_in_at = Some(time::now());
            let write = Write::put(&USERS, id, &record)?.expecting(Expect::Revision(revision));
            self.records.apply(vec![write]).await
        };
        if let Err(error) = noted.await {
            tracing::debug!(detail = error.detail, "time of sign-in not kept: {error}");
        }
    }

    pub(super) async fn account_of_sign_in(&self, token: &str) -> Result<SignedIn> {
        let hash = fingerprint(token);
        let (sign_in, user) = match self.recall(&hash) {
            Some(Known::SignIn(found)) => *found,
            _ => self.look_up(&hash).await?,
        };
        let now = time::now();
        if user.state != UserState::Active || sign_in.expires_at <= now {
            return Err(expired());
        }
        // Before idleness: nobody uses a replaced token, and a thief may wait.
        if let Some(replaced) = &sign_in.replaced_at
            && *replaced < at(-GRACE)
        {
            return Err(self.replayed(&sign_in).await?);
        }
        if sign_in.seen_at < at(-duration(self.terms.idle)) {
            return Err(expired());
        }
        let old = sign_in.issued_at < at(-duration(self.terms.rotation));
        let rotates = old && !sign_in.bearer && sign_in.replaced_at.is_none();
        let replacement = if rotates {
            self.rotate(&hash, sign_in.clone()).await?
        } else {
            self.seen(&hash, &sign_in).await;
            None
        };
        Ok(SignedIn {
            account: user.account(Via::SignIn),
            replacement,
            bearer: sign_in.bearer,
        })
    }

    async fn look_up(&self, hash: &str) -> Result<(SignIn, User)> {
        let sign_in: Option<SignIn> = self.records.read(&SIGN_INS, hash).await?;
        let sign_in = sign_in.ok_or_else(expired)?;
        let user: Option<UserRecord> = self.records.read(&USERS, &sign_in.user).await?;
        let user = user.ok_or_else(expired)?.user;
        let found = Box::new((sign_in.clone(), user.clone()));
        self.remember(hash, Known::SignIn(found));
        Ok((sign_in, user))
    }

    /// Gives the browser a new token; the old one counts a little longer.
    async fn rotate(&self, hash: &str, mut sign_in: SignIn) -> Result<Option<Token>> {
        let standing = self
            .records
            .get(&SIGN_INS, hash)
            .await?
            .ok_or_else(expired)?;
        let stands: SignIn = serde_json::from_value(standing.body).map_err(Error::internal)?;
        if stands.replaced_at.is_some() {
            // Another request of the same browser was quicker: its reply brings the new token.
            self.known.lock().remove(hash);
            return Ok(None);
        }
        let now = time::now();
        let token = Token {
            secret: new_secret(),
            expires_at: sign_in.expires_at.clone(),
        };
        let next = SignIn {
            issued_at: now.clone(),
            seen_at: now.clone(),
            ..sign_in.clone()
        };
        sign_in.replaced_at = Some(now);
        let batch = vec![
            Write::put(&SIGN_INS, hash, &sign_in)?.expecting(Expect::Revision(standing.revision)),
            Write::put(&SIGN_INS, fingerprint(&token.secret), &next)?,
        ];
        let rotated = self.records.apply(batch).await;
        self.known.lock().remove(hash);
        match rotated {
            Ok(_) => Ok(Some(token)),
            // As above.
            Err(error) if error.code == kernel::ErrorCode::Conflict => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Somebody uses a token that was replaced long ago: it was copied, by a thief or from one. Nobody can tell who is
    /// who, so the whole sign-in ends.
    async fn replayed(&self, sign_in: &SignIn) -> Result<kernel::Error> {
        tracing::warn!(
            user = sign_in.user,
            "a replaced token was used again: signed out"
        );
        let query = Query::by(Condition::is("family", sign_in.family.as_str()));
        let family = self.records.find(&SIGN_INS, &query).await?;
        self.records
            .apply(
                family
                    .into_iter()
                    .map(|r| Write::Delete {
                        collection: SIGN_INS.name,
                        id: r.id,
                    })
                    .collect(),
            )
            .await?;
        self.forget();
        Ok(refused(
            "这次登录的凭据被重复使用，可能已泄露，现已全部退出。请重新登录，并留意账号安全。",
        ))
    }

    async fn seen(&self, hash: &str, sign_in: &SignIn) {
        if sign_in.seen_at >= at(-SEEN) || sign_in.replaced_at.is_some() {
            return;
        }
        let noted = async {
            let Some(standing) = self.records.get(&SIGN_INS, hash).await? else {
                return Ok(0);
            };
            let next = SignIn {
                seen_at: time::now(),
                ..sign_in.clone()
            };
            let write =
                Write::put(&SIGN_INS, hash, &next)?.expecting(Expect::Revision(standing.revision));
            self.records.apply(vec![write]).await
        };
        let noted: Result<u64> = noted.await;
        self.known.lock().remove(hash);
        if let Err(error) = noted {
            tracing::debug!(detail = error.detail, "time of use not kept: {error}");
        }
    }

    /// Ends the sign-in that a token belongs to.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn sign_out(&self, token: &str) -> Result<()> {
        let hash = fingerprint(token);
        let sign_in: Option<SignIn> = self.records.read(&SIGN_INS, &hash).await?;
        if let Some(sign_in) = sign_in {
            let query = Query::by(Condition::is("family", sign_in.family.as_str()));
            let family = self.records.find(&SIGN_INS, &query).await?;
            let batch = family.into_iter().map(|r| Write::Delete {
                collection: SIGN_INS.name,
                id: r.id,
            });
            self.records.apply(batch.collect()).await?;
        }
        self.forget();
        Ok(())
    }

    /// The writes that end all sign-ins of somebody, but for the one of this token.
    pub(super) async fn sign_outs(&self, user: &str, but: Option<&str>) -> Result<Vec<Write>> {
        let query = Query::by(Condition::is("user", user));
        let open = self.records.find(&SIGN_INS, &query).await?;
        let kept = but.map(fingerprint);
        Ok(open
            .into_iter()
            .filter(|r| Some(&r.id) != kept.as_ref())
            .map(|r| Write::Delete {
                collection: SIGN_INS.name,
                id: r.id,
            })
            .collect())
    }

    /// The sign-ins that somebody has open, the latest first.
    pub(super) async fn open_sign_ins(&self, user: &str) -> Result<Vec<OpenSignIn>> {
        let query = Query::by(Condition::is("user", user));
        let all: Vec<SignIn> = self.records.list(&SIGN_INS, &query).await?;
        let now = time::now();
        let mut open: Vec<OpenSignIn> = all
            .into_iter()
            .filter(|s| s.replaced_at.is_none() && s.expires_at > now)
            .map(|s| OpenSignIn {
                id: s.family,
                signed_in_at: s.signed_in_at,
                seen_at: s.seen_at,
                address: s.address,
                agent: s.agent,
            })
            .collect();
        open.sort_by(|a, b| b.signed_in_at.cmp(&a.signed_in_at));
        Ok(open)
    }

    /// Ends one of somebody's sign-ins.
    pub(super) async fn end_sign_in(&self, user: &str, family: &str) -> Result<()> {
        let query = Query {
            all: vec![Condition::is("user", user), Condition::is("family", family)],
            ..Query::default()
        };
        let found = self.records.find(&SIGN_INS, &query).await?;
        if found.is_empty() {
            return Err(kernel::Error::not_found("这次登录"));
        }
        let batch = found.into_iter().map(|r| Write::Delete {
            collection: SIGN_INS.name,
            id: r.id,
        });
        self.records.apply(batch.collect()).await?;
        self.forget();
        Ok(())
    }

    /// Removes sign-ins and failures that count no more.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn sweep(&self) -> Result<u64> {
        let past = |field: &str, until: String| Condition::AtMost(field.into(), until.into());
        let old = [
            (&SIGN_INS, past("expires_at", time::now())),
            (
                &super::lockout::FAILURES,
                past("last_at", at(-SignedDuration::from_hours(24))),
            ),
            (&super::links::LINKS, past("expires_at", time::now())),
            (&super::flows::FLOWS, past("expires_at", time::now())),
        ];
        let mut removed = 0;
        for (collection, condition) in old {
            let query = Query {
                limit: 1000,
                ..Query::by(condition)
            };
            let found = self.records.find(collection, &query).await?;
            if found.is_empty() {
                continue;
            }
            removed += found.len() as u64;
            let batch = found.into_iter().map(|r| Write::Delete {
                collection: collection.name,
                id: r.id,
            });
            self.records.apply(batch.collect()).await?;
        }
        Ok(removed)
    }
}
