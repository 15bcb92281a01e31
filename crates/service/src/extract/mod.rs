//! Which sentences answer.

use std::ops::Range;

use kernel::Result;

use crate::evidence::Source;

/// A span of a source's text.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// Which source.
    pub source: usize,
    /// Where in its text, in bytes.
    pub span: Range<usize>,
    /// How well it answers.
    pub score: f32,
}

/// The spans that answer best.
///
/// # Errors
/// What `rarity` returns.
pub fn choose(question: &str, sources: &[Source], rarity: impl Fn(&[String]) -> Result<Vec<f32>>) -> Result<Vec<Chosen>> {
    let tokens = lang::token::tokens(question);
    let weights = rarity(&tokens)?;
    let mut best: Option<Chosen> = None;
    for (index, source) in sources.iter().enumerate() {
        for found in source.found.iter().take(3) {
            let Some(clause) = source.clause(found.ordinal) else { continue };
            let Some(text) = source.text.at(&clause.span) else { continue };
            for r in lang::sentence::sentences(text) {
                let normal = lang::token::normalise(&text[r.clone()]);
                let score: f32 = tokens.iter().zip(&weights).filter(|(t, _)| normal.contains(t.as_str())).map(|(_, w)| w).sum();
                if best.as_ref().is_none_or(|b| score > b.score) {
                    best = Some(Chosen { source: index, span: clause.span.start + r.start..clause.span.start + r.end, score });
                }
            }
        }
    }
    Ok(best.into_iter().collect())
}
