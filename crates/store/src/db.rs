//! The database behind the store: either one.

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::options::{Options, QUERY_TIMEOUT};
use crate::postgres::Postgres;
use crate::sqlite::{Mode, Readers, SqliteTx, Writer};
use crate::tx::{Tx, Work};

pub(crate) enum Database {
    Sqlite { writer: Writer, readers: Readers, path: std::path::PathBuf },
    Postgres(Postgres),
}

impl Database {
    /// Connects. For SQLite the schema must be there already, since the
    /// readers look at it.
    pub(crate) fn start(options: &Options) -> Result<Self, StoreError> {
        Ok(match &options.database {
            Some(url) => Self::Postgres(Postgres::new(url, options)?),
            None => {
                let path = options.sqlite_path();
                let writer = Writer::start(SqliteTx::open(&path, Mode::Write)?)?;
                let readers = Readers::start(&path, options.readers, QUERY_TIMEOUT)?;
                Self::Sqlite { writer, readers, path }
            }
        })
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite { .. } => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// One transaction that writes, durable when this returns.
    pub(crate) async fn write<W: Work>(&self, work: W) -> Result<W::Out, W::Error> {
        match self {
            Self::Sqlite { writer, .. } => {
                writer.submit(work).await.unwrap_or_else(|_| Err(W::Error::from(StoreError::Closed)))
            }
            Self::Postgres(postgres) => postgres.write(work).await,
        }
    }

    pub(crate) async fn read<W: Work>(&self, work: W) -> Result<W::Out, W::Error> {
        match self {
            Self::Sqlite { readers, .. } => readers.read(work).await,
            Self::Postgres(postgres) => postgres.read(work).await,
        }
    }

    /// A connection of one's own, for long work.
    pub(crate) async fn connect(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite { path, .. } => Ok(Tx::Sqlite(SqliteTx::open(path, Mode::Read)?)),
            Self::Postgres(postgres) => postgres.connect().await,
        }
    }
}
