//! Elements to lines.

use std::sync::LazyLock;

use ego_tree::NodeRef;
use ego_tree::iter::Edge;
use regex::Regex;
use scraper::Node;
use scraper::node::Element;

use super::content::{self, Skip};
use crate::page::{Hint, Line};
use crate::picture::{Found, Origin};
use crate::table::Grid;

static BUTTONS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^[\s【\[（(]*(?:打印(?:本页|此页|页面)?|关闭(?:窗口|本页|页面)?|分享(?:到|至)?.{0,12}|收藏|返回(?:顶部|首页|列表)?|上一[篇条].{0,60}|下一[篇条].{0,60}|",
        r"字[体号][：:\s]*[\[【]?\s*大.{0,12}小.{0,3}|扫一扫在手机打开当前页|(?:您)?(?:现在|当前)(?:所在)?的?位置[：:].{0,100}|浏览次数.{0,20}|点击[数率]?.{0,10}|",
        r"相关(?:链接|文件|新闻|阅读)|无障碍(?:浏览|阅读)?|长者模式|首页(?:\s*[>＞»].{1,80})?)[\s】\]）)：:]*$",
    ))
    .expect("the pattern is fixed")
});

const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "legend",
    "li",
    "main",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
    "br",
    "caption",
];

/// Cells longer than this hold running text: the table only places it on the page.
const LAYOUT_CELL: usize = 600;

fn heading_level(element: &Element) -> Option<u8> {
    match element.name() {
        "h1" => Some(1),
        "h2" => Some(2),
        "h3" => Some(3),
        "h4" => Some(4),
        "h5" => Some(5),
        "h6" => Some(6),
        _ => None,
    }
}

fn is_bold(element: &Element) -> bool {
    let style = element.attr("style").unwrap_or("");
    matches!(element.name(), "b" | "strong" | "center")
        || element
            .attr("align")
            .is_some_and(|a| a.eq_ignore_ascii_case("center"))
        || style.contains("font-weight: bold")
        || style.contains("font-weight:bold")
        || style.contains("text-align:center")
        || style.contains("text-align: center")
}

/// Appends text as a browser shows it: runs of blanks become one.
fn append(out: &mut String, text: &str) {
    for c in text.chars() {
        if matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}') {
            if !out.is_empty() && !out.ends_with([' ', '\u{3000}']) {
                out.push(' ');
            }
        } else {
            out.push(c);
        }
    }
}

/// All text of an element on one line.
pub(super) fn text(node: NodeRef<'_, Node>) -> String {
    let mut out = String::new();
    for child in node.descendants() {
        match child.value() {
            Node::Text(text) => append(&mut out, text),
            Node::Element(element) if BLOCKS.contains(&element.name()) => append(&mut out, " "),
            _ => {}
        }
    }
    out.trim().to_owned()
}

/// The picture that the element is.
fn picture(element: &Element) -> Option<Found> {
    if element.name() != "img" {
        return None;
    }
    // Pages that load pictures late keep the address aside.
    let address = ["data-src", "data-original", "src"]
        .into_iter()
        .find_map(|name| element.attr(name).filter(|value| !value.trim().is_empty()))?;
    Some(Found {
        alt: element.attr("alt").unwrap_or("").to_owned(),
        origin: Origin::Address(address.to_owned()),
    })
}

#[derive(Default)]
struct Writer {
    lines: Vec<Line>,
    text: String,
    pictures: Vec<Found>,
    characters: usize,
    strong_characters: usize,
    strong: usize,
    heading: Option<u8>,
    titled: bool,
}

impl Writer {
    fn push(&mut self, text: &str) {
        let count = text.chars().filter(|c| !c.is_whitespace()).count();
        self.characters += count;
        if self.strong > 0 {
            self.strong_characters += count;
        }
        append(&mut self.text, text);
    }

    fn end_line(&mut self) {
        let text = std::mem::take(&mut self.text);
        let strong = self.characters > 0 && self.strong_characters == self.characters;
        (self.characters, self.strong_characters) = (0, 0);
        let text = text.trim();
        let pictures = std::mem::take(&mut self.pictures);
        if text.is_empty() || text.chars().count() <= 120 && BUTTONS.is_match(text) {
            if !pictures.is_empty() {
                self.lines.push(Line::pictures(pictures));
            }
            return;
        }
        let hint = match self.heading {
            Some(1) if !self.titled => Hint::Title,
            Some(level) => Hint::Heading(level),
            None if strong => Hint::Strong,
            None => Hint::Plain,
        };
        self.titled |= hint == Hint::Title;
        self.lines.push(Line {
            pictures,
            ..Line::new(text, hint)
        });
    }

    fn open(&mut self, element: &Element) {
        if BLOCKS.contains(&element.name()) {
            self.end_line();
        }
        if let Some(level) = heading_level(element) {
            self.heading = Some(level);
        }
        self.pictures.extend(picture(element));
        self.strong += usize::from(is_bold(element));
    }

    fn close(&mut self, element: &Element) {
        if BLOCKS.contains(&element.name()) {
            self.end_line();
        }
        if heading_level(element).is_some() {
            self.heading = None;
        }
        self.strong = self.strong.saturating_sub(usize::from(is_bold(element)));
    }
}

/// The lines of the element.
pub(super) fn lines(root: NodeRef<'_, Node>, skip: &Skip) -> Vec<Line> {
    let mut writer = Writer::default();
    let mut table = None;
    content::walk(root, skip, &mut |edge| match edge {
        Edge::Open(node) => match node.value() {
            Node::Element(element) if table.is_some() => {
                writer.pictures.extend(picture(element));
            }
            _ if table.is_some() => {}
            Node::Text(text) => writer.push(text),
            Node::Element(element) => {
                writer.open(element);
                if element.name() == "table" && is_data(node, skip) {
                    grid(node, skip).lines(&mut writer.lines);
                    table = Some(node.id());
                }
            }
            _ => {}
        },
        Edge::Close(node) => {
            if table == Some(node.id()) {
                table = None;
            }
            if let (None, Node::Element(element)) = (table, node.value()) {
                writer.close(element);
            }
        }
    });
    writer.end_line();
    writer.lines
}

fn is_cell(element: &Element) -> bool {
    matches!(element.name(), "td" | "th")
}

/// Whether a table holds data; many pages use tables to place text.
fn is_data(table: NodeRef<'_, Node>, skip: &Skip) -> bool {
    let mut widest = 0;
    let (mut width, mut cell) = (0usize, 0usize);
    let mut data = true;
    content::walk(table, skip, &mut |edge| {
        let Edge::Open(node) = edge else { return };
        match node.value() {
            Node::Element(element) if element.name() == "table" && node.id() != table.id() => {
                data = false
            }
            Node::Element(element) if element.name() == "tr" => width = 0,
            Node::Element(element) if is_cell(element) => {
                width += 1;
                widest = widest.max(width);
                cell = 0;
            }
            Node::Text(text) => {
                cell += text.chars().filter(|c| !c.is_whitespace()).count();
                data &= cell <= LAYOUT_CELL;
            }
            _ => {}
        }
    });
    data && widest > 1
}

fn span(element: &Element, name: &str) -> usize {
    element
        .attr(name)
        .and_then(|n| n.trim().parse().ok())
        .unwrap_or(1)
}

fn grid(table: NodeRef<'_, Node>, skip: &Skip) -> Grid {
    let mut grid = Grid::default();
    let mut row: Option<usize> = None;
    let mut next = 0;
    let mut cell: Option<String> = None;
    content::walk(table, skip, &mut |edge| match edge {
        Edge::Open(node) => match node.value() {
            Node::Element(element) if element.name() == "tr" => {
                row = Some(next);
                next += 1;
            }
            Node::Element(element) if is_cell(element) => cell = Some(String::new()),
            Node::Element(element) if BLOCKS.contains(&element.name()) => {
                if let Some(text) = &mut cell {
                    append(text, " ");
                }
            }
            Node::Text(text) => {
                if let Some(cell) = &mut cell {
                    append(cell, text);
                } else if !text.trim().is_empty() {
                    // Text of a caption or misplaced in the table.
                    grid.put(next, text.trim().to_owned(), 1, 1);
                    next += 1;
                }
            }
            _ => {}
        },
        Edge::Close(node) => {
            if let Node::Element(element) = node.value()
                && is_cell(element)
                && let Some(text) = cell.take()
            {
                let rows = span(element, "rowspan");
                grid.put(row.unwrap_or(0), text, span(element, "colspan"), rows);
            }
        }
    });
    grid
}
