//! The data folder: one folder holds everything, and one process holds the folder.

use std::{
    fs::{self, File, TryLockError},
    io::Write,
    path::{Path, PathBuf},
};

use kernel::{Error, ErrorCode, Result};

use crate::io_error;

/// An open data folder, locked for this process until dropped. The operating system lets go of the lock when the process
/// ends, however it ends.
#[derive(Debug)]
pub struct DataFolder {
    root: PathBuf,
    _lock: File,
}

/// The server that holds a data folder, as it wrote itself down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Where it listens, e.g. `127.0.0.1:8080`.
    pub address: String,
    /// The operator's key.
    pub key: String,
}

impl DataFolder {
    /// Opens the folder, making it if needed.
    ///
    /// # Errors
    /// `DataFolderInUse` if another process holds it; `Storage` if it can't be made.
    pub fn open(root: &Path) -> Result<Self> {
        fs::create_dir_all(root)
            .map_err(|e| io_error(&format!("创建数据目录 {}", root.display()), &e))?;
        let path = root.join("lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| io_error("打开数据目录的锁文件", &e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(
                    ErrorCode::DataFolderInUse,
                    format!(
                        "数据目录 {} 正被另一个 CityMind 进程使用。请先停止它，或换一个数据目录（--data）。",
                        root.display()
                    ),
                ));
            }
            Err(TryLockError::Error(e)) => return Err(io_error("锁定数据目录", &e)),
        }
        let folder = Self {
            root: root.to_owned(),
            _lock: lock,
        };
        for sub in ["files", "index", "staging"] {
            fs::create_dir_all(folder.root.join(sub)).map_err(|e| io_error("创建数据目录", &e))?;
        }
        Ok(folder)
    }

    /// The folder's path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.root.join("citymind.sqlite")
    }

    /// Where stored files lie.
    pub fn files(&self) -> PathBuf {
        self.root.join("files")
    }

    /// Where the search index lies.
    pub fn index(&self) -> PathBuf {
        self.root.join("index")
    }

    /// Where uploads wait to be imported.
    pub fn staging(&self) -> PathBuf {
        self.root.join("staging")
    }

    /// Writes down where this process listens, for the command line; readable by the owner only.
    ///
    /// # Errors
    /// `Storage`.
    pub fn announce(&self, holder: &Holder) -> Result<()> {
        let text = format!("{}\n{}", holder.address, holder.key);
        write_private(&self.root.join("server"), &text).map_err(|e| io_error("写入服务地址", &e))
    }

    /// A secret kept in the folder, readable by the owner only; made by `make` if it isn't there.
    ///
    /// # Errors
    /// `Storage`, `StorageFull`.
    pub fn secret(&self, name: &str, make: impl FnOnce() -> String) -> Result<String> {
        let path = self.root.join(name);
        match fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(io_error("读取密钥", &e));
            }
            _ => {}
        }
        let secret = make();
        write_private(&path, &secret).map_err(|e| io_error("保存密钥", &e))?;
        Ok(secret)
    }

    /// A secret of a folder that another process may hold.
    pub fn read_secret(root: &Path, name: &str) -> Option<String> {
        let text = fs::read_to_string(root.join(name)).ok()?;
        Some(text.trim().to_owned()).filter(|t| !t.is_empty())
    }

    /// Takes the announcement back.
    pub fn retract(&self) {
        // A stale announcement does no harm: whoever reads it tries the lock first.
        let _ = fs::remove_file(self.root.join("server"));
    }

    /// The server that holds a folder, as it announced itself.
    pub fn holder(root: &Path) -> Option<Holder> {
        let text = fs::read_to_string(root.join("server")).ok()?;
        let (address, key) = text.trim().split_once('\n')?;
        Some(Holder {
            address: address.to_owned(),
            key: key.to_owned(),
        })
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = File::options();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_opening_is_refused_with_a_clear_word_until_the_first_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataFolder::open(dir.path()).unwrap();
        let refused = DataFolder::open(dir.path()).unwrap_err();
        assert_eq!(refused.code, ErrorCode::DataFolderInUse);
        assert!(refused.message.contains("正被另一个 CityMind 进程使用"));
        drop(first);
        DataFolder::open(dir.path()).unwrap();
    }

    #[test]
    fn the_announcement_is_read_back_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(dir.path()).unwrap();
        assert_eq!(DataFolder::holder(dir.path()), None);
        let holder = Holder {
            address: "127.0.0.1:8080".into(),
            key: "k".into(),
        };
        folder.announce(&holder).unwrap();
        assert_eq!(DataFolder::holder(dir.path()), Some(holder));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(dir.path().join("server"))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o077, 0);
        }
        folder.retract();
        assert_eq!(DataFolder::holder(dir.path()), None);
    }
}
