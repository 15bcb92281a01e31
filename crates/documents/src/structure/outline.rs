//! The headings that are open at a place.

use std::ops::Range;

use super::mark::Mark;
use crate::page::Hint;

/// A heading that text may follow.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) title: String,
    pub(super) span: Range<usize>,
    /// Rank of its mark: 编 1 … 节 4, 一、 11 … ① 15.
    pub(super) class: Option<u8>,
    pub(super) number: u64,
    /// Level of its markup; 7 for a line that only looks like a heading.
    pub(super) hint: Option<u8>,
    /// Clauses there were before it.
    pub(super) clauses: usize,
    /// Whether headings stand below it.
    pub(super) parent: bool,
    /// Whether it took a heading of its own level below it.
    pub(super) adopted: bool,
    pub(super) annex: bool,
}

/// Looks like a heading without any markup.
pub(super) const SOFT: u8 = 7;

pub(super) fn class(mark: Mark) -> (Option<u8>, u64) {
    match mark {
        Mark::Division { rank, number } => (Some(rank), number),
        Mark::Level { depth, number } => (Some(10 + depth), number),
        _ => (None, 0),
    }
}

pub(super) fn level(hint: Hint) -> Option<u8> {
    match hint {
        Hint::Heading(level) | Hint::Section(level) => Some(level),
        Hint::Title => Some(1),
        _ => None,
    }
}

/// Whether `top` stays open when a heading of this class and hint comes; `empty` says that no text stands under it yet.
fn holds(top: &Open, class: Option<u8>, hint: Option<u8>, empty: bool) -> bool {
    if top.annex {
        return true;
    }
    match (top.class, class) {
        (Some(above), Some(own)) => above < own,
        (None, Some(_)) => match (top.hint, hint) {
            (Some(above), Some(own)) => above < own || above == own && (empty || top.adopted),
            _ => true,
        },
        (Some(_), None) => match (top.hint, hint) {
            (Some(above), Some(own)) => above < own,
            (None, Some(own)) => own == SOFT,
            (_, None) => true,
        },
        (None, None) => top.hint.unwrap_or(SOFT) < hint.unwrap_or(SOFT),
    }
}

/// How many of the open headings stay open for a heading of this class and hint. `clauses` is the number there are now.
pub(super) fn keep(stack: &[Open], class: Option<u8>, hint: Option<u8>, clauses: usize) -> usize {
    let mut keep = stack.len();
    if let Some(own) = class
        && let Some(same) = stack
            .iter()
            .rposition(|open| open.class.is_some_and(|above| above >= own))
    {
        keep = same;
    }
    while let Some(top) = keep.checked_sub(1).and_then(|at| stack.get(at)) {
        let empty = top.clauses == clauses && !top.parent;
        if holds(top, class, hint, empty) {
            break;
        }
        keep -= 1;
    }
    keep
}

/// A heading's text with uniform blanks: `第一章　总　则` → `第一章 总则`.
pub(crate) fn tidy(text: &str, mark: Mark, mark_len: usize) -> String {
    let (head, name) = text.split_at(mark_len.min(text.len()));
    let words: Vec<&str> = name.split_whitespace().collect();
    let spread =
        words.len() > 1 && words.len() <= 4 && words.iter().all(|word| word.chars().count() == 1);
    let name = words.join(if spread { "" } else { " " });
    let name = name.trim_end_matches(['：', ':']);
    let head: String = head.chars().filter(|c| !c.is_whitespace()).collect();
    match mark {
        Mark::Division { .. } if !name.is_empty() => format!("{head} {name}"),
        _ => format!("{head}{name}"),
    }
}
