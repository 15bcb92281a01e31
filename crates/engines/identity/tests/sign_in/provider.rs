//! The demonstration provider behind a real port, with switches for everything that can go wrong, and a browser.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicUsize, Ordering},
};

use axum::{
    Form, Json, Router,
    body::Body,
    extract::{Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use citymind_engine_identity::{
    Begun, Callback, Claims, Clock, OidcClient, OidcSettings,
    demo::{self, AuthorizeForm, AuthorizeRequest, Authorized, DemoClient, DemoKey, DemoProvider},
};
use openidconnect::{
    PrivateSigningKey,
    core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm},
    url::Url,
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};

pub(crate) const BACK: &str = "http://127.0.0.1:9/back";
pub(crate) const SEED: u8 = 7;

/// What the provider does instead of answering.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Trouble {
    None,
    Failing,
    Junk,
    Huge,
    Moved,
}

type Rewrite = Box<dyn Fn(Value) -> Value + Send>;
type Forge = Box<dyn Fn(Value, Value) -> String + Send>;

/// The stage: provider, clock and switches.
pub(crate) struct Stage {
    pub(crate) issuer: String,
    pub(crate) now: Arc<AtomicI64>,
    pub(crate) provider: Mutex<DemoProvider>,
    /// The trouble, and the path to which it is confined.
    pub(crate) trouble: Mutex<(Trouble, &'static str)>,
    pub(crate) discovery: Mutex<Rewrite>,
    pub(crate) keys: Mutex<Rewrite>,
    pub(crate) user_info: Mutex<Rewrite>,
    pub(crate) forge: Mutex<Option<Forge>>,
    pub(crate) tokens: Mutex<Value>,
    pub(crate) key_fetches: AtomicUsize,
    pub(crate) requests: AtomicUsize,
    pub(crate) strayed: AtomicUsize,
}

/// A port that is taken but where nobody answers yet.
pub(crate) fn silent_port() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let issuer = format!("http://{}/demo", socket.local_addr().unwrap());
    (socket, issuer)
}

pub(crate) async fn stage() -> Arc<Stage> {
    let (socket, issuer) = silent_port();
    let stage = Stage::new(issuer);
    stage.open(socket.listen(64).unwrap());
    stage
}

impl Stage {
    pub(crate) fn new(issuer: String) -> Arc<Self> {
        let now = Arc::new(AtomicI64::new(1_800_000_000));
        let provider = provider(SEED, &now);
        Arc::new(Self {
            issuer,
            now,
            provider: Mutex::new(provider),
            trouble: Mutex::new((Trouble::None, "")),
            discovery: Mutex::new(Box::new(|v| v)),
            keys: Mutex::new(Box::new(|v| v)),
            user_info: Mutex::new(Box::new(|v| v)),
            forge: Mutex::new(None),
            tokens: Mutex::default(),
            key_fetches: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            strayed: AtomicUsize::new(0),
        })
    }

    pub(crate) fn open(self: &Arc<Self>, listener: TcpListener) {
        let demo = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(jwks))
            .route("/authorize", get(authorize).post(answer))
            .route("/token", axum::routing::post(token))
            .route("/userinfo", get(user_info));
        let router = Router::new()
            .nest("/demo", demo)
            .layer(middleware::from_fn_with_state(self.clone(), trouble))
            .route("/strayed", axum::routing::any(strayed))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
    }

    pub(crate) fn clock(&self) -> Clock {
        clock(&self.now)
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn time(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    pub(crate) fn settings(&self) -> OidcSettings {
        demo::settings(&self.issuer)
    }

    pub(crate) fn client(&self) -> OidcClient {
        self.client_with(self.settings())
    }

    pub(crate) fn client_with(&self, settings: OidcSettings) -> OidcClient {
        OidcClient::with_clock(settings, self.clock()).unwrap()
    }

    pub(crate) fn rotate(&self, seed: u8) {
        *self.provider.lock() = provider(seed, &self.now);
    }

    pub(crate) fn in_trouble(&self, trouble: Trouble, only: &'static str) {
        *self.trouble.lock() = (trouble, only);
    }

    /// Every ID token from now on is what this makes of header and claims of the right one.
    pub(crate) fn forge(&self, forge: impl Fn(Value, Value) -> String + Send + 'static) {
        *self.forge.lock() = Some(Box::new(forge));
    }

    /// The same, signed with the right key, with other claims.
    pub(crate) fn alter(&self, alter: impl Fn(&mut Value) + Send + 'static) {
        self.forge(move |header, mut claims| {
            alter(&mut claims);
            signed(&header, &claims, SEED)
        });
    }

    /// Goes to the provider like a browser, chooses a person, and brings back what the provider says.
    pub(crate) async fn browse(&self, begun: &Begun, person: &str) -> Callback {
        let (page, form) = self.visit(&begun.url).await;
        assert_eq!(page.status(), 200);
        let html = page.text().await.unwrap();
        assert!(html.contains("演示"), "{html}");
        self.choose(form, &[("person", person)]).await
    }

    /// The page behind an address, and the fields that its form holds.
    pub(crate) async fn visit(&self, url: &str) -> (reqwest::Response, Vec<(String, String)>) {
        let page = browser().get(url).send().await.unwrap();
        let query = Url::parse(url).unwrap();
        (page, query.query_pairs().into_owned().collect())
    }

    /// Sends the page's form off with a choice.
    pub(crate) async fn choose(
        &self,
        mut form: Vec<(String, String)>,
        choice: &[(&str, &str)],
    ) -> Callback {
        form.extend(
            choice
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
        );
        let body = openidconnect::url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let answer = browser()
            .post(format!("{}/authorize", self.issuer))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 303);
        let back = answer.headers()["location"].to_str().unwrap();
        assert!(back.starts_with(BACK), "{back}");
        callback(back)
    }

    /// The whole way with a fresh sign-in.
    pub(crate) async fn sign_in(
        &self,
        client: &OidcClient,
        person: &str,
    ) -> kernel::Result<Claims> {
        let begun = client.begin(BACK).await?;
        let callback = self.browse(&begun, person).await;
        client.finish(&begun, &callback, BACK).await
    }
}

pub(crate) fn callback(url: &str) -> Callback {
    let url = Url::parse(url).unwrap();
    let pairs = url.query_pairs().into_owned();
    let query = pairs.map(|(k, v)| (k, Value::from(v))).collect();
    serde_json::from_value(Value::Object(query)).unwrap()
}

/// A client of the tests that follows nothing by itself.
pub(crate) fn browser() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy();
    builder
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

fn clock(now: &Arc<AtomicI64>) -> Clock {
    let now = now.clone();
    Arc::new(move || now.load(Ordering::SeqCst))
}

fn provider(seed: u8, now: &Arc<AtomicI64>) -> DemoProvider {
    let other = DemoClient {
        id: "other".into(),
        secret: Some("a secret: & + % 密".into()),
        redirect_uris: vec![BACK.into()],
    };
    let clients = vec![DemoClient::ours(vec![BACK.into()]), other];
    let key = DemoKey::from_bytes(&[seed; 32]).unwrap();
    DemoProvider::with_clock(key, clients, clock(now))
}

/// A token with these parts, signed by the key of that seed.
pub(crate) fn signed(header: &Value, claims: &Value, seed: u8) -> String {
    let mut der = vec![
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    der.extend([seed; 32]);
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der)
    );
    let key = CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, None).unwrap();
    let message = unsigned(header, claims);
    let signature = key
        .sign(&CoreJwsSigningAlgorithm::EdDsa, message.as_bytes())
        .unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The signed part of a token.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |v: &Value| URL_SAFE_NO_PAD.encode(v.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn part(token: &str, place: usize) -> Value {
    let part = token.split('.').nth(place).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

async fn trouble(State(stage): State<Arc<Stage>>, request: Request, next: Next) -> Response {
    stage.requests.fetch_add(1, Ordering::SeqCst);
    let (trouble, only) = *stage.trouble.lock();
    if !request.uri().path().ends_with(only) {
        return next.run(request).await;
    }
    let json = [(header::CONTENT_TYPE, "application/json")];
    match trouble {
        Trouble::None => next.run(request).await,
        Trouble::Failing => (StatusCode::BAD_GATEWAY, "down").into_response(),
        Trouble::Junk => (json, "<html>{not json").into_response(),
        // More than is read, and with no end in sight: a client that waits for it never returns.
        Trouble::Huge => {
            let chunk = || Some((Ok::<_, std::io::Error>(" ".repeat(1 << 16)), ()));
            let endless = futures_util::stream::unfold((), move |()| std::future::ready(chunk()));
            (json, Body::from_stream(endless)).into_response()
        }
        Trouble::Moved => Redirect::temporary("/strayed").into_response(),
    }
}

async fn strayed(State(stage): State<Arc<Stage>>) -> StatusCode {
    stage.strayed.fetch_add(1, Ordering::SeqCst);
    StatusCode::OK
}

async fn discovery(State(stage): State<Arc<Stage>>) -> Json<Value> {
    let document = stage.provider.lock().discovery(&stage.issuer).unwrap();
    Json((stage.discovery.lock())(document))
}

async fn jwks(State(stage): State<Arc<Stage>>) -> Json<Value> {
    stage.key_fetches.fetch_add(1, Ordering::SeqCst);
    let keys = stage.provider.lock().jwks().unwrap();
    Json((stage.keys.lock())(keys))
}

async fn authorize(
    State(stage): State<Arc<Stage>>,
    Query(request): Query<AuthorizeRequest>,
) -> Response {
    match stage.provider.lock().authorize(&stage.issuer, &request) {
        Ok(Authorized::Page(html)) => Html(html).into_response(),
        Ok(Authorized::Redirect(url)) => Redirect::to(&url).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, error.message).into_response(),
    }
}

async fn answer(State(stage): State<Arc<Stage>>, Form(form): Form<AuthorizeForm>) -> Response {
    match stage.provider.lock().answer(&stage.issuer, &form) {
        Ok(url) => Redirect::to(&url).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, error.message).into_response(),
    }
}

async fn token(
    State(stage): State<Arc<Stage>>,
    headers: HeaderMap,
    Form(form): Form<demo::TokenRequest>,
) -> Response {
    let authorization = headers.get("authorization").map(|h| h.to_str().unwrap());
    let given = stage
        .provider
        .lock()
        .token(&stage.issuer, &form, authorization);
    match given {
        Ok(mut tokens) => {
            if let Some(forge) = &*stage.forge.lock() {
                let token = tokens["id_token"].as_str().unwrap();
                tokens["id_token"] = json!(forge(part(token, 0), part(token, 1)));
            }
            stage.tokens.lock().clone_from(&tokens);
            Json(tokens).into_response()
        }
        Err(error) => {
            let status = StatusCode::from_u16(error.status).unwrap();
            (status, Json(error.body())).into_response()
        }
    }
}

async fn user_info(State(stage): State<Arc<Stage>>, headers: HeaderMap) -> Response {
    let authorization = headers.get("authorization").map(|h| h.to_str().unwrap());
    match stage.provider.lock().user_info(authorization) {
        Ok(claims) => Json((stage.user_info.lock())(claims)).into_response(),
        Err(error) => (StatusCode::UNAUTHORIZED, Json(error.body())).into_response(),
    }
}
