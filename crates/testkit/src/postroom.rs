//! The program itself, run as its users run it: the binary, a data directory,
//! a port.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::api::Api;
use crate::ports::Port;

/// How an installation is to be.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `postgres://…`; `None`: SQLite.
    pub database: Option<String>,
    /// Certificates that the program is to trust.
    pub extra_ca: Option<PathBuf>,
    /// More lines for `postroom.toml`.
    pub config: String,
    pub role: Option<String>,
    /// `config` gives a certificate: the service speaks TLS alone.
    pub tls: bool,
}

/// An installation with its service running. Dropping it ends the service and
/// removes the data.
pub struct Postroom {
    binary: PathBuf,
    directory: tempfile::TempDir,
    options: Options,
    port: Port,
    token: String,
    service: Option<Child>,
}

/// The first user.
pub const ADMINISTRATOR: &str = "admin@crm.test";

impl Postroom {
    /// `postroom init`, the configuration, `postroom serve`.
    pub fn start(binary: &Path, options: Options) -> Result<Self> {
        let mut this = Self::install(binary, options)?;
        this.serve()?;
        Ok(this)
    }

    /// The same without starting the service.
    pub fn install(binary: &Path, options: Options) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("postroom-").tempdir()?;
        let port = Port::reserve()?;
        let mut this =
            Self { binary: binary.to_owned(), directory, options, port, token: String::new(), service: None };
        let mut arguments = vec!["init".to_owned(), "--admin".into(), ADMINISTRATOR.into()];
        if let Some(url) = &this.options.database {
            arguments.extend(["--database".into(), url.clone()]);
        }
        let output = this.command(&arguments).output()?;
        if !output.status.success() {
            bail!("postroom init failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        this.token = String::from_utf8(output.stdout)?.trim().to_owned();
        this.configure()?;
        Ok(this)
    }

    /// A fresh machine with what another installation saved in `backup`, its
    /// key ring from `keys`; not started. `token`: one of the other's, which
    /// works here as well.
    pub fn restore(binary: &Path, options: Options, backup: &Path, keys: &Path, token: &str) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("postroom-").tempdir()?;
        let port = Port::reserve()?;
        let this = Self { binary: binary.to_owned(), directory, options, port, token: token.to_owned(), service: None };
        fs::copy(keys, this.data_dir().join("keys"))?;
        let mut arguments = vec!["restore".to_owned(), backup.display().to_string()];
        if let Some(url) = &this.options.database {
            arguments.extend(["--database".into(), url.clone()]);
        }
        let output = this.command(&arguments).output()?;
        if !output.status.success() {
            bail!("postroom restore failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        this.configure()?;
        Ok(this)
    }

    /// Adds the loopback networks and the certificates to what `init` wrote.
    fn configure(&self) -> Result<()> {
        let path = self.data_dir().join("postroom.toml");
        let before = fs::read_to_string(&path).unwrap_or_default();
        let mut text = format!("{before}\n[servers]\nallow_networks = [\"127.0.0.0/8\", \"::1/128\"]\n");
        if let Some(ca) = &self.options.extra_ca {
            text += &format!("extra_ca = \"{}\"\n", ca.display());
        }
        text += &self.options.config;
        // Who waits for something here asks often.
        if !text.contains("[limits]") {
            text += "\n[limits]\nuser_requests = 0\nuser_seconds = 0\nuser_concurrent = 0\n";
        }
        fs::write(path, text)?;
        Ok(())
    }

    /// Replaces a stretch of `postroom.toml`; the next start reads it.
    pub fn reconfigure(&self, before: &str, after: &str) -> Result<()> {
        let path = self.data_dir().join("postroom.toml");
        let text = fs::read_to_string(&path)?;
        fs::write(path, text.replace(before, after))?;
        Ok(())
    }

    pub fn data_dir(&self) -> &Path {
        self.directory.path()
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
    }

    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The process id of the service while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.service.as_ref().map(Child::id)
    }

    /// A client in the administrator's name.
    pub fn api(&self) -> Api {
        Api::new(&self.base(), &self.token)
    }

    fn command(&self, arguments: &[String]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).arg("--data").arg(self.data_dir()).stdin(Stdio::null());
        command
    }

    /// Runs one command of the program; `--data` is added.
    pub fn run(&self, arguments: &[&str]) -> Result<Output> {
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        Ok(self.command(&arguments).output()?)
    }

    /// The same, and what it printed; an error when it failed.
    pub fn cli(&self, arguments: &[&str]) -> Result<String> {
        let output = self.run(arguments)?;
        if !output.status.success() {
            bail!("postroom {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Sets a person's password, as an operator does.
    pub fn set_password(&self, user: &str, password: &str) -> Result<()> {
        let arguments = ["user", "password", user, "--stdin"].map(str::to_owned);
        let mut child =
            self.command(&arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        child.stdin.take().context("no standard input")?.write_all(password.as_bytes())?;
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!("postroom user password {user}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    /// Starts the service, whose configuration now gives a certificate.
    pub fn speak_tls(&mut self) -> Result<()> {
        self.options.tls = true;
        self.serve()
    }

    /// Starts the service and waits until it is ready.
    pub fn serve(&mut self) -> Result<()> {
        self.service = Some(self.spawn(&self.port, self.options.role.as_deref(), &self.log_path())?);
        let api = self.api();
        let began = Instant::now();
        loop {
            // Over plain HTTP, a port that speaks TLS says so with a 400.
            let ready = if self.options.tls { 400 } else { 200 };
            if api.request("GET", "/readyz", None, &[]).is_ok_and(|answer| answer.status == ready) {
                return Ok(());
            }
            let ended = self.service.as_mut().map(Child::try_wait).transpose()?.flatten();
            if ended.is_some() || began.elapsed() > Duration::from_secs(30) {
                bail!("postroom serve did not get ready:\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    fn spawn(&self, port: &Port, role: Option<&str>, log: &Path) -> Result<Child> {
        let log = fs::File::options().create(true).append(true).open(log)?;
        let mut arguments = vec!["serve".to_owned(), "--listen".into(), format!("127.0.0.1:{}", port.number())];
        if let Some(role) = role {
            arguments.extend(["--role".into(), role.into()]);
        }
        // Gone with the test, however it ends.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL"])
            .arg(&self.binary)
            .args(&arguments)
            .arg("--data")
            .arg(self.data_dir())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        command.spawn().context("starting postroom serve")
    }

    /// Starts one more service on the same data directory, with this role, on
    /// a port of its own, and waits until it is ready.
    pub fn serve_another(&self, role: &str) -> Result<Node> {
        let port = Port::reserve()?;
        let log = self.data_dir().join(format!("serve-{}.log", port.number()));
        let service = self.spawn(&port, Some(role), &log)?;
        let mut node = Node { service, port, log };
        let api = Api::new(&node.base(), &self.token);
        let began = Instant::now();
        while !api.request("GET", "/readyz", None, &[]).is_ok_and(|answer| answer.status == 200) {
            if node.service.try_wait()?.is_some() || began.elapsed() > Duration::from_secs(30) {
                bail!("postroom serve --role {role} did not get ready:\n{}", node.log());
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        Ok(node)
    }

    fn log_path(&self) -> PathBuf {
        self.data_dir().join("serve.log")
    }

    /// What the service logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Ends the service in the hardest way.
    pub fn kill(&mut self) {
        if let Some(mut service) = self.service.take() {
            let _ = service.kill();
            let _ = service.wait();
        }
    }

    /// Asks the service to end (SIGTERM) and waits for it.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(mut service) = self.service.take() {
            Command::new("kill").arg(service.id().to_string()).status()?;
            service.wait()?;
        }
        Ok(())
    }
}

/// One more service of an installation. Dropping it ends it at once.
pub struct Node {
    service: Child,
    port: Port,
    log: PathBuf,
}

impl Node {
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
    }

    pub fn pid(&self) -> u32 {
        self.service.id()
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, name: &str) -> Result<()> {
        let done = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status()?;
        if !done.success() {
            bail!("kill -s {name} failed");
        }
        Ok(())
    }

    /// Ends it in the hardest way.
    pub fn kill(&mut self) {
        let _ = self.service.kill();
        let _ = self.service.wait();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Drop for Postroom {
    fn drop(&mut self) {
        self.kill();
    }
}
