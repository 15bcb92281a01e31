//! The HTTP door: everything that knows axum.
//!
//! | file | what |
//! |---|---|
//! | `door.rs` | capabilities as routes, plain or as server-sent events |
//! | `doors.rs` | what is no capability and is described like one |
//! | `request.rs` | what every request gets: an id, the caller, a check of where it comes from |
//! | `cookie.rs` | the visitor's cookie and the sign-in's |
//! | `limits.rs` | how many requests each caller may send |
//! | `auth.rs` | signing in and out, one-time links |
//! | `oidc.rs` | signing in at an identity provider, and the demonstration's own provider |
//! | `export.rs` | the audit log as a file |
//! | `error.rs` | errors as RFC 9457 problem details |
//! | `transfer.rs` | files in (imports) and out (originals, pictures) |
//! | `follow.rs`, `jobs.rs` | an import and a job followed live; what a job made |
//! | `casework.rs` | filled forms as files, and the materials of cases |
//! | `openapi.rs` | the OpenAPI 3.1 document, from the capabilities' schemas |
//! | `docs.rs`, `docs.css` | the same document as a page |
//! | `status.rs` | health and what the product runs on |
//! | `console.rs` | the embedded console |

mod auth;
mod casework;
mod compatible;
mod console;
mod cookie;
mod docs;
mod door;
pub(crate) mod doors;
mod error;
mod export;
mod follow;
mod jobs;
mod limits;
mod oidc;
pub(crate) mod openapi;
mod request;
mod status;
mod transfer;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};

pub(crate) use compatible::Conversations;
pub(crate) use limits::Limits;
pub(crate) use oidc::Providers;
pub(crate) use request::{RequestId, Who};
pub(crate) use status::Readiness;
pub(crate) use transfer::percent;

use crate::{mcp, wiring::App};

/// What handlers share.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) app: Arc<App>,
    pub(crate) ready: Readiness,
    pub(crate) limits: Arc<Limits>,
    pub(crate) providers: Arc<Providers>,
    pub(crate) conversations: Arc<Conversations>,
}

/// A JSON body's greatest size, in bytes.
const BODY: usize = 256 << 10;

/// All routes.
#[expect(clippy::too_many_lines, reason = "a list of routes")]
pub(crate) fn router(state: State) -> Router {
    let upload = usize::try_from(state.app.config.limits.upload_mib << 20).unwrap_or(usize::MAX);
    let transfers = Router::new()
        .route(
            "/knowledge/imports",
            // What is refused is read on for a while, so that the reply is read as well.
            post(transfer::upload).layer(DefaultBodyLimit::max(
                upload.saturating_add(transfer::ENOUGH),
            )),
        )
        .route(
            "/knowledge/documents/{id}/original",
            get(transfer::original),
        )
        .route(
            "/knowledge/documents/{id}/pictures/{picture}",
            get(transfer::picture),
        )
        .route("/knowledge/imports/{id}/events", get(follow::events))
        .route("/jobs/{id}/events", get(jobs::events))
        .route("/jobs/{id}/artifacts/{name}", get(jobs::artifact))
        .route("/cases/{id}/form.docx", get(casework::case_docx))
        .route("/cases/{id}/form.pdf", get(casework::case_pdf))
        .route("/guides/{session}/form.docx", get(casework::guide_docx))
        .route("/guides/{session}/form.pdf", get(casework::guide_pdf))
        .route(
            "/cases/{id}/materials",
            post(casework::upload).layer(DefaultBodyLimit::max(casework::BODY)),
        )
        .route("/cases/{id}/materials/{upload}", get(casework::material))
        .route("/audit/export", get(export::audit))
        .route("/status", get(status::status));
    let auth = Router::new()
        .route("/auth/me", get(auth::me))
        .route("/auth/sign-in", post(auth::sign_in))
        .route("/auth/sign-out", post(auth::sign_out))
        .route("/auth/link", post(auth::link))
        .route("/auth/redeem", post(auth::redeem))
        .route("/auth/oidc/{provider}", get(oidc::begin))
        .route("/auth/oidc/{provider}/callback", get(oidc::callback))
        .route("/demo/sign-in", post(oidc::demo_sign_in));
    let api = door::routes(state.app.catalogue.all())
        .merge(auth)
        .layer(DefaultBodyLimit::max(BODY))
        .merge(transfers)
        .fallback(error::no_such_route)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(middleware::from_fn_with_state(
            state.clone(),
            request::admitted,
        ));
    let compatible = Router::new()
        .route("/chat/completions", post(compatible::chat))
        .route("/models", get(compatible::models))
        .route("/embeddings", post(compatible::embeddings))
        .layer(DefaultBodyLimit::max(BODY))
        .fallback(error::no_such_route)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(middleware::from_fn_with_state(
            state.clone(),
            request::admitted,
        ));
    let mcp = mcp::http::route(state.app.catalogue.clone()).layer(middleware::from_fn_with_state(
        state.clone(),
        request::admitted,
    ));
    Router::new()
        .nest("/api/v1", api)
        .nest("/v1", compatible)
        .merge(mcp)
        .nest(oidc::demo_path(), oidc::demo_routes())
        .route("/api/openapi.json", get(openapi::document))
        .route("/api/docs", get(docs::page))
        .route("/api/docs.css", get(docs::style))
        .route("/metrics", get(status::metrics))
        .route("/health/live", get(status::live))
        .route("/health/ready", get(status::ready))
        .fallback(console::serve)
        .layer(middleware::from_fn(harden))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(middleware::from_fn(request::numbered))
        .layer(CompressionLayer::new())
        .with_state(state)
}

/// Headers that keep a page from being framed, sniffed or made to load foreign code.
async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'",
        ),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}
