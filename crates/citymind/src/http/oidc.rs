//! Signing in at an identity provider, and the demonstration's own provider.

use std::sync::Arc;

use axum::{
    Form, Json, Router,
    body::Bytes,
    extract::{
        Path, Query, State as Shared,
        rejection::{BytesRejection, FormRejection, PathRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use engine_identity::{
    Begun, Callback, Claims, Kind, OidcClient,
    demo::{
        self, AuthorizeForm, AuthorizeRequest, Authorized, DemoClient, DemoKey, DemoProvider,
        OAuthError, TokenRequest,
    },
};
use kernel::{Error, ErrorCode, Result, capability::Context};
use platform::identity::{Business, External, ExternalKind, Token, User};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    State,
    auth::{client, parse, set},
    cookie, doors,
    error::{Problem, unreadable},
    request::{Turn, Who},
};
use crate::wiring::App;

/// Where the demonstration's provider is mounted.
const DEMO: &str = "/demo/identity";

/// The providers that people can sign in at.
pub(crate) struct Providers {
    clients: Vec<OidcClient>,
    demo: Option<Demo>,
}

struct Demo {
    provider: DemoProvider,
    issuer: String,
}

/// A provider, as the sign-in page shows it.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ProviderView {
    /// Its name in addresses.
    name: String,
    /// What the button says.
    title: String,
    /// Where the browser goes to begin.
    url: String,
}

impl Providers {
    /// The configured providers; with the demonstration city its own as well, under the address that is listened at.
    pub(crate) fn open(app: &App, address: std::net::SocketAddr, demo: bool) -> Result<Arc<Self>> {
        let mut clients = Vec::new();
        for settings in &app.config.identity.providers {
            clients.push(OidcClient::new(settings.clone())?);
        }
        let demo = demo.then(|| demonstration(app, address)).transpose()?;
        if let Some(demo) = &demo {
            clients.push(OidcClient::new(demo::settings(&demo.issuer))?);
        }
        Ok(Arc::new(Self { clients, demo }))
    }

    pub(super) fn views(&self) -> Vec<ProviderView> {
        let views = self.clients.iter().map(|c| ProviderView {
            name: c.name().to_owned(),
            title: c.title().to_owned(),
            url: format!("/api/v1/auth/oidc/{}", c.name()),
        });
        views.collect()
    }

    fn named(&self, name: &str) -> Result<&OidcClient> {
        let found = self.clients.iter().find(|c| c.name() == name);
        found.ok_or_else(|| Error::not_found("这个登录方式"))
    }

    fn demo(&self) -> Result<&Demo> {
        self.demo.as_ref().ok_or_else(|| {
            Error::new(
                ErrorCode::NotFound,
                "没有载入演示城市，不能演示登录。请以 --demo 启动。",
            )
        })
    }
}

fn demonstration(app: &App, address: std::net::SocketAddr) -> Result<Demo> {
    let port = address.port();
    let public = app.config.server.public_url.trim_end_matches('/');
    let own = if address.ip().is_unspecified() {
        format!("http://127.0.0.1:{port}")
    } else {
        format!("http://{address}")
    };
    let base = if public.is_empty() { &own } else { public };
    let mut bases = vec![
        own.clone(),
        format!("http://localhost:{port}"),
        format!("http://127.0.0.1:{port}"),
        format!("http://[::1]:{port}"),
    ];
    if !public.is_empty() {
        bases.push(public.to_owned());
    }
    let backs = bases.iter().map(|b| back(b, "demo")).collect();
    let seed = app
        .folder
        .secret("demo-identity.key", crate::wiring::new_secret)?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(seed.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(Error::internal)?;
        *byte = u8::from_str_radix(pair, 16).map_err(Error::internal)?;
    }
    Ok(Demo {
        provider: DemoProvider::new(DemoKey::from_bytes(&bytes)?, vec![DemoClient::ours(backs)]),
        issuer: format!("{base}{DEMO}"),
    })
}

fn back(base: &str, provider: &str) -> String {
    format!("{base}/api/v1/auth/oidc/{provider}/callback")
}

/// The address by which the browser knows us. A made-up `Host` leads nowhere: the provider sends people only to addresses
/// that were registered with it.
fn base(state: &State, headers: &HeaderMap) -> String {
    let public = state.app.config.server.public_url.trim_end_matches('/');
    if !public.is_empty() {
        return public.to_owned();
    }
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok());
    format!("http://{}", host.unwrap_or_default())
}

/// A path of ours, whatever the address asks for.
fn own_path(to: Option<&str>) -> &str {
    // Browsers leave line ends and tabs out of an address: with one, `/` and `/` may come together.
    let clean = |t: &&str| !t.contains(|c: char| c == '\\' || c.is_control());
    to.filter(|t| t.starts_with('/') && !t.starts_with("//"))
        .filter(clean)
        .unwrap_or("/")
}

#[derive(Deserialize)]
pub(super) struct Begin {
    to: Option<String>,
}

/// Sends the browser to the provider.
pub(super) async fn begin(
    Shared(state): Shared<State>,
    who: Who,
    _turn: Turn,
    headers: HeaderMap,
    name: Result<Path<String>, PathRejection>,
    query: Result<Query<Begin>, QueryRejection>,
) -> Result<Response, Problem> {
    let Path(name) = name.map_err(unreadable)?;
    let Query(query) = query.map_err(unreadable)?;
    let context = who.context();
    let app = &state.app;
    let begun = app
        .catalogue
        .enter(&doors::OIDC_BEGIN, &context, name.clone(), async {
            let provider = state.providers.named(&name)?;
            let begun = provider
                .begin(&back(&base(&state, &headers), &name))
                .await?;
            let kept = serde_json::to_value(&begun).map_err(Error::internal)?;
            let to = own_path(query.to.as_deref());
            app.identity
                .keep_flow(&begun.state, &who.caller.visitor, kept, to)
                .await?;
            Ok(begun)
        })
        .await?;
    Ok(Redirect::to(&begun.url).into_response())
}

/// Takes whoever comes back from the provider in.
pub(super) async fn callback(
    Shared(state): Shared<State>,
    who: Who,
    _turn: Turn,
    headers: HeaderMap,
    name: Result<Path<String>, PathRejection>,
    query: Result<Query<Callback>, QueryRejection>,
) -> Result<Response, Problem> {
    let Path(name) = name.map_err(unreadable)?;
    let Query(query) = query.map_err(unreadable)?;
    let context = who.context();
    let came = state
        .app
        .catalogue
        .enter(
            &doors::OIDC_CALLBACK,
            &context,
            name.clone(),
            come_back(
                &state,
                &who,
                &context,
                &name,
                &query,
                &base(&state, &headers),
            ),
        )
        .await;
    Ok(match came {
        Ok((token, to)) => {
            let mut response = Redirect::to(&to).into_response();
            set(&mut response, &cookie::sign_in(&token, who.secure));
            response
        }
        // A person in a browser: the page says what is wrong, not a document.
        Err(error) => {
            let request = &context.request;
            tracing::info!(request, detail = error.detail, "sign-in at {name}: {error}");
            let code = error.code.as_str();
            Redirect::to(&format!("/sign-in?problem={code}")).into_response()
        }
    })
}

async fn come_back(
    state: &State,
    who: &Who,
    context: &Context,
    name: &str,
    query: &Callback,
    base: &str,
) -> Result<(Token, String)> {
    let provider = state.providers.named(name)?;
    let flow_state = query.state.as_deref().unwrap_or_default();
    // Taken first, whatever comes of it: nothing comes back twice.
    let taken = state
        .app
        .identity
        .take_flow(flow_state, &who.caller.visitor);
    let (begun, to) = taken.await?;
    let begun: Begun = serde_json::from_value(begun).map_err(Error::internal)?;
    let claims = provider.finish(&begun, query, &back(base, name)).await?;
    let (_, token) = take_in(state, who, context, claims, false).await?;
    Ok((token, to))
}

async fn take_in(
    state: &State,
    who: &Who,
    context: &Context,
    claims: Claims,
    bearer: bool,
) -> Result<(User, Token)> {
    context.note("provider", claims.provider.as_str());
    context.note("name", claims.name.as_str());
    let honoured = &state.app.config.identity.role_names;
    let roles = claims.roles.iter().filter_map(|r| honoured.get(r).copied());
    let staff = claims.kind == Kind::Staff;
    let external = External {
        // The demonstration's address has a port in it, which changes; its people stay the same.
        issuer: if claims.provider == "demo" {
            "demo".into()
        } else {
            claims.issuer.clone()
        },
        subject: claims.subject.clone(),
        roles: if staff {
            roles.collect()
        } else {
            Default::default()
        },
        name: claims.name,
        kind: match claims.kind {
            Kind::Citizen => ExternalKind::Citizen,
            Kind::Business { name, credit_code } => {
                ExternalKind::Business(Business { name, credit_code })
            }
            Kind::Staff => ExternalKind::Staff,
        },
        verified: claims.verified,
    };
    let address = who.address();
    state
        .app
        .identity
        .sign_in_external(&external, client(who, &address, bearer))
        .await
}

/// Whom to play.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DemoInput {
    /// A name of 2 to 20 characters; a name of the demonstration's directory is that person or business.
    #[schemars(length(min = 2, max = 20))]
    name: String,
}

/// A sign-in for a program.
#[derive(Serialize, JsonSchema)]
pub(crate) struct DemoSignedIn {
    /// To be sent as `Authorization: Bearer`.
    token: String,
    /// Until when it counts at most.
    expires_at: String,
    /// Who.
    user: User,
}

/// Signs in somebody of the demonstration without any page.
pub(super) async fn demo_sign_in(
    Shared(state): Shared<State>,
    who: Who,
    _turn: Turn,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<DemoSignedIn>, Problem> {
    let context = who.context();
    let (user, token) = state
        .app
        .catalogue
        .enter(&doors::DEMO_SIGN_IN, &context, String::new(), async {
            let input: DemoInput = parse(body)?;
            let demo = state.providers.demo()?;
            let claims = demo.provider.sign_in(&demo.issuer, &input.name)?;
            take_in(&state, &who, &context, claims, true).await
        })
        .await?;
    Ok(Json(DemoSignedIn {
        token: token.secret,
        expires_at: token.expires_at,
        user,
    }))
}

/// The demonstration's provider; nothing without the demonstration.
pub(super) fn demo_routes() -> Router<State> {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(jwks))
        .route("/authorize", get(authorize).post(answer))
        .route("/token", post(token))
        .route("/userinfo", get(user_info))
}

pub(super) fn demo_path() -> &'static str {
    DEMO
}

async fn discovery(Shared(state): Shared<State>) -> Result<Response, Problem> {
    let demo = state.providers.demo()?;
    Ok(Json(demo.provider.discovery(&demo.issuer)?).into_response())
}

async fn jwks(Shared(state): Shared<State>) -> Result<Response, Problem> {
    Ok(Json(state.providers.demo()?.provider.jwks()?).into_response())
}

async fn authorize(
    Shared(state): Shared<State>,
    query: Result<Query<AuthorizeRequest>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(request) = query.map_err(unreadable)?;
    let demo = state.providers.demo()?;
    Ok(match demo.provider.authorize(&demo.issuer, &request)? {
        Authorized::Page(html) => Html(html).into_response(),
        Authorized::Redirect(url) => Redirect::to(&url).into_response(),
    })
}

async fn answer(
    Shared(state): Shared<State>,
    form: Result<Form<AuthorizeForm>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(form) = form.map_err(unreadable)?;
    let demo = state.providers.demo()?;
    Ok(Redirect::to(&demo.provider.answer(&demo.issuer, &form)?).into_response())
}

fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok())
}

fn told(answer: std::result::Result<serde_json::Value, OAuthError>) -> Response {
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    match answer {
        Ok(value) => (no_store, Json(value)).into_response(),
        Err(error) => {
            let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
            (status, no_store, Json(error.body())).into_response()
        }
    }
}

async fn token(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    form: Result<Form<TokenRequest>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(form) = form.map_err(unreadable)?;
    let demo = state.providers.demo()?;
    let answer = demo
        .provider
        .token(&demo.issuer, &form, authorization(&headers));
    Ok(told(answer))
}

async fn user_info(Shared(state): Shared<State>, headers: HeaderMap) -> Result<Response, Problem> {
    let demo = state.providers.demo()?;
    Ok(told(demo.provider.user_info(authorization(&headers))))
}
