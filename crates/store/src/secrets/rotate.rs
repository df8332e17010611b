//! A new key for everything, while the service runs.
//!
//! The new key is added to the ring, then every secret is sealed anew in
//! small batches, then the old keys go. Stopped in the middle, it starts over
//! with another new key and the old ones still in the ring. Another process
//! that still seals with an old key meanwhile is caught by the last look.

use model::{Id, Ref, Timestamp, Value, tables};

use crate::bind::Bind;
use crate::error::StoreError;
use crate::secrets::Sealed;
use crate::shape::Want;
use crate::store::Store;
use crate::tx::{Tx, Work};

const BATCH: i64 = 100;

/// Seals a batch of secrets anew; how many there were.
struct Reseal {
    store: std::sync::Arc<crate::secrets::Keys>,
    key: String,
}

/// One sealed secret with its place.
pub(crate) struct Kept {
    pub(crate) row: Ref,
    pub(crate) column: String,
    pub(crate) sealed: Sealed,
}

pub(crate) const SECRET_WANTS: [Want; 6] = [Want::Text, Want::Id, Want::Text, Want::Text, Want::Bytes, Want::Bytes];

impl Kept {
    /// From `tablename, row, columnname, keyid, nonce, sealed`.
    pub(crate) fn read(values: Vec<Value>) -> Option<Self> {
        let mut values = values.into_iter();
        let mut next = || values.next();
        let table = tables::by_logical_name(next()?.as_text()?)?.logical;
        let row: Id = next()?.as_id()?;
        let Some(Value::Text(column)) = next() else { return None };
        let Some(Value::Text(key)) = next() else { return None };
        let Some(Value::Bytes(nonce)) = next() else { return None };
        let Some(Value::Bytes(bytes)) = next() else { return None };
        Some(Self { row: Ref::new(table, row), column, sealed: Sealed { key, nonce, bytes } })
    }
}

impl Work for Reseal {
    type Out = u64;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<u64, StoreError> {
        let sql = format!(
            "SELECT tablename, row, columnname, keyid, nonce, sealed FROM pr_secret WHERE keyid <> $1 \
             ORDER BY row, columnname LIMIT $2{}",
            tx.dialect().skip_locked()
        );
        let rows = tx.rows(&sql, &[self.key.clone().into(), BATCH.into()], &SECRET_WANTS).await?;
        let mut done = 0;
        for values in rows {
            let kept =
                Kept::read(values).ok_or_else(|| StoreError::Database("a sealed secret of an unknown table".into()))?;
            let plain = self.store.unseal(kept.row, &kept.column, &kept.sealed)?;
            let sealed = self.store.seal(kept.row, &kept.column, &plain)?;
            let sql = "UPDATE pr_secret SET keyid = $1, nonce = $2, sealed = $3 WHERE row = $4 AND columnname = $5";
            let binds: [Bind; 5] =
                [sealed.key.into(), sealed.nonce.into(), sealed.bytes.into(), kept.row.id.into(), kept.column.into()];
            done += tx.execute(sql, &binds).await?;
        }
        Ok(done)
    }
}

/// How many secrets there are in all.
struct Count;

impl Work for Count {
    type Out = u64;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<u64, StoreError> {
        let rows = tx.rows("SELECT count(*) FROM pr_secret", &[], &[Want::Int]).await?;
        Ok(rows
            .first()
            .and_then(|r| r.first())
            .and_then(Value::as_int)
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or(0))
    }
}

impl Store {
    /// Seals every secret with a new key and drops the old ones from the key
    /// file. `progress` gets how many are done and how many there are.
    ///
    /// # Errors
    /// [`StoreError::Keys`] where a secret does not open: then the old keys stay.
    pub async fn rotate_key(&self, now: Timestamp, mut progress: impl FnMut(u64, u64)) -> Result<(), StoreError> {
        let keys = self.keys();
        let total = self.database().read(Count).await?;
        let key = keys.add(Some(now.as_second()))?;
        let mut done = 0;
        progress(0, total);
        loop {
            let batch = self.database().write(Reseal { store: std::sync::Arc::clone(keys), key: key.clone() }).await?;
            if batch == 0 {
                break;
            }
            done += batch;
            progress(done, total.max(done));
        }
        if keys.count() > 1 {
            keys.keep_only(&key)?;
        }
        Ok(())
    }
}
