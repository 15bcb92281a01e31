//! Stores: where records and files are kept.
//!
//! | file | seam | engine |
//! |---|---|---|
//! | `records_sqlite.rs` | [`kernel::records::Records`] | SQLite in write-ahead mode |
//! | `records_postgres/` | [`kernel::records::Records`] | a PostgreSQL server, which several processes may share |
//! | `files_local.rs` | [`kernel::files::Files`] | a content-addressed folder |
//! | `files_s3/` | [`kernel::files::Files`] | a bucket of an S3-compatible store |
//! | `folder.rs` | | the data folder: its layout, and the lock that keeps a second process out |

mod crypto;
mod files_local;
mod files_s3;
mod folder;
mod records_postgres;
mod records_sqlite;

pub use files_local::LocalFiles;
pub use files_s3::{S3Files, S3Settings};
pub use folder::{DataFolder, Holder};
pub use records_postgres::PostgresRecords;
pub use records_sqlite::SqliteRecords;

use kernel::{Error, ErrorCode};

pub(crate) const DATABASE_FAILED: &str = "数据库出错，请稍后再试或联系管理员。";

/// What an I/O error means to the person.
pub(crate) fn io_error(what: &str, error: &std::io::Error) -> Error {
    use std::io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    match error.kind() {
        StorageFull | QuotaExceeded => full(),
        PermissionDenied | ReadOnlyFilesystem => Error::new(
            ErrorCode::Storage,
            format!("{what}失败：没有写入权限。请检查数据目录的权限。"),
        ),
        _ => Error::new(
            ErrorCode::Storage,
            format!("{what}失败，请稍后再试或联系管理员。"),
        ),
    }
    .with_detail(error)
}

pub(crate) fn full() -> Error {
    Error::new(
        ErrorCode::StorageFull,
        "存储空间已满，本次内容没有保存。请清理磁盘或扩容后重试；已保存的内容不受影响。",
    )
}

/// A stored file is no longer what it was.
pub(crate) fn source_changed(advice: &str) -> Error {
    Error::new(
        ErrorCode::SourceChanged,
        format!("存储的原件已变动，暂不能作为依据。{advice}"),
    )
}

/// A file's folder and name; none if it's no address.
pub(crate) fn address_parts(address: &str) -> Option<(&str, &str)> {
    let sound = address.len() == 64
        && address
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    sound.then(|| address.split_at(2))
}

/// An expectation of a batch doesn't hold.
pub(crate) fn conflict(collection: &str, id: &str) -> Error {
    Error::new(ErrorCode::Conflict, "内容已被他人修改，请刷新后重试。")
        .with_detail(format!("{collection}/{id}"))
}

/// Only lower-case letters, digits and `_`: safe inside SQL.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// The keys on the way to a field. Names come from our code, yet a door might pass one on: only plain ones get through.
pub(crate) fn field_path(field: &str) -> kernel::Result<Vec<&str>> {
    let keys: Vec<&str> = field.split('.').collect();
    if keys.iter().all(|key| is_plain(key)) {
        Ok(keys)
    } else {
        Err(Error::new(
            ErrorCode::InvalidInput,
            format!("不能按“{field}”查询。"),
        ))
    }
}

/// Runs blocking work away from the threads that serve requests.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> kernel::Result<T> + Send + 'static,
) -> kernel::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Error::internal)?
}
