//! The store itself: opened once, cloned freely.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use crate::blobs::Blobs;
use crate::db::Database;
use crate::error::StoreError;
use crate::memory::Memory;
use crate::migrate::{MIGRATIONS, is_initialized, migrate};
use crate::options::{Options, make_private_dir};
use crate::outbox::Outbox;
use crate::plan::{InsertTexts, Planner};
use crate::secrets::Keys;
use crate::session::Session;
use crate::sqlite::{Mode, SqliteTx};
use crate::tx::Tx;

/// All records, blobs and secrets of one installation. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    database: Arc<Database>,
    blobs: Blobs,
    keys: Arc<Keys>,
    texts: Arc<InsertTexts>,
    changed: watch::Sender<u64>,
    /// Turns of interactive transactions.
    transactions: Arc<Semaphore>,
    outbox: Outbox,
    memory: Memory,
    options: Options,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("database", &self.inner.options.shown()).finish()
    }
}

impl Store {
    /// Makes a new, empty installation: the database's tables, the key file
    /// (mode 0600) and the directory for blobs.
    ///
    /// # Errors
    /// [`StoreError::Present`] when there is one already; it is not touched.
    pub async fn create(options: &Options) -> Result<Self, StoreError> {
        if options.keys_path().exists() {
            return Err(StoreError::Present(options.keys_path().display().to_string()));
        }
        let mut tx = vacant(options).await?;
        migrate(&mut tx, MIGRATIONS).await?;
        drop(tx);
        let keys = Keys::create(&options.keys_path())?;
        Self::start(options, keys)
    }

    /// Opens an installation and brings its database up to this program.
    ///
    /// # Errors
    /// [`StoreError::Absent`], [`StoreError::Newer`],
    /// [`StoreError::ChangedMigration`], [`StoreError::Keys`].
    pub async fn open(options: &Options) -> Result<Self, StoreError> {
        let mut tx = match &options.database {
            None if !options.sqlite_path().exists() => return Err(StoreError::Absent(options.shown())),
            None => Tx::Sqlite(SqliteTx::open(&options.sqlite_path(), Mode::Write)?),
            Some(url) => crate::postgres::Postgres::new(url, options)?.connect().await?,
        };
        if !is_initialized(&mut tx).await? {
            return Err(StoreError::Absent(options.shown()));
        }
        let keys = Keys::open(&options.keys_path())?;
        migrate(&mut tx, MIGRATIONS).await?;
        drop(tx);
        let blobs = options.blobs_path();
        make_private_dir(&blobs).map_err(|e| StoreError::io("making", &blobs, &e))?;
        Self::start(options, keys)
    }

    pub(crate) fn start(options: &Options, keys: Keys) -> Result<Self, StoreError> {
        let database = Arc::new(Database::start(options)?);
        let blobs = Blobs::new(options.blobs_path(), Arc::clone(&database));
        let transactions = Arc::new(Semaphore::new(database.transactions()));
        Ok(Self {
            inner: Arc::new(Inner {
                database,
                blobs,
                keys: Arc::new(keys),
                texts: Arc::new(InsertTexts::default()),
                changed: watch::Sender::new(0),
                transactions,
                outbox: Outbox::default(),
                memory: Memory::default(),
                options: options.clone(),
            }),
        })
    }

    /// The same store inside one of its transactions.
    pub(crate) fn inside(&self, session: Session) -> Self {
        let database = Arc::new(Database::Session(session));
        let outer = &self.inner;
        Self {
            inner: Arc::new(Inner {
                blobs: outer.blobs.over(Arc::clone(&database)),
                database,
                keys: Arc::clone(&outer.keys),
                texts: Arc::clone(&outer.texts),
                changed: outer.changed.clone(),
                transactions: Arc::clone(&outer.transactions),
                // Subscriptions made inside count inside, and nowhere else yet.
                outbox: Outbox::default(),
                memory: Memory::default(),
                options: outer.options.clone(),
            }),
        }
    }

    /// Counts up whenever this process committed a change to due work or to an
    /// email: a worker that waits for it need not wait for the clock.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    /// Raw messages and attachments.
    pub fn blobs(&self) -> &Blobs {
        &self.inner.blobs
    }

    pub(crate) fn woke(&self, wakes: bool) {
        match self.database() {
            _ if !wakes => {}
            // Not before it is durable and to be seen.
            Database::Session(session) => session.will_wake(),
            _ => self.inner.changed.send_modify(|n| *n += 1),
        }
    }

    pub(crate) fn database(&self) -> &Database {
        &self.inner.database
    }

    pub(crate) fn shared_database(&self) -> &Arc<Database> {
        &self.inner.database
    }

    pub(crate) fn transactions(&self) -> &Arc<Semaphore> {
        &self.inner.transactions
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.inner.memory
    }

    pub(crate) fn keys(&self) -> &Arc<Keys> {
        &self.inner.keys
    }

    pub(crate) fn outbox(&self) -> &Outbox {
        &self.inner.outbox
    }

    pub(crate) fn options(&self) -> &Options {
        &self.inner.options
    }

    pub(crate) fn planner(&self) -> Planner<'_> {
        Planner::new(self.inner.database.dialect(), &self.inner.keys, &self.inner.texts, self.inner.outbox.steps())
    }
}

/// A connection to an empty database in a data directory that holds neither a
/// database nor messages.
pub(crate) async fn vacant(options: &Options) -> Result<Tx, StoreError> {
    let (data_dir, blobs) = (&options.data_dir, options.blobs_path());
    make_private_dir(data_dir).map_err(|e| StoreError::io("making", data_dir, &e))?;
    make_private_dir(&blobs).map_err(|e| StoreError::io("making", &blobs, &e))?;
    let mut there = std::fs::read_dir(&blobs).map_err(|e| StoreError::io("reading", &blobs, &e))?;
    if there.next().is_some() {
        return Err(StoreError::Present(blobs.display().to_string()));
    }
    let mut tx = match &options.database {
        None if options.sqlite_path().exists() => return Err(StoreError::Present(options.shown())),
        None => Tx::Sqlite(SqliteTx::open(&options.sqlite_path(), Mode::Create)?),
        Some(url) => crate::postgres::Postgres::new(url, options)?.connect().await?,
    };
    if is_initialized(&mut tx).await? {
        return Err(StoreError::Present(options.shown()));
    }
    Ok(tx)
}
