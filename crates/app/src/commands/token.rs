//! `postroom token`: the bearer tokens of users.

use actions::token::NewToken;
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use model::{Id, Timestamp};
use serde_json::Value;

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
        /// What of the user's rights it may use: read, mailboxes, work, names
        /// of tables; several in quotes. Without it: everything.
        #[arg(long, default_value = "", value_name = "WORDS")]
        scopes: String,
        /// When it ends, e.g. 2027-01-31T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        expires: Option<Timestamp>,
    },
    /// List a user's tokens.
    List {
        /// The user's email address or user name.
        #[arg(long, value_name = "ADDRESS")]
        user: String,
    },
    /// End a token.
    Revoke {
        /// Its id, as `postroom token list` shows it.
        id: Id,
    },
}

impl Token {
    pub async fn run(self) -> Result<()> {
        let session = Session::open(&self.common.data).await?;
        let context = session.context().await?;
        match self.verb {
            Verb::Create { user, name, scopes, expires } => {
                let found = find::user(&session.store, &user).await?;
                let new = NewToken { name, scopes, expires };
                let (_, token) =
                    actions::token::create(&context, found.id, new).await.context("cannot create the token")?;
                output::line(&token);
            }
            Verb::List { user } => {
                let found = find::user(&session.store, &user).await?;
                let mut listing = output::Listing::new(&[
                    ("id", "Id"),
                    ("name", "Name"),
                    ("scopes", "Scopes"),
                    ("expires", "Expires"),
                    ("last_used", "Last used"),
                ]);
                let time = |t: Option<Timestamp>| t.map_or(Value::Null, |t| t.to_string().into());
                for token in actions::token::list(&context, found.id).await? {
                    listing.rows.push(vec![
                        token.id.to_string().into(),
                        token.name.into(),
                        token.scopes.into(),
                        time(token.expires_on),
                        time(token.last_used_on),
                    ]);
                }
                listing.print(self.common.json);
            }
            Verb::Revoke { id } => {
                actions::token::revoke(&context, id).await.context("cannot revoke the token")?;
                output::note("The token is good no more.");
            }
        }
        Ok(())
    }
}
