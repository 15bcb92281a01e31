//! BM25F over Tantivy's postings, a term at a time.

use std::collections::HashMap;

use kernel::{
    Result,
    lexical::{BODY, Bm25f, FIELDS, Filter, Hit, Query, TITLE},
};
use parking_lot::Mutex;
use tantivy::{
    DocId, DocSet, Searcher, SegmentReader, TERMINATED, Term,
    columnar::{Column, StrColumn},
    postings::Postings,
    schema::IndexRecordOption,
};

use crate::search_tantivy::{Fields, fault};

/// The index at one moment: what every query needs, read once.
pub(crate) struct View {
    searcher: Searcher,
    fields: Fields,
    segments: Vec<Lengths>,
    mean: [f32; FIELDS],
    passages: u64,
    /// How many passages hold a token: one question asks for the same tokens several times.
    holding: Mutex<HashMap<String, usize>>,
}

/// Lengths of the passages of one segment, in tokens.
struct Lengths([Vec<f32>; FIELDS]);

/// Tokens whose number of passages is remembered.
const REMEMBERED: usize = 1 << 16;

/// Where one term occurs in one segment: passages with their weighted, normalised frequency.
type Occurrences = Vec<(DocId, f32)>;

impl View {
    pub(crate) fn new(searcher: &Searcher, fields: Fields) -> Result<Self> {
        let mut segments = Vec::new();
        let (mut sum, mut passages) = ([0.0_f64; FIELDS], 0);
        for segment in searcher.segment_readers() {
            let columns =
                ["title_length", "body_length"].map(|name| segment.fast_fields().u64(name));
            let mut lengths: [Vec<f32>; FIELDS] = Default::default();
            for (field, column) in columns.into_iter().enumerate() {
                let column = column.map_err(fault)?;
                lengths[field] = (0..segment.max_doc())
                    .map(|d| column.first(d).unwrap_or(0) as f32)
                    .collect();
                let alive = segment
                    .doc_ids_alive()
                    .map(|d| f64::from(lengths[field][d as usize]));
                sum[field] += alive.sum::<f64>();
            }
            passages += u64::from(segment.num_docs());
            segments.push(Lengths(lengths));
        }
        let mean = sum.map(|s| ((s / passages.max(1) as f64) as f32).max(1.0));
        Ok(Self {
            searcher: searcher.clone(),
            fields,
            segments,
            mean,
            passages,
            holding: Mutex::default(),
        })
    }

    pub(crate) fn passages(&self) -> u64 {
        self.passages
    }

    pub(crate) fn rarity(&self, tokens: &[String]) -> Result<Vec<f32>> {
        let plain = Bm25f {
            k1: 1.0,
            b: [0.0; FIELDS],
            weight: [1.0; FIELDS],
            idf_power: 1.0,
        };
        let mut out = Vec::with_capacity(tokens.len());
        for token in tokens {
            let known = self.holding.lock().get(token).copied();
            let holding = match known {
                Some(holding) => holding,
                None => {
                    let mut holding = 0;
                    for index in 0..self.segments.len() {
                        holding += self.occurrences(index, token, &plain)?.len();
                    }
                    self.remember(token, holding);
                    holding
                }
            };
            out.push(self.inverse_frequency(holding));
        }
        Ok(out)
    }

    fn remember(&self, token: &str, holding: usize) {
        let mut known = self.holding.lock();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(token.to_owned(), holding);
    }

    fn inverse_frequency(&self, holding: usize) -> f32 {
        let (n, df) = (self.passages as f32, holding as f32);
        (1.0 + (n - df + 0.5).max(0.0) / (df + 0.5)).ln()
    }

    fn occurrences(&self, index: usize, token: &str, scoring: &Bm25f) -> Result<Occurrences> {
        let segment = self.searcher.segment_reader(index as u32);
        let mut fields: [Occurrences; FIELDS] = Default::default();
        for field in [TITLE, BODY] {
            let term = Term::from_field_text(self.fields.tokens[field], token);
            let inverted = segment
                .inverted_index(self.fields.tokens[field])
                .map_err(fault)?;
            let Some(mut postings) = inverted
                .read_postings(&term, IndexRecordOption::WithFreqs)
                .map_err(fault)?
            else {
                continue;
            };
            let (b, weight, mean) = (scoring.b[field], scoring.weight[field], self.mean[field]);
            let lengths = &self.segments[index].0[field];
            let mut doc = postings.doc();
            while doc != TERMINATED {
                if !segment.is_deleted(doc) {
                    let norm = 1.0 - b + b * lengths[doc as usize] / mean;
                    fields[field].push((doc, weight * postings.term_freq() as f32 / norm));
                }
                doc = postings.advance();
            }
        }
        let [title, body] = fields;
        Ok(merge(title, body))
    }

    pub(crate) fn search(&self, query: &Query) -> Result<Vec<Hit>> {
        let mut scores: Vec<Vec<f32>> = self
            .segments
            .iter()
            .map(|s| vec![0.0; s.0[TITLE].len()])
            .collect();
        let s = &query.scoring;
        for term in &query.terms {
            let mut occurrences = Vec::with_capacity(self.segments.len());
            for index in 0..self.segments.len() {
                occurrences.push(self.occurrences(index, &term.token, s)?);
            }
            let holding = occurrences.iter().map(Vec::len).sum();
            self.remember(&term.token, holding);
            let rarity = self.inverse_frequency(holding);
            if rarity < query.least_rarity {
                continue;
            }
            let weight = term.weight
                * if s.idf_power == 1.0 {
                    rarity
                } else {
                    rarity.powf(s.idf_power)
                };
            for (index, found) in occurrences.into_iter().enumerate() {
                for (doc, tf) in found {
                    scores[index][doc as usize] += weight * tf * (s.k1 + 1.0) / (tf + s.k1);
                }
            }
        }
        let mut hits = Vec::new();
        for (index, segment) in self.searcher.segment_readers().iter().enumerate() {
            let allowed = Allowed::new(segment, &query.filter)?;
            let found = scores[index].iter().enumerate().filter(|(_, s)| **s > 0.0);
            hits.extend(
                found
                    .filter(|(doc, _)| allowed.passes(*doc as DocId))
                    .map(|(doc, score)| (*score, index, doc as DocId)),
            );
        }
        self.best(hits, query.limit)
    }

    pub(crate) fn admitted(&self, passages: &[(&str, u32)], filter: &Filter) -> Result<Vec<bool>> {
        let mut out = vec![false; passages.len()];
        for segment in self.searcher.segment_readers() {
            let allowed = Allowed::new(segment, filter)?;
            let clauses = segment.fast_fields().u64("clause").map_err(fault)?;
            let inverted = segment
                .inverted_index(self.fields.document)
                .map_err(fault)?;
            for (admitted, (document, clause)) in out.iter_mut().zip(passages) {
                let term = Term::from_field_text(self.fields.document, document);
                let Some(mut postings) = inverted
                    .read_postings(&term, IndexRecordOption::Basic)
                    .map_err(fault)?
                else {
                    continue;
                };
                let mut doc = postings.doc();
                while doc != TERMINATED && !*admitted {
                    *admitted = clauses.first(doc) == Some(u64::from(*clause))
                        && !segment.is_deleted(doc)
                        && allowed.passes(doc);
                    doc = postings.advance();
                }
            }
        }
        Ok(out)
    }

    /// The best hits in order. All that tie with the last are named before they are cut, so that the cut does not depend
    /// on how passages lie in segments.
    fn best(&self, mut hits: Vec<(f32, usize, DocId)>, limit: usize) -> Result<Vec<Hit>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        if hits.len() > limit {
            let (_, last, _) = hits.select_nth_unstable_by(limit - 1, |a, b| b.0.total_cmp(&a.0));
            let least = last.0;
            hits.retain(|h| h.0 >= least);
        }
        let mut named = Vec::with_capacity(hits.len());
        for (score, index, doc) in hits {
            let fast = self.searcher.segment_reader(index as u32).fast_fields();
            let ids = fast.str("document").map_err(fault)?;
            let mut document = String::new();
            if let Some(ids) = ids
                && let Some(ord) = ids.ords().first(doc)
            {
                ids.ord_to_str(ord, &mut document).map_err(fault)?;
            }
            let clause = fast.u64("clause").map_err(fault)?.first(doc).unwrap_or(0) as u32;
            named.push(Hit {
                document,
                clause,
                score,
            });
        }
        named.sort_by(|a, b| {
            b.score
                .total_cmp(&a.score)
                .then_with(|| (&a.document, a.clause).cmp(&(&b.document, b.clause)))
        });
        named.truncate(limit);
        Ok(named)
    }
}

/// Adds up two lists that are sorted by passage.
fn merge(a: Occurrences, b: Occurrences) -> Occurrences {
    if a.is_empty() || b.is_empty() {
        return if a.is_empty() { b } else { a };
    }
    let mut out = Vec::with_capacity(a.len() + b.len());
    let (mut a, mut b) = (a.into_iter().peekable(), b.into_iter().peekable());
    loop {
        match (a.peek().copied(), b.peek().copied()) {
            (Some(x), Some(y)) if x.0 == y.0 => {
                out.push((x.0, x.1 + y.1));
                a.next();
                b.next();
            }
            (Some(x), Some(y)) if x.0 < y.0 => out.extend(a.next()),
            (Some(_), None) => out.extend(a.next()),
            (_, Some(_)) => out.extend(b.next()),
            (None, None) => return out,
        }
    }
}

/// A filter over one segment.
struct Allowed {
    labels: Vec<Label>,
    days: Vec<(Column<i64>, Bound, i64)>,
}

struct Label {
    column: Option<StrColumn>,
    /// Ordinals that pass, or that don't; a value that the segment lacks has none.
    ordinals: Vec<u64>,
    /// Those named don't pass, all others do.
    barred: bool,
    or_missing: bool,
}

/// How a day must stand to the filter's day.
#[derive(Clone, Copy)]
enum Bound {
    AtMostOrMissing,
    AtLeastOrMissing,
    After,
    Before,
    AtLeast,
    AtMost,
}

impl Allowed {
    fn new(segment: &SegmentReader, filter: &Filter) -> Result<Self> {
        let mut allowed = Self {
            labels: Vec::new(),
            days: Vec::new(),
        };
        if !filter.documents.is_empty() {
            allowed.label(segment, "document", &filter.documents, false)?;
        }
        for (name, wanted, or_missing) in [
            ("space", &filter.space, false),
            ("region", &filter.region, true),
            ("kind", &filter.kind, false),
        ] {
            if let Some(wanted) = wanted {
                allowed.label(segment, name, std::slice::from_ref(wanted), or_missing)?;
            }
        }
        if !filter.hidden_spaces.is_empty() {
            allowed.label(segment, "space", &filter.hidden_spaces, true)?;
            if let Some(label) = allowed.labels.last_mut() {
                label.barred = true;
            }
        }
        let bounds = [
            ("from", Bound::AtMostOrMissing, filter.in_force),
            ("until", Bound::AtLeastOrMissing, filter.in_force),
            ("from", Bound::After, filter.upcoming_after),
            ("until", Bound::Before, filter.ended_before),
            ("issued", Bound::AtLeast, filter.issued_from),
            ("issued", Bound::AtMost, filter.issued_until),
        ];
        for (name, bound, day) in bounds {
            if let Some(day) = day {
                allowed
                    .days
                    .push((segment.fast_fields().i64(name).map_err(fault)?, bound, day));
            }
        }
        Ok(allowed)
    }

    fn label(
        &mut self,
        segment: &SegmentReader,
        name: &str,
        wanted: &[String],
        or_missing: bool,
    ) -> Result<()> {
        let column = segment.fast_fields().str(name).map_err(fault)?;
        let mut ordinals = Vec::new();
        if let Some(column) = &column {
            for value in wanted {
                ordinals.extend(
                    column
                        .dictionary()
                        .term_ord(value.as_bytes())
                        .map_err(fault)?,
                );
            }
        }
        self.labels.push(Label {
            column,
            ordinals,
            barred: false,
            or_missing,
        });
        Ok(())
    }

    fn passes(&self, doc: DocId) -> bool {
        self.labels.iter().all(|label| {
            match label.column.as_ref().and_then(|c| c.ords().first(doc)) {
                Some(ord) => label.ordinals.contains(&ord) != label.barred,
                None => label.or_missing,
            }
        }) && self.days.iter().all(|(column, bound, day)| {
            let value = column.first(doc);
            match bound {
                Bound::AtMostOrMissing => value.is_none_or(|v| v <= *day),
                Bound::AtLeastOrMissing => value.is_none_or(|v| v >= *day),
                Bound::After => value.is_some_and(|v| v > *day),
                Bound::Before => value.is_some_and(|v| v < *day),
                Bound::AtLeast => value.is_some_and(|v| v >= *day),
                Bound::AtMost => value.is_some_and(|v| v <= *day),
            }
        })
    }
}
