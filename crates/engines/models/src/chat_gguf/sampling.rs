//! Which token comes next.

use std::{cmp::Ordering, collections::BinaryHeap};

/// Tokens less likely than this share of the likeliest one are never drawn (N. Minh et al., "Turning Up the Heat: Min-p
/// Sampling", 2024).
const LEAST_SHARE: f32 = 0.05;

/// Draws tokens, or takes the likeliest.
#[derive(Debug)]
pub(super) struct Sampler {
    temperature: f32,
    state: u64,
}

/// A token with its score; the best is the greatest.
#[derive(PartialEq)]
struct Scored(f32, u32);

impl Eq for Scored {}

impl Ord for Scored {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0).then(other.1.cmp(&self.1))
    }
}

impl PartialOrd for Scored {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Sampler {
    /// With temperature 0 always the likeliest; otherwise the same seed draws the same.
    pub(super) fn new(temperature: f32, seed: u64) -> Self {
        Self {
            temperature: if temperature.is_finite() {
                temperature.max(0.0)
            } else {
                1.0
            },
            state: seed,
        }
    }

    /// The next random number in (0, 1) (splitmix64 by S. Vigna).
    fn random(&mut self) -> f32 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        ((z >> 41) as f32 + 0.5) / (1_u32 << 23) as f32
    }

    /// The best token that `allowed` lets through; none if it lets none through or the logits are no numbers.
    ///
    /// To draw from a distribution is to take the greatest of its logarithms, each with Gumbel noise added (C. Maddison et
    /// al., "A* Sampling", 2014): so that going down from the best until one is allowed draws from the allowed ones, and
    /// few have to be looked at.
    pub(super) fn next(
        &mut self,
        logits: &[f32],
        mut allowed: impl FnMut(u32) -> bool,
    ) -> Option<u32> {
        if self.temperature == 0.0 {
            return best(logits.iter().copied(), &mut allowed);
        }
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let least = LEAST_SHARE.ln();
        // Unlikely ones get no noise, and so come after all others in the order of their likelihood.
        let scores: Vec<f32> = logits
            .iter()
            .map(|logit| {
                let score = (logit - most) / self.temperature;
                if score < least {
                    // Noise is hardly ever less than -3.
                    score - 100.0
                } else {
                    score - (-self.random().ln()).ln()
                }
            })
            .collect();
        best(scores.into_iter(), &mut allowed)
    }
}

/// The token of the highest score that is allowed.
fn best(
    scores: impl Iterator<Item = f32> + Clone,
    allowed: &mut impl FnMut(u32) -> bool,
) -> Option<u32> {
    let scored = (0..).zip(scores).map(|(id, score)| Scored(score, id));
    let scored = scored.filter(|scored| !scored.0.is_nan());
    let first = scored.clone().max()?;
    if allowed(first.1) {
        return Some(first.1);
    }
    let mut others: BinaryHeap<Scored> = scored.filter(|scored| scored.1 != first.1).collect();
    while let Some(Scored(_, id)) = others.pop() {
        if allowed(id) {
            return Some(id);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_that_is_allowed_is_taken() {
        let logits = [0.5, 3.0, f32::NAN, 2.0, 3.0];
        let mut sampler = Sampler::new(0.0, 0);
        assert_eq!(sampler.next(&logits, |_| true), Some(1));
        assert_eq!(sampler.next(&logits, |id| id != 1), Some(4));
        assert_eq!(sampler.next(&logits, |id| id == 0), Some(0));
        assert_eq!(sampler.next(&logits, |_| false), None);
        assert_eq!(sampler.next(&[f32::NAN], |_| true), None);
    }

    #[test]
    fn what_is_drawn_is_drawn_as_often_as_it_should_be() {
        // Shares .2, .3, .5 and one that is too unlikely.
        let logits = [0.2_f32.ln(), 0.3_f32.ln(), 0.5_f32.ln(), 0.001_f32.ln()];
        let mut sampler = Sampler::new(1.0, 7);
        let mut counts = [0_u32; 4];
        for _ in 0..20_000 {
            counts[sampler.next(&logits, |_| true).unwrap() as usize] += 1;
        }
        for (count, share) in counts.iter().zip([0.2, 0.3, 0.5, 0.0]) {
            assert!(
                (f64::from(*count) / 20_000.0 - share).abs() < 0.015,
                "{counts:?}"
            );
        }
        // Of those allowed, each as often as it should be among them.
        let ones = (0..10_000).filter(|_| sampler.next(&logits, |id| id < 2) == Some(1));
        assert!((ones.count() as f64 / 10_000.0 - 0.6).abs() < 0.02);
        assert_eq!(sampler.next(&logits, |id| id == 3), Some(3));
    }

    #[test]
    fn a_seed_repeats_and_a_higher_temperature_spreads() {
        let logits: Vec<f32> = (0..50).map(|n| n as f32 * 0.1).collect();
        let draw = |temperature, seed| {
            let mut sampler = Sampler::new(temperature, seed);
            let drawn: Vec<_> = (0..200).map(|_| sampler.next(&logits, |_| true)).collect();
            drawn
        };
        assert_eq!(draw(1.0, 3), draw(1.0, 3));
        assert_ne!(draw(1.0, 3), draw(1.0, 4));
        let kinds = |drawn: Vec<Option<u32>>| {
            drawn
                .into_iter()
                .collect::<std::collections::HashSet<_>>()
                .len()
        };
        assert!(kinds(draw(2.0, 1)) > kinds(draw(0.2, 1)));
    }
}
