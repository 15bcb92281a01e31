//! Configuration in layers: the built-in default, a file, `CITYMIND__SECTION__KEY` in the environment, flags.

use std::path::{Path, PathBuf};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use kernel::{Error, ErrorCode, Result};
use serde::{Deserialize, Serialize};

/// Everything that can be configured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) city: City,
    pub(crate) limits: UploadLimits,
}

/// The server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Server {
    /// Address and port.
    pub(crate) listen: String,
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
