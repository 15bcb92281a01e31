//! Clauses found by words.

use std::{sync::Arc, time::Instant};

use documents::DocumentKind;
use jiff::civil::Date;
use kernel::{
    Error, ErrorCode, Result,
    evidence::DocumentStatus,
    identity::Caller,
    lexical::Filter,
    records::{Condition, Query},
    time::{self, day_number},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Library;
use crate::{
    record::{DOCUMENTS, DocumentRecord, kind_name},
    retrieval::{self, CHARACTER_WEIGHT, Dense, Expansion, Question, Ranking, Scope},
    view::path,
};

/// How many of the best are given to a reranker.
const RERANKED: usize = 40;

/// The longest query, in characters.
const LONGEST: usize = 2000;

/// What to look for, in which documents.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Which clauses may be returned.
    pub filter: Filter,
    /// At most so many.
    pub limit: usize,
}

/// A query for clauses.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchInput {
    /// The question or words.
    pub query: String,
    /// At most so many hits (default 10, at most 100).
    #[serde(default)]
    pub limit: Option<usize>,
    /// Only what is in force on this day (YYYY-MM-DD); without it and without `status`, today.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub as_of: Option<Date>,
    /// Only this knowledge space.
    #[serde(default)]
    pub space: Option<String>,
    /// Only this region.
    #[serde(default)]
    pub region: Option<String>,
    /// Only this kind.
    #[serde(default)]
    pub kind: Option<DocumentKind>,
    /// Only this status on the asked day.
    #[serde(default)]
    pub status: Option<DocumentStatus>,
    /// Only what was issued on or after this day.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub issued_from: Option<Date>,
    /// Only what was issued on or before this day.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub issued_until: Option<Date>,
}

/// The clauses found.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SearchOutput {
    /// Best first.
    pub hits: Vec<Hit>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: f64,
    /// The everyday words found with the official terms they stand for.
    pub expanded: Vec<Expansion>,
}

/// A clause found.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Hit {
    /// Its document.
    pub document: String,
    /// The document's title.
    pub title: String,
    /// The document number.
    pub number: Option<String>,
    /// Whether the document is in force on the asked day.
    pub status: DocumentStatus,
    /// The headings that lead to the clause, and its label.
    pub path: String,
    /// The clause's ordinal.
    pub clause: usize,
    /// How well it matches; comparable within one query only.
    pub score: f32,
    /// The clause's text.
    pub text: String,
    /// The query's tokens that the clause holds.
    pub matched: Vec<String>,
}

impl Library {
    pub(super) async fn load_scopes(&self) -> Result<()> {
        let laws = Query::by(Condition::is("kind", kind_name(DocumentKind::Law)));
        let documents: Vec<DocumentRecord> = self.records.list(&DOCUMENTS, &laws).await?;
        documents.iter().for_each(|d| self.know_scope(d));
        Ok(())
    }

    pub(super) fn know_scope(&self, document: &DocumentRecord) {
        let mut shared = self.scopes.write();
        // Copied only while a question is being ranked with it.
        let scopes = Arc::make_mut(&mut shared);
        if document.kind == DocumentKind::Law {
            scopes.insert(document.id.clone(), Scope::of(&document.title));
        } else {
            scopes.remove(&document.id);
        }
    }

    /// Ranks clauses for a question: the one path that chat, test page and evaluation share.
    ///
    /// # Errors
    /// `Index`.
    pub async fn rank(&self, asked: &str, search: Search) -> Result<Ranking> {
        let (vector, without) = match self.question_vector(asked).await {
            Some(Ok(vector)) => (Some(vector), None),
            Some(Err(error)) => {
                tracing::warn!(%error, detail = error.detail, "a question is answered by its words alone");
                (None, Some(error.message))
            }
            None => (None, None),
        };
        let question = Question::new(asked, CHARACTER_WEIGHT);
        let index = self.index.clone();
        let scopes = self.scopes.read().clone();
        let learned = self.learned.read().clone();
        let ranked = tokio::task::spawn_blocking(move || {
            let dense = vector.as_ref().map(|(index, vector)| Dense {
                index: &**index,
                vector,
            });
            retrieval::rank(
                &*index,
                dense,
                &scopes,
                learned.as_deref(),
                question,
                search.filter,
                search.limit,
            )
        });
        let mut ranking = ranked.await.map_err(Error::internal)??;
        ranking.by_words_because = without;
        self.rerank(asked, &mut ranking).await;
        Ok(ranking)
    }

    /// Has the best of a ranking ordered anew by the reranker in use, if there is one. Where it fails the order stays.
    async fn rerank(&self, asked: &str, ranking: &mut Ranking) {
        let Some(reranker) = self.reranker.read().clone() else {
            return;
        };
        let mut texts = Vec::new();
        for hit in ranking.hits.iter().take(RERANKED) {
            match self.clause_text(&hit.document, hit.clause).await {
                Ok(text) => texts.push(text),
                // What can't be read is left out of the answer later; its place doesn't matter.
                Err(_) => texts.push(String::new()),
            }
        }
        let count = texts.len();
        match reranker.rerank(asked.to_owned(), texts).await {
            Ok(scores) if scores.len() == count => ranking.reorder(&scores),
            Ok(_) => tracing::warn!("a reranker gave another number of scores"),
            Err(error) => {
                tracing::warn!(%error, detail = error.detail, "what was found stays in its order");
            }
        }
    }

    /// Finds clauses, with their text.
    ///
    /// # Errors
    /// `InvalidInput`, `Index`, `Storage`.
    pub async fn search(&self, caller: &Caller, input: SearchInput) -> Result<SearchOutput> {
        let start = Instant::now();
        if input.query.chars().count() > LONGEST {
            return Err(Error::new(
                ErrorCode::QuestionTooLong,
                format!("检索词不能超过 {LONGEST} 个字，请缩短后再试。"),
            ));
        }
        let day = input.as_of.unwrap_or_else(time::today);
        let filter = filter(caller, &input, day);
        let limit = input.limit.unwrap_or(10).clamp(1, 100);
        let ranking = self.rank(&input.query, Search { filter, limit }).await?;
        let mut hits = Vec::with_capacity(ranking.hits.len());
        for hit in &ranking.hits {
            let document = self.document(&hit.document).await?;
            // The index knows when a document ends, not why.
            if input.status.is_some_and(|s| s != document.status(day)) {
                continue;
            }
            let content = self.content(&hit.document).await?;
            let Some(clause) = content.clauses.get(hit.clause as usize) else {
                continue;
            };
            // What can't be proven unchanged isn't shown.
            let Ok(text) = self.text(&document).await else {
                continue;
            };
            let text = text.at(&clause.span).unwrap_or_default().to_owned();
            let normal = lang::token::normalise(&text);
            let matched = ranking
                .question
                .terms
                .iter()
                .map(|(t, _)| t)
                .filter(|t| normal.contains(t.as_str()));
            hits.push(Hit {
                document: document.id.clone(),
                title: document.title.clone(),
                number: document.number.clone(),
                status: document.status(day),
                path: path(&clause.path, &clause.label),
                clause: hit.clause as usize,
                score: hit.score,
                matched: matched.cloned().collect(),
                text,
            });
        }
        let elapsed_ms = (start.elapsed().as_secs_f64() * 1e5).round() / 100.0;
        Ok(SearchOutput {
            hits,
            elapsed_ms,
            expanded: ranking.question.expanded,
        })
    }
}

fn filter(caller: &Caller, input: &SearchInput, day: Date) -> Filter {
    let today = day_number(day);
    let mut filter = Filter {
        space: input.space.clone(),
        hidden_spaces: caller.hidden_spaces.iter().cloned().collect(),
        region: input.region.clone(),
        kind: input.kind.map(kind_name),
        issued_from: input.issued_from.map(day_number),
        issued_until: input.issued_until.map(day_number),
        ..Filter::default()
    };
    match input.status {
        None | Some(DocumentStatus::Current) => filter.in_force = Some(today),
        Some(DocumentStatus::Upcoming) => filter.upcoming_after = Some(today),
        Some(DocumentStatus::Expired | DocumentStatus::Repealed | DocumentStatus::Amended) => {
            filter.ended_before = Some(today)
        }
        // Withdrawn documents aren't in the index.
        Some(DocumentStatus::Withdrawn) => filter.documents = vec![String::new()],
    }
    filter
}

impl Library {
    /// The rarity of tokens among all passages, see [`kernel::lexical::LexicalIndex::rarity`].
    ///
    /// # Errors
    /// `Index`.
    pub fn rarity(&self, tokens: &[String]) -> Result<Vec<f32>> {
        self.index.rarity(tokens)
    }
}
