//! Configuration in layers: the built-in default, a file, `CITYMIND__SECTION__KEY` in the environment, flags.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
    time::Duration,
};

use engine_identity::OidcSettings;
use engine_store::S3Settings;
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use kernel::{Error, ErrorCode, Result, identity::Role};
use platform::identity::Terms;
use serde::{Deserialize, Serialize};

use crate::models::Models;

/// Everything that can be configured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) city: City,
    pub(crate) limits: UploadLimits,
    pub(crate) rates: RateLimits,
    pub(crate) identity: IdentityTerms,
    pub(crate) database: Database,
    pub(crate) files: ObjectStore,
    pub(crate) events: Bus,
    pub(crate) models: Models,
    pub(crate) cases: Cases,
}

/// Applications that were handed in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Cases {
    pub(crate) webhook: WebhookSettings,
}

/// The city's own system, which is told of every case.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WebhookSettings {
    /// Where cases are sent; nowhere if empty.
    pub(crate) url: String,
    /// What signs them.
    pub(crate) secret: String,
    /// Only cases of these service items, by id; all if empty.
    pub(crate) items: Vec<String>,
    /// How long a reply may take, in seconds.
    pub(crate) timeout: u64,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            url: String::new(),
            secret: String::new(),
            items: Vec::new(),
            timeout: 10,
        }
    }
}

/// Where records are kept beyond the data folder.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Database {
    /// A PostgreSQL address; SQLite in the data folder if empty.
    pub(crate) url: String,
    /// The schema; the first of the search path if empty.
    pub(crate) schema: String,
}

/// Where files are kept beyond the data folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ObjectStore {
    /// The address of an S3-compatible store; the data folder if empty.
    pub(crate) endpoint: String,
    /// The region that requests are signed for.
    pub(crate) region: String,
    /// The bucket.
    pub(crate) bucket: String,
    /// The key.
    pub(crate) access_key: String,
    /// The key's secret.
    pub(crate) secret_key: String,
    /// What the names of objects begin with.
    pub(crate) prefix: String,
    /// The bucket stands in the path, not in the host name.
    pub(crate) path_style: bool,
    /// Certificates to believe besides those of the system, as PEM.
    pub(crate) ca_certificate: Option<PathBuf>,
}

/// How events travel beyond the store.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Bus {
    /// The address of a NATS server with JetStream; the store itself if empty.
    pub(crate) nats_url: String,
    /// What the names of subjects begin with; `citymind` if empty.
    pub(crate) nats_prefix: String,
}

impl Default for ObjectStore {
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

impl ObjectStore {
    pub(crate) fn settings(&self) -> S3Settings {
        S3Settings {
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            bucket: self.bucket.clone(),
            access_key: self.access_key.clone(),
            secret_key: self.secret_key.clone(),
            prefix: self.prefix.clone(),
            path_style: self.path_style,
            ca_certificate: self.ca_certificate.clone(),
        }
    }
}

/// The server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Server {
    /// Address and port.
    pub(crate) listen: String,
    /// Under which address browsers reach it, e.g. `https://city.example`; the address itself if empty.
    pub(crate) public_url: String,
    /// Proxies that are believed when they tell where a request comes from.
    pub(crate) trusted_proxies: Vec<IpAddr>,
}

/// How many requests a second a caller may send; ten times as many at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RateLimits {
    /// An address, for whoever is anonymous.
    pub(crate) per_address: u32,
    /// An account.
    pub(crate) per_user: u32,
    /// A key.
    pub(crate) per_key: u32,
    /// Attempts to sign in, by address and minute.
    pub(crate) sign_ins_per_minute: u32,
}

/// How long sign-ins last.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct IdentityTerms {
    /// A sign-in ends after so many hours, whatever happens.
    pub(crate) sign_in_hours: u32,
    /// A sign-in ends after so many minutes without a request.
    pub(crate) idle_minutes: u32,
    /// The browser's token is replaced after so many minutes.
    pub(crate) rotation_minutes: u32,
    /// Identity providers to sign in at, by OpenID Connect.
    #[serde(skip_serializing)]
    pub(crate) providers: Vec<OidcSettings>,
    /// What staff may act as, by the words in which providers name roles; others are ignored.
    pub(crate) role_names: BTreeMap<String, Role>,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            per_address: 50,
            per_user: 50,
            per_key: 500,
            sign_ins_per_minute: 20,
        }
    }
}

impl Default for IdentityTerms {
    fn default() -> Self {
        Self {
            sign_in_hours: 12,
            idle_minutes: 120,
            rotation_minutes: 60,
            providers: Vec::new(),
            role_names: BTreeMap::new(),
        }
    }
}

impl IdentityTerms {
    pub(crate) fn terms(&self) -> Terms {
        let minutes = |n: u32| Duration::from_secs(u64::from(n.max(1)) * 60);
        Terms {
            lifetime: minutes(self.sign_in_hours.saturating_mul(60)),
            idle: minutes(self.idle_minutes),
            rotation: minutes(self.rotation_minutes),
        }
    }
}

/// The city.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct City {
    /// Its name, shown in the console.
    pub(crate) name: String,
    /// Questions offered on the first page.
    pub(crate) examples: Vec<String>,
}

/// Limits on what is uploaded.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct UploadLimits {
    /// A document, in MiB.
    pub(crate) file_mib: u64,
    /// An upload with all its files, in MiB.
    pub(crate) upload_mib: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            public_url: String::new(),
            // A proxy on the same machine is the usual case; whoever else is on this machine needs no disguise.
            trusted_proxies: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        }
    }
}

impl Default for City {
    fn default() -> Self {
        Self {
            name: "启明市（演示）".into(),
            examples: [
                "我生二胎了，有没有政府给补贴的政策？",
                "租房子要提取公积金怎么办？",
                "失业金能领几个月？",
                "异地就医怎么备案？",
                "灵活就业人员怎么交社保？",
                "新生儿什么时候能参加医保？",
            ]
            .map(str::to_owned)
            .to_vec(),
        }
    }
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self {
            file_mib: 64,
            upload_mib: 4096,
        }
    }
}

impl Config {
    /// Reads the layers. Without a named file, `citymind.toml` in the data folder is read if it is there.
    pub(crate) fn load(file: Option<&Path>, data: &Path) -> Result<Self> {
        let path: PathBuf = file.map_or_else(|| data.join("citymind.toml"), Path::to_owned);
        if file.is_some() && !path.is_file() {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                format!("没有找到配置文件 {}。", path.display()),
            ));
        }
        Figment::from(Serialized::defaults(Self::default()))
            .merge(Toml::file(&path))
            .merge(Env::prefixed("CITYMIND__").split("__"))
            .extract()
            .map_err(|e| {
                Error::new(
                    ErrorCode::InvalidInput,
                    format!("配置有误：{e}。请对照 docs/configuration.md 修改。"),
                )
            })
    }
}
