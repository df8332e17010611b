//! Postfix: submission for mailbox owners, a door for customers, delivery to
//! Dovecot.
//!
//! It has its own configuration, queue and data and knows no way out of the
//! machine. It needs root: its master process drops to the account `postfix`.

mod config;

use std::fs::{self, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Result, bail};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::ports::Port;
use crate::process::{Supervised, run};
use crate::runtime;
use crate::smtp;
use crate::tls::Authority;
use crate::unix::{self, Account};

/// How a Postfix is to be.
pub struct Options {
    /// Domains with mailboxes here, beside every domain below `.test`.
    pub domains: Vec<String>,
    /// Dovecot's LMTP port on 127.0.0.1.
    pub lmtp_port: u16,
    /// Dovecot's socket for questions about passwords.
    pub auth_socket: PathBuf,
    /// Largest message, in bytes; 0 is no limit.
    pub message_size_limit: u64,
    /// EHLO keywords not to offer, such as `pipelining` or `8bitmime`.
    pub hidden_extensions: Vec<String>,
    /// The door for customers, where it has to be known beforehand.
    pub customers: Option<Port>,
    /// Lines for the end of main.cf.
    pub extra: String,
}

impl Options {
    /// Delivery to the Dovecot with this LMTP port and auth socket.
    pub fn new(lmtp_port: u16, auth_socket: PathBuf) -> Self {
        Self {
            domains: Vec::new(),
            lmtp_port,
            auth_socket,
            message_size_limit: 150_000_000,
            hidden_extensions: Vec::new(),
            customers: None,
            extra: String::new(),
        }
    }
}

struct Ports {
    customers: Port,
    submission: Port,
    submissions: Port,
    plain: Port,
}

impl Ports {
    fn all(&self) -> [&Port; 4] {
        [&self.customers, &self.submission, &self.submissions, &self.plain]
    }
}

/// A Postfix of the test's own.
pub struct Postfix {
    server: Mutex<Option<Supervised>>,
    ports: Ports,
    /// One writer of lookup tables at a time.
    tables: Mutex<()>,
    dir: TempDir,
}

/// Lookup tables that change while Postfix runs.
const TABLES: [&str; 4] = ["mailboxes", "senders", "recipients", "after_data"];

impl Postfix {
    /// Starts a server whose certificate comes from `authority`.
    pub fn start_blocking(options: Options, authority: &Authority) -> Result<Self> {
        if !unix::is_root() {
            bail!("Postfix has to be started by root");
        }
        let mut options = options;
        let customers = match options.customers.take() {
            Some(port) => port,
            None => Port::reserve()?,
        };
        let ports =
            Ports { customers, submission: Port::reserve()?, submissions: Port::reserve()?, plain: Port::reserve()? };
        let dir = tempfile::Builder::new().prefix("postroom-postfix-").tempdir()?;
        let postfix = Self { server: Mutex::new(None), ports, tables: Mutex::new(()), dir };
        postfix.make_directories()?;
        postfix.write_config(&options, authority)?;
        postfix.restart_blocking()?;
        Ok(postfix)
    }

    /// What `postfix check` would create, without its half a second of shell.
    fn make_directories(&self) -> Result<()> {
        let root = Account { uid: 0, gid: 0 };
        let postfix = unix::account("postfix")?;
        let postdrop = Account { uid: postfix.uid, gid: unix::group("postdrop")? };
        let dir = self.dir.path();
        unix::make_dir(dir, 0o755, Some(root))?;
        unix::make_dir(&dir.join("config"), 0o755, Some(root))?;
        unix::make_dir(&dir.join("data"), 0o700, Some(postfix))?;
        let queue = dir.join("queue");
        unix::make_dir(&queue, 0o755, Some(root))?;
        unix::make_dir(&queue.join("pid"), 0o755, Some(root))?;
        for name in [
            "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved",
            "trace",
        ] {
            unix::make_dir(&queue.join(name), 0o700, Some(postfix))?;
        }
        unix::make_dir(&queue.join("maildrop"), 0o1730, Some(postdrop))?;
        unix::make_dir(&queue.join("public"), 0o2710, Some(postdrop))
    }

    fn write_config(&self, options: &Options, authority: &Authority) -> Result<()> {
        let config = self.config();
        let certificate = authority.for_localhost()?;
        unix::write_file(&config.join("server.pem"), certificate.chain_pem.as_bytes(), 0o644, None)?;
        unix::write_file(&config.join("server.key"), certificate.key_pem.as_bytes(), 0o600, None)?;
        unix::write_file(&config.join("domains"), b"/\\.test$/ here\n", 0o644, None)?;
        unix::write_file(&config.join("main.cf"), config::main_cf(self.dir.path(), options).as_bytes(), 0o644, None)?;
        unix::write_file(&config.join("master.cf"), config::master_cf(&self.ports).as_bytes(), 0o644, None)?;
        for name in ["domains", "main.cf", "master.cf"] {
            age(&config.join(name))?;
        }
        for table in TABLES {
            unix::write_file(&config.join(table), b"", 0o644, None)?;
            self.compile(table)?;
        }
        Ok(())
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("config")
    }

    /// The server's directory: log, configuration, queue.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Port 25 in other lives: no AUTH, mail for the mailboxes here only.
    pub fn customer_port(&self) -> u16 {
        self.ports.customers.number()
    }

    /// Submission with STARTTLS, which is demanded before AUTH and MAIL.
    pub fn submission_port(&self) -> u16 {
        self.ports.submission.number()
    }

    /// Submission with implicit TLS.
    pub fn submissions_port(&self) -> u16 {
        self.ports.submissions.number()
    }

    /// Submission that offers AUTH but no TLS at all.
    pub fn plain_submission_port(&self) -> u16 {
        self.ports.plain.number()
    }

    /// Accepts mail for `address`.
    pub fn add_mailbox(&self, address: &str) -> Result<()> {
        self.set("mailboxes", address, Some("here"))
    }

    /// Refuses mail for `address` as an unknown user (550 5.1.1).
    pub fn remove_mailbox(&self, address: &str) -> Result<()> {
        self.set("mailboxes", address, None)
    }

    /// Answers RCPT TO for `address` with `reply`, such as
    /// `450 4.2.1 try again later` or `550 5.7.1 not wanted`.
    pub fn reject_recipient(&self, address: &str, reply: &str) -> Result<()> {
        self.set("recipients", address, Some(reply))
    }

    /// Answers MAIL FROM for `address` with `reply`, at RCPT TO.
    pub fn reject_sender(&self, address: &str, reply: &str) -> Result<()> {
        self.set("senders", address, Some(reply))
    }

    /// Answers the final dot of messages from `address` with `reply`.
    pub fn reject_after_data(&self, address: &str, reply: &str) -> Result<()> {
        self.set("after_data", address, Some(reply))
    }

    /// Takes back every rejection of `address`.
    pub fn accept(&self, address: &str) -> Result<()> {
        ["recipients", "senders", "after_data"].into_iter().try_for_each(|table| self.set(table, address, None))
    }

    /// Changes one entry. Processes that have read the table notice before
    /// they serve their next connection.
    fn set(&self, table: &str, key: &str, value: Option<&str>) -> Result<()> {
        let _writer = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.config().join(table);
        let key = key.to_lowercase();
        let old = fs::read_to_string(&path)?;
        let mut lines: Vec<_> =
            old.lines().filter(|line| line.split(' ').next() != Some(&key)).map(str::to_owned).collect();
        lines.extend(value.map(|value| format!("{key} {value}")));
        lines.push(String::new());
        unix::write_file(&path, lines.join("\n").as_bytes(), 0o644, None)?;
        self.compile(table)
    }

    fn compile(&self, table: &str) -> Result<()> {
        let path = self.config().join(table);
        let map = format!("hash:{}", path.display());
        let database = path.with_extension("db");
        age(&path)?;
        let before = fs::metadata(&database).and_then(|file| file.modified()).ok();
        run(Command::new(unix::program(&["/usr/sbin/postmap"])?).arg("-c").arg(self.config()).arg(map))?;
        // A change is seen by the file's time in seconds.
        let Some(before) = before else { return Ok(()) };
        Ok(OpenOptions::new().write(true).open(database)?.set_modified(before + Duration::from_secs(1))?)
    }

    /// Sends a message through the customers' door, to all of `to` at once.
    /// Line ends become CRLF. Fails if any recipient is refused.
    pub async fn inject(&self, from: &str, to: &[&str], message: &[u8]) -> Result<()> {
        let address: SocketAddr = self.ports.customers.address();
        let to: Vec<String> = to.iter().map(|&to| to.to_owned()).collect();
        let (from, message) = (from.to_owned(), message.to_vec());
        runtime::aside(move || smtp::send(address, &from, &to, &message)).await
    }

    /// Whether every message has been delivered or bounced.
    pub fn queue_is_empty(&self) -> Result<bool> {
        let queue = self.dir.path().join("queue");
        for name in ["maildrop", "incoming", "active", "deferred", "hold"] {
            if holds_a_file(&queue.join(name)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Waits until the queue is empty.
    pub async fn wait_delivered(&self, timeout: Duration) -> Result<()> {
        let deadline = Instant::now() + timeout;
        while !self.queue_is_empty()? {
            if Instant::now() > deadline {
                bail!("mail is left in the queue after {timeout:?}:\n{}", self.log());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Tries everything in the queue again, now.
    pub fn flush(&self) -> Result<()> {
        run(Command::new(unix::program(&["/usr/sbin/postqueue"])?).arg("-c").arg(self.config()).arg("-f"))?;
        Ok(())
    }

    /// Stops the server; its ports refuse connections until [`Self::restart`].
    pub async fn stop(&self) {
        if let Some(server) = self.take() {
            let _ = runtime::aside(move || server.stop()).await;
        }
    }

    /// Ends the server at once, connections and all.
    pub async fn kill(&self) {
        if let Some(server) = self.take() {
            let _ = runtime::aside(move || server.kill()).await;
        }
    }

    /// Stops the server if it runs, and starts it on the same ports and queue.
    pub async fn restart(&self) -> Result<()> {
        self.stop().await;
        self.restart_blocking()
    }

    fn restart_blocking(&self) -> Result<()> {
        drop(self.take());
        let master = unix::program(&["/usr/lib/postfix/sbin/master", "/usr/libexec/postfix/master"])?;
        let command = [master.display().to_string(), "-c".into(), self.config().display().to_string(), "-s".into()];
        let log = self.dir.path().join("mail.log");
        let mut server = Supervised::start(&command, "TERM", self.dir.path(), &log)?;
        server.wait_for_ports(&self.ports.all().map(Port::address))?;
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
        Ok(())
    }

    fn take(&self) -> Option<Supervised> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.dir.path().join("mail.log")).unwrap_or_default()).into_owned()
    }
}

/// Makes a file look old: Postfix waits out the second in which a file of its
/// configuration was written.
fn age(path: &Path) -> Result<()> {
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    Ok(OpenOptions::new().write(true).open(path)?.set_modified(long_ago)?)
}

/// Queues hash their files into sub-directories.
fn holds_a_file(dir: &Path) -> bool {
    let Ok(entries) = fs::read_dir(dir) else { return false };
    entries.flatten().any(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => holds_a_file(&entry.path()),
        Ok(_) => true,
        Err(_) => false,
    })
}
