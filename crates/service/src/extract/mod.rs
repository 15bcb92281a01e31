//! Which sentences answer: spans of the sources, judged by where the question's words stand in and around them.

mod asked;
mod candidates;
mod clause;
pub mod features;
mod matching;
mod model;
mod page;

use std::ops::Range;

use kernel::Result;

use self::{
    asked::Asked,
    candidates::{candidates, sentence_scores},
    features::{Reading, Standing},
    matching::Matching,
    page::Page,
};
use crate::evidence::Source;

/// Documents from which spans are tried.
const DOCUMENTS: usize = 3;

/// A text up to this length is read whole; of a longer one, the clauses found and their neighbours. In bytes.
const WHOLE: usize = 24_000;

/// A text with more characters a line than this, on average, runs on without paragraphs.
const RUNNING: usize = 250;

/// Clauses of a long text.
const CLAUSES: usize = 4;

/// A span of a source's text.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// Which source.
    pub source: usize,
    /// Where in its text, in bytes.
    pub span: Range<usize>,
    /// The whole sentences around it, in bytes.
    pub sentences: Range<usize>,
    /// How well it answers, about 0 to 1.
    pub score: f32,
}

/// A span with the numbers it is judged by, for training.
#[derive(Clone, Debug)]
pub struct Example {
    /// Which source.
    pub source: usize,
    /// Where in its text, in bytes.
    pub span: Range<usize>,
    /// In the order of [`features::NAMES`], then the kinds of question.
    pub features: Vec<f32>,
}

/// What answers best, if anything does: of a text whose structure is known, whole sentences of a clause; of running text
/// without paragraphs, a span that the model finds.
///
/// # Errors
/// What `rarity` returns.
pub fn choose(
    question: &str,
    sources: &[Source],
    rarity: impl Fn(&[String]) -> Result<Vec<f32>>,
) -> Result<Option<Chosen>> {
    if sources.first().is_none_or(|s| !is_running(s)) {
        return clause::choose(&Asked::new(question, rarity)?, sources);
    }
    let mut best: Option<Chosen> = None;
    each(
        question,
        sources,
        rarity,
        |source, part, page, candidate, features| {
            let score = model::predict(&features);
            if best.as_ref().is_none_or(|b| score > b.score) {
                let byte = |at: usize| part.start + page.bytes[at];
                let sentences = byte(page.sentences[candidate.first].span.start)
                    ..byte(page.sentences[candidate.last].span.end);
                best = Some(Chosen {
                    source,
                    span: byte(candidate.start)..byte(candidate.end),
                    sentences,
                    score,
                });
            }
        },
    )?;
    Ok(best)
}

/// All spans that were considered, for training.
///
/// # Errors
/// What `rarity` returns.
pub fn examples(
    question: &str,
    sources: &[Source],
    rarity: impl Fn(&[String]) -> Result<Vec<f32>>,
) -> Result<Vec<Example>> {
    let mut out = Vec::new();
    each(
        question,
        sources,
        rarity,
        |source, part, page, candidate, features| {
            let byte = |at: usize| part.start + page.bytes[at];
            out.push(Example {
                source,
                span: byte(candidate.start)..byte(candidate.end),
                features,
            });
        },
    )?;
    Ok(out)
}

/// Whether a text runs on without paragraphs, as pages copied from the web do.
fn is_running(source: &Source) -> bool {
    let text = source.text.as_str();
    let lines = text.lines().filter(|l| !l.is_empty()).count().max(1);
    text.chars().count() / lines > RUNNING
}

fn each(
    question: &str,
    sources: &[Source],
    rarity: impl Fn(&[String]) -> Result<Vec<f32>>,
    mut visit: impl FnMut(usize, &Range<usize>, &Page, &candidates::Candidate, Vec<f32>),
) -> Result<()> {
    let asked = Asked::new(question, rarity)?;
    let best = sources.first().map_or(1.0, |s| s.score).max(1e-6);
    for (index, source) in sources.iter().enumerate().take(DOCUMENTS) {
        let standing = Standing {
            rank: index,
            relative: source.score / best,
        };
        for part in parts(source) {
            let Some(text) = source.text.at(&part) else {
                continue;
            };
            let page = Page::new(text, &asked, &barred(source, &part));
            if page.sentences.is_empty() {
                continue;
            }
            let matching = Matching::new(&asked, &page);
            let scores = sentence_scores(&page, &matching);
            let reading = Reading::new(&asked, &page, &matching, &scores, standing);
            for candidate in candidates(&page, &matching, &scores) {
                visit(
                    index,
                    &part,
                    &page,
                    &candidate,
                    reading.features(&candidate),
                );
            }
        }
    }
    Ok(())
}

/// The parts of a source to read, in bytes.
fn parts(source: &Source) -> Vec<Range<usize>> {
    let length = source.text.as_str().len();
    if length <= WHOLE {
        return Vec::from([Range {
            start: 0,
            end: length,
        }]);
    }
    let last = source.content.clauses.len().saturating_sub(1);
    let mut ordinals: Vec<usize> = source
        .found
        .iter()
        .take(CLAUSES)
        .flat_map(|f| {
            [
                f.ordinal.saturating_sub(1),
                f.ordinal,
                (f.ordinal + 1).min(last),
            ]
        })
        .collect();
    ordinals.sort_unstable();
    ordinals.dedup();
    let mut out: Vec<Range<usize>> = Vec::new();
    for ordinal in ordinals {
        let Some(clause) = source.clause(ordinal) else {
            continue;
        };
        match out.last_mut() {
            // Neighbours are read as one text.
            Some(part)
                if source
                    .clause_at(part.end.saturating_sub(1))
                    .is_some_and(|c| c + 1 == ordinal) =>
            {
                part.end = clause.span.end
            }
            _ => out.push(clause.span.clone()),
        }
    }
    out
}

/// What may not be shown as an answer: headings and the title, relative to the part.
fn barred(source: &Source, part: &Range<usize>) -> Vec<Range<usize>> {
    let title = source
        .text
        .as_str()
        .find(source.document.title.as_str())
        .map(|at| at..at + source.document.title.len());
    let title = title.filter(|t| t.start < 300);
    let headings = source.content.outline.iter().map(|h| h.span.clone());
    headings
        .chain(title)
        .filter(|r| r.start >= part.start && r.end <= part.end)
        .map(|r| r.start - part.start..r.end - part.start)
        .collect()
}
