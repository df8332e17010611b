//! The database behind the store: either one, or a transaction of one.

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::options::Options;
use crate::postgres::Postgres;
use crate::session::Session;
use crate::sqlite::{Mode, Readers, SqliteTx, Writer};
use crate::tx::{Tx, Work};

pub(crate) enum Database {
    Sqlite { writer: Writer, readers: Readers, path: std::path::PathBuf },
    Postgres(Postgres),
    Session(Session),
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
                let readers = Readers::start(&path, options.readers, options.query_timeout)?;
                Self::Sqlite { writer, readers, path }
            }
        })
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite { .. } => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
            Self::Session(session) => session.dialect(),
        }
    }

    /// How many interactive transactions there may be at a time: on PostgreSQL
    /// others must still find a connection.
    pub(crate) fn transactions(&self) -> usize {
        match self {
            Self::Sqlite { .. } | Self::Session(_) => 1,
            Self::Postgres(_) => crate::postgres::CONNECTIONS / 2,
        }
    }

    /// One transaction that writes, durable when this returns.
    pub(crate) async fn write<W: Work>(&self, work: W) -> Result<W::Out, W::Error> {
        match self {
            Self::Sqlite { writer, .. } => {
                writer.submit(work).await.unwrap_or_else(|_| Err(W::Error::from(StoreError::Closed)))
            }
            Self::Postgres(postgres) => postgres.write(work).await,
            Self::Session(session) => session.write(work).await,
        }
    }

    pub(crate) async fn read<W: Work>(&self, work: W) -> Result<W::Out, W::Error> {
        match self {
            Self::Sqlite { readers, .. } => readers.read(work).await,
            Self::Postgres(postgres) => postgres.read(work).await,
            Self::Session(session) => session.read(work).await,
        }
    }

    /// A connection of one's own, for long work.
    pub(crate) async fn connect(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite { path, .. } => Ok(Tx::Sqlite(SqliteTx::open(path, Mode::Read)?)),
            Self::Postgres(postgres) => postgres.connect().await,
            Self::Session(session) => Box::pin(session.outer().connect()).await,
        }
    }
}
