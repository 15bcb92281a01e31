//! A job followed live, and what it made.

use std::convert::Infallible;

use axum::{
    extract::{Path, State as Shared, rejection::PathRejection},
    http::header,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{StreamExt, stream};
use platform::jobs::JobView;
use tokio_stream::wrappers::BroadcastStream;

use super::{
    State, doors,
    error::{Problem, unreadable},
    request::Who,
    transfer::percent,
};

fn event(job: &JobView) -> Result<Event, Infallible> {
    Ok(Event::default()
        .event("progress")
        .data(serde_json::to_string(job).unwrap_or_default()))
}

/// `progress` events until the job is over: first how it stands, then each change that this process makes.
pub(super) async fn events(
    Shared(state): Shared<State>,
    who: Who,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id.map_err(unreadable)?;
    let context = who.context();
    let jobs = &state.app.jobs;
    let (now, changes) = state
        .app
        .catalogue
        .enter(&doors::JOB_EVENTS, &context, id.clone(), async {
            // Followed before it is read: what happens in between is told twice rather than not at all.
            let changes = jobs.follow(&id).await?;
            Ok((JobView::from(jobs.get(&id).await?), changes))
        })
        .await
        .map_err(|e| Problem(who.explain(e)))?;
    let first = stream::iter([event(&now)]);
    let events = match changes {
        // A listener who lags behind misses steps, yet the next event has the right state.
        Some(changes) => {
            let later = BroadcastStream::new(changes)
                .filter_map(|c| async move { c.ok().map(|job| event(&job)) });
            first.chain(later).boxed()
        }
        None => first.boxed(),
    };
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response())
}

/// A file that a job made.
pub(super) async fn artifact(
    Shared(state): Shared<State>,
    who: Who,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, Problem> {
    let Path((id, name)) = path.map_err(unreadable)?;
    let context = who.context();
    let (media, bytes) = state
        .app
        .catalogue
        .enter(
            &doors::JOB_ARTIFACT,
            &context,
            format!("{id}/{name}"),
            state.app.jobs.artifact(&id, &name),
        )
        .await
        .map_err(|e| Problem(who.explain(e)))?;
    let headers = [
        (header::CONTENT_TYPE, media),
        // Saved, never shown by the browser itself: it must not run in our origin.
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename*=UTF-8''{}", percent(&name)),
        ),
    ];
    Ok((headers, bytes).into_response())
}
