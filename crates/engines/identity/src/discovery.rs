//! What a provider says about itself, fetched when first needed, kept and renewed.

use std::sync::Arc;

use kernel::{Error, Result};
use openidconnect::{IssuerUrl, core::CoreProviderMetadata};
use tokio::sync::Mutex;

use crate::{clock::Clock, refusal, settings::OidcSettings, transport::Transport};

/// How long metadata and keys are used before they are fetched anew, in seconds.
const FRESH: i64 = 3600;
/// How long they may still be used while the provider cannot be reached.
const USABLE: i64 = 24 * 3600;
/// How long a failure is answered without asking again, so that people do not queue for timeouts.
const PAUSE: i64 = 5;
/// How often an unknown key may make us fetch the keys: tokens with invented keys must not turn us against the provider.
const KEYS_PAUSE: i64 = 60;

/// The metadata and keys of one provider.
pub(crate) struct Discovery {
    settings: Arc<OidcSettings>,
    transport: Transport,
    clock: Clock,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    known: Option<(i64, Arc<CoreProviderMetadata>)>,
    failed: Option<(i64, Error)>,
    keys_asked: Option<i64>,
}

impl Discovery {
    pub(crate) fn new(settings: Arc<OidcSettings>, transport: Transport, clock: Clock) -> Self {
        Self {
            settings,
            transport,
            clock,
            held: Mutex::default(),
        }
    }

    /// The provider's metadata and keys.
    pub(crate) async fn current(&self) -> Result<Arc<CoreProviderMetadata>> {
        let mut held = self.held.lock().await;
        let now = (self.clock)();
        if let Some((at, known)) = &held.known
            && now - at < FRESH
        {
            return Ok(known.clone());
        }
        let paused = held.failed.as_ref().filter(|(at, _)| now - at < PAUSE);
        let error = match paused {
            Some((_, error)) => error.clone(),
            None => match self.renew(&mut held).await {
                Ok(known) => return Ok(known),
                Err(error) => error,
            },
        };
        match &held.known {
            Some((at, known)) if now - at < USABLE => {
                tracing::warn!(provider = %self.settings.name, detail = ?error.detail, "identity provider not reachable, using what it said before");
                Ok(known.clone())
            }
            _ => Err(error),
        }
    }

    /// Metadata newer than `old`, whose keys did not do; none if we may not ask yet.
    pub(crate) async fn newer_than(
        &self,
        old: &Arc<CoreProviderMetadata>,
    ) -> Result<Option<Arc<CoreProviderMetadata>>> {
        let mut held = self.held.lock().await;
        if let Some((_, known)) = &held.known
            && !Arc::ptr_eq(known, old)
        {
            return Ok(Some(known.clone()));
        }
        let now = (self.clock)();
        if held.keys_asked.is_some_and(|at| now - at < KEYS_PAUSE) {
            return Ok(None);
        }
        held.keys_asked = Some(now);
        self.renew(&mut held).await.map(Some)
    }

    async fn renew(&self, held: &mut Held) -> Result<Arc<CoreProviderMetadata>> {
        let fetched = self.fetch().await;
        // The time after the fetch: a timeout must not use up the pause that it causes.
        let now = (self.clock)();
        match fetched {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                held.known = Some((now, metadata.clone()));
                held.failed = None;
                Ok(metadata)
            }
            Err(error) => {
                held.failed = Some((now, error.clone()));
                Err(error)
            }
        }
    }

    async fn fetch(&self) -> Result<CoreProviderMetadata> {
        let title = &self.settings.title;
        let issuer = IssuerUrl::new(self.settings.issuer.clone())
            .map_err(|e| refusal::misconfigured(title, e))?;
        let metadata = CoreProviderMetadata::discover_async(issuer, &self.transport)
            .await
            .map_err(|e| refusal::not_discovered(title, &e))?;
        let Some(token_endpoint) = metadata.token_endpoint() else {
            return Err(refusal::misconfigured(title, "no token endpoint"));
        };
        let endpoints = [
            metadata.authorization_endpoint().url(),
            token_endpoint.url(),
            metadata.jwks_uri().url(),
        ];
        let user_info = metadata.userinfo_endpoint().map(|u| u.url());
        for url in endpoints.into_iter().chain(user_info) {
            if !self.settings.permits(url) {
                return Err(refusal::misconfigured(
                    title,
                    format!("an endpoint without encryption: {url}"),
                ));
            }
        }
        Ok(metadata)
    }
}
