//! The characters of a page to rows and tables in reading order.

use super::content::{Glyph, Shown};
use super::ruled::{self, Table};

/// A row of text within its column.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) text: String,
    pub(super) x0: f32,
    pub(super) x1: f32,
    pub(super) y: f32,
    /// Size of most of its characters.
    pub(super) size: f32,
    pub(super) bold: bool,
    /// How many columns there are side by side, and which of them this is; a row across all of them has 1 and 0.
    pub(super) column: (usize, usize),
}

#[derive(Debug)]
pub(super) enum Piece {
    Row(Row),
    Table(Table),
}

/// A page in reading order.
#[derive(Debug)]
pub(super) struct Laid {
    pub(super) height: f32,
    pub(super) pieces: Vec<Piece>,
}

impl Laid {
    pub(super) fn characters(&self) -> usize {
        let count = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Row(row) => count(&row.text),
                Piece::Table(table) => table.cells().map(|cell| count(&cell.text)).sum(),
            })
            .sum()
    }
}

/// Glyphs on one baseline, from left to right.
type Baseline = Vec<Glyph>;

fn is_blank(glyph: &Glyph) -> bool {
    glyph.text.chars().all(char::is_whitespace)
}

fn baselines(mut glyphs: Vec<Glyph>) -> Vec<Baseline> {
    glyphs.sort_by(|a, b| b.y.total_cmp(&a.y));
    let mut rows: Vec<Baseline> = Vec::new();
    let mut base = (0.0, 0.0);
    for glyph in glyphs {
        match rows.last_mut() {
            // Superscripts and slightly shifted Latin letters stand on the same line.
            Some(row) if base.0 - glyph.y <= 0.45 * f32::max(base.1, glyph.size) => {
                base.1 = f32::max(base.1, glyph.size);
                row.push(glyph);
            }
            _ => {
                base = (glyph.y, glyph.size);
                rows.push(vec![glyph]);
            }
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.x.total_cmp(&b.x));
        // Bold type that is made by printing twice.
        row.dedup_by(|next, kept| next.text == kept.text && next.x - kept.x < 0.3 * kept.width);
    }
    rows
}

fn is_wide(c: char) -> bool {
    c >= '\u{2e80}'
}

/// Text of neighbouring glyphs; a gap becomes a blank where a reader would see one.
fn join(glyphs: &[Glyph]) -> String {
    let mut out = String::new();
    let mut end: Option<(f32, bool)> = None;
    for glyph in glyphs {
        let first = glyph.text.chars().next().unwrap_or(' ');
        if let Some((end, wide)) = end
            && !first.is_whitespace()
            && !out.ends_with(char::is_whitespace)
        {
            // Between Chinese and Latin a program leaves a quarter of a character that is no blank.
            let least = if wide || is_wide(first) { 0.7 } else { 0.18 };
            if glyph.x - end > least * glyph.size {
                out.push(' ');
            }
        }
        out.push_str(&glyph.text);
        let last = glyph.text.chars().next_back().unwrap_or(' ');
        end = Some((glyph.x + glyph.width, is_wide(last)));
    }
    out
}

/// The lines within a cell as one text.
pub(super) fn cell_text(glyphs: Vec<Glyph>) -> String {
    let mut out = String::new();
    for row in baselines(glyphs) {
        let text = join(&row);
        append(&mut out, text.trim());
    }
    out
}

/// Appends the next line of a paragraph.
pub(super) fn append(out: &mut String, next: &str) {
    let (last, first) = (out.chars().next_back(), next.chars().next());
    if let (Some(last), Some(first)) = (last, first) {
        if last == '-'
            && first.is_ascii_lowercase()
            && out[..out.len() - 1].ends_with(|c: char| c.is_ascii_lowercase())
        {
            out.pop();
        } else if !is_wide(last) && !is_wide(first) {
            out.push(' ');
        }
    }
    out.push_str(next);
}

/// The row of these glyphs, if it shows anything.
fn row(glyphs: &[Glyph], column: (usize, usize)) -> Option<Row> {
    let text = join(glyphs).trim().to_owned();
    let seen: Vec<&Glyph> = glyphs.iter().filter(|g| !is_blank(g)).collect();
    let (first, last) = (seen.first()?, seen.last()?);
    let mut sizes: Vec<f32> = seen.iter().map(|g| g.size).collect();
    sizes.sort_by(f32::total_cmp);
    Some(Row {
        text,
        x0: first.x,
        x1: last.x + last.width,
        y: first.y,
        size: sizes[sizes.len() / 2],
        bold: seen.iter().all(|g| g.bold),
        column,
    })
}

/// Parts of a baseline with gaps between them that can lie between columns.
fn parts(line: &[Glyph]) -> Vec<&[Glyph]> {
    let mut cuts = vec![0];
    let mut end = f32::MIN;
    for (at, glyph) in line.iter().enumerate() {
        if is_blank(glyph) {
            continue;
        }
        if end > f32::MIN && glyph.x - end > 0.8 * glyph.size {
            cuts.push(at);
        }
        end = glyph.x + glyph.width;
    }
    cuts.push(line.len());
    cuts.windows(2)
        .map(|pair| &line[pair[0]..pair[1]])
        .collect()
}

/// Width of the strips in which the page is looked at for gaps between columns.
const STRIP: f32 = 2.0;

/// The gaps between columns of running text.
fn gutters(lines: &[Baseline], width: f32) -> Vec<(f32, f32)> {
    let rows: Vec<Row> = lines
        .iter()
        .flat_map(|line| parts(line))
        .filter_map(|part| row(part, (1, 0)))
        .collect();
    let strips = (width / STRIP).clamp(1.0, 5_000.0) as usize;
    let mut covered = vec![0usize; strips];
    for row in &rows {
        let from = ((row.x0 / STRIP).max(0.0) as usize).min(strips);
        let to = ((row.x1 / STRIP).ceil().max(0.0) as usize).min(strips);
        for count in &mut covered[from..to.max(from)] {
            *count += 1;
        }
    }
    // Titles, tables and pictures' captions may cross.
    let crossed = rows.len() * 3 / 20;
    let mut found = Vec::new();
    let mut at = strips / 5;
    while at < strips * 4 / 5 {
        let from = at;
        while at < strips * 4 / 5 && covered[at] <= crossed {
            at += 1;
        }
        let gap = (from as f32 * STRIP, at as f32 * STRIP);
        if gap.1 - gap.0 >= 8.0 && has_columns(&rows, gap) {
            found.push(gap);
        }
        at += 1;
    }
    found.truncate(2);
    found
}

/// Whether running text stands on both sides of the gap.
fn has_columns(rows: &[Row], gap: (f32, f32)) -> bool {
    let runs = |side: &dyn Fn(&Row) -> bool| {
        let sizes: Vec<usize> = rows
            .iter()
            .filter(|row| side(row))
            .map(|row| row.text.chars().count())
            .collect();
        sizes.len() >= 5 && sizes.iter().sum::<usize>() >= 8 * sizes.len()
    };
    runs(&|row| row.x1 <= gap.0 + STRIP) && runs(&|row| row.x0 >= gap.1 - STRIP)
}

fn ordered(lines: &[Baseline], width: f32) -> Vec<Row> {
    let gutters = gutters(lines, width);
    if gutters.is_empty() {
        return lines.iter().filter_map(|line| row(line, (1, 0))).collect();
    }
    let count = gutters.len() + 1;
    let column = |x: f32| gutters.iter().filter(|gap| x >= gap.1 - STRIP).count();
    let mut out = Vec::new();
    let mut side: Vec<Vec<Row>> = vec![Vec::new(); count];
    for line in lines {
        let crosses = parts(line).iter().any(|part| {
            let bounds = row(part, (1, 0)).map_or((0.0, 0.0), |row| (row.x0, row.x1));
            gutters
                .iter()
                .any(|gap| bounds.0 < gap.0 && bounds.1 > gap.1)
        });
        if crosses {
            out.extend(side.iter_mut().flat_map(std::mem::take));
            out.extend(row(line, (1, 0)));
            continue;
        }
        let mut own: Vec<Vec<Glyph>> = vec![Vec::new(); count];
        for glyph in line {
            own[column(glyph.x)].push(glyph.clone());
        }
        for (index, glyphs) in own.iter().enumerate() {
            side[index].extend(row(glyphs, (count, index)));
        }
    }
    out.extend(side.into_iter().flatten());
    out
}

/// The page in reading order.
pub(super) fn page(shown: Shown) -> Laid {
    let (tables, glyphs) = ruled::tables(&shown.segments, shown.glyphs);
    let lines = baselines(glyphs);
    let rows = ordered(&lines, shown.width);
    let mut tables = tables.into_iter().peekable();
    let mut pieces = Vec::with_capacity(rows.len());
    for row in rows {
        // In columns a table comes where the first row below it does.
        while let Some(table) = tables.next_if(|table| table.top > row.y) {
            pieces.push(Piece::Table(table));
        }
        pieces.push(Piece::Row(row));
    }
    pieces.extend(tables.map(Piece::Table));
    Laid {
        height: shown.height,
        pieces,
    }
}
