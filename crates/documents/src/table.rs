//! Tables as Markdown pipe rows.

use crate::page::{Hint, Line};

/// A grid of cells; merged cells hold their text in their first place only.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    rows: Vec<Vec<Option<String>>>,
    places: usize,
}

/// Places beyond which a merged cell is cut: no honest table needs more, and a dishonest one would fill the memory.
const SPAN: usize = 200;
/// Places of one table beyond which cells are no longer merged.
const PLACES: usize = 1_000_000;

impl Grid {
    pub(crate) fn row(&mut self, index: usize) -> &mut Vec<Option<String>> {
        while self.rows.len() <= index {
            self.rows.push(Vec::new());
        }
        &mut self.rows[index]
    }

    /// Puts a cell into the first free place of the row, over `columns` × `rows` places.
    pub(crate) fn put(&mut self, row: usize, text: String, columns: usize, rows: usize) {
        let (mut columns, mut rows) = (columns.clamp(1, SPAN), rows.clamp(1, SPAN));
        if self.places > PLACES {
            (columns, rows) = (1, 1);
        }
        self.places += columns * rows;
        let line = self.row(row);
        let free = if line.len() > SPAN {
            None
        } else {
            line.iter().position(Option::is_none)
        };
        let column = free.unwrap_or(line.len());
        for y in row..row + rows {
            let line = self.row(y);
            while line.len() < column + columns {
                line.push(None);
            }
            for place in &mut line[column..column + columns] {
                place.get_or_insert_default();
            }
        }
        self.row(row)[column] = Some(text);
    }

    /// The rows as pipe lines, with a rule under the first. Rows without text are left out.
    pub(crate) fn lines(&self, out: &mut Vec<Line>) {
        let rows: Vec<&Vec<Option<String>>> = self
            .rows
            .iter()
            .filter(|row| row.iter().flatten().any(|cell| !cell.trim().is_empty()))
            .collect();
        let width = rows.iter().map(|row| row.len()).max().unwrap_or(0);
        for (index, row) in rows.into_iter().enumerate() {
            let mut text = String::from("|");
            for column in 0..width.min(SPAN).max(row.len()) {
                let cell = row.get(column).and_then(Option::as_deref).unwrap_or("");
                text.push(' ');
                text.push_str(&flatten(cell));
                text.push_str(" |");
            }
            out.push(Line::new(
                text,
                if index == 0 { Hint::Header } else { Hint::Row },
            ));
            if index == 0 {
                out.push(Line::new(
                    format!("|{}", " --- |".repeat(width.clamp(1, SPAN))),
                    Hint::Rule,
                ));
            }
        }
    }
}

/// A cell on one line.
pub(crate) fn flatten(cell: &str) -> String {
    let mut out = String::with_capacity(cell.len());
    for word in cell.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&word.replace('|', "\\|"));
    }
    out
}
