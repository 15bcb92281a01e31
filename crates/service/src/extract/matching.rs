//! Where the question's words stand in a page.

use super::{asked::Asked, page::Page};

/// Where the question's words stand in a page.
pub(super) struct Matching {
    /// For each gram and character: where it next begins, at or after it.
    next: Vec<Vec<u32>>,
    weights: Vec<f32>,
    local: Vec<f32>,
    lengths: Vec<usize>,
    before: Vec<bool>,
    after: Vec<bool>,
    total: f32,
    local_total: f32,
    /// Running count of characters that belong to a match.
    covered: Vec<u32>,
    /// For each character: the length of the longest stretch of the question that ends with it.
    run: Vec<u8>,
}

/// Which grams count.
#[derive(Clone, Copy)]
pub(super) enum Which {
    All,
    Before,
    After,
}

const NEVER: u32 = u32::MAX;

impl Matching {
    pub(super) fn new(asked: &Asked, page: &Page) -> Self {
        let n = page.chars.len();
        let mut covered = vec![0_u32; n + 1];
        let mut next = Vec::with_capacity(asked.grams.len());
        for gram in &asked.grams {
            let length = gram.text.len();
            let mut places = vec![NEVER; n + 1];
            for i in (0..n).rev() {
                let here = i + length <= n && page.chars[i..i + length] == gram.text[..];
                places[i] = if here { i as u32 } else { places[i + 1] };
                if here {
                    covered[i + 1..=i + length].fill(1);
                }
            }
            next.push(places);
        }
        for i in 1..=n {
            covered[i] += covered[i - 1];
        }
        let sentences = page.sentences.len() as f32;
        let holding = |places: &Vec<u32>, length: usize| {
            page.sentences
                .iter()
                .filter(|s| within(places, s.span.start, s.span.end, length))
                .count() as f32
        };
        let local: Vec<f32> = next
            .iter()
            .zip(&asked.grams)
            .map(|(places, g)| {
                let df = holding(places, g.text.len());
                g.weight * ((sentences + 1.0) / (df + 0.5)).ln().max(0.0)
            })
            .collect();
        Self {
            weights: asked.grams.iter().map(|g| g.weight).collect(),
            lengths: asked.grams.iter().map(|g| g.text.len()).collect(),
            before: asked.grams.iter().map(|g| g.before).collect(),
            after: asked.grams.iter().map(|g| g.after).collect(),
            total: asked.total,
            local_total: local.iter().sum::<f32>().max(1e-6),
            local,
            next,
            covered,
            run: runs(&asked.clean, &page.chars),
        }
    }

    /// The share of the question's weight that stands between two characters.
    pub(super) fn coverage(&self, start: usize, end: usize, which: Which) -> f32 {
        let mut sum = 0.0;
        for (g, places) in self.next.iter().enumerate() {
            let counts = match which {
                Which::All => true,
                Which::Before => self.before[g],
                Which::After => self.after[g],
            };
            if counts && within(places, start, end, self.lengths[g]) {
                sum += self.weights[g];
            }
        }
        sum / self.total
    }

    /// The same, with words that many sentences of the page hold counting less.
    pub(super) fn local(&self, start: usize, end: usize) -> f32 {
        let held = self
            .next
            .iter()
            .enumerate()
            .filter(|(g, places)| within(places, start, end, self.lengths[*g]));
        held.map(|(g, _)| self.local[g]).sum::<f32>() / self.local_total
    }

    /// How many characters between two belong to a match.
    pub(super) fn matched(&self, start: usize, end: usize) -> u32 {
        self.covered[end] - self.covered[start]
    }

    /// Whether a character belongs to a match.
    pub(super) fn is_matched(&self, at: usize) -> bool {
        self.covered[at + 1] > self.covered[at]
    }

    /// The longest stretch of the question that ends between two characters.
    pub(super) fn longest_run(&self, start: usize, end: usize) -> u8 {
        self.run[start..end.min(self.run.len())]
            .iter()
            .copied()
            .max()
            .unwrap_or(0)
    }
}

fn within(places: &[u32], start: usize, end: usize, length: usize) -> bool {
    let at = places[start];
    at != NEVER && at as usize + length <= end
}

fn runs(question: &[char], text: &[char]) -> Vec<u8> {
    let mut previous = vec![0_u8; question.len() + 1];
    let mut out = Vec::with_capacity(text.len());
    for c in text {
        let mut current = vec![0_u8; question.len() + 1];
        for (j, q) in question.iter().enumerate() {
            if q == c && *q != '|' {
                current[j + 1] = previous[j].saturating_add(1);
            }
        }
        out.push(current.iter().copied().max().unwrap_or(0));
        previous = current;
    }
    out
}
