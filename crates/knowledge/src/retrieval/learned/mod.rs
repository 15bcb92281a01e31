//! What confirmed pairs of question and clause teach the ranking.
//!
//! The nearest confirmed questions vote: for their clauses, for what stands near them, and for the statute or document that
//! these are part of. Clauses confirmed often gain a little as general norms; clauses confirmed for other questions alone
//! have to be the nearer in words, so that those which nobody has asked for yet are not pushed aside. Clauses of a statute
//! that crowds what is found give way a little: confirmed questions tell better than words which statute is meant. How much
//! each counts was fitted with each question left out of what it was ranked by, and with questions about clauses never
//! confirmed counting more; `docs/benchmarks.md` has the figures, [`judge`] holds each new batch against them.

mod doubt;
mod judge;
mod model;

use std::collections::{HashMap, HashSet};

use kernel::{
    Result,
    lexical::{Hit, LexicalIndex},
};
use lang::token::is_character;

pub use judge::{Comparison, Doubt, Interval, Replay, Verdict, judge, replay};
pub use model::{Key, Model, Pair, train};

use super::{Question, Scope, in_order, law::place};

/// How many of the nearest confirmed questions vote.
const NEAREST: usize = 20;

/// Votes of all together weigh no more than their nearness against this: far questions say little.
const FAR: f32 = 0.1;

/// The weight of single characters beside pairs, in the nearness of questions; official terms that came by the lexicon keep
/// their own.
const CHARACTER: f32 = 0.5;

/// How many of the best by words and meaning are looked at.
const LOOKED_AT: usize = 100;

/// A voted clause that was not found is taken to match a little worse than the last looked at.
const BELOW_LAST: f32 = 0.9;

/// Shares of the vote count by ln(1 + share/this).
const SHARE: f32 = 0.03;

/// By so many articles the vote for a neighbour falls to 1/e.
const VICINITY: f32 = 4.0;

/// From this nearness on a question counts as asked again, and its clauses come first.
const AGAIN: f32 = 0.85;

/// How much that gains, in the score of the best.
const AGAIN_GAIN: f32 = 0.6;

/// In a crowd a clause counts by exp((score - best)/this), with scores in units of the best.
const CROWD: f32 = 0.15;

/// How far general knowledge, of what is often confirmed and of crowds, can be trusted: it grows with the number of
/// confirmed questions.
const FEW: f32 = 300.0;

/// What counts how much, beside the score by words and meaning.
struct Weights {
    base: f32,
    confirmed: f32,
    confirmed_base: f32,
    other_base: f32,
    share: f32,
    family: f32,
    vicinity: f32,
    crowd: f32,
}

const BY_WORDS: Weights = Weights {
    base: 9.01,
    confirmed: 2.22,
    confirmed_base: -1.56,
    other_base: -2.59,
    share: 0.70,
    family: 0.66,
    vicinity: 0.52,
    crowd: -2.62,
};

const BY_MEANING: Weights = Weights {
    base: 8.86,
    confirmed: 1.95,
    confirmed_base: -1.07,
    other_base: -2.57,
    share: 0.63,
    family: 0.57,
    vicinity: 0.42,
    crowd: -2.46,
};

/// A question as a vector of length 1.
pub(super) type Vector = Vec<(String, f32)>;

/// The question as a vector over its tokens, by their rarity in the index.
pub(super) fn vector(index: &dyn LexicalIndex, question: &Question) -> Result<Vector> {
    let tokens: Vec<String> = question.terms.iter().map(|(t, _)| t.clone()).collect();
    let rarity = index.rarity(&tokens)?;
    Ok(vector_of(question, &rarity, unknown(index)))
}

/// The rarity of what no passage holds.
fn unknown(index: &dyn LexicalIndex) -> f32 {
    (1.0 + (index.passages() as f32 + 0.5) / 0.5).ln()
}

fn vector_of(question: &Question, rarity: &[f32], unknown: f32) -> Vector {
    let mut out: Vector = Vec::with_capacity(question.terms.len());
    for ((token, weight), rarity) in question.terms.iter().zip(rarity) {
        let weight = if is_character(token) {
            weight / super::CHARACTER_WEIGHT * CHARACTER
        } else {
            *weight
        };
        // A word that no document uses may be a slip as well as an everyday word.
        let rarity = if *rarity > unknown - 1e-3 {
            rarity / 2.0
        } else {
            *rarity
        };
        out.push((token.clone(), weight * rarity));
    }
    let length = out.iter().map(|(_, w)| w * w).sum::<f32>().sqrt().max(1e-9);
    out.iter_mut().for_each(|(_, w)| *w /= length);
    out
}

/// A confirmed question.
struct Known {
    /// Its clauses, as places in `passages`, with how surely each is confirmed.
    passages: Vec<(u32, f32)>,
}

/// Confirmed questions, ready to rank by.
pub struct Learned {
    questions: Vec<Known>,
    passages: Vec<Key>,
    /// For each clause: how often it is confirmed.
    confirmed: Vec<f32>,
    by_key: HashMap<Key, u32>,
    by_text: HashMap<String, u32>,
    postings: HashMap<String, Vec<(u32, f32)>>,
}

/// Confirmed questions that are left out of a ranking, to see what it would be without them.
#[derive(Default)]
struct Without {
    questions: HashSet<u32>,
}

/// The votes of the nearest confirmed questions.
#[derive(Default)]
struct Votes<'a> {
    /// Their share, by clause; a question's vote counts whole for each of its clauses.
    share: HashMap<u32, f32>,
    /// By statute or document.
    family: HashMap<&'a str, f32>,
    /// Where votes lie in a statute or document; a question's vote is divided among its clauses.
    spots: HashMap<&'a str, Vec<(u32, u32, f32)>>,
    /// The nearness of the nearest question that has the clause.
    nearest: HashMap<u32, f32>,
}

type Admitted<'a> = dyn Fn(&[(&str, u32)]) -> Result<Vec<bool>> + 'a;

impl Learned {
    /// How many confirmed questions there are.
    pub fn questions(&self) -> usize {
        self.questions.len()
    }

    /// The nearest confirmed questions, nearest first.
    fn near(&self, asked: &Vector, without: &Without) -> Vec<(u32, f32)> {
        let mut nearness = vec![0.0_f32; self.questions.len()];
        for (token, weight) in asked {
            for (question, theirs) in self.postings.get(token).into_iter().flatten() {
                nearness[*question as usize] += weight * theirs;
            }
        }
        let mut near: Vec<(u32, f32)> = (0..)
            .zip(nearness)
            .filter(|(q, n)| *n > 0.0 && !without.questions.contains(q))
            .collect();
        near.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        near.truncate(NEAREST);
        near
    }

    fn votes<'a>(&'a self, near: &[(u32, f32)], scopes: &'a HashMap<String, Scope>) -> Votes<'a> {
        let all = near.iter().map(|(_, n)| n * n).sum::<f32>() + FAR;
        let mut votes = Votes::default();
        for (question, nearness) in near {
            let vote = nearness * nearness / all;
            let theirs = &self.questions[*question as usize].passages;
            let mut families: Vec<(&str, f32)> = Vec::new();
            for (passage, sure) in theirs {
                let key = &self.passages[*passage as usize];
                let (family, position) = place(scopes, &key.document, key.clause);
                *votes.share.entry(*passage).or_default() += vote * sure;
                let nearest = votes.nearest.entry(*passage).or_default();
                *nearest = nearest.max(*nearness * sure);
                let spot = (*passage, position, vote * sure / theirs.len() as f32);
                votes.spots.entry(family).or_default().push(spot);
                match families.iter_mut().find(|(f, _)| *f == family) {
                    Some((_, s)) => *s = s.max(*sure),
                    None => families.push((family, *sure)),
                }
            }
            for (family, sure) in families {
                *votes.family.entry(family).or_default() += vote * sure;
            }
        }
        votes
    }

    /// How often a clause is confirmed by questions that are not left out.
    fn times(&self, passage: u32, without: &Without) -> f32 {
        let mut times = self.confirmed[passage as usize];
        for question in &without.questions {
            let theirs = &self.questions[*question as usize].passages;
            times -= theirs
                .iter()
                .filter(|(p, _)| *p == passage)
                .map(|(_, sure)| sure)
                .sum::<f32>();
        }
        times.max(0.0)
    }

    /// Puts what was found, best first, in the order that confirmed questions speak for; clauses that they vote for are
    /// added where they are admitted. Scores stay on the scale that they had.
    pub(super) fn apply(
        &self,
        asked: &Vector,
        hits: Vec<Hit>,
        scopes: &HashMap<String, Scope>,
        by_meaning: bool,
        admitted: &Admitted<'_>,
    ) -> Result<Vec<Hit>> {
        let without = Without::default();
        self.apply_without(asked, hits, scopes, by_meaning, admitted, &without)
    }

    fn apply_without(
        &self,
        asked: &Vector,
        mut hits: Vec<Hit>,
        scopes: &HashMap<String, Scope>,
        by_meaning: bool,
        admitted: &Admitted<'_>,
        without: &Without,
    ) -> Result<Vec<Hit>> {
        let near = self.near(asked, without);
        let top = hits.first().map_or(0.0, |h| h.score);
        if near.is_empty() || top <= 0.0 {
            return Ok(hits);
        }
        let votes = self.votes(&near, scopes);
        let count = self.questions.len().saturating_sub(without.questions.len()) as f32;
        let trusted = count / (count + FEW);
        let w = if by_meaning { &BY_MEANING } else { &BY_WORDS };
        let looked_at = hits.len().min(LOOKED_AT);
        let floor = hits[looked_at - 1].score.max(0.0) * BELOW_LAST;
        let crowd = Crowd::of(&hits[..looked_at], top, scopes);

        let mut found: HashSet<u32> = HashSet::new();
        for (at, hit) in hits.iter_mut().enumerate() {
            let passage = self.passage(&hit.document, hit.clause);
            let voted = passage.filter(|p| votes.share.contains_key(p));
            found.extend(voted);
            if at < looked_at || voted.is_some() {
                let times = passage.map_or(0.0, |p| self.times(p, without));
                // What was not looked at matches as little as what was not found: so it was fitted.
                let (base, own) = if at < looked_at {
                    (hit.score / top, drawn(hit.score / top))
                } else {
                    (floor / top, 0.0)
                };
                let beside = crowd.beside((&hit.document, hit.clause), own, scopes);
                let more = votes.gain(w, (&hit.document, hit.clause), passage, scopes)
                    + trusted * (prior(w, times, base) + w.crowd * beside);
                hit.score = top * (base + more / w.base);
            }
        }
        let mut missing: Vec<u32> = votes
            .share
            .keys()
            .filter(|p| !found.contains(p))
            .copied()
            .collect();
        missing.sort_unstable();
        let named: Vec<(&str, u32)> = missing
            .iter()
            .map(|p| &self.passages[*p as usize])
            .map(|key| (key.document.as_str(), key.clause))
            .collect();
        let admitted = if named.is_empty() {
            Vec::new()
        } else {
            admitted(&named)?
        };
        for ((passage, (document, clause)), admitted) in missing.iter().zip(&named).zip(admitted) {
            if admitted {
                let base = floor / top;
                let times = self.times(*passage, without);
                let beside = crowd.beside((document, *clause), 0.0, scopes);
                let more = votes.gain(w, (document, *clause), Some(*passage), scopes)
                    + trusted * (prior(w, times, base) + w.crowd * beside);
                hits.push(Hit {
                    document: (*document).to_owned(),
                    clause: *clause,
                    score: top * (base + more / w.base),
                });
            }
        }
        in_order(&mut hits);
        Ok(hits)
    }

    fn passage(&self, document: &str, clause: u32) -> Option<u32> {
        let key = Key {
            document: document.to_owned(),
            clause,
        };
        self.by_key.get(&key).copied()
    }
}

/// What having been confirmed says of a clause, whatever is asked: often confirmed ones are general norms; those confirmed
/// for other questions give way to those that were never asked for.
fn prior(w: &Weights, times: f32, base: f32) -> f32 {
    if times <= 0.0 {
        return 0.0;
    }
    let often = times.ln_1p();
    often * (w.confirmed + w.confirmed_base * base) + w.other_base * base * times.min(1.0)
}

/// Where what is found lies.
struct Crowd {
    /// By statute or document.
    of_family: HashMap<String, f32>,
    all: f32,
}

/// What a clause counts in a crowd.
fn drawn(base: f32) -> f32 {
    ((base - 1.0) / CROWD).exp()
}

impl Crowd {
    fn of(hits: &[Hit], top: f32, scopes: &HashMap<String, Scope>) -> Self {
        let mut crowd = Self {
            of_family: HashMap::new(),
            all: 0.0,
        };
        for hit in hits {
            let (family, _) = place(scopes, &hit.document, hit.clause);
            let drawn = drawn(hit.score / top);
            *crowd.of_family.entry(family.to_owned()).or_default() += drawn;
            crowd.all += drawn;
        }
        crowd
    }

    /// The share of others of the same statute or document; `own` is what the clause itself counts in the crowd.
    fn beside(
        &self,
        (document, clause): (&str, u32),
        own: f32,
        scopes: &HashMap<String, Scope>,
    ) -> f32 {
        let (family, _) = place(scopes, document, clause);
        let all = self.of_family.get(family).copied().unwrap_or_default();
        (all - own).max(0.0) / self.all
    }
}

impl Votes<'_> {
    /// What the votes add for a clause.
    fn gain(
        &self,
        w: &Weights,
        (document, clause): (&str, u32),
        passage: Option<u32>,
        scopes: &HashMap<String, Scope>,
    ) -> f32 {
        let (family, position) = place(scopes, document, clause);
        let counts = |share: f32| (1.0 + share / SHARE).ln();
        let share = passage.and_then(|p| self.share.get(&p)).copied();
        let nearest = passage.and_then(|p| self.nearest.get(&p)).copied();
        let of_family = self.family.get(family).copied().unwrap_or_default();
        let around: f32 = self
            .spots
            .get(family)
            .into_iter()
            .flatten()
            .filter(|(other, ..)| Some(*other) != passage)
            .map(|(_, at, vote)| vote * (-(at.abs_diff(position) as f32) / VICINITY).exp())
            .sum();
        let again = ((nearest.unwrap_or_default() - AGAIN) / (1.0 - AGAIN)).clamp(0.0, 1.0);
        w.share * counts(share.unwrap_or_default())
            + w.family * counts(of_family)
            + w.vicinity * counts(around)
            + w.base * AGAIN_GAIN * again
    }
}

#[cfg(test)]
mod tests;
