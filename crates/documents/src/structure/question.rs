//! Questions with answers.

use super::blocks::Item;
use super::mark::Mark;
use crate::page::Hint;

/// Which lines of this document are questions.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Questions {
    /// Headings that end in ？.
    headings: bool,
    /// Numbered lines that end in ？.
    numbered: bool,
    /// Any short line that ends in ？.
    plain: bool,
}

fn asks(text: &str) -> bool {
    text.trim_end().ends_with(['？', '?']) && text.chars().count() <= 100
}

impl Questions {
    pub(super) fn of(text: &str, items: &[Item]) -> Self {
        let (mut headings, mut numbered, mut plain, mut explicit) = (0, 0, 0, 0);
        for item in items {
            let slice = &text[item.span.clone()];
            match (item.hint, item.mark) {
                (_, Mark::Question) => explicit += 1,
                (Hint::Heading(_), _) if asks(slice) => headings += 1,
                (Hint::Plain | Hint::Strong, Mark::Level { .. }) if asks(slice) => numbered += 1,
                (Hint::Plain | Hint::Strong, Mark::Plain)
                    if asks(slice) && slice.chars().count() <= 45 =>
                {
                    plain += 1
                }
                _ => {}
            }
        }
        let others = explicit == 0 && headings < 2 && numbered < 2;
        Self {
            headings: headings >= 2,
            numbered: numbered >= 2,
            plain: plain >= 3 && others,
        }
    }

    /// The question that begins with this item.
    pub(super) fn label(self, text: &str, item: &Item) -> Option<String> {
        let slice = &text[item.span.clone()];
        let body = slice[item.mark_len..].trim();
        let is_question = match (item.hint, item.mark) {
            (hint, _) if hint.is_table() => false,
            (_, Mark::Question) => true,
            (Hint::Heading(_), _) => self.headings && asks(slice),
            (Hint::Plain | Hint::Strong, Mark::Level { .. }) => self.numbered && asks(slice),
            (Hint::Plain | Hint::Strong, Mark::Plain) => {
                self.plain && asks(slice) && slice.chars().count() <= 45
            }
            _ => false,
        };
        if !is_question || body.is_empty() {
            return None;
        }
        // 问：……？答：…… on one line.
        let end = ["答：", "答:"]
            .iter()
            .filter_map(|mark| body.find(mark))
            .min()
            .unwrap_or(body.len());
        let question = body[..end].trim();
        let question = if question.chars().count() > 200 {
            question
                .split_inclusive(['？', '?', '。'])
                .next()
                .unwrap_or(question)
        } else {
            question
        };
        (!question.is_empty()).then(|| question.chars().take(200).collect())
    }
}
