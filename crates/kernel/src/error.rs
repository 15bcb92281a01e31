//! One error type for every crate: a stable code, a message in Chinese for the person, a detail for the log.

use serde::{Deserialize, Serialize};

/// Every way in which a call can fail, as the outside sees it. The codes are stable and documented in `docs/errors.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// A field of the request is missing, malformed or out of range.
    InvalidInput,
    /// The body is not valid UTF-8 or not valid JSON.
    MalformedBody,
    /// The question is longer than allowed.
    QuestionTooLong,
    /// Nothing stands under that id, or the caller may not see it.
    NotFound,
    /// The call needs somebody who is signed in.
    SignInRequired,
    /// The name, password, key or token is wrong, expired or revoked.
    SignInFailed,
    /// The caller may not do this.
    Forbidden,
    /// Too many failed sign-ins.
    LockedOut,
    /// More requests than the limit allows.
    TooManyRequests,
    /// The call was cancelled by whoever made it.
    Cancelled,
    /// The file or request is larger than allowed.
    TooLarge,
    /// The file's format is not one that can be read.
    UnsupportedFormat,
    /// The file is damaged, truncated or not what its name says.
    DamagedFile,
    /// The file breaks a safety limit: archive bomb, external entity, depth.
    UnsafeFile,
    /// A file has no text.
    EmptyDocument,
    /// The stored source no longer matches what was cited.
    SourceChanged,
    /// It does not go together with what is there: changed by someone else meanwhile, taken, or still in use.
    Conflict,
    /// The data folder is held by another process.
    DataFolderInUse,
    /// The disk is full or the quota is used up.
    StorageFull,
    /// The store failed.
    Storage,
    /// The search index failed.
    Index,
    /// A model is not reached, busy or over its quota.
    ModelUnavailable,
    /// A model did not answer in time.
    ModelTimeout,
    /// What a model replied is not what its protocol or the wanted schema says.
    ModelReply,
    /// The service is stopping or not ready yet.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl ErrorCode {
    /// All codes, for documentation and tests.
    pub const ALL: &[ErrorCode] = &[
        Self::InvalidInput,
        Self::MalformedBody,
        Self::QuestionTooLong,
        Self::NotFound,
        Self::SignInRequired,
        Self::SignInFailed,
        Self::Forbidden,
        Self::LockedOut,
        Self::TooManyRequests,
        Self::Cancelled,
        Self::TooLarge,
        Self::UnsupportedFormat,
        Self::DamagedFile,
        Self::UnsafeFile,
        Self::EmptyDocument,
        Self::SourceChanged,
        Self::Conflict,
        Self::DataFolderInUse,
        Self::StorageFull,
        Self::Storage,
        Self::Index,
        Self::ModelUnavailable,
        Self::ModelTimeout,
        Self::ModelReply,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The stable name, as in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::MalformedBody => "malformed_body",
            Self::QuestionTooLong => "question_too_long",
            Self::NotFound => "not_found",
            Self::SignInRequired => "sign_in_required",
            Self::SignInFailed => "sign_in_failed",
            Self::Forbidden => "forbidden",
            Self::LockedOut => "locked_out",
            Self::TooManyRequests => "too_many_requests",
            Self::Cancelled => "cancelled",
            Self::TooLarge => "too_large",
            Self::UnsupportedFormat => "unsupported_format",
            Self::DamagedFile => "damaged_file",
            Self::UnsafeFile => "unsafe_file",
            Self::EmptyDocument => "empty_document",
            Self::SourceChanged => "source_changed",
            Self::Conflict => "conflict",
            Self::DataFolderInUse => "data_folder_in_use",
            Self::StorageFull => "storage_full",
            Self::Storage => "storage",
            Self::Index => "index",
            Self::ModelUnavailable => "model_unavailable",
            Self::ModelTimeout => "model_timeout",
            Self::ModelReply => "model_reply",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// A short Chinese phrase for the kind of error.
    pub fn title(self) -> &'static str {
        match self {
            Self::InvalidInput => "输入有误",
            Self::MalformedBody => "请求内容无法识别",
            Self::QuestionTooLong => "问题过长",
            Self::NotFound => "没有找到",
            Self::SignInRequired => "需要登录",
            Self::SignInFailed => "登录失败",
            Self::Forbidden => "没有权限",
            Self::LockedOut => "账号已暂时锁定",
            Self::TooManyRequests => "请求过于频繁",
            Self::Cancelled => "已取消",
            Self::TooLarge => "内容过大",
            Self::UnsupportedFormat => "不支持的文件格式",
            Self::DamagedFile => "文件已损坏",
            Self::UnsafeFile => "文件不安全",
            Self::EmptyDocument => "文件没有文字",
            Self::SourceChanged => "原文已变动",
            Self::Conflict => "与现有内容冲突",
            Self::DataFolderInUse => "数据目录正被使用",
            Self::StorageFull => "存储空间已满",
            Self::Storage => "存储出错",
            Self::Index => "检索索引出错",
            Self::ModelUnavailable => "模型不可用",
            Self::ModelTimeout => "模型超时",
            Self::ModelReply => "模型回复无法识别",
            Self::Unavailable => "服务暂不可用",
            Self::Internal => "内部错误",
        }
    }
}

/// What went wrong: `code` for programs, `message` (Chinese: what, where, what to do) for people, `detail` for the log only.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The stable code.
    pub code: ErrorCode,
    /// For the person, in Chinese.
    pub message: String,
    /// For the log; never sent to a client.
    pub detail: Option<String>,
    /// In so many seconds it may work.
    pub retry_after: Option<u64>,
}

impl Error {
    /// An error with a message for the person.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            detail: None,
            retry_after: None,
        }
    }

    /// Adds what only the log should hold.
    #[must_use]
    pub fn with_detail(mut self, detail: impl std::fmt::Display) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    /// Says in how many seconds it may work.
    #[must_use]
    pub fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Nothing stands under that id.
    pub fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(
            ErrorCode::NotFound,
            format!("没有找到{what}，可能已被删除或您无权查看。"),
        )
    }

    /// A fault of ours, with its cause for the log.
    pub fn internal(detail: impl std::fmt::Display) -> Self {
        Self::new(
            ErrorCode::Internal,
            "系统出现内部错误，请稍后再试；如多次出现，请把请求编号告诉管理员。",
        )
        .with_detail(detail)
    }
}

/// The result of most calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;
