//! Values separated by commas, semicolons or tabs.

use csv::{ReaderBuilder, StringRecord};
use kernel::Result;

use super::{Book, Sheet, too_many};
use crate::limits::Limits;
use crate::{fault, plain};

/// Lines that are looked at to find the separator.
const LOOKED_AT: usize = 50;

/// The separator with which most lines have the same number of values, more than one.
fn separator(text: &str) -> u8 {
    let agreement = |separator: u8| {
        let head: Vec<usize> = reader(text, separator)
            .records()
            .take(LOOKED_AT)
            .map_while(csv::Result::ok)
            .map(|record| record.len())
            .filter(|len| *len > 1)
            .collect();
        let first = head.first().copied().unwrap_or(0);
        head.iter().filter(|len| **len == first).count()
    };
    // The first of those that do equally well.
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|separator| agreement(*separator))
        .unwrap_or(b',')
}

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
}

pub(super) fn read(name: &str, bytes: &[u8], limits: &Limits) -> Result<Book> {
    let text = plain::decode(name, bytes)?;
    let text = text.trim_start_matches('\u{feff}');
    // Excel's own way of naming the separator.
    let (text, named) = match text
        .strip_prefix("sep=")
        .and_then(|rest| rest.split_once('\n'))
    {
        Some((separator, rest)) if separator.len() == 1 => (rest, Some(separator.as_bytes()[0])),
        _ => (text, None),
    };
    let mut reader = reader(text, named.unwrap_or_else(|| separator(text)));
    let mut sheet = Sheet::default();
    let (mut record, mut cells) = (StringRecord::new(), 0usize);
    let mut row = 0;
    while reader
        .read_record(&mut record)
        .map_err(|e| fault::damaged(name, "表格的格式有误").with_detail(e))?
    {
        for (column, value) in (0..).zip(&record) {
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            cells += 1;
            if cells > limits.cells {
                return Err(too_many(name, limits));
            }
            let line = sheet.rows.entry(row).or_default();
            line.insert(column, value.to_owned());
        }
        row += 1;
    }
    Ok(Book {
        sheets: vec![sheet],
        notes: Vec::new(),
    })
}
