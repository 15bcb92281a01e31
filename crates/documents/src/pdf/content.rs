//! What the operators of a page show: characters with their places, and the straight lines of tables.

use std::collections::HashMap;
use std::rc::Rc;

use kernel::Result;
use lopdf::content::{Content, Operation};
use lopdf::{Dictionary, Document, Object, ObjectId};

use super::drawing::{Drawing, Segment};
use super::font::{Code, Font};
use super::matrix::Matrix;
use super::open;
use crate::fault;
use crate::limits::Limits;

/// Bytes of the unpacked operators of one page or form.
const CONTENT: usize = 32 << 20;
/// Operators of all pages together: the bound of time, for forms may be shown over and over.
const OPERATORS: usize = 10_000_000;
/// Characters of one page.
const GLYPHS: usize = 200_000;
/// Forms within forms, and saved states.
const DEPTH: usize = 12;
const SAVED: usize = 256;

/// The way that characters run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Right,
    Up,
    Left,
    Down,
}

impl Turn {
    fn of([along, up]: [f32; 2]) -> Option<Self> {
        let straight = |main: f32, other: f32| main > 0.0 && other.abs() < main * 0.1;
        [
            (Self::Right, along, up),
            (Self::Up, up, along),
            (Self::Left, -along, up),
            (Self::Down, -up, along),
        ]
        .into_iter()
        .find_map(|(turn, main, other)| straight(main, other).then_some(turn))
    }
}

impl Shown {
    /// Turns the page so that most of its characters run to the right. What runs otherwise is not read.
    fn upright(mut self) -> Self {
        let (width, height) = (self.width, self.height);
        let ways = [Turn::Right, Turn::Up, Turn::Left, Turn::Down];
        let most = ways
            .into_iter()
            .rev()
            .max_by_key(|way| self.turned[*way as usize].len())
            .unwrap_or(Turn::Right);
        self.glyphs = std::mem::take(&mut self.turned[most as usize]);
        let place = |x: f32, y: f32| match most {
            Turn::Right => (x, y),
            Turn::Up => (y, width - x),
            Turn::Left => (width - x, height - y),
            Turn::Down => (height - y, x),
        };
        for glyph in &mut self.glyphs {
            (glyph.x, glyph.y) = place(glyph.x, glyph.y);
        }
        for segment in &mut self.segments {
            let (from, to) = (place(segment.x0, segment.y0), place(segment.x1, segment.y1));
            *segment = Segment {
                x0: from.0.min(to.0),
                y0: from.1.min(to.1),
                x1: from.0.max(to.0),
                y1: from.1.max(to.1),
            };
        }
        if matches!(most, Turn::Up | Turn::Down) {
            (self.width, self.height) = (height, width);
        }
        self
    }
}

/// A character and its place in points, from the lower left corner of the page as it is read.
#[derive(Clone, Debug)]
pub(super) struct Glyph {
    pub(super) text: String,
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) width: f32,
    pub(super) size: f32,
    pub(super) bold: bool,
}

/// What one page shows.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) height: f32,
    pub(super) width: f32,
    pub(super) glyphs: Vec<Glyph>,
    /// Before it is known which way the page is to be read, by the way that characters run.
    turned: [Vec<Glyph>; 4],
    count: usize,
    pub(super) segments: Vec<Segment>,
    /// Codes of which the font does not say what they stand for.
    pub(super) unknown: usize,
}

#[derive(Clone)]
struct State {
    ctm: Matrix,
    font: Option<Rc<Font>>,
    size: f32,
    spacing: f32,
    word_spacing: f32,
    scale: f32,
    leading: f32,
    rise: f32,
}

/// Reads the pages of one file. Fonts are read once.
pub(super) struct Reader<'a> {
    name: &'a str,
    pdf: &'a Document,
    fonts: HashMap<ObjectId, Rc<Font>>,
    characters: usize,
    most: usize,
    operators: usize,
    /// Images that pages show.
    pub(super) images: usize,
}

/// The operators of one page or form at work.
struct Work<'r, 'a> {
    reader: &'r mut Reader<'a>,
    shown: &'r mut Shown,
    resources: Vec<&'a Dictionary>,
    state: State,
    saved: Vec<State>,
    text: Matrix,
    line: Matrix,
    drawing: Drawing,
    /// Of the marked contents that are open, which are running heads and page numbers.
    marked: Vec<bool>,
    depth: usize,
}

pub(super) fn numbers<const N: usize>(operation: &Operation) -> Option<[f32; N]> {
    let mut out = [0.0; N];
    let from = operation.operands.len().checked_sub(N)?;
    for (slot, operand) in out.iter_mut().zip(&operation.operands[from..]) {
        *slot = operand.as_float().ok().filter(|n| n.is_finite())?;
    }
    Some(out)
}

impl<'a> Reader<'a> {
    pub(super) fn new(name: &'a str, pdf: &'a Document, limits: &Limits) -> Self {
        Self {
            name,
            pdf,
            fonts: HashMap::new(),
            characters: 0,
            most: limits.characters,
            operators: 0,
            images: 0,
        }
    }

    fn box_of(&self, page: ObjectId) -> [f32; 4] {
        let usual = [0.0, 0.0, 595.0, 842.0];
        let listed = self
            .inherited(page, b"CropBox")
            .or_else(|| self.inherited(page, b"MediaBox"));
        let Some(Object::Array(list)) = listed else {
            return usual;
        };
        let mut out = usual;
        for (slot, value) in out.iter_mut().zip(list) {
            let value = self
                .pdf
                .dereference(value)
                .ok()
                .and_then(|(_, v)| v.as_float().ok());
            match value.filter(|n| n.is_finite()) {
                Some(value) => *slot = value,
                None => return usual,
            }
        }
        let [x0, y0, x1, y1] = out;
        if (x1 - x0).abs() < 1.0 || (y1 - y0).abs() < 1.0 {
            return usual;
        }
        [x0.min(x1), y0.min(y1), x0.max(x1), y0.max(y1)]
    }

    /// A value of the page or of the tree above it.
    fn inherited(&self, page: ObjectId, key: &[u8]) -> Option<&'a Object> {
        let mut node = self.pdf.get_dictionary(page).ok()?;
        for _ in 0..64 {
            if let Ok(value) = node.get_deref(key, self.pdf) {
                return Some(value);
            }
            node = node.get_deref(b"Parent", self.pdf).ok()?.as_dict().ok()?;
        }
        None
    }

    /// Everything that a page shows.
    pub(super) fn page(&mut self, page: ObjectId) -> Result<Shown> {
        let [x0, y0, x1, y1] = self.box_of(page);
        let turned = self
            .inherited(page, b"Rotate")
            .and_then(|r| r.as_float().ok());
        let (w, h) = (x1 - x0, y1 - y0);
        let ctm = match turned.unwrap_or(0.0).rem_euclid(360.0) as u32 {
            90 => Matrix([0.0, -1.0, 1.0, 0.0, -y0, x1]),
            180 => Matrix([-1.0, 0.0, 0.0, -1.0, x1, y1]),
            270 => Matrix([0.0, 1.0, -1.0, 0.0, y1, -x0]),
            _ => Matrix([1.0, 0.0, 0.0, 1.0, -x0, -y0]),
        };
        let sideways = matches!(turned.unwrap_or(0.0).rem_euclid(360.0) as u32, 90 | 270);
        let mut shown = Shown {
            width: if sideways { h } else { w },
            height: if sideways { w } else { h },
            ..Shown::default()
        };
        let content = match self.pdf.get_page_content_with_limit(page, CONTENT) {
            Ok(content) => content,
            Err(error) if open::is_bomb(&error) => return Err(open::bomb(self.name)),
            Err(_) => return Ok(shown),
        };
        let resources = self
            .inherited(page, b"Resources")
            .and_then(|r| r.as_dict().ok());
        let mut work = Work {
            reader: self,
            shown: &mut shown,
            resources: resources.into_iter().collect(),
            state: State {
                ctm,
                font: None,
                size: 0.0,
                spacing: 0.0,
                word_spacing: 0.0,
                scale: 1.0,
                leading: 0.0,
                rise: 0.0,
            },
            saved: Vec::new(),
            text: Matrix::IDENTITY,
            line: Matrix::IDENTITY,
            drawing: Drawing::default(),
            marked: Vec::new(),
            depth: 0,
        };
        work.run(&content)?;
        Ok(shown.upright())
    }
}

impl<'a> Work<'_, 'a> {
    fn run(&mut self, content: &[u8]) -> Result<()> {
        // What cannot be parsed ends the page; what came before it stands.
        for operation in Content::decode_iter(content).map_while(lopdf::Result::ok) {
            self.reader.operators += 1;
            if self.reader.operators > OPERATORS {
                return Err(fault::too_large(self.reader.name, "PDF 的绘图指令过多"));
            }
            self.operation(&operation)?;
        }
        Ok(())
    }

    fn operation(&mut self, operation: &Operation) -> Result<()> {
        let strings = || operation.operands.last();
        match operation.operator.as_str() {
            "q" if self.saved.len() < SAVED => self.saved.push(self.state.clone()),
            "Q" => {
                if let Some(state) = self.saved.pop() {
                    self.state = state;
                }
            }
            "cm" => {
                if let Some(matrix) = numbers(operation) {
                    self.state.ctm = Matrix(matrix).then(self.state.ctm);
                }
            }
            "Do" => return self.object(operation),
            "BMC" => self.marked.push(false),
            "BDC" => {
                let running = self.is_running(operation);
                self.marked.push(running);
            }
            "EMC" => {
                self.marked.pop();
            }
            "Tj" => return self.show(strings()),
            "TJ" => return self.show_spaced(strings()),
            "'" | "\"" => {
                if operation.operator == "\""
                    && let [Some(words), Some(letters)] =
                        [0, 1].map(|at| operation.operands.get(at).and_then(|o| o.as_float().ok()))
                {
                    (self.state.word_spacing, self.state.spacing) = (words, letters);
                }
                self.next_line(0.0, -self.state.leading);
                return self.show(strings());
            }
            other if other.starts_with('T') || matches!(other, "BT" | "ET") => {
                self.text_state(operation);
            }
            _ => self
                .drawing
                .operation(operation, self.state.ctm, &mut self.shown.segments),
        }
        Ok(())
    }

    fn next_line(&mut self, x: f32, y: f32) {
        self.line = Matrix([1.0, 0.0, 0.0, 1.0, x, y]).then(self.line);
        self.text = self.line;
    }

    fn text_state(&mut self, operation: &Operation) {
        let one = numbers::<1>(operation).map(|[n]| n);
        match (operation.operator.as_str(), one) {
            ("BT", _) => (self.text, self.line) = (Matrix::IDENTITY, Matrix::IDENTITY),
            ("Tf", Some(size)) => {
                self.state.size = size;
                let name = operation.operands.first().and_then(|o| o.as_name().ok());
                self.state.font = name.and_then(|name| self.font(name));
            }
            ("Tc", Some(n)) => self.state.spacing = n,
            ("Tw", Some(n)) => self.state.word_spacing = n,
            ("Tz", Some(n)) => self.state.scale = n / 100.0,
            ("TL", Some(n)) => self.state.leading = n,
            ("Ts", Some(n)) => self.state.rise = n,
            ("Td" | "TD", _) => {
                if let Some([x, y]) = numbers(operation) {
                    if operation.operator == "TD" {
                        self.state.leading = -y;
                    }
                    self.next_line(x, y);
                }
            }
            ("Tm", _) => {
                if let Some(matrix) = numbers(operation) {
                    self.line = Matrix(matrix);
                    self.text = self.line;
                }
            }
            ("T*", _) => self.next_line(0.0, -self.state.leading),
            _ => {}
        }
    }

    /// An entry of a kind of resource: the innermost form's, else those around it.
    fn resource(&self, kind: &[u8], name: &[u8]) -> Option<(Option<ObjectId>, &'a Object)> {
        let pdf = self.reader.pdf;
        self.resources.iter().rev().find_map(|resources| {
            let kind = resources.get_deref(kind, pdf).ok()?.as_dict().ok()?;
            pdf.dereference(kind.get(name).ok()?).ok()
        })
    }

    fn font(&mut self, name: &[u8]) -> Option<Rc<Font>> {
        let (id, object) = self.resource(b"Font", name)?;
        if let Some(font) = id.and_then(|id| self.reader.fonts.get(&id)) {
            return Some(font.clone());
        }
        let font = Rc::new(Font::new(object.as_dict().ok()?, self.reader.pdf));
        if let Some(id) = id {
            self.reader.fonts.insert(id, font.clone());
        }
        Some(font)
    }

    /// /Artifact with /Type /Pagination: what a program puts on every page by itself.
    fn is_running(&self, operation: &Operation) -> bool {
        let [tag, properties] = operation.operands.as_slice() else {
            return false;
        };
        let properties = match properties {
            Object::Dictionary(own) => Some(own),
            Object::Name(name) => self
                .resource(b"Properties", name)
                .and_then(|(_, object)| object.as_dict().ok()),
            _ => None,
        };
        tag.as_name().is_ok_and(|name| name == b"Artifact")
            && properties.is_some_and(|p| {
                p.get(b"Type")
                    .and_then(Object::as_name)
                    .is_ok_and(|kind| kind == b"Pagination")
            })
    }

    fn object(&mut self, operation: &Operation) -> Result<()> {
        let name = operation.operands.first().and_then(|o| o.as_name().ok());
        let Some((_, Object::Stream(stream))) =
            name.and_then(|name| self.resource(b"XObject", name))
        else {
            return Ok(());
        };
        let kind = stream.dict.get(b"Subtype").and_then(Object::as_name).ok();
        if kind == Some(b"Image") {
            self.reader.images += 1;
        }
        if kind.is_some_and(|kind| kind != b"Form") || self.depth >= DEPTH {
            return Ok(());
        }
        let content = match stream.get_plain_content_with_limit(CONTENT) {
            Ok(content) => content,
            Err(error) if open::is_bomb(&error) => return Err(open::bomb(self.reader.name)),
            Err(_) => return Ok(()),
        };
        let pdf = self.reader.pdf;
        let matrix = stream
            .dict
            .get_deref(b"Matrix", pdf)
            .and_then(Object::as_array);
        let matrix = matrix
            .ok()
            .and_then(|list| numbers(&Operation::new("cm", list.clone())).map(Matrix));
        let own = stream
            .dict
            .get_deref(b"Resources", pdf)
            .and_then(Object::as_dict)
            .ok();
        let before = (
            self.state.clone(),
            self.saved.len(),
            self.marked.len(),
            self.resources.len(),
        );
        let (text, line) = (self.text, self.line);
        self.state.ctm = matrix.unwrap_or(Matrix::IDENTITY).then(self.state.ctm);
        self.resources.extend(own);
        self.depth += 1;
        let result = self.run(&content);
        self.depth -= 1;
        self.resources.truncate(before.3);
        self.marked.truncate(before.2);
        self.saved.truncate(before.1);
        self.state = before.0;
        (self.text, self.line) = (text, line);
        result
    }

    fn show_spaced(&mut self, list: Option<&Object>) -> Result<()> {
        let Some(Object::Array(list)) = list else {
            return Ok(());
        };
        for part in list {
            match part.as_float() {
                Ok(back) => {
                    let across = -back / 1000.0 * self.state.size * self.state.scale;
                    self.text = Matrix([1.0, 0.0, 0.0, 1.0, across, 0.0]).then(self.text);
                }
                Err(_) => self.show(Some(part))?,
            }
        }
        Ok(())
    }

    fn show(&mut self, string: Option<&Object>) -> Result<()> {
        let (Some(Object::String(bytes, _)), Some(font)) = (string, self.state.font.clone()) else {
            return Ok(());
        };
        let mut codes = Vec::with_capacity(bytes.len());
        font.codes(bytes, &mut codes);
        for code in codes {
            self.glyph(&font, code)?;
        }
        Ok(())
    }

    fn glyph(&mut self, font: &Font, code: Code) -> Result<()> {
        let State {
            size,
            spacing,
            word_spacing,
            scale,
            rise,
            ..
        } = self.state;
        let place = Matrix([size * scale, 0.0, 0.0, size, 0.0, rise])
            .then(self.text)
            .then(self.state.ctm);
        let Matrix([a, b, c, d, x, y]) = place;
        let own = code.width * size;
        let extra = spacing + if code.space { word_spacing } else { 0.0 };
        let across = (own + extra) * scale;
        self.text = Matrix([1.0, 0.0, 0.0, 1.0, across, 0.0]).then(self.text);
        self.reader.characters += 1;
        if self.reader.characters > self.reader.most.saturating_mul(2) || self.shown.count > GLYPHS
        {
            return Err(fault::too_large(self.reader.name, "PDF 里的文字过多"));
        }
        // Slanted across the page: a watermark.
        let Some(turn) = Turn::of([a, b]) else {
            return Ok(());
        };
        let on_page = (-5.0..=self.shown.width + 5.0).contains(&x)
            && (-5.0..=self.shown.height + 5.0).contains(&y);
        if !on_page || self.marked.contains(&true) {
            return Ok(());
        }
        if code.text.is_empty() {
            self.shown.unknown += 1;
            return Ok(());
        }
        self.shown.turned[turn as usize].push(Glyph {
            text: code.text,
            x,
            y,
            width: code.width * a.hypot(b),
            size: c.hypot(d),
            bold: font.bold,
        });
        self.shown.count += 1;
        Ok(())
    }
}
