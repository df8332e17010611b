//! Where the database and the files are.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls_pki_types::CertificateDer;

#[derive(Debug, Clone)]
pub struct Options {
    /// Holds the SQLite database, the key ring and the blobs. On PostgreSQL
    /// several nodes share it.
    pub data_dir: PathBuf,
    /// Where the service puts backups; `None`: `data_dir/backups`. Several
    /// nodes share it as well.
    pub backup_dir: Option<PathBuf>,
    /// `postgres://…`; `None`: SQLite at `data_dir/postroom.db`.
    pub database: Option<String>,
    /// Authorities to trust for PostgreSQL's certificate besides the system's.
    pub extra_ca: Vec<CertificateDer<'static>>,
    /// Reading connections.
    pub readers: usize,
    /// How long one query may take.
    pub query_timeout: Duration,
}

const QUERY_TIMEOUT: Duration = Duration::from_secs(30);

impl Options {
    /// SQLite under this directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            backup_dir: None,
            database: None,
            extra_ca: Vec::new(),
            readers: 4,
            query_timeout: QUERY_TIMEOUT,
        }
    }

    pub(crate) fn sqlite_path(&self) -> PathBuf {
        self.data_dir.join("postroom.db")
    }

    pub(crate) fn keys_path(&self) -> PathBuf {
        self.data_dir.join("keys")
    }

    pub(crate) fn blobs_path(&self) -> PathBuf {
        self.data_dir.join("blobs")
    }

    /// The database as it may be shown: without the password in the URL.
    pub fn shown(&self) -> String {
        match &self.database {
            None => self.sqlite_path().display().to_string(),
            Some(url) => without_password(url),
        }
    }
}

fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "the configured database".into() };
    let rest = rest.split('?').next().unwrap_or(rest);
    match rest.rsplit_once('@') {
        None => format!("{scheme}://{rest}"),
        Some((user, host)) => format!("{scheme}://{}@{host}", user.split(':').next().unwrap_or("")),
    }
}

/// Whether the path is a directory that this process may use; made if missing,
/// for its owner alone.
pub(crate) fn make_private_dir(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn the_password_is_not_shown() {
        assert_eq!(without_password("postgres://u:secret@h:1/db?password=x"), "postgres://u@h:1/db");
        assert_eq!(without_password("postgres://h/db"), "postgres://h/db");
        assert_eq!(without_password("host=h password=x"), "the configured database");
    }
}
