//! Raw messages and attachments, named by their SHA-256.
//!
//! The bytes stand in append-only segment files; the database says where. A
//! batch is appended, made durable with one fsync, and only then do the rows
//! that refer to it go into the database, in the same transaction as its
//! place ([`model::Commit::blobs`]). What a crash leaves behind in a segment
//! without such a row is dead weight until the next [`Blobs::compact`].

use std::path::PathBuf;
use std::sync::Arc;

use model::Value;
use model::mail::{BlobId, StoredBlob};

use crate::bind::Bind;
use crate::blobs::segment::Segments;
use crate::db::Database;
use crate::error::StoreError;
use crate::shape::Want;
use crate::tx::{Tx, Work};

mod compact;
mod reader;
mod segment;
mod verify;
mod writer;

pub use compact::Compacted;
pub(crate) use compact::Lost;
pub use reader::BlobReader;
pub use verify::Damage;
pub use writer::{BlobWriter, Written};

/// The blob store of one installation.
pub struct Blobs {
    segments: Arc<Segments>,
    database: Arc<Database>,
}

/// How a row of `pr_blob` is read: `hash, segment, start, stored, raw`.
const ROW: [Want; 5] = [Want::Bytes, Want::Int, Want::Int, Want::Int, Want::Int];

fn stored(row: &[Value]) -> Option<StoredBlob> {
    let Value::Bytes(hash) = row.first()? else { return None };
    Some(StoredBlob {
        id: BlobId::try_from(hash.as_slice()).ok()?,
        segment: row.get(1)?.as_int()?,
        start: row.get(2)?.as_int()?,
        stored: row.get(3)?.as_int()?,
        raw: row.get(4)?.as_int()?,
    })
}

impl Blobs {
    pub(crate) fn new(dir: PathBuf, database: Arc<Database>) -> Self {
        Self { segments: Arc::new(Segments::new(dir)), database }
    }

    /// The same blobs as a transaction sees them.
    pub(crate) fn over(&self, database: Arc<Database>) -> Self {
        Self { segments: Arc::clone(&self.segments), database }
    }

    /// A writer with a segment file of its own: one for each worker, so that
    /// none waits for another.
    pub fn writer(&self) -> BlobWriter {
        BlobWriter::new(Arc::clone(&self.segments))
    }

    /// A writer where there is no database yet.
    pub(crate) fn writer_at(dir: PathBuf) -> BlobWriter {
        BlobWriter::new(Arc::new(Segments::new(dir)))
    }

    /// While this is held, nobody compacts.
    pub(crate) fn keep_all(&self) -> Result<std::fs::File, StoreError> {
        let (file, path) = self.segments.maintenance()?;
        file.lock_shared().map_err(|e| StoreError::io("locking", &path, &e))?;
        Ok(file)
    }

    /// Where a blob stands; `None` where there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find(&self, id: BlobId) -> Result<Option<StoredBlob>, StoreError> {
        self.database.read(Find(id)).await
    }

    /// Opens a blob for reading from its start, in chunks of at most 256 KiB.
    ///
    /// # Errors
    /// [`StoreError::NoBlob`] where there is none.
    pub async fn open(&self, id: BlobId) -> Result<BlobReader, StoreError> {
        for _ in 0..2 {
            let Some(place) = self.find(id).await? else { break };
            // Compaction may have moved it since; then it is found elsewhere.
            if let Some(file) = self.segments.file(place.segment)? {
                return Ok(BlobReader::new(file, place));
            }
        }
        Err(StoreError::NoBlob(id.to_string()))
    }

    /// The whole content.
    ///
    /// # Errors
    /// [`StoreError::NoBlob`]; [`StoreError::DamagedBlob`] where the content
    /// is no longer what its name says.
    pub async fn read(&self, id: BlobId) -> Result<Vec<u8>, StoreError> {
        let reader = self.open(id).await?;
        blocking(move || reader.read_all()).await
    }

    /// `length` octets from `offset` on, fewer where the content ends before.
    ///
    /// # Errors
    /// As [`Blobs::read`], though a part is not checked against the name.
    pub async fn read_range(&self, id: BlobId, offset: u64, length: u64) -> Result<Vec<u8>, StoreError> {
        let reader = self.open(id).await?;
        blocking(move || reader.read_range(offset, length)).await
    }

    /// Content that is at hand: appended and made durable. The place returned
    /// belongs into the commit that refers to it.
    ///
    /// # Errors
    /// When the file system refuses.
    pub async fn put(&self, content: &[u8]) -> Result<(Written, Vec<StoredBlob>), StoreError> {
        let mut writer = self.writer();
        writer.begin(content.len() as u64)?;
        writer.write(content)?;
        let written = writer.finish()?;
        Ok((written, writer.sync().await?))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(StoreError::Io(e.to_string())))
}

struct Find(BlobId);

impl Work for Find {
    type Out = Option<StoredBlob>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out, StoreError> {
        let sql = "SELECT hash, segment, start, stored, raw FROM pr_blob WHERE hash = $1";
        let rows = tx.rows(sql, &[Bind::Bytes(self.0.0.to_vec())], &ROW).await?;
        Ok(rows.first().and_then(|row| stored(row)))
    }
}
