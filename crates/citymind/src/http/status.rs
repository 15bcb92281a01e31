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
use schemars::JsonSchema;
use serde::Serialize;

use super::{State, caller::identify, error::Problem};

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
    operator: bool,
    /// Questions to begin with.
    examples: Vec<String>,
}

/// What models it runs on.
#[derive(Serialize, JsonSchema)]
struct Model {
    mode: Mode,
    chat: Option<String>,
    embedder: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    None,
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
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let who = identify(&state, peer, &headers);
    let library = &state.app.library;
    let (revision, indexed_revision) = library.revisions().await?;
    let city = &state.app.config.city;
    let status = Status {
        product: "CityMind 城智".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        city: city.name.clone(),
        model: Model {
            mode: Mode::None,
            chat: None,
            embedder: None,
        },
        knowledge: Knowledge {
            documents: library.count().await?,
            clauses: library.passages(),
            revision,
            indexed_revision,
        },
        operator: who.caller.operator,
        examples: city.examples.clone(),
    };
    let mut response = Json(status).into_response();
    if let Some(cookie) = who.cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
