//! The folder where models lie: `NAME/FILE`, and beside it `NAME/model.json` that says what it is.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use kernel::{Error, ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{CataloguedModel, catalogued, is_name};

const RECORD: &str = "model.json";
const LOCK: &str = "lock";
/// How far pulling has come.
pub(crate) const STATE: &str = "pull.json";

/// A model that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Installed {
    /// Its name.
    pub name: String,
    /// The name of its file.
    pub file: String,
    /// In bytes.
    pub size: u64,
    /// Of the file, when it was pulled.
    pub sha256: String,
    /// As the catalogue had it.
    pub licence: String,
    /// Where it came from.
    pub source: String,
    /// When, as RFC 3339.
    pub pulled_at: String,
}

/// A folder of models, which processes may share. All methods block.
#[derive(Clone, Debug)]
pub struct ModelFolder {
    root: PathBuf,
}

impl ModelFolder {
    /// A folder, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The usual folder: `CITYMIND_MODELS`, else `citymind/models` in the user's cache.
    ///
    /// # Errors
    /// `InvalidInput` where the user has no home.
    pub fn usual() -> Result<Self> {
        usual(|name| std::env::var_os(name))
            .map(Self::new)
            .ok_or_else(|| {
                Error::new(
                    ErrorCode::InvalidInput,
                    "无法确定模型目录：没有用户主目录。请用环境变量 CITYMIND_MODELS 指定一个目录。",
                )
            })
    }

    /// The folder's path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a model's file lies or would lie.
    pub fn file(&self, model: &CataloguedModel) -> PathBuf {
        self.place(&model.name).join(&model.file)
    }

    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// All models that are there, by name. What is half pulled or not recorded does not count.
    ///
    /// # Errors
    /// `Storage` where the folder can't be read.
    pub fn installed(&self) -> Result<Vec<Installed>> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(file_error("读取模型目录", &self.root, &error)),
        };
        let mut installed = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| file_error("读取模型目录", &self.root, &error))?;
            if let Some(name) = entry.file_name().to_str() {
                installed.extend(self.find(name)?);
            }
        }
        installed.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(installed)
    }

    /// A model that is there, as it was recorded; its file is not read.
    ///
    /// # Errors
    /// `Storage` where the folder can't be read.
    pub fn find(&self, name: &str) -> Result<Option<Installed>> {
        if !is_name(name) {
            return Ok(None);
        }
        let path = self.place(name).join(RECORD);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                use io::ErrorKind::{NotADirectory, NotFound};
                return match error.kind() {
                    NotFound | NotADirectory => Ok(None),
                    _ => Err(file_error("读取模型记录", &path, &error)),
                };
            }
        };
        // A record that can't be read is as none: pulling writes it anew.
        let record = serde_json::from_slice::<Installed>(&bytes)
            .ok()
            .filter(|record| {
                record.name == name
                    && is_name(&record.file)
                    && self.place(name).join(&record.file).is_file()
            });
        Ok(record)
    }

    /// Reads a model's file and compares it with what was recorded.
    ///
    /// # Errors
    /// `NotFound` where it isn't there, `DamagedFile` where it isn't what it was, `Storage` where it can't be read.
    pub fn verify(&self, name: &str) -> Result<Installed> {
        let record = self.find(name)?.ok_or_else(|| absent(name))?;
        let path = self.place(name).join(&record.file);
        let hash = sha256(&path).map_err(|error| file_error("读取模型文件", &path, &error))?;
        if hash == record.sha256 {
            Ok(record)
        } else {
            Err(Error::new(
                ErrorCode::DamagedFile,
                format!(
                    "模型 {name} 的文件 {} 已损坏或被改动（SHA-256 不符）。请运行 citymind models pull {name} 重新下载。",
                    path.display()
                ),
            ))
        }
    }

    /// Deletes a model and whatever of it was half pulled.
    ///
    /// # Errors
    /// `NotFound` where there is nothing, `Conflict` where it is being pulled, `Storage` where it can't be deleted.
    pub fn remove(&self, name: &str) -> Result<()> {
        let place = self.place(name);
        let ours = self.files_of(name)?;
        if ours.is_empty() {
            return Err(absent(name));
        }
        let lock = self.lock(name)?;
        // The record first: without it a model isn't there, whatever happens next.
        let record = [place.join(RECORD)];
        for path in record.iter().chain(&ours) {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(file_error("删除", path, &error));
                }
                _ => {}
            }
        }
        let _ = fs::remove_file(place.join(LOCK));
        drop(lock);
        // What somebody else put there stays.
        let _ = fs::remove_dir(&place);
        Ok(())
    }

    /// What pulling leaves of a model, whole or half, except for the lock.
    fn files_of(&self, name: &str) -> Result<Vec<PathBuf>> {
        if !is_name(name) {
            return Ok(Vec::new());
        }
        let place = self.place(name);
        let recorded = self.find(name)?.map(|record| record.file);
        let catalogued = catalogued(name).map(|model| model.file.clone());
        let entries = match fs::read_dir(&place) {
            Ok(entries) => entries,
            Err(_) => return Ok(Vec::new()),
        };
        let ours = entries.filter_map(|entry| {
            let file = entry.ok()?.file_name().into_string().ok()?;
            let ours = file == RECORD
                || file == STATE
                || file.ends_with(".part")
                || [&recorded, &catalogued].contains(&&Some(file.clone()));
            ours.then(|| place.join(file))
        });
        Ok(ours.collect())
    }

    /// Keeps other processes from pulling or removing the same model until dropped.
    pub(crate) fn lock(&self, name: &str) -> Result<File> {
        let place = self.place(name);
        let failed = |error: &io::Error| file_error("创建模型目录", &place, error);
        fs::create_dir_all(&place).map_err(|error| failed(&error))?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(place.join(LOCK))
            .map_err(|error| failed(&error))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(fs::TryLockError::WouldBlock) => Err(Error::new(
                ErrorCode::Conflict,
                format!("模型 {name} 正在由另一个进程或任务下载。请等它完成后再试。"),
            )),
            Err(fs::TryLockError::Error(error)) => Err(failed(&error)),
        }
    }

    /// Writes down that a model is there.
    pub(crate) fn record(&self, model: &CataloguedModel, source: String) -> Result<Installed> {
        let record = Installed {
            name: model.name.clone(),
            file: model.file.clone(),
            size: model.size,
            sha256: model.sha256.clone(),
            licence: model.licence.clone(),
            source,
            pulled_at: kernel::time::now(),
        };
        let path = self.place(&model.name).join(RECORD);
        write_whole(
            &path,
            &serde_json::to_vec_pretty(&record).map_err(Error::internal)?,
        )?;
        Ok(record)
    }
}

fn usual(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    path("CITYMIND_MODELS").or_else(|| {
        // The standard has a relative path ignored.
        let cache = path("XDG_CACHE_HOME").filter(|path| path.is_absolute());
        let cache = cache.or_else(|| Some(path("HOME")?.join(".cache")));
        Some(cache?.join("citymind/models"))
    })
}

fn absent(name: &str) -> Error {
    Error::new(
        ErrorCode::NotFound,
        format!("没有已下载的模型 {name}。可以用 citymind models list 查看。"),
    )
}

/// Replaces a small file, so that it is there whole or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let aside = path.with_extension("new");
    fs::write(&aside, bytes)
        .and_then(|()| fs::rename(&aside, path))
        .map_err(|error| file_error("写入", path, &error))
}

/// The SHA-256 of a file, in hexadecimal digits.
pub(crate) fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// What went wrong with a file or folder.
pub(crate) fn file_error(what: &str, path: &Path, error: &io::Error) -> Error {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let path = path.display();
    match error.kind() {
        StorageFull | QuotaExceeded => Error::new(
            ErrorCode::StorageFull,
            format!(
                "{what} {path} 失败：磁盘空间不足。请清理磁盘，或用环境变量 CITYMIND_MODELS 换一个目录；已下载的部分会保留。"
            ),
        ),
        PermissionDenied | ReadOnlyFilesystem => Error::new(
            ErrorCode::Storage,
            format!(
                "{what} {path} 失败：没有权限。请检查目录权限，或用环境变量 CITYMIND_MODELS 换一个目录。"
            ),
        ),
        _ => Error::new(
            ErrorCode::Storage,
            format!("{what} {path} 失败，请检查磁盘后重试。"),
        ),
    }
    .with_detail(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_folder() {
        let at = |set: &[(&str, &str)]| {
            let set: Vec<(String, OsString)> = set
                .iter()
                .map(|(name, value)| ((*name).to_owned(), OsString::from(value)))
                .collect();
            usual(|name| Some(set.iter().find(|(other, _)| other == name)?.1.clone()))
        };
        assert_eq!(at(&[]), None);
        assert_eq!(
            at(&[("HOME", "/h")]),
            Some("/h/.cache/citymind/models".into())
        );
        let set = [("HOME", "/h"), ("XDG_CACHE_HOME", "/c")];
        assert_eq!(at(&set), Some("/c/citymind/models".into()));
        let set = [("HOME", "/h"), ("XDG_CACHE_HOME", "relative")];
        assert_eq!(at(&set), Some("/h/.cache/citymind/models".into()));
        let set = [("HOME", "/h"), ("CITYMIND_MODELS", "/m")];
        assert_eq!(at(&set), Some("/m".into()));
        assert_eq!(
            at(&[("HOME", "/h"), ("CITYMIND_MODELS", "")]),
            at(&[("HOME", "/h")])
        );
    }
}
