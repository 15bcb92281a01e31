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
}

/// A clause that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundClause {
    /// Its ordinal.
    pub ordinal: usize,
    /// How well it matches, within one question.
    pub score: f32,
    /// The share of the question's weight that it holds.
    pub coverage: f32,
}

/// The best documents of a ranking, at most `limit`, with their texts. A document whose stored text has changed is left
/// out: what can't be proven isn't shown.
///
/// # Errors
/// `Storage`.
pub async fn gather(library: &Library, hits: &[Hit], limit: usize) -> Result<(Vec<Source>, Vec<String>)> {
    let mut order: Vec<&str> = Vec::new();
    let mut found: HashMap<&str, Vec<FoundClause>> = HashMap::new();
    for hit in hits {
        let clauses = found.entry(&hit.document).or_default();
        if clauses.is_empty() {
            order.push(&hit.document);
        }
        clauses.push(FoundClause { ordinal: hit.clause as usize, score: hit.score, coverage: hit.coverage });
    }
    let (mut sources, mut changed) = (Vec::new(), Vec::new());
    for id in order {
        if sources.len() == limit {
            break;
        }
        let document = library.document(id).await?;
        let content = library.content(id).await?;
        match library.text(&document).await {
            Ok(text) => {
                let found = found.remove(id).unwrap_or_default();
                sources.push(Source { document, content, text, found });
            }
            Err(error) if matches!(error.code, ErrorCode::SourceChanged | ErrorCode::NotFound) => {
                tracing::error!(document = document.id, title = document.title, %error, "not cited");
                changed.push(document.title);
            }
            Err(error) => return Err(error),
        }
    }
    Ok((sources, changed))
}

impl Source {
    /// A clause.
    pub fn clause(&self, ordinal: usize) -> Option<&Clause> {
        self.content.clauses.get(ordinal)
    }

    /// The clause in which a byte of the text lies.
    pub fn clause_at(&self, byte: usize) -> Option<usize> {
        let after = self.content.clauses.partition_point(|c| c.span.start <= byte);
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
