//! Looks whether everything that the store keeps is as it should be.

use model::Value;

use crate::blobs::Lost;
use crate::db::Database;
use crate::error::StoreError;
use crate::migrate::{MIGRATIONS, applied, check};
use crate::secrets::Keys;
use crate::secrets::rotate::{Kept, SECRET_WANTS};
use crate::shape::Want;
use crate::store::Store;
use crate::tx::{Tx, Work};

/// Without being asked to read everything, one of so many blobs is read.
const SAMPLE: usize = 20;
/// A write-ahead log larger than this has not been folded in for long.
const LARGE_LOG: u64 = 512 * 1024 * 1024;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub ok: bool,
    /// What was looked at and what was found.
    pub what: String,
    /// What to do about it; empty where all is well.
    pub advice: String,
}

impl Finding {
    fn good(what: impl Into<String>) -> Self {
        Self { ok: true, what: what.into(), advice: String::new() }
    }

    fn bad(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { ok: false, what: what.into(), advice: advice.into() }
    }
}

const RESTORE: &str = "restore the last backup, or have somebody look at the disk first";

impl Store {
    /// Looks at the database, the key file, every sealed secret, and the
    /// blobs: all of them when `full`, else a sample. `progress` counts blobs.
    pub async fn doctor(&self, full: bool, progress: impl FnMut(u64, u64)) -> Vec<Finding> {
        let mut findings = vec![self.schema().await, self.integrity(full).await, self.key_file()];
        findings.push(self.secrets().await);
        findings.extend(self.orphans().await);
        findings.push(self.lost_blobs().await);
        findings.push(self.blob_contents(full, progress).await);
        findings.extend(self.log_size());
        findings
    }

    async fn schema(&self) -> Finding {
        match self.database().read(Applied).await.and_then(|found| check(&found, MIGRATIONS).map(|()| found.len())) {
            Ok(count) if count == MIGRATIONS.len() => {
                Finding::good(format!("the database {} answers and is up to date", self.options().shown()))
            }
            Ok(count) => Finding::bad(
                format!("{count} of {} migrations have been applied", MIGRATIONS.len()),
                "start this program once with the right to alter the database",
            ),
            Err(error) => {
                Finding::bad(format!("the database: {error}"), "see that it runs and that this program may use it")
            }
        }
    }

    async fn integrity(&self, full: bool) -> Finding {
        let Database::Sqlite { .. } = self.database() else {
            return Finding::good("PostgreSQL looks after its own files");
        };
        match self.integrity_of_sqlite(full).await {
            Ok(problems) if problems.is_empty() => Finding::good("the database file is sound"),
            Ok(problems) => Finding::bad(format!("the database file is damaged: {}", problems.join("; ")), RESTORE),
            Err(error) => Finding::bad(format!("the database file cannot be checked: {error}"), RESTORE),
        }
    }

    /// On a connection of its own, since it may take long.
    async fn integrity_of_sqlite(&self, full: bool) -> Result<Vec<String>, StoreError> {
        let mut tx = self.database().connect().await?;
        let sql = if full { "PRAGMA integrity_check(5)" } else { "PRAGMA quick_check(5)" };
        let rows = tx.rows(sql, &[], &[Want::Text]).await?;
        let lines = rows.iter().filter_map(|r| r.first()?.as_text());
        Ok(lines.filter(|line| *line != "ok").map(str::to_owned).collect())
    }

    fn key_file(&self) -> Finding {
        let path = self.keys().path();
        match Keys::open(path) {
            Ok(_) => Finding::good(format!("the key file {} is for its owner alone", path.display())),
            Err(error) => {
                Finding::bad(error.to_string(), "the key file belongs to this database and is not in its backups")
            }
        }
    }

    async fn secrets(&self) -> Finding {
        let kept = match self.database().read(Secrets).await {
            Ok(kept) => kept,
            Err(error) => return Finding::bad(format!("the sealed secrets cannot be read: {error}"), RESTORE),
        };
        let total = kept.len();
        let closed: Vec<String> = kept
            .iter()
            .filter(|k| self.keys().unseal(k.row, &k.column, &k.sealed).is_err())
            .map(|k| format!("{} of {}", k.column, k.row))
            .collect();
        if closed.is_empty() {
            return Finding::good(format!("all {total} sealed secrets open"));
        }
        let some = closed.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        Finding::bad(
            format!("{} of {total} sealed secrets do not open: {some}", closed.len()),
            "put the key file back that belongs to this database, or enter them again",
        )
    }

    async fn orphans(&self) -> Vec<Finding> {
        const ASKED: &[(&str, &str, &str, &str)] = &[
            ("ledger rows", "pr_ledgerentry", "pr_activityid", "email"),
            ("parties", "activityparty", "activityid", "email"),
            ("attachments", "activitymimeattachment", "objectid", "email"),
            ("queue items", "queueitem", "objectid", "email"),
            ("due work", "pr_workitem", "pr_mailboxid", "mailbox"),
        ];
        let mut findings = Vec::new();
        for (name, table, column, target) in ASKED {
            let target_id = model::tables::by_logical_name(target).map_or("", |t| t.id);
            let sql = format!(
                "SELECT count(*) FROM \"{table}\" AS t WHERE t.\"{column}\" IS NOT NULL \
                 AND NOT EXISTS (SELECT 1 FROM \"{target}\" AS e WHERE e.\"{target_id}\" = t.\"{column}\")"
            );
            findings.push(match self.long_count(&sql).await {
                Ok(0) => Finding::good(format!("all {name} have their {target}")),
                Ok(count) => Finding::bad(
                    format!("{count} {name} point to an {target} that is gone"),
                    "somebody removed rows beside this program; they do no harm but show nothing",
                ),
                Err(error) => Finding::bad(format!("{name} cannot be checked: {error}"), RESTORE),
            });
        }
        findings
    }

    async fn long_count(&self, sql: &str) -> Result<i64, StoreError> {
        let mut tx = self.database().connect().await?;
        tx.begin_snapshot().await?;
        let rows = tx.rows_once(sql, &[], &[Want::Int]).await;
        tx.rollback().await;
        Ok(rows?.first().and_then(|r| r.first()).and_then(Value::as_int).unwrap_or(0))
    }

    async fn lost_blobs(&self) -> Finding {
        match self.database().read(Lost).await {
            Ok(lost) if lost.is_empty() => Finding::good("every message that a record names is in the index"),
            Ok(lost) => {
                let some =
                    lost.iter().take(3).map(|(table, id)| format!("{id} of {table}")).collect::<Vec<_>>().join(", ");
                Finding::bad(format!("{} messages are not in the index: {some}", lost.len()), RESTORE)
            }
            Err(error) => Finding::bad(format!("the index of messages cannot be checked: {error}"), RESTORE),
        }
    }

    async fn blob_contents(&self, full: bool, progress: impl FnMut(u64, u64)) -> Finding {
        let what = if full { "every stored message" } else { "a sample of the stored messages" };
        match self.blobs().verify(if full { 1 } else { SAMPLE }, progress).await {
            Ok(damages) => match damages.first() {
                None => Finding::good(format!("{what} was read and is whole")),
                Some(first) => Finding::bad(
                    format!("{} stored messages are damaged, such as {}: {}", damages.len(), first.id, first.what),
                    RESTORE,
                ),
            },
            Err(error) => Finding::bad(format!("the stored messages cannot be read: {error}"), RESTORE),
        }
    }

    fn log_size(&self) -> Option<Finding> {
        let Database::Sqlite { path, .. } = self.database() else { return None };
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        let size = std::fs::metadata(log).map_or(0, |m| m.len());
        let shown = format!("the write-ahead log has {} MiB", size >> 20);
        Some(if size < LARGE_LOG {
            Finding::good(shown)
        } else {
            Finding::bad(shown, "something reads the database without end; see which process keeps it open")
        })
    }
}

struct Applied;

impl Work for Applied {
    type Out = Vec<(i64, String)>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out, StoreError> {
        applied(tx).await
    }
}

struct Secrets;

impl Work for Secrets {
    type Out = Vec<Kept>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out, StoreError> {
        let sql = "SELECT tablename, row, columnname, keyid, nonce, sealed FROM pr_secret";
        let rows = tx.rows(sql, &[], &SECRET_WANTS).await?;
        Ok(rows.into_iter().filter_map(Kept::read).collect())
    }
}
