//! The text's side: sentences, numbering, headings and sections of a part of a document.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::asked::{Asked, DATE, NUMBER};

/// Marks that begin an item, by level.
static MARKS: LazyLock<[Regex; 5]> = LazyLock::new(|| {
    [
        r"^(?:[一二三四五六七八九十]{1,3}[、.．,，]|第[一二三四五六七八九十百零\d]{1,5}[编章节条款]|[问答][:：]|[■●◆★▲])",
        r"^[（(][一二三四五六七八九十]{1,3}[）)]",
        r"^\d{1,2}[.、．](?:[^\d]|$)",
        r"^(?:[（(]\d{1,2}[）)]|\d{1,2}[）)]|[①-⑳])",
        r"^(?:[一二三四五六七八九十]{1,2}是|首先|其次|再次|最后|第[一二三四五六七八九十][，,])",
    ]
    .map(|p| Regex::new(p).expect("a fixed pattern"))
});

static NUMBERS: LazyLock<Regex> = LazyLock::new(|| Regex::new(NUMBER).expect("a fixed pattern"));
static DATES: LazyLock<Regex> = LazyLock::new(|| Regex::new(DATE).expect("a fixed pattern"));
static ASKING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:\d{1,3}[.、．]\s*)?(?:问|Q\d*)[:：]").expect("a fixed pattern")
});

/// A sentence of a page, in characters.
#[derive(Clone, Debug)]
pub(super) struct Sentence {
    pub(super) span: Range<usize>,
    /// 0 without a mark; 1 一、 第一条; 2 （一）; 3 1.; 4 （1）; 5 一是.
    pub(super) level: u8,
    /// Where the mark ends.
    pub(super) after_mark: usize,
    pub(super) heading: bool,
    /// The nearest heading before it.
    pub(super) under: Option<usize>,
    /// The last sentence of the item that begins here.
    pub(super) item_end: usize,
    /// It may not be shown as an answer: a title, a heading line, another's question, an order to a machine.
    pub(super) barred: bool,
}

/// A part of a document, as extraction sees it.
pub(super) struct Page {
    /// Normalised one to one.
    pub(super) chars: Vec<char>,
    /// The byte of each character in the part, and its end.
    pub(super) bytes: Vec<usize>,
    pub(super) sentences: Vec<Sentence>,
    /// Running counts of matches that begin before each character.
    pub(super) counts: Counts,
    /// Where numbers and dates begin and end.
    pub(super) number_starts: Vec<bool>,
    pub(super) number_ends: Vec<bool>,
}

/// Running counts by what is counted.
pub(super) struct Counts {
    pub(super) numbers: Vec<u16>,
    pub(super) dates: Vec<u16>,
    pub(super) quotes: Vec<u16>,
    pub(super) digits: Vec<u16>,
    pub(super) commas: Vec<u16>,
    pub(super) enumeration_commas: Vec<u16>,
    pub(super) expected: Vec<Vec<u16>>,
}

fn fold(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => {
            let half = char::from_u32(c as u32 - 0xfee0).unwrap_or(c);
            // Punctuation keeps its form: it is told apart from that inside numbers.
            if half.is_ascii_alphanumeric() || half == '%' {
                half.to_ascii_lowercase()
            } else {
                c
            }
        }
        _ => c.to_ascii_lowercase(),
    }
}

impl Page {
    /// Reads a part of a document. `barred` tells which byte ranges of the part may not be shown.
    pub(super) fn new(part: &str, asked: &Asked, barred: &[Range<usize>]) -> Self {
        let chars: Vec<char> = part.chars().map(fold).collect();
        let bytes: Vec<usize> = part
            .char_indices()
            .map(|(b, _)| b)
            .chain([part.len()])
            .collect();
        let folded: String = chars.iter().collect();
        let sentences = read(&chars, &bytes, barred, part);
        let n = chars.len();
        let (mut number_starts, mut number_ends) = (vec![false; n + 1], vec![false; n + 1]);
        let place = Places::of(&folded);
        for found in NUMBERS.find_iter(&folded).chain(DATES.find_iter(&folded)) {
            number_starts[place.at(found.start())] = true;
            number_ends[place.at(found.end())] = true;
        }
        let count =
            |pattern: &Regex| running(n, pattern.find_iter(&folded).map(|m| place.at(m.start())));
        let those =
            |wanted: &dyn Fn(char) -> bool| running(n, (0..n).filter(|i| wanted(chars[*i])));
        let counts = Counts {
            numbers: count(&NUMBERS),
            dates: count(&DATES),
            quotes: those(&|c| matches!(c, '“' | '《')),
            digits: those(&|c| c.is_ascii_digit()),
            commas: those(&|c| matches!(c, '，' | ',')),
            enumeration_commas: those(&|c| c == '、'),
            expected: asked.expected().into_iter().map(count).collect(),
        };
        Self {
            chars,
            bytes,
            sentences,
            counts,
            number_starts,
            number_ends,
        }
    }
}

/// From bytes of a string to characters.
struct Places(Vec<u32>);

impl Places {
    fn of(text: &str) -> Self {
        let mut places = vec![0; text.len() + 1];
        let mut n = 0;
        for (byte, c) in text.char_indices() {
            for b in &mut places[byte..byte + c.len_utf8()] {
                *b = n;
            }
            n += 1;
        }
        places[text.len()] = n;
        Self(places)
    }

    fn at(&self, byte: usize) -> usize {
        self.0[byte] as usize
    }
}

fn running(n: usize, places: impl Iterator<Item = usize>) -> Vec<u16> {
    let mut counts = vec![0_u16; n + 1];
    for place in places {
        counts[(place + 1).min(n)] += 1;
    }
    for i in 1..=n {
        counts[i] = counts[i].saturating_add(counts[i - 1]);
    }
    counts
}

fn read(chars: &[char], bytes: &[usize], barred: &[Range<usize>], part: &str) -> Vec<Sentence> {
    let mut out: Vec<Sentence> = Vec::new();
    for span in split(chars) {
        let head: String = chars[span.start..span.end.min(span.start + 12)]
            .iter()
            .collect();
        let (level, mark) = mark(&head);
        let after_mark = (span.start + mark).min(span.end);
        let body = span.end - after_mark;
        let ended = matches!(
            chars[span.end - 1],
            '。' | '!' | '！' | '?' | '？' | ';' | '；' | '：'
        );
        let heading = (matches!(level, 1..=4) && body <= 30 && chars[span.end - 1] != '；')
            || (!ended && span.len() <= 25);
        let at = bytes[span.start]..bytes[span.end];
        let asking = ASKING.is_match(&part[at.clone()]);
        let inside = barred
            .iter()
            .any(|b| b.start <= at.start && at.end <= b.end);
        let suspicious = documents::is_suspicious(&part[at]);
        out.push(Sentence {
            span,
            level,
            after_mark,
            heading: heading || asking,
            under: None,
            item_end: 0,
            barred: asking || inside || suspicious,
        });
    }
    let (mut last, mut current) = (None, 9);
    let mut depth = Vec::with_capacity(out.len());
    for (index, sentence) in out.iter_mut().enumerate() {
        sentence.under = last;
        if sentence.heading {
            last = Some(index);
        }
        if sentence.level > 0 {
            current = sentence.level;
        }
        depth.push(current);
    }
    for index in 0..out.len() {
        let next =
            (index + 1..out.len()).find(|j| out[*j].level > 0 && out[*j].level <= depth[index]);
        out[index].item_end = next.unwrap_or(out.len()) - 1;
    }
    out
}

/// The level of the mark that a text begins with, and the mark's length in characters.
fn mark(head: &str) -> (u8, usize) {
    for (level, pattern) in MARKS.iter().enumerate() {
        if let Some(found) = pattern.find(head) {
            let text = found.as_str();
            // The pattern of 1. looks one character ahead, so as not to take 1.5 for a mark.
            let ahead = usize::from(level == 2 && !text.ends_with(['.', '、', '．']));
            return (level as u8 + 1, text.chars().count() - ahead);
        }
    }
    (0, 0)
}

fn split(chars: &[char]) -> Vec<Range<usize>> {
    let n = chars.len();
    let mut out = Vec::new();
    let mut start = 0;
    let mut add = |a: usize, b: usize| {
        let (mut a, mut b) = (a, b);
        while a < b && chars[a].is_whitespace() {
            a += 1;
        }
        while b > a && chars[b - 1].is_whitespace() {
            b -= 1;
        }
        if b > a {
            out.push(a..b);
        }
    };
    let mut i = 0;
    while i < n {
        let c = chars[i];
        if matches!(c, '。' | '！' | '!' | '？' | '?' | '；' | ';') {
            let mut j = i + 1;
            while j < n
                && matches!(
                    chars[j],
                    '。' | '！' | '!' | '？' | '?' | '；' | ';' | '”' | '’' | '）' | ')'
                )
            {
                j += 1;
            }
            add(start, j);
            start = j;
            i = j;
        } else if c.is_whitespace() {
            let mut j = i;
            while j < n && chars[j].is_whitespace() {
                j += 1;
            }
            let latin = |k: usize| chars.get(k).is_some_and(char::is_ascii_alphanumeric);
            // A blank between two words or numbers is none between sentences.
            let between = j - i == 1 && c == ' ' && i > 0 && latin(i - 1) && latin(j);
            if !between {
                add(start, i);
                start = j;
            }
            i = j;
        } else {
            i += 1;
        }
    }
    add(start, n);
    out
}
