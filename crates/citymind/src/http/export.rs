//! The audit log as a file.

use axum::{
    body::{Body, Bytes},
    extract::State as Shared,
    http::header,
    response::{IntoResponse, Response},
};
use kernel::{Error, ErrorCode};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

use super::{State, doors, error::Problem, request::Who};

/// All entries as JSON lines, the seal last. A log that is found broken ends the body early: without its seal nobody
/// takes it for whole.
pub(super) async fn audit(Shared(state): Shared<State>, who: Who) -> Result<Response, Problem> {
    let context = who.context();
    let audit = state.app.audit.clone();
    let (sender, receiver) = mpsc::unbounded_channel::<Result<Bytes, Error>>();
    state
        .app
        .catalogue
        .enter(&doors::AUDIT_EXPORT, &context, String::new(), async {
            tokio::spawn(async move {
                let lines = sender.clone();
                let written = audit.export(|line| {
                    lines
                        .send(Ok(Bytes::from(format!("{line}\n"))))
                        .map_err(|_| Error::new(ErrorCode::Cancelled, "请求方已断开。"))
                });
                if let Err(error) = written.await {
                    tracing::warn!(detail = error.detail, "export of the audit log: {error}");
                    // The listener may have gone away.
                    let _ = sender.send(Err(error));
                }
            });
            Ok(())
        })
        .await
        .map_err(|e| Problem(who.explain(e)))?;
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"audit.jsonl\"",
        ),
    ];
    let body = Body::from_stream(UnboundedReceiverStream::new(receiver));
    Ok((headers, body).into_response())
}
