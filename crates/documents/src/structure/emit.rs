//! Collected paragraphs to clauses.

use std::ops::Range;

use super::build::{Body, Builder};
use super::split;
use crate::document::{Clause, ClauseKind};
use crate::page::Hint;

/// An article or answer longer than this many characters is cut.
pub(super) const LONG: usize = 2_000;
/// Size of the parts a long article is cut into.
const PART: usize = 1_200;
/// Paragraphs without numbers are grouped up to this size.
pub(super) const GROUP: usize = 500;
/// Front matter up to this size stays whole.
const FRONT: usize = 800;
/// Rows of one table clause.
const ROWS: usize = 30;

impl Builder<'_> {
    /// Turns what was collected into clauses. `structured` says whether anything but the front exists.
    pub(super) fn flush(&mut self, structured: bool) {
        let range = std::mem::replace(&mut self.open, 0..0);
        if range.is_empty() {
            return;
        }
        self.open = range.end..range.end;
        match self.body.clone() {
            Body::Front => self.front(range, structured),
            Body::Section => self.section(range),
            Body::Article { label, .. } => self.whole(ClauseKind::Article, &label, range),
            Body::Question { label } => self.whole(ClauseKind::Question, &label, range),
            Body::Step { label } => self.step(&label, range),
            Body::Signature => self.push(
                ClauseKind::Paragraph,
                "落款".into(),
                self.path(),
                self.span(&range),
            ),
        }
    }

    pub(super) fn span(&self, range: &Range<usize>) -> Range<usize> {
        self.items[range.start].span.start..self.items[range.end - 1].span.end
    }

    pub(super) fn size(&self, range: &Range<usize>) -> usize {
        self.items[range.clone()].iter().map(|item| item.size).sum()
    }

    pub(super) fn push(
        &mut self,
        kind: ClauseKind,
        label: String,
        path: Vec<String>,
        span: Range<usize>,
    ) {
        let kind = match kind {
            ClauseKind::Section | ClauseKind::Paragraph | ClauseKind::Item if self.in_annex() => {
                ClauseKind::Annex
            }
            other => other,
        };
        self.out.clauses.push(Clause {
            kind,
            label,
            path,
            span,
        });
    }

    fn front(&mut self, range: Range<usize>, structured: bool) {
        if structured && self.size(&range) <= FRONT {
            self.push(
                ClauseKind::Front,
                "文首".into(),
                Vec::new(),
                self.span(&range),
            );
            return;
        }
        let is_title = |at: &usize| {
            let item = &self.items[*at];
            matches!(item.hint, Hint::Title | Hint::Heading(_))
                || item.size <= 60 && !self.slice(*at).contains(['。', '；'])
        };
        let titles = range.clone().take(8).take_while(is_title).count();
        // A text that consists of short lines only has no title block of its own.
        let titles = if range.start + titles == range.end && titles > 2 {
            1
        } else {
            titles
        };
        let rest = range.start + titles..range.end;
        if titles > 0 {
            self.push(
                ClauseKind::Front,
                "文首".into(),
                Vec::new(),
                self.span(&(range.start..rest.start)),
            );
        }
        if structured {
            for span in self.groups(rest, GROUP) {
                self.push(ClauseKind::Front, "文首".into(), Vec::new(), span);
            }
        } else if !rest.is_empty() {
            self.section(rest);
        }
    }

    /// One clause, or several with the same label where it is too long.
    fn whole(&mut self, kind: ClauseKind, label: &str, range: Range<usize>) {
        self.whole_in(kind, label, self.path(), range);
    }

    pub(super) fn whole_in(
        &mut self,
        kind: ClauseKind,
        label: &str,
        path: Vec<String>,
        range: Range<usize>,
    ) {
        if self.size(&range) <= LONG {
            self.push(kind, label.into(), path, self.span(&range));
            return;
        }
        for span in self.groups(range, PART) {
            self.push(kind, label.into(), path.clone(), span);
        }
    }

    /// Paragraphs packed into groups of at most `most` characters; a longer paragraph is cut at sentences.
    pub(super) fn groups(&self, range: Range<usize>, most: usize) -> Vec<Range<usize>> {
        let mut out: Vec<Range<usize>> = Vec::new();
        let mut size = 0;
        for item in &self.items[range] {
            if item.size > most {
                out.extend(split::pieces(self.text, item.span.clone(), most));
                size = most;
            } else if size + item.size > most || out.is_empty() {
                out.push(item.span.clone());
                size = item.size;
            } else if let Some(last) = out.last_mut() {
                last.end = item.span.end;
                size += item.size;
            }
        }
        out
    }

    /// A table in groups of rows; the first holds the head.
    pub(super) fn table(&mut self, range: Range<usize>, body: &Body) {
        self.tables += 1;
        let mut path = self.path();
        match body {
            Body::Article { label, .. } | Body::Question { label } | Body::Step { label } => {
                path.push(label.clone());
            }
            _ => {}
        }
        let mut groups: Vec<Range<usize>> = Vec::new();
        let (mut rows, mut size) = (0, 0);
        for at in range {
            let item = &self.items[at];
            let full = rows >= ROWS || size + item.size > LONG || item.hint == Hint::Again;
            match groups.last_mut() {
                Some(group) if !full || item.hint == Hint::Rule => group.end = at + 1,
                _ => {
                    groups.push(at..at + 1);
                    (rows, size) = (0, 0);
                }
            }
            rows += usize::from(item.hint == Hint::Row);
            size += item.size;
        }
        let mut parts = 0;
        for group in groups {
            let spans = if self.size(&group) > LONG {
                split::pieces(self.text, self.span(&group), LONG)
            } else {
                vec![self.span(&group)]
            };
            for span in spans {
                parts += 1;
                let label = if parts == 1 {
                    format!("表{}", self.tables)
                } else {
                    format!("表{}（续{}）", self.tables, parts - 1)
                };
                self.push(ClauseKind::Table, label, path.clone(), span);
            }
        }
    }
}
