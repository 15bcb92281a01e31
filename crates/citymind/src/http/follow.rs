//! An import followed live.

use std::convert::Infallible;

use axum::{
    extract::{Path, State as Shared, rejection::PathRejection},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{StreamExt, stream};
use kernel::page::PageRequest;
use knowledge::imports::Import;
use tokio_stream::wrappers::BroadcastStream;

use super::{
    State, doors,
    error::{Problem, unreadable},
    request::Who,
};

fn event(import: &Import) -> Result<Event, Infallible> {
    Ok(Event::default()
        .event("progress")
        .data(serde_json::to_string(import).unwrap_or_default()))
}

/// `progress` events until the import is over: first how it stands, then each change with its rows.
pub(super) async fn events(
    Shared(state): Shared<State>,
    who: Who,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id.map_err(unreadable)?;
    let context = who.context();
    let followed = state.app.catalogue.enter(
        &doors::IMPORT_EVENTS,
        &context,
        id.clone(),
        follow(&state, &who, &id),
    );
    followed.await.map_err(|e| Problem(who.explain(e)))
}

async fn follow(state: &State, who: &Who, id: &str) -> kernel::Result<Response> {
    state.app.imports.require_seen(&who.caller, id).await?;
    // Followed before it is read: what happens in between is told twice rather than not at all.
    let changes = state.app.imports.follow(id);
    let now = state
        .app
        .imports
        .get(
            id,
            None,
            PageRequest {
                page: None,
                page_size: Some(200),
            },
        )
        .await?;
    let first = stream::iter([event(&now)]);
    let events = match changes {
        // A listener who lags behind misses rows, yet the next event has the right counts.
        Some(changes) => {
            let later = BroadcastStream::new(changes)
                .filter_map(|c| async move { c.ok().map(|i| event(&i)) });
            first.chain(later).boxed()
        }
        None => first.boxed(),
    };
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response())
}
