//! Paragraphs to clauses: which lines are headings, where an article, an item, a question begins, and how long texts are cut.

mod annex;
mod blocks;
mod build;
mod contents;
mod cues;
mod emit;
mod headings;
pub(crate) mod mark;
mod outline;
mod question;
mod segment;
pub(crate) mod split;
mod steps;

pub(crate) use cues::{is_date, is_guide_heading, is_organ};

use crate::document::{Clause, DocumentKind, Heading};
use crate::page::Page;

/// The clauses and headings of a text.
#[derive(Debug, Default)]
pub(crate) struct Structured {
    pub(crate) clauses: Vec<Clause>,
    pub(crate) outline: Vec<Heading>,
}

/// Recognises the structure of a text of this kind.
pub(crate) fn recognise(page: &Page, kind: DocumentKind) -> Structured {
    let items = blocks::items(page);
    build::Builder::new(&page.text, items, kind).run()
}
