//! The two cookies: the visitor's, to whom anonymous conversations belong, and the sign-in's.

use axum::http::{HeaderMap, header};
use platform::identity::Token;

pub(super) const VISITOR: &str = "citymind_visitor";
pub(super) const SIGN_IN: &str = "citymind_sign_in";

/// A cookie's value.
pub(super) fn read<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let lines = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == wanted).then_some(value))
}

fn finish(mut cookie: String, secure: bool) -> String {
    if secure {
        cookie.push_str("; Secure");
    }
    cookie
}

/// Lax: coming back from an identity provider must find it.
pub(super) fn visitor(id: &str, secure: bool) -> String {
    let cookie = format!("{VISITOR}={id}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000");
    finish(cookie, secure)
}

/// Gone when the browser is closed, and refused by us when its time is over.
pub(super) fn sign_in(token: &Token, secure: bool) -> String {
    let secret = &token.secret;
    finish(
        format!("{SIGN_IN}={secret}; Path=/; HttpOnly; SameSite=Strict"),
        secure,
    )
}

pub(super) fn signed_out(secure: bool) -> String {
    finish(
        format!("{SIGN_IN}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"),
        secure,
    )
}
