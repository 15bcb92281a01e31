//! The versions of a document: kept, listed, compared and brought back.
//!
//! What stands under a path keeps its id; each earlier version is a document of its own beside it. One that was in force
//! on days before the next one begins stays in the index for those days; one that a correction took the place of is
//! kept only to be read.

use std::collections::BTreeMap;

use jiff::civil::Date;
use kernel::{Error, ErrorCode, Result, id::derived, identity::Caller};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Incoming, Library, Outcome,
    adding::{Draft, Expected, Given},
    pictures::Beside,
    validity::are_wordings,
};
use crate::{
    compare::{self, Changes, Fate, Pair, Wording},
    record::{CONTENTS, ContentRecord, DocumentRecord},
    view::VersionSummary,
};

/// Names a document as of a day.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionsInput {
    /// Its id, or that of one of its versions.
    pub id: String,
    /// The day for which statuses are told (default today).
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub as_of: Option<Date>,
}

/// The versions of a document.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DocumentVersions")]
pub struct Versions {
    /// What has stood under its path, the latest first.
    pub versions: Vec<VersionSummary>,
    /// Other wordings of the same law, that stand under other paths, the latest first.
    pub wordings: Vec<VersionSummary>,
}

/// Two versions to compare.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompareInput {
    /// The later one's id.
    pub id: String,
    /// The earlier one's id; two documents that are no versions of one another can be compared as well.
    pub old: String,
    /// Only clauses that differ.
    #[serde(default)]
    pub only_differences: bool,
}

/// Two versions, clause by clause.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DocumentComparison")]
pub struct Comparison {
    /// The earlier one.
    pub old: VersionSummary,
    /// The later one.
    pub new: VersionSummary,
    /// How many clauses became what.
    pub changes: Changes,
    /// The clauses of both, in the order of the later one.
    pub clauses: Vec<Pair>,
}

/// Names a version of a document.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreVersionInput {
    /// The document's id.
    pub id: String,
    /// The id of the version that is to stand again.
    pub version: String,
}

impl Library {
    /// Keeps a document as it stands before a new version takes its id. What it said of others goes on to hold from its
    /// day on, unless it turns out to be replaced.
    pub(super) async fn keep(&self, known: &DocumentRecord, draft: &mut Draft) -> Result<()> {
        let id = derived(&[&known.id, "version", &known.version.to_string()]);
        let content = self.content_standing(&known.id, draft).await?;
        let mut kept = known.clone();
        kept.id.clone_from(&id);
        kept.version_of = Some(known.id.clone());
        self.relate_like(&known.id, &id, draft).await?;
        draft.touched.document(&kept);
        draft.contents.insert(id.clone(), content);
        draft.documents.insert(id, kept);
        Ok(())
    }

    pub(super) async fn content_standing(&self, id: &str, draft: &Draft) -> Result<ContentRecord> {
        match draft.contents.get(id) {
            Some(content) => Ok(content.clone()),
            None => self
                .records
                .read(&CONTENTS, id)
                .await?
                .ok_or_else(|| Error::not_found("这份文件的正文")),
        }
    }

    /// How many clauses of a document differ from a new version of it; nothing where its stored text can't be read.
    pub(super) async fn changes(
        &self,
        known: &DocumentRecord,
        content: &ContentRecord,
        text: &str,
        draft: &Draft,
    ) -> Result<Option<Changes>> {
        let old = self.content_standing(&known.id, draft).await?;
        let Ok(old_text) = self.text(known).await else {
            return Ok(None);
        };
        Ok(Some(compare::count(
            Wording::new(&old, old_text.as_str()),
            Wording::new(content, text),
        )))
    }

    /// What a person should know of a new version's days.
    pub(super) async fn doubts(
        &self,
        known: Option<&DocumentRecord>,
        new: &DocumentRecord,
        draft: &Draft,
    ) -> Result<Vec<String>> {
        let mut out = Vec::new();
        let days = known.and_then(|k| k.begins).zip(new.begins);
        if let Some((before, now)) = days.filter(|(before, now)| now < before) {
            out.push(format!(
                "新文件自{now}起算，早于原有版本的{before}，已按更正处理：原有版本只留作历史。如要同时保留两个时期的文本，请用不同的文件名导入。"
            ));
        }
        let Some(law) = &new.law else { return Ok(out) };
        for other in self
            .wordings_standing(&new.space, law, draft)
            .await?
            .into_values()
            .filter(|o| o.head() != new.head() && o.is_found() && are_wordings(new, o))
        {
            if new.begins.is_some() != other.begins.is_some() {
                out.push(format!(
                    "与《{}》（{}）是同一文件的不同文本，但其中一份没有写明日期，无法判断先后。请在“文件信息”里补充施行日期。",
                    other.title, other.path
                ));
            }
        }
        Ok(out)
    }

    /// A document's versions, and other wordings of the same law. What lies in a space that the caller may not see is
    /// not there.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn versions(&self, caller: &Caller, id: &str, on: Date) -> Result<Versions> {
        let document = self.document_for(caller, id).await?;
        let draft = Draft::default();
        let sorted = |found: BTreeMap<String, DocumentRecord>| {
            let mut found: Vec<DocumentRecord> = found.into_values().collect();
            found.sort_by(|a, b| (b.begins, b.version, &b.id).cmp(&(a.begins, a.version, &a.id)));
            found
        };
        let mut versions = sorted(self.versions_standing(document.head(), &draft).await?);
        versions.sort_by_key(|d| std::cmp::Reverse(d.version));
        let wordings = match &document.law {
            Some(law) => sorted(self.wordings_standing(&document.space, law, &draft).await?),
            None => Vec::new(),
        };
        let summary = |d: &DocumentRecord| VersionSummary::of(d, on);
        Ok(Versions {
            versions: versions.iter().map(summary).collect(),
            wordings: wordings
                .iter()
                .filter(|o| {
                    o.head() != document.head() && !o.replaced && are_wordings(&document, o)
                })
                .map(summary)
                .collect(),
        })
    }

    /// Compares two versions, clause by clause.
    ///
    /// # Errors
    /// `NotFound`, `SourceChanged` if the text of one can't be proven unchanged, `Storage`.
    pub async fn compare(
        &self,
        caller: &Caller,
        input: &CompareInput,
        on: Date,
    ) -> Result<Comparison> {
        let old = self.document_for(caller, &input.old).await?;
        let new = self.document_for(caller, &input.id).await?;
        let (old_content, new_content) =
            (self.content(&old.id).await?, self.content(&new.id).await?);
        let (old_text, new_text) = (self.text(&old).await?, self.text(&new).await?);
        // A law of a thousand articles is no work for the thread that serves others.
        let compared = tokio::task::spawn_blocking(move || {
            let old = Wording::new(&old_content, old_text.as_str());
            let new = Wording::new(&new_content, new_text.as_str());
            (compare::count(old, new), compare::compare(old, new))
        });
        let (changes, mut clauses) = compared.await.map_err(Error::internal)?;
        if input.only_differences {
            clauses.retain(|pair| pair.fate != Fate::Same);
        }
        Ok(Comparison {
            old: VersionSummary::of(&old, on),
            new: VersionSummary::of(&new, on),
            changes,
            clauses,
        })
    }

    /// Brings an earlier version back: its file is imported again, as the latest version.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` for a version of another document or the one that stands; `SourceChanged`, `Storage`,
    /// `StorageFull`, `Index`.
    pub async fn restore_version(&self, id: &str, version: &str) -> Result<Outcome> {
        let head = self.document(id).await?;
        let version = self.document(version).await?;
        if version.version_of.as_deref() != Some(head.id.as_str()) {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                format!(
                    "要恢复的不是《{}》的历史版本。请在“版本”列表里选择一个历史版本。",
                    head.title
                ),
            ));
        }
        let file = Incoming {
            space: head.space.clone(),
            path: head.path.clone(),
            bytes: self.original(&version).await?,
            title: Some(version.extracted().title),
        };
        let content = self.content(&version.id).await?;
        let given = Given {
            file,
            form: content.form,
            pictures: Some(content.pictures),
            expected: Expected::Revision(head.revision),
        };
        let mut outcomes = self
            .take_in(vec![given], &Beside::new(), &mut |_| Ok(Vec::new()))
            .await?;
        outcomes
            .pop()
            .unwrap_or_else(|| Err(Error::internal("nothing came of the version")))
    }
}
