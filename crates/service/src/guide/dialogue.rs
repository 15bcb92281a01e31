//! The state of a dialogue and its next question.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rules::{Assessment, Book, Facts, Outcome, Value, book::Case};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hearing::{Heard, hear};
use crate::items::schema::{Field, Item};

/// Where a dialogue is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Something still has to be known.
    #[default]
    Asking,
    /// The form is complete and waits for the applicant's word.
    Review,
    /// A condition is not met.
    Ineligible,
    /// Handed in.
    Submitted,
    /// The citizen left it; it can be taken up again.
    Stopped,
}

/// The state of a dialogue, as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Dialogue {
    /// Its id; a submitted case is known by it, so that it is made once.
    pub id: String,
    /// The item.
    pub item: String,
    /// The wording of the item by which it began.
    pub version: String,
    /// What is known. Answers to fields that no longer matter are kept, in case they matter again.
    pub facts: Facts,
    /// Fields taken from the account rather than asked.
    #[serde(default)]
    pub prefilled: BTreeSet<String>,
    /// Optional fields left out.
    #[serde(default)]
    pub skipped: BTreeSet<String>,
    /// The field that was asked last and not answered yet.
    #[serde(default)]
    pub pending: Option<String>,
    /// Where it is.
    pub phase: Phase,
    /// How often each field was asked.
    #[serde(default)]
    pub asked: BTreeMap<String, u32>,
    /// The fields that were answered last: what a correction means that names none.
    #[serde(default)]
    pub recent: Vec<String>,
    /// How many messages the citizen sent in it.
    #[serde(default)]
    pub turns: u32,
    /// When it began.
    #[serde(default)]
    pub began_at: String,
    /// The case that came of it.
    #[serde(default)]
    pub case: Option<String>,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// What the message was.
    pub heard: Heard,
    /// Fields that have a new value, with the one before.
    pub changed: Vec<(String, Option<Value>)>,
}

impl Dialogue {
    /// Begins one for an item, with what is known of the account.
    pub fn begin(id: String, item: &Item, account: &BTreeMap<String, String>, on: Date) -> Self {
        let mut dialogue = Self {
            id,
            item: item.id.clone(),
            began_at: kernel::time::now(),
            ..Self::default()
        };
        let book = item.book();
        for field in &item.fields {
            let known = field.prefill.as_ref().and_then(|from| account.get(from));
            if let Some(known) = known
                && let Ok(value) = super::answers::read(field, known, &book, &dialogue.facts, on)
            {
                dialogue.facts.insert(field.id.clone(), value);
                dialogue.prefilled.insert(field.id.clone());
            }
        }
        dialogue.advance(item, &book, on);
        dialogue
    }

    /// Takes a message in and moves on.
    pub fn take(&mut self, item: &Item, book: &Book, message: &str, on: Date) -> Taken {
        let heard = hear(item, book, self, message, on);
        self.turns += 1;
        let mut changed = Vec::new();
        match &heard {
            Heard::Answers(answers) => {
                changed = self.set(answers);
                self.recent = answers.iter().map(|a| a.0.clone()).collect();
            }
            Heard::Skip => {
                if let Some(field) = self.pending.take() {
                    self.skipped.insert(field);
                }
            }
            Heard::Stop => {
                if self.phase != Phase::Submitted {
                    self.phase = Phase::Stopped;
                }
            }
            Heard::Restart => {
                let kept = |id: &String, _: &mut Value| self.prefilled.contains(id);
                self.facts.retain(kept);
                self.skipped.clear();
                self.asked.clear();
                self.recent.clear();
                self.phase = Phase::Asking;
            }
            Heard::Resume => {
                if self.phase == Phase::Stopped {
                    self.phase = Phase::Asking;
                }
            }
            Heard::Unsure | Heard::Confirm | Heard::Aside | Heard::Unclear(_) => {}
        }
        if !matches!(self.phase, Phase::Submitted | Phase::Stopped) {
            self.advance(item, book, on);
        }
        Taken { heard, changed }
    }

    /// Sets answers, as the form does. What depends on them follows with [`Dialogue::advance`].
    pub fn set(&mut self, answers: &[(String, Value)]) -> Vec<(String, Option<Value>)> {
        let mut changed = Vec::new();
        if self.phase == Phase::Submitted {
            return changed;
        }
        for (field, value) in answers {
            let before = self.facts.insert(field.clone(), value.clone());
            self.prefilled.remove(field);
            self.skipped.remove(field);
            if before.as_ref() != Some(value) {
                changed.push((field.clone(), before));
            }
        }
        if self.phase == Phase::Stopped {
            self.phase = Phase::Asking;
        }
        changed
    }

    /// Works out what is next: a question, the review, or that a condition is not met.
    pub fn advance(&mut self, item: &Item, book: &Book, on: Date) {
        let next = if book.outcome(&self.facts, on) == Outcome::Ineligible {
            self.phase = Phase::Ineligible;
            None
        } else {
            let next = self.next(item, book, on).map(|f| f.id.clone());
            self.phase = if next.is_some() {
                Phase::Asking
            } else {
                Phase::Review
            };
            next
        };
        if let Some(field) = &next
            && self.pending.as_ref() != Some(field)
        {
            *self.asked.entry(field.clone()).or_default() += 1;
        }
        self.pending = next;
    }

    /// The field to ask next: what decides, then what amounts need, then what the form needs.
    fn next<'a>(&self, item: &'a Item, book: &Book, on: Date) -> Option<&'a Field> {
        let case = Case {
            book,
            facts: &self.facts,
            on,
        };
        // What was asked and still matters is asked on, lest the citizen's next answer go to another question.
        let open = |field: &&Field| {
            !self.facts.contains_key(&field.id)
                && !self.skipped.contains(&field.id)
                && book
                    .field(&field.id)
                    .is_some_and(|f| case.applies(f) == Some(true))
        };
        let pending = self.pending.as_ref().and_then(|id| item.field(id));
        if let Some(field) = pending.filter(open) {
            return Some(field);
        }
        if let Some(field) = book.next_question(&self.facts, on)
            && let Some(field) = item.field(&field.id).filter(open)
        {
            return Some(field);
        }
        item.fields.iter().find(open)
    }

    /// What the rules say now.
    pub fn assess(&self, book: &Book, on: Date) -> Assessment {
        book.assess(&self.facts, on)
    }
}
