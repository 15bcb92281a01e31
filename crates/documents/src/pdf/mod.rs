//! PDF files with a text layer: glyphs with their places, made into lines, tables and paragraphs.
//!
//! The file's objects, filters and ciphers are `lopdf`'s; what the text operators of a page show is read here (ISO 32000-1, 9.4).

mod content;
mod flow;
mod font;
mod layout;
mod open;
mod ruled;

use std::panic::{AssertUnwindSafe, catch_unwind};

use kernel::Result;
use lopdf::Document;

use crate::fault;
use crate::limits::Limits;
use crate::page::{Said, Source};

/// A file with a picture on every page and fewer characters a page than this is a scan.
const SCANNED: usize = 10;

pub(crate) fn lines(name: &str, bytes: &[u8], limits: &Limits) -> Result<Source> {
    // The parser is not ours and indexes freely into what a damaged file says of itself; a panic in it is a damaged file.
    catch_unwind(AssertUnwindSafe(|| read(name, bytes, limits)))
        .unwrap_or_else(|_| Err(fault::damaged(name, "PDF 的内部结构有误")))
}

fn read(name: &str, bytes: &[u8], limits: &Limits) -> Result<Source> {
    let pdf = open::document(name, bytes)?;
    let pages: Vec<_> = pdf
        .page_iter()
        .take(limits.pages.saturating_add(1))
        .collect();
    if pages.is_empty() {
        return Err(fault::damaged(name, "里面一页也没有"));
    }
    if pages.len() > limits.pages {
        return Err(fault::too_large(
            name,
            &format!("不能超过 {} 页", limits.pages),
        ));
    }
    let mut reader = content::Reader::new(name, &pdf, limits);
    let mut laid = Vec::with_capacity(pages.len());
    let (mut characters, mut unknown) = (0usize, 0usize);
    for &page in &pages {
        let shown = reader.page(page)?;
        unknown += shown.unknown;
        let page = layout::page(shown);
        characters += page.characters();
        if characters > limits.characters {
            return Err(fault::too_large(
                name,
                &format!("文字不能超过 {} 万字", limits.characters / 10_000),
            ));
        }
        laid.push(page);
    }
    if unknown > 20 && unknown * 4 > characters + unknown {
        return Err(fault::unsupported(
            name,
            "PDF 里的字体没有说明每个字形是什么字，读出来会是乱码。请上传原来的 Word 文件，或用“打印为 PDF”重新生成",
        ));
    }
    let pictures = reader.images >= pages.len() && characters < pages.len() * SCANNED;
    if characters == 0 || pictures {
        return Err(fault::scanned(name));
    }
    Ok(Source {
        lines: flow::lines(laid),
        said: said(&pdf),
        ..Source::default()
    })
}

/// The title among the file's properties, unless it is only the name of a file or of a program.
fn said(pdf: &Document) -> Said {
    let title = pdf
        .trailer
        .get_deref(b"Info", pdf)
        .and_then(|info| info.as_dict())
        .and_then(|info| info.get_deref(b"Title", pdf))
        .ok()
        .and_then(|title| lopdf::decode_text_string(title).ok());
    Said {
        title: title.filter(|title| {
            let han = title
                .chars()
                .filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c));
            han.count() >= 4 && !title.contains(['.', '\\', '/', '-']) && !title.contains("文档")
        }),
        ..Said::default()
    }
}
