//! Sign-ins that are under way at an identity provider: what must come back is kept here, bound to the browser.

use jiff::{SignedDuration, Timestamp};
use kernel::{
    Error, ErrorCode, Result,
    records::{Collection, Expect, Write},
    time,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Identity, fingerprint, refused};
use crate::audit::aside;

pub(super) const FLOWS: Collection = Collection {
    name: "sign_in_flows",
    indexed: &["expires_at"],
};

/// How long somebody may take at the provider.
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Flow {
    browser: String,
    begun: Value,
    to: String,
    taken: bool,
    expires_at: String,
}

impl Identity {
    /// Keeps a sign-in that goes to a provider under its unguessable `state`.
    ///
    /// # Errors
    /// `Storage`, `StorageFull`.
    pub async fn keep_flow(
        &self,
        state: &str,
        browser: &str,
        begun: Value,
        to: &str,
    ) -> Result<()> {
        let flow = Flow {
            browser: fingerprint(browser),
            begun,
            to: to.to_owned(),
            taken: false,
            expires_at: time::format(Timestamp::now() + LIFETIME),
        };
        self.records
            .save(&FLOWS, &fingerprint(state), &flow)
            .await?;
        Ok(())
    }

    /// Takes a sign-in that comes back, once, in the browser that began it: what was kept, and where to go on.
    ///
    /// # Errors
    /// `SignInFailed` if there is none, it is too old, was taken already, or another browser brings it; `Storage`.
    pub async fn take_flow(&self, state: &str, browser: &str) -> Result<(Value, String)> {
        let gone = || {
            refused(
                "这次登录已失效：可能等待过久、已经用过，或不是在同一个浏览器里发起。请重新登录。",
            )
        };
        let id = fingerprint(state);
        let found = self.records.get(&FLOWS, &id).await?.ok_or_else(gone)?;
        let mut flow: Flow = serde_json::from_value(found.body).map_err(Error::internal)?;
        if flow.taken || flow.expires_at <= time::now() || flow.browser != fingerprint(browser) {
            return Err(gone());
        }
        flow.taken = true;
        let write = Write::put(&FLOWS, id, &flow)?.expecting(Expect::Revision(found.revision));
        let taken = aside(self.records.apply(vec![write])).await;
        taken.map_err(|e| match e.code {
            ErrorCode::Conflict => gone(),
            _ => e,
        })?;
        Ok((flow.begun, flow.to))
    }
}
