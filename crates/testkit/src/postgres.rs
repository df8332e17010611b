//! PostgreSQL: one server for the run, a new database for every test.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow};
use tempfile::TempDir;

use crate::ports::Port;
use crate::process::{Supervised, run};
use crate::unix::{self, Account};

/// Where `scripts/test-postgres` tells the tests of the server that it started
/// for the whole run.
pub const URL_VARIABLE: &str = "POSTROOM_TEST_POSTGRES_URL";

/// A PostgreSQL server, the test's own or one for the whole run.
pub struct Postgres {
    url: String,
    /// None where the server belongs to the run.
    own: Option<Own>,
}

struct Own {
    _server: Supervised,
    _port: Port,
    _dir: TempDir,
}

impl Postgres {
    /// The run's server, or one for this process where there is none.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<Result<Postgres, String>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| {
            let found = match variable(URL_VARIABLE) {
                Some(url) => Ok(Self { url, own: None }),
                None => Self::start(),
            };
            found.map_err(|error| format!("{error:#}"))
        });
        shared.as_ref().map_err(|error| anyhow!("{error}"))
    }

    /// A server of the caller's own, to be stopped and broken.
    pub fn start() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("postroom-postgres-").tempdir()?;
        let owner = if unix::is_root() { unix::account("postgres")? } else { unix::myself()? };
        unix::make_dir(dir.path(), 0o755, Some(owner))?;
        let data = dir.path().join("data");
        run(as_owner(owner, &program("initdb")?)
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
            .arg("-D")
            .arg(&data))?;
        let port = Port::reserve()?;
        let number = port.number();
        let mut command = drop_to(owner);
        command.extend([program("postgres")?.display().to_string(), "-D".into(), data.display().to_string()]);
        for setting in [
            format!("port={number}"),
            "listen_addresses=127.0.0.1".into(),
            format!("unix_socket_directories={}", dir.path().display()),
            // Throw-away data: what a power failure would cost is not worth the wait.
            "fsync=off".into(),
            "synchronous_commit=off".into(),
            "full_page_writes=off".into(),
            "max_connections=300".into(),
            "shared_buffers=64MB".into(),
        ] {
            command.extend(["-c".to_owned(), setting]);
        }
        let log = dir.path().join("postgres.log");
        let mut server = Supervised::start(&command, "QUIT", dir.path(), &log)?;
        let url = format!("postgres://postgres@127.0.0.1:{number}/postgres");
        let psql = program("psql")?;
        server.wait_until("PostgreSQL did not become ready", || query(&psql, &url, "select 1").is_ok())?;
        Ok(Self { url, own: Some(Own { _server: server, _port: port, _dir: dir }) })
    }

    /// The server's maintenance database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The directory of a server of one's own; its Unix socket is in there.
    pub fn dir(&self) -> Option<&Path> {
        self.own.as_ref().map(|own| own._dir.path())
    }

    /// Creates an empty database and tells its URL.
    pub fn fresh_database(&self) -> Result<String> {
        // The numbers of processes come round again in the course of a run.
        let name = format!("test_{:x}", RandomState::new().build_hasher().finish());
        query(&program("psql")?, &self.url, &format!("create database {name} template template0"))?;
        let (server, _) = self.url.rsplit_once('/').context("the server's URL names no database")?;
        Ok(format!("{server}/{name}"))
    }

    /// Runs SQL by psql, for looks from outside; columns are separated by `|`.
    pub fn query(&self, url: &str, sql: &str) -> Result<String> {
        query(&program("psql")?, url, sql)
    }
}

#[expect(clippy::disallowed_methods, reason = "the test runner's environment says which server the run shares")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn query(psql: &Path, url: &str, sql: &str) -> Result<String> {
    let output = run(Command::new(psql).args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]))?;
    Ok(String::from_utf8(output)?.trim_end().to_owned())
}

fn program(name: &str) -> Result<PathBuf> {
    unix::program(&[&format!("/usr/lib/postgresql/*/bin/{name}"), &format!("/usr/bin/{name}")])
}

/// The prefix of a command line that runs as `owner`: PostgreSQL refuses root.
fn drop_to(owner: Account) -> Vec<String> {
    if !unix::is_root() {
        return Vec::new();
    }
    let (user, group) = (format!("--reuid={}", owner.uid), format!("--regid={}", owner.gid));
    vec!["setpriv".into(), user, group, "--clear-groups".into(), "--".into()]
}

fn as_owner(owner: Account, program: &Path) -> Command {
    let mut line = drop_to(owner);
    line.push(program.display().to_string());
    let mut words = line.into_iter();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).current_dir("/");
    command
}
