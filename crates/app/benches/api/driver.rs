//! The limit: the database's driver alone, on a copy of the same database,
//! with the pragmas of the store. Readers have a connection and a thread each;
//! there is one writer, as SQLite has it, and a transaction for every email.

use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::world::World;
use super::{Plan, Work};

const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384; \
     PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA wal_autocheckpoint = 12000; \
     PRAGMA journal_size_limit = 67108864;";
const PAGE: &str = "SELECT * FROM email ORDER BY activityid LIMIT 50";

fn open(file: &Path) -> Result<Connection> {
    let connection = Connection::open(file)?;
    connection.execute_batch(PRAGMAS)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    Ok(connection)
}

/// How long each piece of work took.
pub fn run(world: &World, plan: &Plan, work: Work) -> Result<Vec<Duration>> {
    let Some(copy) = &world.copy else { bail!("on PostgreSQL there is no copy to measure the driver on") };
    let file = copy.path().join("postroom.db");
    let end = Instant::now() + Duration::from_secs_f64(plan.seconds);
    if work == Work::CreateEmail {
        return create(&file, end);
    }
    let mailbox = world.mailbox.replace('-', "");
    let all = Mutex::new(Vec::new());
    thread::scope(|scope| -> Result<()> {
        let readers: Vec<_> = (0..plan.connections)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    let connection = open(&file)?;
                    let mut times = Vec::new();
                    while Instant::now() < end {
                        let began = Instant::now();
                        if work == Work::ReadMailbox {
                            mailbox_of(&connection, &mailbox)?
                        } else {
                            page(&connection)?
                        }
                        times.push(began.elapsed());
                    }
                    if let Ok(mut all) = all.lock() {
                        all.extend(times);
                    }
                    Ok(())
                })
            })
            .collect();
        for reader in readers {
            let Ok(ended) = reader.join() else { bail!("a reader of the benchmark ended badly") };
            ended?;
        }
        Ok(())
    })?;
    all.into_inner().ok().context("a reader ended badly")
}

/// Every value of every row, as the driver gives it.
fn rows(connection: &Connection, sql: &str, binds: &[Value]) -> Result<Vec<Vec<Value>>> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns = statement.column_count();
    let rows = statement.query_map(params_from_iter(binds), |row| (0..columns).map(|n| row.get(n)).collect())?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn mailbox_of(connection: &Connection, hex: &str) -> Result<()> {
    let id: Vec<u8> = (0..16).filter_map(|n| u8::from_str_radix(hex.get(n * 2..n * 2 + 2)?, 16).ok()).collect();
    let found = rows(connection, "SELECT * FROM mailbox WHERE mailboxid = ?1", &[Value::Blob(id)])?;
    ensure!(found.len() == 1, "the mailbox is not in the copy");
    Ok(())
}

fn page(connection: &Connection) -> Result<()> {
    let emails = rows(connection, PAGE, &[])?;
    let ids: Vec<Value> = emails.iter().filter_map(|row| row.first().cloned()).collect();
    let places = vec!["?"; ids.len()].join(",");
    let parties = rows(connection, &format!("SELECT * FROM activityparty WHERE activityid IN ({places})"), &ids)?;
    ensure!(emails.len() == 50 && parties.len() >= 100, "{} emails, {} parties", emails.len(), parties.len());
    Ok(())
}

/// A row that is written again and again under other ids.
struct Row {
    insert: String,
    values: Vec<Value>,
    key: usize,
    /// The column that holds the email's id.
    email: usize,
    version: Option<usize>,
}

impl Row {
    fn all(connection: &Connection, table: &str, key: &str, email: &str, id: &[u8]) -> Result<Vec<Self>> {
        let sql = format!("SELECT * FROM {table} WHERE {email} = ?1");
        let names: Vec<String> = connection.prepare(&sql)?.column_names().map(str::to_owned).collect();
        let place = |name: &str| names.iter().position(|n| n == name);
        let insert = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(","), vec!["?"; names.len()].join(","));
        let (key, email) = (place(key).context("no key")?, place(email).context("no email")?);
        let found = rows(connection, &sql, &[Value::Blob(id.to_vec())])?;
        let row = |values| Self { insert: insert.clone(), values, key, email, version: place("versionnumber") };
        Ok(found.into_iter().map(row).collect())
    }
}

fn create(file: &Path, end: Instant) -> Result<Vec<Duration>> {
    let mut connection = open(file)?;
    // The last email: made by a request of its own, with its audit row.
    let last = rows(&connection, "SELECT activityid FROM email ORDER BY versionnumber DESC LIMIT 1", &[])?;
    let Some(Value::Blob(id)) = last.first().and_then(|row| row.first()) else { bail!("there is no email") };
    let mut all = Row::all(&connection, "email", "activityid", "activityid", id)?;
    all.extend(Row::all(&connection, "activityparty", "activitypartyid", "activityid", id)?);
    all.extend(Row::all(&connection, "pr_audit", "pr_auditid", "pr_row", id)?);
    ensure!(all.len() == 4, "an email, two parties and an audit row, not {}", all.len());
    let mut times = Vec::new();
    let mut n = 0_u64;
    let began = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_millis() as u64;
    while Instant::now() < end {
        let started = Instant::now();
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        // As real ones: a moment first, then what nobody guesses.
        let id = |salt: u64| {
            let mut id = began.to_be_bytes()[2..].to_vec();
            id.extend((n * 8 + salt).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
            id.extend([0, salt as u8]);
            Value::Blob(id)
        };
        for (salt, row) in all.iter_mut().enumerate() {
            row.values[row.email] = id(0);
            row.values[row.key] = id(salt as u64);
            if let Some(version) = row.version {
                row.values[version] = Value::Integer(i64::try_from((began + n) * 8)? + salt as i64);
            }
            transaction.prepare_cached(&row.insert)?.execute(params_from_iter(&row.values))?;
        }
        transaction.prepare_cached("UPDATE pr_counter SET value = value + 3 WHERE name = 'version'")?.execute([])?;
        transaction.commit()?;
        times.push(started.elapsed());
        n += 1;
    }
    Ok(times)
}
