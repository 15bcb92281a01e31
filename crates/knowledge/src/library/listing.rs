//! Documents listed, counted and read.

use jiff::civil::Date;
use kernel::{
    Error, ErrorCode, Page, Result,
    evidence::DocumentStatus,
    identity::Caller,
    page::PageRequest,
    records::{Condition, Query, Sort},
    time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Library, Related};
use crate::{
    facts::Edits,
    record::{DOCUMENTS, DocumentRecord, RelationKind, listed, with_status},
    view::{DocumentDetail, DocumentSummary, NoteText, OutlineEntry, body, pictures},
};

/// The fields that a list can be sorted by.
const SORTABLE: [&str; 5] = [
    "imported_at",
    "title",
    "issued",
    "effective_from",
    "characters",
];

/// Which documents to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListInput {
    /// Words that title, number or issuer contain.
    #[serde(default)]
    pub q: Option<String>,
    /// Only this knowledge space.
    #[serde(default)]
    pub space: Option<String>,
    /// Only this region.
    #[serde(default)]
    pub region: Option<String>,
    /// Only this status today.
    #[serde(default)]
    pub status: Option<DocumentStatus>,
    /// Only this kind.
    #[serde(default)]
    pub kind: Option<documents::DocumentKind>,
    /// By what to sort: imported_at (default), title, issued, effective_from or characters.
    #[serde(default)]
    pub sort: Option<String>,
    /// `asc` or `desc` (default).
    #[serde(default)]
    pub order: Option<String>,
    /// Which page, from 1.
    #[serde(default)]
    pub page: Option<u64>,
    /// How many a page holds, at most 200.
    #[serde(default)]
    pub page_size: Option<u64>,
}

/// A value with the number of documents that have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Facet {
    /// The value.
    pub value: String,
    /// How many documents have it.
    pub count: u64,
}

/// What documents can be filtered by.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Facets {
    /// Knowledge spaces.
    pub spaces: Vec<Facet>,
    /// Regions.
    pub regions: Vec<Facet>,
    /// Statuses today.
    pub statuses: Vec<Facet>,
    /// Kinds.
    pub kinds: Vec<Facet>,
}

/// Only what lies in spaces that the caller may see.
fn seen_by(caller: &Caller) -> Option<Condition> {
    let hidden = &caller.hidden_spaces;
    (!hidden.is_empty()).then(|| {
        let hidden = hidden.iter().map(|s| Value::from(s.as_str()));
        Condition::Not(Box::new(Condition::In("space".into(), hidden.collect())))
    })
}

impl Library {
    /// A page of documents. Withdrawn ones are listed only when asked for.
    ///
    /// # Errors
    /// `InvalidInput`, `Storage`.
    pub async fn list(&self, caller: &Caller, input: &ListInput) -> Result<Page<DocumentSummary>> {
        let today = time::today();
        let mut all = match input.status {
            Some(status) => with_status(status, today),
            None => vec![Condition::is("withdrawn", false)],
        };
        all.push(listed(today));
        all.extend(seen_by(caller));
        if let Some(q) = input.q.as_deref().map(str::trim).filter(|q| !q.is_empty()) {
            for word in q.split_whitespace().take(8) {
                all.push(Condition::Any(
                    ["title", "number", "issuer"]
                        .map(|f| Condition::contains(f, word))
                        .to_vec(),
                ));
            }
        }
        let equal = [("space", &input.space), ("region", &input.region)];
        all.extend(
            equal
                .into_iter()
                .filter_map(|(field, v)| v.as_ref().map(|v| Condition::is(field, v.as_str()))),
        );
        if let Some(kind) = input.kind {
            all.push(Condition::is("kind", crate::record::kind_name(kind)));
        }
        let field = input.sort.as_deref().unwrap_or("imported_at");
        if !SORTABLE.contains(&field) {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                format!("不能按“{field}”排序，可用：{}。", SORTABLE.join("、")),
            ));
        }
        let sort = Sort {
            field: field.to_owned(),
            descending: input.order.as_deref() != Some("asc"),
        };
        let page = PageRequest {
            page: input.page,
            page_size: input.page_size,
        };
        let total = self.records.count(&DOCUMENTS, &all).await?;
        let query = Query {
            all,
            sort: Some(sort),
            offset: page.offset(),
            limit: page.size(),
        };
        let found: Vec<DocumentRecord> = self.records.list(&DOCUMENTS, &query).await?;
        Ok(page.of(
            found
                .iter()
                .map(|d| DocumentSummary::of(d, today))
                .collect(),
            total,
        ))
    }

    /// What documents can be filtered by, with counts.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn facets(&self, caller: &Caller) -> Result<Facets> {
        let today = time::today();
        let mut standing = vec![Condition::is("withdrawn", false), listed(today)];
        standing.extend(seen_by(caller));
        let mut by_field = Vec::new();
        for field in ["space", "region", "kind"] {
            let counts = self.records.count_by(&DOCUMENTS, field, &standing).await?;
            let named = counts.into_iter().filter_map(|(v, count)| match v {
                Value::String(value) => Some(Facet { value, count }),
                _ => None,
            });
            by_field.push(named.collect::<Vec<_>>());
        }
        let mut statuses = Vec::new();
        for status in [
            DocumentStatus::Current,
            DocumentStatus::Upcoming,
            DocumentStatus::Amended,
            DocumentStatus::Expired,
            DocumentStatus::Repealed,
            DocumentStatus::Withdrawn,
        ] {
            let mut all = with_status(status, today);
            all.push(listed(today));
            all.extend(seen_by(caller));
            let count = self.records.count(&DOCUMENTS, &all).await?;
            let value = serde_json::to_value(status).map_err(Error::internal)?;
            if let (Some(value), true) = (value.as_str(), count > 0) {
                statuses.push(Facet {
                    value: value.to_owned(),
                    count,
                });
            }
        }
        let [spaces, regions, kinds] = <[Vec<Facet>; 3]>::try_from(by_field).unwrap_or_default();
        Ok(Facets {
            spaces,
            regions,
            statuses,
            kinds,
        })
    }

    /// How many documents stand; earlier versions are not counted.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn count(&self) -> Result<u64> {
        self.records
            .count(
                &DOCUMENTS,
                &[
                    Condition::is("withdrawn", false),
                    Condition::is("version_of", Value::Null),
                ],
            )
            .await
    }

    /// A whole document as of a day. What lies in a space that the caller may not see is not there.
    ///
    /// # Errors
    /// `NotFound`, `SourceChanged`, `Storage`.
    pub async fn detail(&self, caller: &Caller, id: &str, on: Date) -> Result<DocumentDetail> {
        let document = self.document_for(caller, id).await?;
        let content = self.content(id).await?;
        let text = self.text(&document).await?;
        let outline = content.outline.iter().map(|h| OutlineEntry {
            title: h.title.clone(),
            level: h.level,
            clause: h.clause,
        });
        let notes = content.notes.iter().map(|n| NoteText {
            clause: n.clause,
            message: n.message.clone(),
        });
        // Who corrected it is no matter of the public.
        let staff = caller
            .account
            .as_ref()
            .is_some_and(|a| a.roles.iter().any(|r| r.is_staff()));
        let page = PageRequest::default();
        let first = |all: Vec<Related>| {
            let total = all.len() as u64;
            let size = usize::try_from(page.size()).unwrap_or(usize::MAX);
            page.of(all.into_iter().take(size).collect(), total)
        };
        let says = self.says(caller, &document, on).await?;
        let repeals = says.iter().filter(|r| r.kind == RelationKind::Repeals);
        Ok(DocumentDetail {
            summary: DocumentSummary::of(&document, on),
            source: document.source.clone(),
            revision: document.revision,
            edits: if staff {
                document.edits.clone()
            } else {
                Edits::new()
            },
            log: if staff {
                document.log.clone()
            } else {
                Vec::new()
            },
            repeals: repeals.cloned().map(Related::link).collect(),
            says: first(says),
            said_of: first(self.said_by_others(caller, &document, on).await?),
            repealed_by: document.repealed_by.clone(),
            amended_by: document.amended_by.clone(),
            outline: outline.collect(),
            body: body(&content, text.as_str()),
            pictures: pictures(&document.id, &content, text.as_str()),
            notes: notes.collect(),
        })
    }
}
