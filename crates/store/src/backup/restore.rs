//! Restoring a backup into an empty place: all of it, in one transaction.

use std::path::Path;
use std::sync::Arc;

use model::mail::StoredBlob;

use super::file::{BackupReader, Entry, Header};
use super::{Backup, StoreError};
use crate::blobs::{BlobWriter, Blobs};
use crate::dialect::Dialect;
use crate::migrate::{MIGRATIONS, apply};
use crate::options::Options;
use crate::secrets::Keys;
use crate::store::{Store, vacant};
use crate::tx::{Step, Stopped, Tx};

/// Rows sent to the database at once.
const BATCH: usize = 200;
/// Octets of blobs between two fsyncs.
const SYNC_AFTER: u64 = 64 * 1024 * 1024;

impl Store {
    /// Restores a backup into an empty data directory and database, of
    /// whichever kind. A key file that stands there already is used; put the
    /// old one there first, or secrets have to be entered again.
    ///
    /// # Errors
    /// [`StoreError::Present`] when the place is not empty;
    /// [`StoreError::Backup`] when the file is damaged: then nothing was restored.
    pub async fn restore(
        path: &Path,
        options: &Options,
        progress: impl FnMut(u64, u64),
    ) -> Result<(Self, Backup), StoreError> {
        let mut reader = BackupReader::open(path)?;
        let Entry::Header(header) = reader.entry()? else {
            return Err(StoreError::Backup("the file is damaged: it has no header".into()));
        };
        let known = MIGRATIONS.last().map_or(0, |m| m.version);
        if header.migration > known {
            return Err(StoreError::Newer { found: header.migration, known });
        }
        let mut tx = vacant(options).await?;
        let keys = options.keys_path();
        let new_key = !keys.exists();
        let keys = if new_key { Keys::create(&keys)? } else { Keys::open(&keys)? };
        let mut restoring = Restoring {
            writer: Blobs::writer_at(options.blobs_path()),
            places: Vec::new(),
            unsynced: 0,
            steps: Vec::new(),
            insert: None,
            report: Backup { new_key, ..Backup::default() },
            progress,
            total: header.rows + header.blobs,
        };
        let result = restoring.all(&mut reader, &header, &mut tx).await;
        let report = std::mem::take(&mut restoring.report);
        drop(restoring);
        if let Err(error) = result {
            tx.rollback().await;
            drop(tx);
            clean_up(options, new_key);
            return Err(error);
        }
        drop(tx);
        Ok((Self::start(options, keys)?, report))
    }
}

/// Nothing of a restore that failed is left.
fn clean_up(options: &Options, new_key: bool) {
    let _ = std::fs::remove_dir_all(options.blobs_path());
    if new_key {
        let _ = std::fs::remove_file(options.keys_path());
    }
    if options.database.is_none() {
        for end in ["", "-wal", "-shm"] {
            let mut name = options.sqlite_path().into_os_string();
            name.push(end);
            let _ = std::fs::remove_file(name);
        }
    }
}

struct Restoring<P> {
    writer: BlobWriter,
    places: Vec<StoredBlob>,
    unsynced: u64,
    steps: Vec<Step>,
    /// The INSERT of the table whose rows come now, and its number of columns.
    insert: Option<(Arc<str>, usize)>,
    report: Backup,
    progress: P,
    total: u64,
}

impl<P: FnMut(u64, u64)> Restoring<P> {
    async fn all(&mut self, reader: &mut BackupReader, header: &Header, tx: &mut Tx) -> Result<(), StoreError> {
        tx.begin().await?;
        if tx.dialect() == Dialect::Postgres {
            tx.batch("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0").await?;
        }
        // First the tables as they were, then the rows, then what has changed
        // in the tables since.
        let then = MIGRATIONS.iter().take_while(|m| m.version <= header.migration).count();
        apply(tx, &MIGRATIONS[..then]).await?;
        let mut content: Option<([u8; 32], u64)> = None;
        loop {
            let entry = reader.entry()?;
            if !matches!(entry, Entry::Content(_)) {
                self.end_blob(content.take()).await?;
            }
            match entry {
                Entry::Table { table, columns } => self.table(&table, &columns, tx).await?,
                Entry::Row(row) => {
                    let Some((sql, count)) = &self.insert else { return Err(damaged()) };
                    if row.len() != *count {
                        return Err(damaged());
                    }
                    self.steps.push(Step::new(Arc::clone(sql), row));
                    self.report.rows += 1;
                    if self.steps.len() >= BATCH {
                        self.flush(tx).await?;
                    }
                }
                Entry::Blob { id, size } => {
                    self.writer.begin(size)?;
                    content = Some((id, size));
                }
                Entry::Content(bytes) if content.is_some() => self.writer.write(&bytes)?,
                Entry::Content(_) | Entry::Header(_) => return Err(damaged()),
                Entry::End => break,
            }
        }
        self.flush(tx).await?;
        self.places.extend(self.writer.sync().await?);
        self.index_blobs(tx).await?;
        apply(tx, MIGRATIONS).await?;
        new_life(tx, header.version).await?;
        Ok(tx.commit().await?)
    }

    async fn table(&mut self, table: &str, columns: &[String], tx: &mut Tx) -> Result<(), StoreError> {
        self.flush(tx).await?;
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        if !is_name(table) || !columns.iter().all(|c| is_name(c)) {
            return Err(damaged());
        }
        let list: Vec<String> = columns.iter().map(|c| format!("\"{c}\"")).collect();
        let given = Dialect::placeholders(1, columns.len());
        let sql = format!("INSERT INTO \"{table}\" ({}) VALUES ({given})", list.join(", "));
        self.insert = Some((Arc::from(sql), columns.len()));
        Ok(())
    }

    async fn flush(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        let steps = std::mem::take(&mut self.steps);
        match tx.run(&steps).await {
            Ok(_) => {}
            Err(Stopped::Fault(fault)) => return Err(fault.into()),
            Err(Stopped::Empty(_)) => return Err(damaged()),
        }
        (self.progress)(self.report.rows + self.report.blobs, self.total);
        Ok(())
    }

    async fn end_blob(&mut self, expected: Option<([u8; 32], u64)>) -> Result<(), StoreError> {
        let Some((id, size)) = expected else { return Ok(()) };
        let written = self.writer.finish()?;
        if (written.id.0, written.size) != (id, size) {
            return Err(damaged());
        }
        self.report.blobs += 1;
        self.unsynced += size;
        if self.unsynced > SYNC_AFTER {
            self.unsynced = 0;
            self.places.extend(self.writer.sync().await?);
        }
        (self.progress)(self.report.rows + self.report.blobs, self.total);
        Ok(())
    }

    async fn index_blobs(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        let places = std::mem::take(&mut self.places);
        for places in places.chunks(BATCH) {
            self.steps = places.iter().map(crate::plan::index_blob).collect();
            self.flush(tx).await?;
        }
        Ok(())
    }
}

/// Counts versions on from a number that no earlier life of this installation
/// came to, and refuses the marks from before: whoever followed changes, or
/// kept an ETag, may have seen what the backup does not have. Drawn, because
/// the same backup may be restored a second time.
async fn new_life(tx: &mut Tx, version: i64) -> Result<(), StoreError> {
    let mut drawn = [0; 8];
    crate::secrets::random(&mut drawn[3..])?;
    // Of 40 bits: even after thousands of restores a version is a number that
    // JavaScript can hold.
    let first = version.saturating_add(i64::from_be_bytes(drawn)).saturating_add(1);
    for table in model::tables::ALL.iter().filter(|t| t.on_wire && t.tracked) {
        let sql = "INSERT INTO pr_forgotten (tablename, version) VALUES ($1, $2) \
             ON CONFLICT (tablename) DO UPDATE SET version = excluded.version";
        tx.execute(sql, &[table.logical.into(), first.into()]).await?;
    }
    Ok(tx.set_last_version(first).await?)
}

fn damaged() -> StoreError {
    StoreError::Backup("the file is damaged: its parts do not fit together".into())
}
