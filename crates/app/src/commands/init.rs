//! `postroom init`: prepares an empty installation.

use actions::Random;
use anyhow::{Context, Result, bail};
use clap::Args;
use model::Clock;
use store::Store;

use super::Common;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::{output, session};

#[derive(Debug, Args)]
pub struct Init {
    #[command(flatten)]
    common: Common,
    /// `postgres://USER:PASSWORD@HOST/DATABASE`; without it, SQLite in the data directory.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The administrator's email address.
    #[arg(long, value_name = "ADDRESS")]
    admin: String,
}

impl Init {
    pub async fn run(self) -> Result<()> {
        let dir = &self.common.data;
        std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        let mut config = Config::load(dir, session::variable)?;
        if let Some(url) = &self.database {
            if !config.database.url.is_empty() && config.database.url != *url {
                bail!("{} names another database; take one of both away", dir.join("postroom.toml").display());
            }
            config.database.url.clone_from(url);
        }
        let store = Store::create(&session::options(dir, &config))
            .await
            .with_context(|| format!("cannot prepare an installation in {}", dir.display()))?;
        let token = actions::init(&store, &self.admin, SystemClock.now(), &Random::system()).await?;
        if let Some(url) = &self.database {
            remember_database(dir, url)?;
        }
        let link = password_link(&self.common.data, &config, &self.admin).await;
        // The only line on standard output: the administrator's bearer token.
        output::line(&token);
        output::note(&format!(
            "The installation in {0} is ready. Keep the token: it is not shown again.\nStart it with: postroom serve --data {0}",
            dir.display()
        ));
        if let Ok(link) = link {
            output::note(&format!(
                "To set everything up in a browser, open this within three days once the service runs, set a password and sign in:\n{link}\nYou are led from there to the first synchronized mailbox."
            ));
        }
        Ok(())
    }
}

/// Where the administrator sets a password for the browser.
async fn password_link(dir: &std::path::Path, config: &Config, admin: &str) -> Result<String> {
    let session = session::Session::open(dir).await?;
    let user = super::find::user(&session.store, admin).await?;
    let ticket = actions::sign_in::reset::reset(&session.context().await?, user.id, false).await?;
    config.password_link(&ticket)
}

/// The next command finds the database in the configuration. The URL may hold
/// a password, so the file is its owner's alone.
pub(super) fn remember_database(dir: &std::path::Path, url: &str) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let path = dir.join("postroom.toml");
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    if before.contains("[database]") {
        return Ok(());
    }
    let mut file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
    let quoted = toml::Value::String(url.to_owned()).to_string();
    writeln!(file, "[database]\nurl = {quoted}")?;
    Ok(())
}
