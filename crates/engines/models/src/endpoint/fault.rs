//! What an endpoint's answer, or its silence, means to the person, and whether asking again may help.

use std::{error::Error as _, fmt, time::Duration};

use kernel::{Error, ErrorCode};
use serde_json::Value;

/// So much of what came goes into the log.
const HEAD: usize = 300;

/// A request that failed.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) error: Error,
    /// It may pass.
    pub(crate) again: bool,
}

/// Names the endpoint in what it says, and keeps its key out of it.
#[derive(Clone)]
pub(crate) struct Faults {
    title: String,
    model: String,
    secret: Option<String>,
}

// Without the key.
impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults")
            .field("title", &self.title)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

impl Faults {
    pub(crate) fn new(title: &str, model: &str, secret: Option<String>) -> Self {
        Self {
            title: title.to_owned(),
            model: model.to_owned(),
            secret,
        }
    }

    fn error(&self, code: ErrorCode, what: &str) -> Error {
        Error::new(code, format!("模型服务“{}”{what}", self.title))
    }

    /// The beginning of what came, for the log.
    fn head(&self, body: &str) -> String {
        let head: String = match &self.secret {
            Some(secret) => body.replace(secret, "***").chars().take(HEAD).collect(),
            None => body.chars().take(HEAD).collect(),
        };
        head.replace(['\n', '\r'], " ")
    }

    /// Nothing came within its time.
    pub(crate) fn late(&self, what: &str, within: Duration) -> Error {
        let seconds = within.as_secs_f64();
        let what = format!(
            "{what}超过 {seconds:.0} 秒的时限。请稍后再试；如持续出现，请管理员检查服务是否过载，或放宽 times 中的时限。"
        );
        self.error(ErrorCode::ModelTimeout, &what)
    }

    /// The request didn't get through, or the answer broke off.
    pub(crate) fn transport(&self, error: reqwest::Error, begun: bool) -> Error {
        let error = error.without_url();
        let mut detail = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            detail += &format!(": {error}");
            cause = error.source();
        }
        let fault = if begun {
            self.cut_off()
        } else if detail.contains("certificate") {
            self.error(
                ErrorCode::ModelUnavailable,
                "的证书不受信任，没有建立连接。请管理员检查 base_url；自签证书请用 ca_certificate 指明。",
            )
        } else {
            self.error(
                ErrorCode::ModelUnavailable,
                "暂时连不上。请稍后再试；如持续出现，请管理员检查服务是否在运行、网络是否畅通，以及 base_url。",
            )
        };
        fault.with_detail(detail)
    }

    /// The answer ended before its end.
    pub(crate) fn cut_off(&self) -> Error {
        self.error(ErrorCode::ModelReply, "的回复中途断开，没有写完。请重试。")
    }

    /// What came is not what the protocol says.
    pub(crate) fn garbled(&self, what: &str, body: &str) -> Error {
        let what = format!(
            "的回复无法识别：{what}。请管理员核对 base_url 和模型名“{}”。",
            self.model
        );
        let error = self.error(ErrorCode::ModelReply, &what);
        error.with_detail(self.head(body))
    }

    /// What came is more than is read.
    pub(crate) fn too_large(&self) -> Error {
        self.error(
            ErrorCode::ModelReply,
            "的回复过大，已停止读取。请管理员核对 base_url 是否指向模型服务。",
        )
    }

    /// The model broke off its reply by itself.
    pub(crate) fn filtered(&self) -> Error {
        self.error(ErrorCode::ModelReply, "以内容审查为由中止了回复。")
    }

    /// The reply is not what the wanted schema says.
    pub(crate) fn off_schema(&self, what: &str, text: &str) -> Error {
        self.error(
            ErrorCode::ModelReply,
            "的回复不符合所要求的 JSON 结构。请重试。",
        )
        .with_detail(format!("{what}: {}", self.head(text)))
    }

    /// It cannot do what the request wants.
    pub(crate) fn unable(&self, what: &str) -> Error {
        self.error(
            ErrorCode::ModelUnavailable,
            &format!("不支持{what}。请管理员换用支持的模型。"),
        )
    }

    /// An answer other than success. `retry_after` in seconds, where told.
    pub(crate) fn status(&self, status: u16, retry_after: Option<u64>, body: &str) -> Fault {
        use ErrorCode::{InvalidInput, ModelReply, ModelUnavailable};
        let said = explanation(body);
        let (code, again, what) = match status {
            _ if is_too_long(&said) => (
                InvalidInput,
                false,
                "认为内容超过了模型能容纳的长度。请缩短问题或减少材料后重试。".into(),
            ),
            413 => (
                InvalidInput,
                false,
                "认为内容过大。请缩短问题或减少材料后重试。".into(),
            ),
            401 | 403 => (
                ModelUnavailable,
                false,
                format!(
                    "返回 {status}：请检查密钥是否正确、是否有权使用模型“{}”。",
                    self.model
                ),
            ),
            402 => (
                ModelUnavailable,
                false,
                "返回 402：账户余额或额度不足，请管理员充值或调整额度。".into(),
            ),
            _ if is_used_up(&said) => (
                ModelUnavailable,
                false,
                format!("返回 {status}：账户余额或额度已用完，请管理员充值或调整额度。"),
            ),
            404 | 405 => (
                ModelUnavailable,
                false,
                format!(
                    "返回 {status}：请检查 base_url 是否写到版本号为止，以及模型名“{}”是否正确。",
                    self.model
                ),
            ),
            429 => (
                ModelUnavailable,
                true,
                "返回 429：请求过多，暂时不接受新的请求。请稍后再试。".into(),
            ),
            300..=399 => (
                ModelUnavailable,
                false,
                format!("返回 {status}：地址已转到别处，请管理员更新 base_url。"),
            ),
            500.. => (
                ModelUnavailable,
                true,
                format!(
                    "返回 {status}：服务出错或过载。请稍后再试；如持续出现，请管理员检查该服务。"
                ),
            ),
            _ => (
                ModelReply,
                false,
                format!(
                    "返回 {status}：没有接受请求。请管理员查看日志中的说明，并核对模型名“{}”及其支持的功能。",
                    self.model
                ),
            ),
        };
        let mut error = self.error(code, &what);
        error.retry_after = retry_after.filter(|_| again);
        Fault {
            error: error.with_detail(format!("{status} {}", self.head(body))),
            again,
        }
    }

    /// An error told inside an answer that otherwise says success.
    pub(crate) fn told(&self, error: &Value) -> Error {
        let said = error.to_string();
        let status = ["code", "status", "status_code"].iter().find_map(|key| {
            let value = &error[*key];
            let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
            u16::try_from(number)
                .ok()
                .filter(|status| (400..600).contains(status))
        });
        let lower = said.to_lowercase();
        let busy = [
            "rate_limit",
            "ratelimit",
            "overload",
            "too many requests",
            "unavailable",
        ];
        let status = status.or_else(|| busy.iter().any(|sign| lower.contains(sign)).then_some(429));
        match status {
            Some(status) => self.status(status, None, &said).error,
            None if is_too_long(&lower) || is_used_up(&lower) => {
                self.status(400, None, &said).error
            }
            None => {
                let what = "在回复中报告了错误。请稍后再试；如持续出现，请管理员查看日志中的说明。";
                self.error(ErrorCode::ModelReply, what)
                    .with_detail(self.head(&said))
            }
        }
    }
}

fn explanation(body: &str) -> String {
    body.chars().take(4_000).collect::<String>().to_lowercase()
}

/// What services say of a request that doesn't fit.
fn is_too_long(said: &str) -> bool {
    [
        "context_length_exceeded",
        "context length",
        "maximum context",
        "exceeds the context",
        "exceed_context_size",
        "range of input length",
        "prompt is too long",
        "max input",
        "too many input tokens",
    ]
    .iter()
    .any(|known| said.contains(known))
}

/// What services say when nothing is left to pay with.
fn is_used_up(said: &str) -> bool {
    [
        "insufficient_quota",
        "insufficient balance",
        "insufficient_balance",
        "arrearage",
        "quota exceeded",
        "余额不足",
        "欠费",
    ]
    .iter()
    .any(|known| said.contains(known))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults() -> Faults {
        Faults::new("通义", "qwen-plus", Some("sk-hush".into()))
    }

    #[test]
    fn statuses_are_told_apart() {
        use ErrorCode::{InvalidInput, ModelReply, ModelUnavailable};
        for (status, body, code, again, word) in [
            (401, "", ModelUnavailable, false, "密钥"),
            (403, "", ModelUnavailable, false, "密钥"),
            (404, "", ModelUnavailable, false, "base_url"),
            (429, "", ModelUnavailable, true, "429"),
            (
                429,
                r#"{"error":{"code":"insufficient_quota"}}"#,
                ModelUnavailable,
                false,
                "额度",
            ),
            (402, "", ModelUnavailable, false, "余额"),
            (500, "", ModelUnavailable, true, "500"),
            (503, "", ModelUnavailable, true, "503"),
            (302, "", ModelUnavailable, false, "base_url"),
            (400, "", ModelReply, false, "400"),
            (
                400,
                "This model's maximum context length is 4096",
                InvalidInput,
                false,
                "缩短",
            ),
            (413, "", InvalidInput, false, "缩短"),
        ] {
            let fault = faults().status(status, Some(7), body);
            assert_eq!((fault.error.code, fault.again), (code, again), "{status}");
            assert!(fault.error.message.contains(word), "{:?}", fault.error);
            assert!(fault.error.message.contains("通义"));
            assert_eq!(fault.error.retry_after, again.then_some(7));
        }
    }

    #[test]
    fn the_key_is_not_repeated_to_the_log() {
        let fault = faults().status(401, None, "Incorrect API key: sk-hush");
        assert_eq!(
            fault.error.detail.as_deref(),
            Some("401 Incorrect API key: ***")
        );
    }

    #[test]
    fn errors_told_in_a_reply_mean_what_their_status_means() {
        use ErrorCode::{InvalidInput, ModelReply, ModelUnavailable};
        for (error, code) in [
            (json!({"code": 503, "message": "x"}), ModelUnavailable),
            (json!({"code": "429"}), ModelUnavailable),
            (json!({"type": "rate_limit_exceeded"}), ModelUnavailable),
            (json!({"code": "context_length_exceeded"}), InvalidInput),
            (json!({"message": "余额不足"}), ModelUnavailable),
            (json!("boom"), ModelReply),
            (json!({"code": 336_100, "message": "?"}), ModelReply),
        ] {
            assert_eq!(faults().told(&error).code, code, "{error}");
        }
    }
}
