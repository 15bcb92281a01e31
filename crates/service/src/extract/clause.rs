//! Answers from texts whose structure is known: the clause that answers best, in whole sentences.

use std::ops::Range;

use documents::ClauseKind;
use kernel::Result;
use lang::{sentence::sentences, token::normalise};

use super::{Chosen, asked::Asked};
use crate::evidence::Source;

/// Documents whose clauses are compared.
const DOCUMENTS: usize = 4;

/// Clauses compared of each.
const CLAUSES: usize = 6;

/// A clause up to this length is shown whole, in characters.
const WHOLE: usize = 240;

/// What is shown of a longer one.
const SHOWN: usize = 200;

/// How a clause is judged: its rank by words, its document, the question's own words in it, and whether it has what is
/// asked for (a number, a date, a place …).
const BY_DOCUMENT: f32 = 0.6;
const BY_WORDS: f32 = 0.8;
const BY_KIND: f32 = 0.25;

/// Chooses a clause and its sentences.
pub(super) fn choose(asked: &Asked, sources: &[Source]) -> Result<Option<Chosen>> {
    let top = |values: &mut dyn Iterator<Item = f32>| values.fold(1e-6, f32::max);
    let best_document = top(&mut sources.iter().map(|s| s.score));
    let best_clause = top(&mut sources.iter().flat_map(|s| &s.found).map(|f| f.score));
    let mut best: Option<(f32, usize, usize)> = None;
    for (index, source) in sources.iter().enumerate().take(DOCUMENTS) {
        for found in source.found.iter().take(CLAUSES) {
            let Some(clause) = source.clause(found.ordinal) else {
                continue;
            };
            let text = source.text.at(&clause.span);
            // Orders to a machine may go on in the next sentence: such a clause is not quoted at all.
            let Some(text) = text.filter(|t| !documents::is_suspicious(t)) else {
                continue;
            };
            let place = format!("{} {} {text}", clause.path.join(" "), clause.label);
            let words = coverage(asked, &normalise(&place));
            let body = body(clause.kind, text);
            let fits = asked.expected();
            let hits = fits
                .iter()
                .filter(|p| p.is_match(&text[body.clone()]))
                .count();
            let kind = hits as f32 / fits.len().max(1) as f32;
            let front = if clause.kind == ClauseKind::Front {
                0.5
            } else {
                0.0
            };
            let score = found.score / best_clause
                + BY_DOCUMENT * source.score / best_document
                + BY_WORDS * words
                + BY_KIND * kind
                - front;
            if !body.is_empty() && best.is_none_or(|(b, ..)| score > b) {
                best = Some((score, index, found.ordinal));
            }
        }
    }
    Ok(best.and_then(|(score, source, ordinal)| {
        let clause = sources[source].clause(ordinal)?;
        let text = sources[source].text.at(&clause.span)?;
        let shown = shown(asked, text, body(clause.kind, text))?;
        let span = clause.span.start + shown.start..clause.span.start + shown.end;
        Some(Chosen {
            source,
            sentences: span.clone(),
            span,
            score,
        })
    }))
}

/// The share of the question's weight that a normalised text holds.
fn coverage(asked: &Asked, text: &str) -> f32 {
    let held = asked
        .grams
        .iter()
        .filter(|g| text.contains(&g.text.iter().collect::<String>()));
    held.map(|g| g.weight).sum::<f32>() / asked.total
}

/// What of a clause may be shown: of a question with its answer, the answer; no leading mark 答：.
fn body(kind: ClauseKind, text: &str) -> Range<usize> {
    let mut start = 0;
    if kind == ClauseKind::Question {
        // The question is the first line; the answer follows it.
        start = text.find('\n').map_or(text.len(), |at| at + 1);
        let rest = &text[start..];
        let answer = rest.trim_start();
        start += rest.len() - answer.len();
        for mark in ["答：", "答:", "A：", "A:"] {
            if answer.starts_with(mark) {
                start += mark.len();
            }
        }
    }
    start..text.len()
}

/// The sentences shown: the whole body if it is short, else from the one that answers best.
fn shown(asked: &Asked, text: &str, body: Range<usize>) -> Option<Range<usize>> {
    let inside = &text[body.clone()];
    let all: Vec<Range<usize>> = sentences(inside)
        .into_iter()
        .filter(|s| !documents::is_suspicious(&inside[s.clone()]))
        .collect();
    let (first, last) = (all.first()?, all.last()?);
    let absolute = |r: Range<usize>| body.start + r.start..body.start + r.end;
    if inside.chars().count() <= WHOLE && all.len() == sentences(inside).len() {
        return Some(absolute(first.start..last.end));
    }
    let expected = asked.expected();
    let score = |s: &Range<usize>| {
        let sentence = &inside[s.clone()];
        let hits = expected.iter().filter(|p| p.is_match(sentence)).count();
        coverage(asked, &normalise(sentence)) + BY_KIND * hits as f32 / expected.len().max(1) as f32
    };
    let scores: Vec<f32> = all.iter().map(score).collect();
    let start = (0..all.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(b.cmp(a)))?;
    // A lead-in without its list, or a list without its lead-in, tells nothing.
    let led = start
        .checked_sub(1)
        .filter(|before| inside[all[*before].clone()].ends_with(['：', ':']));
    let begin = led.unwrap_or(start);
    let mut end = start;
    while end + 1 < all.len() {
        let next = &all[end + 1];
        let gap = &inside[all[end].end..next.start];
        let clean = documents::is_suspicious(&inside[next.clone()]);
        if clean
            || inside[all[begin].start..next.end].chars().count() > SHOWN
            || (gap.contains('\n') && !listed(inside, &all[end]))
        {
            break;
        }
        end += 1;
    }
    Some(absolute(all[begin].start..all[end].end))
}

/// Whether a list goes on after a sentence.
fn listed(text: &str, sentence: &Range<usize>) -> bool {
    text[sentence.clone()].ends_with(['：', ':', '；', ';'])
}
