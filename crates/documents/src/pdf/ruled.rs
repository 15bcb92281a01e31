//! Tables that are drawn with lines: the lines make cells, the characters fall into them.

use super::content::{Glyph, Segment};
use super::layout::cell_text;
use crate::page::Line;
use crate::table::Grid;

/// Lines that are this near, in points, are one; ends that are this near touch.
const NEAR: f32 = 3.0;
/// A page with more lines than this is a drawing.
const LINES: usize = 3_000;
/// Cells of one table.
const CELLS: usize = 20_000;

/// A cell over `columns` × `rows` places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    columns: usize,
    rows: usize,
}

/// A table of a page.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) top: f32,
    columns: usize,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(super) fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.rows.iter().flatten()
    }

    /// Takes the table of the next page for the rest of this one, if it can be; a repeated head is dropped.
    pub(super) fn goes_on(&mut self, next: &mut Self) -> bool {
        if self.columns != next.columns {
            return false;
        }
        let repeated = self.rows.first() == next.rows.first();
        self.rows.extend(next.rows.drain(usize::from(repeated)..));
        true
    }

    pub(super) fn lines(&self, out: &mut Vec<Line>) {
        let mut grid = Grid::default();
        for (index, row) in self.rows.iter().enumerate() {
            grid.row(index);
            for cell in row {
                grid.put(index, cell.text.clone(), cell.columns, cell.rows);
            }
        }
        grid.lines(out);
    }
}

fn is_flat(segment: &Segment) -> bool {
    segment.y1 - segment.y0 < 1.0
}

fn touches(a: &Segment, b: &Segment) -> bool {
    a.x0 <= b.x1 + NEAR && b.x0 <= a.x1 + NEAR && a.y0 <= b.y1 + NEAR && b.y0 <= a.y1 + NEAR
}

/// Lines that hang together.
fn groups(segments: &[Segment]) -> Vec<Vec<Segment>> {
    let mut left: Vec<Segment> = segments.to_vec();
    let mut groups = Vec::new();
    while let Some(first) = left.pop() {
        let mut group = vec![first];
        let mut at = 0;
        while at < group.len() {
            let current = group[at];
            let (near, far) = left
                .into_iter()
                .partition::<Vec<_>, _>(|other| touches(&current, other));
            group.extend(near);
            left = far;
            at += 1;
        }
        groups.push(group);
    }
    groups
}

/// Values with those near to one another made one, in order.
fn distinct(mut values: Vec<f32>) -> Vec<f32> {
    values.sort_by(f32::total_cmp);
    values.dedup_by(|next, kept| *next - *kept <= NEAR);
    values
}

struct Frame {
    /// From left to right.
    xs: Vec<f32>,
    /// From bottom to top.
    ys: Vec<f32>,
    lines: Vec<Segment>,
}

impl Frame {
    fn of(lines: Vec<Segment>) -> Option<Self> {
        let (flat, upright): (Vec<&Segment>, Vec<&Segment>) =
            lines.iter().partition(|s| is_flat(s));
        let xs = distinct(upright.iter().map(|s| f32::midpoint(s.x0, s.x1)).collect());
        let ys = distinct(flat.iter().map(|s| f32::midpoint(s.y0, s.y1)).collect());
        let (columns, rows) = (xs.len().saturating_sub(1), ys.len().saturating_sub(1));
        (columns >= 2 && rows >= 1 && columns * rows <= CELLS).then_some(Self { xs, ys, lines })
    }

    fn place(&self, glyph: &Glyph) -> Option<(usize, usize)> {
        let (x, y) = (glyph.x + glyph.width / 2.0, glyph.y + glyph.size * 0.3);
        let column = self.xs.partition_point(|edge| *edge <= x).checked_sub(1)?;
        let row = self.ys.partition_point(|edge| *edge <= y).checked_sub(1)?;
        (column + 1 < self.xs.len() && row + 1 < self.ys.len()).then_some((row, column))
    }

    /// Whether a line divides the columns `column - 1` and `column` in a row.
    fn divides_columns(&self, row: usize, column: usize) -> bool {
        let (x, y) = (
            self.xs[column],
            f32::midpoint(self.ys[row], self.ys[row + 1]),
        );
        self.lines
            .iter()
            .any(|s| !is_flat(s) && (s.x0 - x).abs() <= NEAR && s.y0 <= y && y <= s.y1)
    }

    /// Whether a line divides the rows `row - 1` and `row` in a column.
    fn divides_rows(&self, row: usize, column: usize) -> bool {
        let (x, y) = (
            f32::midpoint(self.xs[column], self.xs[column + 1]),
            self.ys[row],
        );
        self.lines
            .iter()
            .any(|s| is_flat(s) && (s.y0 - y).abs() <= NEAR && s.x0 <= x && x <= s.x1)
    }

    /// The table with these characters in its places.
    fn table(&self, mut places: Vec<Vec<Vec<Glyph>>>) -> Table {
        let (columns, rows) = (self.xs.len() - 1, self.ys.len() - 1);
        let mut taken = vec![vec![false; columns]; rows];
        let mut out = Vec::with_capacity(rows);
        for row in (0..rows).rev() {
            let mut line = Vec::new();
            for column in 0..columns {
                if taken[row][column] {
                    continue;
                }
                let mut right = column + 1;
                while right < columns && !taken[row][right] && !self.divides_columns(row, right) {
                    right += 1;
                }
                let mut low = row;
                while low > 0 && !self.divides_rows(low, column) {
                    low -= 1;
                }
                let mut glyphs = Vec::new();
                for y in low..=row {
                    for x in column..right {
                        taken[y][x] = true;
                        glyphs.append(&mut places[y][x]);
                    }
                }
                line.push(Cell {
                    text: cell_text(glyphs),
                    columns: right - column,
                    rows: row - low + 1,
                });
            }
            out.push(line);
        }
        Table {
            top: self.ys[rows],
            columns,
            rows: out,
        }
    }
}

/// The tables of a page from top to bottom, and the characters outside of them.
pub(super) fn tables(segments: &[Segment], glyphs: Vec<Glyph>) -> (Vec<Table>, Vec<Glyph>) {
    if segments.len() > LINES {
        return (Vec::new(), glyphs);
    }
    let mut rest = glyphs;
    let mut out = Vec::new();
    for frame in groups(segments).into_iter().filter_map(Frame::of) {
        let mut places = vec![vec![Vec::new(); frame.xs.len() - 1]; frame.ys.len() - 1];
        let mut outside = Vec::with_capacity(rest.len());
        let mut filled = 0;
        for glyph in rest {
            match frame.place(&glyph) {
                Some((row, column)) => {
                    let place: &mut Vec<Glyph> = &mut places[row][column];
                    filled += usize::from(place.is_empty());
                    place.push(glyph);
                }
                None => outside.push(glyph),
            }
        }
        // A frame around text, or a drawing, is no table.
        if filled < 2 {
            outside.extend(places.into_iter().flatten().flatten());
        } else {
            out.push(frame.table(places));
        }
        rest = outside;
    }
    out.sort_by(|a, b| b.top.total_cmp(&a.top));
    (out, rest)
}
