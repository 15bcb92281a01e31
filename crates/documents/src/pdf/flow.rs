//! Rows of all pages to paragraphs: page numbers and running heads go, headings are told by their size.

use std::collections::HashMap;

use super::layout::{Laid, Piece, Row, append};
use super::ruled::Table;
use crate::metadata::pattern;
use crate::page::{Hint, Line};
use crate::structure::mark::{self, Mark};

pattern!(
    PAGE_NUMBER,
    r"^[\s\-—–－·~_]*(?:第\s*)?[0-9０-９]{1,4}\s*(?:页)?[\s\-—–－·~_]*(?:(?:[/／]|共|of|,|，)\s*(?:共\s*)?[0-9０-９]{1,4}\s*页?)?[\s\-—–－·~_]*$"
);

/// Part of the page's height at its top and bottom where running heads and page numbers stand.
const MARGIN: f32 = 0.12;
/// Type this much larger than the text's is a heading's.
const LARGER: f32 = 1.12;
/// Headings are at most this long.
const HEADING: usize = 80;

/// The left and right edge of a column.
type Edges = (f32, f32);

/// A paragraph before its hint is known.
struct Paragraph {
    text: String,
    size: f32,
    bold: bool,
    /// Where it begins.
    page: usize,
}

enum Block {
    Paragraph(Paragraph),
    Table(Table),
}

fn squeeze(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| if c.is_ascii_digit() { '#' } else { c })
        .collect()
}

fn in_margin(row: &Row, height: f32) -> bool {
    row.y < height * MARGIN || row.y > height * (1.0 - MARGIN)
}

/// Drops page numbers, and what stands at the same place of many pages.
fn drop_running(pages: &mut [Laid]) {
    let key = |row: &Row| (squeeze(&row.text), (row.y / 4.0).round() as i32);
    let mut seen: HashMap<(String, i32), usize> = HashMap::new();
    for page in pages.iter() {
        for piece in &page.pieces {
            if let Piece::Row(row) = piece
                && in_margin(row, page.height)
            {
                *seen.entry(key(row)).or_default() += 1;
            }
        }
    }
    // Left and right pages may differ; the first may have none.
    let often = (pages.len() * 2 / 5).max(2);
    for page in pages {
        let height = page.height;
        page.pieces.retain(|piece| {
            let Piece::Row(row) = piece else { return true };
            !(in_margin(row, height)
                && (PAGE_NUMBER.is_match(&row.text)
                    || seen.get(&key(row)).is_some_and(|count| *count >= often)))
        });
    }
}

/// The size of most of the text, in half points.
fn body_size(pages: &[Laid]) -> f32 {
    let mut sizes: HashMap<i32, usize> = HashMap::new();
    for row in rows(pages) {
        *sizes.entry((row.size * 2.0).round() as i32).or_default() += row.text.chars().count();
    }
    let most = sizes
        .into_iter()
        .max_by_key(|(size, count)| (*count, *size));
    most.map_or(12.0, |(size, _)| size as f32 / 2.0)
}

fn rows(pages: &[Laid]) -> impl Iterator<Item = &Row> {
    pages
        .iter()
        .flat_map(|page| &page.pieces)
        .filter_map(|piece| match piece {
            Piece::Row(row) => Some(row),
            Piece::Table(_) => None,
        })
}

/// A page and a column of it; no page stands for all of them.
type Place = (Option<usize>, (usize, usize));

/// Rows of text a page needs for its own edges to be known.
const ROWS: usize = 8;

/// The outermost edge that several rows keep to, looked at from outside: a title or a note in the margin does not count.
fn edge(mut ends: Vec<f32>, size: f32) -> Option<f32> {
    ends.sort_by(|a, b| b.total_cmp(a));
    let several = (ends.len() / 12).max(2);
    let kept = |at: &usize| {
        let near = ends[*at..]
            .iter()
            .take_while(|end| ends[*at] - **end <= 1.2 * size);
        near.count() >= several
    };
    let at = (0..ends.len()).find(kept).unwrap_or(0);
    ends.get(at).copied()
}

/// The edges of each column, of every page with enough text and of all pages.
fn edges(pages: &[Laid], body: f32) -> HashMap<Place, Edges> {
    let mut columns: HashMap<Place, (Vec<f32>, Vec<f32>)> = HashMap::new();
    for (index, page) in pages.iter().enumerate() {
        for row in rows(std::slice::from_ref(page)) {
            if (row.size - body).abs() > 0.1 * body {
                continue;
            }
            for place in [Some(index), None] {
                let (left, right) = columns.entry((place, row.column)).or_default();
                left.push(-row.x0);
                right.push(row.x1);
            }
        }
    }
    columns
        .into_iter()
        .filter(|((page, _), (left, _))| page.is_none() || left.len() >= ROWS)
        .filter_map(|(place, (left, right))| {
            Some((place, (-edge(left, body)?, edge(right, body)?)))
        })
        .collect()
}

/// The distance of most rows to the one above.
fn pitch(pages: &[Laid], body: f32) -> f32 {
    let mut steps: HashMap<i32, usize> = HashMap::new();
    for page in pages {
        for pair in page.pieces.windows(2) {
            if let [Piece::Row(a), Piece::Row(b)] = pair {
                let step = a.y - b.y;
                if step > 0.5 * body && step < 4.0 * body {
                    *steps.entry(step.round() as i32).or_default() += 1;
                }
            }
        }
    }
    let most = steps
        .into_iter()
        .max_by_key(|(step, count)| (*count, -step));
    most.map_or(1.6 * body, |(step, _)| step as f32)
}

/// Width, in characters, of what no line may end within at the start of the text: （市, 的，, a Latin word.
fn unbreakable(text: &str) -> f32 {
    let mut chars = text.chars().peekable();
    let mut width = 0.0;
    while chars
        .next_if(|c| "（《〈“‘【〔「『([".contains(*c))
        .is_some()
    {
        width += 1.0;
    }
    let mut latin = 0;
    while latin < 60 && chars.next_if(char::is_ascii_graphic).is_some() {
        latin += 1;
        width += 0.5;
    }
    if latin == 0 && chars.next().is_some() {
        width += 1.0;
    }
    while chars
        .next_if(|c| "，。、；：！？）》〉”’】〕」』".contains(*c))
        .is_some()
    {
        width += 1.0;
    }
    width
}

/// Whether a bracket is not closed.
fn is_open(text: &str) -> bool {
    [('《', '》'), ('（', '）'), ('〈', '〉'), ('“', '”')]
        .iter()
        .any(|(open, close)| text.matches(*open).count() > text.matches(*close).count())
}

struct Flow {
    edges: HashMap<Place, Edges>,
    body: f32,
    pitch: f32,
}

impl Flow {
    fn edges(&self, row: &Row, page: usize) -> Edges {
        let own = self.edges.get(&(Some(page), row.column));
        let all = || self.edges.get(&(None, row.column));
        own.or_else(all).copied().unwrap_or((row.x0, row.x1))
    }

    fn is_large(&self, size: f32) -> bool {
        size > self.body * LARGER
    }

    /// Whether `next` goes on with the paragraph whose last row is `row`; each with its page.
    fn goes_on(&self, (row, page): (&Row, usize), (next, next_page): (&Row, usize)) -> bool {
        let same_page = page == next_page;
        let size = row.size;
        if (size - next.size).abs() > 0.1 * size {
            return false;
        }
        let marked = !matches!(mark::read(&next.text).mark, Mark::Plain);
        let gap = row.y - next.y;
        if self.is_large(size) {
            // A title on several lines, broken where its author wanted.
            let marked = marked && !is_open(&row.text);
            return same_page && !marked && gap > 0.0 && gap < 2.2 * size && row.bold == next.bold;
        }
        if row.bold != next.bold && (row.bold || next.bold) && row.text.chars().count() <= 30 {
            return false;
        }
        let (left, right) = self.edges(row, page);
        let (next_left, _) = self.edges(next, next_page);
        let room = (0.6 + unbreakable(&next.text)) * size;
        let full = row.x1 >= right - room && row.x0 <= left + 4.5 * size;
        let indented = next.x0 > next_left + 1.2 * size;
        let apart = same_page && row.column == next.column && gap > self.pitch * 1.5 + 1.0;
        let ended = row.text.ends_with(['。', '；', '：', '！', '？']);
        full && !(indented || apart || marked && ended)
    }

    fn blocks(&self, pages: Vec<Laid>) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut last: Option<(Row, usize)> = None;
        for (index, page) in pages.into_iter().enumerate() {
            for (at, piece) in page.pieces.into_iter().enumerate() {
                let row = match piece {
                    Piece::Row(row) => row,
                    Piece::Table(mut table) => {
                        let goes_on = match blocks.last_mut() {
                            Some(Block::Table(before)) if at == 0 => before.goes_on(&mut table),
                            _ => false,
                        };
                        if !goes_on {
                            blocks.push(Block::Table(table));
                        }
                        last = None;
                        continue;
                    }
                };
                let follows = last
                    .as_ref()
                    .is_some_and(|(before, page)| self.goes_on((before, *page), (&row, index)));
                match blocks.last_mut() {
                    Some(Block::Paragraph(paragraph)) if follows => {
                        append(&mut paragraph.text, &row.text);
                        paragraph.bold &= row.bold;
                    }
                    _ => blocks.push(Block::Paragraph(Paragraph {
                        text: row.text.clone(),
                        size: row.size,
                        bold: row.bold,
                        page: index,
                    })),
                }
                last = Some((row, index));
            }
        }
        blocks
    }

    /// Whether the paragraph can be a heading by its size.
    fn is_heading(&self, paragraph: &Paragraph) -> bool {
        self.is_large(paragraph.size)
            && paragraph.text.chars().count() <= HEADING
            && !paragraph.text.ends_with(['。', '；', '，'])
            && !is_letterhead(&paragraph.text)
    }
}

/// 启明市人民政府文件: the red head of an official document, larger than its title.
fn is_letterhead(text: &str) -> bool {
    text.ends_with("文件") && text.chars().count() <= 40 && !text.contains("关于")
}

/// Twice the size, for comparison.
fn halves(size: f32) -> i32 {
    (size * 2.0).round() as i32
}

/// The text of all pages.
pub(super) fn lines(mut pages: Vec<Laid>) -> Vec<Line> {
    drop_running(&mut pages);
    let body = body_size(&pages);
    let flow = Flow {
        edges: edges(&pages, body),
        body,
        pitch: pitch(&pages, body),
    };
    let blocks = flow.blocks(pages);
    let paragraphs = || {
        blocks.iter().filter_map(|block| match block {
            Block::Paragraph(paragraph) => Some(paragraph),
            Block::Table(_) => None,
        })
    };
    let mut sizes: Vec<i32> = paragraphs()
        .filter(|p| flow.is_heading(p))
        .map(|p| halves(p.size))
        .collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    sizes.dedup();
    let top = paragraphs()
        .take(12)
        .filter(|p| p.page == 0 && flow.is_heading(p))
        .map(|p| halves(p.size))
        .max();
    let mut titled = false;
    let mut out = Vec::new();
    for block in blocks {
        match block {
            Block::Table(table) => {
                out.push(Line::new("", Hint::Plain));
                table.lines(&mut out);
            }
            Block::Paragraph(paragraph) => {
                let heading = flow.is_heading(&paragraph);
                let level = sizes
                    .iter()
                    .position(|size| *size == halves(paragraph.size));
                let hint = match level {
                    Some(_) if heading && !titled && top == Some(halves(paragraph.size)) => {
                        titled = true;
                        Hint::Title
                    }
                    Some(level) if heading => Hint::Heading(level.min(4) as u8 + 1),
                    _ if paragraph.bold && paragraph.text.chars().count() <= 40 => Hint::Strong,
                    _ => Hint::Plain,
                };
                out.push(Line::new(paragraph.text, hint));
            }
        }
    }
    out
}
