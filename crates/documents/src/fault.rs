//! The ways in which a file is refused.

use kernel::{Error, ErrorCode};

const READABLE: &str =
    "可以读取的格式有：docx、pdf（有文字层）、xlsx、csv、html、md、txt，以及装有这些文件的 zip";

pub(crate) fn unsupported(name: &str, why: &str) -> Error {
    Error::new(
        ErrorCode::UnsupportedFormat,
        format!("无法读取“{name}”：{why}。{READABLE}。"),
    )
}

pub(crate) fn damaged(name: &str, what: &str) -> Error {
    Error::new(
        ErrorCode::DamagedFile,
        format!("“{name}”已损坏或不完整：{what}。请用原来的软件打开确认，另存后重新上传。"),
    )
}

pub(crate) fn unsafe_file(name: &str, what: &str) -> Error {
    Error::new(
        ErrorCode::UnsafeFile,
        format!(
            "出于安全考虑没有读取“{name}”：{what}。如确认文件可靠，请另存为普通的 docx 或 txt 后重新上传。"
        ),
    )
}

pub(crate) fn too_large(name: &str, what: &str) -> Error {
    Error::new(
        ErrorCode::TooLarge,
        format!("“{name}”过大：{what}。请拆分成较小的文件后再上传。"),
    )
}

pub(crate) fn empty(name: &str) -> Error {
    Error::new(
        ErrorCode::EmptyDocument,
        format!("“{name}”里没有可以读取的文字。如果是扫描件或图片，请先转成文字再上传。"),
    )
}

pub(crate) fn scanned(name: &str) -> Error {
    Error::new(
        ErrorCode::EmptyDocument,
        format!(
            "“{name}”是扫描件或图片，里面没有文字层。文字识别（OCR）暂不支持，请上传原来的 Word 文件，或先用识别软件转成文字。"
        ),
    )
}

/// A size for people: 64 MB.
pub(crate) fn megabytes(bytes: u64) -> String {
    if bytes >= 1 << 20 {
        format!("{} MB", bytes >> 20)
    } else {
        format!("{} KB", bytes.div_ceil(1 << 10))
    }
}
