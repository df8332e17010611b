//! What can go wrong, in words for the caller: try again, correct the
//! request, or call the administrator.

use model::record::WrongType;
use model::{Ref, Table};

/// The store cannot answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("there is no database at {0}; `postroom init` makes one")]
    Absent(String),
    #[error("there is a database at {0} already; it was not touched")]
    Present(String),
    #[error(
        "the database is newer than this program: it holds migration {found}, the program knows {known}. Install the newer program again"
    )]
    Newer { found: i64, known: i64 },
    #[error(
        "migration {version} ({name}) was applied to this database with another content than this program has; use the program that made the database"
    )]
    ChangedMigration { version: i64, name: String },
    /// An aggregate over more rows than this.
    #[error("the aggregate is over more than {0} rows")]
    TooManyAggregated(usize),
    /// Rows can be counted over up to this one; further pages need to know
    /// where the last one ended.
    #[error("pages are found by their number up to row {0}")]
    PageTooFar(u64),
    #[error("the database did not answer in time")]
    Timeout,
    /// A query that no database would answer; in words for whoever asked.
    #[error("{0}")]
    TooComplex(String),
    /// Two transactions were in each other's way; trying again helps.
    #[error("the database is busy: {0}")]
    Busy(String),
    #[error("database: {0}")]
    Database(String),
    #[error("{0}")]
    Keys(String),
    #[error("{0}")]
    Io(String),
    #[error("the message {0} is missing from the blob store; run `postroom doctor`")]
    NoBlob(String),
    #[error("the message {0} is damaged in the blob store; run `postroom doctor`")]
    DamagedBlob(String),
    #[error("backup: {0}")]
    Backup(String),
    /// A row that every installation has, or that the caller was working on.
    #[error("{0} is missing from the database")]
    Missing(String),
    #[error(transparent)]
    WrongType(#[from] WrongType),
    /// A fault in the program: the declaration has no such column.
    #[error("{table} has no column {column} that this can be done with")]
    NoColumn { table: &'static str, column: String },
    /// A fault in the program: the value is of another type than the column.
    #[error("the value for {table}.{column} is of another type than the column")]
    NoFit { table: &'static str, column: &'static str },
    /// An interactive transaction had its time; nothing of it stays.
    #[error("the transaction took too long and was rolled back; change fewer rows at once")]
    TooLong,
    #[error("the store has been closed")]
    Closed,
}

/// A commit did not happen; nothing of it stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    #[error("conflict: {what}")]
    Conflict { what: Conflict },
    /// The lease was lost to somebody else: drop the work, they have it.
    #[error("the lease on this work was lost")]
    Fenced,
    #[error("{0} does not exist")]
    NotFound(Ref),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What stands in the way of a commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Another row of `table` has the same value in these columns already;
    /// the primary key's name where the id is taken.
    #[error("{table} with this {} is there already", columns.join(", "))]
    Duplicate { table: &'static str, columns: Vec<String> },
    /// The column no longer holds what was expected.
    #[error("{row}: {column} has changed")]
    Expectation { row: Ref, column: &'static str },
    /// The row was changed since it was read.
    #[error("{row} has changed; its version is now {current}")]
    Version { row: Ref, current: i64 },
}

impl From<Conflict> for CommitError {
    fn from(what: Conflict) -> Self {
        Self::Conflict { what }
    }
}

impl StoreError {
    pub(crate) fn no_column(table: &'static Table, column: &str) -> Self {
        Self::NoColumn { table: table.logical, column: column.to_owned() }
    }

    pub(crate) fn io(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::Io(format!("{doing} {}: {error}", path.display()))
    }
}

/// A statement failed, before anybody knows what it means.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// SQLite's message or PostgreSQL's constraint name.
    Unique(String),
    /// Serialization failure, deadlock, lock time-out.
    Retry(String),
    Timeout,
    Other(String),
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unique(text) | Fault::Other(text) => Self::Database(text),
            Fault::Retry(text) => Self::Busy(text),
            Fault::Timeout => Self::Timeout,
        }
    }
}
