//! Zip archives of documents.

use std::io::{Cursor, Read};

use encoding_rs::GB18030;
use kernel::{Error, Result};
use zip::ZipArchive;
use zip::result::ZipError;

use crate::limits::Limits;
use crate::{fault, format, picture};

/// A file of an archive, or why it could not be read.
#[derive(Debug)]
pub struct Entry {
    /// Its path with `/` between folders; an archive within is a folder of that name.
    pub path: String,
    /// The unpacked bytes.
    pub bytes: Result<Vec<u8>, Error>,
}

/// Bytes that were let out of one entry, or why not.
pub(crate) fn inflate(
    name: &str,
    reader: impl Read,
    packed: u64,
    limits: &Limits,
) -> Result<Vec<u8>> {
    const FREE: u64 = 1 << 20;
    let ratio = limits.entry_ratio.saturating_mul(packed.max(1)).max(FREE);
    let allowed = limits.file_bytes.min(ratio);
    let mut bytes = Vec::new();
    reader
        .take(allowed + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| fault::damaged(name, "解压时出错，数据不完整或校验不符").with_detail(e))?;
    let len = bytes.len() as u64;
    if len > limits.file_bytes {
        return Err(fault::too_large(
            name,
            &format!("解压后超过 {}", fault::megabytes(limits.file_bytes)),
        ));
    }
    if len > ratio {
        return Err(fault::unsafe_file(
            name,
            &format!("压缩比超过 {} 倍，像是压缩炸弹", limits.entry_ratio),
        ));
    }
    Ok(bytes)
}

/// Opens a zip; what fails says why.
pub(crate) fn open<'a>(name: &str, bytes: &'a [u8]) -> Result<ZipArchive<Cursor<&'a [u8]>>> {
    ZipArchive::new(Cursor::new(bytes)).map_err(|e| {
        fault::damaged(name, "压缩数据的目录读不出来，文件可能没有传完").with_detail(e)
    })
}

pub(crate) fn entry_fault(name: &str, error: ZipError) -> Error {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
            fault::unsupported(name, "文件有密码，请去掉密码")
        }
        ZipError::CompressionMethodNotSupported(_) => {
            fault::unsupported(name, "压缩方法不支持，请用系统自带的压缩功能重新打包")
        }
        other => fault::damaged(name, "压缩包里的这个文件读不出来").with_detail(other),
    }
}

/// The name as text: UTF-8, else the GB18030 that Chinese Windows writes.
///
/// Some GBK names are valid UTF-8 by chance (通知 is ֪ͨ); such a name has letters that no Chinese file name has.
fn entry_name(raw: &[u8]) -> String {
    let chance = |c: char| ('\u{80}'..='\u{7ff}').contains(&c);
    let name = match std::str::from_utf8(raw) {
        Ok(name) if !name.contains(chance) => name.to_owned(),
        utf8 => {
            let (gb, bad) = GB18030.decode_without_bom_handling(raw);
            match utf8 {
                Ok(name) if bad => name.to_owned(),
                _ => gb.into_owned(),
            }
        }
    };
    name.replace('\\', "/")
}

fn is_hidden(path: &str) -> bool {
    path.split('/')
        .any(|part| part.starts_with('.') && part != "." && part != ".." || part == "__MACOSX")
        || path.ends_with("/Thumbs.db")
        || path == "Thumbs.db"
        || path
            .rsplit('/')
            .next()
            .is_some_and(|file| file.starts_with("~$"))
}

fn leaves_the_folder(path: &str) -> bool {
    path.starts_with('/')
        || path.split('/').any(|part| part == "..")
        || path.as_bytes().get(1) == Some(&b':')
        || path.contains('\0')
}

struct Unpacking<'a> {
    limits: &'a Limits,
    entries: usize,
    bytes: u64,
    visit: &'a mut dyn FnMut(Entry) -> Result<()>,
}

impl Unpacking<'_> {
    fn archive(&mut self, name: &str, prefix: &str, bytes: &[u8], nested: bool) -> Result<()> {
        let mut archive = open(name, bytes)?;
        self.entries += archive.len();
        if self.entries > self.limits.archive_entries {
            return Err(fault::too_large(
                name,
                &format!("压缩包里的文件不能超过 {} 个", self.limits.archive_entries),
            ));
        }
        for pictures in [true, false] {
            self.entries(&mut archive, prefix, pictures, nested)?;
        }
        Ok(())
    }

    /// The pictures of an archive, or everything else in it.
    fn entries(
        &mut self,
        archive: &mut ZipArchive<Cursor<&[u8]>>,
        prefix: &str,
        pictures: bool,
        nested: bool,
    ) -> Result<()> {
        for index in 0..archive.len() {
            let (path, packed) = match archive.by_index_raw(index) {
                Ok(file) if file.is_dir() => continue,
                Ok(file) => (
                    entry_name(file.name_raw()),
                    (file.compressed_size(), file.encrypted(), file.is_symlink()),
                ),
                Err(_) if pictures => continue,
                Err(error) => {
                    let path = format!("{prefix}第 {} 个文件", index + 1);
                    let error = entry_fault(&path, error);
                    (self.visit)(Entry {
                        path,
                        bytes: Err(error),
                    })?;
                    continue;
                }
            };
            if is_hidden(&path) || path.ends_with('/') || picture::is_picture(&path) != pictures {
                continue;
            }
            let path = format!("{prefix}{path}");
            let unpacked = self.entry(archive, index, &path, &path[prefix.len()..], packed);
            self.hand_over(path, unpacked, nested)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        archive: &mut ZipArchive<Cursor<&[u8]>>,
        index: usize,
        path: &str,
        own: &str,
        (packed, encrypted, link): (u64, bool, bool),
    ) -> Result<Vec<u8>> {
        if leaves_the_folder(own) {
            return Err(fault::unsafe_file(path, "文件名试图指向压缩包之外的位置"));
        }
        if link {
            return Err(fault::unsafe_file(path, "这是指向别处的链接，不是文件"));
        }
        if encrypted {
            return Err(fault::unsupported(path, "文件有密码，请去掉密码"));
        }
        let file = archive.by_index(index).map_err(|e| entry_fault(path, e))?;
        inflate(path, file, packed, self.limits)
    }

    fn hand_over(&mut self, path: String, unpacked: Result<Vec<u8>>, nested: bool) -> Result<()> {
        if let Ok(bytes) = &unpacked {
            self.bytes += bytes.len() as u64;
            if self.bytes > self.limits.archive_bytes {
                let most = fault::megabytes(self.limits.archive_bytes);
                return Err(fault::too_large(
                    &path,
                    &format!("压缩包解压后总共超过 {most}"),
                ));
            }
            if format::is_archive(&path, bytes) {
                if nested {
                    let error = fault::unsafe_file(&path, "压缩包套压缩包超过一层");
                    return (self.visit)(Entry {
                        path,
                        bytes: Err(error),
                    });
                }
                // A broken inner archive is one bad entry; a broken rule of the whole ends it.
                if let Err(error) = open(&path, bytes) {
                    return (self.visit)(Entry {
                        path,
                        bytes: Err(error),
                    });
                }
                return self.archive(&path, &format!("{path}/"), bytes, true);
            }
        }
        (self.visit)(Entry {
            path,
            bytes: unpacked,
        })
    }
}

/// Unpacks a zip, one entry at a time: its pictures, so that documents find those beside them, then the rest, both in the
/// zip's own order.
///
/// Folders, hidden files and `__MACOSX` are skipped; archives within are opened one level deep. An entry that cannot be read is handed
/// to `visit` with its error and the rest goes on.
///
/// # Errors
///
/// `DamagedFile` when the zip cannot be opened, `TooLarge` when it holds too many files or bytes, and whatever `visit` returns.
pub fn unpack(
    name: &str,
    bytes: &[u8],
    limits: &Limits,
    visit: &mut dyn FnMut(Entry) -> Result<()>,
) -> Result<()> {
    Unpacking {
        limits,
        entries: 0,
        bytes: 0,
        visit,
    }
    .archive(name, "", bytes, false)
}
