//! Relations as a reader sees them: in both directions, across the spaces that the reader may see.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use kernel::{
    Page, Result,
    evidence::DocumentStatus,
    identity::Caller,
    page::PageRequest,
    records::{Condition, Query},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Library, adding::Draft};
use crate::record::{DOCUMENTS, DocumentRecord, Link, RelationKind, RelationRecord};

/// Documents read by one query.
const AT_ONCE: usize = 500;

/// Who says something of whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "RelationDirection")]
pub enum Direction {
    /// What the document says of others.
    #[default]
    Says,
    /// What others say of the document.
    SaidOf,
}

/// Which relations of a document.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RelatedInput {
    /// The document's id.
    pub id: String,
    /// What the document says of others (default), or what others say of it.
    #[serde(default)]
    pub direction: Direction,
    /// Only relations of this kind.
    #[serde(default)]
    pub kind: Option<RelationKind>,
    /// The day for which statuses are told (default today).
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub as_of: Option<Date>,
    /// Which page, from 1.
    #[serde(default)]
    pub page: Option<u64>,
    /// How many a page holds, at most 200.
    #[serde(default)]
    pub page_size: Option<u64>,
}

/// A relation to another document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RelatedDocument")]
pub struct Related {
    /// How the one that says it stands to the other.
    pub kind: RelationKind,
    /// The other document's id, if it is stored and the reader may see it.
    pub document: Option<String>,
    /// Its title.
    pub title: String,
    /// Its document number.
    pub number: Option<String>,
    /// Whether it is in force on the asked day, if it is stored.
    pub status: Option<DocumentStatus>,
    /// The clause in which it is said, of the document that says it.
    pub clause: Option<usize>,
    /// The article that is named, of the document that is spoken of.
    pub article: Option<String>,
}

impl Related {
    fn to(kind: RelationKind, document: &DocumentRecord, on: Date) -> Self {
        Self {
            kind,
            document: Some(document.id.clone()),
            title: document.title.clone(),
            number: document.number.clone(),
            status: Some(document.status(on)),
            clause: None,
            article: None,
        }
    }

    fn named(relation: &RelationRecord) -> Self {
        let title = relation.title.clone().or_else(|| relation.number.clone());
        Self {
            kind: relation.kind,
            document: None,
            title: title.unwrap_or_default(),
            number: relation.number.clone(),
            status: None,
            clause: None,
            article: None,
        }
    }

    pub(super) fn link(self) -> Link {
        Link {
            title: self.title,
            number: self.number,
            document: self.document,
        }
    }
}

impl Library {
    /// A page of a document's relations. Of documents in spaces that the caller may not see nothing is told: what names
    /// them stays a name, what they say is not there.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn related(
        &self,
        caller: &Caller,
        input: &RelatedInput,
        on: Date,
    ) -> Result<Page<Related>> {
        let document = self.document_for(caller, &input.id).await?;
        let mut all = match input.direction {
            Direction::Says => self.says(caller, &document, on).await?,
            Direction::SaidOf => self.said_by_others(caller, &document, on).await?,
        };
        all.retain(|r| input.kind.is_none_or(|kind| kind == r.kind));
        let page = PageRequest {
            page: input.page,
            page_size: input.page_size,
        };
        let total = all.len() as u64;
        let start = usize::try_from(page.offset()).unwrap_or(usize::MAX);
        let size = usize::try_from(page.size()).unwrap_or(usize::MAX);
        let items = all.into_iter().skip(start).take(size).collect();
        Ok(page.of(items, total))
    }

    /// What a document says of others, by kind, in the order of its clauses.
    pub(super) async fn says(
        &self,
        caller: &Caller,
        document: &DocumentRecord,
        on: Date,
    ) -> Result<Vec<Related>> {
        let draft = Draft::default();
        let mut relations: Vec<RelationRecord> = self
            .said_by(&document.id, &draft)
            .await?
            .into_values()
            .collect();
        relations.sort_by(|a, b| (a.kind, a.clause, &a.title).cmp(&(b.kind, b.clause, &b.title)));
        let mut out = Vec::with_capacity(relations.len());
        for relation in relations {
            let mut named = self.named(&relation, &draft).await?;
            named.retain(|d| d.is_found() && caller.sees(&d.space) && d.head() != document.head());
            let ended = relation.kind == RelationKind::Repeals;
            let best = named.into_iter().min_by_key(|d| {
                // Its own space first; then, of several wordings, what could be repealed, is in force, or is the latest.
                let later = ended && d.begins.is_some() && d.begins >= document.begins;
                (
                    d.space != document.space,
                    later,
                    !ended && d.status(on) != DocumentStatus::Current,
                    std::cmp::Reverse(d.begins),
                    d.id.clone(),
                )
            });
            let mut related = match &best {
                Some(best) => Related::to(relation.kind, best, on),
                None => Related::named(&relation),
            };
            related.clause = relation.clause;
            related.article = relation.article;
            out.push(related);
        }
        let superseded = self.superseded_by(document, &draft).await?;
        let earlier = superseded
            .iter()
            .map(|d| Related::to(RelationKind::Supersedes, d, on));
        out.extend(earlier);
        out.sort_by_key(|r| r.kind);
        Ok(out)
    }

    /// The wordings whose place a document takes.
    async fn superseded_by(
        &self,
        document: &DocumentRecord,
        draft: &Draft,
    ) -> Result<Vec<DocumentRecord>> {
        let mut others = self.versions_standing(document.head(), draft).await?;
        if let Some(law) = &document.law {
            others.extend(self.wordings_standing(&document.space, law, draft).await?);
        }
        let by_it = |d: &DocumentRecord| {
            d.is_found()
                && d.amended_by
                    .as_ref()
                    .is_some_and(|l| l.document.as_ref() == Some(&document.id))
        };
        Ok(others.into_values().filter(by_it).collect())
    }

    /// What others say of a document, by kind, the latest first.
    pub(super) async fn said_by_others(
        &self,
        caller: &Caller,
        document: &DocumentRecord,
        on: Date,
    ) -> Result<Vec<Related>> {
        let draft = Draft::default();
        let mut relations = self.said_of(document, &draft).await?;
        relations.retain(|r| caller.sees(&r.space));
        let from: BTreeSet<String> = relations.iter().map(|r| r.from.clone()).collect();
        let speakers = self.by_ids(from).await?;
        let mut said: Vec<(&RelationRecord, &DocumentRecord)> = relations
            .iter()
            .filter_map(|r| speakers.get(&r.from).map(|d| (r, d)))
            // A document whose earlier version said the same says it once.
            .filter(|(_, d)| {
                d.is_found()
                    && caller.sees(&d.space)
                    && d.head() != document.head()
                    && (d.version_of.is_none() || !speakers.contains_key(d.head()))
            })
            .collect();
        said.sort_by(|(a, from_a), (b, from_b)| {
            (a.kind, from_b.begins, &from_a.title, &from_a.id).cmp(&(
                b.kind,
                from_a.begins,
                &from_b.title,
                &from_b.id,
            ))
        });
        let mut out: Vec<Related> = said
            .into_iter()
            .map(|(relation, from)| Related {
                clause: relation.clause,
                article: relation.article.clone(),
                ..Related::to(relation.kind, from, on)
            })
            .collect();
        if let Some(next) = document
            .amended_by
            .as_ref()
            .and_then(|l| l.document.as_ref())
            && let Some(next) = self.standing(next, &draft).await?
        {
            out.push(Related::to(RelationKind::Supersedes, &next, on));
            out.sort_by_key(|r| r.kind);
        }
        Ok(out)
    }

    async fn by_ids(&self, ids: BTreeSet<String>) -> Result<BTreeMap<String, DocumentRecord>> {
        let ids: Vec<String> = ids.into_iter().collect();
        let mut out = BTreeMap::new();
        for some in ids.chunks(AT_ONCE) {
            let some = some.iter().map(|id| id.as_str().into()).collect();
            let query = Query::by(Condition::In("id".into(), some));
            let found: Vec<DocumentRecord> = self.records.list(&DOCUMENTS, &query).await?;
            out.extend(found.into_iter().map(|d| (d.id.clone(), d)));
        }
        Ok(out)
    }
}
