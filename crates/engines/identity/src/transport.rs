//! HTTP to a provider: no redirects, bounded in time and size.

use std::{future::Future, pin::Pin, sync::OnceLock, time::Duration};

use kernel::{Error, Result};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http, url::Url};

use crate::settings::is_loopback;

const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(10);
/// Far more than any discovery document, key set or token needs.
const LARGEST: usize = 512 * 1024;

/// Why a provider could not be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    #[error("request failed: {0:?}")]
    Request(#[from] reqwest::Error),
    #[error("the response has more than {LARGEST} bytes")]
    TooLarge,
    #[error("the response is malformed: {0}")]
    Malformed(#[from] http::Error),
}

/// The client with which one provider is called.
#[derive(Clone, Debug)]
pub(crate) struct Transport(reqwest::Client);

impl Transport {
    pub(crate) fn new(issuer: &Url) -> Result<Self> {
        install_encryption();
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            // A redirect could lead the client's secret or the code elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("CityMind");
        if is_loopback(issuer) {
            // A provider on this machine is never behind the network's proxy.
            builder = builder.no_proxy();
        }
        builder.build().map(Self).map_err(Error::internal)
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let mut answer = self.0.execute(request.try_into()?).await?;
        let mut response = http::Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            response = response.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > LARGEST {
                return Err(TransportError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(response.body(body)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Transport {
    type Error = TransportError;
    // Boxed, so that the compiler can tell that whoever waits for it may move between threads.
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, TransportError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// Chooses the implementation of TLS once for the process; one that the program has chosen already stays.
fn install_encryption() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
