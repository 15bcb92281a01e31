//! What browsers and clients send to the demonstration provider, and whether it may be answered.

use kernel::{Error, ErrorCode};
use openidconnect::url::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::DemoClient;

/// The longest parameter.
const LONGEST: usize = 2048;

/// The query of the authorization endpoint.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AuthorizeRequest {
    /// Always `code`.
    pub response_type: Option<String>,
    /// Which client asks.
    pub client_id: Option<String>,
    /// Where to send the browser afterwards, one of the client's registered addresses.
    pub redirect_uri: Option<String>,
    /// What the client wants to know; `openid` is among it.
    pub scope: Option<String>,
    /// What the browser takes back.
    pub state: Option<String>,
    /// What the ID token repeats.
    pub nonce: Option<String>,
    /// The PKCE challenge.
    pub code_challenge: Option<String>,
    /// Always `S256`.
    pub code_challenge_method: Option<String>,
    /// `none` asks for an answer without a page, which is always refused.
    pub prompt: Option<String>,
}

/// The form of the authorization page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AuthorizeForm {
    /// The query that the page was made for.
    #[serde(flatten)]
    pub request: AuthorizeRequest,
    /// The person chosen from the directory.
    pub person: Option<String>,
    /// Or the name typed in.
    pub name: Option<String>,
    /// Or nobody.
    pub cancel: Option<String>,
}

/// The form of the token endpoint.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct TokenRequest {
    /// Always `authorization_code`.
    pub grant_type: Option<String>,
    /// The code.
    pub code: Option<String>,
    /// The address that the code was sent to.
    pub redirect_uri: Option<String>,
    /// The client, if it is not in the header.
    pub client_id: Option<String>,
    /// Its secret, likewise.
    pub client_secret: Option<String>,
    /// What the PKCE challenge was made from.
    pub code_verifier: Option<String>,
}

/// An error of the token or user-info endpoint, RFC 6749 5.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthError {
    /// The HTTP status.
    pub status: u16,
    /// The code.
    pub error: &'static str,
    /// For whoever writes the client.
    pub description: &'static str,
}

impl OAuthError {
    pub(super) fn new(error: &'static str, description: &'static str) -> Self {
        let status = match error {
            "invalid_client" | "invalid_token" => 401,
            "server_error" => 500,
            _ => 400,
        };
        Self {
            status,
            error,
            description,
        }
    }

    /// The body of the response.
    pub fn body(&self) -> Value {
        json!({ "error": self.error, "error_description": self.description })
    }
}

/// A query that may be answered.
pub(super) struct Valid<'r> {
    pub(super) client: &'r DemoClient,
    pub(super) redirect_uri: Url,
    pub(super) challenge: &'r str,
}

/// A query that may not.
pub(super) enum Invalid {
    /// Nobody to send the browser back to: the person sees it.
    Shown(Error),
    /// The client is told, by this address.
    SentBack(String),
}

impl AuthorizeRequest {
    pub(super) fn check<'r>(
        &'r self,
        clients: &'r [DemoClient],
        issuer: &str,
    ) -> Result<Valid<'r>, Invalid> {
        let shown = |message: &str| Invalid::Shown(Error::new(ErrorCode::InvalidInput, message));
        let client = clients
            .iter()
            .find(|c| Some(&c.id) == self.client_id.as_ref())
            .ok_or_else(|| {
                shown("发起登录的应用没有在演示认证平台登记（client_id）。请从本系统的登录页重新开始。")
            })?;
        // Only an address that is registered letter for letter: the code must not go anywhere else.
        let redirect_uri = self
            .redirect_uri
            .as_ref()
            .filter(|uri| client.redirect_uris.contains(uri))
            .and_then(|uri| Url::parse(uri).ok())
            .ok_or_else(|| {
                shown("登录后的返回地址没有登记（redirect_uri），为安全起见不能继续。请从本系统的登录页重新开始。")
            })?;
        let back = |error: &str, description: &str| {
            Invalid::SentBack(self.back(
                &redirect_uri,
                issuer,
                &[("error", error), ("error_description", description)],
            ))
        };
        let parameters = [&self.scope, &self.state, &self.nonce, &self.code_challenge];
        if parameters
            .iter()
            .any(|p| p.as_ref().is_some_and(|p| p.len() > LONGEST))
        {
            return Err(back("invalid_request", "a parameter is too long"));
        }
        if self.response_type.as_deref() != Some("code") {
            return Err(back(
                "unsupported_response_type",
                "response_type must be code",
            ));
        }
        let scope = self.scope.as_deref().unwrap_or_default();
        if !scope.split(' ').any(|s| s == "openid") {
            return Err(back("invalid_scope", "scope must contain openid"));
        }
        if self.code_challenge_method.as_deref() != Some("S256") {
            return Err(back(
                "invalid_request",
                "code_challenge_method must be S256",
            ));
        }
        let challenge = self
            .code_challenge
            .as_deref()
            .filter(|c| c.len() == 43)
            .ok_or_else(|| back("invalid_request", "code_challenge must have 43 characters"))?;
        if self.prompt.as_deref() == Some("none") {
            return Err(back("login_required", "somebody has to choose a person"));
        }
        Ok(Valid {
            client,
            redirect_uri,
            challenge,
        })
    }

    /// The address that takes the browser back with an answer.
    pub(super) fn back(&self, to: &Url, issuer: &str, answer: &[(&str, &str)]) -> String {
        let mut url = to.clone();
        url.query_pairs_mut()
            .extend_pairs(answer)
            .extend_pairs(self.state.as_ref().map(|state| ("state", state)))
            .append_pair("iss", issuer);
        url.into()
    }
}
