//! What goes wrong with a model inside the process.

use std::{any::Any, fmt::Display, path::Path};

use kernel::{Error, ErrorCode};

/// Names the model in what it says.
#[derive(Clone, Debug)]
pub(super) struct Faults(pub(super) String);

impl Faults {
    pub(super) fn error(&self, code: ErrorCode, what: &str) -> Error {
        Error::new(code, format!("本机模型“{}”{what}", self.0))
    }

    /// The file is not there or can't be read.
    pub(super) fn unreadable(&self, path: &Path, error: impl Display) -> Error {
        let what = format!(
            "的文件 {} 无法读取。请检查文件是否存在、有无读取权限。",
            path.display()
        );
        self.error(ErrorCode::ModelUnavailable, &what)
            .with_detail(error)
    }

    /// The file is no model, or not a whole one.
    pub(super) fn damaged(&self, path: &Path, error: impl Display) -> Error {
        let what = format!(
            "的文件 {} 已损坏、不完整，或不是 GGUF 模型。请重新下载并核对校验值。",
            path.display()
        );
        self.error(ErrorCode::DamagedFile, &what).with_detail(error)
    }

    /// The file is a model of another kind.
    pub(super) fn unknown(&self, architecture: &str) -> Error {
        let what = format!(
            "的结构“{architecture}”不受支持。目前支持 qwen2 和 qwen3，请换用这两类模型的 GGUF 文件。"
        );
        self.error(ErrorCode::UnsupportedFormat, &what)
    }

    /// It broke while it was at work.
    pub(super) fn failed(&self, error: impl Display) -> Error {
        let what = "运行出错，没有完成回复。请稍后再试；如持续出现，请重新下载该模型。";
        self.error(ErrorCode::ModelUnavailable, what)
            .with_detail(error)
    }

    pub(super) fn busy(&self, seconds: u64) -> Error {
        let what = format!("正忙，等候的请求已满。请约 {seconds} 秒后再试。");
        self.error(ErrorCode::ModelUnavailable, &what)
            .after(seconds)
    }

    pub(super) fn unable(&self) -> Error {
        self.error(
            ErrorCode::ModelUnavailable,
            "不支持调用工具。请换用支持的模型。",
        )
    }
}

/// What somebody's panic says.
pub(super) fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panic: {}", text.unwrap_or("?"))
}
