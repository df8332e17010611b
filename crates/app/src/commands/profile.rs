//! `postroom profile list|show`.

use anyhow::Result;
use clap::{Args, Subcommand};
use model::Query;
use model::tables::EmailServerProfile;
use serde_json::json;

use super::{Common, find};
use crate::output::{self, Listing};
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Profile {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// All profiles.
    List,
    /// One profile in full. PROFILE: name or id.
    Show { profile: String },
}

impl Profile {
    pub async fn run(self) -> Result<()> {
        let session = Session::open(&self.common.data).await?;
        match &self.verb {
            Verb::List => list(&session, self.common.json).await,
            Verb::Show { profile } => show(&session, profile, self.common.json).await,
        }
    }
}

async fn list(session: &Session, json: bool) -> Result<()> {
    let query = Query::of::<EmailServerProfile>().order_by(EmailServerProfile::C.name, false);
    let mut listing = Listing::new(&[
        ("emailserverprofileid", "Id"),
        ("name", "Name"),
        ("servertype", "Type"),
        ("incomingserverlocation", "Incoming"),
        ("outgoingserverlocation", "Outgoing"),
        ("maxconcurrentconnections", "Connections"),
        ("state", "State"),
    ]);
    for profile in session.store.list::<EmailServerProfile>(&query).await? {
        let id = profile.id.to_string();
        listing.rows.push(vec![
            json!(if json { &id } else { &id[..8] }),
            json!(profile.name),
            json!(profile.server_type.label()),
            json!(server(&profile.incoming_location, profile.incoming_port)),
            json!(server(&profile.outgoing_location, profile.outgoing_port)),
            json!(profile.max_connections),
            json!(profile.state.label()),
        ]);
    }
    listing.print(json);
    Ok(())
}

fn server(host: &str, port: Option<i64>) -> String {
    port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

async fn show(session: &Session, name: &str, json: bool) -> Result<()> {
    let profile = find::profile(&session.store, name).await?;
    output::record(
        &[
            ("emailserverprofileid", json!(profile.id.to_string())),
            ("name", json!(profile.name)),
            ("servertype", json!(profile.server_type.label())),
            ("incoming", json!(server(&profile.incoming_location, profile.incoming_port))),
            ("incomingusessl", json!(profile.incoming_ssl)),
            ("incoming: authenticate using", json!(profile.incoming_credentials.label())),
            ("incomingusername", json!(profile.incoming_user)),
            ("incoming password set", json!(profile.incoming_password_set)),
            ("outgoing", json!(server(&profile.outgoing_location, profile.outgoing_port))),
            ("outgoingusessl", json!(profile.outgoing_ssl)),
            ("outgoing: authenticate using", json!(profile.outgoing_credentials.label())),
            ("outgoingusername", json!(profile.outgoing_user)),
            ("outgoing password set", json!(profile.outgoing_password_set)),
            ("processemailsreceivedafter", json!(profile.process_after.map(|at| at.to_string()))),
            ("minpollingintervalinminutes", json!(profile.polling_minutes)),
            ("maxconcurrentconnections", json!(profile.max_connections)),
            ("state", json!(profile.state.label())),
        ],
        json,
    );
    Ok(())
}
