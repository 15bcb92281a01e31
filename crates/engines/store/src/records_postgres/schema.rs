//! The schema: made where it's missing, brought up to date, and refused if a newer version wrote it.

use deadpool_postgres::{Client, Transaction};
use kernel::{Error, ErrorCode, Result, id::content_hash, records::Collection};

use super::{fault::Fault, query::Field, table};

/// The schema's steps; the database remembers how many it has taken. Never change one that has been released: add one.
/// `{schema}` stands for the schema's quoted name.
const MIGRATIONS: &[&str] = &["CREATE TABLE {schema}.store (revision bigint NOT NULL);
    INSERT INTO {schema}.store VALUES (0);"];

/// Held by whoever changes a schema of ours, so that processes that start together take turns: "citymind" in ASCII.
const LOCK: i64 = 0x6369_7479_6d69_6e64;

/// PostgreSQL cuts longer names off, and what was cut off may have been the difference.
const NAME_LIMIT: usize = 63;

/// A name as SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Opens the named schema, or the one that the session looks in first, and brings it up to date; its quoted name.
pub(super) async fn open(client: &mut Client, wanted: Option<&str>) -> Result<String, Fault> {
    let row = client
        .query_one(
            "SELECT current_schema()::text, current_setting('search_path'), current_setting('server_encoding'), current_setting('fsync')",
            &[],
        )
        .await?;
    if row.get::<_, &str>(2) != "UTF8" {
        return Err(Error::new(
            ErrorCode::Storage,
            "数据库的编码不是 UTF8，不能保存中文以外的全部文字。请以 UTF8 编码新建一个库，并改写配置项 database.url。",
        )
        .into());
    }
    if row.get::<_, &str>(3) == "off" {
        tracing::warn!("the database runs with fsync off: a loss of power can lose saved records");
    }
    let name = match (wanted, row.get::<_, Option<&str>>(0)) {
        (Some(name), _) | (None, Some(name)) => name,
        // The search path names a schema that isn't there yet.
        (None, None) => first_of(row.get(1)),
    };
    if name.is_empty() || name.len() > NAME_LIMIT || name.contains('\0') {
        return Err(Error::new(
            ErrorCode::InvalidInput,
            "数据库模式（schema）的名称有误，应为 1 至 63 个字符。请检查配置项 database.url 和 database.schema。",
        )
        .into());
    }
    let schema = quoted(name);
    let transaction = client.transaction().await?;
    lock(&transaction).await?;
    // Asked first: a user may use a schema without being allowed to make one.
    let there = transaction
        .query_one("SELECT to_regnamespace($1) IS NOT NULL", &[&schema])
        .await?;
    if !there.get::<_, bool>(0) {
        transaction
            .batch_execute(&format!("CREATE SCHEMA {schema}"))
            .await?;
    }
    migrate(&transaction, &schema).await?;
    transaction.commit().await?;
    Ok(schema)
}

fn first_of(path: &str) -> &str {
    path.split(',')
        .map(|name| name.trim().trim_matches('"'))
        .find(|name| !name.is_empty() && *name != "$user")
        .unwrap_or_default()
}

async fn lock(transaction: &Transaction<'_>) -> Result<(), Fault> {
    // Another process may be building an index for as long as it takes.
    transaction
        .batch_execute(&format!(
            "SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock({LOCK})"
        ))
        .await?;
    Ok(())
}

async fn migrate(transaction: &Transaction<'_>, schema: &str) -> Result<(), Fault> {
    let versions = format!("{schema}.schema_version");
    let there = transaction
        .query_one("SELECT to_regclass($1) IS NOT NULL", &[&versions])
        .await?;
    if !there.get::<_, bool>(0) {
        transaction
            .batch_execute(&format!(
                "CREATE TABLE {versions} (version bigint NOT NULL); INSERT INTO {versions} VALUES (0)"
            ))
            .await?;
    }
    let row = transaction
        .query_one(&format!("SELECT version FROM {versions}"), &[])
        .await?;
    let taken = usize::try_from(row.get::<_, i64>(0)).map_err(Error::internal)?;
    if taken > MIGRATIONS.len() {
        return Err(Error::new(
            ErrorCode::Storage,
            "数据库由更新版本的 CityMind 写入，当前版本不能打开。请升级程序，或改用备份的数据库。",
        )
        .into());
    }
    for step in &MIGRATIONS[taken..] {
        transaction
            .batch_execute(&step.replace("{schema}", schema))
            .await?;
    }
    transaction
        .execute(
            &format!("UPDATE {versions} SET version = {}", MIGRATIONS.len()),
            &[],
        )
        .await?;
    Ok(())
}

/// Makes the collections' tables and indexes where they are missing.
pub(super) async fn define(
    client: &mut Client,
    schema: &str,
    collections: &[Collection],
) -> Result<(), Fault> {
    let mut sql = String::new();
    for c in collections {
        let table = table(schema, c.name)?;
        sql += &format!(
            "CREATE TABLE IF NOT EXISTS {table} (id text COLLATE \"C\" PRIMARY KEY, revision bigint NOT NULL, body json NOT NULL);"
        );
        let index = index_name(c.name, "_revision");
        sql += &format!("CREATE INDEX IF NOT EXISTS {index} ON {table} (revision);");
        for field in c.indexed {
            let index = index_name(c.name, &field.replace('.', "__"));
            let columns = Field::named(field)?.index();
            sql += &format!("CREATE INDEX IF NOT EXISTS {index} ON {table} ({columns});");
        }
    }
    let transaction = client.transaction().await?;
    lock(&transaction).await?;
    // Before any table is locked, wait until no batch is under way and let none begin: a batch and this would otherwise
    // wait for each other's tables.
    transaction
        .query(&format!("SELECT 1 FROM {schema}.store FOR UPDATE"), &[])
        .await?;
    transaction.batch_execute(&sql).await?;
    Ok(transaction.commit().await?)
}

fn index_name(collection: &str, field: &str) -> String {
    let name = format!("i_{collection}_{field}");
    if name.len() <= NAME_LIMIT {
        quoted(&name)
    } else {
        quoted(&format!(
            "{}_{}",
            &name[..46],
            &content_hash(name.as_bytes())[..16]
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_be_cut_off_stay_distinct() {
        let long = "a".repeat(60);
        let (one, two) = (index_name(&long, "one"), index_name(&long, "two"));
        assert_ne!(one, two);
        assert!(one.len() <= NAME_LIMIT + 2);
        assert_eq!(index_name("notes", "title"), "\"i_notes_title\"");
    }

    #[test]
    fn the_first_schema_of_a_search_path_is_found() {
        assert_eq!(first_of("\"$user\", city, public"), "city");
        assert_eq!(first_of(""), "");
    }
}
