//! What went wrong with the database, what it means to the person, and whether trying again is safe.

use std::{error::Error as _, io, time::Duration};

use deadpool_postgres::PoolError;
use kernel::{Error, ErrorCode};
use tokio_postgres::error::SqlState;

/// The longest that one step of a call may take: a database that hangs must not hang us.
const STEP_LIMIT: Duration = Duration::from_secs(120);

const UNREACHABLE: &str = "暂时连不上数据库，本次操作没有完成。系统会自动重新连接，请稍后再试；如持续出现，请管理员检查数据库是否在运行、网络是否畅通。";
const BUSY: &str =
    "数据库正忙，本次操作没有完成。请稍后再试；如持续出现，请管理员检查数据库的负载。";
const UNSETTLED: &str =
    "保存时与数据库的连接中断，不能确定本次内容是否已保存。请稍后刷新核对，再决定是否重新提交。";

/// A call that failed.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) error: Error,
    /// Nothing was changed, and another connection may well succeed.
    pub(super) again: bool,
    /// The connection is of no more use.
    pub(super) broken: bool,
}

impl Fault {
    fn plain(code: ErrorCode, message: &str) -> Self {
        Self::from(Error::new(code, message))
    }

    fn lost() -> Self {
        Self {
            again: true,
            broken: true,
            ..Self::plain(ErrorCode::Unavailable, UNREACHABLE)
        }
    }

    fn hung() -> Self {
        Self {
            broken: true,
            ..Self::plain(ErrorCode::Unavailable, BUSY)
        }
    }

    /// The same fault where it met a commit: if the connection went before the answer came, nobody here knows whether the
    /// batch was made, so it must not be tried again.
    pub(super) fn of_commit(self) -> Self {
        if !self.broken {
            return self;
        }
        let mut error = Error::new(ErrorCode::Unavailable, UNSETTLED);
        error.detail = self.error.detail;
        Self {
            error,
            again: false,
            broken: true,
        }
    }

    fn with_detail(mut self, detail: impl std::fmt::Display) -> Self {
        self.error = self.error.with_detail(detail);
        self
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self {
            error,
            again: false,
            broken: false,
        }
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        let fault = match error.code() {
            Some(state) => refused(state),
            None => cut_off(&error),
        };
        fault.with_detail(chain(&error))
    }
}

impl From<PoolError> for Fault {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(e)
            | PoolError::PostCreateHook(deadpool_postgres::HookError::Backend(e)) => e.into(),
            PoolError::Timeout(deadpool_postgres::TimeoutType::Wait) => {
                Self::plain(ErrorCode::Unavailable, BUSY).with_detail("no free connection")
            }
            PoolError::Timeout(_) => Self::lost().with_detail("no connection in time"),
            other => Self::plain(ErrorCode::Unavailable, UNREACHABLE).with_detail(other),
        }
    }
}

/// What the server answered.
fn refused(state: &SqlState) -> Fault {
    use ErrorCode::{InvalidInput, Storage, Unavailable};
    match state.code() {
        // The session was ended, or the server is starting or stopping.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => Fault::lost(),
        code if code.starts_with("08") => Fault::lost(),
        // A standby: after a change of roles a fresh connection may find the primary.
        "25006" => Fault {
            again: true,
            broken: true,
            ..Fault::plain(
                Unavailable,
                "连到的数据库是只读的备库，本次内容没有保存。系统会自动重新连接主库，请稍后再试。",
            )
        },
        // Deadlock or serialisation: undone as a whole.
        "40001" | "40P01" => Fault {
            again: true,
            ..Fault::plain(Unavailable, BUSY)
        },
        "53300" | "55P03" | "57014" => Fault::plain(Unavailable, BUSY),
        "53100" => crate::full().into(),
        code if code.starts_with("28") => Fault::plain(
            Storage,
            "数据库拒绝了登录：用户名或密码有误，或不允许从本机连接。请管理员检查配置项 database.url。",
        ),
        "3D000" => Fault::plain(
            Storage,
            "数据库服务器上没有所配置的库。请管理员先建库，或检查配置项 database.url。",
        ),
        "42501" => Fault::plain(
            Storage,
            "数据库用户的权限不足。请管理员授予它在所用模式（schema）中建表和读写的权限。",
        ),
        code if code.starts_with("54") => Fault::plain(
            InvalidInput,
            "内容或编号过长，数据库无法保存。请缩短后重试。",
        ),
        _ => Fault::plain(Storage, crate::DATABASE_FAILED),
    }
}

/// What happened on the way to the server.
fn cut_off(error: &tokio_postgres::Error) -> Fault {
    let name = error.to_string();
    let io = error.source().is_some_and(|e| e.is::<io::Error>());
    // The kind can only be told by its name.
    if name.contains("TLS") {
        Fault::plain(
            ErrorCode::Storage,
            "与数据库的加密连接没有建立：服务器不支持 TLS，或证书不受信任。请管理员检查 database.url 中的 sslmode，自签证书用 sslrootcert 指明。",
        )
    } else if name.contains("authentication") {
        refused(&SqlState::INVALID_PASSWORD)
    } else if name.contains("invalid con") {
        super::connection::bad_address().into()
    } else if error.is_closed() || io || name.contains("timeout") {
        Fault::lost()
    } else {
        Fault::plain(ErrorCode::Storage, crate::DATABASE_FAILED)
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

/// One step of a call, cut off when the database hangs.
pub(super) async fn limited<T, E: Into<Fault>>(
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(STEP_LIMIT, step).await {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(Fault::hung().with_detail("no answer in time")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_answers_is_told_apart() {
        let cases = [
            (SqlState::DISK_FULL, ErrorCode::StorageFull, false),
            (SqlState::ADMIN_SHUTDOWN, ErrorCode::Unavailable, true),
            (SqlState::CANNOT_CONNECT_NOW, ErrorCode::Unavailable, true),
            (SqlState::CONNECTION_FAILURE, ErrorCode::Unavailable, true),
            (
                SqlState::READ_ONLY_SQL_TRANSACTION,
                ErrorCode::Unavailable,
                true,
            ),
            (
                SqlState::T_R_DEADLOCK_DETECTED,
                ErrorCode::Unavailable,
                true,
            ),
            (
                SqlState::TOO_MANY_CONNECTIONS,
                ErrorCode::Unavailable,
                false,
            ),
            (SqlState::INVALID_PASSWORD, ErrorCode::Storage, false),
            (
                SqlState::PROGRAM_LIMIT_EXCEEDED,
                ErrorCode::InvalidInput,
                false,
            ),
            (SqlState::UNDEFINED_TABLE, ErrorCode::Storage, false),
        ];
        for (state, code, again) in cases {
            let fault = refused(&state);
            assert_eq!((fault.error.code, fault.again), (code, again), "{state:?}");
        }
    }

    #[test]
    fn a_connection_lost_while_committing_is_never_tried_again() {
        for fault in [Fault::lost(), Fault::hung()] {
            let fault = fault.of_commit();
            assert!(!fault.again && fault.broken);
            assert!(fault.error.message.contains("不能确定"));
        }
        // A refusal is an answer: the batch wasn't made.
        let full = refused(&SqlState::DISK_FULL).of_commit();
        assert_eq!(full.error.code, ErrorCode::StorageFull);
    }
}
