//! Spreadsheets: question-answer sheets, lists of service items, and tables of anything else.

mod grid;
mod number;
mod reading;
mod separated;
mod workbook;

use std::collections::BTreeMap;

use kernel::Result;

use crate::fault;
use crate::limits::Limits;
use crate::page::Source;

/// A sheet as it stands in the file. Rows and columns are counted from 0.
#[derive(Debug, Default)]
struct Sheet {
    name: String,
    /// Cells that show something, as they show it.
    rows: BTreeMap<u32, BTreeMap<u32, String>>,
    merged: Vec<Merged>,
}

/// Cells that are shown as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Merged {
    top: u32,
    left: u32,
    bottom: u32,
    right: u32,
}

/// A workbook.
#[derive(Debug, Default)]
struct Book {
    sheets: Vec<Sheet>,
    /// What a person should look at.
    notes: Vec<String>,
}

fn too_many(name: &str, limits: &Limits) -> kernel::Error {
    fault::too_large(
        name,
        &format!("表格不能超过 {} 万格", limits.cells / 10_000),
    )
}

/// Lines of an .xlsx workbook.
pub(crate) fn workbook(name: &str, bytes: &[u8], limits: &Limits) -> Result<Source> {
    reading::source(name, workbook::read(name, bytes, limits)?, limits)
}

/// Lines of a .csv file.
pub(crate) fn separated(name: &str, bytes: &[u8], limits: &Limits) -> Result<Source> {
    reading::source(name, separated::read(name, bytes, limits)?, limits)
}
