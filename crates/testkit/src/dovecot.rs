//! Dovecot: IMAP, POP3, LMTP and ManageSieve, with Sieve on delivery.
//!
//! Every account is a Maildir below the server's own directory and is created
//! by [`Dovecot::add_user`]. All mail belongs to one unprivileged account.

mod config;
mod maildir;

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use tempfile::TempDir;

pub use maildir::Stored;

use crate::cut::CutProxy;
use crate::ports::Port;
use crate::process::{Supervised, run};
use crate::tls::{Authority, ServerCertificate};
use crate::unix::{self, Account};
use crate::{jwt, runtime};

/// The server listens here as well as on 127.0.0.1. A client that connects to
/// this address comes from another one than it connects to, and so is a
/// stranger to whom passwords without TLS are forbidden (LOGINDISABLED).
pub const FOR_STRANGERS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Owner of all mail when the test runs as root. Dovecot serves no mail of
/// user 0, and needs no name for an account.
const MAIL_OWNER: Account = Account { uid: 59_999, gid: 59_999 };

/// How a Dovecot is to be.
pub struct Options {
    /// Every client is a stranger, on 127.0.0.1 as well: no mechanism that
    /// shows the password is taken before TLS (LOGINDISABLED).
    pub tls_required: bool,
    /// SASL mechanisms on offer, separated by blanks.
    pub mechanisms: String,
    /// Where mail that leaves by a Sieve script is submitted, on 127.0.0.1.
    pub smtp_port: Option<u16>,
    /// The certificate that the server shows; for localhost by default.
    pub certificate: Option<ServerCertificate>,
    /// Lines for the end of dovecot.conf.
    pub extra: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            tls_required: false,
            mechanisms: "plain login scram-sha-256 xoauth2 oauthbearer".into(),
            smtp_port: None,
            certificate: None,
            extra: String::new(),
        }
    }
}

pub(crate) struct Ports {
    imap: Port,
    imaps: Port,
    pop3: Port,
    pop3s: Port,
    lmtp: Port,
    managesieve: Port,
}

impl Ports {
    fn reserve() -> Result<Self> {
        Ok(Self {
            imap: Port::reserve()?,
            imaps: Port::reserve()?,
            pop3: Port::reserve()?,
            pop3s: Port::reserve()?,
            lmtp: Port::reserve()?,
            managesieve: Port::reserve()?,
        })
    }

    fn all(&self) -> [&Port; 6] {
        [&self.imap, &self.imaps, &self.pop3, &self.pop3s, &self.lmtp, &self.managesieve]
    }
}

/// A Dovecot of the test's own.
pub struct Dovecot {
    // Dropped first: the server ends before its directory goes.
    server: Mutex<Option<Supervised>>,
    /// What makes strangers of clients where TLS is required.
    relays: Vec<CutProxy>,
    ports: Ports,
    owner: Account,
    program: PathBuf,
    ca_pem: String,
    dir: TempDir,
}

impl Dovecot {
    /// Starts a server with a certificate authority of its own.
    pub async fn start(options: Options) -> Result<Self> {
        runtime::aside(move || Self::start_blocking(&options, &Authority::new()?)).await
    }

    /// Starts a server whose certificate comes from `authority`.
    pub fn start_blocking(options: &Options, authority: &Authority) -> Result<Self> {
        let program = unix::program(&["/usr/sbin/dovecot", "/usr/local/sbin/dovecot"])?;
        let owner = if unix::is_root() { MAIL_OWNER } else { unix::myself()? };
        let mut dovecot = Self {
            server: Mutex::new(None),
            relays: Vec::new(),
            ports: Ports::reserve()?,
            owner,
            program,
            ca_pem: authority.pem(),
            dir: tempfile::Builder::new().prefix("postroom-dovecot-").tempdir()?,
        };
        dovecot.write_files(options, authority)?;
        if options.tls_required {
            // Dovecot trusts a client whose address is the server's own, so
            // the server is moved away and reached through a relay.
            for port in dovecot.ports.all() {
                let server = (FOR_STRANGERS, port.number()).into();
                dovecot.relays.push(CutProxy::between(port.address(), server)?);
            }
        }
        dovecot.restart_blocking()?;
        Ok(dovecot)
    }

    fn write_files(&self, options: &Options, authority: &Authority) -> Result<()> {
        let dir = self.dir.path();
        unix::make_dir(dir, 0o755, None)?;
        for (name, owner) in [
            ("run", None),
            ("state", None),
            ("tls", None),
            ("sieve-pipe", None),
            ("users", None),
            ("mail", Some(self.owner)),
        ] {
            unix::make_dir(&dir.join(name), 0o755, owner)?;
        }
        let certificate = match &options.certificate {
            Some(certificate) => certificate.clone(),
            None => authority.for_localhost()?,
        };
        unix::write_file(&dir.join("tls/server.pem"), certificate.chain_pem.as_bytes(), 0o644, None)?;
        unix::write_file(&dir.join("tls/server.key"), certificate.key_pem.as_bytes(), 0o600, None)?;
        unix::write_file(&dir.join("ca.pem"), self.ca_pem.as_bytes(), 0o644, None)?;
        let oauth2 = format!(
            "introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={}/jwt/\n\
             username_attribute = email\nusername_format = %Lu\nissuers = testkit\n",
            dir.display()
        );
        unix::write_file(&dir.join("oauth2.conf"), oauth2.as_bytes(), 0o644, None)?;
        let keys = dir.join("jwt/default/HS256");
        unix::make_dir(&keys, 0o755, None)?;
        unix::write_file(&keys.join("default"), STANDARD.encode(jwt::SECRET).as_bytes(), 0o644, None)?;
        let forward = include_bytes!("dovecot/forward-as-attachment.sh");
        unix::write_file(&dir.join("sieve-pipe/forward-as-attachment"), forward, 0o755, None)?;
        if let Some(port) = options.smtp_port {
            unix::write_file(&dir.join("forward-to"), format!("127.0.0.1 {port}\n").as_bytes(), 0o644, None)?;
        }
        let version = run(Command::new(&self.program).arg("--version"))?;
        let setting = config::Setting { dir, ports: &self.ports, options, owner: self.owner };
        let config = config::text(&String::from_utf8_lossy(&version), &setting)?;
        unix::write_file(&self.config(), config.as_bytes(), 0o644, None)
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("dovecot.conf")
    }

    /// The server's directory: logs, configuration, mail.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// IMAP with STARTTLS.
    pub fn imap_port(&self) -> u16 {
        self.ports.imap.number()
    }

    /// IMAP with implicit TLS.
    pub fn imaps_port(&self) -> u16 {
        self.ports.imaps.number()
    }

    /// POP3 with STLS.
    pub fn pop3_port(&self) -> u16 {
        self.ports.pop3.number()
    }

    /// POP3 with implicit TLS.
    pub fn pop3s_port(&self) -> u16 {
        self.ports.pop3s.number()
    }

    pub fn lmtp_port(&self) -> u16 {
        self.ports.lmtp.number()
    }

    /// ManageSieve with STARTTLS.
    pub fn managesieve_port(&self) -> u16 {
        self.ports.managesieve.number()
    }

    /// The socket on which Postfix asks about passwords.
    pub(crate) fn auth_socket(&self) -> PathBuf {
        self.dir.path().join("run/auth-smtp")
    }

    /// The certificate authority to trust, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The certificate authority to trust, as a file.
    pub fn ca_pem_path(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Creates an account, or gives it a new password.
    pub fn add_user(&self, address: &str, password: &str) -> Result<()> {
        if [address, password].iter().any(|text| text.contains([':', '\n'])) {
            bail!("a passwd-file can hold neither colons nor line ends");
        }
        let address = address.to_lowercase();
        let home = self.home(&address);
        unix::make_dir(&home, 0o755, Some(self.owner))?;
        let Account { uid, gid } = self.owner;
        let entry = format!("{address}:{{PLAIN}}{password}:{uid}:{gid}::{}\n", home.display());
        let file = self.account_file(&address);
        let known = file.exists();
        unix::write_file(&file, entry.as_bytes(), 0o644, None)?;
        if known {
            Self::wait_for_change();
        }
        Ok(())
    }

    /// Takes an account away; its mail stays.
    pub fn remove_user(&self, address: &str) -> Result<()> {
        // Emptied, not removed: a file that is missing is a fault to Dovecot.
        unix::write_file(&self.account_file(&address.to_lowercase()), b"", 0o644, None)?;
        Self::wait_for_change();
        Ok(())
    }

    /// One passwd-file for each account: a new one is seen at once.
    fn account_file(&self, address: &str) -> PathBuf {
        self.dir.path().join("users").join(address)
    }

    /// Dovecot looks for changes of a passwd-file once in a second.
    fn wait_for_change() {
        std::thread::sleep(Duration::from_millis(1100));
    }

    /// An OAuth 2.0 access token for `address` that this server accepts (and
    /// refuses once `expires` has passed).
    pub fn oauth_token(&self, address: &str, expires: Timestamp) -> String {
        jwt::token(address, expires)
    }

    /// Makes `script` the account's active Sieve script. The action
    /// `pipe "forward-as-attachment" ["ADDRESS"];` (with
    /// `require "vnd.dovecot.pipe"`) forwards a message unchanged as
    /// message/rfc822; `:copy` keeps it in the mailbox as well.
    pub fn set_sieve(&self, address: &str, script: &str) -> Result<()> {
        let home = self.home(&address.to_lowercase());
        let folder = home.join("sieve");
        unix::make_dir(&folder, 0o755, Some(self.owner))?;
        let file = folder.join("active.sieve");
        unix::write_file(&file, script.as_bytes(), 0o644, Some(self.owner))?;
        let compiler = unix::program(&["/usr/bin/sievec", "/usr/local/bin/sievec"])?;
        run(Command::new(compiler).arg("-c").arg(self.config()).arg(&file)).context("the Sieve script has errors")?;
        unix::own(&folder.join("active.svbin"), Some(self.owner))?;
        let active = home.join(".dovecot.sieve");
        if active.symlink_metadata().is_ok() {
            fs::remove_file(&active)?;
        }
        std::os::unix::fs::symlink("sieve/active.sieve", &active)?;
        unix::own(&active, Some(self.owner))
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

    /// Stops the server if it runs, and starts it on the same ports and data.
    pub async fn restart(&self) -> Result<()> {
        self.stop().await;
        self.restart_blocking()
    }

    fn restart_blocking(&self) -> Result<()> {
        drop(self.take());
        let command =
            [self.program.display().to_string(), "-F".into(), "-c".into(), self.config().display().to_string()];
        let log = self.dir.path().join("dovecot.log");
        let mut server = Supervised::start(&command, "TERM", self.dir.path(), &log)?;
        let addresses = self.ports.all().map(|port| (FOR_STRANGERS, port.number()).into());
        server.wait_for_ports(&addresses)?;
        *self.server.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(server);
        Ok(())
    }

    fn take(&self) -> Option<Supervised> {
        self.server.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        let log = fs::read(self.dir.path().join("dovecot.log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    fn home(&self, address: &str) -> PathBuf {
        self.dir.path().join("mail").join(address)
    }
}
