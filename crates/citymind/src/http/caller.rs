//! Who calls: the visitor's cookie, the operator's key.

use std::net::SocketAddr;

use axum::http::{HeaderMap, HeaderValue, Uri, header};
use kernel::{capability::Caller, id};

use super::State;

const COOKIE: &str = "citymind_visitor";

/// A caller, and the cookie to set if the browser is new.
pub(super) struct Identified {
    pub(super) caller: Caller,
    pub(super) cookie: Option<HeaderValue>,
}

/// Finds out who calls. A browser without our cookie gets one: its conversations belong to it.
pub(super) fn identify(state: &State, peer: SocketAddr, headers: &HeaderMap) -> Identified {
    let known = cookies(headers)
        .find_map(|(name, value)| (name == COOKIE && is_id(value)).then(|| value.to_owned()));
    let visitor = known.clone().unwrap_or_else(id::secret);
    let cookie = known
        .is_none()
        .then(|| format!("{COOKIE}={visitor}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000"));
    Identified {
        caller: Caller {
            visitor,
            operator: is_operator(state, peer, headers),
        },
        cookie: cookie.and_then(|c| HeaderValue::from_str(&c).ok()),
    }
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

fn is_id(value: &str) -> bool {
    value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whoever holds the key, or sits at this machine. A page of another site that the operator happens to visit does not:
/// its `Origin` or a rebound `Host` gives it away.
fn is_operator(state: &State, peer: SocketAddr, headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .and_then(|v: &HeaderValue| v.to_str().ok())
    };
    if let Some(key) = text(header::AUTHORIZATION).and_then(|v| v.strip_prefix("Bearer ")) {
        return same(key.trim(), &state.app.operator_key);
    }
    let local = |authority: &str| {
        let host = authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host);
        matches!(host, "localhost" | "127.0.0.1" | "[::1]")
    };
    let same_origin = text(header::ORIGIN).is_none_or(|o| {
        o.parse::<Uri>()
            .is_ok_and(|u| u.authority().is_some_and(|a| local(a.as_str())))
    });
    // Behind a proxy every peer is local: forwarded requests need the key.
    let forwarded = ["x-forwarded-for", "forwarded", "x-real-ip"]
        .iter()
        .any(|h| headers.contains_key(*h));
    state.listen.ip().is_loopback()
        && peer.ip().is_loopback()
        && text(header::HOST).is_some_and(local)
        && same_origin
        && !forwarded
}

/// Compares in a time that does not tell how much is right.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len()
        && a.bytes()
            .zip(b.bytes())
            .fold(0, |acc, (x, y)| acc | (x ^ y))
            == 0
}
