//! What an object store's answer, or its silence, means to the person, and whether asking again may help.

use std::error::Error as _;

use kernel::{Error, ErrorCode};
use reqwest::StatusCode;

/// A request that failed.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) error: Error,
    /// It may pass.
    pub(super) again: bool,
}

impl Fault {
    fn lasting(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            error: Error::new(code, message),
            again: false,
        }
    }

    fn passing() -> Self {
        Self {
            again: true,
            ..Self::lasting(
                ErrorCode::Unavailable,
                "暂时连不上对象存储，本次操作没有完成。请稍后再试；如持续出现，请管理员检查对象存储是否在运行、网络是否畅通，以及配置项 files.endpoint。",
            )
        }
    }

    fn with_detail(mut self, detail: impl std::fmt::Display) -> Self {
        self.error = self.error.with_detail(detail);
        self
    }

    /// No answer in time.
    pub(super) fn late() -> Self {
        Self::passing().with_detail("no answer in time")
    }
}

impl From<reqwest::Error> for Fault {
    fn from(error: reqwest::Error) -> Self {
        // The address of a request holds its signature.
        let error = error.without_url();
        let mut detail = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            detail += &format!(": {error}");
            cause = error.source();
        }
        let fault = if detail.contains("certificate") {
            Self::lasting(
                ErrorCode::Storage,
                "对象存储的证书不受信任，没有建立连接。请管理员检查配置项 files.endpoint；自签证书请用 files.ca_certificate 指明。",
            )
        } else {
            Self::passing()
        };
        fault.with_detail(detail)
    }
}

/// An answer other than success.
pub(super) fn answered(status: StatusCode, body: &str, bucket: &str) -> Fault {
    use ErrorCode::{NotFound, Storage, StorageFull, TooLarge};
    let code = body
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"))
        .map_or("", |(code, _)| code.trim());
    let fault = match (code, status.as_u16()) {
        ("NoSuchBucket", _) => Fault::lasting(
            Storage,
            format!(
                "对象存储中没有名为“{bucket}”的桶。请管理员先建桶，或检查配置项 files.bucket。"
            ),
        ),
        ("NoSuchKey", _) => Fault::lasting(NotFound, Error::not_found("原件").message),
        (_, 507) => Fault::lasting(StorageFull, crate::full().message),
        (code, _) if is_full(code) => Fault::lasting(StorageFull, crate::full().message),
        ("EntityTooLarge", _) | (_, 413) => Fault::lasting(
            TooLarge,
            "文件超过对象存储允许的大小，没有保存。请拆分后重试，或请管理员调整对象存储的上限。",
        ),
        ("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" | "ExpiredToken", _) => {
            Fault::lasting(
                Storage,
                "对象存储拒绝了访问：密钥不正确。请管理员检查配置项 files.access_key、files.secret_key 和 files.region。",
            )
        }
        ("RequestTimeTooSkewed", _) => Fault::lasting(
            Storage,
            "对象存储拒绝了访问：本机时间与对象存储相差过大。请管理员校准两边的系统时间。",
        ),
        (_, 429 | 408 | 500 | 502 | 503 | 504) | ("SlowDown" | "OperationAborted", _) => {
            Fault::passing()
        }
        (_, 401 | 403) => Fault::lasting(
            Storage,
            format!(
                "对象存储拒绝了访问：所用密钥没有读写桶“{bucket}”的权限。请管理员授予读写权限。"
            ),
        ),
        // A gateway that doesn't explain itself.
        ("", 404) => Fault::lasting(NotFound, Error::not_found("原件").message),
        (_, 301 | 302 | 307 | 308) | ("AuthorizationHeaderMalformed", _) => Fault::lasting(
            Storage,
            "对象存储的地址、区域或访问方式不对。请管理员检查配置项 files.endpoint、files.region 和 files.path_style。",
        ),
        _ => Fault::lasting(
            Storage,
            "对象存储没有完成本次操作。请稍后再试；如持续出现，请联系管理员查看日志。",
        ),
    };
    let head: String = body.chars().take(300).collect();
    fault.with_detail(format!("{status} {head}"))
}

/// What stores say when there is no room or a quota is used up.
fn is_full(code: &str) -> bool {
    [
        "QuotaExceeded",
        "StorageFull",
        "StorageLimitExceeded",
        "InsufficientCapacity",
        "InsufficientStorage",
    ]
    .iter()
    .any(|known| code.contains(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let cases = [
            (404, "NoSuchKey", ErrorCode::NotFound, false),
            (404, "NoSuchBucket", ErrorCode::Storage, false),
            (404, "", ErrorCode::NotFound, false),
            (403, "AccessDenied", ErrorCode::Storage, false),
            (403, "SignatureDoesNotMatch", ErrorCode::Storage, false),
            (403, "QuotaExceeded", ErrorCode::StorageFull, false),
            (507, "XMinioStorageFull", ErrorCode::StorageFull, false),
            (
                400,
                "XMinioAdminBucketQuotaExceeded",
                ErrorCode::StorageFull,
                false,
            ),
            (503, "SlowDown", ErrorCode::Unavailable, true),
            (500, "InternalError", ErrorCode::Unavailable, true),
            (301, "PermanentRedirect", ErrorCode::Storage, false),
            (418, "", ErrorCode::Storage, false),
        ];
        for (status, code, want, again) in cases {
            let body = format!("<?xml?><Error><Code>{code}</Code></Error>");
            let fault = answered(StatusCode::from_u16(status).unwrap(), &body, "桶");
            assert_eq!((fault.error.code, fault.again), (want, again), "{code}");
        }
    }
}
