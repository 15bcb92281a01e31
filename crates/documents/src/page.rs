//! What every reader hands over: lines with hints; and the canonical text made of them.

use std::ops::Range;

use jiff::civil::Date;
use kernel::Result;

use crate::document::DocumentKind;
use crate::fault;
use crate::limits::Limits;
use crate::picture::Found;

/// What the source's markup says about a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    Plain,
    /// The title of the document.
    Title,
    /// A heading of that level, 1 is outermost.
    Heading(u8),
    /// A heading of that level that is not the document's title, wherever it stands.
    Section(u8),
    /// A line that is bold or centred as a whole.
    Strong,
    /// First row of a table.
    Header,
    /// The rule under the first row.
    Rule,
    /// Any other row.
    Row,
    /// The first row again, for those who read on behind many rows.
    Again,
    /// A question that is known to be one.
    Question,
    /// Text that is known to be neither a heading nor the begin of anything.
    Body,
}

impl Hint {
    pub(crate) fn is_table(self) -> bool {
        matches!(self, Hint::Header | Hint::Rule | Hint::Row | Hint::Again)
    }
}

/// A line of the source. An empty text is a blank line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) hint: Hint,
    /// Pictures that stand within or behind it.
    pub(crate) pictures: Vec<Found>,
}

impl Line {
    pub(crate) fn new(text: impl Into<String>, hint: Hint) -> Self {
        Self {
            text: text.into(),
            hint,
            pictures: Vec::new(),
        }
    }

    /// No text of its own: its pictures follow the line above.
    pub(crate) fn pictures(pictures: Vec<Found>) -> Self {
        Self {
            pictures,
            ..Self::new("", Hint::Plain)
        }
    }
}

/// What the source says outside of its text: meta tags of a page, properties of a document.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) title: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) number: Option<String>,
    pub(crate) issued: Option<Date>,
    /// What the form of the file makes it.
    pub(crate) kind: Option<DocumentKind>,
    /// The file's name is its title, unless a line is marked as one.
    pub(crate) named: bool,
}

/// A file taken apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    pub(crate) lines: Vec<Line>,
    pub(crate) said: Said,
    /// What a person should look at, in Chinese.
    pub(crate) notes: Vec<String>,
}

/// A piece of the text that is looked at as one paragraph.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) span: Range<usize>,
    pub(crate) hint: Hint,
}

/// The canonical text and its paragraphs.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) text: String,
    pub(crate) blocks: Vec<Block>,
    /// Each with the end of the line it follows.
    pub(crate) pictures: Vec<(usize, Found)>,
}

impl Page {
    pub(crate) fn str(&self, index: usize) -> &str {
        &self.text[self.blocks[index].span.clone()]
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{180e}' | '\u{fe00}'..='\u{fe0f}')
        || c.is_control() && c != '\t'
}

/// Drops invisible characters and blanks at the end, makes special spaces plain ones.
pub(crate) fn clean(line: &str) -> String {
    let mut out: String = line
        .chars()
        .filter(|&c| !is_invisible(c))
        .map(|c| {
            if matches!(
                c,
                '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}'
            ) {
                ' '
            } else {
                c
            }
        })
        .collect();
    out.truncate(out.trim_end().len());
    out
}

/// Joins the lines to the canonical text.
pub(crate) fn assemble(name: &str, lines: Vec<Line>, limits: &Limits) -> Result<Page> {
    let mut text = String::new();
    let (mut blocks, mut pictures) = (Vec::new(), Vec::new());
    let mut blank = false;
    let mut characters = 0;
    for line in lines {
        if line.text.is_empty() && !line.pictures.is_empty() {
            pictures.extend(line.pictures.into_iter().map(|found| (text.len(), found)));
            continue;
        }
        for part in line
            .text
            .split(['\n', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'])
        {
            let part = clean(part);
            let inner = part.trim_start();
            if inner.is_empty() {
                blank = true;
                continue;
            }
            if !text.is_empty() {
                text.push_str(if blank { "\n\n" } else { "\n" });
            }
            blank = false;
            let start = text.len() + part.len() - inner.len();
            text.push_str(&part);
            characters += part.chars().count() + 1;
            blocks.push(Block {
                span: start..text.len(),
                hint: line.hint,
            });
        }
        pictures.extend(line.pictures.into_iter().map(|found| (text.len(), found)));
        if characters > limits.characters {
            return Err(fault::too_large(
                name,
                &format!("文字不能超过 {} 万字", limits.characters / 10_000),
            ));
        }
    }
    if blocks.is_empty() {
        return Err(fault::empty(name));
    }
    Ok(Page {
        text,
        blocks,
        pictures,
    })
}
