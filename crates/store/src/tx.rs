//! One connection with its transaction, whichever database it is to.
//!
//! Everything above speaks to this. The methods are `async` for PostgreSQL's
//! sake; on SQLite they are ready at once, so that the writer thread drives
//! them without an executor.

use std::sync::Arc;

use model::Value;

use crate::bind::Bind;
use crate::dialect::Dialect;
use crate::error::{Fault, StoreError};
use crate::postgres::PostgresTx;
use crate::shape::Want;
use crate::sqlite::SqliteTx;

pub(crate) enum Tx {
    Sqlite(SqliteTx),
    Postgres(PostgresTx),
}

/// A statement of a plan.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) sql: Arc<str>,
    pub(crate) binds: Vec<Bind>,
    /// The plan fails when the statement finds or changes no row; says what that means.
    pub(crate) must: Option<Must>,
    /// Not run when the step with this index changed nothing.
    pub(crate) only_if: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Must {
    HoldLease,
    /// Find the row of the change with this index.
    FindRow(usize),
}

/// Why a plan stopped, and at which step.
#[derive(Debug)]
pub(crate) enum Stopped {
    Empty(Must),
    Fault(Fault),
}

impl Step {
    pub(crate) fn new(sql: Arc<str>, binds: Vec<Bind>) -> Self {
        Self { sql, binds, must: None, only_if: None }
    }
}

impl Tx {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs one statement; the number of rows changed (or found, for a SELECT).
    pub(crate) async fn execute(&mut self, sql: &str, binds: &[Bind]) -> Result<u64, Fault> {
        match self {
            Self::Sqlite(tx) => tx.execute(sql, binds),
            Self::Postgres(tx) => tx.execute(sql, binds).await,
        }
    }

    /// Runs one statement of fixed text and reads its rows.
    pub(crate) async fn rows(&mut self, sql: &str, binds: &[Bind], wants: &[Want]) -> Result<Vec<Vec<Value>>, Fault> {
        match self {
            Self::Sqlite(tx) => tx.rows(sql, binds, wants),
            Self::Postgres(tx) => tx.rows(sql, binds, wants, true).await,
        }
    }

    /// The same for a text that may be a new one every time: PostgreSQL does
    /// not keep its plan.
    pub(crate) async fn rows_once(
        &mut self,
        sql: &str,
        binds: &[Bind],
        wants: &[Want],
    ) -> Result<Vec<Vec<Value>>, Fault> {
        match self {
            Self::Sqlite(tx) => tx.rows(sql, binds, wants),
            Self::Postgres(tx) => tx.rows(sql, binds, wants, false).await,
        }
    }

    /// Runs a plan's statements in order, up to the first that fails; how many
    /// rows each changed.
    pub(crate) async fn run(&mut self, steps: &[Step]) -> Result<Vec<u64>, Stopped> {
        match self {
            Self::Sqlite(tx) => tx.run(steps),
            Self::Postgres(tx) => tx.run(steps).await,
        }
    }

    /// Text with several statements and no parameters.
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), Fault> {
        match self {
            Self::Sqlite(tx) => tx.batch(sql),
            Self::Postgres(tx) => tx.batch(sql).await,
        }
    }

    /// The first of `count` new numbers of the global version counter.
    pub(crate) async fn versions(&mut self, count: i64) -> Result<i64, Fault> {
        match self {
            Self::Sqlite(tx) => Ok(tx.versions(count)),
            Self::Postgres(tx) => tx.versions(count).await,
        }
    }

    /// Goes on counting versions after this number.
    pub(crate) async fn set_last_version(&mut self, version: i64) -> Result<(), Fault> {
        match self {
            Self::Sqlite(tx) => {
                tx.set_version(version);
                Ok(())
            }
            Self::Postgres(tx) => {
                let sql = "SELECT setval('pr_version', $1)";
                tx.execute(sql, &[Bind::Int(version.max(1))]).await.map(|_| ())
            }
        }
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin(&mut self) -> Result<(), Fault> {
        match self {
            Self::Sqlite(tx) => tx.begin(),
            Self::Postgres(tx) => tx.batch("BEGIN").await,
        }
    }

    /// The same for one that may give out version numbers: until it ends,
    /// [`Tx::watermark`] does not go beyond the numbers given out before it.
    pub(crate) async fn begin_counted(&mut self) -> Result<(), Fault> {
        match self {
            Self::Sqlite(tx) => tx.begin(),
            Self::Postgres(tx) => tx.begin_counted("BEGIN").await,
        }
    }

    /// The last version number that was given out.
    pub(crate) async fn last_version(&mut self) -> Result<i64, Fault> {
        match self {
            Self::Sqlite(tx) => tx.last_version(),
            Self::Postgres(tx) => tx.last_version().await,
        }
    }

    /// All that was written under a version number up to this one is there to
    /// be read, or never will be.
    pub(crate) async fn watermark(&mut self) -> Result<i64, Fault> {
        match self {
            // One writer: numbers are given out in the order of the commits.
            Self::Sqlite(tx) => tx.last_version(),
            Self::Postgres(tx) => tx.watermark().await,
        }
    }

    /// The same as [`Tx::begin_counted`] for a transaction that reads before it
    /// decides: everything it reads is of one moment, and a row that others
    /// changed since is a conflict.
    pub(crate) async fn begin_steady(&mut self) -> Result<(), Fault> {
        match self {
            Self::Sqlite(tx) => tx.begin(),
            Self::Postgres(tx) => tx.begin_counted("BEGIN ISOLATION LEVEL REPEATABLE READ").await,
        }
    }

    pub(crate) async fn commit(&mut self) -> Result<(), Fault> {
        match self {
            Self::Sqlite(tx) => tx.commit(),
            Self::Postgres(tx) => tx.batch("COMMIT").await,
        }
    }

    pub(crate) async fn rollback(&mut self) {
        // A connection that cannot roll back is thrown away by its pool, or
        // says so at the next BEGIN.
        let _ = self.batch("ROLLBACK").await;
    }

    /// Begins a transaction that sees one state of the database and changes nothing.
    pub(crate) async fn begin_snapshot(&mut self) -> Result<(), Fault> {
        match self {
            Self::Sqlite(tx) => tx.batch("BEGIN"),
            Self::Postgres(tx) => {
                tx.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0").await
            }
        }
    }
}

/// A unit of work inside a transaction. It may be run again after a
/// serialization failure.
pub(crate) trait Work: Send + Sync + 'static {
    type Out: Send + 'static;
    type Error: From<StoreError> + Retry + Send + 'static;
    fn run(&self, tx: &mut Tx) -> impl Future<Output = Result<Self::Out, Self::Error>> + Send;
}

/// Whether trying the same transaction again may help.
pub(crate) trait Retry {
    fn is_busy(&self) -> bool;
}

impl Retry for StoreError {
    fn is_busy(&self) -> bool {
        matches!(self, Self::Busy(_))
    }
}

impl Retry for crate::error::CommitError {
    fn is_busy(&self) -> bool {
        matches!(self, Self::Store(StoreError::Busy(_)))
    }
}
