//! What a file is: its content decides, its name only chooses between kinds of text.

use kernel::Result;

use crate::document::Format;
use crate::fault;

pub(crate) fn extension(name: &str) -> String {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    match file.rsplit_once('.') {
        Some((_, ext)) => ext.to_lowercase(),
        None => String::new(),
    }
}

/// The file's name without folders and extension.
pub(crate) fn stem(name: &str) -> &str {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    match file.rsplit_once('.') {
        Some((stem, ext)) if !stem.is_empty() && ext.len() <= 8 => stem,
        _ => file,
    }
}

const ZIP: &[u8] = b"PK\x03\x04";
const EMPTY_ZIP: &[u8] = b"PK\x05\x06";
const PDF: &[u8] = b"%PDF-";
const OLE: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

/// Signatures of files that hold no text we can read, and what to call them.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n", "这是 PNG 图片"),
    (b"\xFF\xD8\xFF", "这是 JPEG 图片"),
    (b"GIF8", "这是 GIF 图片"),
    (b"RIFF", "这是多媒体文件"),
    (b"II*\0", "这是 TIFF 图片"),
    (b"MM\0*", "这是 TIFF 图片"),
    (b"Rar!\x1A\x07", "这是 RAR 压缩包，请改用 zip"),
    (b"7z\xBC\xAF\x27\x1C", "这是 7z 压缩包，请改用 zip"),
    (b"\x1F\x8B", "这是 gz 压缩包，请改用 zip"),
    (b"\x7FELF", "这是可执行程序，不是文档"),
    (b"SQLite format 3\0", "这是数据库文件"),
    (b"{\\rtf", "这是 RTF 文件，请另存为 docx"),
];

fn is_program(bytes: &[u8]) -> bool {
    // "MZ" alone could begin a text; the DOS header of a program holds zeros.
    bytes.starts_with(b"MZ") && (bytes.len() < 64 || bytes[..64].contains(&0))
}

/// Whether the file is an archive of files: a zip that is no Office document.
///
/// The content decides; a truncated zip is recognised by its name.
pub fn is_archive(name: &str, bytes: &[u8]) -> bool {
    if !bytes.starts_with(ZIP) && !bytes.starts_with(EMPTY_ZIP) {
        return extension(name) == "zip" && !bytes.is_empty() && bytes.len() < 4;
    }
    if office_part(bytes).is_some() {
        return false;
    }
    !matches!(
        extension(name).as_str(),
        "docx" | "docm" | "dotx" | "xlsx" | "pptx" | "ofd" | "odt" | "epub" | "wps"
    )
}

/// The main part of an Office document, if the zip is one: `word`, `xl`, `ppt`, `ofd`, `odf`.
pub(crate) fn office_part(bytes: &[u8]) -> Option<&'static str> {
    let archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).ok()?;
    let has = |name: &str| archive.index_for_name(name).is_some();
    if has("word/document.xml") {
        Some("word")
    } else if has("xl/workbook.xml") {
        Some("xl")
    } else if has("ppt/presentation.xml") {
        Some("ppt")
    } else if has("OFD.xml") {
        Some("ofd")
    } else if has("content.xml") && has("mimetype") {
        Some("odf")
    } else if has("[Content_Types].xml") {
        archive
            .file_names_raw()
            .any(|n| n.starts_with(b"word/"))
            .then_some("word")
    } else {
        None
    }
}

fn zip_format(name: &str, ext: &str, bytes: &[u8]) -> Result<Format> {
    match office_part(bytes) {
        Some("word") => Ok(Format::Docx),
        Some("xl") => Ok(Format::Xlsx),
        Some("ppt") => Err(fault::unsupported(
            name,
            "这是演示文稿，请把内容粘贴到 docx 里",
        )),
        Some("ofd") => Err(fault::unsupported(name, "这是 OFD 版式文件，请另存为 docx")),
        Some("odf") => Err(fault::unsupported(
            name,
            "这是 OpenDocument 文件，请另存为 docx 或 xlsx",
        )),
        _ if ext == "docx" || ext == "docm" => Ok(Format::Docx),
        _ if ext == "xlsx" || ext == "xlsm" => Ok(Format::Xlsx),
        _ => Err(fault::unsupported(name, "这是压缩包，请用批量导入上传")),
    }
}

/// Decides how to read the file.
pub(crate) fn detect(name: &str, bytes: &[u8]) -> Result<Format> {
    let ext = extension(name);
    if bytes.is_empty() {
        return Err(fault::empty(name));
    }
    if bytes.starts_with(ZIP) || bytes.starts_with(EMPTY_ZIP) {
        return zip_format(name, &ext, bytes);
    }
    if bytes.starts_with(OLE) {
        let why = match ext.as_str() {
            "docx" => {
                "这是加密的 docx，或改了扩展名的旧版 doc。请去掉密码，或用 Word、WPS 另存为 docx"
            }
            "xlsx" => {
                "这是加密的 xlsx，或改了扩展名的旧版 xls。请去掉密码，或用 Excel、WPS 另存为 xlsx"
            }
            "xls" | "et" => "这是旧版的 xls、et 表格。请用 Excel、WPS 另存为 xlsx",
            _ => "这是旧版的 doc、wps 或 xls 文件。请用 Word、WPS 另存为 docx 或 xlsx",
        };
        return Err(fault::unsupported(name, why));
    }
    // Some programs write a few bytes in front of the signature.
    if bytes[..bytes.len().min(1024)]
        .windows(PDF.len())
        .position(|w| w == PDF)
        .is_some_and(|at| at == 0 || ext == "pdf")
    {
        return Ok(Format::Pdf);
    }
    if let Some((_, what)) = SIGNATURES
        .iter()
        .find(|(magic, _)| bytes.starts_with(magic))
    {
        return Err(fault::unsupported(name, what));
    }
    if is_program(bytes) {
        return Err(fault::unsupported(name, "这是可执行程序，不是文档"));
    }
    match ext.as_str() {
        "md" | "markdown" => Ok(Format::Markdown),
        "html" | "htm" | "xhtml" | "shtml" => Ok(Format::Html),
        "csv" | "tsv" => Ok(Format::Csv),
        "txt" | "text" | "" => Ok(if looks_like_html(bytes) {
            Format::Html
        } else {
            Format::Text
        }),
        "xlsx" | "xls" | "et" => Err(fault::unsupported(
            name,
            "扩展名是 Excel 表格，内容却不是。请用 Excel、WPS 另存为 xlsx",
        )),
        "docx" => Err(
            if looks_like_html(bytes)
                || crate::charset::decode(bytes, None).is_some_and(|t| !t.trim().is_empty())
            {
                fault::unsupported(
                    name,
                    "扩展名是 docx，内容却不是 Word 文档。请改成与内容相符的扩展名",
                )
            } else {
                fault::damaged(name, "扩展名是 docx，内容却不是 Word 文档")
            },
        ),
        "zip" => Err(fault::damaged(name, "压缩包的开头不对")),
        "doc" | "wps" => Err(fault::unsupported(
            name,
            "doc、wps 是旧格式，请用 Word、WPS 另存为 docx",
        )),
        "pdf" => Err(fault::damaged(name, "扩展名是 pdf，内容却不是 PDF 文件")),
        "ofd" => Err(fault::unsupported(
            name,
            "暂不支持 OFD，请上传对应的 docx 或 pdf",
        )),
        other => Err(fault::unsupported(name, &format!("不认识扩展名“{other}”"))),
    }
}

fn looks_like_html(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(512)]).to_lowercase();
    let head = head.trim_start_matches('\u{feff}').trim_start();
    head.starts_with("<!doctype html") || head.starts_with("<html")
}
