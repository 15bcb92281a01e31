//! What every request gets: an id, the caller, a place among the others, a check of where it comes from.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State as Shared},
    http::{HeaderMap, HeaderValue, Method, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use kernel::{
    Error, ErrorCode, Result,
    capability::{Caller, Context},
    id,
    identity::{Account, Via},
};

use super::{State, cookie, error::Problem};

tokio::task_local! {
    /// The id of the request that this task answers.
    static REQUEST: String;
}

/// The id of the request being answered.
pub(super) fn request_id() -> String {
    REQUEST
        .try_with(Clone::clone)
        .unwrap_or_else(|_| id::fresh())
}

/// Who calls, as the handlers see it.
#[derive(Clone)]
pub(crate) struct Who {
    /// The caller.
    pub(super) caller: Caller,
    /// The token of the sign-in that the request carries, if it counts.
    pub(super) token: Option<String>,
    /// The browser uses HTTPS.
    pub(super) secure: bool,
    /// The program that calls, as it names itself.
    pub(super) agent: String,
    /// Why a sign-in that the browser still carries counts no more.
    rejected: Option<Error>,
}

impl Who {
    /// The circumstances of a call by this caller.
    pub(crate) fn context(&self) -> Context {
        let mut context = Context::of(self.caller.clone());
        context.request = request_id();
        context
    }

    /// The address as text.
    pub(super) fn address(&self) -> String {
        self.caller
            .address
            .map(|a| a.to_string())
            .unwrap_or_default()
    }

    /// Where a sign-in is missing because it has just ended, says so.
    pub(super) fn explain(&self, error: Error) -> Error {
        match &self.rejected {
            Some(rejected) if error.code == ErrorCode::SignInRequired => rejected.clone(),
            _ => error,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let who = parts.extensions.get::<Self>().cloned();
        who.ok_or_else(|| Problem(Error::internal("a route without its caller")))
    }
}

/// The request's id, for work that goes on in another task.
#[derive(Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// A turn to sign in: there are few of them.
pub(super) struct Turn;

impl FromRequestParts<State> for Turn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Response> {
        let who = Who::from_request_parts(parts, state).await;
        let who = who.map_err(IntoResponse::into_response)?;
        let turn = state.limits.admit_sign_in(&who.caller);
        turn.map(|()| Self).map_err(|wait| {
            state.app.measures.limited();
            too_many("登录尝试", wait)
        })
    }
}

/// Gives the request an id, which the reply names.
pub(super) async fn numbered(mut request: Request, next: Next) -> Response {
    let id = id::fresh();
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = REQUEST.scope(id.clone(), next.run(request)).await;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

/// Finds out who calls and lets the request in, or refuses it.
pub(super) async fn admitted(
    Shared(state): Shared<State>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let _open = state.app.measures.request();
    let headers = request.headers();
    let origin = Origin::of(&state, peer.ip(), headers);
    let (who, cookies) = match identify(&state, &origin, request.method(), headers).await {
        Ok(found) => found,
        Err(error) => {
            // Whoever shows a wrong key is nobody, and waits like everybody.
            let nobody = Caller {
                address: Some(origin.address),
                ..Caller::default()
            };
            return match state.limits.admit(&nobody) {
                Ok(()) => Problem(error).into_response(),
                Err(wait) => {
                    state.app.measures.limited();
                    too_many("请求", wait)
                }
            };
        }
    };
    if let Err(wait) = state.limits.admit(&who.caller) {
        state.app.measures.limited();
        return too_many("请求", wait);
    }
    request.extensions_mut().insert(who);
    let mut response = next.run(request).await;
    for cookie in cookies {
        // Whoever signs in or out sets the cookie of the sign-in itself.
        let name = cookie.split(|b: char| b == '=').next().unwrap_or_default();
        let set = response.headers().get_all(header::SET_COOKIE).iter();
        let mut set = set.filter_map(|v| v.to_str().ok());
        if set.any(|v| v.starts_with(name)) {
            continue;
        }
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}

fn too_many(what: &str, wait: u64) -> Response {
    let error = Error::new(
        ErrorCode::TooManyRequests,
        format!("{what}过于频繁，请 {wait} 秒后再试。"),
    );
    ([(header::RETRY_AFTER, wait.to_string())], Problem(error)).into_response()
}

/// Where a request comes from.
struct Origin {
    address: IpAddr,
    secure: bool,
}

impl Origin {
    /// What a proxy tells is believed only of those that the configuration names.
    fn of(state: &State, peer: IpAddr, headers: &HeaderMap) -> Self {
        let server = &state.app.config.server;
        let trusted = |a: &IpAddr| server.trusted_proxies.contains(&a.to_canonical());
        let secure = server.public_url.starts_with("https:");
        if !trusted(&peer) {
            return Self {
                address: peer.to_canonical(),
                secure,
            };
        }
        let lines = headers.get_all("x-forwarded-for").iter();
        let named: Vec<IpAddr> = lines
            .filter_map(|v| v.to_str().ok())
            .flat_map(|line| line.split(','))
            .filter_map(|a| a.trim().parse().ok())
            .collect();
        // From the right: each proxy appends whom it heard, and whoever comes first may have made it up.
        let client = named.iter().rev().find(|a| !trusted(a)).or(named.first());
        let by_proxy = text(headers, "x-forwarded-proto").is_some_and(|p| p == "https");
        Self {
            address: client.unwrap_or(&peer).to_canonical(),
            secure: secure || by_proxy,
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

async fn identify(
    state: &State,
    origin: &Origin,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(Who, Vec<String>)> {
    let mut who = Who {
        caller: Caller {
            address: Some(origin.address),
            ..Caller::default()
        },
        token: None,
        secure: origin.secure,
        agent: text(headers, "user-agent").unwrap_or_default().to_owned(),
        rejected: None,
    };
    let mut cookies = Vec::new();
    if let Some(authorization) = text(headers, "authorization") {
        let key = authorization.strip_prefix("Bearer ").ok_or_else(|| {
            Error::new(
                ErrorCode::SignInFailed,
                "Authorization 应为“Bearer 密钥”的形式。",
            )
        })?;
        who.caller.account = Some(bearer(state, key.trim(), &mut who.token).await?);
    } else {
        require_same_origin(method, headers)?;
        by_cookies(state, headers, &mut who, &mut cookies).await?;
    }
    let identity = &state.app.identity;
    who.caller.hidden_spaces = identity.hidden_spaces(who.caller.account.as_ref()).await?;
    Ok((who, cookies))
}

async fn bearer(state: &State, key: &str, token: &mut Option<String>) -> Result<Account> {
    if same(key, &state.app.local_key) {
        return Ok(Account::system("本机命令行"));
    }
    let signed_in = state.app.identity.authenticate(key).await?;
    // A browser's token is not to be carried off into a program.
    if signed_in.account.via == Via::SignIn {
        if !signed_in.bearer {
            return Err(Error::new(
                ErrorCode::SignInFailed,
                "这个凭据只能由浏览器使用。程序请用接口密钥。",
            ));
        }
        *token = Some(key.to_owned());
    }
    Ok(signed_in.account)
}

async fn by_cookies(
    state: &State,
    headers: &HeaderMap,
    who: &mut Who,
    cookies: &mut Vec<String>,
) -> Result<()> {
    let known = cookie::read(headers, cookie::VISITOR).filter(|v| is_id(v));
    who.caller.visitor = match known {
        Some(visitor) => visitor.to_owned(),
        None => {
            let visitor = id::secret();
            cookies.push(cookie::visitor(&visitor, who.secure));
            visitor
        }
    };
    let Some(token) = cookie::read(headers, cookie::SIGN_IN) else {
        return Ok(());
    };
    let found = state.app.identity.authenticate(token).await;
    match found {
        Ok(signed_in) if signed_in.account.via == Via::SignIn && !signed_in.bearer => {
            who.caller.account = Some(signed_in.account);
            who.token = Some(token.to_owned());
            if let Some(next) = signed_in.replacement {
                who.token = Some(next.secret.clone());
                cookies.push(cookie::sign_in(&next, who.secure));
            }
        }
        Ok(_) => cookies.push(cookie::signed_out(who.secure)),
        Err(error) if error.code == ErrorCode::SignInFailed => {
            cookies.push(cookie::signed_out(who.secure));
            who.rejected = Some(error);
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

fn is_id(value: &str) -> bool {
    value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Refuses a change that another site's page makes its visitor's browser send (cross-site request forgery). Browsers say
/// where a request comes from in `Sec-Fetch-Site` or `Origin`; programs say neither and carry no cookies by themselves.
fn require_same_origin(method: &Method, headers: &HeaderMap) -> Result<()> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let same = match (text(headers, "sec-fetch-site"), text(headers, "origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = text(headers, "host").unwrap_or_default();
            origin
                .parse::<Uri>()
                .is_ok_and(|u| u.authority().is_some_and(|a| a.as_str() == host))
        }
        (None, None) => true,
    };
    if same {
        Ok(())
    } else {
        Err(Error::new(
            ErrorCode::Forbidden,
            "请求来自其他网站的页面，已拒绝。请在本系统的页面中操作。",
        ))
    }
}

/// Compares in a time that does not tell how much is right.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len()
        && a.bytes()
            .zip(b.bytes())
            .fold(0, |acc, (x, y)| acc | (x ^ y))
            == 0
}
