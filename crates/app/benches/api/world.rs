//! A running installation with emails in it.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use testkit::Postgres;
use testkit::postroom::{Options, Postroom};

use super::Plan;

pub struct World {
    pub postroom: Postroom,
    pub mailbox: String,
    /// A directory with a copy of the database for the driver (SQLite).
    pub copy: Option<tempfile::TempDir>,
}

/// An email with two parties.
pub fn email(n: usize) -> Value {
    json!({
        "subject": format!("Message number {n}"),
        "description": "please order the printer with the invoice number today and thanks for the delivery ".repeat(12),
        "directioncode": true,
        "email_activity_parties": [
            { "addressused": format!("customer{}@customers.test", n % 97), "participationtypemask": 2 },
            { "addressused": format!("colleague{}@crm.test", n % 13), "participationtypemask": 3 }
        ]
    })
}

impl World {
    pub fn prepare(binary: &Path, plan: &Plan) -> Result<Self> {
        let mut options = Options::default();
        if plan.postgres {
            options.database = Some(Postgres::shared()?.fresh_database()?);
        }
        let mut postroom = Postroom::start(binary, options)?;
        let api = postroom.api();
        let rows = api.list("mailboxes?$select=mailboxid&$top=1")?;
        let mailbox = rows.first().and_then(|r| r["mailboxid"].as_str()).context("no mailbox")?.to_owned();
        for from in (0..plan.emails).step_by(500) {
            let targets: Vec<Value> = (from..plan.emails.min(from + 500)).map(email).collect();
            api.post("emails/Microsoft.Dynamics.CRM.CreateMultiple", &json!({ "Targets": targets }))?;
        }
        // The driver's rows are those of an email that came one by one.
        api.create("emails", &email(0))?;
        let mut copy = None;
        if !plan.postgres {
            postroom.stop()?;
            let directory = tempfile::tempdir()?;
            for end in ["", "-wal"] {
                let name = format!("postroom.db{end}");
                let from = postroom.data_dir().join(&name);
                if from.exists() {
                    std::fs::copy(from, directory.path().join(&name))?;
                }
            }
            copy = Some(directory);
            postroom.serve()?;
        }
        Ok(Self { postroom, mailbox, copy })
    }
}
