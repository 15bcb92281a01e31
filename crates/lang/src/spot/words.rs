//! Many words at once in folded text, as they are written or as they sound.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use pinyin::ToPinyin;

use crate::fold::{Folded, Gap, Glyph};

/// Small numbers as keys, of our own making: mixing them is enough.
#[derive(Clone, Copy, Debug, Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0.rotate_left(5) ^ u64::from(number)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn write_u16(&mut self, number: u16) {
        self.write_u32(u32::from(number));
    }
}

type Map<K, V> = HashMap<K, V, BuildHasherDefault<Mix>>;

/// Where a word stands, in glyphs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Found by sound alone.
    pub(super) sounds: bool,
}

impl Hit {
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }
}

#[derive(Clone, Debug)]
struct Word {
    class: u16,
    characters: Vec<char>,
    colon: bool,
}

#[derive(Debug, Default)]
pub(super) struct Words {
    /// By node and character, the next node; the root is 0.
    written: Map<(u32, char), u32>,
    ends: Map<u32, Vec<usize>>,
    /// By node and syllable.
    sounding: Map<(u32, u16), u32>,
    sound_ends: Map<u32, Vec<usize>>,
    syllables: HashMap<&'static str, u16>,
    spelled: Vec<&'static str>,
    /// By character, from the first of [`HAN`] on.
    sounds: Vec<u16>,
    nodes: u32,
    words: Vec<Word>,
}

/// Chinese characters whose sound is known.
const HAN: std::ops::RangeInclusive<char> = '\u{4e00}'..='\u{9fff}';

/// The character sounds like nothing in a word.
const NO_SOUND: u16 = u16::MAX;

fn letter(glyph: &Glyph) -> bool {
    glyph.character.is_ascii_alphabetic()
}

impl Words {
    pub(super) fn add(&mut self, word: &str, class: u16, by_sound: bool) -> Result<(), String> {
        let colon = word.ends_with(':');
        let folded = Folded::new(word);
        let characters: Vec<char> = folded.glyphs.iter().map(|g| g.character).collect();
        if characters.is_empty() {
            return Err(format!("“{word}” has no letters"));
        }
        let mut node = 0;
        for character in &characters {
            node = step(&mut self.nodes, &mut self.written, (node, *character));
        }
        let index = self.words.len();
        self.ends.entry(node).or_default().push(index);
        self.words.push(Word {
            class,
            characters: characters.clone(),
            colon,
        });
        let sounds: Option<Vec<&'static str>> = characters
            .iter()
            .map(|c| c.to_pinyin().map(|p| p.plain()))
            .collect();
        if let Some(sounds) = sounds.filter(|s| by_sound && s.len() > 1) {
            let mut node = 0;
            for sound in sounds {
                let next = self.spelled.len() as u16;
                let id = *self.syllables.entry(sound).or_insert(next);
                if id == next {
                    self.spelled.push(sound);
                }
                node = step(&mut self.nodes, &mut self.sounding, (node, id));
            }
            self.sound_ends.entry(node).or_default().push(index);
        }
        Ok(())
    }

    pub(super) fn hits(&self, folded: &Folded) -> Vec<(u16, Hit)> {
        let glyphs = &folded.glyphs;
        let sounds: Vec<Option<u16>> = glyphs.iter().map(|g| self.sound(g.character)).collect();
        let mut hits = Vec::new();
        for start in 0..glyphs.len() {
            self.written_at(folded, start, &mut hits);
            let inside = letter(&glyphs[start]) && !begins(glyphs, start);
            if !inside && (sounds[start].is_some() || letter(&glyphs[start])) {
                self.sounding_at(glyphs, &sounds, (start, start), 0, &mut hits);
            }
        }
        hits
    }

    /// Looks up the sounds of all characters once.
    pub(super) fn finish(&mut self) {
        let sound = |character: char| {
            let sound = character.to_pinyin()?.plain();
            self.syllables.get(sound).copied()
        };
        self.sounds = HAN.map(|c| sound(c).unwrap_or(NO_SOUND)).collect();
    }

    fn sound(&self, character: char) -> Option<u16> {
        let place = (character as usize).checked_sub(*HAN.start() as usize)?;
        self.sounds.get(place).copied().filter(|s| *s != NO_SOUND)
    }

    fn written_at(&self, folded: &Folded, start: usize, hits: &mut Vec<(u16, Hit)>) {
        let glyphs = &folded.glyphs;
        let mut node = 0;
        for end in start..glyphs.len() {
            let glyph = &glyphs[end];
            if end > start && glyph.gap > Gap::Soft {
                break;
            }
            match self.written.get(&(node, glyph.character)) {
                Some(next) => node = *next,
                None => break,
            }
            let Some(words) = self.ends.get(&node) else {
                continue;
            };
            let whole = (!letter(&glyphs[start]) || begins(glyphs, start))
                && (!letter(glyph) || stops(glyphs, end + 1));
            for word in words.iter().map(|w| &self.words[*w]).filter(|_| whole) {
                if !word.colon || colon_after(folded, end + 1) {
                    let end = end + 1;
                    let hit = Hit {
                        start,
                        end,
                        sounds: false,
                    };
                    hits.push((word.class, hit));
                }
            }
        }
    }

    /// Follows the sounds from a place. Something of the word must be written as it is, or be spelled out.
    fn sounding_at(
        &self,
        glyphs: &[Glyph],
        sounds: &[Option<u16>],
        (start, at): (usize, usize),
        node: u32,
        hits: &mut Vec<(u16, Hit)>,
    ) {
        for word in self.sound_ends.get(&node).into_iter().flatten() {
            let word = &self.words[*word];
            let written = &glyphs[start..at];
            let spelled = written.iter().any(letter);
            let same = word
                .characters
                .iter()
                .filter(|c| written.iter().any(|g| g.character == **c))
                .count();
            let enough = spelled || same * 2 >= word.characters.len();
            if enough && same < word.characters.len() {
                let hit = Hit {
                    start,
                    end: at,
                    sounds: true,
                };
                hits.push((word.class, hit));
            }
        }
        let Some(glyph) = glyphs.get(at) else { return };
        if at > start && glyph.gap > Gap::Soft {
            return;
        }
        if letter(glyph) {
            for (id, spelled) in self.spelled.iter().enumerate() {
                let end = at + spelled.len();
                let Some(next) = self.sounding.get(&(node, id as u16)) else {
                    continue;
                };
                let same = glyphs.get(at..end).is_some_and(|part| {
                    part.iter()
                        .zip(spelled.chars())
                        .all(|(g, c)| g.character == c)
                        && part[1..].iter().all(|g| g.gap <= Gap::Soft)
                });
                // The last syllable ends with the word of letters.
                let last = !self.sound_ends.contains_key(next) || stops(glyphs, end);
                if same && last {
                    self.sounding_at(glyphs, sounds, (start, end), *next, hits);
                }
            }
        } else if let Some(next) = sounds[at].and_then(|s| self.sounding.get(&(node, s))) {
            self.sounding_at(glyphs, sounds, (start, at + 1), *next, hits);
        }
    }
}

fn step<K: std::hash::Hash + Eq>(nodes: &mut u32, edges: &mut Map<K, u32>, key: K) -> u32 {
    *edges.entry(key).or_insert_with(|| {
        *nodes += 1;
        *nodes
    })
}

/// Whether a word of letters begins here.
fn begins(glyphs: &[Glyph], at: usize) -> bool {
    at == 0 || glyphs[at].gap != Gap::None || !letter(&glyphs[at - 1])
}

/// Whether a word of letters has ended before this place.
fn stops(glyphs: &[Glyph], at: usize) -> bool {
    glyphs
        .get(at)
        .is_none_or(|g| g.gap != Gap::None || !letter(g))
}

fn colon_after(folded: &Folded, at: usize) -> bool {
    // A colon makes a gap of its kind; the exact mark is in the text with its punctuation.
    let word: String = folded.glyphs[..at]
        .iter()
        .rev()
        .take(3)
        .map(|g| g.character)
        .collect();
    let word: String = word.chars().rev().collect();
    let mark = folded.glyphs.get(at).is_none_or(|g| g.gap == Gap::Mark);
    mark && [":", "：", " :"]
        .iter()
        .any(|colon| folded.plain.contains(&format!("{word}{colon}")))
}
