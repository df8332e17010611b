//! `postroom key rotate`: a new key for everything that is sealed.

use anyhow::Result;
use clap::{Args, Subcommand};

use super::Common;
use crate::output;
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Key {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Add a new key and seal everything anew, while the service runs.
    Rotate,
}

impl Key {
    pub async fn run(self) -> Result<()> {
        let Verb::Rotate = self.verb;
        let session = Session::open(&self.common.data).await?;
        let bar = output::progress("sealing anew");
        actions::upkeep::rotate_key(&session.context().await?, |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        })
        .await?;
        bar.finish_and_clear();
        output::note(&format!(
            "Everything is sealed with a new key. Keep a copy of {} in a safe place: without it no password can be opened.",
            session.data_dir.join("keys").display()
        ));
        Ok(())
    }
}
