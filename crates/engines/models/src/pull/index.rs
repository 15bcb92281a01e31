//! A Python package index: where it is, and which wheels it has.

use std::{process::Command, time::Duration};

use kernel::{Error, ErrorCode, Result};
use reqwest::Url;
use scraper::{Html, Selector};
use serde::Deserialize;

use super::http::{Http, shown};

/// The simple repository API: as JSON (PEP 691), else as HTML (PEP 503).
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, \
     application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";
/// No page of a package is longer.
const LONGEST_PAGE: usize = 32 << 20;
/// Variables in which installers keep the address.
const VARIABLES: [&str; 3] = ["PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX"];
/// What Python is asked, in turn.
const QUESTIONS: [&[&str]; 2] = [
    &["-m", "pip", "config", "get", "global.index-url"],
    &[
        "-c",
        "from pip._internal.models.index import PyPI; print(PyPI.simple_url)",
    ],
];
/// For Python to answer.
const PYTHON: Duration = Duration::from_secs(30);

/// A file of a package.
#[derive(Debug, PartialEq)]
pub(super) struct Wheel {
    pub(super) file: String,
    pub(super) url: Url,
    pub(super) sha256: Option<String>,
}

/// The index that is configured, or else the one that Python's installers on this machine use.
pub(super) async fn address(configured: Option<&str>) -> Result<Url> {
    let known = known(configured, |name| std::env::var(name).ok());
    let address = match known {
        Some(address) => address,
        None => ask_python().await.ok_or_else(|| {
            Error::new(
                ErrorCode::ModelUnavailable,
                "不知道从哪个 Python 软件包索引下载：没有配置 models.package_index，环境变量 PIP_INDEX_URL 也没有设置，\
                 本机也没有带 pip 的 python3。请配置其中之一，或配置镜像 models.mirror，或用 --from 指定本地文件。",
            )
        })?,
    };
    let parsed = Url::parse(&address).ok();
    parsed
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidInput,
                "Python 软件包索引的地址有误，应以 http:// 或 https:// 开头。请检查 models.package_index 和环境变量 PIP_INDEX_URL。",
            )
        })
}

fn known(configured: Option<&str>, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let said = |value: String| Some(value.trim().to_owned()).filter(|value| !value.is_empty());
    configured
        .map(str::to_owned)
        .and_then(said)
        .or_else(|| VARIABLES.iter().find_map(|name| said(variable(name)?)))
}

async fn ask_python() -> Option<String> {
    let asked = tokio::task::spawn_blocking(|| {
        QUESTIONS.iter().find_map(|arguments| {
            let output = Command::new("python3").args(*arguments).output().ok()?;
            let answer = String::from_utf8(output.stdout).ok()?.trim().to_owned();
            (output.status.success() && !answer.is_empty()).then_some(answer)
        })
    });
    tokio::time::timeout(PYTHON, asked).await.ok()?.ok()?
}

/// The wheel of a version, one of `preferred` (SHA-256) if there is any.
///
/// # Errors
/// `NotFound` where the index has no such wheel; as [`Http::text`].
pub(super) async fn wheel(
    http: &Http,
    index: &Url,
    package: &str,
    version: &str,
    preferred: &[String],
) -> Result<Wheel> {
    let mut page = index.clone();
    if let Ok(mut path) = page.path_segments_mut() {
        path.pop_if_empty().push(package).push("");
    }
    let missing = || {
        Error::new(
            ErrorCode::NotFound,
            format!(
                "软件包索引 {} 中没有 {package} {version}，可能已被删除。请换一个来源：配置镜像 models.mirror，或用 --from 指定本地文件。",
                shown(index)
            ),
        )
    };
    let (page, text) = http
        .text(&page, ACCEPT, LONGEST_PAGE)
        .await
        .map_err(|error| {
            if error.code == ErrorCode::NotFound {
                missing().with_detail(error)
            } else {
                error
            }
        })?;
    let mut wheels = wheels(&page, &text)
        .into_iter()
        .filter(|wheel| is_wheel_of(&wheel.file, package, version));
    let first = wheels.next().ok_or_else(missing)?;
    let known = |wheel: &Wheel| {
        wheel
            .sha256
            .as_ref()
            .is_some_and(|hash| preferred.contains(hash))
    };
    if known(&first) {
        return Ok(first);
    }
    Ok(wheels.find(known).unwrap_or(first))
}

/// Whether a file's name is that of a wheel of a version of a package (PEP 427).
pub(super) fn is_wheel_of(file: &str, package: &str, version: &str) -> bool {
    let normal = |name: &str| name.to_lowercase().replace(['-', '.'], "_");
    let mut parts = file.strip_suffix(".whl").unwrap_or_default().split('-');
    parts.next().map(normal) == Some(normal(package)) && parts.next() == Some(version)
}

#[derive(Deserialize)]
struct Page {
    files: Vec<PageFile>,
}

#[derive(Deserialize)]
struct PageFile {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: Hashes,
}

#[derive(Default, Deserialize)]
struct Hashes {
    sha256: Option<String>,
}

fn wheels(page: &Url, text: &str) -> Vec<Wheel> {
    let wheel = |file: &str, url: &str, sha256: Option<&str>| {
        let mut url = page.join(url).ok()?;
        url.set_fragment(None);
        // The name becomes that of a file here.
        let plain = !file.is_empty() && !file.contains(['/', '\\']) && !file.starts_with('.');
        (plain && matches!(url.scheme(), "http" | "https")).then(|| Wheel {
            file: file.to_owned(),
            url,
            sha256: sha256.map(str::to_lowercase),
        })
    };
    if let Ok(page) = serde_json::from_str::<Page>(text) {
        return page
            .files
            .iter()
            .filter_map(|file| wheel(&file.filename, &file.url, file.hashes.sha256.as_deref()))
            .collect();
    }
    let Ok(links) = Selector::parse("a[href]") else {
        return Vec::new();
    };
    Html::parse_document(text)
        .select(&links)
        .filter_map(|link| {
            let href = link.attr("href")?;
            let hash = href.split_once("#sha256=").map(|(_, hash)| hash);
            let file: String = link.text().collect();
            wheel(file.trim(), href, hash)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_comes_before_the_environment() {
        let variable = |name: &str| match name {
            "UV_INDEX_URL" => Some("http://uv".to_owned()),
            "PIP_INDEX_URL" => Some("  ".to_owned()),
            _ => None,
        };
        let is = |configured| known(configured, variable);
        assert_eq!(is(Some("http://set")).as_deref(), Some("http://set"));
        assert_eq!(is(Some("")).as_deref(), Some("http://uv"));
        assert_eq!(is(None).as_deref(), Some("http://uv"));
        assert_eq!(known(None, |_| None), None);
    }

    #[test]
    fn pages_are_read_as_json_and_as_html() {
        let page = Url::parse("http://index/simple/some-model/").unwrap();
        let json = r#"{"meta":{"api-version":"1.1"},"name":"some-model","files":[
            {"filename":"some_model-1.0-py3-none-any.whl","url":"../../files/a.whl","hashes":{"sha256":"AB"},"size":3},
            {"filename":"some_model-1.0.tar.gz","url":"http://other/b.tar.gz","hashes":{}},
            {"filename":"../evil-1.0-x.whl","url":"c.whl","hashes":{}}]}"#;
        let html = r#"<!DOCTYPE html><html><body><h1>some-model</h1>
            <a href="../../files/a.whl#sha256=AB" data-requires-python="&gt;=3">some_model-1.0-py3-none-any.whl</a><br/>
            <a href="http://other/b.tar.gz">some_model-1.0.tar.gz</a></body></html>"#;
        for text in [json, html] {
            let wheels = wheels(&page, text);
            assert_eq!(wheels.len(), 2, "{wheels:?}");
            assert_eq!(wheels[0].url.as_str(), "http://index/files/a.whl");
            assert_eq!(wheels[0].sha256.as_deref(), Some("ab"));
            assert_eq!(wheels[1].sha256, None);
        }
        assert_eq!(super::wheels(&page, "nonsense"), []);
    }

    #[test]
    fn wheels_are_told_by_their_names() {
        assert!(is_wheel_of(
            "some_model-1.0-py3-none-any.whl",
            "some-model",
            "1.0"
        ));
        assert!(is_wheel_of(
            "Some.Model-1.0-1-py3-none-any.whl",
            "some-model",
            "1.0"
        ));
        assert!(!is_wheel_of("some_model-1.0.tar.gz", "some-model", "1.0"));
        assert!(!is_wheel_of(
            "some_model-1.0.1-py3-none-any.whl",
            "some-model",
            "1.0"
        ));
        assert!(!is_wheel_of(
            "some_model_part1-1.0-py3-none-any.whl",
            "some-model",
            "1.0"
        ));
    }
}
