//! What every command needs: the configuration and the opened store.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use actions::sign_in::{Cost, Entrance, Hasher, Visitor};
use actions::{Context, Origin, Random, Settings};
use anyhow::{Context as _, Result, bail};
use connectors::net::Dialer;
use model::tables::{Organization, SystemUser};
use model::{Clock, Query};
use store::{Options, Store};
use sync::Engine;

use crate::clock::SystemClock;
use crate::config::Config;

pub struct Session {
    pub data_dir: PathBuf,
    pub config: Config,
    pub store: Store,
}

/// One variable of the environment.
#[expect(clippy::disallowed_methods, reason = "only `app` reads the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

pub fn options(data_dir: &Path, config: &Config) -> Options {
    let url = Some(config.database.url.clone()).filter(|url| !url.is_empty());
    let backups = Some(&config.backups.directory).filter(|directory| !directory.is_empty());
    let backup_dir = backups.map(|directory| data_dir.join(directory));
    Options { database: url, backup_dir, ..Options::new(data_dir) }
}

impl Session {
    pub async fn open(data_dir: &Path) -> Result<Self> {
        if !data_dir.is_dir() {
            bail!(
                "{} does not exist; prepare an installation with `postroom init --data {0} --admin ADDRESS`",
                data_dir.display()
            );
        }
        let config = Config::load(data_dir, variable)?;
        let store = Store::open(&options(data_dir, &config))
            .await
            .with_context(|| format!("cannot open the installation in {}", data_dir.display()))?;
        actions::prepare(&store, SystemClock.now())
            .await
            .context("cannot bring the installation up to this version")?;
        Ok(Self { data_dir: data_dir.to_owned(), config, store })
    }

    /// The database belongs to this machine: every lease holder is a process here.
    pub fn is_alone(&self) -> bool {
        self.config.database.url.is_empty()
    }

    pub fn settings(&self) -> Settings {
        Settings {
            allow_insecure: self.config.servers.allow_insecure,
            allow_credentials_in_clear: self.config.web.allow_credentials_in_clear,
        }
    }

    /// The context of a command: whoever can read the data directory acts as
    /// the installation's own account.
    pub async fn context(&self) -> Result<Context> {
        let organization = self.store.list::<Organization>(&Query::of::<Organization>().limit(1)).await?;
        let system =
            organization.first().and_then(|o| o.system_user).context("this installation is not initialized")?;
        let actor = self.store.load::<SystemUser>(system.id).await?.context("the SYSTEM account is missing")?;
        let context =
            Context::new(self.store.clone(), actor, SystemClock.now(), Random::system(), self.settings()).await?;
        Ok(context.from(origin()))
    }

    /// Passwords are hashed by a quarter of the processors at most.
    pub fn hasher(&self) -> Hasher {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Hasher::new(Cost::default(), processors.div_ceil(4))
    }

    /// What signing in is given by a command.
    pub fn entrance(&self, context: &Context) -> Entrance {
        Entrance {
            store: self.store.clone(),
            now: context.now,
            random: context.random.clone(),
            settings: context.settings,
            policy: self.config.sign_in.policy(),
            hasher: self.hasher(),
            visitor: Visitor::default(),
        }
    }

    pub fn engine(&self) -> Result<Arc<Engine>> {
        let dialer = Dialer::new(self.config.net(&self.data_dir)?).map_err(|failure| anyhow::anyhow!("{failure}"))?;
        let settings = sync::Settings {
            holder: holder(),
            incoming_workers: self.config.workers.incoming,
            outgoing_workers: self.config.workers.outgoing,
            test_workers: self.config.workers.test,
            lease: std::time::Duration::from_secs(self.config.workers.lease_seconds.clamp(1, 3600)),
            ..sync::Settings::default()
        };
        Ok(Engine::new(self.store.clone(), dialer, Arc::new(SystemClock), settings))
    }
}

/// The words of the command that runs: `postroom mailbox approve`.
static COMMAND: OnceLock<String> = OnceLock::new();

/// Says which command runs, for the audit trail. Its arguments are not kept:
/// they may hold a database's password.
pub fn set_command(words: String) {
    // The first word counts; there is one command to a process.
    let _ = COMMAND.set(words);
}

/// Whoever can read the data directory acts as SYSTEM; the audit trail says
/// which account of the operating system that was.
fn origin() -> Origin {
    let version = env!("CARGO_PKG_VERSION");
    let command = COMMAND.get().map_or("", String::as_str);
    Origin {
        door: "command line",
        remote: format!("{}@{}", account(), host_name()),
        user_agent: format!("postroom/{version} {command}").trim_end().to_owned(),
        request: String::new(),
    }
}

/// The account that runs this process. `sudo` leaves word of who asked for
/// it, which is hearsay and marked so.
fn account() -> String {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(own) = std::fs::metadata("/proc/self") else { return "unknown".to_owned() };
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = user_name(&users, own.uid());
    match variable("SUDO_USER").filter(|asked| !asked.is_empty() && !asked.contains(char::is_control)) {
        Some(asked) => format!("{name} (sudo by {})", asked.chars().take(60).collect::<String>()),
        None => name,
    }
}

/// passwd(5): `name:password:uid:…`
fn user_name(users: &str, uid: u32) -> String {
    let uid = uid.to_string();
    let line = users.lines().find(|line| line.split(':').nth(2) == Some(uid.as_str()));
    line.and_then(|line| line.split(':').next()).filter(|n| !n.is_empty()).map_or(format!("uid {uid}"), str::to_owned)
}

/// As the kernel knows it; names the holder of a lease.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}

/// Who holds the leases of this process: host, process, and when it began, so
/// that a process id that is used again does not pass for its predecessor.
fn holder() -> String {
    let process = std::process::id();
    format!("{}:{process}:{}", host_name(), began(process).unwrap_or_default())
}

/// Whether the process of a lease holder, on this machine, runs no more.
pub fn has_ended(holder: &str) -> bool {
    let mut parts = holder.rsplitn(3, ':');
    let (Some(start), Some(process)) = (parts.next(), parts.next()) else { return false };
    let Ok(process) = process.parse() else { return false };
    began(process).is_none_or(|running| running != start)
}

/// When a running process began, in clock ticks since the boot; proc(5): the
/// 22nd field of `stat`, counted behind the name, which may hold anything.
fn began(process: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_not_ended() {
        assert!(!has_ended(&holder()));
    }

    #[test]
    fn a_process_id_that_is_used_again_is_another_process() {
        assert!(has_ended(&format!("host:{}:0", std::process::id())));
    }

    #[test]
    fn a_process_that_is_not_there_has_ended() {
        assert!(has_ended("host:4194305:17"));
    }

    #[track_caller]
    fn named(uid: u32, expected: &str) {
        let users = "root:x:0:0:root:/root:/bin/bash\npostroom:x:998:998::/var/lib/postroom:/bin/false\n\nbroken";
        assert_eq!(user_name(users, uid), expected);
    }

    #[test]
    fn accounts_have_names_or_numbers() {
        named(0, "root");
        named(998, "postroom");
        named(4711, "uid 4711");
    }

    #[test]
    fn a_name_of_another_kind_says_nothing() {
        assert!(!has_ended("postroom"));
    }
}
