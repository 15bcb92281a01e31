//! Health and what the product runs on.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Json,
    extract::{ConnectInfo, State as Shared},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use kernel::{
    Result,
    capability::{Caller, Context},
    models::Site,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{State, doors, error::Problem, request::Who};

/// Whether questions can be answered yet.
#[derive(Clone, Default)]
pub(crate) struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Questions can be answered.
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// What runs here.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Status {
    product: String,
    version: String,
    city: String,
    model: Model,
    knowledge: Knowledge,
    /// May this caller manage knowledge.
    manages_knowledge: bool,
    /// Questions to begin with.
    examples: Vec<String>,
}

/// What models it runs on.
#[derive(Serialize, JsonSchema)]
struct Model {
    mode: Mode,
    chat: Option<String>,
    embedder: Option<String>,
    /// Clauses that wait to be found by meaning; empty without an embedder.
    waiting: Option<u64>,
}

impl Model {
    fn of(state: &State) -> Self {
        let runs_on = state.app.models.runs_on();
        let mode = match runs_on.chat.as_ref().map(|c| c.site) {
            None => Mode::None,
            Some(Site::Local) => Mode::Local,
            Some(Site::Remote) => Mode::Remote,
        };
        let meaning = state.app.library.meaning_state();
        Self {
            mode,
            chat: runs_on.chat.map(|c| c.name),
            embedder: runs_on.embedder.map(|c| c.name),
            waiting: meaning.map(|m| m.waiting),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    /// No language model.
    None,
    /// One inside this process.
    Local,
    /// One behind an endpoint.
    Remote,
}

/// What it knows.
#[derive(Serialize, JsonSchema)]
struct Knowledge {
    documents: u64,
    clauses: u64,
    revision: u64,
    indexed_revision: u64,
}

pub(super) async fn live() -> &'static str {
    "ok\n"
}

pub(super) async fn ready(Shared(state): Shared<State>) -> Response {
    if state.ready.0.load(Ordering::Acquire) {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "starting\n").into_response()
    }
}

pub(super) async fn status(
    Shared(state): Shared<State>,
    who: Who,
) -> Result<Json<Status>, Problem> {
    let context = who.context();
    let told = state.app.catalogue.enter(
        &doors::STATUS,
        &context,
        String::new(),
        tell(&state, &context),
    );
    Ok(Json(told.await.map_err(|e| who.explain(e))?))
}

async fn tell(state: &State, context: &Context) -> Result<Status> {
    let library = &state.app.library;
    let (revision, indexed_revision) = library.revisions().await?;
    let city = &state.app.config.city;
    let manages = state
        .app
        .identity
        .permit(&context.caller, &doors::UPLOAD)
        .await;
    Ok(Status {
        product: "CityMind 城智".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        city: city.name.clone(),
        model: Model::of(state),
        knowledge: Knowledge {
            documents: library.count().await?,
            clauses: library.passages(),
            revision,
            indexed_revision,
        },
        manages_knowledge: manages.is_ok(),
        examples: city.examples.clone(),
    })
}

/// Everything that is measured, for whoever scrapes it on this machine or with a key that may see the jobs.
pub(super) async fn metrics(
    Shared(state): Shared<State>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let forwarded = ["x-forwarded-for", "forwarded", "x-real-ip"]
        .iter()
        .any(|h| headers.contains_key(*h));
    if !peer.ip().is_loopback() || forwarded {
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.strip_prefix("Bearer "));
        let identity = &state.app.identity;
        let mut caller = Caller::default();
        if let Some(key) = bearer {
            caller.account = Some(identity.authenticate(key).await?.account);
        }
        identity.permit(&caller, &doors::METRICS).await?;
    }
    let media = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, media)], state.app.measures.text()?).into_response())
}
