//! Spans that might answer: from a sentence or a part of one, to the end of a part or of a later sentence.

use std::collections::BTreeMap;

use super::{
    matching::{Matching, Which},
    page::Page,
};

/// The longest span, in characters.
const LONGEST: usize = 600;
/// Sentences that a span may cover.
const SENTENCES: usize = 14;
/// Sentences from which spans are tried, the best by their words; the two after each as well.
const STARTS: usize = 6;
/// How far a span that ends within its sentence may reach.
const SHORT: usize = 80;

/// Words after which what is asked for tends to begin.
const LEADING: &str = "为是在于可要应将对括供达从至过了把按由给有向让使以与和的、“《（(";
/// Characters before which it tends to end.
const TRAILING: &str = "的等起”》）)（“、时后内前以为是";

/// A span that might answer, in characters of the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) start: usize,
    pub(super) end: usize,
    /// 0 at a sentence, 1 after its mark, 2 after a comma, 3 after a colon, 4 elsewhere.
    pub(super) start_kind: u8,
    /// 0 at a sentence's end, 1 before a comma or colon, 2 elsewhere.
    pub(super) end_kind: u8,
    /// The sentences in which it begins and ends.
    pub(super) first: usize,
    pub(super) last: usize,
}

/// How well each sentence matches, with the one before it and the heading above it.
pub(super) fn sentence_scores(page: &Page, matching: &Matching) -> Vec<f32> {
    let cover = |a: usize, b: usize| matching.coverage(a, b, Which::All);
    let score = |(j, s): (usize, &super::page::Sentence)| {
        let before = page.sentences[j.saturating_sub(1)].span.start;
        let heading = s.under.map_or(0.0, |h| {
            cover(page.sentences[h].span.start, page.sentences[h].span.end)
        });
        cover(s.span.start, s.span.end) + cover(before, s.span.end) + 0.5 * heading
    };
    page.sentences.iter().enumerate().map(score).collect()
}

/// All candidates of a page.
pub(super) fn candidates(page: &Page, matching: &Matching, scores: &[f32]) -> Vec<Candidate> {
    let k = page.sentences.len();
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    let mut starts: Vec<usize> = order
        .iter()
        .take(STARTS)
        .flat_map(|j| [*j, j + 1, j + 2])
        .filter(|j| *j < k)
        .collect();
    starts.sort_unstable();
    starts.dedup();
    let mut out = Vec::new();
    for j in starts.into_iter().filter(|j| !page.sentences[*j].barred) {
        from_sentence(page, matching, j, &mut out);
    }
    out
}

fn from_sentence(page: &Page, matching: &Matching, j: usize, out: &mut Vec<Candidate>) {
    let (starts, inner_ends) = borders(page, matching, j);
    for (start, start_kind) in starts {
        let mut push = |end: usize, end_kind: u8, last: usize| {
            if end > start + 1 {
                out.push(Candidate {
                    start,
                    end,
                    start_kind,
                    end_kind,
                    first: j,
                    last,
                });
            }
        };
        for last in j..page.sentences.len().min(j + SENTENCES) {
            let sentence = &page.sentences[last];
            if last > j && (sentence.span.end - start > LONGEST || sentence.barred) {
                break;
            }
            if sentence.span.end > start {
                push(sentence.span.end, 0, last);
            }
            if last - j <= 1 {
                for p in sentence.span.start..sentence.span.end - 1 {
                    if matches!(page.chars[p], '，' | ',' | '：' | ':') && p > start {
                        push(p, 1, last);
                    }
                }
            }
            // What begins within a sentence rarely runs on for long.
            if start_kind == 4 && last - j >= 4 {
                break;
            }
        }
        for end in inner_ends
            .iter()
            .filter(|e| **e > start && **e <= start + SHORT)
        {
            push(*end, 2, j);
        }
    }
}

/// Where spans may begin in a sentence, by kind, and where they may end within it.
fn borders(page: &Page, matching: &Matching, j: usize) -> (BTreeMap<usize, u8>, Vec<usize>) {
    let sentence = &page.sentences[j];
    let (a, b) = (sentence.span.start, sentence.span.end);
    let chars = &page.chars;
    let mut starts = BTreeMap::from([(a, 0)]);
    if sentence.after_mark > a && sentence.after_mark < b {
        let blank = (sentence.after_mark..b)
            .take_while(|p| chars[*p].is_whitespace())
            .count();
        starts.insert((sentence.after_mark + blank).min(b - 1), 1);
    }
    let mut ends = Vec::new();
    for p in a + 1..b {
        let (before, here) = (chars[p - 1], chars[p]);
        match before {
            '，' | ',' => drop(starts.entry(p).or_insert(2)),
            '：' | ':' => drop(starts.entry(p).or_insert(3)),
            _ => {}
        }
        let closing = matches!(
            here,
            '，' | ',' | '：' | ':' | '。' | '；' | '、' | '）' | '”' | '》' | ')'
        );
        let after_match = matching.is_matched(p - 1) && !matching.is_matched(p);
        if !closing && (after_match || LEADING.contains(before) || page.number_starts[p]) {
            starts.entry(p).or_insert(4);
        }
        let before_match = matching.is_matched(p) && !matching.is_matched(p - 1);
        if before_match
            || TRAILING.contains(here)
            || "等”》)）起".contains(before)
            || page.number_ends[p]
        {
            ends.push(p);
        }
    }
    (starts, ends)
}
