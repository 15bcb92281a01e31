//! Shared by the tests: files made on the spot, and what must hold for every document.
#![allow(dead_code, clippy::unwrap_used)]

use std::io::{Cursor, Write};

use citymind_documents::{
    Document, Limits, PictureSource, Reference, RelationKind, field_of_topic, read,
};
use zip::write::SimpleFileOptions;

/// A zip of these entries.
pub(crate) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

const NAMESPACES: &str = r#"xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006""#;

/// A docx with this body; further parts as given.
pub(crate) fn docx(body: &str, parts: &[(&str, &str)]) -> Vec<u8> {
    let main = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><w:document {NAMESPACES}><w:body>{body}</w:body></w:document>"#
    );
    let mut entries: Vec<(&str, &[u8])> = vec![
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", main.as_bytes()),
    ];
    entries.extend(parts.iter().map(|(name, text)| (*name, text.as_bytes())));
    zip(&entries)
}

/// A plain paragraph.
pub(crate) fn paragraph(text: &str) -> String {
    format!("<w:p><w:r><w:t xml:space=\"preserve\">{text}</w:t></w:r></w:p>")
}

/// Reads with the usual limits.
pub(crate) fn open(name: &str, bytes: &[u8]) -> Document {
    read(name, bytes, &Limits::default()).unwrap()
}

/// What must hold for every document.
pub(crate) fn check(document: &Document) -> Result<(), String> {
    let text = &document.text;
    let mut end = 0;
    let mut covered = vec![false; text.len()];
    for clause in &document.clauses {
        let span = clause.span.clone();
        if span.start < end || span.end <= span.start || text.get(span.clone()).is_none() {
            return Err(format!("span {span:?} after {end}"));
        }
        if text[span.clone()].trim() != &text[span.clone()] {
            return Err(format!("span {span:?} has blanks at its ends"));
        }
        if clause.label.is_empty() {
            return Err(format!("span {span:?} has no label"));
        }
        end = span.end;
        covered[span.clone()].fill(true);
        let place = document.locate(span.start).ok_or("not located")?;
        if document.clauses[place.clause].span != span {
            return Err(format!("span {span:?} located elsewhere"));
        }
    }
    for heading in &document.outline {
        covered[heading.span.clone()].fill(true);
        if heading.clause >= document.clauses.len() {
            return Err(format!("heading {} leads nowhere", heading.title));
        }
    }
    for (at, c) in text.char_indices() {
        if !c.is_whitespace() && !covered[at] {
            let rest: String = text[at..].chars().take(20).collect();
            return Err(format!("lost at {at}: {rest}"));
        }
        if c.is_control() && c != '\n' && c != '\t' || c == '\u{a0}' {
            return Err(format!("control character at {at}"));
        }
    }
    for relation in &document.metadata.relations {
        let Reference { title, number } = &relation.reference;
        let clause = relation.clause.map(|at| document.clauses.get(at));
        if clause == Some(None) || title.is_none() && number.is_none() {
            return Err(format!("a relation to nothing: {relation:?}"));
        }
    }
    let repeals = document.metadata.relations.iter();
    let repeals = repeals.filter(|r| r.kind == RelationKind::Repeals).count();
    if repeals != document.metadata.repeals.len() {
        return Err(format!("{repeals} relations that repeal"));
    }
    let topics = &document.metadata.topics;
    if topics.len() > 3 || topics.iter().any(|topic| field_of_topic(topic).is_none()) {
        return Err(format!("topics {topics:?}"));
    }
    let mut last = 0;
    for picture in &document.pictures {
        let rest = text
            .get(picture.at..)
            .ok_or("a picture within a character")?;
        let ends = rest.is_empty() || picture.at == 0 || rest.starts_with('\n');
        if picture.at < last || !ends {
            return Err(format!("a picture at {}", picture.at));
        }
        last = picture.at;
    }
    if text.contains("\n\n\n") || text.contains(" \n") {
        return Err("blank lines or blanks at line ends".into());
    }
    Ok(())
}

/// A document for people to compare.
pub(crate) fn render(document: &Document) -> String {
    let mut out = String::new();
    let said = &document.metadata;
    let date = |d: Option<jiff::civil::Date>| d.map_or("-".into(), |d| d.to_string());
    let word = |w: &Option<String>| w.clone().unwrap_or_else(|| "-".into());
    out += &format!("{:?} {:?} 《{}》\n", document.format, said.kind, said.title);
    out += &format!(
        "机关 {} 文号 {} 地区 {}\n",
        word(&said.issuer),
        word(&said.number),
        word(&said.region)
    );
    out += &format!(
        "成文 {} 施行 {} 失效 {} 状态 {:?}\n",
        date(said.issued),
        date(said.effective_from),
        date(said.effective_until),
        said.declared_status
    );
    for reference in &said.repeals {
        out += &format!(
            "废止 {} {}\n",
            word(&reference.title),
            word(&reference.number)
        );
    }
    for relation in &said.relations {
        if relation.kind != RelationKind::Repeals {
            out += &format!(
                "{:?} {} {} {} 于 {:?}\n",
                relation.kind,
                word(&relation.reference.title),
                word(&relation.reference.number),
                word(&relation.article),
                relation.clause
            );
        }
    }
    if !said.topics.is_empty() {
        out += &format!("主题 {}\n", said.topics.join("、"));
    }
    out += "\n";
    for heading in &document.outline {
        out += &format!(
            "{}{} → {}\n",
            "  ".repeat(usize::from(heading.level)),
            heading.title,
            heading.clause
        );
    }
    out += "\n";
    for (index, clause) in document.clauses.iter().enumerate() {
        out += &format!(
            "[{index} {:?}] {} | {}\n",
            clause.kind,
            clause.path.join(" > "),
            clause.label
        );
        for line in document.text[clause.span.clone()].lines() {
            out += &format!("    {line}\n");
        }
    }
    out += &pictures(document);
    for note in &document.notes {
        out += &format!("注意 {:?} {}\n", note.clause, note.message);
    }
    out
}

fn pictures(document: &Document) -> String {
    let mut out = String::new();
    for picture in &document.pictures {
        let source = match &picture.source {
            PictureSource::Embedded { media, bytes } => format!("{media:?} {} 字节", bytes.len()),
            PictureSource::Relative(path) => path.clone(),
        };
        let line = document.text[..picture.at].lines().last().unwrap_or("");
        let tail: String = line
            .chars()
            .rev()
            .take(12)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        out += &format!("图 “…{tail}”之后 [{}] {source}\n", picture.alt);
    }
    out
}
