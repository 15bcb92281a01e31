//! Which paragraphs are headings.

use super::build::{Body, Builder};
use super::mark::Mark;
use super::{cues, outline};
use crate::page::Hint;

impl Builder<'_> {
    pub(super) fn is_heading(&self, at: usize) -> bool {
        let item = &self.items[at];
        let text = self.slice(at);
        if let Some(level) = outline::level(item.hint) {
            // A whole paragraph in the style of a heading is a paragraph; below one, its number still ranks it.
            return level <= 6
                && (item.size <= 60 || !text.ends_with(['。', '；']) && item.size <= 120);
        }
        match item.mark {
            Mark::Division { .. } => true,
            _ if matches!(self.body, Body::Article { .. }) && !self.signed_title(at) => false,
            // Within a step numbers count what to do.
            Mark::Level { depth: 2.., .. } if matches!(self.body, Body::Step { .. }) => false,
            Mark::Level { depth, .. } => self.is_level_heading(at, depth),
            Mark::Plain | Mark::Step { .. } => self.is_plain_heading(at),
            _ => false,
        }
    }

    fn is_level_heading(&self, at: usize, depth: u8) -> bool {
        let Some(next) = self.items.get(at + 1) else {
            return false;
        };
        let text = self.slice(at);
        let name = text[self.items[at].mark_len..].trim();
        let most = match depth {
            1 => 40,
            2 => 30,
            _ => 25,
        };
        if depth > 3
            || name.is_empty()
            || name.chars().count() > most
            || name.contains('。')
            || depth > 1 && name.ends_with(['：', ':']) && name.chars().count() > 12
            || name.ends_with(['。', '；', '，', '、', ';', '.', '！'])
        {
            return false;
        }
        if matches!(self.body, Body::Question { .. }) {
            // Between questions stand the names of their groups, within an answer only lists.
            return self.questions.label(self.text, next).is_some();
        }
        match next.mark {
            Mark::Level { depth: below, .. } if below <= depth => false,
            Mark::Division { .. } | Mark::Annex => false,
            Mark::Level { .. } => true,
            _ if depth < 3 => {
                next.hint.is_table()
                    || next.size > 20
                    || cues::sign_off(self.text, &self.items, at + 1).is_none()
            }
            // The last of a list of short items looks like a heading: its neighbours tell.
            _ => next.size > 20 && self.neighbour_is_heading(at),
        }
    }

    fn neighbour_is_heading(&self, at: usize) -> bool {
        let Mark::Level { depth, number } = self.items[at].mark else {
            return false;
        };
        if number > 1 {
            return self
                .stack
                .iter()
                .rev()
                .any(|open| open.class == Some(10 + depth) && open.number + 1 == number);
        }
        let sibling = self.items[at + 1..]
            .iter()
            .take(200)
            .position(|i| i.mark == Mark::Level { depth, number: 2 });
        sibling.is_some_and(|offset| offset > 0)
    }

    /// After the signature, the title of the regulation that was sent along.
    fn signed_title(&self, at: usize) -> bool {
        self.signed
            && self.items[at].mark == Mark::Plain
            && cues::is_rules_title(self.slice(at))
            && at + 1 < self.items.len()
    }

    fn is_plain_heading(&self, at: usize) -> bool {
        let item = &self.items[at];
        let text = self.slice(at);
        let Some(next) = self.items.get(at + 1) else {
            return false;
        };
        if cues::is_guide_heading(text) || self.signed_title(at) {
            return true;
        }
        let body =
            next.hint.is_table() || next.size > 20 || matches!(next.mark, Mark::Level { .. });
        item.hint == Hint::Strong
            && self.body != Body::Front
            && cues::is_short_title(text, 30)
            && body
            && !cues::is_organ(text)
            && !cues::is_date(text)
            && !matches!(self.body, Body::Question { .. })
    }
}
