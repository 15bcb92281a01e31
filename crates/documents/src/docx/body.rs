//! The body of a Word document, streamed.

use super::numbering::Numbering;
use super::styles::Styles;
use crate::page::{Hint, Line};
use crate::picture::Found;
use crate::table::Grid;
use crate::xml::{Event, Tag};

/// A reference to a footnote or endnote.
pub(super) struct Mark {
    pub(super) kind: &'static str,
    pub(super) id: String,
    /// As it stands in the text: [1].
    pub(super) text: String,
}

/// A picture that the text refers to.
#[derive(Clone)]
pub(super) struct Reference {
    /// The relation to its part; `None` for one that lies outside of the file.
    pub(super) id: Option<String>,
    pub(super) alt: String,
}

#[derive(Default)]
struct Paragraph {
    text: String,
    pictures: Vec<Reference>,
    style: String,
    number: Option<String>,
    number_level: Option<usize>,
    heading: Option<u8>,
    centred: bool,
    characters: usize,
    bold: usize,
    large: usize,
}

#[derive(Default)]
struct Table {
    grid: Grid,
    rows: usize,
    widest: usize,
    width: usize,
    cell: Vec<Line>,
    all: Vec<Line>,
    pictures: Vec<Found>,
    span: usize,
    longest: usize,
}

#[derive(Default)]
struct Run {
    hidden: bool,
    bold: bool,
    /// Half points.
    size: u32,
}

/// Cells longer than this make the table one that only places text.
const LAYOUT_CELL: usize = 1_500;

pub(super) struct Reader<'a> {
    styles: &'a Styles,
    numbering: &'a mut Numbering,
    lines: Vec<Line>,
    marks: Vec<Mark>,
    paragraphs: Vec<Paragraph>,
    tables: Vec<Table>,
    run: Run,
    /// What the picture that is open shows, in words.
    alt: String,
    resolve: &'a mut dyn FnMut(Reference) -> Found,
    in_text: bool,
    in_run_properties: bool,
    in_paragraph_properties: bool,
    skipped: usize,
}

/// Elements left out with all they hold: deletions, the old place of moved text, fallbacks for old readers, old properties.
fn is_skipped(name: &str) -> bool {
    matches!(
        name,
        "del"
            | "moveFrom"
            | "Fallback"
            | "pPrChange"
            | "rPrChange"
            | "sectPr"
            | "instrText"
            | "tblPrChange"
            | "tcPrChange"
    )
}

impl<'a> Reader<'a> {
    /// `resolve` fetches a picture.
    pub(super) fn new(
        styles: &'a Styles,
        numbering: &'a mut Numbering,
        resolve: &'a mut dyn FnMut(Reference) -> Found,
    ) -> Self {
        Self {
            styles,
            numbering,
            lines: Vec::new(),
            marks: Vec::new(),
            paragraphs: Vec::new(),
            tables: Vec::new(),
            run: Run::default(),
            alt: String::new(),
            resolve,
            in_text: false,
            in_run_properties: false,
            in_paragraph_properties: false,
            skipped: 0,
        }
    }

    pub(super) fn finish(self) -> (Vec<Line>, Vec<Mark>) {
        (self.lines, self.marks)
    }

    pub(super) fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Open(tag) if self.skipped > 0 || is_skipped(tag.name) => self.skipped += 1,
            Event::Close(_) if self.skipped > 0 => self.skipped -= 1,
            Event::Open(tag) => self.open(tag),
            Event::Text(text) if self.in_text && self.skipped == 0 => self.push(text),
            Event::Text(_) => {}
            Event::Close(name) => self.close(name),
        }
    }

    fn push(&mut self, text: &str) {
        let Some(paragraph) = self.paragraphs.last_mut() else {
            return;
        };
        if self.run.hidden {
            return;
        }
        let count = text.chars().filter(|c| !c.is_whitespace()).count();
        paragraph.characters += count;
        paragraph.bold += if self.run.bold { count } else { 0 };
        paragraph.large += if self.run.size >= 32 { count } else { 0 };
        paragraph.text.push_str(text);
    }

    fn mark(&mut self, kind: &'static str, tag: &Tag<'_>) {
        let Some(id) = tag.attr("id") else { return };
        let text = format!("[{}]", self.marks.len() + 1);
        self.push(&text);
        self.marks.push(Mark {
            kind,
            id: id.to_owned(),
            text,
        });
    }

    fn open(&mut self, tag: &Tag<'_>) {
        match tag.name {
            "p" => self.paragraphs.push(Paragraph::default()),
            "pPr" => self.in_paragraph_properties = true,
            "r" => self.run = Run::default(),
            "rPr" => self.in_run_properties = true,
            "t" => self.in_text = true,
            "tab" if !self.in_paragraph_properties => self.push("\t"),
            "br" | "cr" => self.push("\n"),
            "noBreakHyphen" => self.push("-"),
            "footnoteReference" => self.mark("footnote", tag),
            "endnoteReference" => self.mark("endnote", tag),
            "tbl" => self.tables.push(Table::default()),
            "tc" | "tr" | "gridSpan" => self.open_table(tag),
            "docPr" => tag.attr("descr").unwrap_or("").clone_into(&mut self.alt),
            "blip" => self.picture(tag.attr("embed"), tag.attr("link").is_some()),
            "imagedata" => self.picture(tag.attr("id"), tag.attr("href").is_some()),
            _ if self.in_paragraph_properties => self.paragraph_property(tag),
            _ if self.in_run_properties => self.run_property(tag),
            _ => {}
        }
    }

    fn picture(&mut self, id: Option<&str>, outside: bool) {
        if id.is_none() && !outside {
            return;
        }
        if let Some(paragraph) = self.paragraphs.last_mut() {
            paragraph.pictures.push(Reference {
                id: id.map(str::to_owned),
                alt: std::mem::take(&mut self.alt),
            });
        }
    }

    fn open_table(&mut self, tag: &Tag<'_>) {
        let Some(table) = self.tables.last_mut() else {
            return;
        };
        match tag.name {
            "tr" => table.width = 0,
            "tc" => {
                table.cell.clear();
                table.span = 1;
            }
            _ => table.span = tag.attr("val").and_then(|n| n.parse().ok()).unwrap_or(1),
        }
    }

    fn paragraph_property(&mut self, tag: &Tag<'_>) {
        let Some(paragraph) = self.paragraphs.last_mut() else {
            return;
        };
        let value = tag.attr("val").unwrap_or("");
        match tag.name {
            "pStyle" => value.clone_into(&mut paragraph.style),
            "numId" => paragraph.number = Some(value.to_owned()),
            "ilvl" => paragraph.number_level = value.parse().ok(),
            "jc" => paragraph.centred = value == "center",
            "outlineLvl" => {
                paragraph.heading = value.parse::<u8>().ok().filter(|n| *n < 9).map(|n| n + 1)
            }
            _ => {}
        }
    }

    fn run_property(&mut self, tag: &Tag<'_>) {
        match tag.name {
            "vanish" | "webHidden" => self.run.hidden = tag.is_on(),
            "b" => self.run.bold = tag.is_on(),
            "sz" => self.run.size = tag.attr("val").and_then(|n| n.parse().ok()).unwrap_or(0),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "p" => self.end_paragraph(),
            "pPr" => self.in_paragraph_properties = false,
            "r" => self.run = Run::default(),
            "rPr" => self.in_run_properties = false,
            "t" => self.in_text = false,
            "tc" => self.end_cell(),
            "tr" => {
                if let Some(table) = self.tables.last_mut() {
                    table.rows += 1;
                    table.widest = table.widest.max(table.width);
                }
            }
            "tbl" => self.end_table(),
            _ => {}
        }
    }

    fn end_paragraph(&mut self) {
        let Some(mut paragraph) = self.paragraphs.pop() else {
            return;
        };
        let style = self.styles.get(&paragraph.style);
        let pictures: Vec<Found> = std::mem::take(&mut paragraph.pictures)
            .into_iter()
            .map(&mut *self.resolve)
            .collect();
        if paragraph.text.trim().is_empty() || style.contents {
            match self.tables.last_mut() {
                Some(table) => table.pictures.extend(pictures),
                None if pictures.is_empty() => {}
                None => self.lines.push(Line::pictures(pictures)),
            }
            return;
        }
        let number = paragraph
            .number
            .or(style.number)
            .filter(|number| number != "0");
        if let Some(number) = number {
            let level = paragraph.number_level.or(style.number_level).unwrap_or(0);
            if let Some(text) = self.numbering.next(&number, level) {
                paragraph.text.insert_str(0, &text);
            }
        }
        let bold = style.bold || paragraph.bold == paragraph.characters;
        let centred = style.centred || paragraph.centred;
        let hint = if style.title && self.tables.is_empty() {
            Hint::Title
        } else if let Some(level) = paragraph.heading.or(style.heading) {
            Hint::Heading(level)
        } else if bold
            || centred
            || paragraph.large == paragraph.characters && paragraph.characters < 60
        {
            Hint::Strong
        } else {
            Hint::Plain
        };
        let mut line = Line::new(paragraph.text, hint);
        match self.tables.last_mut() {
            Some(table) => {
                table.pictures.extend(pictures);
                table.cell.push(line);
            }
            None => {
                line.pictures = pictures;
                self.lines.push(line);
            }
        }
    }

    fn end_cell(&mut self) {
        let Some(table) = self.tables.last_mut() else {
            return;
        };
        let cell = std::mem::take(&mut table.cell);
        let text: Vec<&str> = cell.iter().map(|line| line.text.as_str()).collect();
        let text = text.join("\n");
        table.width += 1;
        table.longest = table.longest.max(text.chars().count());
        table.grid.put(table.rows, text, table.span, 1);
        table.all.extend(cell);
    }

    fn end_table(&mut self) {
        let Some(table) = self.tables.pop() else {
            return;
        };
        let layout = table.widest <= 1 || table.longest > LAYOUT_CELL;
        let mut lines = Vec::new();
        if layout {
            lines = table.all;
        } else {
            table.grid.lines(&mut lines);
        }
        match self.tables.last_mut() {
            // A table within a cell becomes part of the cell's text.
            Some(outer) => {
                outer.pictures.extend(table.pictures);
                outer
                    .cell
                    .extend(lines.into_iter().filter(|line| line.hint != Hint::Rule));
            }
            None => {
                self.lines.extend(lines);
                if !table.pictures.is_empty() {
                    self.lines.push(Line::pictures(table.pictures));
                }
            }
        }
    }
}
