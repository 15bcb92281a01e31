//! Pairs that are hardly right: the clause is neither found for the question nor near what is, nor near what near questions
//! are answered by, nor in its words.

use std::collections::HashMap;

use super::{Learned, Replay, SHARE, Without};
use crate::retrieval::{Scope, law::place};

/// From here on a pair is doubted. On 300 statute questions with right clauses 4 in 100 are, with a clause of another
/// question 7 in 10, with any clause 9 in 10.
const DOUBTED: f32 = 1.3;

/// By so many articles nearness falls to 1/e.
const NEAR: f32 = 10.0;

/// The rank of what was not found.
const NOT_FOUND: f32 = 1000.0;

impl Learned {
    /// Whether the clause at `at` among a question's clauses is hardly right, judged without the question itself.
    pub(super) fn doubts(
        &self,
        replay: &Replay,
        at: usize,
        scopes: &HashMap<String, Scope>,
    ) -> bool {
        let key = &replay.right[at];
        let (family, position) = place(scopes, &key.document, key.clause);
        let nearness = |other: u32| (-(other.abs_diff(position) as f32) / NEAR).exp();
        let top = replay.hits.first().map_or(1.0, |h| h.score).max(1e-6);
        let (mut rank, mut beside_found) = (NOT_FOUND, 0.0_f32);
        for (place_in_list, hit) in replay.hits.iter().enumerate() {
            if hit.document == key.document && hit.clause == key.clause {
                rank = rank.min(place_in_list as f32 + 1.0);
            }
            let (theirs, at) = place(scopes, &hit.document, hit.clause);
            if theirs == family {
                beside_found = beside_found.max(nearness(at) * hit.score / top);
            }
        }
        let without = Without {
            questions: self
                .by_text
                .get(&replay.text)
                .copied()
                .into_iter()
                .collect(),
        };
        let near = self.near(&replay.asked, &without);
        let votes = self.votes(&near, scopes);
        let counts = |share: f32| (1.0 + share / SHARE).ln();
        let passage = self.by_key.get(key);
        let share = passage.and_then(|p| votes.share.get(p)).copied();
        let of_family = votes.family.get(family).copied();
        let beside_voted = votes
            .spots
            .get(family)
            .into_iter()
            .flatten()
            .map(|(_, at, _)| nearness(*at))
            .fold(0.0, f32::max);
        // A logistic regression over pairs with clauses swapped between 300 questions.
        let in_words = replay.in_words[at];
        let doubt = 1.461 + 0.113 * rank.ln_1p()
            - 0.557 * counts(share.unwrap_or_default())
            - 0.181 * counts(of_family.unwrap_or_default())
            - 0.785 * beside_voted
            - 2.757 * beside_found
            - 1.497 * in_words
            - 21.66 * in_words.min(0.1);
        doubt > DOUBTED
    }
}
