//! From words to ranked clauses: one path for chat, test page and evaluation.
//!
//! BM25F over characters and bigrams, the question rewritten by a lexicon; with an embedder fused with the nearness of
//! vectors; a prior from the structure of the law; and what confirmed questions teach.
//! Parameters and what else was tried: `docs/benchmarks.md`.

mod fusion;
mod law;
pub mod learned;
mod question;
pub mod tokens;

use std::collections::HashMap;

use kernel::{
    Result,
    dense::VectorIndex,
    lexical::{Bm25f, Filter, Hit, LexicalIndex, Query, Term},
};

pub use law::Scope;
pub use learned::Learned;
pub use question::{Expansion, Question};

/// The weight of single characters beside bigrams, for clauses. Whole notices want less.
pub const CHARACTER_WEIGHT: f32 = 0.8;

/// How many candidates are taken for each wanted, before the prior is applied.
const CANDIDATES: usize = 6;

const SCORING: Bm25f = Bm25f {
    k1: 1.2,
    b: [0.75, 0.75],
    weight: [1.0, 1.0],
    idf_power: 1.0,
};

/// Terms that more than about three in five passages hold are passed over …
const LEAST_RARITY: f32 = 0.5;

/// … once there are so many passages: in a small library every word is frequent.
const MANY: u64 = 500;

/// Ranked clauses with how the question was understood.
#[derive(Clone, Debug)]
pub struct Ranking {
    /// The question as words.
    pub question: Question,
    /// Best first.
    pub hits: Vec<Hit>,
    /// Whether meaning was looked at as well as words.
    pub by_meaning: bool,
    /// Why meaning was not looked at, though there is an embedder.
    pub by_words_because: Option<String>,
}

impl Ranking {
    /// Puts the first hits into the order of their scores; the scores of the list stay in descending order.
    pub fn reorder(&mut self, scores: &[f32]) {
        let first = scores.len().min(self.hits.len());
        let values: Vec<f32> = self.hits[..first].iter().map(|h| h.score).collect();
        let mut order: Vec<usize> = (0..first).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
        let old = self.hits[..first].to_vec();
        for ((place, at), score) in order.into_iter().enumerate().zip(values) {
            self.hits[place] = Hit {
                score,
                ..old[at].clone()
            };
        }
    }
}

/// The question as a vector, and the clauses to compare it with.
pub struct Dense<'a> {
    /// The clauses' vectors.
    pub index: &'a dyn VectorIndex,
    /// The question's.
    pub vector: &'a [f32],
}

/// Finds the clauses that a question is about.
///
/// `scopes` tells of statutes, by document; other documents are ranked by their words alone. `learned` is what confirmed
/// questions taught, if they did.
///
/// # Errors
/// `Index`.
pub fn rank(
    index: &dyn LexicalIndex,
    dense: Option<Dense<'_>>,
    scopes: &HashMap<String, Scope>,
    learned: Option<&Learned>,
    question: Question,
    filter: Filter,
    limit: usize,
) -> Result<Ranking> {
    let few = index.passages() < MANY;
    let terms = question.terms.iter().map(|(token, weight)| Term {
        token: token.clone(),
        weight: *weight,
    });
    let query = Query {
        terms: terms.collect(),
        least_rarity: if few { 0.0 } else { LEAST_RARITY },
        filter,
        scoring: SCORING,
        limit: limit.saturating_mul(CANDIDATES).max(100),
    };
    let mut hits = index.search(&query)?;
    let by_meaning = dense.is_some();
    if let Some(dense) = dense {
        let near = dense
            .index
            .search(dense.vector, &query.filter, query.limit)?;
        hits = fusion::fuse(hits, near);
    }
    for hit in &mut hits {
        if let Some(scope) = scopes.get(&hit.document) {
            hit.score *= scope.factor(&question.characters);
        }
    }
    in_order(&mut hits);
    if let Some(learned) = learned {
        let asked = learned::vector(index, &question)?;
        let admitted = |passages: &[(&str, u32)]| index.admitted(passages, &query.filter);
        hits = learned.apply(&asked, hits, scopes, by_meaning, &admitted)?;
    }
    hits.truncate(limit);
    Ok(Ranking {
        question,
        hits,
        by_meaning,
        by_words_because: None,
    })
}

/// Best first; ties by document and clause, so that the order is the same on every run.
fn in_order(hits: &mut [Hit]) {
    hits.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| (&a.document, a.clause).cmp(&(&b.document, b.clause)))
    });
}
