//! `postroom app`: services that ask for tokens with a client id and a secret.

use actions::sign_in::application;
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use model::{Id, Timestamp};
use serde_json::{Value, json};

use super::Common;
use crate::output;
use crate::session::Session;

#[derive(Debug, Args)]
pub struct App {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a user for a service, with a first secret that is shown once.
    Create {
        /// What it is called.
        name: String,
        /// When the secret ends, e.g. 2027-01-31T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        expires: Option<Timestamp>,
    },
    /// One more secret for a service: hand it out, then revoke the old one.
    Secret {
        /// The client id.
        client: Id,
        /// What it is called.
        #[arg(long, default_value = "command line")]
        name: String,
        /// When it ends, e.g. 2027-01-31T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        expires: Option<Timestamp>,
    },
    /// List the services and their secrets.
    List,
    /// End a secret, and the access tokens that were given for it.
    Revoke {
        /// The secret's id, as `postroom app list` shows it.
        secret: Id,
    },
}

impl App {
    pub async fn run(self) -> Result<()> {
        let session = Session::open(&self.common.data).await?;
        let context = session.context().await?;
        let json = self.common.json;
        match self.verb {
            Verb::Create { name, expires } => {
                let made = application::create(&context, &name).await.context("cannot create the service")?;
                let (id, secret) = application::add_secret(&context, made.application, "first", expires).await?;
                shown(made.application, id, &secret, json);
            }
            Verb::Secret { client, name, expires } => {
                let (id, secret) =
                    application::add_secret(&context, client, &name, expires).await.context("cannot make a secret")?;
                shown(client, id, &secret, json);
            }
            Verb::List => list(&context, json).await?,
            Verb::Revoke { secret } => {
                application::revoke_secret(&context, secret).await.context("cannot revoke the secret")?;
                output::note("The secret is good no more.");
            }
        }
        Ok(())
    }
}

fn shown(client: Id, id: Id, secret: &str, json: bool) {
    let pairs = [
        ("client_id", client.to_string().into()),
        ("client_secret", Value::from(secret)),
        ("secret_id", id.to_string().into()),
    ];
    output::record(&pairs, json);
    output::note("Keep the secret: it is not shown again.");
}

async fn list(context: &actions::Context, json: bool) -> Result<()> {
    let mut listing = output::Listing::new(&[
        ("client_id", "Client id"),
        ("name", "Service"),
        ("disabled", "Disabled"),
        ("secret_id", "Secret"),
        ("secret", "Called"),
        ("expires", "Expires"),
        ("last_used", "Last used"),
    ]);
    let time = |t: Option<Timestamp>| t.map_or(Value::Null, |t| t.to_string().into());
    for app in application::list(context).await? {
        let about = [json!(app.application.to_string()), json!(app.user.last_name), json!(app.user.is_disabled)];
        if app.secrets.is_empty() {
            let none = [Value::Null, Value::Null, Value::Null, Value::Null];
            listing.rows.push(about.iter().cloned().chain(none).collect());
        }
        for secret in app.secrets {
            let one =
                [json!(secret.id.to_string()), json!(secret.name), time(secret.expires_on), time(secret.last_used_on)];
            listing.rows.push(about.iter().cloned().chain(one).collect());
        }
    }
    listing.print(json);
    Ok(())
}
