//! Pieces of words: the likeliest segmentation under a unigram model (Kudo, "Subword Regularization", ACL 2018), as
//! SentencePiece and XLM-R do it.
//!
//! A text is normalised character by character, runs of blanks become one, and every blank, also one put before the text,
//! becomes `▁`. Of all segmentations into pieces the one with the highest sum of scores is taken. What no piece covers is
//! the unknown piece, a character at a time.

use std::collections::HashMap;

use hashbrown::HashTable;

use super::file::Flaw;

/// Stands for a blank.
const BLANK: char = '\u{2581}';
/// An unknown character costs so much more than the rarest piece.
const UNKNOWN_COST: f32 = 10.0;
/// No piece is longer, in bytes.
const LONGEST: usize = 256;

/// The pieces as the file has them.
#[derive(Debug)]
pub(super) struct Pieces {
    /// All pieces, one after the other.
    pub(super) text: Vec<u8>,
    /// Where each begins, and where the last ends.
    pub(super) offsets: Vec<u32>,
    /// Logarithms of probabilities.
    pub(super) scores: Vec<f32>,
    /// Stands before every text.
    pub(super) start: u32,
    /// Stands behind every text.
    pub(super) end: u32,
    /// Not used.
    pub(super) pad: u32,
    /// Stands for what no piece covers.
    pub(super) unknown: u32,
}

impl Pieces {
    fn piece(&self, id: u32) -> &[u8] {
        let id = id as usize;
        &self.text[self.offsets[id] as usize..self.offsets[id + 1] as usize]
    }

    fn check(&self) -> Result<(), Flaw> {
        let count = self.scores.len();
        let special = [self.start, self.end, self.pad, self.unknown];
        if special.iter().any(|id| *id as usize >= count) {
            return Err("词表缺少特殊词".into());
        }
        if !self.offsets.is_sorted()
            || self.offsets.last() != u32::try_from(self.text.len()).ok().as_ref()
        {
            return Err("词表的位置有误".into());
        }
        if self
            .offsets
            .windows(2)
            .any(|pair| pair[1] - pair[0] > LONGEST as u32)
        {
            return Err("词表中有过长的词".into());
        }
        if self.scores.iter().any(|score| !score.is_finite()) {
            return Err("词表含有无效分值".into());
        }
        Ok(())
    }
}

/// Cuts texts into pieces.
#[derive(Debug)]
pub(super) struct Tokenizer {
    pieces: Pieces,
    /// Pieces by their bytes.
    index: HashTable<u32>,
    /// What characters are replaced with.
    normal: HashMap<u32, String>,
    /// The score of an unknown character.
    unknown_score: f32,
    /// In bytes.
    longest: usize,
}

/// FNV-1a, which grows byte by byte as a candidate does.
#[derive(Clone, Copy)]
struct Hash(u64);

impl Hash {
    const NEW: Self = Self(0xcbf2_9ce4_8422_2325);

    fn add(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    /// The table takes its tag from the highest bits, which FNV fills last.
    fn spread(self) -> u64 {
        self.0 ^ self.0.rotate_left(32)
    }
}

impl Tokenizer {
    pub(super) fn new(pieces: Pieces, normal: HashMap<u32, String>) -> Result<Self, Flaw> {
        pieces.check()?;
        let count = pieces.scores.len() as u32;
        let hash = |id: &u32| Hash::NEW.add(pieces.piece(*id)).spread();
        let mut index = HashTable::with_capacity(pieces.scores.len());
        let mut longest = 1;
        // Special pieces are never found in a text: what somebody writes is not an instruction to the model.
        let special = [pieces.start, pieces.end, pieces.pad, pieces.unknown];
        for id in (0..count).filter(|id| !special.contains(id)) {
            let piece = pieces.piece(id);
            longest = longest.max(piece.len());
            index
                .entry(hash(&id), |other| pieces.piece(*other) == piece, hash)
                .or_insert(id);
        }
        let rarest = pieces.scores.iter().copied().fold(0.0, f32::min);
        Ok(Self {
            index,
            normal,
            unknown_score: rarest - UNKNOWN_COST,
            longest,
            pieces,
        })
    }

    /// How many pieces there are.
    pub(super) fn pieces(&self) -> usize {
        self.pieces.scores.len()
    }

    /// The pieces of a text between start and end, at most `window` in all; what comes later is cut.
    pub(super) fn encode(&self, text: &str, window: usize) -> Vec<u32> {
        let inner = window.saturating_sub(2);
        // So many characters fill any window.
        let characters = self.normalise(text, inner * self.longest);
        let mut tokens = self.segment(&characters);
        tokens.truncate(inner);
        tokens.insert(0, self.pieces.start);
        tokens.push(self.pieces.end);
        tokens
    }

    fn normalise(&self, text: &str, most: usize) -> String {
        let mut normal = String::with_capacity(text.len().min(most * 3) + 3);
        let (mut count, mut after_blank) = (0, false);
        let mut push = |character: char| {
            let blank = character == ' ';
            if normal.is_empty() && !blank {
                normal.push(BLANK);
            }
            if !(blank && after_blank) {
                normal.push(if blank { BLANK } else { character });
                count += 1;
            }
            after_blank = blank;
            count < most
        };
        for character in text.chars() {
            let more = match self.normal.get(&u32::from(character)) {
                Some(others) => others.chars().all(&mut push),
                None => push(character),
            };
            if !more {
                break;
            }
        }
        if normal.is_empty() {
            normal.push(BLANK);
        }
        normal
    }

    /// The best path, forwards by Viterbi's algorithm.
    fn segment(&self, text: &str) -> Vec<u32> {
        #[derive(Clone, Copy)]
        struct Best {
            score: f32,
            piece: u32,
            from: u32,
        }
        let starts: Vec<usize> = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .collect();
        let unreached = Best {
            score: f32::NEG_INFINITY,
            piece: self.pieces.unknown,
            from: 0,
        };
        let mut best = vec![unreached; starts.len()];
        best[0].score = 0.0;
        for from in 0..starts.len() - 1 {
            let mut hash = Hash::NEW;
            let score = best[from].score;
            let mut offer = |to: usize, score: f32, piece: u32| {
                if score > best[to].score {
                    best[to] = Best {
                        score,
                        piece,
                        from: from as u32,
                    };
                }
            };
            for to in from + 1..starts.len() {
                let piece = &text.as_bytes()[starts[from]..starts[to]];
                if piece.len() > self.longest {
                    break;
                }
                hash = hash.add(&text.as_bytes()[starts[to - 1]..starts[to]]);
                let found = self
                    .index
                    .find(hash.spread(), |id| self.pieces.piece(*id) == piece);
                if let Some(id) = found {
                    offer(to, score + self.pieces.scores[*id as usize], *id);
                }
            }
            offer(from + 1, score + self.unknown_score, self.pieces.unknown);
        }
        let mut tokens = Vec::with_capacity(starts.len() / 2);
        let mut at = starts.len() - 1;
        while at > 0 {
            tokens.push(best[at].piece);
            at = best[at].from as usize;
        }
        tokens.reverse();
        tokens
    }
}
