//! Errors as RFC 9457 problem details: one table from code to status.

use std::any::Any;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use kernel::{Error, ErrorCode};
use serde_json::{Value, json};

/// An error on its way out.
pub(crate) struct Problem(pub(super) Error);

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// The HTTP status of a code.
pub(crate) fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::InvalidInput | ErrorCode::MalformedBody => StatusCode::BAD_REQUEST,
        ErrorCode::SignInRequired | ErrorCode::SignInFailed => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::LockedOut | ErrorCode::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::Conflict
        | ErrorCode::Cancelled
        | ErrorCode::SourceChanged
        | ErrorCode::DataFolderInUse => StatusCode::CONFLICT,
        ErrorCode::QuestionTooLong | ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::UnsupportedFormat => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::DamagedFile | ErrorCode::UnsafeFile | ErrorCode::EmptyDocument => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        ErrorCode::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        ErrorCode::Unavailable | ErrorCode::ModelUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::ModelTimeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorCode::ModelReply => StatusCode::BAD_GATEWAY,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The body of a problem; what only the log should hold goes there, under the same request id.
pub(super) fn body(error: &Error) -> Value {
    let request = super::request::request_id();
    let status = status(error.code);
    if status.is_server_error() {
        tracing::error!(
            request,
            code = error.code.as_str(),
            detail = error.detail,
            "{}",
            error.message
        );
    } else {
        tracing::debug!(
            request,
            code = error.code.as_str(),
            detail = error.detail,
            "{}",
            error.message
        );
    }
    json!({
        "type": format!("/docs/errors#{}", error.code.as_str()),
        "title": error.code.title(),
        "status": status.as_u16(),
        "detail": error.message,
        "code": error.code.as_str(),
        "request_id": request,
    })
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = body(&self.0);
        let mut response = (
            status(self.0.code),
            [(header::CONTENT_TYPE, "application/problem+json")],
            body.to_string(),
        )
            .into_response();
        if let Some(seconds) = self.0.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// An address that can't be read.
pub(super) fn unreadable(cause: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorCode::InvalidInput,
        "地址中有无法识别的字符，请以 UTF-8 编码。",
    )
    .with_detail(cause)
}

pub(super) async fn no_such_route() -> Problem {
    Problem(Error::new(
        ErrorCode::NotFound,
        "没有这个接口。接口清单见 /api/openapi.json。",
    ))
}

pub(super) async fn no_such_method() -> Response {
    let error = Error::new(
        ErrorCode::InvalidInput,
        "这个接口不支持该请求方法。接口清单见 /api/openapi.json。",
    );
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let mut body = body(&error);
    body["status"] = status.as_u16().into();
    let media = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, media, body.to_string()).into_response()
}

pub(super) fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let text = cause
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| cause.downcast_ref::<&str>().map(|s| (*s).to_owned()));
    Problem(Error::internal(
        text.unwrap_or_else(|| "a panic".to_owned()),
    ))
    .into_response()
}
