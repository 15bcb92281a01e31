//! What a citizen wants: which service item, or something else.
//!
//! | module | what |
//! |---|---|
//! | [`context`] | follow-ups and corrections as whole questions |
//! | [`keyword`] | matching of keywords, to compare with |
//! | `cues` | the lexicon: what everyday words say about the matter meant |
//! | `words` | likeness by words: a linear model and the nearest known saying |
//! | `normal` | dialect, Pinyin and mistyped words in plain characters |
//! | `split` | several questions in one message |
//!
//! Three readings are added up: the lexicon, a linear model over pieces of the items' own names, aliases and questions, and
//! the nearest of those. Vectors of an embedder, where there is one, join the last two. Nothing is read from disk and a
//! message costs well under two milliseconds (without the vector).

pub mod context;
pub mod keyword;

mod cues;
mod normal;
mod split;
mod words;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use cues::{Cues, Evidence};
use normal::{Forms, Sounds};
use words::{Linear, Nearest, Sparse, Vocabulary, softmax};

use crate::items::Item;

pub use split::questions;

/// What every city's items are asked about with.
const SAYINGS: &str = include_str!("data/sayings.tsv");

// How the readings are added up; see `docs/benchmarks.md`.
const OF_CUES: f32 = 0.5;
const OF_NEAREST: f32 = 4.0;
const OF_MEANING_NEAREST: f32 = 4.0;
const WORDS_RATE: f32 = 2.0;
const MEANING_RATE: f32 = 3.0;

/// Beyond so much, further cues add nothing.
const MOST_CUES: f32 = 14.0;

/// The least score of "nothing that a government does".
const OUT_AT_LEAST: f32 = 3.2;

/// With vectors, scores are higher.
const OUT_AT_LEAST_BY_MEANING: f32 = 7.2;

/// Divides scores before they become shares. Not yet calibrated.
const TEMPERATURE: f32 = 1.6;

/// The second of two readings is close when it is at least this share of the first.
const CLOSE: f32 = 0.5;

/// Items together must be more probable than this.
const NONE_BEYOND: f32 = 0.45;

/// How many items a reading names.
const NAMED: usize = 5;

/// What the recogniser has to know of an item.
#[derive(Clone, Debug, Default)]
pub struct ItemWords {
    /// Its id.
    pub id: String,
    /// Its name in the catalogue.
    pub name: String,
    /// What people call it.
    pub aliases: Vec<String>,
    /// How people ask about it.
    pub questions: Vec<String>,
    /// What it is, in a sentence.
    pub summary: String,
}

impl From<&Item> for ItemWords {
    fn from(item: &Item) -> Self {
        Self {
            id: item.id.clone(),
            name: item.name.clone(),
            aliases: item.aliases.clone(),
            questions: item.questions.clone(),
            summary: item.summary.clone(),
        }
    }
}

/// What kind of thing a message wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// A service item: to do it, or to know something of it.
    Item,
    /// What a policy or rule says about something that an item also covers.
    Policy,
    /// A matter of government that is no item.
    General,
    /// How one's own case stands.
    CaseStatus,
    /// A complaint, a report or something that needs repair.
    Complaint,
    /// A greeting, thanks.
    SmallTalk,
    /// Nothing that a government does.
    OutOfScope,
}

/// An item that may be meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Likely {
    /// The item's id.
    pub id: String,
    /// The item's name.
    pub name: String,
    /// How probable it is that this item is meant; with the probability of no item, all items sum to one.
    pub probability: f32,
}

/// How a message was read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What kind of thing it wants.
    pub intent: Intent,
    /// How probable the intent is.
    pub certainty: f32,
    /// The items that may be meant, best first; also there when none is thought to be meant.
    pub items: Vec<Likely>,
    /// Two readings are close: ask which is meant, with the first items as buttons.
    pub close: bool,
    /// The questions of the message; one if it asks one thing.
    pub questions: Vec<String>,
    /// The message as it was read: in plain characters.
    pub plain: String,
    /// The cues that spoke for the first item, or for the intent.
    pub why: Vec<String>,
}

/// Recognises what is wanted. Learns from the items when it is made (a fraction of a second).
pub struct Recogniser {
    items: Vec<(String, String)>,
    cues: Cues,
    forms: Forms,
    sounds: Sounds,
    vocabulary: Vocabulary,
    linear: Linear,
    nearest: Nearest,
    /// What was learned from, with the item's place.
    sayings: Vec<(String, usize)>,
    meaning: Option<Meaning>,
}

/// The same by vectors of an embedder.
struct Meaning {
    mean: Vec<f32>,
    linear: Linear,
    known: Vec<(Vec<f32>, usize)>,
}

impl Recogniser {
    /// Learns from the items of a city.
    pub fn new(items: &[ItemWords]) -> Self {
        let (cues, forms) = (Cues::new(), Forms::new());
        let sayings = sayings(items);
        let plain: Vec<String> = sayings.iter().map(|(text, _)| forms.plain(text)).collect();
        let texts = || plain.iter().map(String::as_str);
        let sounds = Sounds::new(texts());
        let vocabulary = Vocabulary::new(texts(), cues.concepts());
        let examples: Vec<(Sparse, usize)> = texts()
            .zip(&sayings)
            .map(|(text, (_, item))| {
                let evidence = cues.of(text);
                (vocabulary.vector(text, &evidence.concepts), *item)
            })
            .collect();
        let length = vocabulary.len();
        Self {
            items: items
                .iter()
                .map(|item| (item.id.clone(), item.name.clone()))
                .collect(),
            linear: Linear::learn(&examples, length, items.len() + INTENTS.len(), WORDS_RATE),
            nearest: Nearest::new(&examples, length),
            cues,
            forms,
            sounds,
            vocabulary,
            sayings,
            meaning: None,
        }
    }

    /// What to embed, in order, for [`Self::learn_meaning`].
    pub fn sayings(&self) -> impl Iterator<Item = &str> {
        self.sayings.iter().map(|(text, _)| text.as_str())
    }

    /// Learns from the vectors of the sayings, in their order. Vectors of another number are ignored.
    pub fn learn_meaning(&mut self, vectors: Vec<Vec<f32>>) {
        if vectors.is_empty() || vectors.len() != self.sayings.len() {
            return;
        }
        let dimensions = vectors[0].len();
        let classes = self.items.len() + INTENTS.len();
        let mut mean = vec![0.0; dimensions];
        for vector in &vectors {
            for (sum, value) in mean.iter_mut().zip(vector) {
                *sum += value / vectors.len() as f32;
            }
        }
        let known: Vec<(Vec<f32>, usize)> = vectors
            .iter()
            .zip(&self.sayings)
            .map(|(vector, (_, item))| (centred(vector, &mean), *item))
            .collect();
        let examples: Vec<(Sparse, usize)> = known
            .iter()
            .map(|(vector, item)| (sparse(vector), *item))
            .collect();
        self.meaning = Some(Meaning {
            linear: Linear::learn(&examples, dimensions, classes, MEANING_RATE),
            mean,
            known,
        });
    }

    /// Whether it reads by meaning as well, given a vector.
    pub fn knows_meaning(&self) -> bool {
        self.meaning.is_some()
    }

    /// Reads a message by its words.
    pub fn recognise(&self, message: &str) -> Reading {
        self.recognise_with(message, None)
    }

    /// Reads a message by its words and, where the sayings' vectors were learned, by its vector.
    pub fn recognise_with(&self, message: &str, vector: Option<&[f32]>) -> Reading {
        let plain = self.plain(message);
        let evidence = self.cues.of(&plain);
        let meaning = self.meaning.as_ref().zip(vector);
        let scores = self.scores(&plain, &evidence, meaning);
        let mut shares: Vec<f32> = scores.iter().map(|s| s / TEMPERATURE).collect();
        if let Some(out) = shares.last_mut() {
            let least = match meaning {
                Some(_) => OUT_AT_LEAST_BY_MEANING,
                None => OUT_AT_LEAST,
            };
            *out = out.max((least + OF_CUES * evidence.of("!out")) / TEMPERATURE);
        }
        let mut shares = softmax(&shares);
        let others = shares.split_off(self.items.len());
        let items = self.best(&shares);
        let (intent, certainty) = intent(&plain, &others, items.first());
        let close = matches!(items.as_slice(), [first, second, ..]
            if second.probability >= CLOSE * first.probability);
        Reading {
            intent,
            certainty,
            close: close && matches!(intent, Intent::Item | Intent::Policy),
            questions: questions(message),
            why: self.why(intent, &evidence, items.first()),
            items,
            plain,
        }
    }

    /// A message in plain characters: what to embed for [`Self::recognise_with`].
    pub fn plain(&self, message: &str) -> String {
        let spelled = self.sounds.spelled(message);
        self.sounds.repaired(&self.forms.plain(&spelled))
    }

    fn scores(
        &self,
        plain: &str,
        evidence: &Evidence,
        meaning: Option<(&Meaning, &[f32])>,
    ) -> Vec<f32> {
        let vector = self.vocabulary.vector(plain, &evidence.concepts);
        let mut scores = self.linear.scores(&vector);
        let near = self.nearest.scores(&vector, scores.len());
        let names = self.items.iter().map(|(_, name)| name.as_str());
        let targets = names.chain(INTENTS.iter().map(|(cue, _)| *cue));
        for ((place, score), target) in scores.iter_mut().enumerate().zip(targets) {
            let cues = evidence.of(target).min(MOST_CUES);
            *score += OF_CUES * cues + OF_NEAREST * near[place];
        }
        if let Some((meaning, vector)) = meaning {
            let vector = centred(vector, &meaning.mean);
            let linear = meaning.linear.scores(&sparse(&vector));
            let mut near = vec![0.0_f32; scores.len()];
            for (known, item) in &meaning.known {
                let product: f32 = known.iter().zip(&vector).map(|(a, b)| a * b).sum();
                near[*item] = near[*item].max(product);
            }
            for (place, score) in scores.iter_mut().enumerate() {
                *score += linear[place] + OF_MEANING_NEAREST * near[place];
            }
        }
        scores
    }

    fn best(&self, shares: &[f32]) -> Vec<Likely> {
        let mut order: Vec<usize> = (0..shares.len()).collect();
        order.sort_by(|a, b| shares[*b].total_cmp(&shares[*a]));
        order
            .into_iter()
            .take(NAMED)
            .map(|place| Likely {
                id: self.items[place].0.clone(),
                name: self.items[place].1.clone(),
                probability: shares[place],
            })
            .collect()
    }

    fn why(&self, intent: Intent, evidence: &Evidence, first: Option<&Likely>) -> Vec<String> {
        let target = match intent {
            Intent::Item | Intent::Policy => first.map(|item| item.name.as_str()),
            other => INTENTS
                .iter()
                .find(|(_, intent)| *intent == other)
                .map(|(cue, _)| *cue),
        };
        target
            .and_then(|target| evidence.targets.get(target))
            .map(|(_, rules)| rules.clone())
            .unwrap_or_default()
    }
}

/// The intents that the lexicon names; the last is what nothing else fits.
const INTENTS: [(&str, Intent); 5] = [
    ("!talk", Intent::SmallTalk),
    ("!status", Intent::CaseStatus),
    ("!complaint", Intent::Complaint),
    ("!general", Intent::General),
    ("!out", Intent::OutOfScope),
];

/// Words of somebody who wants to know what is laid down.
const OF_POLICY: [&str; 8] = [
    "政策", "规定", "文件", "条例", "法律", "依据", "出台", "新规",
];

/// The intent with its probability, from the shares of the intents that are no item.
fn intent(plain: &str, others: &[f32], first: Option<&Likely>) -> (Intent, f32) {
    let none: f32 = others.iter().sum();
    let item = first.map_or(0.0, |item| item.probability);
    if first.is_some()
        && 1.0 - none > NONE_BEYOND
        && item > others.iter().copied().fold(0.0, f32::max)
    {
        let policy = OF_POLICY.iter().any(|word| plain.contains(word));
        let intent = if policy { Intent::Policy } else { Intent::Item };
        return (intent, 1.0 - none);
    }
    let said = INTENTS.iter().zip(others).max_by(|a, b| a.1.total_cmp(b.1));
    let intent = said.map_or(Intent::OutOfScope, |((_, intent), _)| *intent);
    (intent, none)
}

/// All that items and other intents are asked about with, each once.
fn sayings(items: &[ItemWords]) -> Vec<(String, usize)> {
    let names = items.iter().map(|item| item.name.as_str());
    let targets = names.chain(INTENTS.iter().map(|(cue, _)| *cue));
    let places: HashMap<&str, usize> = targets.zip(0..).collect();
    let (mut out, mut seen) = (Vec::new(), HashSet::new());
    let mut add = |text: &str, place: usize| {
        if !text.is_empty() && seen.insert((text.to_owned(), place)) {
            out.push((text.to_owned(), place));
        }
    };
    for (place, item) in items.iter().enumerate() {
        add(&item.name, place);
        add(&item.summary, place);
        for text in item.aliases.iter().chain(&item.questions) {
            add(text, place);
        }
    }
    for line in cues::lines(SAYINGS) {
        let Some((name, said)) = line.split_once('\t') else {
            continue;
        };
        if let Some(place) = places.get(name) {
            said.split('|').for_each(|text| add(text, *place));
        }
    }
    out
}

/// A vector from the middle of all, of length one.
fn centred(vector: &[f32], mean: &[f32]) -> Vec<f32> {
    let mut out: Vec<f32> = vector.iter().zip(mean).map(|(v, m)| v - m).collect();
    let length = out.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-6);
    out.iter_mut().for_each(|v| *v /= length);
    out
}

fn sparse(vector: &[f32]) -> Sparse {
    vector.iter().copied().enumerate().collect()
}
