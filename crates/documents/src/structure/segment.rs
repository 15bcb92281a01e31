//! The text under one heading: whole, by numbered items, or in groups of paragraphs.

use std::ops::Range;

use super::build::Builder;
use super::emit::GROUP;
use super::mark::Mark;
use super::outline::tidy;
use crate::document::ClauseKind;

/// An item with its sub-items stays whole up to this size.
const UNIT: usize = 800;
/// Text with items stays whole up to this size if the items are mere entries of a list.
const LIST: usize = 800;
/// Items of on average this size are entries of a list.
const ENTRY: usize = 60;
/// Text with 1. and the like is not taken apart up to this size.
const SHORT: usize = 200;
/// Words of introduction up to this size join the first item.
const LEAD: usize = 100;

/// The run-in heading: the first sentence if it is short and more follows.
/// `more` says that paragraphs follow.
fn run_in(text: &str, mark: Mark, mark_len: usize, more: bool) -> Option<String> {
    let body = text[mark_len..].trim_start();
    let head = match body.split_once('。') {
        Some((head, rest)) if more || !rest.trim().is_empty() => head,
        None if !body.contains(['，', '；', '：']) => body,
        _ => return None,
    };
    let size = head.chars().count();
    let sentence = head.contains(['；', '：'])
        || ["应当", "不得", "可以", "必须"]
            .iter()
            .any(|word| head.contains(word));
    ((2..=30).contains(&size) && !sentence)
        .then(|| tidy(&format!("{}{head}", &text[..mark_len]), mark, mark_len))
}

impl Builder<'_> {
    pub(super) fn section(&mut self, range: Range<usize>) {
        let path = self.path();
        self.segment(range, &path, "");
    }

    fn depth(&self, at: usize) -> Option<u8> {
        match self.items[at].mark {
            Mark::Level { depth, .. } => Some(depth),
            _ => None,
        }
    }

    fn paragraphs(&mut self, range: Range<usize>, path: &[String], label: &str) {
        for span in self.groups(range, GROUP) {
            self.paragraph(path, label, span);
        }
    }

    fn paragraph(&mut self, path: &[String], label: &str, span: Range<usize>) {
        let (kind, label) = if label.is_empty() {
            self.paragraphs += 1;
            (ClauseKind::Paragraph, format!("第{}段", self.paragraphs))
        } else {
            (ClauseKind::Item, label.to_owned())
        };
        self.push(kind, label, path.to_vec(), span);
    }

    fn segment(&mut self, range: Range<usize>, path: &[String], prefix: &str) {
        if range.is_empty() {
            return;
        }
        let size = self.size(&range);
        let Some(top) = range.clone().filter_map(|at| self.depth(at)).min() else {
            if size <= GROUP && prefix.is_empty() && self.paragraphs == 0 && !path.is_empty() {
                let label = self.steps.section(path.last().map_or("", String::as_str));
                self.push(ClauseKind::Section, label, path.to_vec(), self.span(&range));
            } else {
                self.paragraphs(range, path, prefix);
            }
            return;
        };
        let starts: Vec<usize> = range
            .clone()
            .filter(|at| self.depth(*at) == Some(top))
            .collect();
        let listed: usize = self.size(&(starts[0]..range.end));
        let entry = if top == 1 { ENTRY / 3 } else { ENTRY };
        let entries = starts.len() > 1 && listed / starts.len() <= entry && size <= LIST;
        if entries
            || size <= SHORT && starts.len() > 1 && top >= 3
            || size <= GROUP && top >= 3 && prefix.is_empty() && !path.is_empty()
        {
            match path.last() {
                Some(label) if prefix.is_empty() => self.push(
                    ClauseKind::Section,
                    self.steps.section(label),
                    path.to_vec(),
                    self.span(&range),
                ),
                _ => self.paragraph(path, prefix, self.span(&range)),
            }
            return;
        }
        let lead = range.start..starts[0];
        let joins = !lead.is_empty()
            && self.size(&lead) <= LEAD
            && self.size(&(lead.start..*starts.get(1).unwrap_or(&range.end))) <= UNIT;
        if !joins {
            self.paragraphs(lead.clone(), path, prefix);
        }
        let last = self.closing(starts[starts.len() - 1], range.end, top);
        for (index, &start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(last);
            let from = if index == 0 && joins {
                lead.start
            } else {
                start
            };
            self.unit(from, start..end, path, prefix);
        }
        if last < range.end {
            self.paragraphs(last..range.end, path, prefix);
        }
    }

    /// Where the last 一、-level item ends: 本决定自……起施行 behind it speaks of the whole.
    fn closing(&self, start: usize, end: usize, top: u8) -> usize {
        let speaks = |at: &usize| {
            let text = self.slice(*at);
            self.items[*at].mark == Mark::Plain
                && text.starts_with('本')
                && ["施行", "执行", "实施", "有效期"]
                    .iter()
                    .any(|word| text.contains(word))
        };
        match (start + 1..end).find(speaks) {
            Some(at) if top == 1 => at,
            _ => end,
        }
    }

    /// One numbered item; `from` is where its introduction begins.
    fn unit(&mut self, from: usize, range: Range<usize>, path: &[String], prefix: &str) {
        let at = range.start;
        let (mark, len) = (self.items[at].mark, self.items[at].mark_len);
        let marker: String = self.slice(at)[..len]
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        let marker = marker.trim_end_matches(['、', '.', '．']);
        let label = format!("{prefix}{marker}");
        let mut path = path.to_vec();
        path.extend(run_in(self.slice(at), mark, len, range.len() > 1));
        let whole = from..range.end;
        if self.size(&whole) <= UNIT {
            self.push(ClauseKind::Item, label, path, self.span(&whole));
            return;
        }
        let own = self.depth(at).unwrap_or(0);
        let below = (at + 1..range.end).find(|i| self.depth(*i).is_some_and(|depth| depth > own));
        match below {
            Some(first) => {
                self.item_text(at..first, &path, &label);
                self.segment(first..range.end, &path, &label);
            }
            None => self.item_text(range, &path, &label),
        }
    }

    fn item_text(&mut self, range: Range<usize>, path: &[String], label: &str) {
        let span = self.span(&range);
        let spans = if self.size(&range) <= UNIT {
            vec![span]
        } else {
            self.groups(range, GROUP)
        };
        for span in spans {
            self.push(ClauseKind::Item, label.to_owned(), path.to_vec(), span);
        }
    }
}
