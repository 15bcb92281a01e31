//! HTTP to an endpoint: no redirects, bounded in time and size, repeated only before the first byte of an answer.

mod fault;
mod settings;
mod sse;

pub(crate) use fault::Faults;
pub(crate) use settings::seconds;
pub use settings::{EndpointSettings, Times};
pub(crate) use sse::{SseFault, SseParser};

use std::{fs, sync::Once, time::Duration};

use jiff::{Timestamp, fmt::rfc2822};
use kernel::{Error, Result};
use reqwest::{
    Certificate, Client, Response, Url,
    header::{CONTENT_TYPE, RETRY_AFTER},
    redirect,
};
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep, timeout_at};

use fault::Fault;

/// Far more than any reply or batch of vectors needs.
const LARGEST: usize = 32 << 20;
/// So much of an error's explanation is read.
const LARGEST_ERROR: usize = 64 << 10;
/// The wait before the first repeat where the endpoint doesn't say; doubled for each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// One endpoint and the client to it.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    client: Client,
    base: Url,
    body: Map<String, Value>,
    times: Times,
    retries: u32,
    pub(crate) faults: Faults,
}

impl Endpoint {
    /// A client; nothing is asked yet.
    pub(crate) fn new(settings: &EndpointSettings) -> Result<Self> {
        let base = settings.address()?;
        let secret = settings.secret()?;
        install_encryption();
        let mut client = Client::builder()
            .connect_timeout(settings.times.connect)
            .default_headers(settings.header_map(secret.as_deref())?)
            // A redirect could lead the key elsewhere.
            .redirect(redirect::Policy::none())
            .user_agent("CityMind");
        if is_loopback(&base) {
            // A service on this machine is never behind the network's proxy.
            client = client.no_proxy();
        }
        if let Some(path) = &settings.ca_certificate {
            let unreadable = |detail: String| {
                let what = format!("证书文件 {} 无法读取，应为 PEM 格式", path.display());
                settings.wrong(what).with_detail(detail)
            };
            let pem = fs::read(path).map_err(|e| unreadable(e.to_string()))?;
            let roots =
                Certificate::from_pem_bundle(&pem).map_err(|e| unreadable(e.to_string()))?;
            client = client.tls_certs_merge(roots);
        }
        Ok(Self {
            client: client.build().map_err(Error::internal)?,
            base,
            body: settings.body.clone(),
            times: settings.times,
            retries: settings.retries,
            faults: Faults::new(settings.title(), &settings.model, secret),
        })
    }

    /// Sends a request, again where that may help, and returns a successful answer whose body is still to be read.
    pub(crate) async fn post(&self, path: &str, mut body: Map<String, Value>) -> Result<Answer> {
        body.extend(self.body.clone());
        let body = Value::Object(body).to_string();
        let end = Instant::now() + self.times.whole;
        let mut wait = FIRST_WAIT;
        let mut left = self.retries;
        loop {
            let fault = match self.attempt(path, body.clone(), end).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            let pause = fault.error.retry_after.map_or(wait, Duration::from_secs);
            if !fault.again || left == 0 || Instant::now() + pause >= end {
                return Err(fault.error);
            }
            sleep(pause).await;
            left -= 1;
            wait *= 2;
        }
    }

    async fn attempt(&self, path: &str, body: String, end: Instant) -> Result<Answer, Fault> {
        let lasting = |error| Fault {
            error,
            again: false,
        };
        let address = format!("{}/{path}", self.base.as_str().trim_end_matches('/'));
        let request = self
            .client
            .post(address)
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let begin = (Instant::now() + self.times.first_byte).min(end);
        let response = timeout_at(begin, request.send())
            .await
            .map_err(|_| lasting(self.faults.late("开始回复", self.times.first_byte)))?
            .map_err(|error| lasting(self.refused(error)))?;
        let status = response.status();
        let retry_after = retry_after(&response);
        let mut answer = Answer {
            response,
            faults: self.faults.clone(),
            times: self.times,
            next: begin,
            end,
            read: 0,
            largest: LARGEST,
        };
        if status.is_success() {
            return Ok(answer);
        }
        // Whatever the explanation is, the status stands.
        answer.largest = LARGEST_ERROR;
        let mut said = Vec::new();
        while let Ok(Some(chunk)) = answer.chunk().await {
            said.extend(chunk);
        }
        let said = String::from_utf8_lossy(&said);
        Err(self.faults.status(status.as_u16(), retry_after, &said))
    }

    fn refused(&self, error: reqwest::Error) -> Error {
        if error.is_timeout() {
            return self.faults.late("建立连接", self.times.connect);
        }
        self.faults.transport(error, false)
    }

    /// Sends a request whose answer is one JSON value.
    pub(crate) async fn json(&self, path: &str, body: Map<String, Value>) -> Result<Value> {
        let value = self.post(path, body).await?.json().await?;
        match error_in(&value) {
            Some(error) => Err(self.faults.told(error)),
            None => Ok(value),
        }
    }
}

/// The error that a reply tells of although its status says success.
pub(crate) fn error_in(value: &Value) -> Option<&Value> {
    match value.get("error") {
        Some(error) if !error.is_null() => Some(error),
        _ => value.get("error_msg").map(|_| value),
    }
}

/// A successful answer whose body is still to be read.
#[derive(Debug)]
pub(crate) struct Answer {
    response: Response,
    pub(crate) faults: Faults,
    times: Times,
    /// By then the next piece must have come.
    next: Instant,
    end: Instant,
    read: usize,
    largest: usize,
}

impl Answer {
    /// The kind of content, in small letters and without parameters; empty if it isn't said.
    pub(crate) fn content_type(&self) -> String {
        let value = self.response.headers().get(CONTENT_TYPE);
        let value = value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let kind = value.split(';').next().unwrap_or_default();
        kind.trim().to_ascii_lowercase()
    }

    /// The next piece of the body; `None` at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Vec<u8>>> {
        let Ok(chunk) = timeout_at(self.next, self.response.chunk()).await else {
            return Err(if self.next == self.end {
                self.faults.late("整个回复", self.times.whole)
            } else if self.read == 0 {
                self.faults.late("开始回复", self.times.first_byte)
            } else {
                self.faults.late("回复中途停顿", self.times.between)
            });
        };
        let chunk = chunk.map_err(|error| self.faults.transport(error, true))?;
        let Some(chunk) = chunk else { return Ok(None) };
        self.read += chunk.len();
        if self.read > self.largest {
            return Err(self.faults.too_large());
        }
        self.next = (Instant::now() + self.times.between).min(self.end);
        Ok(Some(chunk.to_vec()))
    }

    /// The whole body as JSON.
    pub(crate) async fn json(mut self) -> Result<Value> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            body.extend(chunk);
        }
        serde_json::from_slice(&body).map_err(|_| {
            let body = String::from_utf8_lossy(&body);
            let what = if looks_like_a_page(&body) {
                "返回的是网页，不是模型接口的数据"
            } else {
                "返回的不是 JSON"
            };
            self.faults.garbled(what, &body)
        })
    }
}

/// Whether this is HTML: what gateways and mistyped addresses answer with.
pub(crate) fn looks_like_a_page(body: &str) -> bool {
    body.trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('<')
}

/// In how many seconds to ask again, given as a number or as a moment.
fn retry_after(response: &Response) -> Option<u64> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return (seconds >= 0.0).then(|| seconds.ceil() as u64);
    }
    let at = rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    let wait = at.as_second() - Timestamp::now().as_second();
    u64::try_from(wait.max(0)).ok()
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_matches(['[', ']']);
    host == "localhost"
        || bare
            .parse()
            .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// Chooses the implementation of TLS once for the process; one that the program has chosen already stays.
pub(crate) fn install_encryption() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
