//! A message in plain characters: dialect and chat forms, Pinyin and mistyped words.

use std::collections::{HashMap, HashSet};

use pinyin::ToPinyin;

use super::cues::lines;

const COLLOQUIAL: &str = include_str!("data/colloquial.tsv");
const TERMS: &str = include_str!("data/terms.txt");

/// The longest word that is looked for, in characters.
const LONGEST: usize = 6;

/// Fewer letters than this in a row are no Pinyin but a word of their own.
const LEAST_LETTERS: usize = 4;

/// Dialect and chat forms with their plain form.
pub(super) struct Forms {
    /// Longest first.
    forms: Vec<(String, String)>,
}

impl Forms {
    pub(super) fn new() -> Self {
        let mut forms: Vec<(String, String)> = lines(COLLOQUIAL)
            .filter_map(|line| line.split_once('\t'))
            .flat_map(|(forms, plain)| {
                let plain = plain.to_owned();
                forms
                    .split('|')
                    .map(move |form| (form.to_owned(), plain.clone()))
            })
            .collect();
        forms.sort_by_key(|(form, _)| std::cmp::Reverse(form.chars().count()));
        Self { forms }
    }

    /// Half-width, lower-case, without spaces, in plain forms.
    pub(super) fn plain(&self, text: &str) -> String {
        let mut text: String = lang::token::normalise(text)
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        for (form, plain) in &self.forms {
            if text.contains(form) {
                text = text.replace(form, plain);
            }
        }
        text
    }
}

/// Words by their sound.
pub(super) struct Sounds {
    /// The most frequent word of each Pinyin, with the logarithm of how often it occurs.
    words: HashMap<String, (String, f32)>,
    syllables: HashSet<&'static str>,
    /// Words to repair, by number of characters and blurred sound.
    terms: HashMap<(usize, String), String>,
    /// Pairs of characters that occur: they are not mistyped.
    pairs: HashSet<[char; 2]>,
}

impl Sounds {
    /// Learns from texts in plain forms.
    pub(super) fn new<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut counts: HashMap<Vec<char>, u32> = HashMap::new();
        let mut pairs = HashSet::new();
        for text in texts {
            let chars: Vec<char> = text.chars().collect();
            pairs.extend(chars.windows(2).map(|w| [w[0], w[1]]));
            for length in 1..=LONGEST {
                for window in chars.windows(length) {
                    *counts.entry(window.to_vec()).or_default() += 1;
                }
            }
        }
        let mut terms = HashMap::new();
        for term in lines(TERMS) {
            let chars: Vec<char> = term.chars().collect();
            pairs.extend(chars.windows(2).map(|w| [w[0], w[1]]));
            *counts.entry(chars.clone()).or_default() += 20;
            if let Some(sound) = sound(&chars) {
                terms.insert((chars.len(), blurred(&sound)), term.to_owned());
            }
        }
        let mut words: HashMap<String, (String, f32)> = HashMap::new();
        let mut syllables = HashSet::new();
        for (chars, count) in counts {
            let Some(sound) = sound(&chars) else { continue };
            if let [c] = chars.as_slice() {
                syllables.extend(c.to_pinyin().map(|p| p.plain()));
            }
            let (word, weight) = (chars.iter().collect::<String>(), (count as f32).ln());
            let entry = words.entry(sound).or_insert((String::new(), -1.0));
            if (weight, &word) > (entry.1, &entry.0) {
                *entry = (word, weight);
            }
        }
        Self {
            words,
            syllables,
            terms,
            pairs,
        }
    }

    /// Letters that spell Pinyin become characters.
    pub(super) fn spelled(&self, text: &str) -> String {
        let lower = lang::token::normalise(text);
        let (mut out, mut letters, mut raw) = (String::new(), String::new(), String::new());
        for token in tokens(&lower) {
            let spelt = token.starts_with(|c: char| c.is_ascii_lowercase());
            if spelt && self.syllables_of(token) {
                letters.push_str(token);
                raw.push_str(token);
            } else if (token == " " || token == "'") && !letters.is_empty() {
                raw.push_str(token);
            } else {
                self.flush(&mut letters, &mut raw, &mut out);
                out.push_str(token);
            }
        }
        self.flush(&mut letters, &mut raw, &mut out);
        out
    }

    fn flush(&self, letters: &mut String, raw: &mut String, out: &mut String) {
        let enough = letters.len() >= LEAST_LETTERS;
        match enough.then(|| self.read(letters)).flatten() {
            Some(words) => out.push_str(&words),
            None => out.push_str(raw),
        }
        letters.clear();
        raw.clear();
    }

    /// Whether letters are whole syllables.
    fn syllables_of(&self, letters: &str) -> bool {
        let mut reached = vec![false; letters.len() + 1];
        reached[0] = true;
        for start in 0..letters.len() {
            if reached[start] {
                for end in start + 1..=letters.len().min(start + 6) {
                    if self.syllables.contains(&letters[start..end]) {
                        reached[end] = true;
                    }
                }
            }
        }
        reached[letters.len()]
    }

    /// The fewest and most frequent words that letters spell.
    fn read(&self, letters: &str) -> Option<String> {
        let mut best: Vec<Option<(f32, usize, &str)>> = vec![None; letters.len() + 1];
        best[0] = Some((0.0, 0, ""));
        for start in 0..letters.len() {
            let Some((cost, ..)) = best[start] else {
                continue;
            };
            for end in start + 1..=letters.len().min(start + 6 * LONGEST) {
                let Some((word, weight)) = self.words.get(&letters[start..end]) else {
                    continue;
                };
                let cost = cost + 9.0 - weight;
                if best[end].is_none_or(|(other, ..)| cost < other) {
                    best[end] = Some((cost, start, word));
                }
            }
        }
        let (mut words, mut end) = (Vec::new(), letters.len());
        while end > 0 {
            let (_, start, word) = best[end]?;
            words.push(word);
            end = start;
        }
        Some(words.into_iter().rev().collect())
    }

    /// Words written with other characters of the same sound become what is meant.
    pub(super) fn repaired(&self, text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let (mut out, mut place) = (String::new(), 0);
        'next: while place < chars.len() {
            for length in (2..=LONGEST.min(chars.len() - place)).rev() {
                let window = &chars[place..place + length];
                if let Some(term) = self.meant(window) {
                    out.push_str(term);
                    place += length;
                    continue 'next;
                }
            }
            out.push(chars[place]);
            place += 1;
        }
        out
    }

    /// The term that a window of characters is mistyped for.
    fn meant(&self, window: &[char]) -> Option<&str> {
        let odd = window
            .windows(2)
            .any(|w| !self.pairs.contains(&[w[0], w[1]]));
        if !odd {
            return None;
        }
        let sound = sound(window)?;
        let term = self.terms.get(&(window.len(), blurred(&sound)))?;
        let same = term.chars().zip(window).filter(|(a, b)| a == *b).count();
        (same > 0 && same < window.len()).then_some(term.as_str())
    }
}

/// Letters, spaces and single other characters, in order.
fn tokens(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_ascii_lowercase() {
            let end = rest.find(|c: char| !c.is_ascii_lowercase());
            end.unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        out.push(token);
        rest = after;
    }
    out
}

/// The Pinyin of characters, if all of them have one.
fn sound(chars: &[char]) -> Option<String> {
    let mut out = String::new();
    for c in chars {
        out.push_str(c.to_pinyin()?.plain());
    }
    Some(out)
}

/// A sound in which what the south confuses is alike.
fn blurred(sound: &str) -> String {
    sound
        .replace("zh", "z")
        .replace("ch", "c")
        .replace("sh", "s")
        .replace("ang", "an")
        .replace("eng", "en")
        .replace("ing", "in")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sounds() -> Sounds {
        let texts = [
            "租房怎么提取公积金",
            "公积金怎么提",
            "失业金怎么领",
            "社保卡丢了怎么补",
            "医保怎么转",
            "看病怎么报销",
        ];
        Sounds::new(texts.into_iter())
    }

    #[test]
    fn dialect_becomes_plain() {
        let forms = Forms::new();
        for (said, plain) in [
            ("公积金 咋个提", "公积金怎么提"),
            ("失业金好多钱一个月", "失业金多少钱一个月"),
            ("ＧＪＪ能取不", "公积金能取不"),
        ] {
            assert_eq!(forms.plain(said), plain);
        }
    }

    #[test]
    fn pinyin_becomes_characters_and_other_letters_stay() {
        let sounds = sounds();
        for (said, read) in [
            ("gongjijin zenme ti", "公积金怎么提"),
            ("shi ye jin zenmeling", "失业金怎么领"),
            ("shebaoka丢了", "社保卡丢了"),
            ("app打不开", "app打不开"),
            ("用python写代码", "用python写代码"),
        ] {
            assert_eq!(sounds.spelled(said), read);
        }
    }

    #[test]
    fn mistyped_words_are_repaired_and_right_ones_are_not() {
        let sounds = sounds();
        for (said, meant) in [
            ("公鸡金怎么提", "公积金怎么提"),
            ("社宝卡丢了", "社保卡丢了"),
            ("医宝怎么转", "医保怎么转"),
            ("看病怎么报销", "看病怎么报销"),
        ] {
            assert_eq!(sounds.repaired(said), meant);
        }
    }
}
