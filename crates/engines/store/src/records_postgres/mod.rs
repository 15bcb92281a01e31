//! Records in PostgreSQL: a table per collection, the body as JSON, expression indexes on the fields asked by.
//!
//! | file | |
//! |---|---|
//! | `connection.rs` | from an address to a pool of connections, encrypted or not |
//! | `schema.rs` | tables, indexes and migrations |
//! | `query.rs` | conditions and orders as SQL |
//! | `batch.rs` | a batch of writes |
//! | `fault.rs` | what went wrong, and whether trying again is safe |
//! | `text.rs` | text as PostgreSQL can hold it |

mod batch;
mod connection;
mod fault;
mod query;
mod schema;
mod text;

use async_trait::async_trait;
use deadpool_postgres::{Client, Pool};
use kernel::{
    Error, ErrorCode, Result,
    records::{Collection, Condition, Query, Record, Records, Write},
};
use serde_json::Value;
use tokio_postgres::{IsolationLevel, Row, types::ToSql};

use batch::Batch;
use fault::{Fault, limited};
use query::{Bound, Clauses, Field};

/// Records in one schema of a PostgreSQL database. Several processes may share it.
pub struct PostgresRecords {
    pool: Pool,
    /// The schema's quoted name.
    schema: String,
}

impl PostgresRecords {
    /// Connects to `postgres://user:password@host:5432/database`, and makes the schema or brings it up to date.
    ///
    /// Without a schema, the records are kept in the first one of the session's search path, which is `public` unless the
    /// address (`?options=-c%20search_path%3D…`) or the server says otherwise. With `sslmode=require`, `prefer`,
    /// `verify-ca` or `verify-full` the connection is encrypted and the certificate checked, against the system's roots
    /// or those in `sslrootcert`.
    ///
    /// # Errors
    /// `InvalidInput` if the address is malformed; `Unavailable` if the server can't be reached; `Storage` if it refuses,
    /// or a newer version wrote the schema.
    pub async fn connect(url: &str, schema: Option<&str>) -> Result<Self> {
        let located = |fault: Fault| {
            match fault.error.code {
            ErrorCode::Unavailable => Error::new(
                ErrorCode::Unavailable,
                format!(
                    "连不上数据库 {}。请检查数据库是否在运行、网络是否畅通，以及配置项 database.url。",
                    connection::place(url)
                ),
            )
            .with_detail(fault.error.detail.unwrap_or_default()),
            _ => fault.error,
        }
        };
        let pool = connection::pool(url)?;
        let mut client = connection::take(&pool).await.map_err(located)?;
        let schema = schema::open(&mut client, schema).await.map_err(located)?;
        Ok(Self { pool, schema })
    }

    fn table(&self, collection: &Collection) -> Result<String> {
        table(&self.schema, collection.name)
    }

    /// The rows of a question. Asked a second time if the connection turns out to be lost, as all are after the database
    /// was started anew.
    async fn rows(&self, sql: &str, values: &[Bound]) -> Result<Vec<Row>> {
        let first = self.ask(sql, values).await;
        match first {
            Err(fault) if fault.again => {
                self.renew(&fault);
                self.ask(sql, values).await
            }
            other => other,
        }
        .map_err(|fault| fault.error)
    }

    async fn ask(&self, sql: &str, values: &[Bound]) -> Result<Vec<Row>, Fault> {
        let client = connection::take(&self.pool).await?;
        let result = limited(async {
            let statement = client.prepare_cached(sql).await?;
            let values: Vec<&(dyn ToSql + Sync)> = values
                .iter()
                .map(|v| -> &(dyn ToSql + Sync) { &**v })
                .collect();
            client.query(&statement, &values).await
        })
        .await;
        connection::settle(client, result)
    }

    /// After one connection was lost, the idle ones are not to be trusted either.
    fn renew(&self, fault: &Fault) {
        if fault.broken {
            self.pool.retain(|_, _| false);
        }
    }

    /// The number that a question is answered with.
    async fn number(&self, sql: &str, values: &[Bound]) -> Result<u64> {
        let rows = self.rows(sql, values).await?;
        let row = rows.first().ok_or_else(|| Error::internal("no row"))?;
        Ok(row.get::<_, i64>(0).cast_unsigned())
    }

    async fn commit(&self, batch: &Batch) -> Result<u64, Fault> {
        let mut client = connection::take(&self.pool).await?;
        let result = self.commit_on(&mut client, batch).await;
        connection::settle(client, result)
    }

    async fn commit_on(&self, client: &mut Client, batch: &Batch) -> Result<u64, Fault> {
        // Each statement must see what was committed before it, whatever the server's default is.
        let transaction = limited(
            client
                .build_transaction()
                .isolation_level(IsolationLevel::ReadCommitted)
                .start(),
        )
        .await?;
        let revision = limited(batch.write(&transaction, &self.schema)).await?;
        limited(transaction.commit())
            .await
            .map_err(Fault::of_commit)?;
        Ok(revision)
    }
}

/// A collection's table as SQL.
fn table(schema: &str, collection: &str) -> Result<String> {
    // Longer names would be cut off.
    if crate::is_plain(collection) && collection.len() <= 60 {
        Ok(format!("{schema}.\"c_{collection}\""))
    } else {
        Err(Error::internal(format!("bad collection name {collection}")))
    }
}

fn record(row: &Row) -> Result<Record> {
    Ok(Record {
        id: text::unescape(row.get(0)),
        revision: row.get::<_, i64>(1).cast_unsigned(),
        body: text::read(row.get(2))?,
    })
}

#[async_trait]
impl Records for PostgresRecords {
    async fn define(&self, collections: &[Collection]) -> Result<()> {
        let mut client = connection::take(&self.pool).await.map_err(|f| f.error)?;
        let result = schema::define(&mut client, &self.schema, collections).await;
        connection::settle(client, result).map_err(|f| f.error)
    }

    async fn get(&self, collection: &Collection, id: &str) -> Result<Option<Record>> {
        let mut clauses = Clauses::default();
        let mark = clauses.bind(text::escape(id).into_owned());
        let sql = format!(
            "SELECT id, revision, body::text FROM {} WHERE id = {mark}::text",
            self.table(collection)?
        );
        let rows = self.rows(&sql, &clauses.values).await?;
        rows.first().map(record).transpose()
    }

    async fn find(&self, collection: &Collection, query: &Query) -> Result<Vec<Record>> {
        let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let mut clauses = Clauses::default();
        let filter = clauses.filter(&query.all)?;
        let order = query::order(query.sort.as_ref())?;
        // Bound, so that every page shares one prepared statement; a limit of NULL is none.
        let limit = clauses.bind((query.limit > 0).then(|| whole(query.limit)));
        let offset = clauses.bind(whole(query.offset));
        let sql = format!(
            "SELECT id, revision, body::text FROM {}{filter}{order} LIMIT {limit}::bigint OFFSET {offset}::bigint",
            self.table(collection)?
        );
        let rows = self.rows(&sql, &clauses.values).await?;
        rows.iter().map(record).collect()
    }

    async fn count(&self, collection: &Collection, all: &[Condition]) -> Result<u64> {
        let mut clauses = Clauses::default();
        let filter = clauses.filter(all)?;
        let sql = format!("SELECT count(*) FROM {}{filter}", self.table(collection)?);
        self.number(&sql, &clauses.values).await
    }

    async fn count_by(
        &self,
        collection: &Collection,
        field: &str,
        all: &[Condition],
    ) -> Result<Vec<(Value, u64)>> {
        let mut clauses = Clauses::default();
        let filter = clauses.filter(all)?;
        let Field { text, number, .. } = Field::named(field)?;
        let sql = format!(
            "SELECT text, number::text, total FROM (
                SELECT {text} AS text, {number} AS number, count(*) AS total FROM {}{filter} GROUP BY 1, 2
             ) AS counted ORDER BY total DESC, text COLLATE \"C\" NULLS FIRST, number NULLS FIRST",
            self.table(collection)?
        );
        let rows = self.rows(&sql, &clauses.values).await?;
        rows.iter()
            .map(|row| {
                let value = match (
                    row.get::<_, Option<String>>(0),
                    row.get::<_, Option<&str>>(1),
                ) {
                    (Some(text), _) => text::unescape(text).into(),
                    (None, Some(number)) => {
                        serde_json::from_str(number).map_err(Error::internal)?
                    }
                    (None, None) => Value::Null,
                };
                Ok((value, row.get::<_, i64>(2).cast_unsigned()))
            })
            .collect()
    }

    async fn apply(&self, batch: Vec<Write>) -> Result<u64> {
        let batch = Batch::of(batch);
        let first = self.commit(&batch).await;
        match first {
            // Lost before the commit was sent, so nothing can have been made.
            Err(fault) if fault.again => {
                self.renew(&fault);
                self.commit(&batch).await
            }
            other => other,
        }
        .map_err(|fault| fault.error)
    }

    async fn revision(&self) -> Result<u64> {
        let sql = format!("SELECT revision FROM {}.store", self.schema);
        self.number(&sql, &[]).await
    }
}
