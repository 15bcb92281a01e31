//! The PDF: A4, set in fonts of the collection Adobe-GB1, which readers bring along, so that nothing is embedded.

use std::fmt::Write as _;

use kernel::{Error, Result};
use lopdf::{Document, Object, ObjectId, Stream, dictionary, text_string};

use super::{
    Paper, clean,
    measure::{ASCII, lines, width},
};

/// A4, in points.
const PAGE: (f32, f32) = (595.28, 841.89);
const SIDE: f32 = 62.0;
const TOP: f32 = PAGE.1 - 62.0;
const BOTTOM: f32 = 66.0;
const ROOM: f32 = PAGE.0 - 2.0 * SIDE;

/// The column of labels.
const LABEL: f32 = 138.0;
const PAD: f32 = 5.0;
const SIZE: f32 = 10.5;
const LEADING: f32 = 15.5;

/// How much of the size lies above the line on which characters stand.
const ABOVE: f32 = 0.88;

#[derive(Clone, Copy)]
enum Face {
    Song,
    Hei,
}

impl Face {
    fn name(self) -> &'static str {
        match self {
            Self::Song => "F1",
            Self::Hei => "F2",
        }
    }
}

/// Pages as they fill from the top.
struct Sheets {
    pages: Vec<String>,
    y: f32,
}

pub(super) fn write(paper: &Paper) -> Result<Vec<u8>> {
    let mut sheets = Sheets {
        pages: vec![String::new()],
        y: TOP,
    };
    for line in lines(&clean(&paper.title), 18.0, ROOM) {
        sheets.centred(Face::Hei, 18.0, &line);
        sheets.y -= 26.0;
    }
    sheets.y -= 4.0;
    let head = clean(&paper.head_line());
    if !head.is_empty() {
        for line in lines(&head, SIZE, ROOM) {
            sheets.text(Face::Song, SIZE, SIDE, &line);
            sheets.y -= LEADING;
        }
        sheets.y -= 4.0;
    }
    for section in &paper.sections {
        let first = section.rows.first().map_or(1, |(label, values)| {
            let (left, right) = columns(&clean(label), values);
            left.len().max(right.len())
        });
        sheets.section(&clean(&section.title), first);
        for (label, values) in &section.rows {
            sheets.row(&clean(label), values);
        }
    }
    sheets.y -= 14.0;
    if let Some(statement) = &paper.statement {
        sheets.paragraph(&format!("申请人声明：{}", clean(statement)));
        sheets.y -= 18.0;
    }
    if let Some(signature) = paper.signature() {
        sheets.paragraph(&signature);
    }
    finish(paper, sheets.numbered(&clean(&paper.foot)))
}

impl Sheets {
    fn draw(&mut self, what: &str) {
        if let Some(page) = self.pages.last_mut() {
            page.push_str(what);
            page.push('\n');
        }
    }

    fn next(&mut self) {
        self.pages.push(String::new());
        self.y = TOP;
    }

    /// A line of text with its upper edge at the cursor.
    fn text(&mut self, face: Face, size: f32, x: f32, text: &str) {
        let y = self.y - ABOVE * size;
        self.draw(&shown(face, size, x, y, text));
    }

    fn centred(&mut self, face: Face, size: f32, text: &str) {
        let x = (PAGE.0 - width(text, size)) / 2.0;
        self.text(face, size, x.max(SIDE), text);
    }

    fn paragraph(&mut self, text: &str) {
        for line in lines(text, SIZE, ROOM) {
            if self.y - LEADING < BOTTOM {
                self.next();
            }
            self.text(Face::Song, SIZE, SIDE, &line);
            self.y -= LEADING;
        }
    }

    /// A frame around what stands between the cursor and `height` below it, with the columns' line where there is one.
    fn frame(&mut self, height: f32, columns: bool) {
        let low = self.y - height;
        let mut drawn = format!("0.6 w {SIDE:.2} {low:.2} {ROOM:.2} {height:.2} re S");
        if columns {
            let x = SIDE + LABEL;
            let _ = write!(drawn, " {x:.2} {low:.2} m {x:.2} {:.2} l S", self.y);
        }
        self.draw(&drawn);
    }

    /// The title of a section whose first row has so many lines.
    fn section(&mut self, title: &str, first: usize) {
        let height = LEADING + 2.0 * PAD;
        // A title does not stand alone at the foot of a page.
        let row = first.max(1) as f32 * LEADING + 2.0 * PAD;
        let longest = TOP - BOTTOM - height;
        if self.y - height - row.min(longest) < BOTTOM {
            self.next();
        }
        let low = self.y - height;
        self.draw(&format!(
            "0.93 g {SIDE:.2} {low:.2} {ROOM:.2} {height:.2} re f 0 g"
        ));
        self.frame(height, false);
        let top = self.y;
        self.y -= PAD + 1.5;
        self.text(Face::Hei, SIZE, SIDE + PAD + 1.0, title);
        self.y = top - height;
    }

    fn row(&mut self, label: &str, values: &[String]) {
        let (mut left, mut right) = columns(label, values);
        let fits = |room: f32| ((room - 2.0 * PAD) / LEADING).max(0.0) as usize;
        loop {
            let wanted = left.len().max(right.len()).max(1);
            let room = fits(self.y - BOTTOM);
            if wanted > room && (wanted <= fits(TOP - BOTTOM) || room == 0) && self.y < TOP {
                self.next();
                continue;
            }
            // A row that is longer than a page goes on on the next.
            let here = wanted.min(room);
            let later = (
                left.split_off(here.min(left.len())),
                right.split_off(here.min(right.len())),
            );
            let height = here as f32 * LEADING + 2.0 * PAD;
            self.frame(height, true);
            let top = self.y;
            for (x, column) in [(SIDE, &left), (SIDE + LABEL, &right)] {
                self.y = top - PAD - 1.5;
                for line in column {
                    self.text(Face::Song, SIZE, x + PAD + 1.0, line);
                    self.y -= LEADING;
                }
            }
            self.y = top - height;
            (left, right) = later;
            if left.is_empty() && right.is_empty() {
                return;
            }
        }
    }

    /// The pages with their numbers.
    fn numbered(mut self, foot: &str) -> Vec<String> {
        let total = self.pages.len();
        for (at, page) in self.pages.iter_mut().enumerate() {
            let text = format!("第{}页　共{total}页", at + 1);
            let x = (PAGE.0 - width(&text, 9.0)) / 2.0;
            page.push_str(&shown(Face::Song, 9.0, x, 40.0, &text));
            page.push('\n');
            if !foot.is_empty() {
                page.push_str(&shown(Face::Song, 9.0, SIDE, 40.0, foot));
                page.push('\n');
            }
        }
        self.pages
    }
}

/// The lines of a row, in its two columns.
fn columns(label: &str, values: &[String]) -> (Vec<String>, Vec<String>) {
    let left = lines(label, SIZE, LABEL - 2.0 * PAD - 1.0);
    let right = values
        .iter()
        .flat_map(|v| lines(&clean(v), SIZE, ROOM - LABEL - 2.0 * PAD - 1.0));
    (left, right.collect())
}

fn shown(face: Face, size: f32, x: f32, y: f32, text: &str) -> String {
    let codes: String = text.encode_utf16().fold(String::new(), |mut out, unit| {
        let _ = write!(out, "{unit:04X}");
        out
    });
    format!(
        "BT /{} {size} Tf 1 0 0 1 {x:.2} {y:.2} Tm <{codes}> Tj ET",
        face.name()
    )
}

/// A font of Adobe-GB1 by its usual name, in Unicode.
fn font(pdf: &mut Document, name: &str, serif: bool) -> ObjectId {
    let widths: Vec<Object> = ASCII.iter().map(|w| i64::from(*w).into()).collect();
    let about = pdf.add_object(dictionary! {
        "Type" => "FontDescriptor",
        "FontName" => name,
        "Flags" => if serif { 6 } else { 4 },
        "FontBBox" => vec![(-25).into(), (-254).into(), 1000.into(), 880.into()],
        "ItalicAngle" => 0,
        "Ascent" => 880,
        "Descent" => -120,
        "CapHeight" => 880,
        "StemV" => if serif { 93 } else { 120 },
    });
    let below = pdf.add_object(dictionary! {
        "Type" => "Font",
        "Subtype" => "CIDFontType0",
        "BaseFont" => name,
        "CIDSystemInfo" => dictionary! {
            "Registry" => Object::string_literal("Adobe"),
            "Ordering" => Object::string_literal("GB1"),
            "Supplement" => 4,
        },
        "FontDescriptor" => about,
        "DW" => 1000,
        "W" => vec![1.into(), widths.into()],
    });
    pdf.add_object(dictionary! {
        "Type" => "Font",
        "Subtype" => "Type0",
        "BaseFont" => name,
        "Encoding" => "UniGB-UTF16-H",
        "DescendantFonts" => vec![below.into()],
    })
}

fn finish(paper: &Paper, pages: Vec<String>) -> Result<Vec<u8>> {
    let mut pdf = Document::with_version("1.5");
    let tree = pdf.new_object_id();
    let song = font(&mut pdf, "STSong-Light", true);
    let hei = font(&mut pdf, "STHeiti-Regular", false);
    let resources = pdf.add_object(dictionary! {
        "Font" => dictionary! { "F1" => song, "F2" => hei },
    });
    let mut kids: Vec<Object> = Vec::new();
    for content in pages {
        let mut stream = Stream::new(dictionary! {}, content.into_bytes());
        stream.compress().map_err(Error::internal)?;
        let content = pdf.add_object(stream);
        let page = pdf.add_object(dictionary! {
            "Type" => "Page",
            "Parent" => tree,
            "MediaBox" => vec![0.into(), 0.into(), PAGE.0.into(), PAGE.1.into()],
            "Resources" => resources,
            "Contents" => content,
        });
        kids.push(page.into());
    }
    let count = i64::try_from(kids.len()).map_err(Error::internal)?;
    pdf.objects.insert(
        tree,
        Object::Dictionary(dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count }),
    );
    let catalog = pdf.add_object(dictionary! {
        "Type" => "Catalog",
        "Pages" => tree,
        "Lang" => Object::string_literal("zh-CN"),
        "ViewerPreferences" => dictionary! { "DisplayDocTitle" => true },
    });
    let info = pdf.add_object(dictionary! { "Title" => text_string(&paper.title) });
    pdf.trailer.set("Root", catalog);
    pdf.trailer.set("Info", info);
    let mut bytes = Vec::new();
    pdf.save_to(&mut bytes).map_err(Error::internal)?;
    Ok(bytes)
}
