//! Word documents (OOXML).

mod body;
mod numbering;
mod styles;

use std::collections::HashMap;

use kernel::Result;

use crate::limits::Limits;
use crate::package::{Link, Package};
use crate::page::{Hint, Line, Said, Source};
use crate::picture::{Budget, Found, OUTSIDE, Origin, UNREADABLE};
use crate::{fault, xml};

pub(crate) fn lines(name: &str, bytes: &[u8], limits: &Limits) -> Result<Source> {
    let mut package = Package::open(name, bytes, limits)?;
    let main = package.main("word/document.xml", "里面没有正文（word/document.xml）")?;
    let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder);
    let beside = |file: &str| {
        if folder.is_empty() {
            file.to_owned()
        } else {
            format!("{folder}/{file}")
        }
    };
    let body = package
        .part(&main)?
        .ok_or_else(|| fault::damaged(name, "里面没有正文"))?;
    let styles = package.part(&beside("styles.xml"))?.unwrap_or_default();
    let styles = styles::Styles::read(name, &styles, limits)?;
    let numbering = package.part(&beside("numbering.xml"))?.unwrap_or_default();
    let mut numbering = numbering::Numbering::read(name, &numbering, limits)?;
    let links = package.targets(&main)?;
    let mut budget = Budget::new(limits);
    let mut resolve = |reference: body::Reference| Found {
        alt: reference.alt,
        origin: picture(&mut package, &mut budget, &links, reference.id.as_deref()),
    };
    let mut reader = body::Reader::new(&styles, &mut numbering, &mut resolve);
    xml::walk(name, &body, limits, &mut |event| reader.event(event))?;
    let (mut lines, marks) = reader.finish();
    for (kind, file) in [("footnote", "footnotes.xml"), ("endnote", "endnotes.xml")] {
        if marks.iter().any(|mark| mark.kind == kind)
            && let Some(text) = package.part(&beside(file))?
        {
            append_notes(&package, &text, kind, &marks, &mut lines)?;
        }
    }
    let said = properties(&mut package)?;
    title(&mut lines);
    Ok(Source {
        lines,
        said,
        ..Source::default()
    })
}

/// The picture behind a relation.
fn picture(
    package: &mut Package<'_>,
    budget: &mut Budget,
    links: &[Link],
    id: Option<&str>,
) -> Origin {
    let link = id.and_then(|id| links.iter().find(|link| link.id == id));
    match link {
        None if id.is_some() => Origin::Missing(UNREADABLE),
        None => Origin::Missing(OUTSIDE),
        Some(link) if link.outside => Origin::Missing(OUTSIDE),
        Some(link) => budget.take(|| package.bytes(&link.target).ok().flatten()),
    }
}

/// Footnotes stand at the end, each behind the mark that the text carries.
fn append_notes(
    package: &Package<'_>,
    text: &str,
    kind: &str,
    marks: &[body::Mark],
    lines: &mut Vec<Line>,
) -> Result<()> {
    let mut texts: HashMap<String, String> = HashMap::new();
    let mut current: Option<(String, String)> = None;
    let mut in_text = false;
    xml::walk(
        package.name,
        text,
        package.limits,
        &mut |event| match event {
            xml::Event::Open(tag) if tag.name == kind => {
                current = tag.attr("id").map(|id| (id.to_owned(), String::new()));
            }
            xml::Event::Open(tag) => in_text = tag.name == "t",
            xml::Event::Text(text) => {
                if let (true, Some((_, out))) = (in_text, &mut current) {
                    out.push_str(text);
                }
            }
            xml::Event::Close(tag) => {
                if tag == "t" {
                    in_text = false;
                }
                if tag == kind {
                    texts.extend(current.take());
                }
            }
        },
    )?;
    for mark in marks.iter().filter(|mark| mark.kind == kind) {
        if let Some(text) = texts.get(&mark.id) {
            lines.push(Line::new(
                format!("{} {}", mark.text, text.trim()),
                Hint::Plain,
            ));
        }
    }
    Ok(())
}

fn properties(package: &mut Package<'_>) -> Result<Said> {
    let mut said = Said::default();
    let Some(core) = package.part("docProps/core.xml")? else {
        return Ok(said);
    };
    let mut in_title = false;
    let read = xml::walk(
        package.name,
        &core,
        package.limits,
        &mut |event| match event {
            xml::Event::Open(tag) => in_title = tag.name == "title",
            xml::Event::Text(text) if in_title && !text.trim().is_empty() => {
                said.title.get_or_insert_default().push_str(text.trim());
            }
            xml::Event::Text(_) => {}
            xml::Event::Close(_) => in_title = false,
        },
    );
    match read {
        Err(error) if error.code == kernel::ErrorCode::UnsafeFile => Err(error),
        // Properties are a help only.
        _ => Ok(said),
    }
}

/// Where no paragraph has the style of a title, the first large or centred one near the top is it.
fn title(lines: &mut [Line]) {
    if lines.iter().any(|line| line.hint == Hint::Title) {
        return;
    }
    let top = lines
        .iter_mut()
        .filter(|line| !line.text.trim().is_empty())
        .take(6);
    if let Some(line) = top
        .into_iter()
        .find(|line| line.hint == Hint::Strong && line.text.trim().chars().count() >= 4)
    {
        line.hint = Hint::Title;
    }
}
