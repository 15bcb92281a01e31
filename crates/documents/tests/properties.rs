//! What holds for every input.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use citymind_documents::{Limits, is_archive, is_suspicious, read, unpack};
use common::{check, docx, paragraph, zip};
use proptest::prelude::*;

const PIECES: &[&str] = &[
    "第一章　总则",
    "第二条　内容",
    "第三条之一 内容",
    "一、标题",
    "（一）内容。后文",
    "1.内容",
    "（1）内容",
    "①内容",
    "附件1",
    "附件：1.表",
    "问：怎么办？",
    "答：可以。",
    "| a | b |",
    "| --- | --- |",
    "# 题目",
    "## 小标题",
    "**粗体**",
    "启明市医疗保障局",
    "2024年3月5日",
    "受理条件",
    "正文一句话。",
    "“引文。",
    "”",
    "（",
    "）",
    "　　",
    " ",
    "\n",
    "\n\n",
    "\r\n",
    "\u{200b}",
    "\u{a0}",
    "<!--",
    "-->",
    "---",
    "```",
    "《",
    "》",
    "目录",
    "；",
    "自发布之日起施行，有效期五年。",
    "同时废止",
    "长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长",
    "<p>",
    "</p>",
    "<table>",
    "<tr>",
    "<td>",
    "</table>",
    "<div class=\"nav\">",
    "<b>",
    "<h1>",
    "&nbsp;",
    "Q1：",
    "第一步：",
    "步骤2",
    "![图](a.png)",
    "<img src=\"data:image/png;base64,AA\">",
    "\u{1F600}",
    "\0",
];

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec((prop::sample::select(PIECES), prop::bool::ANY), 0..60).prop_map(
        |pieces| {
            pieces
                .into_iter()
                .map(|(p, line)| if line { format!("{p}\n") } else { p.to_owned() })
                .collect()
        },
    )
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(
        &[
            "a.md",
            "a.txt",
            "a.html",
            "a.docx",
            "a.pdf",
            "a.xlsx",
            "a.csv",
            "a.zip",
            "a",
            "目录/a.htm",
            "..",
            "",
        ][..],
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn never_panics_on_any_bytes(name in name(), bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let limits = Limits::default();
        if let Ok(document) = read(name, &bytes, &limits) {
            prop_assert_eq!(check(&document), Ok(()));
        }
        let _ = is_archive(name, &bytes);
        let _ = unpack(name, &bytes, &limits, &mut |_| Ok(()));
    }

    #[test]
    fn loses_no_text_and_keeps_clauses_apart(name in name(), text in text()) {
        if let Ok(document) = read(name, text.as_bytes(), &Limits::default()) {
            prop_assert_eq!(check(&document), Ok(()), "{:#?}", document);
        }
    }

    #[test]
    fn loses_no_text_of_a_long_line(text in text()) {
        let line = text.replace(['\n', '\0'], " ").repeat(8);
        if let Ok(document) = read("a.txt", line.as_bytes(), &Limits::default()) {
            prop_assert_eq!(check(&document), Ok(()));
        }
    }

    #[test]
    fn reads_the_same_twice(text in text()) {
        let (one, two) = (read("a.md", text.as_bytes(), &Limits::default()), read("a.md", text.as_bytes(), &Limits::default()));
        prop_assert_eq!(one.ok(), two.ok());
    }

    #[test]
    fn plain_text_keeps_its_own_characters(text in text()) {
        if let Ok(document) = read("a.txt", text.replace('<', "").as_bytes(), &Limits::default()) {
            let squeeze = |s: &str| s.chars().filter(|c| !c.is_whitespace() && !c.is_control() && *c != '\u{200b}').collect::<String>();
            prop_assert_eq!(squeeze(&document.text), squeeze(&text.replace('<', "")));
        }
    }

    #[test]
    fn a_damaged_docx_is_an_error_or_a_document(cut in 0usize..4000, flip in 0usize..4000) {
        let body: String = (1..40).map(|n| paragraph(&format!("第{n}条　内容"))).collect();
        let mut bytes = docx(&body, &[]);
        let at = flip % bytes.len();
        bytes[at] ^= 0x55;
        bytes.truncate(bytes.len().saturating_sub(cut % 300));
        if let Ok(document) = read("a.docx", &bytes, &Limits::default()) {
            prop_assert_eq!(check(&document), Ok(()));
        }
    }

    #[test]
    fn a_damaged_workbook_is_an_error_or_a_document(
        file in prop::sample::select(&["faq.xlsx", "items.xlsx", "table.xlsx"][..]),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let path = format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
        let mut bytes = std::fs::read(path).unwrap();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(document) = read("a.xlsx", &bytes, &Limits::default()) {
            prop_assert_eq!(check(&document), Ok(()));
        }
    }

    #[test]
    fn a_sheet_loses_no_value(rows in prop::collection::vec(prop::collection::vec(prop::sample::select(PIECES), 1..5), 1..12)) {
        let quoted = |value: &&str| format!("\"{}\"", value.replace('"', "\"\""));
        let text: String = rows
            .iter()
            .map(|row| row.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n")
            .collect();
        if let Ok(document) = read("a.csv", text.replace('\0', "").as_bytes(), &Limits::default()) {
            prop_assert_eq!(check(&document), Ok(()));
            let bare = |s: &str| s.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
            for value in rows.iter().flatten() {
                prop_assert!(bare(&document.text).contains(&bare(value)), "{value:?} in {}", document.text);
            }
        }
    }

    #[test]
    fn a_damaged_pdf_is_an_error_or_a_document(
        file in prop::sample::select(&["notice.pdf", "columns.pdf", "ucs2.pdf", "gbk.pdf", "guarded.pdf"][..]),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let path = format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
        let mut bytes = std::fs::read(path).unwrap();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(document) = read("a.pdf", &bytes, &Limits::default()) {
            prop_assert_eq!(check(&document), Ok(()));
        }
    }

    #[test]
    fn unpacking_a_damaged_zip_never_panics(flip in 0usize..4000) {
        let mut bytes = zip(&[("a.txt", "甲".repeat(100).as_bytes()), ("b/c.md", b"# x")]);
        let at = flip % bytes.len();
        bytes[at] ^= 0x3c;
        let _ = unpack("a.zip", &bytes, &Limits::default(), &mut |_| Ok(()));
    }

    #[test]
    fn suspicion_never_panics(text in text()) {
        let _ = is_suspicious(&text);
    }
}
