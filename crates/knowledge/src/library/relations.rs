//! What documents say of one another: so far, which one repeals which.

use kernel::{
    Error, Result,
    id::derived,
    records::{Condition, Query},
};

use super::{Library, adding::Draft};
use crate::{
    record::{ContentRecord, DocumentRecord, RELATIONS, RelationRecord},
    titles,
};

impl Library {
    /// Takes down what a document says of others, in place of what it said before.
    pub(super) async fn relate(
        &self,
        document: &DocumentRecord,
        content: &ContentRecord,
        draft: &mut Draft,
    ) -> Result<()> {
        self.unrelate(&document.id, draft).await?;
        let on = document.effective_from.or(document.issued);
        for reference in &content.repeals {
            let relation = RelationRecord {
                from: document.id.clone(),
                space: document.space.clone(),
                title: reference.title.clone(),
                name: reference.title.as_deref().map(titles::name),
                number: reference.number.clone(),
                on,
            };
            let named = |part: &Option<String>| part.clone().unwrap_or_default();
            let id = derived(&[
                &document.id,
                &named(&relation.title),
                &named(&relation.number),
            ]);
            draft.touched.said(relation.clone());
            draft.relations.insert(id, Some(relation));
        }
        Ok(())
    }

    /// Takes back what a document said of others.
    pub(super) async fn unrelate(&self, id: &str, draft: &mut Draft) -> Result<()> {
        let said = Query::by(Condition::is("from", id));
        for record in self.records.find(&RELATIONS, &said).await? {
            draft
                .touched
                .said(serde_json::from_value(record.body).map_err(Error::internal)?);
            draft.relations.insert(record.id, None);
        }
        for relation in draft.relations.values_mut() {
            if let Some(said) = relation.take_if(|r| r.from == id) {
                draft.touched.said(said);
            }
        }
        Ok(())
    }

    /// Has all that a document speaks of settled anew, after it was withdrawn or restored.
    pub(super) async fn touch_said(&self, id: &str, draft: &mut Draft) -> Result<()> {
        let said = Query::by(Condition::is("from", id));
        for relation in self.records.list(&RELATIONS, &said).await? {
            draft.touched.said(relation);
        }
        Ok(())
    }

    /// The documents that a relation names, as the batch leaves them.
    pub(super) async fn named(
        &self,
        relation: &RelationRecord,
        draft: &Draft,
    ) -> Result<Vec<DocumentRecord>> {
        // A number names one document; a title may be shared by versions, so it counts only without a number.
        let condition = match (&relation.number, &relation.name) {
            (Some(number), _) => Condition::is("number", number.as_str()),
            (None, Some(name)) => Condition::is("name", name.as_str()),
            (None, None) => return Ok(Vec::new()),
        };
        let all = vec![Condition::is("space", relation.space.as_str()), condition];
        let found = self
            .all_standing(all, draft, |d| {
                d.space == relation.space && relation.names(d)
            })
            .await?;
        Ok(found.into_values().collect())
    }
}

impl RelationRecord {
    /// Whether it speaks of this document.
    pub(super) fn names(&self, document: &DocumentRecord) -> bool {
        match (&self.number, &self.name) {
            (Some(number), _) => document.number.as_ref() == Some(number),
            (None, Some(name)) => document.name == *name,
            (None, None) => false,
        }
    }
}
