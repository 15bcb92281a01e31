//! Businesses from tables: comma-separated values whose first row names the columns.

use std::collections::HashSet;

use jiff::civil::Date;
use serde_json::{Map, Value as Json};

use super::{
    businesses::{BusinessInput, Contact, Sound},
    profile,
};
use crate::items::reading::Finding;

/// The most rows of a table.
pub const MOST_ROWS: usize = 20_000;

/// The most findings that are told.
const TOLD: usize = 100;

enum Column {
    Name,
    Code,
    Person,
    Phone,
    Address,
    Profile(&'static str),
}

fn column(title: &str) -> Option<Column> {
    let title = title.trim().trim_start_matches('\u{feff}');
    Some(match title {
        "企业名称" | "名称" | "name" => Column::Name,
        "统一社会信用代码" | "信用代码" | "credit_code" => Column::Code,
        "联系人" | "person" => Column::Person,
        "联系电话" | "电话" | "phone" => Column::Phone,
        "地址" | "联系地址" | "address" => Column::Address,
        other => {
            let mut fields = profile::fields().iter();
            let field = fields.find(|f| f.id == other || f.label == other)?;
            Column::Profile(&field.id)
        }
    })
}

/// Reads a table of businesses.
///
/// # Errors
/// Everything that is wrong with it, by row and column.
pub fn read_table(text: &str, on: Date) -> Result<Vec<Sound>, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut say = |line: u64, column: usize, message: String| {
        findings.push(Finding {
            line,
            column: column as u64 + 1,
            message,
        });
    };
    let Some(rows) = cells(text) else {
        say(1, 0, "引号没有配对，不是合格的 CSV。".to_owned());
        return Err(findings);
    };
    let mut rows = rows.into_iter();
    let Some((_, titles)) = rows.next() else {
        say(1, 0, "表是空的：第一行写列名。".to_owned());
        return Err(findings);
    };
    let mut columns = Vec::new();
    for (at, title) in titles.iter().enumerate() {
        let found = column(title);
        if found.is_none() {
            let shown: String = title.chars().take(40).collect();
            say(1, at, format!("不认识的列“{shown}”。"));
        }
        columns.push(found);
    }
    let has = |wanted: fn(&Column) -> bool| columns.iter().flatten().any(wanted);
    if !has(|c| matches!(c, Column::Name)) || !has(|c| matches!(c, Column::Code)) {
        say(1, 0, "要有“企业名称”和“统一社会信用代码”两列。".to_owned());
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let (mut sound, mut seen) = (Vec::new(), HashSet::new());
    for (line, row) in rows {
        let mut say = |column: usize, message: String| {
            findings.push(Finding {
                line,
                column: column as u64 + 1,
                message,
            });
        };
        if row.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if sound.len() == MOST_ROWS {
            say(0, format!("一次最多{MOST_ROWS}家企业，请分成几份。"));
            break;
        }
        if row.len() > columns.len() {
            say(columns.len(), "这一行的格子比列名多。".to_owned());
            continue;
        }
        match business(&columns, row).sound(on) {
            Ok(one) if !seen.insert(one.credit_code.clone()) => {
                let code = one.credit_code;
                say(0, format!("统一社会信用代码“{code}”在表里出现了两次。"));
            }
            Ok(one) => sound.push(one),
            Err(wrong) => {
                for one in wrong {
                    say(place(&columns, &one.field), one.message);
                }
            }
        }
        if findings.len() >= TOLD {
            break;
        }
    }
    if findings.is_empty() {
        Ok(sound)
    } else {
        Err(findings)
    }
}

/// The column of a field; the first if it has none.
fn place(columns: &[Option<Column>], field: &str) -> usize {
    let at = columns.iter().position(|c| match c {
        Some(Column::Profile(id)) => *id == field,
        Some(Column::Name) => field == "name",
        Some(Column::Code) => field == "credit_code",
        Some(Column::Phone) => field == "phone",
        Some(Column::Person) => field == "person",
        Some(Column::Address) => field == "address",
        None => false,
    });
    at.unwrap_or_default()
}

fn business(columns: &[Option<Column>], row: Vec<String>) -> BusinessInput {
    let mut input = BusinessInput {
        name: String::new(),
        credit_code: String::new(),
        contact: Contact::default(),
        profile: Map::new(),
    };
    for (column, cell) in columns.iter().flatten().zip(row) {
        match column {
            Column::Name => input.name = cell,
            Column::Code => input.credit_code = cell,
            Column::Person => input.contact.person = Some(cell),
            Column::Phone => input.contact.phone = Some(cell),
            Column::Address => input.contact.address = Some(cell),
            Column::Profile(id) => {
                input.profile.insert((*id).to_owned(), Json::from(cell));
            }
        }
    }
    input
}

/// The rows of a table with the line that each begins on (RFC 4180); nothing if a quote is left open.
fn cells(text: &str) -> Option<Vec<(u64, Vec<String>)>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut line, mut begun, mut quoted) = (1, 1, false);
    let mut chars = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\n' {
            line += 1;
        }
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            c if quoted => cell.push(c),
            ',' => row.push(std::mem::take(&mut cell)),
            '\r' => {}
            '\n' => {
                row.push(std::mem::take(&mut cell));
                rows.push((begun, std::mem::take(&mut row)));
                begun = line;
            }
            c => cell.push(c),
        }
    }
    if quoted {
        return None;
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push((begun, row));
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ON: Date = Date::constant(2026, 11, 27);

    #[test]
    fn a_table_is_read_by_the_names_of_its_columns() {
        let text = "\u{feff}企业名称,统一社会信用代码,所属行业,staff,近一年营业收入,已有的资质和认定\r\n\
                    \"启明市甲,乙有限公司\",91350100M000100Y43,制造业,30,\"1,200万元\",\"高新技术企业、绿色工厂\"\n\n";
        let rows = read_table(text, ON).unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].name, "启明市甲,乙有限公司");
        let facts = profile::written(&rows[0].facts);
        assert_eq!(facts["industry"], "manufacturing");
        assert_eq!(facts["staff"], 30);
        assert_eq!(facts["revenue"], 12_000_000);
        assert_eq!(
            facts["qualifications"],
            serde_json::json!(["high_tech", "green_factory"])
        );
    }

    #[test]
    fn what_is_wrong_with_a_table_is_told_by_row_and_column() {
        let bad = "企业名称,统一社会信用代码,staff\n\
                   启明市一厂,91350100M000100Y44,3\n\
                   启明市二厂,91350100M000100Y43,-5\n\
                   启明市三厂,91350100M000100Y43,3,多余\n";
        let found = read_table(bad, ON).unwrap_err();
        let places: Vec<(u64, u64)> = found.iter().map(|f| (f.line, f.column)).collect();
        assert_eq!(places, [(2, 2), (3, 3), (4, 4)], "{found:?}");
        for (text, said) in [
            ("", "第一行写列名"),
            ("企业名称,颜色\n", "不认识的列"),
            ("企业名称,地址\n", "统一社会信用代码"),
            ("企业名称,\"统一\n", "引号"),
        ] {
            let found = read_table(text, ON).unwrap_err();
            assert!(found[0].message.contains(said), "{text}: {found:?}");
        }
    }
}
