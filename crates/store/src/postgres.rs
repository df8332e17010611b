//! PostgreSQL: a pool of connections, statements of a plan sent in one go.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use futures::future::join_all;
use model::{Id, Value};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::bind::Bind;
use crate::error::{Fault, StoreError};
use crate::options::Options;
use crate::shape::Want;
use crate::sqlite::time;
use crate::tx::{Retry as _, Step, Stopped, Tx, Work};

mod held;

pub(crate) use held::Held;

/// Connections of one process at most.
pub(crate) const CONNECTIONS: usize = 8;
/// How often a transaction is tried that others are in the way of.
const ATTEMPTS: u32 = 8;

pub(crate) struct PostgresTx {
    client: Object,
}

pub(crate) struct Postgres {
    pool: Pool,
}

pub(crate) fn fault(error: &tokio_postgres::Error) -> Fault {
    let Some(db) = error.as_db_error() else {
        let cause = std::error::Error::source(error).map(|s| format!(": {s}")).unwrap_or_default();
        return Fault::Other(format!("{error}{cause}"));
    };
    match *db.code() {
        SqlState::UNIQUE_VIOLATION => Fault::Unique(db.constraint().unwrap_or_default().to_owned()),
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED | SqlState::LOCK_NOT_AVAILABLE => {
            Fault::Retry(db.message().to_owned())
        }
        SqlState::QUERY_CANCELED => Fault::Timeout,
        _ => Fault::Other(format!("{} ({})", db.message(), db.code().code())),
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        fault(&error)
    }
}

impl Postgres {
    /// Makes the pool; no connection is opened yet.
    pub(crate) fn new(url: &str, options: &Options) -> Result<Self, StoreError> {
        let mut config: tokio_postgres::Config = url.parse().map_err(|_| {
            StoreError::Database(
                "the database URL cannot be read; it looks like postgres://user:password@host:5432/name".into(),
            )
        })?;
        config.application_name("postroom");
        config.connect_timeout(Duration::from_secs(10));
        let timeout = options.query_timeout.as_millis();
        let given = config.get_options().map(|o| format!("{o} ")).unwrap_or_default();
        config.options(format!(
            "{given}-c statement_timeout={timeout} -c lock_timeout=30000 -c idle_in_transaction_session_timeout=300000"
        ));
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = if needs_tls(url, &config) {
            config.ssl_mode(tokio_postgres::config::SslMode::Require);
            Manager::from_config(config, MakeRustlsConnect::new(tls(options)?), recycling)
        } else {
            config.ssl_mode(tokio_postgres::config::SslMode::Disable);
            Manager::from_config(config, NoTls, recycling)
        };
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS.max(options.readers))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(Duration::from_secs(60)))
            .build()
            .map_err(|e| StoreError::Database(e.to_string()))?;
        Ok(Self { pool })
    }

    pub(crate) async fn connect(&self) -> Result<Tx, StoreError> {
        let client = self.pool.get().await.map_err(|e| {
            let cause = std::error::Error::source(&e).map(|s| format!(": {s}")).unwrap_or_default();
            let deeper = std::error::Error::source(&e)
                .and_then(std::error::Error::source)
                .map(|s| format!(": {s}"))
                .unwrap_or_default();
            StoreError::Database(format!("{e}{cause}{deeper}"))
        })?;
        Ok(Tx::Postgres(PostgresTx { client }))
    }

    /// One transaction, tried again when others are in its way.
    pub(crate) async fn write<W: Work>(&self, work: W) -> Result<W::Out, W::Error> {
        let mut attempt = 0;
        loop {
            let mut open = Open { tx: Some(self.connect().await?) };
            let result = open.transaction(&work).await;
            open.finished();
            attempt += 1;
            match result {
                Err(error) if error.is_busy() && attempt < ATTEMPTS => {
                    tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 7)).await;
                }
                result => return result,
            }
        }
    }

    pub(crate) async fn read<W: Work>(&self, work: W) -> Result<W::Out, W::Error> {
        let mut tx = self.connect().await?;
        work.run(&mut tx).await
    }
}

/// A connection with a transaction that may be dropped in the middle: it does
/// not go back to the pool then, for the next user would be inside it.
struct Open {
    tx: Option<Tx>,
}

impl Open {
    async fn transaction<W: Work>(&mut self, work: &W) -> Result<W::Out, W::Error> {
        let fault = |f: Fault| W::Error::from(StoreError::from(f));
        let Some(tx) = &mut self.tx else { return Err(W::Error::from(StoreError::Closed)) };
        tx.begin_counted().await.map_err(fault)?;
        match work.run(tx).await {
            Ok(out) => {
                tx.commit().await.map_err(fault)?;
                Ok(out)
            }
            Err(error) => {
                tx.rollback().await;
                Err(error)
            }
        }
    }

    fn finished(mut self) {
        drop(self.tx.take());
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(Tx::Postgres(tx)) = self.tx.take() {
            drop(Object::take(tx.client));
        }
    }
}

/// As `sslmode` asks; where it says nothing, whatever leaves the machine.
fn needs_tls(url: &str, config: &tokio_postgres::Config) -> bool {
    use tokio_postgres::config::{Host, SslMode};
    match config.get_ssl_mode() {
        SslMode::Disable => false,
        SslMode::Require => true,
        _ if url.contains("sslmode=") => true,
        _ => !config.get_hosts().iter().all(|host| match host {
            Host::Tcp(name) => {
                name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
            }
            #[cfg(unix)]
            Host::Unix(_) => true,
        }),
    }
}

fn tls(options: &Options) -> Result<rustls::ClientConfig, StoreError> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls_native_certs::load_native_certs().certs {
        // A certificate of the system that cannot be read is not trusted.
        let _ = roots.add(certificate);
    }
    for certificate in &options.extra_ca {
        roots.add(certificate.clone()).map_err(|e| StoreError::Database(format!("extra CA certificate: {e}")))?;
    }
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| StoreError::Database(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn parameters(binds: &[Bind]) -> Vec<&(dyn ToSql + Sync)> {
    binds.iter().map(|b| b as &(dyn ToSql + Sync)).collect()
}

impl PostgresTx {
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), Fault> {
        Ok(self.client.batch_execute(sql).await?)
    }

    pub(crate) async fn execute(&mut self, sql: &str, binds: &[Bind]) -> Result<u64, Fault> {
        let statement = self.client.prepare_cached(sql).await?;
        Ok(self.client.execute(&statement, &parameters(binds)).await?)
    }

    pub(crate) async fn rows(
        &mut self,
        sql: &str,
        binds: &[Bind],
        wants: &[Want],
        keep: bool,
    ) -> Result<Vec<Vec<Value>>, Fault> {
        let rows = if keep {
            let statement = self.client.prepare_cached(sql).await?;
            self.client.query(&statement, &parameters(binds)).await?
        } else {
            self.client.query(sql, &parameters(binds)).await?
        };
        rows.iter().map(|row| read_row(row, wants)).collect()
    }

    /// A transaction says by an advisory lock which version was the last one
    /// before it: the numbers that it draws are higher, whoever else draws
    /// some. The upper 16 bits of the key are of the sequence, for there may
    /// be other installations in the database.
    pub(crate) async fn begin_counted(&mut self, begin: &str) -> Result<(), Fault> {
        self.batch(&format!(
            "{begin}; SELECT pg_advisory_xact_lock_shared((CAST(CAST('pr_version' AS regclass) AS oid)::bigint & 32767) << 48 | \
             CASE WHEN is_called THEN last_value ELSE last_value - 1 END) FROM pr_version"
        ))
        .await
    }

    pub(crate) async fn last_version(&mut self) -> Result<i64, Fault> {
        let sql = "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM pr_version";
        let rows = self.rows(sql, &[], &[Want::Int], true).await?;
        Ok(rows.first().and_then(|r| r.first()).and_then(Value::as_int).unwrap_or(0))
    }

    /// Read in this order: who has drawn a number up to the last one had its
    /// lock before that, and has it still unless it has ended.
    pub(crate) async fn watermark(&mut self) -> Result<i64, Fault> {
        let last = self.last_version().await?;
        let open = "SELECT min((CAST(classid AS BIGINT) << 32 | CAST(objid AS BIGINT)) & 281474976710655) FROM pg_locks \
             WHERE locktype = 'advisory' AND objsubid = 1 \
             AND CAST(classid AS BIGINT) >> 16 = CAST(CAST('pr_version' AS regclass) AS oid)::bigint & 32767 \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let rows = self.rows(open, &[], &[Want::Int], true).await?;
        let open = rows.first().and_then(|r| r.first()).and_then(Value::as_int);
        Ok(open.map_or(last, |open| open.min(last)))
    }

    pub(crate) async fn versions(&mut self, count: i64) -> Result<i64, Fault> {
        let sql = "SELECT min(nextval('pr_version')) FROM generate_series(1, $1::bigint)";
        let rows = self.rows(sql, &[Bind::Int(count)], &[Want::Int], true).await?;
        rows.first()
            .and_then(|r| r.first())
            .and_then(Value::as_int)
            .ok_or_else(|| Fault::Other("no version number".into()))
    }

    /// Sends the statements without waiting for each; stops at a step whose
    /// running depends on an earlier one.
    pub(crate) async fn run(&mut self, steps: &[Step]) -> Result<Vec<u64>, Stopped> {
        let mut statements = Vec::with_capacity(steps.len());
        for step in steps {
            statements.push(self.client.prepare_cached(&step.sql).await.map_err(|e| Stopped::Fault(e.into()))?);
        }
        let mut changed = vec![0_u64; steps.len()];
        let mut from = 0;
        while from < steps.len() {
            let dependent = (from + 1..steps.len()).find(|&n| steps[n].only_if.is_some_and(|earlier| earlier >= from));
            let to = dependent.unwrap_or(steps.len());
            let client = &self.client;
            let run = (from..to).filter(|&n| steps[n].only_if.is_none_or(|earlier| changed[earlier] > 0));
            let results = join_all(run.map(|n| {
                let statement = &statements[n];
                let step = &steps[n];
                async move { (n, client.execute(statement, &parameters(&step.binds)).await) }
            }))
            .await;
            for (n, result) in results {
                let count = result.map_err(|e| Stopped::Fault(e.into()))?;
                changed[n] = count;
                match steps[n].must {
                    Some(must) if count == 0 => return Err(Stopped::Empty(must)),
                    _ => {}
                }
            }
            from = to;
        }
        Ok(changed)
    }
}

fn read_row(row: &Row, wants: &[Want]) -> Result<Vec<Value>, Fault> {
    wants.iter().enumerate().map(|(n, want)| read(row, n, *want)).collect()
}

fn read(row: &Row, n: usize, want: Want) -> Result<Value, Fault> {
    Ok(match want {
        Want::Bool => row.try_get::<_, Option<bool>>(n)?.map_or(Value::Null, Value::Bool),
        Want::Int => row.try_get::<_, Option<i64>>(n)?.map_or(Value::Null, Value::Int),
        Want::Text => row.try_get::<_, Option<String>>(n)?.map_or(Value::Null, Value::Text),
        Want::Id => row.try_get::<_, Option<Id>>(n)?.map_or(Value::Null, Value::Id),
        Want::Bytes => row.try_get::<_, Option<Vec<u8>>>(n)?.map_or(Value::Null, Value::Bytes),
        Want::Time => match row.try_get::<_, Option<i64>>(n)? {
            None => Value::Null,
            Some(micros) => time(micros)?,
        },
    })
}
