//! Files in a content-addressed folder: `files/ab/cdef…` holds the bytes whose SHA-256 is `abcdef…`.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use kernel::{
    Error, Result,
    files::Files,
    id::{content_hash, fresh},
};

use crate::{address_parts, blocking, io_error, source_changed};

/// Files below one folder.
#[derive(Clone, Debug)]
pub struct LocalFiles {
    root: PathBuf,
}

impl LocalFiles {
    /// Files below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn path(&self, address: &str) -> Option<PathBuf> {
        let (head, rest) = address_parts(address)?;
        Some(self.root.join(head).join(rest))
    }

    fn write(&self, bytes: &[u8]) -> Result<String> {
        let address = content_hash(bytes);
        let path = self
            .path(&address)
            .ok_or_else(|| Error::internal("bad address"))?;
        // Read back rather than trusted: a file that was damaged meanwhile is mended by storing it again.
        if fs::read(&path).is_ok_and(|stored| stored == bytes) {
            return Ok(address);
        }
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(|e| io_error("保存文件", &e))?;
        let draft = folder.join(format!(".{}", fresh()));
        let written = write_durably(&draft, &path, bytes);
        if written.is_err() {
            let _ = fs::remove_file(&draft);
        }
        written.map_err(|e| io_error("保存文件", &e))?;
        Ok(address)
    }
}

fn write_durably(draft: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create_new(draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(draft, path)?;
    File::open(path.parent().unwrap_or(path))?.sync_all()
}

#[async_trait]
impl Files for LocalFiles {
    async fn put(&self, bytes: Vec<u8>) -> Result<String> {
        let files = self.clone();
        blocking(move || files.write(&bytes)).await
    }

    async fn get(&self, address: &str) -> Result<Vec<u8>> {
        let path = self.path(address).ok_or_else(|| Error::not_found("原件"))?;
        let address = address.to_owned();
        blocking(move || {
            let bytes = fs::read(&path).map_err(|e| match e.kind() {
                std::io::ErrorKind::NotFound => Error::not_found("原件"),
                _ => io_error("读取文件", &e),
            })?;
            if content_hash(&bytes) == address {
                Ok(bytes)
            } else {
                Err(source_changed("请管理员核查数据目录。").with_detail(path.display()))
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use kernel::ErrorCode;

    use super::*;

    #[tokio::test]
    async fn conforms() {
        let dir = tempfile::tempdir().unwrap();
        kernel::testkit::files_conform(&LocalFiles::new(dir.path())).await;
    }

    #[tokio::test]
    async fn a_changed_byte_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let files = LocalFiles::new(dir.path());
        let address = files.put("每月一千五百元".into()).await.unwrap();
        let path = files.path(&address).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        bytes[0] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert_eq!(
            files.get(&address).await.unwrap_err().code,
            ErrorCode::SourceChanged
        );
    }
}
