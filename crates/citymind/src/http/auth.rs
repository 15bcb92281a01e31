//! Signing in and out, and one-time links: what sets cookies.

use axum::{
    Json,
    body::Bytes,
    extract::{State as Shared, rejection::BytesRejection},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use kernel::{
    Result, id,
    identity::{Account, Via},
};
use platform::identity::{Client, Redeemed, Token, User};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    State, cookie,
    door::object,
    doors,
    error::Problem,
    oidc::ProviderView,
    request::{Turn, Who},
};

/// Who is signed in.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Me {
    /// The account; none for whoever is anonymous.
    account: Option<Account>,
    /// More about it, where it is a person's.
    user: Option<User>,
    /// The capabilities that may be used now, by name.
    capabilities: Vec<String>,
    /// Nobody can administer yet: the set-up link stands in the server's log.
    needs_setup: bool,
    /// Identity providers to sign in at.
    providers: Vec<ProviderView>,
}

/// A name and a password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignInInput {
    /// The login name.
    #[schemars(length(min = 1, max = 100))]
    login: String,
    /// The password.
    #[schemars(length(min = 1, max = 512))]
    password: String,
}

/// Names a one-time link.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkInput {
    /// What follows `#` in the link.
    #[schemars(length(min = 1, max = 100))]
    secret: String,
}

/// What the form of a one-time link brings.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedeemInput {
    /// What follows `#` in the link.
    #[schemars(length(min = 1, max = 100))]
    secret: String,
    /// The login name, for the first administrator.
    #[serde(default)]
    login: Option<String>,
    /// The person's name.
    #[serde(default)]
    name: Option<String>,
    /// The new password.
    #[schemars(length(min = 1, max = 512))]
    password: String,
}

pub(super) fn parse<T: DeserializeOwned>(body: Result<Bytes, BytesRejection>) -> Result<T> {
    let fields = object(body)?;
    kernel::capability::read_input(fields.into())
}

pub(super) async fn me(Shared(state): Shared<State>, who: Who) -> Result<Json<Me>, Problem> {
    let app = &state.app;
    let account = who.caller.account.clone();
    let context = who.context();
    let me = app
        .catalogue
        .enter(&doors::ME, &context, String::new(), async {
            let user = match &account {
                Some(a) if a.via == Via::SignIn => Some(app.identity.user(&a.id).await?),
                _ => None,
            };
            Ok(Me {
                user,
                capabilities: app.catalogue.open_to(&context).await?,
                needs_setup: account.is_none() && !app.identity.has_administrator().await?,
                providers: state.providers.views(),
                account,
            })
        })
        .await?;
    Ok(Json(me))
}

pub(super) fn client<'a>(who: &'a Who, address: &'a str, bearer: bool) -> Client<'a> {
    Client {
        address,
        agent: &who.agent,
        bearer,
    }
}

/// The reply to a sign-in.
fn signed_in(who: &Who, user: User, token: &Token) -> Response {
    let mut response = Json(user).into_response();
    set(&mut response, &cookie::sign_in(token, who.secure));
    response
}

pub(super) fn set(response: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

pub(super) async fn sign_in(
    Shared(state): Shared<State>,
    who: Who,
    _turn: Turn,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let context = who.context();
    let address = who.address();
    let app = &state.app;
    let (user, token) = app
        .catalogue
        .enter(&doors::SIGN_IN, &context, String::new(), async {
            let input: SignInInput = parse(body)?;
            let shown: String = input.login.chars().take(50).collect();
            context.note("login", shown);
            app.identity
                .sign_in(&input.login, &input.password, client(&who, &address, false))
                .await
        })
        .await?;
    Ok(signed_in(&who, user, &token))
}

pub(super) async fn sign_out(Shared(state): Shared<State>, who: Who) -> Result<Response, Problem> {
    let context = who.context();
    state
        .app
        .catalogue
        .enter(&doors::SIGN_OUT, &context, String::new(), async {
            match &who.token {
                Some(token) => state.app.identity.sign_out(token).await,
                None => Ok(()),
            }
        })
        .await?;
    let mut response = axum::http::StatusCode::NO_CONTENT.into_response();
    set(&mut response, &cookie::signed_out(who.secure));
    // Whoever comes next to this browser must not find the conversations of whoever leaves.
    set(&mut response, &cookie::visitor(&id::secret(), who.secure));
    Ok(response)
}

pub(super) async fn link(
    Shared(state): Shared<State>,
    who: Who,
    _turn: Turn,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let context = who.context();
    let app = &state.app;
    let view = app
        .catalogue
        .enter(&doors::LINK, &context, String::new(), async {
            let input: LinkInput = parse(body)?;
            app.identity.link(&input.secret).await
        })
        .await?;
    Ok(Json(view).into_response())
}

pub(super) async fn redeem(
    Shared(state): Shared<State>,
    who: Who,
    _turn: Turn,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let context = who.context();
    let address = who.address();
    let app = &state.app;
    let (user, token) = app
        .catalogue
        .enter(&doors::REDEEM, &context, String::new(), async {
            let input: RedeemInput = parse(body)?;
            let form = Redeemed {
                secret: &input.secret,
                login: input.login.as_deref(),
                name: input.name.as_deref(),
                password: &input.password,
            };
            app.identity
                .redeem(form, client(&who, &address, false))
                .await
        })
        .await?;
    Ok(signed_in(&who, user, &token))
}
