//! Workbooks (SpreadsheetML): parts to cells as they are shown.

use std::collections::HashMap;

use kernel::Result;

use super::number::Format;
use super::{Book, Merged, Sheet, too_many};
use crate::limits::Limits;
use crate::package::Package;
use crate::xml::{Event, Tag, walk};

/// Columns and rows that a sheet can have.
const COLUMNS: u32 = 16_384;
const ROWS: u32 = 1_048_576;
/// Merged areas of one sheet.
const MERGED: usize = 100_000;

/// What the workbook says of its sheets.
#[derive(Default)]
struct Listed {
    /// Name, relation and whether it is shown.
    sheets: Vec<(String, String, bool)>,
    since_1904: bool,
}

fn listed(package: &mut Package<'_>, main: &str) -> Result<Listed> {
    let text = package.part(main)?.unwrap_or_default();
    let mut out = Listed::default();
    walk(package.name, &text, package.limits, &mut |event| {
        let Event::Open(tag) = event else { return };
        match tag.name {
            "workbookPr" => {
                out.since_1904 = matches!(tag.attr("date1904"), Some("1" | "true"));
            }
            "sheet" => out.sheets.push((
                tag.attr("name").unwrap_or("").to_owned(),
                // The prefix is left off, and sheetId has a name of its own.
                tag.attr("id").unwrap_or("").to_owned(),
                tag.attr("state").is_none_or(|state| state == "visible"),
            )),
            _ => {}
        }
    })?;
    Ok(out)
}

/// Texts that cells refer to by number.
fn shared(package: &mut Package<'_>, path: Option<&str>) -> Result<Vec<String>> {
    let mut out = Vec::new();
    let Some(text) = path.map(|path| package.part(path)).transpose()?.flatten() else {
        return Ok(out);
    };
    let (mut current, mut in_text, mut phonetic) = (String::new(), false, false);
    walk(
        package.name,
        &text,
        package.limits,
        &mut |event| match event {
            Event::Open(tag) => match tag.name {
                "si" => current.clear(),
                "rPh" => phonetic = true,
                "t" => in_text = !phonetic,
                _ => {}
            },
            Event::Text(text) if in_text => current.push_str(text),
            Event::Text(_) => {}
            Event::Close(name) => match name {
                "t" => in_text = false,
                "rPh" => phonetic = false,
                "si" => out.push(std::mem::take(&mut current)),
                _ => {}
            },
        },
    )?;
    Ok(out)
}

/// The number format of each style of a cell.
fn styles(package: &mut Package<'_>, path: Option<&str>) -> Result<Vec<Format>> {
    let Some(text) = path.map(|path| package.part(path)).transpose()?.flatten() else {
        return Ok(Vec::new());
    };
    let mut own: HashMap<u32, String> = HashMap::new();
    let mut ids = Vec::new();
    let mut in_cells = false;
    let number = |tag: &Tag<'_>| tag.attr("numFmtId").and_then(|id| id.parse::<u32>().ok());
    walk(
        package.name,
        &text,
        package.limits,
        &mut |event| match event {
            Event::Open(tag) => match tag.name {
                "numFmt" => {
                    if let (Some(id), Some(code)) = (number(tag), tag.attr("formatCode")) {
                        own.insert(id, code.to_owned());
                    }
                }
                "cellXfs" => in_cells = true,
                "xf" if in_cells => ids.push(number(tag).unwrap_or(0)),
                _ => {}
            },
            Event::Close("cellXfs") => in_cells = false,
            _ => {}
        },
    )?;
    Ok(ids
        .into_iter()
        .map(|id| Format::new(id, own.get(&id).map(String::as_str)))
        .collect())
}

/// Row and column of a reference such as `AB12`, from 0.
fn place(reference: &str) -> Option<(u32, u32)> {
    let digits = reference.find(|c: char| c.is_ascii_digit())?;
    let column = reference[..digits].bytes().try_fold(0u32, |sum, letter| {
        let letter = letter.to_ascii_uppercase();
        let value = u32::from(letter.checked_sub(b'A').filter(|n| *n < 26)?) + 1;
        sum.checked_mul(26)?.checked_add(value)
    })?;
    let row: u32 = reference[digits..].parse().ok()?;
    let fits = (1..=COLUMNS).contains(&column) && (1..=ROWS).contains(&row);
    fits.then(|| (row - 1, column - 1))
}

fn area(reference: &str) -> Option<Merged> {
    let reference = reference.replace('$', "");
    let (from, to) = reference.split_once(':')?;
    let ((top, left), (bottom, right)) = (place(from)?, place(to)?);
    (top <= bottom && left <= right).then_some(Merged {
        top,
        left,
        bottom,
        right,
    })
}

#[derive(Default)]
struct Cell {
    place: (u32, u32),
    kind: String,
    style: usize,
    value: String,
    formula: bool,
}

/// Reads one sheet, cell by cell.
struct Reader<'a> {
    shared: &'a [String],
    styles: &'a [Format],
    since_1904: bool,
    most: usize,
    cells: usize,
    sheet: Sheet,
    cell: Option<Cell>,
    next: (u32, u32),
    in_value: bool,
    phonetic: bool,
    /// Formulas whose result the file does not have, and cells that show an error.
    unknown: usize,
    wrong: usize,
    hidden: bool,
}

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Open(tag) => self.open(tag),
            Event::Text(text) => {
                if let (true, Some(cell)) = (self.in_value, &mut self.cell) {
                    cell.value.push_str(text);
                }
            }
            Event::Close(name) => match name {
                "v" | "t" => self.in_value = false,
                "rPh" => self.phonetic = false,
                "c" => self.end_cell(),
                _ => {}
            },
        }
    }

    fn open(&mut self, tag: &Tag<'_>) {
        let is_hidden = || matches!(tag.attr("hidden"), Some("1" | "true"));
        match tag.name {
            "row" => {
                let row = tag.attr("r").and_then(|r| r.parse::<u32>().ok());
                let row = row.and_then(|r| r.checked_sub(1)).unwrap_or(self.next.0);
                self.next = (row, 0);
                self.hidden |= is_hidden();
            }
            "col" => self.hidden |= is_hidden(),
            "c" => {
                let place = tag.attr("r").and_then(place).unwrap_or(self.next);
                self.next = (place.0, place.1 + 1);
                self.cell = Some(Cell {
                    place,
                    kind: tag.attr("t").unwrap_or("").to_owned(),
                    style: tag.attr("s").and_then(|s| s.parse().ok()).unwrap_or(0),
                    ..Cell::default()
                });
            }
            "f" => {
                if let Some(cell) = &mut self.cell {
                    cell.formula = true;
                }
            }
            "rPh" => self.phonetic = true,
            "v" | "t" => self.in_value = self.cell.is_some() && !self.phonetic,
            "mergeCell" => {
                if let Some(area) = tag.attr("ref").and_then(area)
                    && self.sheet.merged.len() < MERGED
                {
                    self.sheet.merged.push(area);
                }
            }
            _ => {}
        }
    }

    fn end_cell(&mut self) {
        let Some(cell) = self.cell.take() else { return };
        if cell.formula && cell.value.is_empty() {
            self.unknown += 1;
        }
        let text = match cell.kind.as_str() {
            "s" => cell
                .value
                .trim()
                .parse::<usize>()
                .ok()
                .and_then(|at| self.shared.get(at))
                .cloned()
                .unwrap_or_default(),
            "b" => if cell.value.trim() == "1" {
                "TRUE"
            } else {
                "FALSE"
            }
            .to_owned(),
            "e" => {
                self.wrong += 1;
                String::new()
            }
            "str" | "inlineStr" => cell.value,
            // 2024-03-05T00:00:00
            "d" => cell.value.trim_end_matches("T00:00:00").to_owned(),
            _ => match cell.value.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => {
                    let format = self.styles.get(cell.style).unwrap_or(&Format::General);
                    format.show(number, self.since_1904)
                }
                _ => cell.value,
            },
        };
        let text = text.trim();
        if text.is_empty() || cell.place.0 >= ROWS || cell.place.1 >= COLUMNS {
            return;
        }
        self.cells += 1;
        if self.cells <= self.most {
            let row = self.sheet.rows.entry(cell.place.0).or_default();
            row.insert(cell.place.1, text.to_owned());
        }
    }

    fn note(&self, notes: &mut Vec<String>) {
        let name = &self.sheet.name;
        if self.unknown > 0 {
            notes.push(format!(
                "工作表“{name}”有 {} 个公式没有保存计算结果，这些格按空白处理。请用 Excel 或 WPS 打开后重新保存。",
                self.unknown
            ));
        }
        if self.wrong > 0 {
            notes.push(format!(
                "工作表“{name}”有 {} 格显示的是错误值（如 #N/A），按空白处理，请核对。",
                self.wrong
            ));
        }
        if self.hidden {
            notes.push(format!(
                "工作表“{name}”有隐藏的行或列，已一并读入，请核对。"
            ));
        }
    }
}

pub(super) fn read(name: &str, bytes: &[u8], limits: &Limits) -> Result<Book> {
    let mut package = Package::open(name, bytes, limits)?;
    let main = package.main("xl/workbook.xml", "里面没有工作簿（xl/workbook.xml）")?;
    let links = package.targets(&main)?;
    let part = |kind: &str| {
        let found = links
            .iter()
            .find(|link| link.kind.ends_with(kind) && !link.outside);
        found.map(|link| link.target.clone())
    };
    let listed = listed(&mut package, &main)?;
    let shared = shared(&mut package, part("/sharedStrings").as_deref())?;
    let styles = styles(&mut package, part("/styles").as_deref())?;
    let mut book = Book::default();
    let mut cells = 0;
    for (sheet, id, shown) in listed.sheets {
        let target = links
            .iter()
            .find(|link| link.id == id && link.kind.ends_with("/worksheet"));
        let Some(link) = target else { continue };
        if !shown {
            book.notes
                .push(format!("工作表“{sheet}”是隐藏的，没有读入。"));
            continue;
        }
        let Some(text) = package.part(&link.target)? else {
            continue;
        };
        let mut reader = Reader {
            shared: &shared,
            styles: &styles,
            since_1904: listed.since_1904,
            most: limits.cells,
            cells,
            sheet: Sheet {
                name: sheet,
                ..Sheet::default()
            },
            cell: None,
            next: (0, 0),
            in_value: false,
            phonetic: false,
            unknown: 0,
            wrong: 0,
            hidden: false,
        };
        walk(name, &text, limits, &mut |event| reader.event(event))?;
        if reader.cells > limits.cells {
            return Err(too_many(name, limits));
        }
        cells = reader.cells;
        reader.note(&mut book.notes);
        book.sheets.push(reader.sheet);
    }
    Ok(book)
}
