//! One pass over the paragraphs: each is a heading, begins an article, a question, a table, a signature, or goes on with what is open.

use std::ops::Range;

use super::blocks::Item;
use super::mark::Mark;
use super::outline::{self, Open, SOFT, tidy};
use super::question::Questions;
use super::steps::Steps;
use super::{Structured, annex, contents, cues};
use crate::document::{Clause, ClauseKind, DocumentKind, Heading};
use crate::page::Hint;

/// What the paragraphs collected so far belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Front,
    Section,
    Article { label: String, number: u64 },
    Question { label: String },
    Step { label: String },
    Signature,
}

/// What a paragraph does.
enum Event {
    Heading {
        title: String,
        end: usize,
        class: Option<u8>,
        number: u64,
        hint: Option<u8>,
        annex: bool,
    },
    Article {
        label: String,
        number: u64,
    },
    Question {
        label: String,
    },
    Step {
        label: String,
    },
    Table {
        end: usize,
    },
    Signature {
        end: usize,
    },
    /// An item that closes the headings of its own rank.
    Item,
    Text,
}

pub(super) struct Builder<'a> {
    pub(super) text: &'a str,
    pub(super) items: Vec<Item>,
    pub(super) out: Structured,
    pub(super) stack: Vec<Open>,
    pub(super) body: Body,
    /// Paragraphs collected for `body`.
    pub(super) open: Range<usize>,
    /// Paragraph clauses under the innermost heading so far.
    pub(super) paragraphs: usize,
    pub(super) tables: usize,
    contents: Range<usize>,
    pub(super) questions: Questions,
    pub(super) steps: Steps,
    articles: bool,
    /// Article last begun, to tell 第三条 from its mention.
    last_article: u64,
    pub(super) signed: bool,
}

impl<'a> Builder<'a> {
    pub(super) fn new(text: &'a str, items: Vec<Item>, kind: DocumentKind) -> Self {
        let contents = contents::range(text, &items);
        let questions = Questions::of(text, &items);
        let steps = Steps::of(&items, kind);
        let articles = items
            .iter()
            .any(|item| matches!(item.mark, Mark::Article { spaced: true, .. }));
        Self {
            text,
            items,
            out: Structured::default(),
            stack: Vec::new(),
            body: Body::Front,
            open: 0..0,
            paragraphs: 0,
            tables: 0,
            contents,
            questions,
            steps,
            articles,
            last_article: 0,
            signed: false,
        }
    }

    pub(super) fn run(mut self) -> Structured {
        let mut at = 0;
        while at < self.items.len() {
            at = match self.event(at) {
                Event::Heading {
                    title,
                    end,
                    class,
                    number,
                    hint,
                    annex,
                } => {
                    self.heading(
                        at..end,
                        Open {
                            title,
                            span: 0..0,
                            class,
                            number,
                            hint,
                            clauses: 0,
                            parent: false,
                            adopted: false,
                            annex,
                        },
                    );
                    end
                }
                Event::Article { label, number } => {
                    self.begin(at, Body::Article { label, number });
                    self.last_article = number;
                    at + 1
                }
                Event::Question { label } => {
                    if let Some(hint) = outline::level(self.items[at].hint) {
                        self.flush(true);
                        let keep =
                            outline::keep(&self.stack, None, Some(hint), self.out.clauses.len());
                        self.close_to(keep);
                    }
                    self.begin(at, Body::Question { label });
                    at + 1
                }
                Event::Step { label } => {
                    self.begin(at, Body::Step { label });
                    at + 1
                }
                Event::Table { end } => self.table_event(at..end),
                Event::Signature { end } => self.signature_event(at..end),
                Event::Item => {
                    self.item(at);
                    at + 1
                }
                Event::Text => {
                    self.open.end = at + 1;
                    at + 1
                }
            };
        }
        let structured = self.body != Body::Front;
        self.flush(structured);
        self.close_to(0);
        let last = self.out.clauses.len().saturating_sub(1);
        for heading in &mut self.out.outline {
            heading.clause = heading.clause.min(last);
        }
        self.out
    }

    fn table_event(&mut self, range: Range<usize>) -> usize {
        let body = self.body.clone();
        let end = range.end;
        self.flush(true);
        self.table(range, &body);
        self.body = if body == Body::Front {
            Body::Section
        } else {
            body
        };
        self.open = end..end;
        end
    }

    fn signature_event(&mut self, range: Range<usize>) -> usize {
        let end = range.end;
        self.flush(true);
        self.close_to(0);
        self.body = Body::Signature;
        self.open = range;
        self.flush(true);
        self.signed = true;
        self.body = Body::Section;
        self.open = end..end;
        end
    }

    pub(super) fn slice(&self, at: usize) -> &'a str {
        &self.text[self.items[at].span.clone()]
    }

    fn begin(&mut self, at: usize, body: Body) {
        self.flush(true);
        self.body = body;
        self.open = at..at + 1;
    }

    /// An item under headings: those of its rank end here.
    fn item(&mut self, at: usize) {
        let (class, _) = outline::class(self.items[at].mark);
        let same = self.stack.iter().rposition(|open| {
            open.class.is_some() && open.class >= class && class > Some(10) && open.class > Some(10)
        });
        if let Some(keep) = same {
            self.flush(true);
            self.close_to(keep);
            self.body = Body::Section;
            self.open = at..at;
        } else if self.body == Body::Front {
            self.flush(true);
            self.body = Body::Section;
            self.open = at..at;
        }
        self.open.end = at + 1;
    }

    fn heading(&mut self, range: Range<usize>, mut open: Open) {
        self.flush(true);
        let clauses = self.out.clauses.len();
        let keep = if open.annex {
            0
        } else {
            outline::keep(&self.stack, open.class, open.hint, clauses)
        };
        self.close_to(keep);
        if let Some(parent) = self.stack.last_mut() {
            parent.parent = true;
            parent.adopted |= parent.hint.is_some() && parent.hint == open.hint;
        }
        open.span = self.items[range.start].span.start..self.items[range.end - 1].span.end;
        open.clauses = self.out.clauses.len();
        self.out.outline.push(Heading {
            title: open.title.clone(),
            level: u8::try_from(self.stack.len() + 1).unwrap_or(u8::MAX),
            clause: open.clauses,
            span: open.span.clone(),
        });
        self.stack.push(open);
        self.paragraphs = 0;
        self.body = Body::Section;
        self.open = range.end..range.end;
    }

    /// Closes the innermost headings; one with nothing under it becomes a clause, so that it can be found.
    fn close_to(&mut self, keep: usize) {
        while self.stack.len() > keep {
            let Some(open) = self.stack.pop() else { break };
            if open.clauses == self.out.clauses.len() && !open.parent {
                let kind = if open.annex || self.in_annex() {
                    ClauseKind::Annex
                } else {
                    ClauseKind::Section
                };
                self.out.clauses.push(Clause {
                    kind,
                    label: open.title,
                    path: self.path(),
                    span: open.span,
                });
            }
            self.paragraphs = 0;
        }
    }

    pub(super) fn path(&self) -> Vec<String> {
        self.stack.iter().map(|open| open.title.clone()).collect()
    }

    pub(super) fn in_annex(&self) -> bool {
        self.stack.first().is_some_and(|open| open.annex)
    }

    fn event(&self, at: usize) -> Event {
        let item = &self.items[at];
        if self.contents.contains(&at) {
            return Event::Text;
        }
        if item.hint.is_table() {
            let more = self.items[at + 1..]
                .iter()
                .take_while(|i| matches!(i.hint, Hint::Rule | Hint::Row | Hint::Again))
                .count();
            return Event::Table { end: at + 1 + more };
        }
        if let Some(start) = annex::start(self.text, &self.items, at) {
            return Event::Heading {
                title: start.title,
                end: start.end,
                class: None,
                number: 0,
                hint: Some(1),
                annex: true,
            };
        }
        if item.hint == Hint::Body {
            return Event::Text;
        }
        if let Some(label) = self.questions.label(self.text, item) {
            return Event::Question { label };
        }
        let in_steps = !matches!(self.body, Body::Article { .. } | Body::Question { .. });
        if let Some(label) = self.steps.label(item).filter(|_| in_steps) {
            return Event::Step { label };
        }
        if self.is_document_title(at) {
            return Event::Text;
        }
        if let Some(event) = self.article(at) {
            return event;
        }
        if self.is_heading(at) {
            let (class, number) = outline::class(item.mark);
            let soft = if class.is_none() { Some(SOFT) } else { None };
            let hint = outline::level(item.hint).or(soft);
            return Event::Heading {
                title: tidy(self.slice(at), item.mark, item.mark_len),
                end: at + 1,
                class,
                number,
                hint,
                annex: false,
            };
        }
        if !matches!(self.body, Body::Front | Body::Question { .. })
            && let Some(end) = cues::sign_off(self.text, &self.items, at)
        {
            return Event::Signature { end };
        }
        match (item.mark, &self.body) {
            (
                Mark::Level { .. },
                Body::Article { .. } | Body::Question { .. } | Body::Step { .. },
            ) => Event::Text,
            (Mark::Level { depth, number }, _) if self.ends_heading(depth, number) => Event::Item,
            _ => Event::Text,
        }
    }

    /// Whether a list item closes something: the front, or a heading of its rank that it goes on counting from.
    fn ends_heading(&self, depth: u8, number: u64) -> bool {
        if self.body == Body::Front {
            return true;
        }
        let same = self
            .stack
            .iter()
            .rev()
            .find(|open| open.class.is_some_and(|class| class >= 10 + depth));
        same.is_some_and(|open| open.class > Some(10 + depth) || number > open.number)
    }

    fn article(&self, at: usize) -> Option<Event> {
        let item = &self.items[at];
        let Mark::Article {
            number,
            sub,
            spaced,
        } = item.mark
        else {
            return None;
        };
        let follows = number == self.last_article + 1
            || number == self.last_article && sub > 0
            || number == 1;
        let accepted = if self.articles {
            spaced || follows && number > 1
        } else {
            follows
        };
        if !accepted {
            return None;
        }
        let label: String = self.slice(at)[..item.mark_len]
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        Some(Event::Article { label, number })
    }

    /// The title at the top belongs to the front.
    fn is_document_title(&self, at: usize) -> bool {
        let top =
            self.out.outline.is_empty() && self.out.clauses.is_empty() && self.body == Body::Front;
        match self.items[at].hint {
            Hint::Title => top,
            Hint::Heading(level) => {
                top && !self.items[..at]
                    .iter()
                    .any(|i| matches!(i.hint, Hint::Heading(_) | Hint::Title))
                    && (level == 1 || at == 0)
                    && outline::class(self.items[at].mark).0.is_none()
            }
            _ => false,
        }
    }
}
