//! Reading records, counts and secrets.

use model::record::Entity;
use model::{Id, Query, Record, Ref, Secret, Table, Value};

use crate::bind::Bind;
use crate::error::StoreError;
use crate::secrets::rotate::{Kept, SECRET_WANTS};
use crate::select::{Answer, Select};
use crate::shape::Want;
use crate::store::Store;
use crate::tx::{Tx, Work};

impl Store {
    /// One row with all its columns.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn get(&self, table: &'static Table, id: Id) -> Result<Option<Record>, StoreError> {
        let select = Select::row(table, id)?;
        Ok(self.database().read(Rows(select)).await?.pop())
    }

    /// One row as its struct.
    ///
    /// # Errors
    /// When the database does not answer, or the row does not fit the struct.
    pub async fn load<E: Entity>(&self, id: Id) -> Result<Option<E>, StoreError> {
        let record = self.get(E::TABLE, id).await?;
        Ok(record.map(|r| E::from_record(&r)).transpose()?)
    }

    /// The rows that the query asks for, in its order.
    ///
    /// # Errors
    /// When the database does not answer, or the query names what is not declared.
    pub async fn query(&self, query: &Query) -> Result<Vec<Record>, StoreError> {
        let select = Select::rows(query, self.database().dialect())?;
        self.database().read(Rows(select)).await
    }

    /// The same as structs. `select` is ignored: a struct needs its columns.
    ///
    /// # Errors
    /// As [`Store::query`], and when a row does not fit the struct.
    pub async fn list<E: Entity>(&self, query: &Query) -> Result<Vec<E>, StoreError> {
        let mut query = query.clone();
        query.select.clear();
        let records = self.query(&query).await?;
        Ok(records.iter().map(E::from_record).collect::<Result<_, _>>()?)
    }

    /// How many rows satisfy the filter; limit and paging are ignored.
    ///
    /// # Errors
    /// As [`Store::query`].
    pub async fn count(&self, query: &Query) -> Result<u64, StoreError> {
        let select = Select::count(query, self.database().dialect())?;
        self.database().read(Count(select)).await
    }

    /// Opens a sealed secret; `None` where none is stored.
    ///
    /// # Errors
    /// [`StoreError::Keys`] when it does not open.
    pub async fn reveal(&self, table: &'static Table, id: Id, column: &str) -> Result<Option<Secret>, StoreError> {
        let sealed = self.database().read(Sealed { row: Ref::new(table.logical, id), column: column.into() }).await?;
        sealed.map(|kept| self.keys().unseal(kept.row, &kept.column, &kept.sealed)).transpose()
    }
}

pub(crate) struct Rows(pub(crate) Select);

impl Work for Rows {
    type Out = Vec<Record>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<Record>, StoreError> {
        let Answer::Rows { table, reads, wants } = &self.0.answer else { return Ok(Vec::new()) };
        let statement = self.0.chosen(tx).await?;
        let rows = if self.0.keep {
            tx.rows(&statement.sql, &statement.binds, wants).await?
        } else {
            tx.rows_once(&statement.sql, &statement.binds, wants).await?
        };
        rows.into_iter().map(|row| crate::select::record(table, reads, row)).collect()
    }
}

struct Count(Select);

impl Work for Count {
    type Out = u64;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<u64, StoreError> {
        let statement = self.0.chosen(tx).await?;
        let rows = tx.rows_once(&statement.sql, &statement.binds, &[Want::Int]).await?;
        let count = rows.first().and_then(|r| r.first()).and_then(Value::as_int);
        Ok(count.and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
    }
}

struct Sealed {
    row: Ref,
    column: String,
}

impl Work for Sealed {
    type Out = Option<Kept>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Option<Kept>, StoreError> {
        let sql = "SELECT tablename, row, columnname, keyid, nonce, sealed FROM pr_secret \
             WHERE row = $1 AND columnname = $2 AND tablename = $3";
        let binds: [Bind; 3] = [self.row.id.into(), self.column.clone().into(), self.row.table.into()];
        let rows = tx.rows(sql, &binds, &SECRET_WANTS).await?;
        Ok(rows.into_iter().next().and_then(Kept::read))
    }
}
