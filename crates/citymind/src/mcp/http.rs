//! `/mcp`: streamable HTTP without sessions, so that there is none to steal and any process can answer.

use std::sync::Arc;

use axum::{Router, http::request::Parts};
use kernel::capability::Context;
use platform::catalogue::Catalogue;
use rmcp::{
    RoleServer,
    service::RequestContext,
    transport::{
        StreamableHttpServerConfig, StreamableHttpService,
        streamable_http_server::session::never::NeverSessionManager,
    },
};

use super::{Behind, Tools};
use crate::http::{RequestId, Who};

/// The greatest body, in bytes; as for the other doors.
const BODY: usize = 256 << 10;

/// The route; whoever mounts it finds out who calls.
pub(crate) fn route<S: Clone + Send + Sync + 'static>(catalogue: Catalogue) -> Router<S> {
    // Which hosts and pages may call is checked for all doors alike, before this.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(BODY)
        .disable_allowed_hosts();
    let tools = Tools {
        behind: Behind::Here(catalogue),
        caller: None,
    };
    let service = StreamableHttpService::new(
        move || Ok(tools.clone()),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    Router::new().route_service("/mcp", service)
}

/// The circumstances of a call that came over HTTP.
pub(super) fn context(request: &RequestContext<RoleServer>) -> Option<Context> {
    let parts = request.extensions.get::<Parts>()?;
    let mut context = parts.extensions.get::<Who>()?.context();
    // The tools run in a task of their own, which doesn't know the request.
    if let Some(RequestId(id)) = parts.extensions.get::<RequestId>() {
        context.request.clone_from(id);
    }
    Some(context)
}
