//! A sheet without its empty rows and columns, its title and its header told from its rows.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Result;

use super::{Merged, Sheet, too_many};
use crate::limits::Limits;

/// Rows that are looked at for titles above the header.
const TITLES: usize = 5;
/// Rows a header can have.
const HEADERS: usize = 4;
/// A cell longer than this many characters is no header.
const NAME: usize = 40;

/// A sheet as one table.
#[derive(Debug, Default)]
pub(super) struct Grid {
    /// Lines above the header: the title, the unit, the day.
    pub(super) titles: Vec<String>,
    /// One name a column; those under a common name begin with it.
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// Rows and columns that show something, counted anew, and the merged areas within them.
struct Dense {
    cells: Vec<Vec<String>>,
    merged: Vec<Merged>,
}

fn dense(name: &str, sheet: Sheet, limits: &Limits) -> Result<Dense> {
    let columns: BTreeSet<u32> = sheet
        .rows
        .values()
        .flat_map(BTreeMap::keys)
        .copied()
        .collect();
    let columns: Vec<u32> = columns.into_iter().collect();
    let numbers: Vec<u32> = sheet.rows.keys().copied().collect();
    if columns.len().saturating_mul(numbers.len()) > limits.cells.saturating_mul(4) {
        return Err(too_many(name, limits));
    }
    let mut cells = Vec::with_capacity(numbers.len());
    for mut row in sheet.rows.into_values() {
        cells.push(
            columns
                .iter()
                .map(|c| row.remove(c).unwrap_or_default())
                .collect(),
        );
    }
    // What of an area is left between the rows and columns that went.
    let within = |list: &[u32], from: u32, to: u32| {
        let start = list.partition_point(|n| *n < from);
        let end = list.partition_point(|n| *n <= to);
        (start < end).then(|| (start as u32, end as u32 - 1))
    };
    let merged = sheet.merged.iter().filter_map(|area| {
        let (top, bottom) = within(&numbers, area.top, area.bottom)?;
        let (left, right) = within(&columns, area.left, area.right)?;
        Some(Merged {
            top,
            left,
            bottom,
            right,
        })
    });
    let merged = merged.collect();
    Ok(Dense { cells, merged })
}

fn filled(row: &[String]) -> usize {
    row.iter().filter(|cell| !cell.is_empty()).count()
}

impl Dense {
    /// Gives the text of merged cells to all of them, within these rows.
    fn spread(&mut self, from: usize, to: usize, across: bool) {
        for area in &self.merged {
            let (top, left) = (area.top as usize, area.left as usize);
            if top < from || top >= to {
                continue;
            }
            let right = if across { area.right as usize } else { left };
            let text = self.cells[top][left].clone();
            for row in &mut self.cells[top..=(area.bottom as usize).min(to - 1)] {
                for cell in &mut row[left..=right] {
                    if cell.is_empty() {
                        cell.clone_from(&text);
                    }
                }
            }
        }
    }

    /// How many rows above the header hold one text only.
    fn titles(&self) -> usize {
        let wide = self.cells.iter().map(|row| filled(row)).max().unwrap_or(0) > 1;
        let single = |row: &&Vec<String>| wide && filled(row) == 1;
        self.cells.iter().take(TITLES).take_while(single).count()
    }

    /// The row behind the header that begins at `first`: what is merged downwards belongs to it, and names below a common name.
    fn header_end(&self, first: usize) -> usize {
        let mut end = first + 1;
        let mut at = 0;
        while at < self.merged.len() && end - first < HEADERS {
            let area = self.merged[at];
            at += 1;
            let (top, bottom) = (area.top as usize, area.bottom as usize);
            if top < first || top >= end {
                continue;
            }
            let below = if area.right > area.left {
                bottom + 2
            } else {
                bottom + 1
            };
            let wanted = below.min(first + HEADERS).min(self.cells.len());
            let names = |row: &Vec<String>| row.iter().all(|cell| cell.chars().count() <= NAME);
            if wanted > end && self.cells[end..wanted].iter().all(names) {
                end = wanted;
                at = 0;
            }
        }
        end
    }
}

impl Grid {
    pub(super) fn of(name: &str, sheet: Sheet, limits: &Limits) -> Result<Self> {
        let mut dense = dense(name, sheet, limits)?;
        let first = dense.titles();
        let titles = dense.cells[..first]
            .iter()
            .flat_map(|row| row.iter().find(|cell| !cell.is_empty()).cloned())
            .collect();
        if first >= dense.cells.len() {
            return Ok(Self {
                titles,
                ..Self::default()
            });
        }
        let end = dense.header_end(first);
        let len = dense.cells.len();
        dense.spread(first, end, true);
        // In the rows, what is merged downwards holds for each of them.
        dense.spread(end, len, false);
        let width = dense.cells[first].len();
        let header = (0..width)
            .map(|column| {
                let mut name: Vec<&str> = Vec::new();
                for row in &dense.cells[first..end] {
                    let part = row[column].as_str();
                    if !part.is_empty() && name.last() != Some(&part) {
                        name.push(part);
                    }
                }
                name.join(" ")
            })
            .collect();
        Ok(Self {
            titles,
            header,
            rows: dense.cells.split_off(end),
        })
    }
}
