//! Cyrus IMAP: a second opinion on what IMAP is.
//!
//! It shares no code with Dovecot, answers in another order and style, and
//! speaks with its own set of extensions. Accounts are `user@domain`.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::ports::Port;
use crate::process::Supervised;
use crate::runtime;
use crate::tls::Authority;
use crate::unix::{self, Account};

/// A Cyrus IMAP server of the test's own. It needs root: its master process
/// drops to the account `cyrus`.
pub struct Cyrus {
    server: Mutex<Option<Supervised>>,
    imap: Port,
    imaps: Port,
    owner: Account,
    ca_pem: String,
    dir: TempDir,
}

impl Cyrus {
    pub async fn start() -> Result<Self> {
        runtime::aside(|| Self::start_blocking(&Authority::new()?)).await
    }

    /// Starts a server whose certificate comes from `authority`.
    pub fn start_blocking(authority: &Authority) -> Result<Self> {
        if !unix::is_root() {
            bail!("Cyrus has to be started by root");
        }
        let cyrus = Self {
            server: Mutex::new(None),
            imap: Port::reserve()?,
            imaps: Port::reserve()?,
            owner: unix::account("cyrus")?,
            ca_pem: authority.pem(),
            dir: tempfile::Builder::new().prefix("postroom-cyrus-").tempdir()?,
        };
        cyrus.write_files(authority)?;
        cyrus.restart_blocking()?;
        Ok(cyrus)
    }

    fn write_files(&self, authority: &Authority) -> Result<()> {
        let dir = self.dir.path();
        unix::make_dir(dir, 0o755, Some(self.owner))?;
        for name in [
            "conf",
            "conf/db",
            "conf/lock",
            "conf/log",
            "conf/msg",
            "conf/proc",
            "conf/ptclient",
            "conf/quota",
            "conf/socket",
            "conf/sync",
            "conf/user",
            "spool",
            "spool/stage.",
        ] {
            unix::make_dir(&dir.join(name), 0o755, Some(self.owner))?;
        }
        let certificate = authority.for_localhost()?;
        unix::write_file(&dir.join("server.pem"), certificate.chain_pem.as_bytes(), 0o644, None)?;
        unix::write_file(&dir.join("server.key"), certificate.key_pem.as_bytes(), 0o600, Some(self.owner))?;
        unix::write_file(&dir.join("ca.pem"), self.ca_pem.as_bytes(), 0o644, None)?;
        unix::write_file(&dir.join("imapd.conf"), imapd_conf(dir).as_bytes(), 0o644, None)?;
        let imapd = unix::program(&[
            "/usr/lib/cyrus/bin/imapd",
            "/usr/local/lib/postroom-tests/cyrus/usr/lib/cyrus/bin/imapd",
        ])?;
        let services = cyrus_conf(dir, &imapd, self.imap.number(), self.imaps.number());
        unix::write_file(&dir.join("cyrus.conf"), services.as_bytes(), 0o644, None)
    }

    /// IMAP with STARTTLS; passwords are taken without it, too.
    pub fn imap_port(&self) -> u16 {
        self.imap.number()
    }

    /// IMAP with implicit TLS.
    pub fn imaps_port(&self) -> u16 {
        self.imaps.number()
    }

    /// The certificate authority to trust, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The certificate authority to trust, as a file.
    pub fn ca_pem_path(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Creates an account; its INBOX appears with its first login.
    pub fn add_user(&self, address: &str, password: &str) -> Result<()> {
        let (user, realm) = address.split_once('@').context("an account here is user@domain")?;
        let database = self.dir.path().join("sasldb2");
        let mut child = Command::new(unix::program(&["/usr/sbin/saslpasswd2"])?)
            .args(["-p", "-c", "-u", realm, "-f"])
            .arg(&database)
            .arg(user)
            .stdin(Stdio::piped())
            .spawn()?;
        child.stdin.take().context("saslpasswd2 takes no password")?.write_all(password.as_bytes())?;
        if !child.wait()?.success() {
            bail!("saslpasswd2 refused {address}");
        }
        unix::own(&database, Some(self.owner))
    }

    /// Appends a message to the INBOX, by IMAP.
    pub fn append(&self, address: &str, password: &str, message: &[u8]) -> Result<()> {
        let stream = TcpStream::connect(self.imap.address())?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut session = Session { reader: BufReader::new(stream.try_clone()?), stream };
        session.expect("* OK")?;
        session.ask(format!("a LOGIN \"{address}\" \"{password}\"\r\n").as_bytes(), "a OK")?;
        session.ask(format!("b APPEND INBOX {{{}}}\r\n", message.len()).as_bytes(), "+")?;
        session.ask(&[message, b"\r\n"].concat(), "b OK")?;
        session.ask(b"c LOGOUT\r\n", "c OK")
    }

    /// Stops the server; its ports refuse connections until [`Self::restart`].
    pub async fn stop(&self) {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(server) = server {
            let _ = runtime::aside(move || server.stop()).await;
        }
    }

    /// Stops the server if it runs, and starts it on the same ports and data.
    pub async fn restart(&self) -> Result<()> {
        self.stop().await;
        self.restart_blocking()
    }

    fn restart_blocking(&self) -> Result<()> {
        let dir = self.dir.path();
        let master = unix::program(&["/usr/lib/cyrus/bin/master", "/usr/sbin/cyrmaster"])?;
        let command = [
            master.display().to_string(),
            "-C".into(),
            dir.join("imapd.conf").display().to_string(),
            "-M".into(),
            dir.join("cyrus.conf").display().to_string(),
            "-p".into(),
            dir.join("master.pid").display().to_string(),
        ];
        let mut server = Supervised::start(&command, "TERM", dir, &dir.join("cyrus.log"))?;
        server.wait_for_ports(&[self.imap.address(), self.imaps.address()])?;
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
        Ok(())
    }
}

fn imapd_conf(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        "configdirectory: {dir}/conf
defaultpartition: default
partition-default: {dir}/spool
admins: admin
virtdomains: userid
defaultdomain: localhost
unixhierarchysep: yes
altnamespace: yes
autocreate_quota: 0
autocreate_inbox_folders: Sent
xlist-sent: Sent
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {dir}/sasldb2
sasl_mech_list: PLAIN LOGIN SCRAM-SHA-256
tls_server_cert: {dir}/server.pem
tls_server_key: {dir}/server.key
servername: localhost
lmtpsocket: {dir}/conf/socket/lmtp
idlesocket: {dir}/conf/socket/idle
notifysocket: {dir}/conf/socket/notify
syslog_prefix: postroom-test
conversations: no
failedloginpause: 0
"
    )
}

fn cyrus_conf(dir: &Path, imapd: &Path, imap: u16, imaps: u16) -> String {
    // The master process does not hand its own -C on.
    let config = format!("-C {}/imapd.conf", dir.display());
    let imapd = imapd.display();
    format!(
        "START {{
  recover cmd=\"/usr/lib/cyrus/bin/ctl_cyrusdb {config} -r\"
}}
SERVICES {{
  imap cmd=\"{imapd} {config}\" listen=\"127.0.0.1:{imap}\" prefork=0
  imaps cmd=\"{imapd} {config} -s\" listen=\"127.0.0.1:{imaps}\" prefork=0
}}
EVENTS {{
}}
"
    )
}

struct Session {
    reader: BufReader<TcpStream>,
    stream: TcpStream,
}

impl Session {
    fn ask(&mut self, bytes: &[u8], wanted: &str) -> Result<()> {
        self.stream.write_all(bytes)?;
        self.expect(wanted)
    }

    /// Reads up to a line that begins with `wanted`; other tagged lines fail.
    fn expect(&mut self, wanted: &str) -> Result<()> {
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line)? == 0 {
                bail!("Cyrus closed the connection before {wanted:?}");
            }
            if line.starts_with(wanted) {
                return Ok(());
            }
            if !line.starts_with('*') {
                bail!("Cyrus said {:?} instead of {wanted:?}", line.trim_end());
            }
        }
    }
}
