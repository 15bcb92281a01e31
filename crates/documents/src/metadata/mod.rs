//! What a document says about itself.

mod dates;
mod issuer;
mod kind;
mod number;
mod relation;
mod repeal;
mod title;
mod topics;

use std::sync::LazyLock;

use regex::Regex;

use crate::document::{DocumentKind, Metadata};
use crate::page::{Hint, Page, Said};
use crate::structure::mark::{self, Mark};
use crate::structure::{Structured, is_date, is_organ};

pub use topics::field_of_topic;

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: std::sync::LazyLock<regex::Regex> =
            std::sync::LazyLock::new(|| regex::Regex::new($text).expect("the pattern is fixed"));
    };
}
pub(crate) use pattern;

/// A date as `lang::date` reads it, for use within patterns.
pub(crate) const DATE: &str = r"(?:[0-9０-９]{4}[ 　]*年[ 　]*[0-9０-９]{1,2}[ 　]*月(?:[ 　]*[0-9０-９]{1,2}[ 　]*[日号])?|[一二三四五六七八九零〇○]{4}年[一二三四五六七八九十]{1,2}月(?:[一二三四五六七八九十]{1,3}日)?|[0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2})";

/// The text apart from its structure: the paragraphs before the first article or heading, and all of it.
pub(crate) struct View<'a> {
    pub(crate) page: &'a Page,
    /// Paragraphs of the front matter.
    pub(crate) front: Vec<&'a str>,
    /// The first signature in the text: its organs and its date.
    pub(crate) signature: Option<(Vec<&'a str>, &'a str)>,
}

impl<'a> View<'a> {
    fn new(page: &'a Page) -> Self {
        let mut front = Vec::new();
        for (index, block) in page.blocks.iter().enumerate().take(40) {
            let text = page.str(index);
            let body = matches!(
                mark::read(text).mark,
                Mark::Article { .. }
                    | Mark::Level { depth: 1..=3, .. }
                    | Mark::Question
                    | Mark::Step { .. }
            );
            let heading =
                matches!(block.hint, Hint::Heading(level) | Hint::Section(level) if level > 1);
            if index > 0 && (body || heading) {
                break;
            }
            // A scraped page on one line: its head is what matters.
            let head = text
                .char_indices()
                .nth(600)
                .map_or(text.len(), |(at, _)| at);
            front.push(&text[..head]);
        }
        Self {
            page,
            front,
            signature: signature(page),
        }
    }

    pub(crate) fn text(&self) -> &'a str {
        &self.page.text
    }

    /// The last `count` paragraphs.
    pub(crate) fn last(&self, count: usize) -> impl DoubleEndedIterator<Item = &'a str> + use<'a> {
        let page = self.page;
        let from = page.blocks.len().saturating_sub(count);
        (from..page.blocks.len()).map(move |index| page.str(index))
    }

    /// Sentences that hold one of the words. A sentence that never ends is cut.
    pub(crate) fn sentences_with(&self, words: &[&str]) -> Vec<&'a str> {
        let sentences = self.text().split(['。', '\n']);
        let cut = |s: &'a str| s.char_indices().nth(600).map_or(s, |(at, _)| &s[..at]);
        sentences
            .map(cut)
            .filter(|s| words.iter().any(|word| s.contains(word)))
            .collect()
    }
}

/// Organs on the lines right above a date.
fn signature(page: &Page) -> Option<(Vec<&str>, &str)> {
    let mut organs: Vec<&str> = Vec::new();
    for (index, block) in page.blocks.iter().enumerate() {
        let text = page.str(index);
        if index > 0 && !organs.is_empty() && is_date(text) {
            let from = organs.len().saturating_sub(5);
            return Some((organs.split_off(from), text));
        }
        if index > 0 && !block.hint.is_table() && is_organ(text) {
            organs.push(text);
        } else {
            organs.clear();
        }
    }
    None
}

/// Reads everything that a document says about itself.
pub(crate) fn extract(name: &str, page: &Page, said: &Said) -> Metadata {
    let view = View::new(page);
    let mut said = said.clone();
    for line in view.front.iter().take(30).copied().chain(view.last(6)) {
        if line.chars().count() <= 200 {
            info_line(line, &mut said);
        }
    }
    let title = title::find(name, &view, &said);
    let number = said.number.clone().or_else(|| number::find(&view));
    let issuer = issuer::find(&view, &title, &said);
    let kind = said
        .kind
        .unwrap_or_else(|| kind::find(name, &view, &title, issuer.as_deref(), number.as_deref()));
    let issued = dates::issued(name, &view, &said, kind == DocumentKind::Law);
    // Answers, guides and explanations tell of the dates and repeals of other documents.
    let own = !matches!(
        kind,
        DocumentKind::Faq
            | DocumentKind::Guide
            | DocumentKind::Interpretation
            | DocumentKind::Walkthrough
            | DocumentKind::Primer
    );
    let (effective_from, effective_until) = dates::effective(name, &view, issued, own);
    Metadata {
        region: issuer::region(issuer.as_deref(), &title).or_else(|| issuer::national(&view, kind)),
        repeals: if own {
            repeal::find(&view, &title)
        } else {
            Vec::new()
        },
        relations: Vec::new(),
        topics: Vec::new(),
        declared_status: kind::declared(name, &view, &title),
        title,
        kind,
        issuer,
        number,
        issued,
        effective_from,
        effective_until,
    }
}

/// Adds what can only be told once the clauses and headings are known: relations and topics.
pub(crate) fn relate(page: &Page, structured: &Structured, metadata: &mut Metadata) {
    metadata.relations = relation::find(page, &structured.clauses, metadata);
    metadata.topics = topics::find(&View::new(page), &metadata.title, &structured.outline);
}

static INFO: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?P<key>发布(?:单位|机构|部门|机关)|发文(?:机关|机构|单位|部门)|印发(?:机关|单位)|制定机关|主管部门|实施(?:主体|机构|机关)|信息来源|来源|发文字号|文号|文件编号|",
        r"成文日期|发文日期|印发日期|发布(?:日期|时间)|公开日期|生成日期|更新(?:日期|时间)|日期)[ 　]*(?:[:：]|\|)[ 　|]*(?P<value>[^|｜\n]{2,60})",
    ))
    .expect("the pattern is fixed")
});

/// Reads 发布机构：… 成文日期：… 文号：… from a line of a page's head.
pub(crate) fn info_line(line: &str, said: &mut Said) {
    let mut at = 0;
    while let Some(found) = INFO.captures_at(line, at) {
        let (Some(key), Some(value)) = (found.name("key"), found.name("value")) else {
            return;
        };
        at = key.end();
        let text = value.as_str();
        match key.as_str() {
            "发文字号" | "文号" | "文件编号" => {
                if said.number.is_none() {
                    said.number = number::read(text);
                }
            }
            k if k.ends_with("日期") || k.ends_with("时间") => {
                let near = lang::date::find(text)
                    .into_iter()
                    .next()
                    .filter(|d| d.span.start <= 3);
                // 成文日期 is the better one; a page shows others as well.
                if let Some(date) = near
                    && (said.issued.is_none() || k == "成文日期")
                {
                    said.issued = Some(date.date);
                }
            }
            k => {
                let organ = text
                    .split([' ', '\u{3000}', '，', '。', '；', '\t', '[', '【'])
                    .find(|s| !s.is_empty())
                    .unwrap_or("");
                let source = k.ends_with("来源");
                let fits = organ.chars().count() >= 3 && is_organ(organ);
                if fits && (said.issuer.is_none() || !source && k.starts_with('发')) {
                    said.issuer = Some(organ.to_owned());
                }
            }
        }
    }
}
