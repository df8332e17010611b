//! Gives back the room of blobs that nothing refers to any more.
//!
//! First the rows go whose blob no record names, checked again inside the
//! transaction that removes them. Then, segment by segment where enough is
//! dead, what lives is copied to another segment, the rows are pointed there,
//! and the file is removed. A segment that somebody appends to, or that was
//! written to lately, is left alone: rows for it may be on their way.

use std::sync::Arc;
use std::time::Duration;

use model::Value;
use model::mail::{BlobId, StoredBlob};

use super::{Blobs, ROW, blocking, stored};
use crate::bind::Bind;
use crate::blobs::reader::BlobReader;
use crate::blobs::writer::BlobWriter;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::shape::Want;
use crate::tx::{Tx, Work};

/// Columns that name a blob.
pub(crate) const REFERRING: &[(&str, &str)] =
    &[("email", "pr_blob"), ("activitymimeattachment", "pr_blob"), ("pr_ledgerentry", "pr_blob")];

const BATCH: usize = 256;

/// What a compaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compacted {
    /// Blobs that nothing referred to.
    pub forgotten: u64,
    /// Blobs that were copied elsewhere.
    pub moved: u64,
    pub segments_removed: u64,
    /// Octets of the files removed, less those written anew.
    pub freed: i64,
}

impl Blobs {
    /// Removes what nothing refers to, and segments that are mostly dead.
    /// Segments written to within `min_age` are left alone; an hour is plenty.
    /// Does nothing while a backup is being made.
    ///
    /// # Errors
    /// When the database or the file system refuses; what was done stays done.
    pub async fn compact(&self, min_age: Duration) -> Result<Compacted, StoreError> {
        let mut report = Compacted::default();
        let (maintenance, _) = self.segments.maintenance()?;
        if maintenance.try_lock().is_err() {
            tracing::info!("a backup or another compaction is running; nothing was compacted");
            return Ok(report);
        }
        let old: Vec<i64> = self.old_segments(min_age)?;
        for segment in old {
            report.forgotten += self.database.write(Forget { segment }).await?;
            self.compact_segment(segment, &mut report).await?;
        }
        Ok(report)
    }

    /// Segments whose file was last written to at least so long ago. The
    /// present is the file system's own: that of a file just written.
    fn old_segments(&self, min_age: Duration) -> Result<Vec<i64>, StoreError> {
        let probe = self.segments.dir().join(format!("clock-{}", std::process::id()));
        let doing = |e: std::io::Error| StoreError::io("writing", &probe, &e);
        std::fs::write(&probe, b"now").map_err(doing)?;
        let now = std::fs::metadata(&probe).and_then(|m| m.modified()).map_err(doing);
        std::fs::remove_file(&probe).map_err(doing)?;
        let now = now?;
        let mut old = self.segments.numbers()?;
        old.retain(|number| {
            let written = std::fs::metadata(self.segments.path(*number)).and_then(|m| m.modified());
            written.is_ok_and(|written| now.duration_since(written).is_ok_and(|age| age >= min_age))
        });
        Ok(old)
    }

    async fn compact_segment(&self, segment: i64, report: &mut Compacted) -> Result<(), StoreError> {
        let Some((file, length)) = self.segments.lock(segment)? else { return Ok(()) };
        let rows = self.database.read(Living { segment }).await?;
        let alive: i64 = rows.iter().map(|row| row.stored).sum();
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        if alive > length / 2 {
            return Ok(());
        }
        let mut writer = self.writer();
        for batch in rows.chunks(BATCH) {
            let batch = batch.to_vec();
            let source = Arc::new(file.try_clone().map_err(|e| StoreError::Io(e.to_string()))?);
            let copied = blocking(move || {
                for row in batch {
                    copy(&source, row, &mut writer)?;
                }
                Ok(writer)
            })
            .await?;
            writer = copied;
            let places = writer.sync().await?;
            report.moved += places.len() as u64;
            report.freed -= places.iter().map(|p| p.stored).sum::<i64>();
            self.database.write(Move { from: segment, places }).await?;
        }
        if self.database.read(Living { segment }).await?.is_empty() {
            self.segments.remove(segment)?;
            report.segments_removed += 1;
            report.freed += length;
        }
        Ok(())
    }
}

fn copy(source: &Arc<std::fs::File>, row: StoredBlob, writer: &mut BlobWriter) -> Result<(), StoreError> {
    let mut reader = BlobReader::new(Arc::clone(source), row);
    writer.begin(reader.size())?;
    while let Some(chunk) = reader.chunk()? {
        writer.write(&chunk)?;
    }
    writer.finish().map(|_| ())
}

/// Removes the rows of a segment whose blob no record names.
struct Forget {
    segment: i64,
}

impl Work for Forget {
    type Out = u64;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<u64, StoreError> {
        if tx.dialect() == Dialect::Postgres {
            // Waits for commits that are about to refer to one of them.
            tx.batch("LOCK TABLE pr_blob IN SHARE ROW EXCLUSIVE MODE").await?;
        }
        let mut sql = String::from("DELETE FROM pr_blob WHERE segment = $1");
        for (table, column) in REFERRING {
            sql.push_str(&format!(" AND hash NOT IN (SELECT {column} FROM {table} WHERE {column} IS NOT NULL)"));
        }
        Ok(tx.execute(&sql, &[self.segment.into()]).await?)
    }
}

struct Living {
    segment: i64,
}

impl Work for Living {
    type Out = Vec<StoredBlob>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out, StoreError> {
        let sql = "SELECT hash, segment, start, stored, raw FROM pr_blob WHERE segment = $1 ORDER BY start";
        let rows = tx.rows(sql, &[self.segment.into()], &ROW).await?;
        Ok(rows.iter().filter_map(|row| stored(row)).collect())
    }
}

struct Move {
    from: i64,
    places: Vec<StoredBlob>,
}

impl Work for Move {
    type Out = ();
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let sql = "UPDATE pr_blob SET segment = $1, start = $2, stored = $3 WHERE hash = $4 AND segment = $5";
        for place in &self.places {
            let binds: [Bind; 5] = [
                place.segment.into(),
                place.start.into(),
                place.stored.into(),
                Bind::Bytes(place.id.0.to_vec()),
                self.from.into(),
            ];
            tx.execute(sql, &binds).await?;
        }
        Ok(())
    }
}

/// The blobs that records name but the index does not know.
pub(crate) struct Lost;

impl Work for Lost {
    type Out = Vec<(String, BlobId)>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out, StoreError> {
        let mut lost = Vec::new();
        for (table, column) in REFERRING {
            let sql = format!(
                "SELECT DISTINCT {column} FROM {table} AS t WHERE {column} IS NOT NULL \
                 AND NOT EXISTS (SELECT 1 FROM pr_blob WHERE hash = t.{column}) LIMIT 1000"
            );
            for row in tx.rows_once(&sql, &[], &[Want::Bytes]).await? {
                let Some(Value::Bytes(hash)) = row.first() else { continue };
                lost.extend(BlobId::try_from(hash.as_slice()).ok().map(|id| ((*table).to_owned(), id)));
            }
        }
        Ok(lost)
    }
}
