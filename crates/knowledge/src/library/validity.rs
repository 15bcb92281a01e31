//! From when until when documents are in force beside one another: a later wording supersedes the earlier, one that is
//! repealed ends.
//!
//! What holds of a document follows from what others say and when they begin, never from the order in which they came:
//! whenever a document changes, those around it are settled anew.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{
    Result,
    records::{Condition, Query},
};

use super::{Library, adding::Draft};
use crate::{
    record::{DOCUMENTS, DocumentRecord, RelationKind, RelationRecord},
    titles::same_issuer,
};

/// What a batch has touched: whatever may hold otherwise after it.
#[derive(Default)]
pub(super) struct Touched {
    documents: BTreeSet<String>,
    /// Documents whose versions may hold otherwise.
    heads: BTreeSet<String>,
    /// Laws whose wordings may hold otherwise, with their space.
    laws: BTreeSet<(String, String)>,
    /// Whatever these speak of.
    said: Vec<RelationRecord>,
}

impl Touched {
    /// A document was or is like this.
    pub(super) fn document(&mut self, document: &DocumentRecord) {
        self.documents.insert(document.id.clone());
        self.heads.insert(document.head().to_owned());
        if let Some(law) = &document.law {
            self.laws.insert((document.space.clone(), law.clone()));
        }
    }

    /// A document said or says this. Only what ends others tells when they are in force.
    pub(super) fn said(&mut self, relation: RelationRecord) {
        if relation.kind == RelationKind::Repeals {
            self.said.push(relation);
        }
    }
}

impl Library {
    /// A document as the batch leaves it.
    pub(super) async fn standing(&self, id: &str, draft: &Draft) -> Result<Option<DocumentRecord>> {
        match draft.documents.get(id) {
            Some(document) => Ok(Some(document.clone())),
            None => self.records.read(&DOCUMENTS, id).await,
        }
    }

    /// The documents of which `holds`, as the batch leaves them. `by` is a condition that they meet, on an indexed field
    /// with few documents to a value: with several conditions the store may choose the worse index.
    pub(super) async fn all_standing(
        &self,
        by: Condition,
        draft: &Draft,
        holds: impl Fn(&DocumentRecord) -> bool,
    ) -> Result<BTreeMap<String, DocumentRecord>> {
        let stored: Vec<DocumentRecord> = self.records.list(&DOCUMENTS, &Query::by(by)).await?;
        let unchanged = stored
            .into_iter()
            .filter(|d| !draft.documents.contains_key(&d.id));
        let changed = draft.documents.values().cloned();
        Ok(unchanged
            .chain(changed)
            .filter(|d| holds(d))
            .map(|d| (d.id.clone(), d))
            .collect())
    }

    /// A document with all its versions.
    pub(super) async fn versions_standing(
        &self,
        head: &str,
        draft: &Draft,
    ) -> Result<BTreeMap<String, DocumentRecord>> {
        let of = Condition::is("version_of", head);
        let mut all = self
            .all_standing(of, draft, |d| d.version_of.as_deref() == Some(head))
            .await?;
        let last = self.standing(head, draft).await?;
        all.extend(last.map(|d| (d.id.clone(), d)));
        Ok(all)
    }

    /// The wordings of a law in a space.
    pub(super) async fn wordings_standing(
        &self,
        space: &str,
        law: &str,
        draft: &Draft,
    ) -> Result<BTreeMap<String, DocumentRecord>> {
        let of = Condition::is("law", law);
        self.all_standing(of, draft, |d| {
            d.space == space && d.law.as_deref() == Some(law)
        })
        .await
    }

    /// Works out what holds of all that the batch has touched.
    pub(super) async fn settle_touched(&self, draft: &mut Draft) -> Result<()> {
        self.settle_versions(draft).await?;
        let touched = std::mem::take(&mut draft.touched);
        let mut around: BTreeMap<String, DocumentRecord> = BTreeMap::new();
        for id in &touched.documents {
            around.extend(self.standing(id, draft).await?.map(|d| (id.clone(), d)));
        }
        for head in &touched.heads {
            around.extend(self.versions_standing(head, draft).await?);
        }
        for (space, law) in &touched.laws {
            around.extend(self.wordings_standing(space, law, draft).await?);
        }
        for relation in &touched.said {
            let named = self.named(relation, draft).await?;
            around.extend(named.into_iter().map(|d| (d.id.clone(), d)));
        }
        for (id, document) in around {
            let mut settled = document.clone();
            self.settle(&mut settled, draft).await?;
            if settled != document {
                draft.documents.insert(id, settled);
            }
        }
        Ok(())
    }

    /// Works out which versions a later one has replaced. From its first day on a version is the truth: what began before
    /// is in force until then, what did not was wrong.
    async fn settle_versions(&self, draft: &mut Draft) -> Result<()> {
        for head in draft.touched.heads.clone() {
            let versions = self.versions_standing(&head, draft).await?;
            for version in versions.values() {
                let before = |later: &DocumentRecord| match (version.begins, later.begins) {
                    (_, None) => false,
                    (None, Some(_)) => true,
                    (Some(this), Some(that)) => this < that,
                };
                let replaced = versions
                    .values()
                    .any(|later| later.version > version.version && !before(later));
                if replaced != version.replaced {
                    let mut version = version.clone();
                    version.replaced = replaced;
                    self.touch_said(&version.id, draft).await?;
                    draft.touched.document(&version);
                    draft.documents.insert(version.id.clone(), version);
                }
            }
        }
        Ok(())
    }

    /// Works out which documents end or supersede this one, and from when.
    async fn settle(&self, document: &mut DocumentRecord, draft: &Draft) -> Result<()> {
        let later = self.later_wordings(document, draft).await?;
        let next = later.iter().min_by_key(|d| {
            // Where two begin on a day, the one that stands last under its path, then by id.
            (d.begins, d.version_of.is_some(), &d.id)
        });
        document.amended_on = next.and_then(|d| d.begins);
        document.amended_by = next.map(DocumentRecord::link);
        document.repealed_on = None;
        document.repealed_by.clear();
        for (relation, ender) in self.enders(document, draft).await? {
            let on = relation.on;
            // A document can't end what begins with it or after it: that is another wording of what it ends.
            let before = document.begins.is_none() || on.is_none() || document.begins < on;
            if !before {
                continue;
            }
            document.repealed_on = [document.repealed_on, on].into_iter().flatten().min();
            let link = ender.link();
            if !document.repealed_by.contains(&link) {
                document.repealed_by.push(link);
            }
        }
        // What came first ended it; on the same day the text that says so tells more than the wording that follows.
        match (document.amended_on, document.repealed_on) {
            (Some(amended), Some(repealed)) if amended < repealed => document.repealed_on = None,
            (Some(_), Some(_)) => document.amended_on = None,
            _ => {}
        }
        Ok(())
    }

    /// The wordings of the same document that begin after it.
    async fn later_wordings(
        &self,
        document: &DocumentRecord,
        draft: &Draft,
    ) -> Result<Vec<DocumentRecord>> {
        let mut others = self.versions_standing(document.head(), draft).await?;
        if let Some(law) = &document.law {
            others.extend(self.wordings_standing(&document.space, law, draft).await?);
        }
        let later = |other: &DocumentRecord| match (document.begins, other.begins) {
            (_, None) => false,
            // Under another path nothing tells which of the two is the later one.
            (None, Some(_)) => document.head() == other.head() && other.version > document.version,
            (Some(this), Some(that)) => this < that,
        };
        Ok(others
            .into_values()
            .filter(|o| o.id != document.id && o.is_found())
            .filter(|o| are_wordings(document, o) && later(o))
            .collect())
    }

    /// The documents that say that they end this one, with what they say.
    async fn enders(
        &self,
        document: &DocumentRecord,
        draft: &Draft,
    ) -> Result<Vec<(RelationRecord, DocumentRecord)>> {
        let mut out = Vec::new();
        for relation in self.said_of(document, draft).await? {
            if relation.kind != RelationKind::Repeals || relation.space != document.space {
                continue;
            }
            let ender = self.standing(&relation.from, draft).await?;
            out.extend(
                ender
                    .filter(DocumentRecord::is_found)
                    .map(|e| (relation, e)),
            );
        }
        Ok(out)
    }
}

/// Whether two documents are wordings of the same one: versions under one path, or one law in one space by one issuer.
pub(super) fn are_wordings(one: &DocumentRecord, other: &DocumentRecord) -> bool {
    if one.head() == other.head() {
        return true;
    }
    if one.space != other.space || one.law.is_none() || one.law != other.law {
        return false;
    }
    let issuers = one.issuer.as_ref().zip(other.issuer.as_ref());
    let regions = one.region.as_ref().zip(other.region.as_ref());
    let issued_alike = issuers.map(|(a, b)| same_issuer(a, b));
    let placed_alike = regions.map(|(a, b)| a == b);
    if issued_alike == Some(false) || placed_alike == Some(false) {
        return false;
    }
    // The name of a law is its own; of a by-law there may be one in every city and office, so that something has to speak
    // for it being the same.
    let laws = [one, other]
        .iter()
        .all(|d| d.kind == documents::DocumentKind::Law);
    laws || issued_alike == Some(true) || placed_alike == Some(true)
}
