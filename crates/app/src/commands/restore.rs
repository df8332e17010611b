//! `postroom restore FILE`, into an empty installation.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use store::Store;

use super::{Common, init};
use crate::config::Config;
use crate::session::Session;
use crate::{output, session};

#[derive(Debug, Args)]
pub struct Restore {
    #[command(flatten)]
    common: Common,
    /// The backup.
    file: PathBuf,
    /// Restore into this PostgreSQL database instead of SQLite.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

impl Restore {
    pub async fn run(self) -> Result<()> {
        let dir = &self.common.data;
        std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        let mut config = Config::load(dir, session::variable)?;
        if let Some(url) = &self.database {
            config.database.url.clone_from(url);
        }
        let bar = output::progress("restoring");
        let (store, report) = Store::restore(&self.file, &session::options(dir, &config), |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        })
        .await
        .with_context(|| format!("cannot restore {}", self.file.display()))?;
        bar.finish_and_clear();
        if let Some(url) = &self.database {
            init::remember_database(dir, url)?;
        }
        drop(store);
        let session = Session::open(dir).await?;
        actions::upkeep::restored(&session.context().await?, &self.file, &report).await?;
        output::note(&format!("restored {} rows and {} messages into {}", report.rows, report.blobs, dir.display()));
        if report.new_key {
            output::note(&format!(
                "There was no key ring, so a new one was made: the sealed passwords open once the copy of the old one is put to {} (mode 0600). Then check with: postroom doctor --data {}",
                dir.join("keys").display(),
                dir.display()
            ));
        }
        Ok(())
    }
}
