//! Records in SQLite: a table per collection, the body as JSON, expression indexes on the fields asked by.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use kernel::{
    Error, ErrorCode, Result,
    records::{Collection, Condition, Expect, Query, Record, Records, Write},
};
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter, types::Value as Sql};
use serde_json::Value;

use crate::{blocking, conflict, field_path};

/// The schema's steps; the database remembers how many it has taken. Never change one that has been released: add one.
const MIGRATIONS: &[&str] =
    &["CREATE TABLE store (revision INTEGER NOT NULL); INSERT INTO store VALUES (0);"];

/// Readers kept open for the next call.
const IDLE_READERS: usize = 4;

/// Records in one SQLite database file.
pub struct SqliteRecords {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

impl SqliteRecords {
    /// Opens the database, making it or bringing its schema up to date if needed.
    ///
    /// # Errors
    /// `Storage` if the file is no database or was written by a newer version; `StorageFull`.
    pub fn open(path: &Path) -> Result<Self> {
        let mut writer = connect(path)?;
        migrate(&mut writer)?;
        let shared = Shared {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            readers: Mutex::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    async fn reading<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = self.shared.clone();
        blocking(move || {
            let idle = shared.readers.lock().pop();
            let connection = idle.map_or_else(|| connect(&shared.path), Ok)?;
            let result = work(&connection);
            let mut readers = shared.readers.lock();
            if readers.len() < IDLE_READERS {
                readers.push(connection);
            }
            result
        })
        .await
    }

    async fn writing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = self.shared.clone();
        blocking(move || work(&mut shared.writer.lock())).await
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).map_err(sql_error)?;
    // Full synchronisation: an acknowledged write survives the loss of power.
    connection
        .execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=10000; PRAGMA cache_size=-8000;")
        .map_err(sql_error)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<()> {
    let taken: u32 = connection
        .query_row("PRAGMA user_version", [], |r| r.get(0))
        .map_err(sql_error)?;
    let taken = taken as usize;
    if taken > MIGRATIONS.len() {
        return Err(Error::new(
            ErrorCode::Storage,
            "数据目录由更新版本的 CityMind 写入，当前版本不能打开。请升级程序，或使用备份的数据目录。",
        ));
    }
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(taken) {
        let transaction = connection.transaction().map_err(sql_error)?;
        transaction.execute_batch(sql).map_err(sql_error)?;
        transaction
            .pragma_update(None, "user_version", (step + 1) as u32)
            .map_err(sql_error)?;
        transaction.commit().map_err(sql_error)?;
    }
    Ok(())
}

fn sql_error(error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => crate::full().with_detail(error),
        _ => Error::new(ErrorCode::Storage, crate::DATABASE_FAILED).with_detail(error),
    }
}

/// A field's SQL expression.
fn expression(field: &str) -> Result<String> {
    field_path(field).map(|_| format!("json_extract(body,'$.{field}')"))
}

fn sql_value(value: &Value) -> Sql {
    match value {
        Value::Null => Sql::Null,
        Value::Bool(b) => Sql::Integer(i64::from(*b)),
        Value::Number(n) => n
            .as_i64()
            .map_or_else(|| Sql::Real(n.as_f64().unwrap_or(f64::NAN)), Sql::Integer),
        Value::String(s) => Sql::Text(s.clone()),
        other => Sql::Text(other.to_string()),
    }
}

fn json_value(value: Sql) -> Value {
    match value {
        Sql::Null | Sql::Blob(_) => Value::Null,
        Sql::Integer(i) => i.into(),
        Sql::Real(r) => r.into(),
        Sql::Text(s) => s.into(),
    }
}

fn clause(condition: &Condition, values: &mut Vec<Sql>) -> Result<String> {
    let mut bind = |value: Sql| {
        values.push(value);
        format!("?{}", values.len())
    };
    Ok(match condition {
        Condition::Is(field, Value::Null) => format!("{} IS NULL", expression(field)?),
        Condition::Is(field, value) => {
            format!("{} = {}", expression(field)?, bind(sql_value(value)))
        }
        Condition::In(field, options) => {
            let marks: Vec<String> = options.iter().map(|v| bind(sql_value(v))).collect();
            format!("{} IN ({})", expression(field)?, marks.join(","))
        }
        Condition::AtLeast(field, value) => {
            format!("{} >= {}", expression(field)?, bind(sql_value(value)))
        }
        Condition::AtMost(field, value) => {
            format!("{} <= {}", expression(field)?, bind(sql_value(value)))
        }
        Condition::Contains(field, text) => {
            format!(
                "instr(lower({}), lower({})) > 0",
                expression(field)?,
                bind(Sql::Text(text.clone()))
            )
        }
        Condition::Any(options) if options.is_empty() => "0".to_owned(),
        Condition::Any(options) => {
            let parts = options
                .iter()
                .map(|c| clause(c, values))
                .collect::<Result<Vec<_>>>()?;
            format!("({})", parts.join(" OR "))
        }
        // What is unknown in SQL is false here.
        Condition::Not(inner) => format!("NOT coalesce(({}), 0)", clause(inner, values)?),
        Condition::After(revision) => {
            format!("revision > {}", bind(Sql::Integer(revision.cast_signed())))
        }
    })
}

fn filter(all: &[Condition]) -> Result<(String, Vec<Sql>)> {
    let mut values = Vec::new();
    let parts = all
        .iter()
        .map(|c| clause(c, &mut values))
        .collect::<Result<Vec<_>>>()?;
    let sql = if parts.is_empty() {
        String::new()
    } else {
        format!(" WHERE {}", parts.join(" AND "))
    };
    Ok((sql, values))
}

fn record(row: &Row<'_>) -> rusqlite::Result<(String, u64, String)> {
    Ok((
        row.get(0)?,
        row.get::<_, i64>(1)?.cast_unsigned(),
        row.get(2)?,
    ))
}

fn parse((id, revision, body): (String, u64, String)) -> Result<Record> {
    let body = serde_json::from_str(&body).map_err(Error::internal)?;
    Ok(Record { id, revision, body })
}

fn met(connection: &Connection, collection: &str, id: &str, expect: Expect) -> Result<bool> {
    let stands = || -> Result<Option<u64>> {
        connection
            .prepare_cached(&format!(
                "SELECT revision FROM c_{collection} WHERE id = ?1"
            ))
            .and_then(|mut s| s.query_row([id], |r| r.get::<_, i64>(0)).optional())
            .map(|r| r.map(i64::cast_unsigned))
            .map_err(sql_error)
    };
    Ok(match expect {
        Expect::Any => true,
        Expect::Absent => stands()?.is_none(),
        Expect::Revision(revision) => stands()? == Some(revision),
    })
}

fn write(connection: &mut Connection, batch: &[Write]) -> Result<u64> {
    let transaction = connection.transaction().map_err(sql_error)?;
    for write in batch {
        if let Write::Put {
            collection,
            id,
            expect,
            ..
        } = write
            && !met(&transaction, collection, id, *expect)?
        {
            return Err(conflict(collection, id));
        }
    }
    let revision: i64 = transaction
        .query_row(
            "UPDATE store SET revision = revision + 1 RETURNING revision",
            [],
            |r| r.get(0),
        )
        .map_err(sql_error)?;
    for write in batch {
        match write {
            Write::Put { collection, id, body, .. } => transaction
                .prepare_cached(&format!(
                    "INSERT INTO c_{collection} (id, revision, body) VALUES (?1, ?2, ?3)
                     ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, body = excluded.body"
                ))
                .and_then(|mut s| s.execute(params![id, revision, body.to_string()])),
            Write::Delete { collection, id } => transaction
                .prepare_cached(&format!("DELETE FROM c_{collection} WHERE id = ?1"))
                .and_then(|mut s| s.execute([id])),
        }
        .map_err(sql_error)?;
    }
    transaction.commit().map_err(sql_error)?;
    Ok(revision.cast_unsigned())
}

#[async_trait]
impl Records for SqliteRecords {
    async fn define(&self, collections: &[Collection]) -> Result<()> {
        let mut sql = String::new();
        for c in collections {
            let name = c.name;
            sql += &format!(
                "CREATE TABLE IF NOT EXISTS c_{name} (id TEXT PRIMARY KEY, revision INTEGER NOT NULL, body TEXT NOT NULL);"
            );
            sql +=
                &format!("CREATE INDEX IF NOT EXISTS i_{name}__revision ON c_{name} (revision);");
            for field in c.indexed {
                let index = field.replace('.', "__");
                sql += &format!(
                    "CREATE INDEX IF NOT EXISTS i_{name}_{index} ON c_{name} ({});",
                    expression(field)?
                );
            }
        }
        self.writing(move |connection| {
            let transaction = connection.transaction().map_err(sql_error)?;
            transaction.execute_batch(&sql).map_err(sql_error)?;
            transaction.commit().map_err(sql_error)
        })
        .await
    }

    async fn get(&self, collection: &Collection, id: &str) -> Result<Option<Record>> {
        let (sql, id) = (
            format!(
                "SELECT id, revision, body FROM c_{} WHERE id = ?1",
                collection.name
            ),
            id.to_owned(),
        );
        self.reading(move |connection| {
            let found = connection
                .prepare_cached(&sql)
                .and_then(|mut s| s.query_row([id], record).optional());
            found.map_err(sql_error)?.map(parse).transpose()
        })
        .await
    }

    async fn find(&self, collection: &Collection, query: &Query) -> Result<Vec<Record>> {
        let (filter, values) = filter(&query.all)?;
        let order = match &query.sort {
            None => "id".to_owned(),
            Some(sort) => {
                let field = if sort.field.is_empty() {
                    "revision".to_owned()
                } else {
                    expression(&sort.field)?
                };
                format!(
                    "{field} {}, id",
                    if sort.descending { "DESC" } else { "ASC" }
                )
            }
        };
        let limit = if query.limit == 0 {
            -1
        } else {
            query.limit.min(i64::MAX as u64).cast_signed()
        };
        let offset = query.offset.min(i64::MAX as u64);
        let sql = format!(
            "SELECT id, revision, body FROM c_{}{filter} ORDER BY {order} LIMIT {limit} OFFSET {offset}",
            collection.name
        );
        self.reading(move |connection| {
            let mut statement = connection.prepare_cached(&sql).map_err(sql_error)?;
            let rows = statement
                .query_map(params_from_iter(values), record)
                .map_err(sql_error)?;
            rows.map(|r| r.map_err(sql_error).and_then(parse)).collect()
        })
        .await
    }

    async fn count(&self, collection: &Collection, all: &[Condition]) -> Result<u64> {
        let (filter, values) = filter(all)?;
        let sql = format!("SELECT count(*) FROM c_{}{filter}", collection.name);
        self.reading(move |connection| {
            let mut statement = connection.prepare_cached(&sql).map_err(sql_error)?;
            let n: i64 = statement
                .query_row(params_from_iter(values), |r| r.get(0))
                .map_err(sql_error)?;
            Ok(n.cast_unsigned())
        })
        .await
    }

    async fn count_by(
        &self,
        collection: &Collection,
        field: &str,
        all: &[Condition],
    ) -> Result<Vec<(Value, u64)>> {
        let (filter, values) = filter(all)?;
        let sql = format!(
            "SELECT {} AS v, count(*) FROM c_{}{filter} GROUP BY v ORDER BY 2 DESC, v",
            expression(field)?,
            collection.name
        );
        self.reading(move |connection| {
            let mut statement = connection.prepare_cached(&sql).map_err(sql_error)?;
            let rows = statement
                .query_map(params_from_iter(values), |r| {
                    Ok((json_value(r.get(0)?), r.get::<_, i64>(1)?.cast_unsigned()))
                })
                .map_err(sql_error)?;
            rows.map(|r| r.map_err(sql_error)).collect()
        })
        .await
    }

    async fn apply(&self, batch: Vec<Write>) -> Result<u64> {
        self.writing(move |connection| write(connection, &batch))
            .await
    }

    async fn revision(&self) -> Result<u64> {
        self.reading(|connection| {
            let n: i64 = connection
                .query_row("SELECT revision FROM store", [], |r| r.get(0))
                .map_err(sql_error)?;
            Ok(n.cast_unsigned())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTES: Collection = Collection {
        name: "notes",
        indexed: &["title"],
    };

    #[tokio::test]
    async fn conforms() {
        let dir = tempfile::tempdir().unwrap();
        let records = SqliteRecords::open(&dir.path().join("db")).unwrap();
        kernel::testkit::records_conform(&records).await;
    }

    #[tokio::test]
    async fn what_was_acknowledged_is_there_after_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        let first = SqliteRecords::open(&path).unwrap();
        first.define(&[NOTES]).await.unwrap();
        let revision = first
            .apply(vec![
                Write::put(&NOTES, "1", &serde_json::json!({"title": "甲"})).unwrap(),
            ])
            .await
            .unwrap();
        // Opened again while the first still stands, as after kill -9: nothing was flushed by a clean close.
        let second = SqliteRecords::open(&path).unwrap();
        second.define(&[NOTES]).await.unwrap();
        assert_eq!(second.revision().await.unwrap(), revision);
        assert_eq!(
            second.get(&NOTES, "1").await.unwrap().unwrap().body["title"],
            "甲"
        );
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        SqliteRecords::open(&path).unwrap();
        Connection::open(&path)
            .unwrap()
            .pragma_update(None, "user_version", 99)
            .unwrap();
        let refused = SqliteRecords::open(&path).err().unwrap();
        assert!(refused.message.contains("更新版本"));
    }

    #[tokio::test]
    async fn a_field_name_cannot_smuggle_sql() {
        let dir = tempfile::tempdir().unwrap();
        let records = SqliteRecords::open(&dir.path().join("db")).unwrap();
        records.define(&[NOTES]).await.unwrap();
        let query = Query::by(Condition::is("title') OR 1=1 --", "x"));
        assert_eq!(
            records.find(&NOTES, &query).await.unwrap_err().code,
            ErrorCode::InvalidInput
        );
    }
}
