//! The gate before what was learned is used: each confirmed question is asked again without itself, by the model in use
//! and by the new one, and the new one has to be better, and no worse where nothing was confirmed.

use std::collections::{BTreeSet, HashMap, HashSet};

use kernel::{
    Result,
    lexical::{Filter, Hit, LexicalIndex},
};
use lang::token::{is_character, normalise};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Key, LOOKED_AT, Learned, Pair, Vector, Without, vector};
use crate::retrieval::{CHARACTER_WEIGHT, Dense, Question, Scope, rank};

/// Questions about clauses never confirmed may lose so much of their reciprocal rank, on average.
const HARM: f64 = 0.01;

/// Up to this it may be chance, where the interval says so: some 150 questions give the mean an error of .015.
const PERHAPS: f64 = 0.02;

/// From this share of doubted pairs on, a batch is held back …
const DOUBTED_SHARE: f64 = 0.06;

/// … if there are at least so many.
const DOUBTED_LEAST: usize = 3;

/// With fewer questions about clauses that nobody else confirmed, all questions stand for them, each asked without any
/// other about its clauses.
const FEW_UNSEEN: usize = 30;

/// Samples drawn to say how sure a gain is.
const SAMPLES: usize = 1000;

/// Places that count.
const FIRST: usize = 10;

/// A confirmed question with what is found for it without anything learned.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The question, normalised.
    pub(super) text: String,
    pub(super) asked: Vector,
    pub(super) hits: Vec<Hit>,
    pub(super) by_meaning: bool,
    /// Its clauses.
    pub(super) right: Vec<Key>,
    /// For each of them, the share of the question's words that it holds.
    pub(super) in_words: Vec<f32>,
}

/// Finds what there is for a confirmed question without anything learned. `text_of` reads a clause.
///
/// # Errors
/// `Index`.
pub fn replay(
    index: &dyn LexicalIndex,
    dense: Option<Dense<'_>>,
    scopes: &HashMap<String, Scope>,
    text: &str,
    right: Vec<Key>,
    text_of: &dyn Fn(&Key) -> Option<String>,
) -> Result<Replay> {
    let question = Question::new(text, CHARACTER_WEIGHT);
    let asked = vector(index, &question)?;
    let filter = Filter::default();
    let ranking = rank(index, dense, scopes, None, question, filter, LOOKED_AT)?;
    let words: Vec<&(String, f32)> = asked.iter().filter(|(t, _)| !is_character(t)).collect();
    let all = words.iter().map(|(_, w)| w).sum::<f32>().max(1e-6);
    let in_words = right.iter().map(|key| {
        let text = normalise(&text_of(key).unwrap_or_default());
        let held = words.iter().filter(|(t, _)| text.contains(t.as_str()));
        held.map(|(_, w)| w).sum::<f32>() / all
    });
    Ok(Replay {
        text: normalise(text.trim()),
        in_words: in_words.collect(),
        asked,
        hits: ranking.hits,
        by_meaning: ranking.by_meaning,
        right,
    })
}

/// Between these a gain lies, with 95 in 100.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// On average.
    pub mean: f64,
    /// At least.
    pub low: f64,
    /// At most.
    pub high: f64,
}

/// Figures of two models on the same questions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// How many questions.
    pub questions: usize,
    /// The share of right clauses among the first ten, by the model in use.
    pub recall_before: f64,
    /// The same by the new one.
    pub recall_after: f64,
    /// The mean reciprocal rank of the first right clause among ten, by the model in use.
    pub mrr_before: f64,
    /// The same by the new one.
    pub mrr_after: f64,
    /// The gain in recall.
    pub recall_gain: Interval,
    /// The gain in reciprocal rank.
    pub mrr_gain: Interval,
}

/// A pair that is hardly right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Doubt {
    /// The question.
    pub question: String,
    /// The clause that is said to answer it.
    pub passage: Key,
}

/// Whether a new model may be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LearningVerdict")]
pub struct Verdict {
    /// It may.
    pub promoted: bool,
    /// Why not, for people.
    pub reasons: Vec<String>,
    /// Over all questions, each left out of what it was ranked by.
    pub all: Comparison,
    /// Over questions about clauses that no other question confirms.
    pub unseen: Comparison,
    /// New pairs judged.
    pub pairs: usize,
    /// Those that are hardly right.
    pub doubted: Vec<Doubt>,
}

#[derive(Clone, Copy)]
struct Score {
    recall: f64,
    reciprocal: f64,
}

/// Judges a new model against the one in use, on confirmed questions; `new` are the pairs that the new one has beyond the
/// other.
///
/// # Errors
/// `Index`.
pub fn judge(
    before: Option<&Learned>,
    after: &Learned,
    replays: &[Replay],
    new: &[Pair],
    scopes: &HashMap<String, Scope>,
) -> Result<Verdict> {
    let mut scores = Vec::with_capacity(replays.len());
    for replay in replays {
        let alone = |l: &Learned| l.without_text(replay);
        scores.push((
            score(before, replay, scopes, &alone)?,
            score(Some(after), replay, scopes, &alone)?,
        ));
    }
    let lone: Vec<usize> = (0..replays.len())
        .filter(|at| after.is_lone(&replays[*at]))
        .collect();
    let mut unseen = Vec::new();
    if lone.len() >= FEW_UNSEEN {
        unseen.extend(lone.into_iter().map(|at| scores[at]));
    } else {
        for replay in replays {
            let without = |l: &Learned| l.without_clauses(replay);
            unseen.push((
                score(before, replay, scopes, &without)?,
                score(Some(after), replay, scopes, &without)?,
            ));
        }
    }
    let by_text: HashMap<&str, &Replay> = replays.iter().map(|r| (r.text.as_str(), r)).collect();
    let mut doubted = Vec::new();
    for pair in new {
        let Some(replay) = by_text.get(normalise(pair.question.trim()).as_str()) else {
            continue;
        };
        let at = replay.right.iter().position(|k| *k == pair.passage);
        if at.is_some_and(|at| after.doubts(replay, at, scopes)) {
            doubted.push(Doubt {
                question: pair.question.clone(),
                passage: pair.passage.clone(),
            });
        }
    }
    let (all, unseen) = (compare(&scores), compare(&unseen));
    let reasons = reasons(&all, &unseen, new.len(), doubted.len());
    Ok(Verdict {
        promoted: reasons.is_empty(),
        reasons,
        all,
        unseen,
        pairs: new.len(),
        doubted,
    })
}

fn reasons(all: &Comparison, unseen: &Comparison, pairs: usize, doubted: usize) -> Vec<String> {
    let mut out = Vec::new();
    if all.questions == 0 {
        out.push("没有可用的确认问题。".to_owned());
        return out;
    }
    let share = doubted as f64 / pairs.max(1) as f64;
    if doubted >= DOUBTED_LEAST && share > DOUBTED_SHARE {
        out.push(format!(
            "{pairs} 条新确认中有 {doubted} 条存疑（{:.1}%，超过 {:.0}%），请先核对。",
            share * 100.0,
            DOUBTED_SHARE * 100.0
        ));
    }
    if all.recall_gain.low <= 0.0 && all.mrr_gain.low <= 0.0 {
        out.push("命中率和排序没有显著提高，继续积累确认问题后再训练。".to_owned());
    }
    if all.recall_gain.high < 0.0 || all.mrr_gain.high < 0.0 {
        out.push("命中率或排序显著下降。".to_owned());
    }
    let harm = &unseen.mrr_gain;
    if harm.mean < -PERHAPS || harm.mean < -HARM && harm.high < 0.0 {
        out.push(format!(
            "未确认过的条款排序变差：MRR {:.4} → {:.4}。",
            unseen.mrr_before, unseen.mrr_after
        ));
    }
    out
}

impl Learned {
    fn without_text(&self, replay: &Replay) -> Without {
        Without {
            questions: self
                .by_text
                .get(&replay.text)
                .copied()
                .into_iter()
                .collect(),
        }
    }

    fn without_clauses(&self, replay: &Replay) -> Without {
        let theirs: HashSet<u32> = replay
            .right
            .iter()
            .filter_map(|key| self.by_key.get(key).copied())
            .collect();
        let mut without = self.without_text(replay);
        let sharing = (0..)
            .zip(&self.questions)
            .filter(|(_, q)| q.passages.iter().any(|(p, _)| theirs.contains(p)));
        without.questions.extend(sharing.map(|(at, _)| at));
        without
    }

    /// Whether no other question confirms any of its clauses.
    fn is_lone(&self, replay: &Replay) -> bool {
        let without = self.without_text(replay);
        replay.right.iter().all(|key| {
            self.by_key
                .get(key)
                .is_none_or(|p| self.times(*p, &without) <= 0.0)
        })
    }
}

fn score(
    learned: Option<&Learned>,
    replay: &Replay,
    scopes: &HashMap<String, Scope>,
    without: &dyn Fn(&Learned) -> Without,
) -> Result<Score> {
    let hits = replay.hits.clone();
    let hits = match learned {
        Some(learned) => learned.apply_without(
            &replay.asked,
            hits,
            scopes,
            replay.by_meaning,
            &|passages| Ok(vec![true; passages.len()]),
            &without(learned),
        )?,
        None => hits,
    };
    let right: BTreeSet<(&str, u32)> = replay
        .right
        .iter()
        .map(|k| (k.document.as_str(), k.clause))
        .collect();
    let places: Vec<usize> = hits
        .iter()
        .take(FIRST)
        .enumerate()
        .filter(|(_, h)| right.contains(&(h.document.as_str(), h.clause)))
        .map(|(at, _)| at)
        .collect();
    Ok(Score {
        recall: places.len() as f64 / right.len().max(1) as f64,
        reciprocal: places.first().map_or(0.0, |at| 1.0 / (*at as f64 + 1.0)),
    })
}

fn compare(scores: &[(Score, Score)]) -> Comparison {
    let mean = |value: &dyn Fn(&(Score, Score)) -> f64| {
        scores.iter().map(value).sum::<f64>() / scores.len().max(1) as f64
    };
    let gains = |value: &dyn Fn(&Score) -> f64| {
        let gains: Vec<f64> = scores.iter().map(|(b, a)| value(a) - value(b)).collect();
        interval(&gains)
    };
    Comparison {
        questions: scores.len(),
        recall_before: mean(&|s| s.0.recall),
        recall_after: mean(&|s| s.1.recall),
        mrr_before: mean(&|s| s.0.reciprocal),
        mrr_after: mean(&|s| s.1.reciprocal),
        recall_gain: gains(&|s| s.recall),
        mrr_gain: gains(&|s| s.reciprocal),
    }
}

/// A paired bootstrap, the same on every run.
fn interval(gains: &[f64]) -> Interval {
    let n = gains.len();
    if n == 0 {
        return Interval {
            mean: 0.0,
            low: 0.0,
            high: 0.0,
        };
    }
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = || {
        // xorshift64*
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    };
    let mut means: Vec<f64> = (0..SAMPLES)
        .map(|_| (0..n).map(|_| gains[draw()]).sum::<f64>() / n as f64)
        .collect();
    means.sort_by(f64::total_cmp);
    Interval {
        mean: gains.iter().sum::<f64>() / n as f64,
        low: means[SAMPLES * 25 / 1000],
        high: means[SAMPLES * 975 / 1000],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_is_sure_where_most_gain_and_not_where_one_does() {
        let sure = interval(&[0.2, 0.1, 0.3, 0.2, 0.1, 0.2, 0.3, 0.2]);
        assert!(sure.low > 0.0 && sure.high < 0.4, "{sure:?}");
        let unsure = interval(&[0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert!(unsure.low <= 0.0, "{unsure:?}");
        assert_eq!(interval(&[]).mean, 0.0);
    }
}
