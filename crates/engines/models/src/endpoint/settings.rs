//! Where an endpoint is, and how long it may take.

use std::{collections::BTreeMap, fmt, fs, path::PathBuf, time::Duration};

use kernel::{Error, ErrorCode, Result};
use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// An endpoint that speaks as OpenAI's does: 千帆, DashScope's compatible mode, DeepSeek, vLLM, Ollama, Xinference …
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EndpointSettings {
    /// What people call it, in messages and on the models page; the model's name where empty.
    pub name: String,
    /// The address up to the version, e.g. `https://api.example.com/v1`.
    pub base_url: String,
    /// The model's name there.
    pub model: String,
    /// The key itself; better one of the next two.
    pub key: Option<String>,
    /// The environment variable that holds the key.
    pub key_env: Option<String>,
    /// The file that holds the key, e.g. a mounted secret.
    pub key_file: Option<PathBuf>,
    /// Further headers of every request.
    pub headers: BTreeMap<String, String>,
    /// Further fields of every request's body, e.g. `enable_thinking = false`.
    pub body: Map<String, Value>,
    /// A PEM file with root certificates to trust besides the system's.
    pub ca_certificate: Option<PathBuf>,
    /// How long it may take.
    pub times: Times,
    /// How often a request that was answered with 429 or 5xx is made again, within its time.
    pub retries: u32,
}

/// How long an endpoint may take; in the configuration in seconds, fractions allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Times {
    /// To be connected to.
    #[serde(deserialize_with = "seconds")]
    pub connect: Duration,
    /// To begin its answer.
    #[serde(deserialize_with = "seconds")]
    pub first_byte: Duration,
    /// Between two pieces of its answer.
    #[serde(deserialize_with = "seconds")]
    pub between: Duration,
    /// For everything, waits before a repeat included.
    #[serde(deserialize_with = "seconds")]
    pub whole: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(20),
            between: Duration::from_secs(20),
            whole: Duration::from_mins(2),
        }
    }
}

impl Default for EndpointSettings {
    fn default() -> Self {
        Self {
            name: String::new(),
            base_url: String::new(),
            model: String::new(),
            key: None,
            key_env: None,
            key_file: None,
            headers: BTreeMap::new(),
            body: Map::new(),
            ca_certificate: None,
            times: Times::default(),
            retries: 2,
        }
    }
}

// Without the key, and without what headers and body may hold.
impl fmt::Debug for EndpointSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointSettings")
            .field("name", &self.name)
            .field("base_url", &self.base_url)
            .field("model", &self.model)
            .field("times", &self.times)
            .field("retries", &self.retries)
            .finish_non_exhaustive()
    }
}

/// Reads a time in seconds.
pub(crate) fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(from)?;
    let duration = Duration::try_from_secs_f64(seconds).ok();
    duration
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| serde::de::Error::custom("时限须是大于零的秒数"))
}

impl EndpointSettings {
    /// What people call it.
    pub fn title(&self) -> &str {
        if self.name.trim().is_empty() {
            &self.model
        } else {
            &self.name
        }
    }

    pub(crate) fn wrong(&self, what: impl fmt::Display) -> Error {
        Error::new(
            ErrorCode::InvalidInput,
            format!("模型服务“{}”的配置有误：{what}。", self.title()),
        )
    }

    /// The address, sound and without a slash at its end.
    pub(crate) fn address(&self) -> Result<Url> {
        if self.model.trim().is_empty() {
            return Err(self.wrong("model 不能为空，请填写服务方给出的模型名"));
        }
        let base = self.base_url.trim().trim_end_matches('/');
        let url = Url::parse(base)
            .map_err(|e| self.wrong("base_url 应形如 https://地址/v1").with_detail(e))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(self.wrong("base_url 应以 http:// 或 https:// 开头"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(self.wrong("base_url 不能带“?”或“#”"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(self.wrong("base_url 不能带用户名或密码，密钥请用 key_file 或 key_env"));
        }
        for path in ["/chat/completions", "/embeddings", "/rerank"] {
            if base.ends_with(path) {
                return Err(self.wrong(format!("base_url 不含“{path}”，只写到版本号为止")));
            }
        }
        Ok(url)
    }

    /// The key, from wherever it is kept.
    pub(crate) fn secret(&self) -> Result<Option<String>> {
        let kept = [
            self.key.is_some(),
            self.key_env.is_some(),
            self.key_file.is_some(),
        ];
        if kept.iter().filter(|given| **given).count() > 1 {
            return Err(self.wrong("key、key_env、key_file 只能设置一个"));
        }
        let secret = if let Some(name) = &self.key_env {
            let value = std::env::var(name);
            value.map_err(|_| self.wrong(format!("环境变量 {name} 没有设置，其中应是密钥")))?
        } else if let Some(path) = &self.key_file {
            fs::read_to_string(path).map_err(|e| {
                let what = format!("密钥文件 {} 无法读取", path.display());
                self.wrong(what).with_detail(e)
            })?
        } else if let Some(key) = &self.key {
            key.clone()
        } else {
            return Ok(None);
        };
        let secret = secret.trim();
        if secret.is_empty() {
            return Err(self.wrong("密钥是空的"));
        }
        Ok(Some(secret.to_owned()))
    }

    pub(crate) fn header_map(&self, secret: Option<&str>) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let what = || self.wrong(format!("headers 中的“{name}”不能作为请求头"));
            let name: HeaderName = name.parse().map_err(|_| what())?;
            let mut value: HeaderValue = value.parse().map_err(|_| what())?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        if let Some(secret) = secret {
            let value = HeaderValue::from_str(&format!("Bearer {secret}"));
            let mut value = value.map_err(|_| self.wrong("密钥中有不能传送的字符"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(base_url: &str) -> EndpointSettings {
        EndpointSettings {
            base_url: base_url.into(),
            model: "qwen-plus".into(),
            ..EndpointSettings::default()
        }
    }

    #[test]
    fn addresses_that_cannot_work_are_refused_with_the_field() {
        for sound in ["https://a.example/v1/", "http://10.0.0.8:11434/v1"] {
            let url = at(sound).address().unwrap();
            assert!(!url.as_str().ends_with('/'), "{url}");
        }
        for base in [
            "",
            "a.example/v1",
            "ftp://a.example",
            "https://a.example/v1?x=1",
            "https://user:pass@a.example/v1",
            "https://a.example/v1/chat/completions",
        ] {
            let error = at(base).address().unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidInput);
            assert!(error.message.contains("base_url"), "{base}: {error:?}");
        }
        let mut nameless = at("https://a.example/v1");
        nameless.model = " ".into();
        assert!(nameless.address().unwrap_err().message.contains("model"));
    }

    #[test]
    fn keys_come_from_one_place_and_never_show() {
        let mut settings = at("https://a.example/v1");
        assert_eq!(settings.secret().unwrap(), None);
        settings.key = Some(" hush\n".into());
        settings.headers.insert("x-token".into(), "whisper".into());
        assert_eq!(settings.secret().unwrap().as_deref(), Some("hush"));
        let shown = format!(
            "{settings:?} {:?}",
            settings.header_map(Some("hush")).unwrap()
        );
        assert!(
            !shown.contains("hush") && !shown.contains("whisper"),
            "{shown}"
        );

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "from-file\n").unwrap();
        settings.key_file = Some(path);
        assert!(
            settings
                .secret()
                .unwrap_err()
                .message
                .contains("只能设置一个")
        );
        settings.key = None;
        assert_eq!(settings.secret().unwrap().as_deref(), Some("from-file"));
        settings.key_file = Some(folder.path().join("missing"));
        assert!(settings.secret().unwrap_err().message.contains("missing"));
        settings.key_file = None;
        settings.key_env = Some("CITYMIND_NO_SUCH_KEY".into());
        let error = settings.secret().unwrap_err();
        assert!(error.message.contains("CITYMIND_NO_SUCH_KEY"), "{error:?}");

        let error = settings.header_map(Some("two\nlines")).unwrap_err();
        assert!(!format!("{error:?}").contains("two"), "{error:?}");
    }

    #[test]
    fn times_are_seconds_greater_than_zero() {
        let times: Times = serde_json::from_str(r#"{"connect": 0.5, "whole": 90}"#).unwrap();
        assert_eq!(times.connect, Duration::from_millis(500));
        assert_eq!(times.whole, Duration::from_secs(90));
        assert_eq!(times.between, Times::default().between);
        for wrong in ["0", "-1", "1e300"] {
            let text = format!(r#"{{"whole": {wrong}}}"#);
            assert!(serde_json::from_str::<Times>(&text).is_err(), "{wrong}");
        }
    }
}
