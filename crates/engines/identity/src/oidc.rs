//! Signing somebody in at a provider, in two steps.

use std::{borrow::Cow, fmt, sync::Arc};

use kernel::{Error, ErrorCode, Result};
use openidconnect::{
    AuthenticationFlow, CsrfToken, Nonce, PkceCodeChallenge, RedirectUrl, Scope,
    core::{CoreProviderMetadata, CoreResponseType},
};
use serde::{Deserialize, Serialize};

use crate::{
    claims::{Claims, lacks_something},
    clock::{Clock, system_clock},
    discovery::Discovery,
    exchange::{as_object, exchange, party, user_info},
    refusal,
    settings::OidcSettings,
    token::{Expected, TokenFault, verify},
    transport::Transport,
};

/// How long somebody may take at the provider, in seconds.
const PATIENCE: i64 = 600;
/// The longest code; some providers put a whole signed document into it.
const LONGEST_CODE: usize = 4096;

/// A sign-in that has begun. It is kept on the server under a cookie of the browser, taken away when the browser comes
/// back, whatever comes of it, and never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// The provider, by its name.
    pub provider: String,
    /// Where to send the browser.
    pub url: String,
    /// What the browser must bring back.
    pub state: String,
    /// What the ID token must hold.
    pub nonce: String,
    /// What proves to the provider that the code was asked for by us.
    pub pkce_verifier: String,
    /// When it began, in seconds since 1970.
    pub begun_at: i64,
}

/// The query with which the provider sends the browser back.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// The code, if all went well.
    #[serde(default)]
    pub code: Option<String>,
    /// The state of [`Begun`].
    #[serde(default)]
    pub state: Option<String>,
    /// What went wrong, as a code.
    #[serde(default)]
    pub error: Option<String>,
    /// What went wrong, in the provider's words.
    #[serde(default)]
    pub error_description: Option<String>,
    /// Who sends it, if the provider says so (RFC 9207).
    #[serde(default)]
    pub iss: Option<String>,
}

/// The client of one identity provider. It asks the provider for nothing before the first sign-in.
pub struct OidcClient {
    settings: Arc<OidcSettings>,
    transport: Transport,
    clock: Clock,
    discovery: Discovery,
}

impl OidcClient {
    /// A client with these settings, which are checked here as far as they can be without the provider.
    pub fn new(settings: OidcSettings) -> Result<Self> {
        Self::with_clock(settings, system_clock())
    }

    /// The same with another clock.
    pub fn with_clock(settings: OidcSettings, clock: Clock) -> Result<Self> {
        let issuer = settings.check()?;
        let settings = Arc::new(settings);
        let transport = Transport::new(&issuer)?;
        let discovery = Discovery::new(settings.clone(), transport.clone(), clock.clone());
        Ok(Self {
            settings,
            transport,
            clock,
            discovery,
        })
    }

    /// Its id in URLs.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// The label of its button.
    pub fn title(&self) -> &str {
        &self.settings.title
    }

    /// Begins a sign-in that ends at `redirect_uri`, one of those that the provider knows us by.
    pub async fn begin(&self, redirect_uri: &str) -> Result<Begun> {
        let redirect_uri = redirect_url(redirect_uri)?;
        let metadata = self.discovery.current().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let scopes = self.settings.scopes.iter().filter(|s| *s != "openid");
        let (url, state, nonce) = party(&self.settings, &metadata)
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(scopes.cloned().map(Scope::new))
            .set_pkce_challenge(challenge)
            .set_redirect_uri(Cow::Owned(redirect_uri))
            .url();
        Ok(Begun {
            provider: self.settings.name.clone(),
            url: url.into(),
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            pkce_verifier: verifier.into_secret(),
            begun_at: (self.clock)(),
        })
    }

    /// Ends a sign-in: who it is, as far as the provider confirms. `redirect_uri` is the one that it began with.
    pub async fn finish(
        &self,
        begun: &Begun,
        callback: &Callback,
        redirect_uri: &str,
    ) -> Result<Claims> {
        let code = self.accept(begun, callback)?;
        let redirect_uri = redirect_url(redirect_uri)?;
        let metadata = self.discovery.current().await?;
        let party = party(&self.settings, &metadata);
        let (access_token, id_token) = exchange(
            &self.settings,
            &self.transport,
            &party,
            code,
            &begun.pkce_verifier,
            redirect_uri,
        )
        .await?;

        let check = |metadata: &CoreProviderMetadata| match verify(
            &id_token,
            &access_token,
            &self.expected(metadata, begun),
        ) {
            Ok(claims) => Ok(claims.clone()),
            Err(fault) => Err(fault),
        };
        let claims = match check(&metadata) {
            Err(fault) if fault.may_be_a_new_key() => {
                match self.discovery.newer_than(&metadata).await? {
                    Some(newer) => check(&newer),
                    None => Err(fault),
                }
            }
            checked => checked,
        };
        let claims = claims.map_err(|fault: TokenFault| refusal::token_refused(&fault))?;

        let mut found = as_object(&claims);
        if self.settings.user_info && lacks_something(&self.settings.claims, &found) {
            let subject = claims.subject().clone();
            let more = user_info(
                &self.settings,
                &self.transport,
                &party,
                access_token,
                subject,
            )
            .await?;
            for (name, value) in more {
                found.entry(name).or_insert(value);
            }
        }
        Claims::read(&self.settings, claims.subject().as_str(), &found)
    }

    /// The code, if the browser brought back what belongs to this sign-in.
    fn accept<'c>(&self, begun: &Begun, callback: &'c Callback) -> Result<&'c str> {
        let title = &self.settings.title;
        if begun.provider != self.settings.name {
            return Err(refusal::refused(
                "这次登录是用另一种登录方式开始的，不能在此完成。请重新登录。",
            ));
        }
        let waited = (self.clock)() - begun.begun_at;
        if !(-PATIENCE..=PATIENCE).contains(&waited) {
            return Err(refusal::refused(
                "登录等待时间过长，已经失效。请重新登录，并在 10 分钟内完成。",
            ));
        }
        if callback.state.as_deref() != Some(begun.state.as_str()) {
            return Err(refusal::refused(
                "返回的登录信息不属于本浏览器发起的这次登录，不能登录。请从本系统重新登录。",
            ));
        }
        if callback
            .iss
            .as_ref()
            .is_some_and(|i| *i != self.settings.issuer)
        {
            return Err(refusal::refused(
                "返回的登录信息来自另一个认证平台，不能登录。请重新登录。",
            ));
        }
        if let Some(error) = &callback.error {
            let description = callback.error_description.as_deref();
            return Err(refusal::sent_back(title, error, description));
        }
        callback
            .code
            .as_deref()
            .filter(|code| (1..=LONGEST_CODE).contains(&code.len()))
            .ok_or_else(|| refusal::refused("返回的登录信息不完整，不能登录。请重新登录。"))
    }

    fn expected<'a>(
        &'a self,
        metadata: &'a CoreProviderMetadata,
        begun: &'a Begun,
    ) -> Expected<'a> {
        Expected {
            metadata,
            client_id: &self.settings.client_id,
            nonce: &begun.nonce,
            begun_at: begun.begun_at,
            now: (self.clock)(),
        }
    }
}

fn redirect_url(uri: &str) -> Result<RedirectUrl> {
    RedirectUrl::new(uri.to_owned()).map_err(|e| {
        Error::new(
            ErrorCode::InvalidInput,
            "登录后的返回地址不是完整的网址。请管理员检查本系统的对外地址。",
        )
        .with_detail(e)
    })
}

impl fmt::Debug for OidcClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OidcClient").field(&self.settings).finish()
    }
}

/// Without its secrets.
impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun")
            .field("provider", &self.provider)
            .field("begun_at", &self.begun_at)
            .finish_non_exhaustive()
    }
}

/// Without the code.
impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}
