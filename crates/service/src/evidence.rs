//! The passages that a question is answered from, read back from the store.

use std::{collections::HashMap, ops::Range};

use documents::Clause;
use jiff::civil::Date;
use kernel::{ErrorCode, Result, evidence::Citation, lexical::Hit};
use knowledge::{
    Library,
    quote::Text,
    record::{ContentRecord, DocumentRecord},
    view::path,
};
use lang::token::{is_character, normalise};

use crate::refusal::Content;

/// A document with the clauses that were found in it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The document.
    pub document: DocumentRecord,
    /// Its structure.
    pub content: ContentRecord,
    /// Its text, proven unchanged when it was read.
    pub text: Text,
    /// The clauses found, best first.
    pub found: Vec<FoundClause>,
    /// How well the whole document matches, within one question.
    pub score: f32,
    /// The share of the question's weight that the whole document holds.
    pub coverage: f32,
}

/// A clause that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundClause {
    /// Its ordinal.
    pub ordinal: usize,
    /// How well it matches, within one question.
    pub score: f32,
}

/// Documents looked at for each that is kept.
const LOOKED_AT: usize = 4;

/// The longest text that is searched whole, in bytes; of a longer one, the clauses found.
const WHOLE: usize = 60_000;

/// How much a document's best clause counts beside the document as a whole.
const CLAUSE_WEIGHT: f32 = 0.5;

/// How much the share of the question that its title holds counts.
const TITLE_WEIGHT: f32 = 0.15;

/// How much the share that its text holds counts.
const SHARE_WEIGHT: f32 = 0.5;

/// BM25 over whole documents: saturation, length normalisation, and the weight of single characters.
const K1: f32 = 1.2;
const B: f32 = 0.5;
const CHARACTER: f32 = 0.05;

/// The best documents of a ranking, at most `limit`, with their texts, best first. A clause may match by chance; a
/// document that also speaks of the rest of the question is the better source. A document whose stored text has changed
/// is left out and named: what can't be proven isn't shown.
///
/// # Errors
/// `Storage`.
pub async fn gather(
    library: &Library,
    hits: &[Hit],
    content: &Content,
    limit: usize,
) -> Result<(Vec<Source>, Vec<String>)> {
    let mut order: Vec<&str> = Vec::new();
    let mut found: HashMap<&str, Vec<FoundClause>> = HashMap::new();
    for hit in hits {
        let clauses = found.entry(&hit.document).or_default();
        if clauses.is_empty() {
            order.push(&hit.document);
        }
        clauses.push(FoundClause {
            ordinal: hit.clause as usize,
            score: hit.score,
        });
    }
    let (mut sources, mut changed) = (Vec::new(), Vec::new());
    for id in order.into_iter().take(limit * LOOKED_AT) {
        let document = library.document(id).await?;
        match library.text(&document).await {
            Ok(text) => {
                let structure = library.content(id).await?;
                let found = found.remove(id).unwrap_or_default();
                sources.push(Source {
                    document,
                    content: structure,
                    text,
                    found,
                    score: 0.0,
                    coverage: 0.0,
                });
            }
            Err(error) if matches!(error.code, ErrorCode::SourceChanged | ErrorCode::NotFound) => {
                tracing::error!(document = document.id, title = document.title, %error, "not cited");
                changed.push(document.title);
            }
            Err(error) => return Err(error),
        }
    }
    judge(&mut sources, content);
    sources.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| a.document.id.cmp(&b.document.id))
    });
    sources.truncate(limit);
    Ok((sources, changed))
}

/// Scores documents as wholes, each against the others.
fn judge(sources: &mut [Source], content: &Content) {
    let texts: Vec<(String, String)> = sources.iter().map(Source::searched).collect();
    let lengths: Vec<f32> = texts
        .iter()
        .map(|(_, text)| text.chars().count() as f32)
        .collect();
    let mean = lengths.iter().sum::<f32>() / lengths.len().max(1) as f32;
    let wholes: Vec<f32> = texts
        .iter()
        .zip(&lengths)
        .map(|((title, text), length)| {
            content
                .terms()
                .iter()
                .map(|(term, weight)| {
                    let tf = (text.matches(term.as_str()).count()
                        + title.matches(term.as_str()).count()) as f32;
                    let weight = if is_character(term) {
                        weight * CHARACTER
                    } else {
                        *weight
                    };
                    weight * tf * (K1 + 1.0) / (tf + K1 * (1.0 - B + B * length / mean))
                })
                .sum()
        })
        .collect();
    let top = |values: &mut dyn Iterator<Item = f32>| values.fold(1e-6, f32::max);
    let best_whole = top(&mut wholes.iter().copied());
    let best_clause = top(&mut sources
        .iter()
        .filter_map(|s| s.found.first())
        .map(|f| f.score));
    for ((source, (title, text)), whole) in sources.iter_mut().zip(&texts).zip(&wholes) {
        let in_title = content.held_by(title);
        source.coverage = content.held_by(&format!("{title}\n{text}"));
        let clause = source.found.first().map_or(0.0, |f| f.score / best_clause);
        source.score = whole / best_whole
            + CLAUSE_WEIGHT * clause
            + SHARE_WEIGHT * source.coverage
            + TITLE_WEIGHT * in_title;
    }
}

impl Source {
    /// A document by itself, rather than found for a question.
    pub fn of(document: DocumentRecord, content: ContentRecord, text: Text) -> Self {
        Self {
            document,
            content,
            text,
            found: Vec::new(),
            score: 0.0,
            coverage: 0.0,
        }
    }

    /// The title and what is searched of the text, normalised.
    fn searched(&self) -> (String, String) {
        let text = self.text.as_str();
        let searched = if text.len() <= WHOLE {
            normalise(text)
        } else {
            let clauses = self
                .found
                .iter()
                .filter_map(|f| self.text.at(&self.clause(f.ordinal)?.span));
            normalise(&clauses.collect::<Vec<_>>().join("\n"))
        };
        (normalise(&self.document.title), searched)
    }

    /// A clause.
    pub fn clause(&self, ordinal: usize) -> Option<&Clause> {
        self.content.clauses.get(ordinal)
    }

    /// The clause in which a byte of the text lies.
    pub fn clause_at(&self, byte: usize) -> Option<usize> {
        let after = self
            .content
            .clauses
            .partition_point(|c| c.span.start <= byte);
        after.checked_sub(1)
    }

    /// Cites a passage of the text.
    pub fn cite(&self, n: usize, span: &Range<usize>, on: Date) -> Option<Citation> {
        let quote = self.text.at(span)?.to_owned();
        let ordinal = self.clause_at(span.start)?;
        let clause = self.clause(ordinal)?;
        let d = &self.document;
        Some(Citation {
            n,
            document: d.id.clone(),
            title: d.title.clone(),
            number: d.number.clone(),
            issuer: d.issuer.clone(),
            path: path(&clause.path, &clause.label),
            clause: ordinal,
            start: self.text.characters(span.start),
            end: self.text.characters(span.end),
            quote,
            status: d.status(on),
            effective_from: d.effective_from,
            effective_until: d.effective_until,
        })
    }
}
