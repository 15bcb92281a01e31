//! Text folded for recognition: full width to half width, traditional to simplified, split characters joined, invisible
//! characters gone, punctuation and spaces turned into gaps. Every glyph knows where it stood.

use std::{collections::HashMap, ops::Range, sync::LazyLock};

/// What stood between a glyph and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// Nothing, or what cannot be seen.
    None,
    /// Spaces, dots, stars and the like: a word may go on over them.
    Soft,
    /// A mark within a sentence.
    Mark,
    /// The end of a sentence or line.
    End,
}

/// A character that says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyph {
    /// Folded.
    pub character: char,
    /// What stood before it.
    pub gap: Gap,
    /// The number of its sentence.
    pub sentence: u32,
    start: u32,
    end: u32,
}

/// A text in its folded form.
#[derive(Clone, Debug, Default)]
pub struct Folded {
    /// Letters, digits and Chinese characters.
    pub glyphs: Vec<Glyph>,
    /// The text with its punctuation, in lower case, half width and without what cannot be seen.
    pub plain: String,
    /// How many invisible characters there were.
    pub invisible: usize,
}

const TRADITIONAL: &str = include_str!("traditional.txt");
const SPLIT: &str = include_str!("split.txt");

static SIMPLE: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let pairs = TRADITIONAL
        .lines()
        .filter(|l| !l.starts_with('#'))
        .flat_map(str::split_whitespace);
    pairs
        .filter_map(|pair| {
            let mut characters = pair.chars();
            Some((characters.next()?, characters.next()?))
        })
        .collect()
});

static JOINED: LazyLock<HashMap<(char, char), char>> = LazyLock::new(|| {
    let triples = SPLIT
        .lines()
        .filter(|l| !l.starts_with('#'))
        .flat_map(str::split_whitespace);
    triples
        .filter_map(|triple| {
            let mut characters = triple.chars();
            let pair = (characters.next()?, characters.next()?);
            Some((pair, characters.next()?))
        })
        .collect()
});

impl Folded {
    /// Folds a text.
    pub fn new(text: &str) -> Self {
        let mut folded = Self {
            glyphs: Vec::with_capacity(text.len() / 2),
            plain: String::with_capacity(text.len()),
            invisible: 0,
        };
        let (mut gap, mut sentence) = (Gap::None, 0);
        for (at, original) in text.char_indices() {
            let span = (at as u32, (at + original.len_utf8()) as u32);
            let Some(seen) = visible(original) else {
                folded.invisible += 1;
                continue;
            };
            if let Some(words) = pictured(seen) {
                for character in words.chars() {
                    folded.push(character, gap, sentence, span);
                    gap = Gap::None;
                }
                continue;
            }
            let character = simple(seen);
            if character != seen || !seen.is_ascii() || seen.is_ascii_alphanumeric() {
                folded.plain.extend(character.to_lowercase());
            } else {
                folded.plain.push(character);
            }
            if character.is_alphanumeric() {
                let lower = character.to_lowercase().next().unwrap_or(character);
                folded.push(lower, gap, sentence, span);
                gap = Gap::None;
            } else {
                let kind = kind(character);
                if kind == Gap::End && gap != Gap::End {
                    sentence += 1;
                }
                gap = gap.max(kind);
            }
        }
        folded
    }

    fn push(&mut self, character: char, gap: Gap, sentence: u32, (start, end): (u32, u32)) {
        if gap <= Gap::Soft
            && let Some(last) = self.glyphs.last_mut()
            && let Some(whole) = JOINED.get(&(last.character, character))
        {
            last.character = *whole;
            last.end = end;
            return;
        }
        self.glyphs.push(Glyph {
            character,
            gap,
            sentence,
            start,
            end,
        });
    }

    /// Where a range of glyphs stands in the text, in bytes.
    pub fn original(&self, glyphs: Range<usize>) -> Range<usize> {
        let first = self.glyphs.get(glyphs.start);
        let last = self.glyphs.get(glyphs.end.saturating_sub(1));
        match (first, last) {
            (Some(first), Some(last)) if !glyphs.is_empty() => {
                first.start as usize..last.end as usize
            }
            _ => 0..0,
        }
    }

    /// The folded characters of a range of glyphs.
    pub fn text(&self, glyphs: Range<usize>) -> String {
        self.glyphs[glyphs].iter().map(|g| g.character).collect()
    }
}

/// The character in traditional script as it is written in simplified script; others as they are.
pub fn simplified(character: char) -> char {
    SIMPLE.get(&character).copied().unwrap_or(character)
}

fn simple(character: char) -> char {
    if character.is_ascii() {
        character
    } else {
        simplified(character)
    }
}

/// Half width and without ornament; `None` for what cannot be seen.
fn visible(character: char) -> Option<char> {
    let code = character as u32;
    let letter = |offset: u32| char::from_u32('a' as u32 + offset % 26);
    Some(match code {
        0x3164 => return None,
        0x20..=0x7e | 0x0a | 0x0d | 0x09 | 0x3001..=0xd7ff => character,
        // Tags: a copy of ASCII that nobody sees, but that a model reads.
        0xe0020..=0xe007e => char::from_u32(code - 0xe0000)?,
        0x00..=0x1f
        | 0x7f..=0x9f
        | 0xad
        | 0x300..=0x36f
        | 0x61c
        | 0x115f..=0x1160
        | 0x17b4..=0x17b5 => return None,
        0x180b..=0x180e | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f => return None,
        0xfe00..=0xfe0f
        | 0xfeff
        | 0xffa0
        | 0xfff9..=0xfffb
        | 0xe0000..=0xe0fff
        | 0x1d173..=0x1d17a => return None,
        0x2000..=0x200a | 0x202f | 0x205f | 0x3000 | 0xa0 => ' ',
        0x2028..=0x2029 => '\n',
        0xff01..=0xff5e => char::from_u32(code - 0xfee0)?,
        0x2460..=0x2468 => char::from_u32(code - 0x2460 + '1' as u32)?,
        0x249c..=0x24b5 => letter(code - 0x249c)?,
        0x24b6..=0x24cf => letter(code - 0x24b6)?,
        0x24d0..=0x24e9 => letter(code - 0x24d0)?,
        0x1f110..=0x1f129 => letter(code - 0x1f110)?,
        0x1f130..=0x1f149 => letter(code - 0x1f130)?,
        0x1f150..=0x1f169 => letter(code - 0x1f150)?,
        0x1f170..=0x1f189 => letter(code - 0x1f170)?,
        0x1d400..=0x1d6a3 => letter((code - 0x1d400) % 52 % 26)?,
        0x1d7ce..=0x1d7ff => char::from_u32('0' as u32 + (code - 0x1d7ce) % 10)?,
        0x80.. => look_alike(character),
    })
}

/// Letters with marks, and those of other scripts that look like Latin ones.
fn look_alike(character: char) -> char {
    const ALIKE: [(&str, char); 26] = [
        ("āáǎàâäãåаαａ", 'a'),
        ("Ввβ", 'b'),
        ("сϲç", 'c'),
        ("ԁ", 'd'),
        ("ēéěèêëеε", 'e'),
        ("ƒ", 'f'),
        ("ɡ", 'g'),
        ("һнΗ", 'h'),
        ("īíǐìîïіι", 'i'),
        ("ј", 'j'),
        ("кκ", 'k'),
        ("ӏ", 'l'),
        ("мΜ", 'm'),
        ("ńňñ", 'n'),
        ("ōóǒòôöõоο", 'o'),
        ("рρ", 'p'),
        ("ԛ", 'q'),
        ("г", 'r'),
        ("ѕ", 's'),
        ("тτ", 't'),
        ("ūúǔùûüǖǘǚǜυ", 'u'),
        ("ν", 'v'),
        ("ԝ", 'w'),
        ("хχ", 'x'),
        ("уγ", 'y'),
        ("ᴢ", 'z'),
    ];
    let lower = character.to_lowercase().next().unwrap_or(character);
    let found = ALIKE.iter().find(|(all, _)| all.contains(lower));
    found.map_or(character, |(_, latin)| *latin)
}

/// The word that a picture stands for.
fn pictured(character: char) -> Option<&'static str> {
    Some(match character {
        '🔫' => "枪",
        '💣' => "炸弹",
        '🔪' | '🗡' => "刀",
        '💊' => "药",
        '🎰' => "老虎机",
        _ => return None,
    })
}

fn kind(character: char) -> Gap {
    match character {
        '。' | '！' | '!' | '？' | '?' | '；' | ';' | '\n' | '\r' => Gap::End,
        ',' | '，' | '、' | ':' | '：' | '《' | '》' | '…' | '—' => Gap::Mark,
        _ => Gap::Soft,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(text: &str) -> String {
        let folded = Folded::new(text);
        folded.text(0..folded.glyphs.len())
    }

    #[test]
    fn disguises_fall_away() {
        for (text, plain) in [
            ("ＡＢｃ１２", "abc12"),
            ("炸\u{200b}药", "炸药"),
            ("炸.药", "炸药"),
            ("買槍", "买枪"),
            ("買槍枝", "买枪枝"),
            ("弓虽", "强"),
            ("氵气车", "汽车"),
            ("木 仓支", "枪支"),
            ("qiāng", "qiang"),
            ("𝐢𝐠𝐧𝐨𝐫𝐞", "ignore"),
            ("ⓘⓖⓝⓞⓡⓔ", "ignore"),
            ("іgnоre", "ignore"),
            ("💣", "炸弹"),
            ("a\u{e0062}\u{e0063}", "abc"),
        ] {
            assert_eq!(fold(text), plain, "{text}");
        }
        assert_eq!(Folded::new("炸\u{200b}\u{feff}药").invisible, 2);
    }

    #[test]
    fn every_glyph_knows_where_it_stood() {
        let text = "买 木仓。Ｏk";
        let folded = Folded::new(text);
        assert_eq!(&text[folded.original(0..1)], "买");
        assert_eq!(&text[folded.original(1..2)], "木仓");
        assert_eq!(&text[folded.original(2..4)], "Ｏk");
        assert_eq!(folded.glyphs[1].gap, Gap::Soft);
        assert_eq!(
            (folded.glyphs[2].gap, folded.glyphs[2].sentence),
            (Gap::End, 1)
        );
        assert_eq!(folded.plain, "买 木仓。ok");
        assert_eq!(folded.original(3..3), 0..0);
    }

    #[test]
    fn the_tables_are_sound() {
        assert!(SIMPLE.len() > 900, "{}", SIMPLE.len());
        for (from, to) in SIMPLE.iter() {
            assert!(from != to && !SIMPLE.contains_key(to), "{from}{to}");
        }
        assert!(JOINED.len() > 60, "{}", JOINED.len());
        let pairs = TRADITIONAL.lines().chain(SPLIT.lines());
        for word in pairs
            .filter(|l| !l.starts_with('#'))
            .flat_map(str::split_whitespace)
        {
            assert!((2..=3).contains(&word.chars().count()), "{word}");
        }
    }

    proptest::proptest! {
        #[test]
        fn spans_lie_on_characters(text in "[a-z ，。炸弓虽氵气買槍\u{200b}\u{300}💣Ａ]{0,40}") {
            let folded = Folded::new(&text);
            let mut last = 0;
            for at in 0..folded.glyphs.len() {
                let span = folded.original(at..at + 1);
                proptest::prop_assert!(text.get(span.clone()).is_some());
                proptest::prop_assert!(span.start >= last || span.start + 4 >= last);
                last = span.end;
            }
        }
    }
}
