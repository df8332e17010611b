//! Forward-only migrations with checksums.

use sha2::{Digest as _, Sha256};

use crate::bind::Bind;
use crate::error::StoreError;
use crate::shape::Want;
use crate::tx::Tx;

/// One migration, written once for both databases; see `dialect::render`.
pub(crate) struct Migration {
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    pub(crate) script: &'static str,
}

/// In order, without gaps. What has been released is never edited.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "initial", script: include_str!("../migrations/0001_initial.sql") },
    Migration { version: 2, name: "security", script: include_str!("../migrations/0002_security.sql") },
    Migration { version: 3, name: "pages", script: include_str!("../migrations/0003_pages.sql") },
];

impl Migration {
    /// Of the text before it is rendered: the same on both databases.
    fn checksum(&self) -> String {
        hex::encode(Sha256::digest(self.script.as_bytes()))
    }
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS pr_migration (version {int} PRIMARY KEY, name {text} NOT NULL, checksum {text} NOT NULL)";

/// Whether the database has ever been ours.
pub(crate) async fn is_initialized(tx: &mut Tx) -> Result<bool, StoreError> {
    let sql = match tx {
        Tx::Sqlite(_) => "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'pr_migration'",
        Tx::Postgres(_) => {
            "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = ANY (current_schemas(false)) AND tablename = 'pr_migration'"
        }
    };
    let rows = tx.rows(sql, &[], &[Want::Int]).await?;
    Ok(rows.first().and_then(|r| r.first()).and_then(model::Value::as_int).is_some_and(|n| n > 0))
}

/// Brings the database up to what this program knows, in one transaction.
pub(crate) async fn migrate(tx: &mut Tx, migrations: &[Migration]) -> Result<(), StoreError> {
    tx.begin().await?;
    let result = migrate_inside(tx, migrations).await;
    match result {
        Ok(()) => Ok(tx.commit().await?),
        Err(error) => {
            tx.rollback().await;
            Err(error)
        }
    }
}

async fn migrate_inside(tx: &mut Tx, migrations: &[Migration]) -> Result<(), StoreError> {
    if let Tx::Postgres(_) = tx {
        // Several nodes may start at once; the number only has to be ours.
        tx.batch("SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(7079023)").await?;
    }
    apply(tx, migrations).await
}

/// Applies what has not been applied yet, inside a transaction.
pub(crate) async fn apply(tx: &mut Tx, migrations: &[Migration]) -> Result<(), StoreError> {
    tx.batch(&tx.dialect().render(TABLE)).await?;
    let applied = applied(tx).await?;
    check(&applied, migrations)?;
    for migration in migrations.iter().skip(applied.len()) {
        tx.batch(&tx.dialect().render(migration.script)).await?;
        let sql = "INSERT INTO pr_migration (version, name, checksum) VALUES ($1, $2, $3)";
        let binds: [Bind; 3] = [migration.version.into(), migration.name.into(), migration.checksum().into()];
        tx.execute(sql, &binds).await?;
    }
    Ok(())
}

/// Version and checksum of what has been applied.
pub(crate) async fn applied(tx: &mut Tx) -> Result<Vec<(i64, String)>, StoreError> {
    let sql = "SELECT version, checksum FROM pr_migration ORDER BY version";
    let rows = tx.rows_once(sql, &[], &[Want::Int, Want::Text]).await?;
    let read = |r: Vec<model::Value>| Some((r.first()?.as_int()?, r.get(1)?.as_text()?.to_owned()));
    Ok(rows.into_iter().filter_map(read).collect())
}

/// Refuses a database that is newer than the program, or another.
pub(crate) fn check(applied: &[(i64, String)], migrations: &[Migration]) -> Result<(), StoreError> {
    let known = migrations.last().map_or(0, |m| m.version);
    if let Some((found, _)) = applied.last()
        && *found > known
    {
        return Err(StoreError::Newer { found: *found, known });
    }
    for ((version, checksum), migration) in applied.iter().zip(migrations) {
        if *version != migration.version || *checksum != migration.checksum() {
            return Err(StoreError::ChangedMigration { version: *version, name: migration.name.into() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
