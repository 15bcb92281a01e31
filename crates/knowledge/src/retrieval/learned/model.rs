//! Confirmed pairs as a model that can be kept.

use std::collections::{BTreeMap, HashMap};

use kernel::{Error, Result, lexical::LexicalIndex};
use lang::token::normalise;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Known, Learned, unknown, vector_of};
use crate::retrieval::{CHARACTER_WEIGHT, Question};

/// The form in which models are kept. One of another form is trained anew from its pairs.
const FORM: u32 = 1;

/// A clause of a document.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Key {
    /// The document's id.
    pub document: String,
    /// The clause's ordinal.
    pub clause: u32,
}

/// A question and a clause that answers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// As it was asked.
    pub question: String,
    /// What answers it.
    pub passage: Key,
    /// How sure that is, 0 to 1.
    pub weight: f32,
}

/// What was learned, to be kept: the pairs, and how rare their tokens were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    form: u32,
    /// The pairs that were learned from.
    pub pairs: Vec<Pair>,
    rarity: BTreeMap<String, f32>,
    unknown: f32,
}

/// Learns from confirmed pairs. The index tells how rare words are.
///
/// # Errors
/// `Index`.
pub fn train(pairs: Vec<Pair>, index: &dyn LexicalIndex) -> Result<Model> {
    let mut rarity = BTreeMap::new();
    for pair in &pairs {
        let question = Question::new(&pair.question, CHARACTER_WEIGHT);
        rarity.extend(question.terms.into_iter().map(|(token, _)| (token, 0.0)));
    }
    let tokens: Vec<String> = rarity.keys().cloned().collect();
    for (rarity, found) in rarity.values_mut().zip(index.rarity(&tokens)?) {
        *rarity = found;
    }
    Ok(Model {
        form: FORM,
        pairs,
        rarity,
        unknown: unknown(index),
    })
}

impl Model {
    /// As JSON.
    ///
    /// # Errors
    /// `Internal`.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(Error::internal)
    }

    /// Reads a kept model; `None` where it has another form.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let model: Self = serde_json::from_slice(bytes).ok()?;
        (model.form == FORM).then_some(model)
    }

    /// Makes the pairs ready to rank by.
    pub fn ready(&self) -> Learned {
        let mut learned = Learned {
            questions: Vec::new(),
            passages: Vec::new(),
            confirmed: Vec::new(),
            by_key: HashMap::new(),
            by_text: HashMap::new(),
            postings: HashMap::new(),
        };
        for pair in &self.pairs {
            learned.add(self, pair);
        }
        learned
    }
}

impl Learned {
    fn add(&mut self, model: &Model, pair: &Pair) {
        let weight = pair.weight.clamp(0.0, 1.0);
        let Some(question) = self.question(model, &pair.question) else {
            return;
        };
        let passage = match self.by_key.get(&pair.passage) {
            Some(passage) => *passage,
            None => {
                let passage = u32::try_from(self.passages.len()).unwrap_or(u32::MAX);
                self.passages.push(pair.passage.clone());
                self.confirmed.push(0.0);
                self.by_key.insert(pair.passage.clone(), passage);
                passage
            }
        };
        let theirs = &mut self.questions[question as usize].passages;
        match theirs.iter_mut().find(|(p, _)| *p == passage) {
            // Confirmed twice is as sure as the surer of the two.
            Some((_, sure)) => {
                self.confirmed[passage as usize] += (weight - *sure).max(0.0);
                *sure = sure.max(weight);
            }
            None => {
                theirs.push((passage, weight));
                self.confirmed[passage as usize] += weight;
            }
        }
    }

    /// The place of a question; a question without a word has none.
    fn question(&mut self, model: &Model, text: &str) -> Option<u32> {
        let normal = normalise(text.trim());
        if let Some(known) = self.by_text.get(&normal) {
            return Some(*known);
        }
        let question = Question::new(text, CHARACTER_WEIGHT);
        let rarity: Vec<f32> = question
            .terms
            .iter()
            .map(|(t, _)| model.rarity.get(t).copied().unwrap_or(model.unknown))
            .collect();
        let vector = vector_of(&question, &rarity, model.unknown);
        if vector.is_empty() {
            return None;
        }
        let place = u32::try_from(self.questions.len()).ok()?;
        for (token, weight) in vector {
            self.postings
                .entry(token)
                .or_default()
                .push((place, weight));
        }
        self.questions.push(Known {
            passages: Vec::new(),
        });
        self.by_text.insert(normal, place);
        Some(place)
    }
}
