//! SQLite: one writer thread with group commit, several reader threads.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use model::{Id, Timestamp, Value};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::bind::Bind;
use crate::error::{Fault, StoreError};
use crate::shape::Want;
use crate::tx::{Step, Stopped};

mod functions;
mod readers;
mod seat;
mod writer;

pub(crate) use readers::Readers;
pub(crate) use seat::Seat;
pub(crate) use writer::Writer;

/// How long to wait for another process that is writing.
const BUSY: Duration = Duration::from_secs(30);
/// Prepared statements kept per connection: every table's few shapes of
/// INSERT and UPDATE, and the look-ups.
const STATEMENTS: usize = 256;
/// Page cache in KiB: the writer touches many indexes, readers few.
const WRITER_CACHE: i64 = 16 * 1024;
const READER_CACHE: i64 = 4 * 1024;

pub(crate) struct SqliteTx {
    conn: Connection,
    /// The last version number given out; valid inside a transaction.
    version: i64,
    read_version: i64,
    deadline: Arc<Deadline>,
}

/// When the running query must end.
pub(crate) struct Deadline {
    start: Instant,
    /// Milliseconds after `start`; 0: never.
    end: AtomicU64,
}

impl Deadline {
    fn new() -> Self {
        Self { start: Instant::now(), end: AtomicU64::new(0) }
    }

    pub(crate) fn after(&self, timeout: Duration) {
        self.end.store(millis(self.start.elapsed() + timeout).max(1), Ordering::Relaxed);
    }

    pub(crate) fn never(&self) {
        self.end.store(0, Ordering::Relaxed);
    }

    pub(crate) fn has_passed(&self) -> bool {
        match self.end.load(Ordering::Relaxed) {
            0 => false,
            end => millis(self.start.elapsed()) >= end,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn fault(error: &rusqlite::Error) -> Fault {
    let text = error.to_string();
    match error {
        rusqlite::Error::SqliteFailure(code, message) => match code.code {
            ErrorCode::ConstraintViolation
                if matches!(
                    code.extended_code,
                    rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                ) =>
            {
                Fault::Unique(message.clone().unwrap_or(text))
            }
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Fault::Retry(text),
            ErrorCode::OperationInterrupted => Fault::Timeout,
            _ => Fault::Other(text),
        },
        _ => Fault::Other(text),
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        fault(&error)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Makes the file; it must not exist.
    Create,
    Write,
    Read,
}

impl SqliteTx {
    pub(crate) fn open(path: &Path, mode: Mode) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX
            | match mode {
                Mode::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
                // A reader of a WAL database may have to make its index file.
                Mode::Write | Mode::Read => OpenFlags::SQLITE_OPEN_READ_WRITE,
            };
        let mut conn = Connection::open_with_flags(path, flags)
            .map_err(|e| StoreError::Database(format!("{}: {e}", path.display())))?;
        let deadline = Arc::new(Deadline::new());
        let late = Arc::clone(&deadline);
        let set_up = move |conn: &mut Connection| -> rusqlite::Result<()> {
            conn.busy_timeout(BUSY)?;
            conn.set_prepared_statement_cache_capacity(STATEMENTS);
            let cache = if mode == Mode::Read { READER_CACHE } else { WRITER_CACHE };
            conn.execute_batch(&format!(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -{cache};
                 PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF;
                 PRAGMA wal_autocheckpoint = 12000; PRAGMA journal_size_limit = 67108864; PRAGMA query_only = {};",
                mode == Mode::Read
            ))?;
            functions::add(conn, &late)
        };
        set_up(&mut conn).map_err(|e| StoreError::Database(format!("{}: {e}", path.display())))?;
        Ok(Self { conn, version: 0, read_version: 0, deadline })
    }

    pub(crate) fn deadline(&self) -> Arc<Deadline> {
        Arc::clone(&self.deadline)
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.conn
    }

    pub(crate) fn begin(&mut self) -> Result<(), Fault> {
        self.batch("BEGIN IMMEDIATE")?;
        // Another process may have counted on. Before the first migration
        // there is no counter yet.
        let counter = self.conn.prepare_cached("SELECT value FROM pr_counter WHERE name = 'version'");
        let value = counter.and_then(|mut s| s.query_row([], |row| row.get::<_, i64>(0))).unwrap_or(0);
        self.version = value;
        self.read_version = value;
        Ok(())
    }

    pub(crate) fn commit(&mut self) -> Result<(), Fault> {
        if self.version != self.read_version {
            let mut counter = self.conn.prepare_cached("UPDATE pr_counter SET value = $1 WHERE name = 'version'")?;
            counter.execute([self.version])?;
        }
        self.batch("COMMIT")
    }

    pub(crate) fn last_version(&mut self) -> Result<i64, Fault> {
        let mut counter = self.conn.prepare_cached(crate::dialect::Dialect::Sqlite.last_version())?;
        Ok(counter.query_row([], |row| row.get(0))?)
    }

    pub(crate) fn versions(&mut self, count: i64) -> i64 {
        let first = self.version + 1;
        self.version += count;
        first
    }

    pub(crate) fn set_version(&mut self, version: i64) {
        self.version = version;
    }

    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), Fault> {
        self.conn.execute_batch(sql).map_err(Fault::from)
    }

    pub(crate) fn execute(&mut self, sql: &str, binds: &[Bind]) -> Result<u64, Fault> {
        let mut statement = self.conn.prepare_cached(sql)?;
        for (n, bind) in binds.iter().enumerate() {
            statement.raw_bind_parameter(n + 1, bind)?;
        }
        if statement.readonly() {
            let mut rows = statement.raw_query();
            let mut found = 0;
            while rows.next()?.is_some() {
                found += 1;
            }
            return Ok(found);
        }
        Ok(statement.raw_execute()? as u64)
    }

    pub(crate) fn rows(&mut self, sql: &str, binds: &[Bind], wants: &[Want]) -> Result<Vec<Vec<Value>>, Fault> {
        let mut statement = self.conn.prepare_cached(sql)?;
        for (n, bind) in binds.iter().enumerate() {
            statement.raw_bind_parameter(n + 1, bind)?;
        }
        let mut rows = statement.raw_query();
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let values: Result<Vec<Value>, Fault> =
                wants.iter().enumerate().map(|(n, want)| read(row.get_ref(n)?, *want)).collect();
            out.push(values?);
        }
        Ok(out)
    }

    pub(crate) fn run(&mut self, steps: &[Step]) -> Result<Vec<u64>, Stopped> {
        let mut changed = vec![0; steps.len()];
        for (n, step) in steps.iter().enumerate() {
            if step.only_if.is_some_and(|earlier| changed[earlier] == 0) {
                continue;
            }
            let count = self.execute(&step.sql, &step.binds).map_err(Stopped::Fault)?;
            changed[n] = count;
            match step.must {
                Some(must) if count == 0 => return Err(Stopped::Empty(must)),
                _ => {}
            }
        }
        Ok(changed)
    }
}

fn read(value: ValueRef<'_>, want: Want) -> Result<Value, Fault> {
    Ok(match (want, value) {
        (_, ValueRef::Null) => Value::Null,
        (Want::Bool, ValueRef::Integer(n)) => Value::Bool(n != 0),
        (Want::Int, ValueRef::Integer(n)) => Value::Int(n),
        (Want::Time, ValueRef::Integer(n)) => time(n)?,
        (Want::Text, ValueRef::Text(text)) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        (Want::Bytes, ValueRef::Blob(bytes)) => Value::Bytes(bytes.to_vec()),
        (Want::Id, ValueRef::Blob(bytes)) => {
            Value::Id(Id::from_slice(bytes).map_err(|e| Fault::Other(format!("an id in the database: {e}")))?)
        }
        (want, value) => {
            return Err(Fault::Other(format!("the database holds {} where {want:?} is expected", value.data_type())));
        }
    })
}

/// Microseconds since 1970 as a moment.
pub(crate) fn time(micros: i64) -> Result<Value, Fault> {
    Timestamp::from_microsecond(micros)
        .map(Value::Time)
        .map_err(|e| Fault::Other(format!("a time in the database: {e}")))
}
