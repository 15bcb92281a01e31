//! A batch of writes as few statements: the last write of each record, collection by collection.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::Transaction;
use kernel::{
    Result,
    records::{Expect, Write},
};

use super::{fault::Fault, table, text};

/// Bytes of bodies sent in one statement, which the server holds in memory several times over.
const CHUNK: usize = 8 << 20;

/// Writes made ready to be sent.
pub(super) struct Batch(Vec<Part>);

/// What happens in one collection.
#[derive(Default)]
struct Part {
    collection: &'static str,
    expected: Vec<(String, Expect)>,
    removed: Vec<String>,
    put: Vec<Chunk>,
}

/// Records of one statement: ids and bodies, in step.
#[derive(Default)]
struct Chunk {
    ids: Vec<String>,
    bodies: Vec<String>,
    size: usize,
}

impl Batch {
    pub(super) fn of(writes: Vec<Write>) -> Self {
        let mut expected: BTreeMap<&'static str, Vec<(String, Expect)>> = BTreeMap::new();
        let mut outcomes: BTreeMap<&'static str, BTreeMap<String, Option<String>>> =
            BTreeMap::new();
        for write in writes {
            let (collection, id, body, expect) = match write {
                Write::Put {
                    collection,
                    id,
                    body,
                    expect,
                } => (collection, id, Some(text::write(&body)), expect),
                Write::Delete { collection, id } => (collection, id, None, Expect::Any),
            };
            let id = text::escape(&id).into_owned();
            if expect != Expect::Any {
                let of_collection = expected.entry(collection).or_default();
                of_collection.push((id.clone(), expect));
            }
            // A later write of the same record replaces an earlier one.
            outcomes.entry(collection).or_default().insert(id, body);
        }
        Self(
            outcomes
                .into_iter()
                .map(|(collection, outcome)| {
                    let mut part = Part {
                        collection,
                        expected: expected.remove(collection).unwrap_or_default(),
                        ..Part::default()
                    };
                    for (id, body) in outcome {
                        match body {
                            None => part.removed.push(id),
                            Some(body) => part.add(id, body),
                        }
                    }
                    part
                })
                .collect(),
        )
    }

    /// Makes all the writes inside a transaction; the batch's revision.
    pub(super) async fn write(
        &self,
        transaction: &Transaction<'_>,
        schema: &str,
    ) -> Result<u64, Fault> {
        // The row of the revision is the lock of all writers: whoever holds it sees every batch before this one, and
        // revisions become visible in their order.
        let statement = transaction
            .prepare_cached(&format!(
                "UPDATE {schema}.store SET revision = revision + 1 RETURNING revision"
            ))
            .await?;
        let revision: i64 = transaction.query_one(&statement, &[]).await?.get(0);
        for part in &self.0 {
            part.check(transaction, schema).await?;
        }
        for part in &self.0 {
            part.write(transaction, schema, revision).await?;
        }
        Ok(revision.cast_unsigned())
    }
}

impl Part {
    fn add(&mut self, id: String, body: String) {
        if self.put.last().is_none_or(|chunk| chunk.size >= CHUNK) {
            self.put.push(Chunk::default());
        }
        if let Some(chunk) = self.put.last_mut() {
            chunk.size += body.len();
            chunk.ids.push(id);
            chunk.bodies.push(body);
        }
    }

    async fn check(&self, transaction: &Transaction<'_>, schema: &str) -> Result<(), Fault> {
        if self.expected.is_empty() {
            return Ok(());
        }
        let table = table(schema, self.collection)?;
        let ids: Vec<String> = self.expected.iter().map(|(id, _)| id.clone()).collect();
        let statement = transaction
            .prepare_cached(&format!(
                "SELECT id, revision FROM {table} WHERE id = ANY($1::text[])"
            ))
            .await?;
        let rows = transaction.query(&statement, &[&ids]).await?;
        let stands: HashMap<&str, u64> = rows
            .iter()
            .map(|row| (row.get(0), row.get::<_, i64>(1).cast_unsigned()))
            .collect();
        let broken = self.expected.iter().find(|(id, expect)| {
            let stands = stands.get(id.as_str());
            match expect {
                Expect::Any => false,
                Expect::Absent => stands.is_some(),
                Expect::Revision(revision) => stands != Some(revision),
            }
        });
        match broken {
            Some((id, _)) => Err(crate::conflict(self.collection, id).into()),
            None => Ok(()),
        }
    }

    async fn write(
        &self,
        transaction: &Transaction<'_>,
        schema: &str,
        revision: i64,
    ) -> Result<(), Fault> {
        let table = table(schema, self.collection)?;
        if !self.removed.is_empty() {
            let statement = transaction
                .prepare_cached(&format!("DELETE FROM {table} WHERE id = ANY($1::text[])"))
                .await?;
            transaction.execute(&statement, &[&self.removed]).await?;
        }
        for chunk in &self.put {
            let statement = transaction
                .prepare_cached(&format!(
                    "INSERT INTO {table} (id, revision, body)
                     SELECT id, $1::bigint, body::json FROM unnest($2::text[], $3::text[]) AS new (id, body)
                     ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, body = excluded.body"
                ))
                .await?;
            transaction
                .execute(&statement, &[&revision, &chunk.ids, &chunk.bodies])
                .await?;
        }
        Ok(())
    }
}
