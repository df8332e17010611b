//! `postroom user`: how people sign in.

use std::io::Read;

use actions::sign_in::{openid, reset};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use model::Secret;

use super::{Common, find};
use crate::output;
use crate::session::Session;

#[derive(Debug, Args)]
pub struct User {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print a link with which the user sets a password, once, within three
    /// days.
    Password {
        /// The user's email address or user name.
        user: String,
        /// Read the password from standard input and set it, without a link.
        #[arg(long)]
        stdin: bool,
        /// Forget the second step as well: the authenticator was lost.
        #[arg(long, conflicts_with = "stdin")]
        forget_second_step: bool,
    },
    /// Take back the user's connections with accounts of the identity
    /// provider: the next sign-in finds the user by name again.
    Disconnect {
        /// The user's email address or user name.
        user: String,
    },
}

impl User {
    pub async fn run(self) -> Result<()> {
        let session = Session::open(&self.common.data).await?;
        let context = session.context().await?;
        let (user, stdin, forget_second_step) = match self.verb {
            Verb::Password { user, stdin, forget_second_step } => (user, stdin, forget_second_step),
            Verb::Disconnect { user } => return disconnect(&session, &context, &user).await,
        };
        let found = find::user(&session.store, &user).await?;
        if stdin {
            let mut text = String::new();
            std::io::stdin().lock().take(64 * 1024).read_to_string(&mut text)?;
            let password = text.strip_suffix('\n').unwrap_or(&text);
            let password = password.strip_suffix('\r').unwrap_or(password);
            if password.is_empty() {
                bail!("there is no password on standard input");
            }
            let entrance = session.entrance(&context);
            reset::set_directly(&context, &entrance, found.id, Secret::new(password))
                .await
                .context("cannot set the password")?;
            output::note("The password is set.");
            return Ok(());
        }
        let ticket =
            reset::reset(&context, found.id, forget_second_step).await.context("cannot make a link for the user")?;
        output::line(&session.config.password_link(&ticket)?);
        Ok(())
    }
}

async fn disconnect(session: &Session, context: &actions::Context, user: &str) -> Result<()> {
    let found = find::user(&session.store, user).await?;
    let identities = openid::list(context, found.id).await.context("cannot read the connections")?;
    for identity in &identities {
        openid::disconnect(context, identity.id).await.context("cannot disconnect")?;
    }
    output::note(&format!("{} connections are taken back.", identities.len()));
    Ok(())
}
