//! What every command needs: the configuration and the opened store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use actions::{Context, Random, Settings};
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
    Options { database: url, ..Options::new(data_dir) }
}

impl Session {
    pub async fn open(data_dir: &Path) -> Result<Self> {
        if !data_dir.is_dir() {
            bail!("{} does not exist; prepare an installation with `postroom init --data {0} --admin ADDRESS`", data_dir.display());
        }
        let config = Config::load(data_dir, variable)?;
        let store = Store::open(&options(data_dir, &config))
            .await
            .with_context(|| format!("cannot open the installation in {}", data_dir.display()))?;
        Ok(Self { data_dir: data_dir.to_owned(), config, store })
    }

    pub fn settings(&self) -> Settings {
        Settings { allow_insecure: self.config.servers.allow_insecure }
    }

    /// The context of a command: whoever can read the data directory acts as
    /// the installation's own account.
    pub async fn context(&self) -> Result<Context> {
        let organization = self.store.list::<Organization>(&Query::of::<Organization>().limit(1)).await?;
        let system = organization.first().and_then(|o| o.system_user).context("this installation is not initialized")?;
        let actor = self.store.load::<SystemUser>(system.id).await?.context("the SYSTEM account is missing")?;
        Ok(Context {
            store: self.store.clone(),
            actor,
            now: SystemClock.now(),
            random: Random::system(),
            settings: self.settings(),
        })
    }

    pub fn engine(&self) -> Result<Arc<Engine>> {
        let dialer = Dialer::new(self.config.net(&self.data_dir)?).map_err(|failure| anyhow::anyhow!("{failure}"))?;
        let settings = sync::Settings {
            holder: format!("{}:{}", host_name(), std::process::id()),
            incoming_workers: self.config.workers.incoming.max(1),
            outgoing_workers: self.config.workers.outgoing.max(1),
            test_workers: self.config.workers.test.max(1),
            ..sync::Settings::default()
        };
        Ok(Engine::new(self.store.clone(), dialer, Arc::new(SystemClock), settings))
    }
}

/// As the kernel knows it; names the holder of a lease.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}
