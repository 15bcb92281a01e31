//! What kind of sheet it is, and its lines.

use std::sync::LazyLock;

use kernel::Result;
use regex::Regex;

use super::grid::Grid;
use super::{Book, Sheet};
use crate::document::DocumentKind;
use crate::limits::Limits;
use crate::metadata::pattern;
use crate::page::{Hint, Line, Said, Source};
use crate::table;

pattern!(
    QUESTION,
    r"^(?i-u:(?:标准|常见|咨询|用户|热点)?(?:问题?|提问|问句|问法)(?:名称|内容|描述|标题)?|question|q)$"
);
pattern!(
    ANSWER,
    r"^(?i-u:(?:标准|参考|官方)?(?:答案?|回答|答复|解答|回复)(?:内容)?|answer|a)$"
);
pattern!(
    ITEM,
    r"^(?:(?:政务)?(?:服务)?事项|办理事项|业务|服务)(?:名称|标题)?$"
);
pattern!(
    GUIDE,
    r"(?:条件|材料|流程|程序|步骤|时限|收费|地点|窗口|电话|依据|对象|方式|渠道|时间|结果|平台|网址|部门|机构)"
);
pattern!(DEFAULT_NAME, r"(?i)^(?:sheet|工作表|表)\s*\d*$");
/// 序号 says nothing.
static INDEX: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(?:序号|编号|No\.?|#|ID)$").expect("the pattern is fixed"));

/// Rows and characters of one group of a table.
const ROWS: usize = 30;
const GROUP: usize = 1_600;

fn key(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace() && *c != '*')
        .collect()
}

fn find(header: &[String], pattern: &Regex) -> Option<usize> {
    header.iter().position(|name| pattern.is_match(&key(name)))
}

/// The lines of a sheet, and what kind of document such sheets make.
fn lines(grid: &Grid, level: u8, out: &mut Vec<Line>) -> DocumentKind {
    let (question, answer) = (find(&grid.header, &QUESTION), find(&grid.header, &ANSWER));
    if let (Some(question), Some(answer)) = (question, answer) {
        questions(grid, question, answer, out);
        return DocumentKind::Faq;
    }
    if let Some(item) = find(&grid.header, &ITEM) {
        let guide = grid
            .header
            .iter()
            .filter(|name| GUIDE.is_match(name))
            .count();
        if guide >= 3 {
            items(grid, item, level, out);
            return DocumentKind::Guide;
        }
    }
    rows(grid, out);
    DocumentKind::Other
}

/// One question with its answer a row; other columns stand behind the answer.
fn questions(grid: &Grid, question: usize, answer: usize, out: &mut Vec<Line>) {
    for row in &grid.rows {
        let others = grid
            .header
            .iter()
            .zip(row)
            .enumerate()
            .filter(|(at, (name, value))| {
                *at != question && *at != answer && !value.is_empty() && !INDEX.is_match(&key(name))
            });
        if row[question].is_empty() {
            // An answer without a question, or a line between the groups.
            let all = row.iter().filter(|cell| !cell.is_empty());
            out.extend(all.map(|cell| Line::new(cell.as_str(), Hint::Body)));
            continue;
        }
        let words = row[question]
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        out.push(Line::new(format!("问：{words}"), Hint::Question));
        if !row[answer].is_empty() {
            out.push(Line::new(format!("答：{}", row[answer]), Hint::Body));
        }
        for (_, (name, value)) in others {
            let line = if name.is_empty() {
                value.clone()
            } else {
                format!("{name}：{value}")
            };
            out.push(Line::new(line, Hint::Body));
        }
    }
}

/// One section a row, with a heading a column.
fn items(grid: &Grid, item: usize, level: u8, out: &mut Vec<Line>) {
    for row in &grid.rows {
        let title = row[item].split_whitespace().collect::<Vec<_>>().join(" ");
        if !title.is_empty() {
            out.push(Line::new(title, Hint::Section(level)));
        }
        for (at, (name, value)) in grid.header.iter().zip(row).enumerate() {
            if at == item || value.is_empty() || INDEX.is_match(&key(name)) {
                continue;
            }
            if !name.is_empty() {
                out.push(Line::new(name.as_str(), Hint::Section(level + 1)));
            }
            out.push(Line::new(value.as_str(), Hint::Plain));
        }
        out.push(Line::new("", Hint::Plain));
    }
}

fn pipes(cells: &[String]) -> String {
    let mut text = String::from("|");
    for cell in cells {
        text.push(' ');
        text.push_str(&table::flatten(cell));
        text.push_str(" |");
    }
    text
}

/// A table in groups of rows, each with the header.
fn rows(grid: &Grid, out: &mut Vec<Line>) {
    let (header, rule) = (
        pipes(&grid.header),
        format!("|{}", " --- |".repeat(grid.header.len())),
    );
    let (mut count, mut size) = (0, 0);
    let head = |hint: Hint, out: &mut Vec<Line>| {
        out.push(Line::new(header.as_str(), hint));
        out.push(Line::new(rule.as_str(), Hint::Rule));
    };
    head(Hint::Header, out);
    for row in &grid.rows {
        let text = pipes(row);
        let own = text.chars().count();
        if count > 0 && (count >= ROWS || size + own > GROUP) {
            head(Hint::Again, out);
            (count, size) = (0, 0);
        }
        (count, size) = (count + 1, size + own);
        out.push(Line::new(text, Hint::Row));
    }
}

/// The lines of all sheets.
pub(super) fn source(name: &str, book: Book, limits: &Limits) -> Result<Source> {
    let sheets: Vec<Sheet> = book
        .sheets
        .into_iter()
        .filter(|s| !s.rows.is_empty())
        .collect();
    let many = sheets.len() > 1;
    let mut source = Source {
        notes: book.notes,
        ..Source::default()
    };
    let mut kinds = Vec::new();
    for (index, sheet) in sheets.into_iter().enumerate() {
        let own = sheet.name.trim().to_owned();
        let grid = Grid::of(name, sheet, limits)?;
        let out = &mut source.lines;
        let mut titles = grid.titles.iter();
        if index == 0 {
            out.extend(
                titles
                    .next()
                    .map(|title| Line::new(title.as_str(), Hint::Title)),
            );
        }
        if many && !own.is_empty() && !DEFAULT_NAME.is_match(&own) {
            out.push(Line::new(own, Hint::Section(2)));
        }
        out.extend(titles.map(|title| Line::new(title.as_str(), Hint::Body)));
        if !grid.header.is_empty() {
            kinds.push(lines(&grid, if many { 3 } else { 2 }, out));
        }
        source.lines.push(Line::new("", Hint::Plain));
    }
    // One kind of sheet makes the document's kind; tables beside them do not change it.
    let told = |kind| kinds.contains(&kind);
    source.said = Said {
        kind: match (told(DocumentKind::Faq), told(DocumentKind::Guide)) {
            (true, false) => Some(DocumentKind::Faq),
            (false, true) => Some(DocumentKind::Guide),
            _ => None,
        },
        named: true,
        ..Said::default()
    };
    Ok(source)
}
