//! Steps of operating instructions: 第一步, 步骤1, and in documents that are such instructions 1. as well.

use std::ops::Range;

use lang::numeral::to_chinese;

use super::blocks::Item;
use super::build::Builder;
use super::mark::{self, Mark};
use crate::document::{ClauseKind, DocumentKind};
use crate::page::Hint;

/// A step's name is at most this long.
const NAME: usize = 30;

/// Which lines of this document are steps.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steps {
    /// 第一步 and 步骤1.
    marked: bool,
    /// 1.
    numbered: bool,
}

/// 第一步
fn label(number: u64) -> String {
    format!("第{}步", to_chinese(number))
}

impl Steps {
    pub(super) fn of(items: &[Item], kind: DocumentKind) -> Self {
        // A first and a second make a row of steps; one alone is only mentioned.
        let counts = |number: &dyn Fn(Mark) -> Option<u64>| {
            let has = |wanted| items.iter().any(|item| number(item.mark) == Some(wanted));
            has(1) && has(2)
        };
        let marked = counts(&|mark| match mark {
            Mark::Step { number } => Some(number),
            _ => None,
        });
        let numbered = !marked
            && kind == DocumentKind::Walkthrough
            && counts(&|mark| match mark {
                Mark::Level { depth: 3, number } => Some(number),
                _ => None,
            });
        Self { marked, numbered }
    }

    fn number(self, mark: Mark) -> Option<u64> {
        match mark {
            Mark::Step { number } if self.marked => Some(number),
            Mark::Level { depth: 3, number } if self.numbered => Some(number),
            _ => None,
        }
    }

    /// The label of the step that begins with this line; a step with a heading's markup is a heading.
    pub(super) fn label(self, item: &Item) -> Option<String> {
        let plain = matches!(item.hint, Hint::Plain | Hint::Strong);
        self.number(item.mark).filter(|_| plain).map(label)
    }

    /// How the text under a heading is cited: by its title, or as the step that it names.
    pub(super) fn section(self, title: &str) -> String {
        self.number(mark::read(title).mark)
            .map_or_else(|| title.to_owned(), label)
    }
}

impl Builder<'_> {
    /// One step: with its name, if it has one, as the last of its headings.
    pub(super) fn step(&mut self, label: &str, range: Range<usize>) {
        let at = range.start;
        let first = self.slice(at)[self.items[at].mark_len..].trim();
        let name = first.split('。').next().unwrap_or(first);
        let mut path = self.path();
        let named =
            (2..=NAME).contains(&name.chars().count()) && !name.contains(['；', '：', '，']);
        if named && (name.len() < first.len() || range.len() > 1) {
            path.push(format!("{label} {name}"));
        }
        self.whole_in(ClauseKind::Item, label, path, range);
    }
}
