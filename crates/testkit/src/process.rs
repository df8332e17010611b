//! A server process that cannot outlive the test.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Longest time that a server may take to answer on its ports.
const START: Duration = Duration::from_secs(60);

/// A running server. Dropping it stops the server.
#[derive(Debug)]
pub(crate) struct Supervised {
    supervisor: Child,
    orders: Option<ChildStdin>,
    log: PathBuf,
    /// How it ends when nobody asks for a way.
    last_order: &'static str,
    ports: Vec<SocketAddr>,
}

impl Supervised {
    /// Starts `command` under a supervisor. `stop` names the signal for an
    /// orderly stop, `directory` is removed if this process dies without one,
    /// `log` takes the server's output.
    pub(crate) fn start(command: &[String], stop: &str, directory: &Path, log: &Path) -> Result<Self> {
        let output: File = OpenOptions::new().create(true).append(true).open(log)?;
        let mut supervisor = Command::new("/bin/sh")
            .arg("-c")
            .arg(include_str!("supervise.sh"))
            .args(["supervise", stop])
            .arg(directory)
            .args(command)
            .current_dir("/")
            // A group of its own: a runner that kills the test's group must
            // not take the supervisor before its work is done.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("starting {command:?}"))?;
        let orders = supervisor.stdin.take();
        // With throw-away data there is nothing to put in order first, unless
        // the server asks for more than the end of its processes.
        let last_order = if stop == "TERM" { "kill" } else { "stop" };
        Ok(Self { supervisor, orders, log: log.to_owned(), last_order, ports: Vec::new() })
    }

    /// Waits until something listens on each of `addresses`.
    pub(crate) fn wait_for_ports(&mut self, addresses: &[SocketAddr]) -> Result<()> {
        self.ports.extend(addresses);
        for &address in addresses {
            let what = format!("nothing answered on {address}");
            self.wait_until(&what, || TcpStream::connect_timeout(&address, START).is_ok())?;
        }
        Ok(())
    }

    /// Waits until `ready`; fails early if the server has ended.
    pub(crate) fn wait_until(&mut self, what: &str, mut ready: impl FnMut() -> bool) -> Result<()> {
        let deadline = Instant::now() + START;
        while !ready() {
            if let Some(status) = self.supervisor.try_wait()? {
                bail!("{what}, and the server has ended ({status}):\n{}", self.log_tail());
            }
            if Instant::now() > deadline {
                bail!("{what} within {START:?}:\n{}", self.log_tail());
            }
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Stops the server in an orderly way and waits for its end.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.order("stop");
        Ok(())
    }

    /// Ends the server at once, as a crash would.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.order("kill");
        Ok(())
    }

    fn order(&mut self, order: &str) {
        if let Some(mut orders) = self.orders.take() {
            // It fails when the server has ended by itself, which is as well.
            let _ = writeln!(orders, "{order}");
            let _ = self.supervisor.wait();
            self.wait_for_silence();
        }
    }

    /// Children that were killed with their master may listen a moment longer.
    fn wait_for_silence(&self) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.ports.iter().any(|port| TcpStream::connect(port).is_ok()) && Instant::now() < deadline {
            sleep(Duration::from_millis(5));
        }
    }

    fn log_tail(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let tail = log.get(log.len().saturating_sub(4000)..).unwrap_or_default();
        String::from_utf8_lossy(tail).into_owned()
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.order(self.last_order);
    }
}

/// Runs a program to its end; the error carries what it said.
pub(crate) fn run(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("running {command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?} failed ({}): {}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(output.stdout)
}
