//! Reads blobs to see whether they are still what their names say.

use model::mail::{BlobId, StoredBlob};

use super::{Blobs, ROW, blocking, stored};
use crate::bind::Bind;
use crate::blobs::reader::BlobReader;
use crate::error::StoreError;
use crate::tx::{Tx, Work};

const BATCH: i64 = 500;

/// A blob that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    pub id: BlobId,
    pub what: String,
}

impl Blobs {
    /// Reads every blob, or one of `sample` where that is more than 1.
    /// `progress` gets how many have been looked at and how many there are.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn verify(&self, sample: usize, mut progress: impl FnMut(u64, u64)) -> Result<Vec<Damage>, StoreError> {
        let total = self.database.read(CountBlobs).await?;
        let mut damages = Vec::new();
        let mut after = Vec::new();
        let mut looked = 0;
        loop {
            let rows = self.database.read(Page { after }).await?;
            let Some(last) = rows.last() else { break };
            after = last.id.0.to_vec();
            let count = rows.len() as u64;
            let segments = std::sync::Arc::clone(&self.segments);
            let found = blocking(move || {
                let mut found = Vec::new();
                for row in rows.into_iter().step_by(sample.max(1)) {
                    let id = row.id;
                    let read = match segments.file(row.segment) {
                        Ok(Some(file)) => read_through(BlobReader::new(file, row)),
                        Ok(None) => Err(StoreError::Io(format!("segment {} is missing", row.segment))),
                        Err(error) => Err(error),
                    };
                    if let Err(error) = read {
                        found.push(Damage { id, what: error.to_string() });
                    }
                }
                Ok(found)
            })
            .await?;
            damages.extend(found);
            looked += count;
            progress(looked, total.max(looked));
        }
        Ok(damages)
    }
}

fn read_through(mut reader: BlobReader) -> Result<(), StoreError> {
    while reader.chunk()?.is_some() {}
    Ok(())
}

/// The next places in the order of the names.
pub(super) struct Page {
    pub(super) after: Vec<u8>,
}

impl Work for Page {
    type Out = Vec<StoredBlob>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out, StoreError> {
        let sql = "SELECT hash, segment, start, stored, raw FROM pr_blob WHERE hash > $1 ORDER BY hash LIMIT $2";
        let rows = tx.rows(sql, &[Bind::Bytes(self.after.clone()), BATCH.into()], &ROW).await?;
        Ok(rows.iter().filter_map(|row| stored(row)).collect())
    }
}

pub(super) struct CountBlobs;

impl Work for CountBlobs {
    type Out = u64;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<u64, StoreError> {
        let rows = tx.rows("SELECT count(*) FROM pr_blob", &[], &[crate::shape::Want::Int]).await?;
        let count = rows.first().and_then(|r| r.first()).and_then(model::Value::as_int);
        Ok(count.and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
    }
}
