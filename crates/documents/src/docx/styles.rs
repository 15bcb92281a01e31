//! Paragraph styles: which are headings, titles, tables of contents.

use std::collections::HashMap;

use kernel::Result;

use crate::limits::Limits;
use crate::xml::{Event, walk};

/// What a paragraph style means for us.
#[derive(Clone, Debug, Default)]
pub(super) struct Style {
    /// Level of the heading, 1 is outermost.
    pub(super) heading: Option<u8>,
    pub(super) title: bool,
    /// A line of the generated table of contents.
    pub(super) contents: bool,
    pub(super) centred: bool,
    pub(super) bold: bool,
    pub(super) number: Option<String>,
    pub(super) number_level: Option<usize>,
    based_on: Option<String>,
}

/// All styles by id.
#[derive(Debug, Default)]
pub(super) struct Styles(HashMap<String, Style>);

fn apply_name(style: &mut Style, name: &str) {
    let name = name.to_lowercase();
    let level = name
        .strip_prefix("heading ")
        .or_else(|| name.strip_prefix("标题 "))
        .or_else(|| name.strip_prefix("标题"));
    if let Some(level) = level
        .and_then(|n| n.trim().parse::<u8>().ok())
        .filter(|n| (1..=9).contains(n))
    {
        style.heading = Some(level);
    } else if matches!(name.as_str(), "title" | "标题" | "文件标题" | "公文标题") {
        style.title = true;
    } else if name.starts_with("toc ") || name.starts_with("目录") || name == "toc heading" {
        style.contents = true;
    }
}

impl Styles {
    pub(super) fn read(name: &str, text: &str, limits: &Limits) -> Result<Self> {
        let mut styles = HashMap::new();
        let mut current: Option<(String, Style)> = None;
        walk(name, text, limits, &mut |event| match event {
            Event::Open(tag) if tag.name == "style" => {
                let paragraph = tag.attr("type").is_none_or(|t| t == "paragraph");
                current = tag
                    .attr("styleId")
                    .filter(|_| paragraph)
                    .map(|id| (id.to_owned(), Style::default()));
            }
            Event::Open(tag) => {
                let Some((_, style)) = &mut current else {
                    return;
                };
                let value = tag.attr("val").unwrap_or("");
                match tag.name {
                    "name" => apply_name(style, value),
                    "basedOn" => style.based_on = Some(value.to_owned()),
                    "outlineLvl" => {
                        style.heading = value
                            .parse::<u8>()
                            .ok()
                            .filter(|n| *n < 9)
                            .map(|n| n + 1)
                            .or(style.heading)
                    }
                    "jc" => style.centred = value == "center",
                    "b" => style.bold = tag.is_on(),
                    "numId" => style.number = Some(value.to_owned()),
                    "ilvl" => style.number_level = value.parse().ok(),
                    _ => {}
                }
            }
            Event::Close("style") => styles.extend(current.take()),
            _ => {}
        })?;
        Ok(Styles(styles))
    }

    /// The style with what it inherits.
    pub(super) fn get(&self, id: &str) -> Style {
        let mut style = self.0.get(id).cloned().unwrap_or_default();
        let mut parent = style.based_on.clone();
        for _ in 0..8 {
            let Some(up) = parent.as_ref().and_then(|id| self.0.get(id)) else {
                break;
            };
            style.heading = style.heading.or(up.heading);
            style.title |= up.title;
            style.contents |= up.contents;
            style.centred |= up.centred;
            style.bold |= up.bold;
            style.number = style.number.or_else(|| up.number.clone());
            style.number_level = style.number_level.or(up.number_level);
            parent.clone_from(&up.based_on);
        }
        style
    }
}
