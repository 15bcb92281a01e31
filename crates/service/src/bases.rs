//! The passages that statements stand on, found in the city's documents and read back before they are cited.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::Arc,
};

use jiff::civil::Date;
use kernel::{
    ErrorCode, Result,
    evidence::{Citation, DocumentStatus},
    records::{Condition, Query},
};
use knowledge::{
    Library,
    record::{DOCUMENTS, DocumentRecord},
};
use parking_lot::Mutex;

use crate::{evidence::Source, items::schema::Basis};

/// The document in which a quote stands, and where, in bytes.
type Place = (String, Range<usize>);

/// Where quotes stand in the documents of a city.
pub struct Bases {
    library: Arc<Library>,
    places: Mutex<HashMap<(String, String), Place>>,
}

impl Bases {
    /// Of these documents.
    pub fn new(library: Arc<Library>) -> Self {
        Self {
            library,
            places: Mutex::default(),
        }
    }

    /// Begins the citations of one reply, as of a day.
    pub fn reply(&self, on: Date) -> Citing<'_> {
        Citing {
            bases: self,
            on,
            citations: Vec::new(),
            read: BTreeMap::new(),
        }
    }
}

/// The citations of one reply. Each document is read once.
pub struct Citing<'a> {
    bases: &'a Bases,
    on: Date,
    citations: Vec<Citation>,
    read: BTreeMap<String, Option<Source>>,
}

impl Citing<'_> {
    /// Goes on with citations that a reply has already.
    #[must_use]
    pub fn after(mut self, citations: Vec<Citation>) -> Self {
        self.citations = citations;
        self
    }

    /// The citations so far.
    pub fn citations(self) -> Vec<Citation> {
        self.citations
    }

    /// The marks of these bases among those that `bases` lists; new citations are numbered on. A basis that does not stand in
    /// the documents as quoted is left out.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn cite(&mut self, bases: &[Basis], ids: &[String]) -> Result<Vec<usize>> {
        let mut marks = Vec::new();
        for id in ids {
            let Some(basis) = bases.iter().find(|b| b.id == *id) else {
                continue;
            };
            let Some(mut citation) = self.citation(basis).await? else {
                let document = &basis.document;
                tracing::warn!(
                    document,
                    basis = id,
                    "the quote does not stand in the documents"
                );
                continue;
            };
            let same = |c: &&Citation| {
                c.document == citation.document
                    && (c.start, c.end) == (citation.start, citation.end)
            };
            let n = match self.citations.iter().find(same) {
                Some(cited) => cited.n,
                None => {
                    citation.n = self.citations.len() + 1;
                    let n = citation.n;
                    self.citations.push(citation);
                    n
                }
            };
            if !marks.contains(&n) {
                marks.push(n);
            }
        }
        Ok(marks)
    }

    async fn citation(&mut self, basis: &Basis) -> Result<Option<Citation>> {
        let key = (basis.document.clone(), basis.quote.clone());
        let known = self.bases.places.lock().get(&key).cloned();
        if let Some((document, span)) = known {
            let current = |d: &DocumentRecord, on: Date| {
                !d.withdrawn && d.status(on) == DocumentStatus::Current
            };
            if !self.read.contains_key(&document) {
                let record = self.bases.library.document(&document).await?;
                self.source(record).await?;
            }
            // Of the wordings of one rule, the one in force on the day.
            if let Some(Some(source)) = self.read.get(&document)
                && current(&source.document, self.on)
                && let Some(citation) = at(source, &span, &basis.quote, self.on)
            {
                return Ok(Some(citation));
            }
            self.bases.places.lock().remove(&key);
        }
        let query = Query {
            all: vec![
                // The title on file may name the office before what the file quotes.
                Condition::contains("title", &basis.document),
                Condition::is("withdrawn", false),
            ],
            ..Query::default()
        };
        let library = &self.bases.library;
        let mut documents: Vec<DocumentRecord> = library.records().list(&DOCUMENTS, &query).await?;
        documents.retain(|d| !d.replaced);
        documents.sort_by_key(|d| {
            let current = d.status(self.on) == DocumentStatus::Current;
            (!current, std::cmp::Reverse(d.begins))
        });
        for document in documents {
            let id = document.id.clone();
            self.source(document).await?;
            let Some(Some(source)) = self.read.get(&id) else {
                continue;
            };
            let Some(start) = source.text.as_str().find(&basis.quote) else {
                continue;
            };
            let span = start..start + basis.quote.len();
            if let Some(citation) = at(source, &span, &basis.quote, self.on) {
                self.bases.places.lock().insert(key, (id, span));
                return Ok(Some(citation));
            }
        }
        Ok(None)
    }

    /// Reads a document, unless it was read for this reply. One whose text has changed is no source.
    async fn source(&mut self, document: DocumentRecord) -> Result<()> {
        if self.read.contains_key(&document.id) {
            return Ok(());
        }
        let id = document.id.clone();
        let library = &self.bases.library;
        let source = match library.text(&document).await {
            Ok(text) => {
                let content = library.content(&id).await?;
                Some(Source::of(document, content, text))
            }
            Err(error) if matches!(error.code, ErrorCode::SourceChanged | ErrorCode::NotFound) => {
                None
            }
            Err(error) => return Err(error),
        };
        self.read.insert(id, source);
        Ok(())
    }
}

/// The citation of a span, if the quote stands there.
fn at(source: &Source, span: &Range<usize>, quote: &str, on: Date) -> Option<Citation> {
    source.text.confirms(span, quote).then_some(())?;
    source.cite(0, span, on)
}
