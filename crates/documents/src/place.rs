//! Where a byte stands, in words.

use std::ops::Range;

use lang::numeral::to_chinese;

use crate::document::{Clause, ClauseKind, Document, Place};
use crate::structure::mark::{self, Mark};

impl Document {
    /// The clause at byte `byte` of the text, and where in it: 第十二条第二款第（三）项. `None` between clauses.
    pub fn locate(&self, byte: usize) -> Option<Place> {
        let at = self
            .clauses
            .partition_point(|clause| clause.span.end <= byte);
        let clause = self
            .clauses
            .get(at)
            .filter(|clause| clause.span.contains(&byte))?;
        let label = match clause.kind {
            ClauseKind::Article => self.in_article(at, byte),
            ClauseKind::Item | ClauseKind::Section | ClauseKind::Annex => {
                self.in_items(clause, byte)
            }
            ClauseKind::Table => clause.label.clone(),
            ClauseKind::Front | ClauseKind::Paragraph | ClauseKind::Question => {
                clause.label.clone()
            }
        };
        Some(Place { clause: at, label })
    }

    /// The first clause of the article that `at` is a part of.
    fn article_start(&self, at: usize) -> usize {
        let same = |clause: &Clause| {
            clause.label == self.clauses[at].label && clause.path == self.clauses[at].path
        };
        let mut start = at;
        for (index, clause) in self.clauses[..at].iter().enumerate().rev() {
            match clause.kind {
                ClauseKind::Article if same(clause) => start = index,
                // A table within the article.
                ClauseKind::Table if clause.path.last() == Some(&self.clauses[at].label) => {}
                _ => break,
            }
        }
        start
    }

    fn lines(&self, span: Range<usize>) -> impl Iterator<Item = (usize, &str)> {
        let base = span.start;
        self.text[span]
            .split_inclusive('\n')
            .scan(base, |at, line| {
                let start = *at;
                *at += line.len();
                Some((start, line.trim()))
            })
    }

    fn in_article(&self, at: usize, byte: usize) -> String {
        let label = &self.clauses[at].label;
        let start = self.clauses[self.article_start(at)].span.start;
        let whole = self
            .lines(start..self.clauses[at].span.end)
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('|'));
        let (mut paragraph, mut paragraphs) = (0u64, 0u64);
        let (mut item, mut sub) = (String::new(), String::new());
        for (from, line) in whole {
            let marked = mark::read(line);
            let here = from <= byte;
            let marker = || {
                line[..marked.len]
                    .trim_end_matches(['、', '.', '．', ' ', '\u{3000}'])
                    .to_owned()
            };
            match marked.mark {
                Mark::Level { depth: 1 | 2, .. } if here => {
                    item = format!("第{}项", marker());
                    sub.clear();
                }
                Mark::Level { .. } if here && item.is_empty() => item = format!("第{}项", marker()),
                Mark::Level { .. } if here => sub = format!("第{}目", marker()),
                Mark::Level { .. } => {}
                _ => {
                    paragraphs += 1;
                    if here {
                        paragraph = paragraphs;
                        item.clear();
                        sub.clear();
                    }
                }
            }
        }
        // Paragraphs of the same article behind this clause count as well: with one only, it is not named.
        let more = self
            .clauses
            .get(at + 1)
            .is_some_and(|next| next.kind == ClauseKind::Article && next.label == *label);
        let paragraph = if paragraphs > 1 || more {
            format!("第{}款", to_chinese(paragraph.max(1)))
        } else {
            String::new()
        };
        format!("{label}{paragraph}{item}{sub}")
    }

    fn in_items(&self, clause: &Clause, byte: usize) -> String {
        let mut markers: Vec<(u8, String)> = Vec::new();
        for (from, line) in self.lines(clause.span.clone()) {
            if from > byte {
                break;
            }
            let marked = mark::read(line);
            if let Mark::Level { depth, .. } = marked.mark {
                markers.retain(|(above, _)| *above < depth);
                markers.push((
                    depth,
                    line[..marked.len]
                        .trim_end_matches(['、', '.', '．', ' ', '\u{3000}'])
                        .to_owned(),
                ));
            }
        }
        let above = clause.path.iter().rev().find_map(|title| {
            let marked = mark::read(title);
            matches!(marked.mark, Mark::Level { depth: 1, .. })
                .then(|| title[..marked.len].to_owned())
        });
        let own: String = markers.into_iter().map(|(_, marker)| marker).collect();
        let step = clause.label.starts_with('第') && clause.label.ends_with('步');
        match clause.kind {
            _ if step => format!("{}{own}", clause.label),
            ClauseKind::Item
                if own.is_empty()
                    || !own.starts_with(&clause.label) && clause.label.contains(&own) =>
            {
                format!("{}{}", above.unwrap_or_default(), clause.label)
            }
            ClauseKind::Item => format!(
                "{}{own}",
                above
                    .filter(|a| !own.starts_with(a.trim_end_matches('、')))
                    .unwrap_or_default()
            ),
            _ => format!("{}{own}", clause.label),
        }
    }
}
