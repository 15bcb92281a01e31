//! What was found by words and what was found by meaning, as one list.
//!
//! A convex combination of scores (Bruch, Gai & Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval") did
//! better here than reciprocal ranks. Cosines of E5 lie close together, so they are spread by an exponential; what was tried
//! is in `docs/benchmarks.md`.

use std::collections::HashMap;

use kernel::lexical::Hit;

/// How much meaning counts, words the rest.
const MEANING: f32 = 0.4;

/// By this much below the best cosine, meaning counts only 1/e.
const SPREAD: f32 = 0.03;

/// What was found only by meaning is taken to match by words a little worse than the last that was found by them.
const BELOW_LAST: f32 = 0.9;

/// Fuses two rankings of the same question. Scores are on the scale of those by words, so that they compare between
/// rankings of one question as those do.
pub(super) fn fuse(words: Vec<Hit>, meaning: Vec<Hit>) -> Vec<Hit> {
    if meaning.is_empty() {
        return words;
    }
    let top = words.first().map_or(0.0, |h| h.score);
    // Where no word is found at all, meaning stands alone.
    let scale = if top > 0.0 { top } else { 1.0 };
    let last = words.last().map_or(0.0, |h| h.score) * BELOW_LAST / scale;
    let best = meaning.iter().map(|h| h.score).fold(f32::MIN, f32::max);
    let least = meaning.iter().map(|h| h.score).fold(f32::MAX, f32::min);
    let spread = |cosine: f32| ((cosine - best) / SPREAD).exp();
    let mut cosines: HashMap<(String, u32), f32> = meaning
        .into_iter()
        .map(|h| ((h.document, h.clause), h.score))
        .collect();
    let score =
        |words: f32, cosine: f32| scale * ((1.0 - MEANING) * words + MEANING * spread(cosine));
    let mut fused: Vec<Hit> = words
        .into_iter()
        .map(|hit| {
            let key = (hit.document, hit.clause);
            // Beyond the nearest, it is no nearer than the last of them.
            let cosine = cosines.remove(&key).unwrap_or(least);
            Hit {
                score: score(hit.score / scale, cosine),
                document: key.0,
                clause: key.1,
            }
        })
        .collect();
    fused.extend(cosines.into_iter().map(|((document, clause), cosine)| Hit {
        score: score(last, cosine),
        document,
        clause,
    }));
    fused
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(of: &[(&str, f32)]) -> Vec<Hit> {
        of.iter()
            .map(|(document, score)| Hit {
                document: (*document).to_owned(),
                clause: 0,
                score: *score,
            })
            .collect()
    }

    fn order(words: &[(&str, f32)], meaning: &[(&str, f32)]) -> Vec<String> {
        let mut fused = fuse(hits(words), hits(meaning));
        fused.sort_by(|a, b| b.score.total_cmp(&a.score));
        fused.into_iter().map(|h| h.document).collect()
    }

    #[test]
    fn what_both_find_comes_first_and_nothing_is_lost() {
        let fused = order(
            &[("甲", 20.0), ("乙", 19.0), ("丙", 3.0)],
            &[("乙", 0.90), ("丁", 0.89), ("戊", 0.80)],
        );
        assert_eq!(fused, ["乙", "甲", "丁", "丙", "戊"]);
    }

    #[test]
    fn meaning_stands_alone_where_no_word_is_found_and_words_where_no_vector_is() {
        assert_eq!(order(&[], &[("甲", 0.8), ("乙", 0.9)]), ["乙", "甲"]);
        let words = hits(&[("甲", 2.0)]);
        assert_eq!(fuse(words.clone(), Vec::new()), words);
    }
}
