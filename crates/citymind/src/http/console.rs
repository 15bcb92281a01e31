//! The embedded console.

use axum::{
    http::{StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};

const MISSING: &str = "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>CityMind 城智</title><p>本程序未内置控制台。请在源码目录运行 <code>make console build</code> 后重新启动。接口仍可使用，清单见 <a href=\"/api/openapi.json\">/api/openapi.json</a>。</p>";

/// A file of the console, or its first page for every address that it routes itself.
pub(super) async fn serve(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("api/") {
        return super::error::no_such_route().await.into_response();
    }
    let found = console_assets::asset(path).filter(|_| !path.is_empty());
    let missing_file = found.is_none()
        && path
            .rsplit('/')
            .next()
            .is_some_and(|name| name.contains('.'));
    if missing_file {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Some(asset) = found.or_else(console_assets::index) else {
        return Html(MISSING).into_response();
    };
    let cache = if asset.immutable {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    (
        [
            (header::CONTENT_TYPE, asset.media_type),
            (header::CACHE_CONTROL, cache),
        ],
        asset.bytes,
    )
        .into_response()
}
