//! 城市统一身份认证（演示）: an identity provider that confirms whomever one chooses to be, for demonstrations and tests.
//!
//! It knows no web server. Below an issuer such as `http://127.0.0.1:8080/demo/identity` the caller serves
//!
//! | route | answer |
//! |---|---|
//! | `GET /.well-known/openid-configuration` | [`DemoProvider::discovery`] |
//! | `GET /jwks` | [`DemoProvider::jwks`] |
//! | `GET /authorize` | [`DemoProvider::authorize`] with the query |
//! | `POST /authorize` | [`DemoProvider::answer`] with the form, then a redirect (303) |
//! | `POST /token` | [`DemoProvider::token`] with the form and the `Authorization` header |
//! | `GET /userinfo` | [`DemoProvider::user_info`] with the `Authorization` header |
//!
//! The shortcut without any page is [`DemoProvider::sign_in`].

mod issued;
mod key;
mod page;
mod person;
mod request;

use base64::{Engine, engine::general_purpose::STANDARD};
use kernel::{Error, Result};
use openidconnect::{
    AccessToken, Audience, AuthUrl, EndUserName, EndUserPhoneNumber, IssuerUrl, JsonWebKeySetUrl,
    Nonce, PkceCodeChallenge, PkceCodeVerifier, ResponseTypes, StandardClaims, SubjectIdentifier,
    TokenUrl, UserInfoUrl,
    core::{
        CoreClientAuthMethod, CoreJsonWebKeySet, CoreJwsSigningAlgorithm, CoreProviderMetadata,
        CoreResponseType, CoreSubjectIdentifierType,
    },
    url::form_urlencoded,
};
use parking_lot::Mutex;
use serde_json::{Value, json};

pub use key::DemoKey;
pub use person::DemoPerson;
pub use request::{AuthorizeForm, AuthorizeRequest, OAuthError, TokenRequest};

use issued::{ACCESS_LIFE, Code, Issued};
use request::{Invalid, Valid};

use crate::{
    Claims, Clock, OidcSettings,
    clock::{moment, system_clock},
    token::{OtherClaims, Token, TokenClaims},
};

/// What it is called.
pub const TITLE: &str = "城市统一身份认证（演示）";
/// What this product is called by it.
pub const CLIENT_ID: &str = "citymind";
/// How long an ID token holds, in seconds.
const TOKEN_LIFE: i64 = 300;

/// A program that may send people here.
#[derive(Clone, PartialEq, Eq)]
pub struct DemoClient {
    /// Its id.
    pub id: String,
    /// Its secret, if it has one.
    pub secret: Option<String>,
    /// Where people may be sent back to, letter for letter.
    pub redirect_uris: Vec<String>,
}

impl DemoClient {
    /// This product.
    pub fn ours(redirect_uris: Vec<String>) -> Self {
        Self {
            id: CLIENT_ID.to_owned(),
            secret: None,
            redirect_uris,
        }
    }
}

/// What the authorization endpoint answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorized {
    /// A page in HTML.
    Page(String),
    /// Send the browser there.
    Redirect(String),
}

/// The settings with which [`crate::OidcClient`] signs people in here.
pub fn settings(issuer: &str) -> OidcSettings {
    let mut settings = OidcSettings::new("demo", TITLE, issuer, CLIENT_ID);
    settings.claims.kind = Some(person::KIND.to_owned());
    settings.claims.verified = Some(person::VERIFIED.to_owned());
    settings
}

/// The provider. Codes and access tokens are kept in memory; everything else follows from the key.
pub struct DemoProvider {
    key: DemoKey,
    clients: Vec<DemoClient>,
    clock: Clock,
    issued: Mutex<Issued>,
}

impl DemoProvider {
    /// A provider that signs with this key for these clients.
    pub fn new(key: DemoKey, clients: Vec<DemoClient>) -> Self {
        Self::with_clock(key, clients, system_clock())
    }

    /// The same with another clock.
    pub fn with_clock(key: DemoKey, clients: Vec<DemoClient>, clock: Clock) -> Self {
        Self {
            key,
            clients,
            clock,
            issued: Mutex::default(),
        }
    }

    /// The discovery document.
    pub fn discovery(&self, issuer: &str) -> Result<Value> {
        let at = |path: &str| format!("{}/{path}", issuer.trim_end_matches('/'));
        let url = |e| Error::internal(e);
        let metadata = CoreProviderMetadata::new(
            IssuerUrl::new(issuer.to_owned()).map_err(url)?,
            AuthUrl::new(at("authorize")).map_err(url)?,
            JsonWebKeySetUrl::new(at("jwks")).map_err(url)?,
            vec![ResponseTypes::new(vec![CoreResponseType::Code])],
            vec![CoreSubjectIdentifierType::Public],
            vec![CoreJwsSigningAlgorithm::EdDsa],
            Default::default(),
        )
        .set_token_endpoint(Some(TokenUrl::new(at("token")).map_err(url)?))
        .set_userinfo_endpoint(Some(UserInfoUrl::new(at("userinfo")).map_err(url)?))
        .set_token_endpoint_auth_methods_supported(Some(vec![
            CoreClientAuthMethod::ClientSecretBasic,
            CoreClientAuthMethod::ClientSecretPost,
            CoreClientAuthMethod::None,
        ]));
        let mut document = serde_json::to_value(metadata).map_err(Error::internal)?;
        document["code_challenge_methods_supported"] = json!(["S256"]);
        document["authorization_response_iss_parameter_supported"] = json!(true);
        Ok(document)
    }

    /// The public key, as a set.
    pub fn jwks(&self) -> Result<Value> {
        serde_json::to_value(CoreJsonWebKeySet::new(vec![self.key.public()]))
            .map_err(Error::internal)
    }

    /// The page on which to choose a person, or the way back for a client that asks wrongly. An error is for the person:
    /// there is nobody to send the browser back to.
    pub fn authorize(&self, issuer: &str, request: &AuthorizeRequest) -> Result<Authorized> {
        match request.check(&self.clients, issuer) {
            Ok(_) => Ok(Authorized::Page(page::page(request))),
            Err(Invalid::SentBack(url)) => Ok(Authorized::Redirect(url)),
            Err(Invalid::Shown(error)) => Err(error),
        }
    }

    /// What the page's form was answered with: where to send the browser.
    pub fn answer(&self, issuer: &str, form: &AuthorizeForm) -> Result<String> {
        let chosen = form.person.as_ref().or(form.name.as_ref());
        match chosen.filter(|_| form.cancel.is_none()) {
            Some(person) => self.approve(issuer, &form.request, person),
            None => self.decline(issuer, &form.request),
        }
    }

    /// Somebody has chosen to be this person, by id or name: the address back, with a code.
    pub fn approve(
        &self,
        issuer: &str,
        request: &AuthorizeRequest,
        person: &str,
    ) -> Result<String> {
        self.send_back(issuer, request, |valid| {
            let person = DemoPerson::named(person)?;
            let code = Code {
                client_id: valid.client.id.clone(),
                redirect_uri: request.redirect_uri.clone().unwrap_or_default(),
                nonce: request.nonce.clone(),
                challenge: valid.challenge.to_owned(),
                person,
            };
            let code = self.issued.lock().code(code, (self.clock)());
            Ok(match &code {
                Some(code) => request.back(&valid.redirect_uri, issuer, &[("code", code)]),
                None => {
                    let busy = [("error", "temporarily_unavailable")];
                    request.back(&valid.redirect_uri, issuer, &busy)
                }
            })
        })
    }

    /// Somebody has chosen to be nobody: the address back, with an error.
    pub fn decline(&self, issuer: &str, request: &AuthorizeRequest) -> Result<String> {
        self.send_back(issuer, request, |valid| {
            Ok(request.back(&valid.redirect_uri, issuer, &[("error", "access_denied")]))
        })
    }

    fn send_back(
        &self,
        issuer: &str,
        request: &AuthorizeRequest,
        answer: impl FnOnce(&Valid<'_>) -> Result<String>,
    ) -> Result<String> {
        // Checked again: a form can be changed.
        match request.check(&self.clients, issuer) {
            Ok(valid) => answer(&valid),
            Err(Invalid::SentBack(url)) => Ok(url),
            Err(Invalid::Shown(error)) => Err(error),
        }
    }

    /// The token endpoint: an ID token and an access token for a code, once.
    pub fn token(
        &self,
        issuer: &str,
        form: &TokenRequest,
        authorization: Option<&str>,
    ) -> Result<Value, OAuthError> {
        if form.grant_type.as_deref() != Some("authorization_code") {
            let only = "grant_type must be authorization_code";
            return Err(OAuthError::new("unsupported_grant_type", only));
        }
        let client = self
            .client(form, authorization)
            .ok_or_else(|| OAuthError::new("invalid_client", "unknown client or wrong secret"))?;
        let given = form.code.as_deref().unwrap_or_default();
        let now = (self.clock)();
        let invalid = |why| OAuthError::new("invalid_grant", why);
        // Held until the access token is noted beside the code, so that a replay in between takes it back as well.
        let mut issued = self.issued.lock();
        let code = issued.redeem(given, now).map_err(invalid)?;
        if code.client_id != client.id {
            return Err(invalid("the code is another client's"));
        }
        if form.redirect_uri.as_ref() != Some(&code.redirect_uri) {
            return Err(invalid("the code was sent to another redirect_uri"));
        }
        if !proves(form.code_verifier.as_deref(), &code.challenge) {
            return Err(invalid("code_verifier does not fit code_challenge"));
        }
        let access_token = issued.access(given, code.person.clone(), now);
        drop(issued);
        let id_token = self
            .id_token(issuer, &code, &access_token, now)
            .map_err(|error| {
                tracing::error!(detail = ?error.detail, "demonstration token not signed");
                OAuthError::new("server_error", "the token could not be signed")
            })?;
        Ok(json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": ACCESS_LIFE,
            "id_token": id_token,
        }))
    }

    /// The user-info endpoint: the claims about whom the access token stands for.
    pub fn user_info(&self, authorization: Option<&str>) -> Result<Value, OAuthError> {
        let token = authorization
            .and_then(|a| a.strip_prefix("Bearer "))
            .unwrap_or_default();
        self.issued
            .lock()
            .person(token, (self.clock)())
            .map(|person| Value::Object(person.claims()))
            .ok_or_else(|| OAuthError::new("invalid_token", "unknown, expired or revoked"))
    }

    /// Signs somebody in without any page: a person of the directory by name, or a new citizen of any name. The claims are
    /// those that the whole way would give.
    pub fn sign_in(&self, issuer: &str, name: &str) -> Result<Claims> {
        let person = DemoPerson::named(name)?;
        Claims::read(&settings(issuer), &person.subject, &person.claims())
    }

    /// The client that asks, by the header or the form, if it knows its secret.
    fn client(&self, form: &TokenRequest, authorization: Option<&str>) -> Option<&DemoClient> {
        let (id, secret) = match authorization {
            Some(header) => basic(header).map(|(id, secret)| (id, Some(secret)))?,
            None => (form.client_id.clone()?, form.client_secret.clone()),
        };
        let client = self.clients.iter().find(|c| c.id == id)?;
        let knows = client.secret.is_none() || client.secret == secret;
        knows.then_some(client)
    }

    fn id_token(&self, issuer: &str, code: &Code, access_token: &str, now: i64) -> Result<String> {
        let person = &code.person;
        let standard = StandardClaims::new(SubjectIdentifier::new(person.subject.clone()))
            .set_name(Some(EndUserName::new(person.name.clone()).into()))
            .set_phone_number(person.phone.clone().map(EndUserPhoneNumber::new));
        let claims = TokenClaims::new(
            IssuerUrl::new(issuer.to_owned()).map_err(Error::internal)?,
            vec![Audience::new(code.client_id.clone())],
            moment(now + TOKEN_LIFE),
            moment(now),
            standard,
            OtherClaims(person.other_claims().into_iter().collect()),
        )
        .set_auth_time(Some(moment(now)))
        .set_nonce(code.nonce.clone().map(Nonce::new));
        Token::new(
            claims,
            self.key.signing(),
            CoreJwsSigningAlgorithm::EdDsa,
            Some(&AccessToken::new(access_token.to_owned())),
            None,
        )
        .map(|token| token.to_string())
        .map_err(Error::internal)
    }
}

/// Whether the verifier is the one that the challenge was made from.
fn proves(verifier: Option<&str>, challenge: &str) -> bool {
    // Its length is checked first because openidconnect does not return from a wrong one.
    verifier
        .filter(|v| (43..=128).contains(&v.len()))
        .map(|v| PkceCodeVerifier::new(v.to_owned()))
        .is_some_and(|v| PkceCodeChallenge::from_code_verifier_sha256(&v).as_str() == challenge)
}

/// Name and secret from a `Basic` header, each decoded as RFC 6749 2.3.1 says.
fn basic(header: &str) -> Option<(String, String)> {
    let bytes = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    // Letter for letter what a form would hold as a value.
    let decoded = |part: &str| {
        form_urlencoded::parse(format!("v={part}").as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
    };
    Some((decoded(id)?, decoded(secret)?))
}
