//! `postroom session list|end`: browsers that are signed in.

use actions::sign_in::session;
use anyhow::{Context as _, Result};
use clap::{ArgGroup, Args, Subcommand};
use model::{Id, Timestamp};
use serde_json::{Value, json};

use super::{Common, find};
use crate::output::{self, Listing};
use crate::session::Session as Opened;

#[derive(Debug, Args)]
pub struct Session {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The sessions that have not ended, the one that was used last first.
    List {
        /// Only those of this user: address or user name.
        #[arg(long, value_name = "USER")]
        user: Option<String>,
    },
    /// End one session, or all of a user.
    #[command(group(ArgGroup::new("which").required(true)))]
    End {
        /// Its id, as `postroom session list` shows it.
        #[arg(group = "which")]
        id: Option<Id>,
        /// All sessions of this user: address or user name.
        #[arg(long, value_name = "USER", group = "which")]
        user: Option<String>,
    },
}

/// Shown at once.
const MOST: usize = 1000;

impl Session {
    pub async fn run(self) -> Result<()> {
        let opened = Opened::open(&self.common.data).await?;
        match self.verb {
            Verb::List { user } => list(&opened, user.as_deref(), self.common.json).await,
            Verb::End { id, user } => end(&opened, id, user.as_deref()).await,
        }
    }
}

async fn list(opened: &Opened, user: Option<&str>, json: bool) -> Result<()> {
    let user = match user {
        Some(user) => Some(find::user(&opened.store, user).await?.id),
        None => None,
    };
    let policy = opened.config.sign_in.policy();
    let held = session::of_everybody(&opened.context().await?, &policy, user, MOST).await?;
    let mut listing = Listing::new(&[
        ("id", "Id"),
        ("user", "User"),
        ("created", "Signed in"),
        ("seen", "Last seen"),
        ("with", "With"),
        ("address", "From"),
        ("agent", "Browser"),
    ]);
    let time = |t: Option<Timestamp>| t.map_or(Value::Null, |t| t.to_string().into());
    for held in held {
        listing.rows.push(vec![
            json!(held.session.id.to_string()),
            json!(held.user.domain_name),
            time(held.session.created_on),
            time(held.session.seen_on),
            json!(held.session.method),
            json!(held.session.address),
            json!(held.session.agent),
        ]);
    }
    listing.print(json);
    Ok(())
}

async fn end(opened: &Opened, id: Option<Id>, user: Option<&str>) -> Result<()> {
    let context = opened.context().await?;
    if let Some(id) = id {
        session::revoke(&context, id).await.context("cannot end the session")?;
        output::note("The session has ended.");
    }
    if let Some(user) = user {
        let found = find::user(&opened.store, user).await?;
        let ended = session::end_all_of(&context, found.id).await.context("cannot end the sessions")?;
        output::note(&format!("{ended} sessions of {} have ended.", found.domain_name));
    }
    Ok(())
}
