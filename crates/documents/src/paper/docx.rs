//! The Word document: one table, in 宋体 and 黑体 by name.

use std::io::{Cursor, Write as _};

use kernel::{Error, Result};
use quick_xml::escape::escape;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{Paper, clean};

const TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/><Override PartName="/word/footer1.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml"/><Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>"#;

const PACKAGE: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>"#;

const PARTS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/footer" Target="footer1.xml"/></Relationships>"#;

const STYLES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:eastAsia="宋体" w:cs="Times New Roman"/><w:sz w:val="21"/><w:szCs w:val="21"/><w:lang w:val="en-US" w:eastAsia="zh-CN"/></w:rPr></w:rPrDefault></w:docDefaults><w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style><w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/><w:basedOn w:val="Normal"/><w:pPr><w:spacing w:after="160"/><w:jc w:val="center"/></w:pPr><w:rPr><w:rFonts w:eastAsia="黑体"/><w:sz w:val="36"/><w:szCs w:val="36"/></w:rPr></w:style></w:styles>"#;

/// The widths of the two columns in twentieths of a point, together what A4 leaves between its margins.
const COLUMNS: [u32; 2] = [2700, 6726];

pub(super) fn write(paper: &Paper) -> Result<Vec<u8>> {
    let core = format!(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{}</dc:title></cp:coreProperties>"#,
        said(&paper.title)
    );
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default());
    for (name, part) in [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", PACKAGE),
        ("word/document.xml", &document(paper)),
        ("word/_rels/document.xml.rels", PARTS),
        ("word/styles.xml", STYLES),
        ("word/footer1.xml", &footer(paper)),
        ("docProps/core.xml", &core),
    ] {
        zip.start_file(name, options).map_err(Error::internal)?;
        zip.write_all(part.as_bytes()).map_err(Error::internal)?;
    }
    Ok(zip.finish().map_err(Error::internal)?.into_inner())
}

fn said(text: &str) -> String {
    escape(clean(text)).into_owned()
}

fn run(text: &str, properties: &str) -> String {
    format!(
        r#"<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{}</w:t></w:r>"#,
        said(text)
    )
}

fn paragraph(text: &str, properties: &str, of_run: &str) -> String {
    format!(
        "<w:p><w:pPr>{properties}</w:pPr>{}</w:p>",
        run(text, of_run)
    )
}

fn cell(width: u32, properties: &str, paragraphs: &str) -> String {
    format!(
        r#"<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{properties}<w:vAlign w:val="center"/></w:tcPr>{paragraphs}</w:tc>"#
    )
}

const HEI: &str =
    r#"<w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:eastAsia="黑体"/>"#;
const TIGHT: &str = r#"<w:spacing w:before="40" w:after="40"/>"#;

fn table(paper: &Paper) -> String {
    let line =
        |side: &str| format!(r#"<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>"#);
    let borders: String = ["top", "left", "bottom", "right", "insideH", "insideV"]
        .map(line)
        .concat();
    let whole: u32 = COLUMNS.iter().sum();
    let mut out = format!(
        r#"<w:tbl><w:tblPr><w:tblW w:w="{whole}" w:type="dxa"/><w:tblBorders>{borders}</w:tblBorders><w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid><w:gridCol w:w="{}"/><w:gridCol w:w="{}"/></w:tblGrid>"#,
        COLUMNS[0], COLUMNS[1]
    );
    for section in &paper.sections {
        let kept = format!("<w:keepNext/>{TIGHT}");
        let heading = paragraph(&section.title, &kept, HEI);
        let shaded =
            r#"<w:gridSpan w:val="2"/><w:shd w:val="clear" w:color="auto" w:fill="EDEDED"/>"#;
        out.push_str("<w:tr><w:trPr><w:cantSplit/></w:trPr>");
        out.push_str(&cell(whole, shaded, &heading));
        out.push_str("</w:tr>");
        for (label, lines) in &section.rows {
            let mut value: String = lines.iter().map(|l| paragraph(l, TIGHT, "")).collect();
            if value.is_empty() {
                value = paragraph("", TIGHT, "");
            }
            out.push_str("<w:tr>");
            out.push_str(&cell(COLUMNS[0], "", &paragraph(label, TIGHT, "")));
            out.push_str(&cell(COLUMNS[1], "", &value));
            out.push_str("</w:tr>");
        }
    }
    out.push_str("</w:tbl>");
    out
}

fn document(paper: &Paper) -> String {
    let mut body = paragraph(&paper.title, r#"<w:pStyle w:val="Title"/>"#, "");
    let head = paper.head_line();
    if !head.is_empty() {
        body.push_str(&paragraph(&head, r#"<w:spacing w:after="120"/>"#, ""));
    }
    if !paper.sections.is_empty() {
        body.push_str(&table(paper));
    }
    if let Some(statement) = &paper.statement {
        let told = format!("申请人声明：{statement}");
        body.push_str(&paragraph(
            &told,
            r#"<w:spacing w:before="240" w:after="240"/>"#,
            "",
        ));
    }
    if let Some(signature) = paper.signature() {
        body.push_str(&paragraph(&signature, r#"<w:spacing w:before="240"/>"#, ""));
    }
    format!(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><w:body>{body}<w:sectPr><w:footerReference w:type="default" r:id="rId2"/><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1240" w:right="1240" w:bottom="1240" w:left="1240" w:header="700" w:footer="700" w:gutter="0"/></w:sectPr></w:body></w:document>"#
    )
}

/// The number, and the page by fields that the word processor counts.
fn footer(paper: &Paper) -> String {
    let field = |name: &str| {
        format!(
            r#"<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> {name} </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>1</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>"#
        )
    };
    let foot = if paper.foot.is_empty() {
        String::new()
    } else {
        format!("{}　　", paper.foot)
    };
    format!(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:ftr xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:p><w:pPr><w:jc w:val="center"/></w:pPr>{}{}{}{}{}</w:p></w:ftr>"#,
        run(&format!("{foot}第"), ""),
        field("PAGE"),
        run("页　共", ""),
        field("NUMPAGES"),
        run("页", "")
    )
}
