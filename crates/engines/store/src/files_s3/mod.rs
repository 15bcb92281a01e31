//! Files in a bucket of an S3-compatible store: the object `PREFIX/ab/cdef…` holds the bytes whose SHA-256 is `abcdef…`.

mod fault;

use std::{fmt, fs, path::PathBuf, time::Duration};

use async_trait::async_trait;
use kernel::{Error, ErrorCode, Result, files::Files, id::content_hash};
use reqwest::{Certificate, Client, Method, Request, Url, header::CONTENT_LENGTH, redirect};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};

use crate::{address_parts, blocking, crypto::install_provider, source_changed};
use fault::{Fault, answered};

/// How long a signature is good for: long enough for clocks that differ a little.
const SIGNED_FOR: Duration = Duration::from_mins(15);
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// To wait for an answer, or for more of it.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);
/// The slowest upload that is waited for, in bytes a second.
const SLOWEST: u64 = 256 << 10;
/// Waits before asking again. Every request may be made twice: what an address holds never changes.
const WAITS: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// Where a bucket is, and the key to it.
#[derive(Clone)]
pub struct S3Settings {
    /// The store's address, e.g. `https://oss.example.gov.cn:9000`.
    pub endpoint: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The bucket; it must be there.
    pub bucket: String,
    /// The key's name.
    pub access_key: String,
    /// The key's secret.
    pub secret_key: String,
    /// Before the name of every object; may be empty.
    pub prefix: String,
    /// Whether the bucket is named in the path (`host/bucket/…`) or in the host (`bucket.host/…`).
    pub path_style: bool,
    /// A PEM file with root certificates to trust besides the system's.
    pub ca_certificate: Option<PathBuf>,
}

impl Default for S3Settings {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            region: "us-east-1".into(),
            bucket: String::new(),
            access_key: String::new(),
            secret_key: String::new(),
            prefix: String::new(),
            path_style: true,
            ca_certificate: None,
        }
    }
}

// Without the secret.
impl fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Settings")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// Files in one bucket.
pub struct S3Files {
    client: Client,
    bucket: Bucket,
    credentials: Credentials,
    prefix: String,
}

impl S3Files {
    /// Files in a bucket; nothing is asked of it yet.
    ///
    /// # Errors
    /// `InvalidInput` if a setting is missing or malformed.
    pub fn new(settings: &S3Settings) -> Result<Self> {
        let wrong = |key: &str, what: &str| {
            Error::new(
                ErrorCode::InvalidInput,
                format!("配置项 files.{key} 有误：{what}。"),
            )
        };
        for (key, value) in [
            ("bucket", &settings.bucket),
            ("region", &settings.region),
            ("access_key", &settings.access_key),
            ("secret_key", &settings.secret_key),
        ] {
            if value.trim().is_empty() {
                return Err(wrong(key, "不能为空"));
            }
        }
        let endpoint: Url = settings
            .endpoint
            .parse()
            .map_err(|e| wrong("endpoint", "应形如 https://对象存储地址:端口").with_detail(e))?;
        let style = if settings.path_style {
            UrlStyle::Path
        } else {
            UrlStyle::VirtualHost
        };
        let bucket = Bucket::new(
            endpoint,
            style,
            settings.bucket.clone(),
            settings.region.clone(),
        )
        .map_err(|e| {
            wrong(
                "endpoint",
                "应以 http:// 或 https:// 开头，并与 files.bucket、files.path_style 相配",
            )
            .with_detail(e)
        })?;
        let prefix = settings.prefix.trim_matches('/');
        // In an address, these would lead out of the bucket.
        if prefix.split('/').any(|part| matches!(part, "." | ".."))
            || (prefix.contains("//") && !prefix.is_empty())
        {
            return Err(wrong("prefix", "不能含有“.”“..”或空的层级"));
        }
        install_provider();
        let mut client = Client::builder()
            .connect_timeout(CONNECT_LIMIT)
            // A signature holds for one host only.
            .redirect(redirect::Policy::none())
            .user_agent("citymind");
        if let Some(path) = &settings.ca_certificate {
            let unreadable = |detail: String| {
                let what = format!("证书文件 {} 无法读取，应为 PEM 格式", path.display());
                wrong("ca_certificate", &what).with_detail(detail)
            };
            let pem = fs::read(path).map_err(|e| unreadable(e.to_string()))?;
            let roots =
                Certificate::from_pem_bundle(&pem).map_err(|e| unreadable(e.to_string()))?;
            client = client.tls_certs_merge(roots);
        }
        Ok(Self {
            client: client.build().map_err(Error::internal)?,
            bucket,
            credentials: Credentials::new(settings.access_key.trim(), settings.secret_key.trim()),
            prefix: if prefix.is_empty() {
                String::new()
            } else {
                format!("{prefix}/")
            },
        })
    }

    /// Writes a few bytes and reads them back, so that a wrong setting is noticed at the start.
    ///
    /// # Errors
    /// What is wrong: `Unavailable`, `Storage`, `StorageFull`.
    pub async fn check(&self) -> Result<()> {
        let address = self.put(b"CityMind".to_vec()).await?;
        self.get(&address).await.map(drop)
    }

    fn key(&self, address: &str) -> Option<String> {
        let (head, rest) = address_parts(address)?;
        Some(format!("{}{head}/{rest}", self.prefix))
    }

    /// Makes a request until it's answered for good. Each attempt is signed anew.
    async fn send(&self, request: &Request, sign: impl Fn() -> Url + Send) -> Result<Vec<u8>> {
        let mut waits = WAITS.into_iter();
        loop {
            let mut attempt = request
                .try_clone()
                .ok_or_else(|| Error::internal("a body that can't be sent twice"))?;
            *attempt.url_mut() = sign();
            match self.attempt(attempt).await {
                Ok(bytes) => return Ok(bytes),
                Err(fault) => match waits.next().filter(|_| fault.again) {
                    Some(wait) => {
                        tracing::warn!(error = ?fault.error, "object store: trying again");
                        tokio::time::sleep(wait).await;
                    }
                    None => return Err(fault.error),
                },
            }
        }
    }

    async fn attempt(&self, request: Request) -> Result<Vec<u8>, Fault> {
        let size = request
            .body()
            .and_then(|b| b.as_bytes())
            .map_or(0, |b| b.len() as u64);
        let limit = SILENCE_LIMIT + Duration::from_secs(size / SLOWEST);
        let mut response = within(limit, self.client.execute(request)).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = within(SILENCE_LIMIT, response.chunk()).await? {
            bytes.extend_from_slice(&chunk);
        }
        if response.status().is_success() {
            Ok(bytes)
        } else {
            let body = String::from_utf8_lossy(&bytes);
            Err(answered(response.status(), &body, self.bucket.name()))
        }
    }

    fn request(&self, method: Method) -> Request {
        // The address is set when it's signed.
        Request::new(method, self.bucket.base_url().clone())
    }
}

async fn within<T>(
    limit: Duration,
    step: impl Future<Output = Result<T, reqwest::Error>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(limit, step).await {
        Ok(result) => result.map_err(Fault::from),
        Err(_) => Err(Fault::late()),
    }
}

#[async_trait]
impl Files for S3Files {
    async fn put(&self, bytes: Vec<u8>) -> Result<String> {
        let (address, bytes) = blocking(move || Ok((content_hash(&bytes), bytes))).await?;
        let key = self
            .key(&address)
            .ok_or_else(|| Error::internal("bad address"))?;
        let mut request = self.request(Method::PUT);
        // Not sent by itself for an empty file, and required.
        request
            .headers_mut()
            .insert(CONTENT_LENGTH, bytes.len().into());
        *request.body_mut() = Some(bytes.into());
        // Written even if it's there: to know that it's whole would take reading it, and so a damaged one is mended.
        self.send(&request, || {
            self.bucket
                .put_object(Some(&self.credentials), &key)
                .sign(SIGNED_FOR)
        })
        .await?;
        Ok(address)
    }

    async fn get(&self, address: &str) -> Result<Vec<u8>> {
        let key = self.key(address).ok_or_else(|| Error::not_found("原件"))?;
        let request = self.request(Method::GET);
        let bytes = self
            .send(&request, || {
                self.bucket
                    .get_object(Some(&self.credentials), &key)
                    .sign(SIGNED_FOR)
            })
            .await?;
        let address = address.to_owned();
        blocking(move || {
            if content_hash(&bytes) == address {
                Ok(bytes)
            } else {
                Err(source_changed("请管理员核查对象存储。").with_detail(key))
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> S3Settings {
        S3Settings {
            endpoint: "https://oss.example.com".into(),
            bucket: "city".into(),
            access_key: "name".into(),
            secret_key: "s3cret".into(),
            ..S3Settings::default()
        }
    }

    #[test]
    fn a_wrong_setting_is_named() {
        type Change = fn(&mut S3Settings);
        let cases: [(&str, Change); 6] = [
            ("files.bucket", |s| s.bucket.clear()),
            ("files.secret_key", |s| s.secret_key.clear()),
            ("files.endpoint", |s| s.endpoint = "oss".into()),
            ("files.endpoint", |s| s.endpoint = "ftp://oss".into()),
            ("files.prefix", |s| s.prefix = "a/../b".into()),
            ("files.ca_certificate", |s| {
                s.ca_certificate = Some("/nowhere.pem".into());
            }),
        ];
        for (key, change) in cases {
            let mut settings = settings();
            change(&mut settings);
            let refused = S3Files::new(&settings).err().unwrap();
            assert_eq!(refused.code, ErrorCode::InvalidInput);
            assert!(refused.message.contains(key), "{refused:?}");
        }
        assert!(!format!("{:?}", settings()).contains("s3cret"));
    }

    #[test]
    fn objects_lie_below_the_prefix_in_the_bucket() {
        let mut settings = settings();
        settings.prefix = "/智答/files/".into();
        let files = S3Files::new(&settings).unwrap();
        let address = content_hash(b"abc");
        let key = files.key(&address).unwrap();
        assert_eq!(key, format!("智答/files/ba/{}", &address[2..]));
        assert!(files.key("../../etc/passwd").is_none());
        settings.path_style = false;
        let url = S3Files::new(&settings).unwrap().bucket.object_url(&key);
        assert_eq!(url.host_str(), Some("city.oss.example.com"));
    }
}
