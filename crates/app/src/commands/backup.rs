//! `postroom backup FILE`, on a running installation.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use super::Common;
use crate::output;
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Backup {
    #[command(flatten)]
    common: Common,
    /// The file to write; it must not exist.
    file: PathBuf,
}

impl Backup {
    pub async fn run(self) -> Result<()> {
        let session = Session::open(&self.common.data).await?;
        let bar = output::progress("backing up");
        let report = actions::upkeep::backup(&session.context().await?, &self.file, |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        })
        .await
        .with_context(|| format!("cannot write the backup {}", self.file.display()))?;
        bar.finish_and_clear();
        for lost in &report.lost_blobs {
            output::note(&format!("blob {lost} could not be read and is not in the backup; run: postroom doctor"));
        }
        output::note(&format!(
            "{} holds the database and all messages; passwords in it stay sealed. The key ring {} is not in it: keep a copy of it elsewhere.",
            self.file.display(),
            session.data_dir.join("keys").display()
        ));
        Ok(())
    }
}
