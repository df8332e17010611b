//! `postroom token create`.

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use super::{Common, find};
use crate::output;
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Token {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a bearer token for a user; it is shown once.
    Create {
        /// The user's email address or user name.
        #[arg(long, value_name = "ADDRESS")]
        user: String,
        /// What it is for.
        #[arg(long, default_value = "command line")]
        name: String,
    },
}

impl Token {
    pub async fn run(self) -> Result<()> {
        let session = Session::open(&self.common.data).await?;
        let Verb::Create { user, name } = self.verb;
        let context = session.context().await?;
        let found = find::user(&session.store, &user).await?;
        let token = actions::token::create(&context, found.id, &name).await.context("cannot create the token")?;
        output::line(&token);
        Ok(())
    }
}
