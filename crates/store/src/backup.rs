//! Backup and restore, in one format for both databases: what was saved from
//! one can be restored into the other.
//!
//! A backup is taken from a running system: one state of the database, and
//! every blob that it knows. Secrets stay sealed; the key file is **not** in
//! it and must be kept elsewhere.

use std::path::Path;

use model::tables::{BulkCommand, BulkRow, Job, Node, NodeConnection};
use model::{Entity as _, Kind, Table, Value, tables};

use crate::backup::file::{BackupWriter, Entry, Header};
use crate::bind::Bind;
use crate::error::StoreError;
use crate::migrate::MIGRATIONS;
use crate::shape::{Shape, Want, companion, is_multi, want};
use crate::store::Store;
use crate::tx::Tx;

mod file;
mod restore;
mod shelf;

const PAGE: i64 = 500;

/// What a backup holds, or what was restored from one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Backup {
    pub rows: u64,
    pub blobs: u64,
    /// Blobs that the database knows but that could not be read: they are
    /// not in the backup.
    pub lost_blobs: Vec<String>,
    /// After a restore: there was no key file, a new one was made, and the
    /// sealed secrets do not open until the old one is put in its place.
    pub new_key: bool,
}

/// A table as it is saved: SQL columns, the key first.
struct Saved {
    table: String,
    /// How many of the columns are the primary key.
    key: usize,
    columns: Vec<(String, Want)>,
}

/// What was going on here is nobody's to go on with elsewhere.
const NOT_SAVED: &[&Table] = &[Job::TABLE, BulkCommand::TABLE, BulkRow::TABLE, Node::TABLE, NodeConnection::TABLE];

/// Everything but `pr_blob` and `pr_migration`, which restoring makes anew, and
/// [`NOT_SAVED`].
fn saved_tables() -> Result<Vec<Saved>, StoreError> {
    let plain = |table: &str, key, columns: &[(&str, Want)]| Saved {
        table: table.to_owned(),
        key,
        columns: columns.iter().map(|(name, want)| ((*name).to_owned(), *want)).collect(),
    };
    let mut saved = vec![
        plain(
            "pr_secret",
            2,
            &[
                ("row", Want::Id),
                ("columnname", Want::Text),
                ("tablename", Want::Text),
                ("keyid", Want::Text),
                ("nonce", Want::Bytes),
                ("sealed", Want::Bytes),
            ],
        ),
        plain(
            "pr_emailsearch",
            2,
            &[("row", Want::Id), ("number", Want::Int), ("tablename", Want::Text), ("address", Want::Text)],
        ),
        plain(
            "pr_tombstone",
            2,
            &[
                ("tablename", Want::Text),
                ("version", Want::Int),
                ("row", Want::Id),
                ("deletedon", Want::Int),
                ("owner", Want::Id),
            ],
        ),
        plain("pr_forgotten", 1, &[("tablename", Want::Text), ("version", Want::Int)]),
    ];
    for table in tables::ALL.iter().filter(|t| !NOT_SAVED.contains(t)) {
        let mut columns = vec![(table.id.to_owned(), Want::Id)];
        for place in &Shape::of(table)?.places {
            let Some(want) = want(&place.column.kind) else { continue };
            // Times are numbers to a database.
            let want = if matches!(place.column.kind, Kind::Time) { Want::Int } else { want };
            columns.push((place.column.name.to_owned(), want));
            if is_multi(&place.column.kind) {
                columns.push((companion(place.column.name), Want::Text));
            }
        }
        saved.push(Saved { table: table.logical.to_owned(), key: 1, columns });
    }
    Ok(saved)
}

impl Store {
    /// Writes a backup to a new file. `progress` gets how many rows and blobs
    /// are done, and how many there are.
    ///
    /// # Errors
    /// [`StoreError::Backup`] when the file is there already or cannot be written.
    pub async fn backup(&self, path: &Path, mut progress: impl FnMut(u64, u64)) -> Result<Backup, StoreError> {
        // What the snapshot names must not be compacted away meanwhile.
        let _no_compaction = self.blobs().keep_all()?;
        let mut out = BackupWriter::create(path)?;
        let mut tx = self.database().connect().await?;
        tx.begin_snapshot().await?;
        let result = self.save(&mut tx, &mut out, &mut progress).await;
        tx.rollback().await;
        let report = result?;
        out.finish()?;
        Ok(report)
    }

    async fn save(
        &self,
        tx: &mut Tx,
        out: &mut BackupWriter,
        progress: &mut impl FnMut(u64, u64),
    ) -> Result<Backup, StoreError> {
        let saved = saved_tables()?;
        let mut rows = 0;
        for table in &saved {
            rows += count(tx, &table.table).await?;
        }
        let blobs = count(tx, "pr_blob").await?;
        let version = number(tx, tx.dialect().last_version()).await?;
        let migration = MIGRATIONS.last().map_or(0, |m| m.version);
        out.entry(&Entry::Header(Header { migration, version, rows, blobs }))?;
        let mut report = Backup::default();
        for table in &saved {
            save_table(tx, table, out, &mut report, &mut |done| progress(done, rows + blobs)).await?;
        }
        self.save_blobs(tx, out, &mut report, &mut |done| progress(done, rows + blobs)).await?;
        Ok(report)
    }

    async fn save_blobs(
        &self,
        tx: &mut Tx,
        out: &mut BackupWriter,
        report: &mut Backup,
        progress: &mut impl FnMut(u64),
    ) -> Result<(), StoreError> {
        let mut after = Vec::new();
        loop {
            let sql = "SELECT hash FROM pr_blob WHERE hash > $1 ORDER BY hash LIMIT $2";
            let page = tx.rows(sql, &[Bind::Bytes(after.clone()), PAGE.into()], &[Want::Bytes]).await?;
            for row in &page {
                let Some(Value::Bytes(hash)) = row.first() else { continue };
                let Ok(id) = model::mail::BlobId::try_from(hash.as_slice()) else { continue };
                match self.save_blob(id, out).await {
                    Ok(()) => report.blobs += 1,
                    Err(StoreError::NoBlob(_) | StoreError::DamagedBlob(_)) => report.lost_blobs.push(id.to_string()),
                    Err(error) => return Err(error),
                }
                progress(report.rows + report.blobs);
            }
            let Some(Value::Bytes(last)) = page.last().and_then(|r| r.first()) else { return Ok(()) };
            after.clone_from(last);
        }
    }

    async fn save_blob(&self, id: model::mail::BlobId, out: &mut BackupWriter) -> Result<(), StoreError> {
        let mut reader = self.blobs().open(id).await?;
        out.entry(&Entry::Blob { id: id.0, size: reader.size() })?;
        while let Some(chunk) = reader.chunk()? {
            out.entry(&Entry::Content(chunk))?;
        }
        Ok(())
    }
}

async fn save_table(
    tx: &mut Tx,
    table: &Saved,
    out: &mut BackupWriter,
    report: &mut Backup,
    progress: &mut impl FnMut(u64),
) -> Result<(), StoreError> {
    let names: Vec<String> = table.columns.iter().map(|(name, _)| name.clone()).collect();
    out.entry(&Entry::Table { table: table.table.clone(), columns: names })?;
    let list = |columns: &[(String, Want)]| {
        columns.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
    };
    let wants: Vec<Want> = table.columns.iter().map(|(_, want)| *want).collect();
    let (columns, key) = (list(&table.columns), list(&table.columns[..table.key]));
    let given = crate::dialect::Dialect::placeholders(1, table.key);
    let mut after: Vec<Bind> = Vec::new();
    loop {
        let beyond = if after.is_empty() { String::new() } else { format!(" WHERE ({key}) > ({given})") };
        let limit = after.len() + 1;
        let sql = format!("SELECT {columns} FROM \"{}\"{beyond} ORDER BY {key} LIMIT ${limit}", table.table);
        let mut binds = after.clone();
        binds.push(PAGE.into());
        let page = tx.rows(&sql, &binds, &wants).await?;
        if page.is_empty() {
            return Ok(());
        }
        for row in page {
            let row: Option<Vec<Bind>> = row.into_iter().map(Bind::from_value).collect();
            let row = row.ok_or_else(|| StoreError::Backup("a secret stands where none belongs".into()))?;
            after = row[..table.key].to_vec();
            out.entry(&Entry::Row(row))?;
            report.rows += 1;
        }
        progress(report.rows + report.blobs);
    }
}

async fn count(tx: &mut Tx, table: &str) -> Result<u64, StoreError> {
    let count = number(tx, &format!("SELECT count(*) FROM \"{table}\"")).await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

async fn number(tx: &mut Tx, sql: &str) -> Result<i64, StoreError> {
    let rows = tx.rows(sql, &[], &[Want::Int]).await?;
    Ok(rows.first().and_then(|r| r.first()).and_then(Value::as_int).unwrap_or(0))
}
