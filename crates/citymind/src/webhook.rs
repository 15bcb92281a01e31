//! Cases sent to the city's own system over HTTP, signed.

use std::time::Duration;

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use kernel::{Error, ErrorCode, Result};
use reqwest::{Client, Url, redirect::Policy};
use serde::Deserialize;
use serde_json::Value;
use service::cases::Outward;
use sha2::Sha256;

use crate::config::WebhookSettings;

/// The longest reply that is read, in bytes.
const REPLY: usize = 64 << 10;

/// The longest number that is kept of a reply, in characters.
const NUMBER: usize = 100;

/// Sends cases.
pub(crate) struct Webhook {
    client: Client,
    url: Url,
    secret: String,
}

/// What the other system may say.
#[derive(Deserialize)]
struct Reply {
    /// What it calls the case.
    number: Option<String>,
}

impl Webhook {
    /// # Errors
    /// `InvalidInput` for an address that is none, or without a secret.
    pub(crate) fn new(settings: &WebhookSettings) -> Result<Self> {
        let wrong = |why: &str| {
            let told =
                format!("配置 cases.webhook 有误：{why}。请对照 docs/configuration.md 修改。");
            Error::new(ErrorCode::InvalidInput, told)
        };
        let url = Url::parse(&settings.url)
            .ok()
            .filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host())
            .ok_or_else(|| wrong("url 应为 http 或 https 地址"))?;
        if settings.secret.is_empty() {
            return Err(wrong("没有设置 secret，无法签名"));
        }
        // The same for every client of the process: only the first call counts.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            // Less than what one handling of an event may take.
            .timeout(Duration::from_secs(settings.timeout.clamp(1, 50)))
            // A redirect could lead an application elsewhere.
            .redirect(Policy::none())
            .user_agent("CityMind");
        let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if local {
            // A system on this machine is never behind the network's proxy.
            client = client.no_proxy();
        }
        Ok(Self {
            client: client.build().map_err(Error::internal)?,
            url,
            secret: settings.secret.clone(),
        })
    }
}

/// HMAC-SHA256 in hex, as the receiver computes it over the body.
fn signature(secret: &str, body: &[u8]) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(Error::internal)?;
    mac.update(body);
    let code = mac.finalize().into_bytes();
    Ok(code.iter().map(|b| format!("{b:02x}")).collect())
}

#[async_trait]
impl Outward for Webhook {
    async fn send(&self, key: &str, case: &Value) -> Result<Option<String>> {
        let body = serde_json::to_vec(case).map_err(Error::internal)?;
        let signed = format!("sha256={}", signature(&self.secret, &body)?);
        let unreached = |e: reqwest::Error| {
            let told = "连不上办件对接系统，稍后会自动重试。";
            Error::new(ErrorCode::Unavailable, told).with_detail(e.without_url())
        };
        let mut reply = self
            .client
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .header("x-citymind-signature", signed)
            .body(body)
            .send()
            .await
            .map_err(unreached)?;
        let status = reply.status();
        let mut told = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(unreached)? {
            if told.len() + chunk.len() > REPLY {
                break;
            }
            told.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            return Err(Error::new(
                ErrorCode::Unavailable,
                format!("办件对接系统没有收下（HTTP {}）。", status.as_u16()),
            )
            .with_detail(
                String::from_utf8_lossy(&told)
                    .chars()
                    .take(300)
                    .collect::<String>(),
            ));
        }
        let number = serde_json::from_slice::<Reply>(&told).ok();
        let number = number.and_then(|r| r.number);
        Ok(number
            .map(|n| n.trim().chars().take(NUMBER).collect::<String>())
            .filter(|n| !n.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_signed_as_rfc_4231_says() {
        let code = signature("Jefe", b"what do ya want for nothing?").unwrap();
        assert_eq!(
            code,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn an_address_that_is_none_and_a_missing_secret_are_refused() {
        let settings = |url: &str, secret: &str| WebhookSettings {
            url: url.to_owned(),
            secret: secret.to_owned(),
            ..WebhookSettings::default()
        };
        assert!(Webhook::new(&settings("https://oa.example/cases", "s")).is_ok());
        for (url, secret) in [
            ("oa.example", "s"),
            ("ftp://oa.example", "s"),
            ("https://oa.example", ""),
        ] {
            assert!(Webhook::new(&settings(url, secret)).is_err(), "{url}");
        }
    }
}
