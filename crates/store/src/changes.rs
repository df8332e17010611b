//! What those who follow changes need besides the rows: how far it is safe to
//! read, and what was deleted.

use model::{Id, Table, Timestamp, Value};

use crate::bind::Bind;
use crate::error::StoreError;
use crate::shape::Want;
use crate::store::Store;
use crate::tx::{Tx, Work};

/// A row that is there no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deleted {
    pub id: Id,
    /// Under which version it went.
    pub version: i64,
}

/// Whose deleted rows are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owners {
    /// Everybody's, and nobody's.
    All,
    /// Those of these users and teams, and of the users and teams of these
    /// business units.
    Some { owners: Vec<Id>, units: Vec<Id> },
}

impl Owners {
    /// The condition on `pr_tombstone AS d`.
    fn condition(&self, binds: &mut Vec<Bind>) -> String {
        let Self::Some { owners, units } = self else { return String::new() };
        let mut list = |ids: &[Id]| {
            let numbers: Vec<String> = ids
                .iter()
                .map(|id| {
                    binds.push((*id).into());
                    format!("${}", binds.len())
                })
                .collect();
            numbers.join(", ")
        };
        let mut any = Vec::new();
        if !owners.is_empty() {
            any.push(format!("d.owner IN ({})", list(owners)));
        }
        if !units.is_empty() {
            let units = list(units);
            for (table, id) in [("systemuser", "systemuserid"), ("team", "teamid")] {
                any.push(format!("d.owner IN (SELECT {id} FROM {table} WHERE businessunitid IN ({units}))"));
            }
        }
        if any.is_empty() { " AND FALSE".to_owned() } else { format!(" AND ({})", any.join(" OR ")) }
    }
}

impl Store {
    /// A version such that nothing is ever committed any more under it or a
    /// lower one. Who has read what is above version `a` up to this one reads
    /// on from this one and misses nothing. It may be lower than one that was
    /// told before, which holds as well.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn watermark(&self) -> Result<i64, StoreError> {
        self.database().read(Watermark).await
    }

    /// The last version that was given out, whatever became of it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn last_version(&self) -> Result<i64, StoreError> {
        self.database().read(LastVersion).await
    }

    /// Rows deleted under a version above `after` and not above `upto`, in
    /// that order, at most so many. A row that was made again is not among them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn deleted(
        &self,
        table: &'static Table,
        after: i64,
        upto: i64,
        whose: Owners,
        most: usize,
    ) -> Result<Vec<Deleted>, StoreError> {
        self.database().read(Tombstones { table, after, upto, whose, most }).await
    }

    /// Up to which version the marks of deleted rows are gone.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forgotten(&self, table: &'static Table) -> Result<i64, StoreError> {
        self.database().read(Forgotten(table)).await
    }

    /// Removes the marks of rows deleted before this moment. Returns how many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_deleted(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.database().write(Forget(before)).await
    }
}

struct Watermark;

impl Work for Watermark {
    type Out = i64;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<i64, StoreError> {
        Ok(tx.watermark().await?)
    }
}

struct LastVersion;

impl Work for LastVersion {
    type Out = i64;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<i64, StoreError> {
        Ok(tx.last_version().await?)
    }
}

struct Tombstones {
    table: &'static Table,
    after: i64,
    upto: i64,
    whose: Owners,
    most: usize,
}

impl Work for Tombstones {
    type Out = Vec<Deleted>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<Deleted>, StoreError> {
        let mut binds: Vec<Bind> = vec![self.table.logical.into(), self.after.into(), self.upto.into()];
        let whose = self.whose.condition(&mut binds);
        binds.push(i64::try_from(self.most).unwrap_or(i64::MAX).into());
        // SQLite numbers parameters as they appear: the limit's comes last.
        let sql = format!(
            "SELECT d.row, d.version FROM pr_tombstone AS d WHERE d.tablename = $1 AND d.version > $2 AND d.version <= $3 \
             AND NOT EXISTS (SELECT 1 FROM \"{}\" AS t WHERE t.\"{}\" = d.row){whose} ORDER BY d.version LIMIT ${}",
            self.table.logical,
            self.table.id,
            binds.len()
        );
        let rows = tx.rows(&sql, &binds, &[Want::Id, Want::Int]).await?;
        Ok(rows
            .iter()
            .filter_map(|row| Some(Deleted { id: row.first()?.as_id()?, version: row.get(1)?.as_int()? }))
            .collect())
    }
}

struct Forgotten(&'static Table);

impl Work for Forgotten {
    type Out = i64;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<i64, StoreError> {
        let sql = "SELECT version FROM pr_forgotten WHERE tablename = $1";
        let rows = tx.rows(sql, &[self.0.logical.into()], &[Want::Int]).await?;
        Ok(rows.first().and_then(|r| r.first()).and_then(Value::as_int).unwrap_or(0))
    }
}

struct Forget(Timestamp);

impl Work for Forget {
    type Out = u64;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<u64, StoreError> {
        let before = [Bind::from(self.0)];
        let sql = "INSERT INTO pr_forgotten (tablename, version) \
             SELECT tablename, max(version) FROM pr_tombstone WHERE deletedon < $1 GROUP BY tablename \
             ON CONFLICT (tablename) DO UPDATE SET version = excluded.version \
             WHERE pr_forgotten.version < excluded.version";
        tx.execute(sql, &before).await?;
        Ok(tx.execute("DELETE FROM pr_tombstone WHERE deletedon < $1", &before).await?)
    }
}
