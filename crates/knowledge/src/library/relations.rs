//! What documents say of one another: so far, which one repeals which.

use std::collections::BTreeMap;

use kernel::{
    Error, Result,
    id::derived,
    records::{Condition, Query},
};

use super::{Library, adding::Draft};
use crate::record::{ContentRecord, DOCUMENTS, DocumentRecord, RELATIONS, RelationRecord};

impl Library {
    /// Takes down what a document says of others, in place of what it said before, and settles those it is about.
    pub(super) async fn relate(
        &self,
        document: &DocumentRecord,
        content: &ContentRecord,
        draft: &mut Draft,
    ) -> Result<()> {
        let mut about = Vec::new();
        for record in self
            .records
            .find(
                &RELATIONS,
                &Query::by(Condition::is("from", document.id.as_str())),
            )
            .await?
        {
            about.push(serde_json::from_value(record.body).map_err(Error::internal)?);
            draft.relations.insert(record.id, None);
        }
        let on = document.effective_from.or(document.issued);
        for reference in &content.repeals {
            let relation = RelationRecord {
                from: document.id.clone(),
                space: document.space.clone(),
                title: reference.title.clone(),
                number: reference.number.clone(),
                on,
            };
            let named = |part: &Option<String>| part.clone().unwrap_or_default();
            let id = derived(&[
                &document.id,
                &named(&relation.title),
                &named(&relation.number),
            ]);
            draft.relations.insert(id, Some(relation.clone()));
            about.push(relation);
        }
        // So that those it is about find it, as it will be.
        draft
            .documents
            .insert(document.id.clone(), document.clone());
        self.settle_all(&about, &document.id, draft).await
    }

    /// Works out anew which documents end those that a document speaks of, after it was withdrawn or restored.
    pub(super) async fn settle_about(&self, id: &str, draft: &mut Draft) -> Result<()> {
        let about: Vec<RelationRecord> = self
            .records
            .list(&RELATIONS, &Query::by(Condition::is("from", id)))
            .await?;
        self.settle_all(&about, id, draft).await
    }

    async fn settle_all(
        &self,
        about: &[RelationRecord],
        by: &str,
        draft: &mut Draft,
    ) -> Result<()> {
        for relation in about {
            for mut other in self.named(relation, draft).await? {
                if other.id != by {
                    self.settle(&mut other, draft).await?;
                    draft.documents.insert(other.id.clone(), other);
                }
            }
        }
        Ok(())
    }

    /// Works out which documents end this one, and from when.
    pub(super) async fn settle(&self, document: &mut DocumentRecord, draft: &Draft) -> Result<()> {
        let by_number = document
            .number
            .as_ref()
            .map(|n| Condition::is("number", n.as_str()));
        let by_name = [
            Some(Condition::is("title", document.title.as_str())),
            by_number,
        ];
        let query = Query {
            all: vec![
                Condition::is("space", document.space.as_str()),
                Condition::Any(by_name.into_iter().flatten().collect()),
            ],
            ..Query::default()
        };
        let mut relations: BTreeMap<String, RelationRecord> = BTreeMap::new();
        for record in self.records.find(&RELATIONS, &query).await? {
            let relation = serde_json::from_value(record.body).map_err(Error::internal)?;
            relations.insert(record.id, relation);
        }
        for (id, relation) in &draft.relations {
            match relation {
                Some(relation) => drop(relations.insert(id.clone(), relation.clone())),
                None => drop(relations.remove(id)),
            }
        }
        document.repealed_by.clear();
        document.repealed_on = None;
        let names_it = |r: &&RelationRecord| r.from != document.id && r.space == document.space;
        let mut ends = Vec::new();
        for relation in relations
            .values()
            .filter(names_it)
            .filter(|r| names(r, document))
        {
            let ender = match draft.documents.get(&relation.from) {
                Some(ender) => Some(ender.clone()),
                None => self.records.read(&DOCUMENTS, &relation.from).await?,
            };
            ends.extend(
                ender
                    .filter(|e| !e.withdrawn)
                    .map(|e| (relation.on, e.link())),
            );
        }
        for (on, link) in ends {
            document.repealed_on = [document.repealed_on, on].into_iter().flatten().min();
            if !document.repealed_by.contains(&link) {
                document.repealed_by.push(link);
            }
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
        let condition = match (&relation.number, &relation.title) {
            (Some(number), _) => Condition::is("number", number.as_str()),
            (None, Some(title)) => Condition::is("title", title.as_str()),
            (None, None) => return Ok(Vec::new()),
        };
        let query = Query {
            all: vec![Condition::is("space", relation.space.as_str()), condition],
            ..Query::default()
        };
        let mut found: BTreeMap<String, DocumentRecord> = BTreeMap::new();
        for document in self
            .records
            .list::<DocumentRecord>(&DOCUMENTS, &query)
            .await?
        {
            found.insert(document.id.clone(), document);
        }
        for (id, document) in &draft.documents {
            if document.space == relation.space && names(relation, document) {
                found.insert(id.clone(), document.clone());
            } else {
                found.remove(id);
            }
        }
        Ok(found.into_values().collect())
    }
}

fn names(relation: &RelationRecord, document: &DocumentRecord) -> bool {
    match (&relation.number, &relation.title) {
        (Some(number), _) => document.number.as_ref() == Some(number),
        (None, Some(title)) => document.title == *title,
        (None, None) => false,
    }
}
