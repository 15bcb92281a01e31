//! Confirmed pairs as they are kept.

use kernel::{
    Error, ErrorCode, Page, Result,
    id::fresh,
    identity::Caller,
    page::PageRequest,
    records::{Condition, Query, Sort},
    time,
};
use knowledge::view::path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Learning, PAIRS};

/// The longest question, in characters.
const LONGEST: usize = 500;

/// Where a confirmation came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Citizens' feedback that somebody looked at.
    Feedback,
    /// Somebody who knows.
    #[default]
    Expert,
    /// Brought from elsewhere.
    Import,
}

/// A question and a clause that answers it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PairRecord {
    /// Its id.
    pub id: String,
    /// The question, as asked.
    pub question: String,
    /// The document's id.
    pub document: String,
    /// Its title when this was confirmed.
    pub title: String,
    /// Where the clause stands in it.
    pub path: String,
    /// The clause's ordinal when this was confirmed.
    pub clause: usize,
    /// The clause's text when this was confirmed: by it the clause is found again.
    pub text: String,
    /// Where the confirmation came from.
    pub source: Source,
    /// Who confirmed.
    pub confirmed_by: String,
    /// When.
    pub confirmed_at: String,
    /// It no longer counts.
    pub withdrawn: bool,
}

/// A pair to be confirmed.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmInput {
    /// The question, as asked.
    pub question: String,
    /// The document's id.
    pub document: String,
    /// The clause's ordinal.
    pub clause: usize,
    /// Where the confirmation comes from (default `expert`).
    #[serde(default)]
    pub source: Source,
}

impl Learning {
    /// Confirms that a clause answers a question. What is confirmed already stays as it is.
    ///
    /// # Errors
    /// `InvalidInput`, `NotFound`, `SourceChanged`, `Storage`, `StorageFull`.
    pub async fn confirm(&self, caller: &Caller, input: ConfirmInput) -> Result<PairRecord> {
        let question = input.question.trim().to_owned();
        if question.is_empty() || question.chars().count() > LONGEST {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                format!("问题须有 1 到 {LONGEST} 个字。"),
            ));
        }
        let document = self.library.document_for(caller, &input.document).await?;
        let content = self.library.content(&document.id).await?;
        let clause = content
            .clauses
            .get(input.clause)
            .ok_or_else(|| Error::not_found("这个条款"))?;
        let text = self.library.text(&document).await?;
        let text = text.at(&clause.span).unwrap_or_default().to_owned();
        let same = Query {
            all: vec![
                Condition::is("document", document.id.as_str()),
                Condition::is("withdrawn", false),
                Condition::is("question", question.as_str()),
            ],
            ..Query::default()
        };
        let known: Vec<PairRecord> = self.records.list(&PAIRS, &same).await?;
        if let Some(known) = known.into_iter().find(|p| p.text == text) {
            return Ok(known);
        }
        let pair = PairRecord {
            id: fresh(),
            question,
            title: document.title.clone(),
            path: path(&clause.path, &clause.label),
            document: document.id,
            clause: input.clause,
            text,
            source: input.source,
            confirmed_by: caller.owner().to_owned(),
            confirmed_at: time::now(),
            withdrawn: false,
        };
        self.records.save(&PAIRS, &pair.id, &pair).await?;
        Ok(pair)
    }

    /// Takes a confirmation back; what was learned from it goes with the next training.
    ///
    /// # Errors
    /// `NotFound`, `Storage`, `StorageFull`.
    pub async fn withdraw(&self, id: &str) -> Result<PairRecord> {
        let found = self.records.read(&PAIRS, id).await?;
        let mut pair: PairRecord = found.ok_or_else(|| Error::not_found("这条确认"))?;
        pair.withdrawn = true;
        self.records.save(&PAIRS, id, &pair).await?;
        Ok(pair)
    }

    /// Pairs, newest first.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn pairs(&self, withdrawn: bool, page: PageRequest) -> Result<Page<PairRecord>> {
        let all = vec![Condition::is("withdrawn", withdrawn)];
        let total = self.records.count(&PAIRS, &all).await?;
        let query = Query {
            all,
            sort: Some(Sort {
                field: "confirmed_at".into(),
                descending: true,
            }),
            offset: page.offset(),
            limit: page.size(),
        };
        Ok(page.of(self.records.list(&PAIRS, &query).await?, total))
    }

    /// The ordinal that a confirmed clause has now: found by its text where the document was taken apart anew.
    pub(super) async fn clause_now(&self, pair: &PairRecord) -> Option<u32> {
        let document = self.library.document(&pair.document).await.ok()?;
        let content = self.library.content(&pair.document).await.ok()?;
        let text = self.library.text(&document).await.ok()?;
        let is_it = |at: usize| {
            let clause = content.clauses.get(at);
            clause.and_then(|c| text.at(&c.span)) == Some(pair.text.as_str())
        };
        let at = if is_it(pair.clause) {
            pair.clause
        } else {
            (0..content.clauses.len()).find(|at| is_it(*at))?
        };
        u32::try_from(at).ok()
    }
}
