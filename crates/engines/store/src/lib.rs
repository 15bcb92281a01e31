//! Stores: where records and files are kept.
//!
//! | file | seam | engine |
//! |---|---|---|
//! | `records_sqlite.rs` | [`kernel::records::Records`] | SQLite in write-ahead mode |
//! | `files_local.rs` | [`kernel::files::Files`] | a content-addressed folder |
//! | `folder.rs` | | the data folder: its layout, and the lock that keeps a second process out |

mod files_local;
mod folder;
mod records_sqlite;

pub use files_local::LocalFiles;
pub use folder::{DataFolder, Holder};
pub use records_sqlite::SqliteRecords;

use kernel::{Error, ErrorCode};

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

/// Runs blocking work away from the threads that serve requests.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> kernel::Result<T> + Send + 'static,
) -> kernel::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Error::internal)?
}
