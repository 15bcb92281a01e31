//! What documents say of one another: written down by name, so that it holds whichever of the two comes first.

use std::collections::BTreeMap;

use kernel::{
    Error, Result,
    id::derived,
    records::{Condition, Query},
};

use super::{Library, adding::Draft};
use crate::{
    record::{DocumentRecord, RELATIONS, RelationRecord, Said},
    titles,
};

impl Library {
    /// Takes down what a document says of others, in place of what it said before.
    pub(super) async fn relate(
        &self,
        document: &DocumentRecord,
        all: &[Said],
        draft: &mut Draft,
    ) -> Result<()> {
        self.unrelate(&document.id, draft).await?;
        for said in all {
            let reference = &said.reference;
            let relation = RelationRecord {
                kind: said.kind,
                from: document.id.clone(),
                space: document.space.clone(),
                title: reference.title.clone(),
                name: reference.title.as_deref().map(titles::name),
                number: reference.number.clone(),
                on: document.begins,
                clause: said.clause,
                article: said.article.clone(),
            };
            draft.say(relation)?;
        }
        Ok(())
    }

    /// Has an earlier version go on saying what its document said when it stood.
    pub(super) async fn relate_like(&self, from: &str, to: &str, draft: &mut Draft) -> Result<()> {
        for mut relation in self.said_by(from, draft).await?.into_values() {
            to.clone_into(&mut relation.from);
            draft.say(relation)?;
        }
        Ok(())
    }

    /// Has what a document says of others follow its days and its space.
    pub(super) async fn say_anew(
        &self,
        document: &DocumentRecord,
        draft: &mut Draft,
    ) -> Result<()> {
        for (id, mut relation) in self.said_by(&document.id, draft).await? {
            draft.touched.said(relation.clone());
            relation.space.clone_from(&document.space);
            relation.on = document.begins;
            draft.touched.said(relation.clone());
            draft.relations.insert(id, Some(relation));
        }
        Ok(())
    }

    /// Takes back what a document said of others.
    pub(super) async fn unrelate(&self, id: &str, draft: &mut Draft) -> Result<()> {
        for (relation_id, relation) in self.said_by(id, draft).await? {
            draft.touched.said(relation);
            draft.relations.insert(relation_id, None);
        }
        Ok(())
    }

    /// Has all that a document speaks of settled anew, after it was withdrawn or restored.
    pub(super) async fn touch_said(&self, id: &str, draft: &mut Draft) -> Result<()> {
        for relation in self.said_by(id, draft).await?.into_values() {
            draft.touched.said(relation);
        }
        Ok(())
    }

    /// What a document says of others, as the batch leaves it.
    pub(super) async fn said_by(
        &self,
        id: &str,
        draft: &Draft,
    ) -> Result<BTreeMap<String, RelationRecord>> {
        let said = Condition::is("from", id);
        self.relations_standing(vec![said], draft, |r| r.from == id)
            .await
    }

    /// What others say of a document, as the batch leaves it, whichever space they are in.
    pub(super) async fn said_of(
        &self,
        document: &DocumentRecord,
        draft: &Draft,
    ) -> Result<Vec<RelationRecord>> {
        let by_name = Condition::is("name", document.name.as_str());
        let by_number = document
            .number
            .as_deref()
            .map(|n| Condition::is("number", n));
        let by = [Some(by_name), by_number].into_iter().flatten().collect();
        let said = self
            .relations_standing(by, draft, |r| r.names(document))
            .await?;
        Ok(said.into_values().collect())
    }

    async fn relations_standing(
        &self,
        by: Vec<Condition>,
        draft: &Draft,
        holds: impl Fn(&RelationRecord) -> bool,
    ) -> Result<BTreeMap<String, RelationRecord>> {
        let mut found: BTreeMap<String, RelationRecord> = BTreeMap::new();
        // One query each: every one has an index of its own.
        for condition in by {
            for record in self.records.find(&RELATIONS, &Query::by(condition)).await? {
                let relation = serde_json::from_value(record.body).map_err(Error::internal)?;
                found.insert(record.id, relation);
            }
        }
        for (id, relation) in &draft.relations {
            match relation {
                Some(relation) => drop(found.insert(id.clone(), relation.clone())),
                None => drop(found.remove(id)),
            }
        }
        found.retain(|_, relation| holds(relation));
        Ok(found)
    }

    /// The documents that a relation names, as the batch leaves them, whichever space they are in.
    pub(super) async fn named(
        &self,
        relation: &RelationRecord,
        draft: &Draft,
    ) -> Result<Vec<DocumentRecord>> {
        let by_number = relation.number.as_deref().map(|n| ("number", n));
        let by_name = relation.name.as_deref().map(|n| ("name", n));
        let mut found = BTreeMap::new();
        for (field, value) in [by_number, by_name].into_iter().flatten() {
            let by = Condition::is(field, value);
            found.extend(self.all_standing(by, draft, |d| relation.names(d)).await?);
        }
        Ok(found.into_values().collect())
    }
}

impl Draft {
    /// Adds what a document says of another.
    fn say(&mut self, relation: RelationRecord) -> Result<()> {
        let kind = serde_json::to_string(&relation.kind).map_err(Error::internal)?;
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let id = derived(&[
            &relation.from,
            &kind,
            &part(&relation.title),
            &part(&relation.number),
            &part(&relation.article),
        ]);
        self.touched.said(relation.clone());
        self.relations.insert(id, Some(relation));
        Ok(())
    }
}
