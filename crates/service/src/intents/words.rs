//! Likeness by words: pieces of one to three characters and concepts, a linear model and the nearest known saying.

use std::collections::HashMap;

/// How much the concepts of a message weigh beside its pieces.
const CONCEPTS: f32 = 0.7;

/// Single characters that say nothing.
const EMPTY: &str = "的了吗呢啊吧呀么嘛";

/// A vector with few entries that are not zero.
pub(super) type Sparse = Vec<(usize, f32)>;

/// Which pieces there are and how rare each is.
pub(super) struct Vocabulary {
    pieces: HashMap<String, usize>,
    rarity: Vec<f32>,
    concepts: usize,
}

impl Vocabulary {
    pub(super) fn new<'a>(texts: impl Iterator<Item = &'a str> + Clone, concepts: usize) -> Self {
        let mut counts: HashMap<String, (usize, usize)> = HashMap::new();
        let mut many = 0;
        for (number, text) in texts.enumerate() {
            many = number + 1;
            for piece in pieces(text) {
                let entry = counts.entry(piece).or_insert((0, 0));
                if entry.1 != many {
                    *entry = (entry.0 + 1, many);
                }
            }
        }
        let mut sorted: Vec<_> = counts.into_iter().collect();
        sorted.sort_unstable();
        let rarity = sorted
            .iter()
            .map(|(_, (count, _))| (1.0 + many as f32 / *count as f32).ln())
            .collect();
        let pieces = sorted.into_iter().enumerate();
        let pieces = pieces.map(|(place, (piece, _))| (piece, place)).collect();
        Self {
            pieces,
            rarity,
            concepts,
        }
    }

    /// How long vectors are.
    pub(super) fn len(&self) -> usize {
        self.rarity.len() + self.concepts
    }

    /// A text as a vector.
    pub(super) fn vector(&self, text: &str, concepts: &[usize]) -> Sparse {
        let mut places: HashMap<usize, f32> = HashMap::new();
        for piece in pieces(text) {
            if let Some(place) = self.pieces.get(&piece) {
                *places.entry(*place).or_default() += self.rarity[*place];
            }
        }
        let length = places.values().map(|v| v * v).sum::<f32>().sqrt().max(1e-6);
        let mut out: Sparse = places.into_iter().map(|(p, v)| (p, v / length)).collect();
        let weight = CONCEPTS / (concepts.len().max(1) as f32).sqrt();
        out.extend(concepts.iter().map(|c| (self.rarity.len() + c, weight)));
        out.sort_unstable_by_key(|(place, _)| *place);
        out
    }
}

/// The pieces of a text: one to three characters without a border between.
fn pieces(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    for length in 1..=3 {
        for window in chars.windows(length) {
            let plain = window.iter().all(|c| c.is_alphanumeric());
            if plain && (length > 1 || !EMPTY.contains(window[0])) {
                out.push(window.iter().collect());
            }
        }
    }
    out
}

/// A linear model with a softmax over its classes, learned when the items are read.
pub(super) struct Linear {
    weights: Vec<f32>,
    classes: usize,
}

/// Rounds through the examples.
const ROUNDS: usize = 12;

impl Linear {
    /// Learns from examples, in an order that is the same each time.
    pub(super) fn learn(
        examples: &[(Sparse, usize)],
        length: usize,
        classes: usize,
        rate: f32,
    ) -> Self {
        let mut model = Self {
            weights: vec![0.0; length * classes],
            classes,
        };
        let mut order: Vec<usize> = (0..examples.len()).collect();
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        for round in 0..ROUNDS {
            for place in (1..order.len()).rev() {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let other = (seed >> 33) as usize % (place + 1);
                order.swap(place, other);
            }
            let step = rate / (1.0 + 0.3 * round as f32);
            for place in &order {
                let (vector, class) = &examples[*place];
                let mut wrong = softmax(&model.scores(vector));
                wrong[*class] -= 1.0;
                for (feature, value) in vector {
                    let row = feature * classes;
                    for (weight, error) in model.weights[row..row + classes].iter_mut().zip(&wrong)
                    {
                        *weight -= step * value * error;
                    }
                }
            }
        }
        model
    }

    /// A score per class.
    pub(super) fn scores(&self, vector: &Sparse) -> Vec<f32> {
        let mut out = vec![0.0; self.classes];
        for (feature, value) in vector {
            let row = feature * self.classes;
            for (score, weight) in out.iter_mut().zip(&self.weights[row..row + self.classes]) {
                *score += value * weight;
            }
        }
        out
    }
}

/// Known sayings, found by the pieces they share with a message.
pub(super) struct Nearest {
    postings: Vec<Vec<(u32, f32)>>,
    classes: Vec<usize>,
}

impl Nearest {
    pub(super) fn new(examples: &[(Sparse, usize)], length: usize) -> Self {
        let mut postings = vec![Vec::new(); length];
        for (number, (vector, _)) in (0_u32..).zip(examples) {
            for (feature, value) in vector {
                postings[*feature].push((number, *value));
            }
        }
        let classes = examples.iter().map(|(_, class)| *class).collect();
        Self { postings, classes }
    }

    /// Per class how like its nearest saying is.
    pub(super) fn scores(&self, vector: &Sparse, classes: usize) -> Vec<f32> {
        let mut near = vec![0.0_f32; self.classes.len()];
        for (feature, value) in vector {
            for (number, other) in &self.postings[*feature] {
                near[*number as usize] += value * other;
            }
        }
        let mut out = vec![0.0_f32; classes];
        for (class, near) in self.classes.iter().zip(near) {
            out[*class] = out[*class].max(near);
        }
        out
    }
}

/// Shares that sum to one.
pub(super) fn softmax(scores: &[f32]) -> Vec<f32> {
    let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut out: Vec<f32> = scores.iter().map(|s| (s - top).exp()).collect();
    let sum: f32 = out.iter().sum();
    out.iter_mut().for_each(|p| *p /= sum);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_sayings_are_told_apart() {
        let texts = [
            "租房提公积金",
            "交房租用公积金",
            "失业金怎么领",
            "被裁了领失业金",
        ];
        let vocabulary = Vocabulary::new(texts.into_iter(), 0);
        let examples: Vec<_> = texts
            .iter()
            .zip([0, 0, 1, 1])
            .map(|(text, class)| (vocabulary.vector(text, &[]), class))
            .collect();
        let linear = Linear::learn(&examples, vocabulary.len(), 2, 2.0);
        let nearest = Nearest::new(&examples, vocabulary.len());
        for (text, class) in [("房租能用公积金吗", 0), ("失业了领什么", 1)] {
            let vector = vocabulary.vector(text, &[]);
            let scores = linear.scores(&vector);
            assert!(scores[class] > scores[1 - class], "{text}");
            let near = nearest.scores(&vector, 2);
            assert!(near[class] > near[1 - class], "{text}");
        }
    }

    #[test]
    fn nothing_known_is_no_trouble() {
        let vocabulary = Vocabulary::new(std::iter::empty(), 3);
        assert!(vocabulary.vector("？？", &[]).is_empty());
    }
}
