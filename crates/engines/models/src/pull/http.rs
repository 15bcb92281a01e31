//! Downloads that go on where they stopped.

use std::{path::Path, time::Duration};

use kernel::{Error, ErrorCode, Result};
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{ACCEPT, CONTENT_RANGE, RANGE, RETRY_AFTER},
};
use tokio::{
    fs::{self, File},
    io::AsyncWriteExt,
};

use crate::{
    catalogue::file_error,
    endpoint::{install_encryption, is_loopback},
};

/// How patient a download is.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// While nothing comes.
    pub silence: Duration,
    /// Attempts in a row that bring nothing.
    pub attempts: u32,
    /// Before the second attempt; twice as long before each one after it.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(30),
            attempts: 5,
            pause: Duration::from_secs(1),
        }
    }
}

/// No server makes anyone wait longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A client for downloads. Proxies and certificates are those of the environment.
pub(super) struct Http {
    client: Client,
    /// For addresses on this machine, which are never behind the network's proxy.
    direct: Client,
    patience: Patience,
}

/// How an attempt failed.
enum Failure {
    /// Another one won't help.
    Final(Error),
    /// Another one may, at the earliest after a pause.
    Passing(Error, Option<Duration>),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl Http {
    pub(super) fn new(patience: Patience) -> Result<Self> {
        install_encryption();
        let builder = || {
            Client::builder()
                .connect_timeout(patience.connect)
                .read_timeout(patience.silence)
                .user_agent("CityMind")
        };
        Ok(Self {
            client: builder().build().map_err(Error::internal)?,
            direct: builder().no_proxy().build().map_err(Error::internal)?,
            patience,
        })
    }

    fn get(&self, url: &Url) -> reqwest::RequestBuilder {
        let client = if is_loopback(url) {
            &self.direct
        } else {
            &self.client
        };
        client.get(url.clone())
    }

    /// A small document of at most `limit` bytes, and the address where it was in the end.
    pub(super) async fn text(
        &self,
        url: &Url,
        accept: &str,
        limit: usize,
    ) -> Result<(Url, String)> {
        let mut failures = 0;
        loop {
            match self.text_once(url, accept, limit).await {
                Ok(found) => return Ok(found),
                Err(failure) => self.pause(&mut failures, failure).await?,
            }
        }
    }

    async fn text_once(
        &self,
        url: &Url,
        accept: &str,
        limit: usize,
    ) -> Result<(Url, String), Failure> {
        let response = self.get(url).header(ACCEPT, accept).send().await;
        let mut response = answered(url, response.map_err(|error| cut(url, &error))?)?;
        let last = response.url().clone();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| cut(url, &error))? {
            body.extend_from_slice(&chunk);
            if body.len() > limit {
                return Err(too_large(url).into());
            }
        }
        Ok((last, String::from_utf8_lossy(&body).into_owned()))
    }

    /// Brings a file of at most `limit` bytes, whose first bytes may be there already. `progress` is told how many bytes
    /// are there, and of how many.
    ///
    /// Returns whether bytes were used that had been there before.
    pub(super) async fn download(
        &self,
        url: &Url,
        to: &Path,
        limit: u64,
        progress: &(dyn Fn(u64, Option<u64>) + Send + Sync),
    ) -> Result<bool> {
        let mut failures = 0;
        let before = length(to).await;
        let mut resumed = before > 0;
        loop {
            let have = length(to).await;
            match self.download_once(url, to, have, limit, progress).await {
                Ok(from_start) => return Ok(resumed && !from_start),
                Err(failure) => {
                    if length(to).await > have {
                        failures = 0;
                    }
                    self.pause(&mut failures, failure).await?;
                }
            }
            resumed &= length(to).await > 0;
        }
    }

    /// Returns whether the server began anew.
    async fn download_once(
        &self,
        url: &Url,
        to: &Path,
        have: u64,
        limit: u64,
        progress: &(dyn Fn(u64, Option<u64>) + Send + Sync),
    ) -> Result<bool, Failure> {
        let mut request = self.get(url);
        if have > 0 {
            request = request.header(RANGE, format!("bytes={have}-"));
        }
        let response = request.send().await.map_err(|error| cut(url, &error))?;
        let range = content_range(&response);
        if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            if range == Some((None, Some(have))) {
                return Ok(false);
            }
            discard(to).await?;
            let error = unavailable(url, "文件与上次下载时不同");
            return Err(Failure::Passing(error, None));
        }
        let mut response = answered(url, response)?;
        let fits = response.status() == StatusCode::PARTIAL_CONTENT
            && matches!(range, Some((Some(start), _)) if start == have);
        let mut done = if fits { have } else { 0 };
        let total = response.content_length().map(|rest| done + rest);
        let failed = |error: std::io::Error| Failure::Final(file_error("写入", to, &error));
        let mut options = File::options();
        options.create(true);
        let file = if fits {
            options.append(true).open(to).await
        } else {
            options.write(true).truncate(true).open(to).await
        };
        let mut file = file.map_err(failed)?;
        let end = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    done += chunk.len() as u64;
                    if done > limit {
                        break Err(Failure::Final(too_large(url)));
                    }
                    file.write_all(&chunk).await.map_err(failed)?;
                    progress(done, total);
                }
                Ok(None) => break Ok(!fits),
                Err(error) => break Err(cut(url, &error)),
            }
        };
        // What came before a cut counts.
        file.flush().await.map_err(failed)?;
        if end.is_ok() && total.is_some_and(|total| total != done) {
            return Err(Failure::Passing(unavailable(url, "连接提前中断"), None));
        }
        end
    }

    /// Waits before the next attempt, or gives up.
    async fn pause(&self, failures: &mut u32, failure: Failure) -> Result<()> {
        let (error, told) = match failure {
            Failure::Final(error) => return Err(error),
            Failure::Passing(error, told) => (error, told),
        };
        *failures += 1;
        if *failures >= self.patience.attempts {
            return Err(error);
        }
        tracing::debug!(detail = ?error.detail, "a download is tried again: {error}");
        let pause = self.patience.pause * 2_u32.saturating_pow(*failures - 1);
        tokio::time::sleep(told.unwrap_or(pause).min(LONGEST_PAUSE)).await;
        Ok(())
    }
}

async fn length(path: &Path) -> u64 {
    fs::metadata(path).await.map_or(0, |data| data.len())
}

async fn discard(path: &Path) -> Result<()> {
    match fs::remove_file(path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(file_error("删除", path, &error))
        }
        _ => Ok(()),
    }
}

/// `bytes START-END/TOTAL` or `bytes */TOTAL`: start and total, where they are said.
fn content_range(response: &Response) -> Option<(Option<u64>, Option<u64>)> {
    let value = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, total) = value.strip_prefix("bytes ")?.split_once('/')?;
    let start = range
        .split_once('-')
        .and_then(|(start, _)| start.parse().ok());
    Some((start, total.parse().ok()))
}

/// Sorts out what is not an answer.
fn answered(url: &Url, response: Response) -> Result<Response, Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let told = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    let failure = match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Failure::Final(Error::new(
            ErrorCode::NotFound,
            format!("{} 上没有这个文件（{status}）。", shown(url)),
        )),
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::PROXY_AUTHENTICATION_REQUIRED => Failure::Final(unavailable(
            url,
            &format!("访问被拒绝（{status}），请检查地址中的账号或代理设置"),
        )),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            Failure::Passing(unavailable(url, &format!("服务器忙（{status}）")), told)
        }
        status if status.is_server_error() => {
            Failure::Passing(unavailable(url, &format!("服务器出错（{status}）")), told)
        }
        status => Failure::Final(unavailable(url, &format!("服务器回复 {status}"))),
    };
    Err(failure)
}

fn cut(url: &Url, error: &reqwest::Error) -> Failure {
    let what = if error.is_connect() {
        "无法连接"
    } else if error.is_timeout() {
        "长时间没有数据"
    } else {
        "连接中断"
    };
    // The client's own words hold the address, and with it a password.
    let mut detail = String::new();
    let mut source: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(cause) = source {
        detail = format!("{detail}: {cause}");
        source = cause.source();
    }
    Failure::Passing(unavailable(url, what).with_detail(detail), None)
}

fn unavailable(url: &Url, what: &str) -> Error {
    Error::new(
        ErrorCode::ModelUnavailable,
        format!(
            "从 {} 下载失败：{what}。请检查网络和代理设置后重试，已下载的部分会保留。",
            shown(url)
        ),
    )
}

fn too_large(url: &Url) -> Error {
    Error::new(
        ErrorCode::TooLarge,
        format!("{} 比应有的大，已停止下载。", shown(url)),
    )
}

/// An address as people may see it: without name and password, and without a query, which may hold a signature.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}
