//! A company that has used Postroom for some years.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use testkit::Postgres;
use testkit::api::Api;
use testkit::postroom::{Options, Postroom};

use super::Plan;

pub struct World {
    pub postroom: Postroom,
    pub paths: Vec<String>,
    ids: Vec<String>,
}

const AT_ONCE: usize = 500;

impl World {
    pub fn prepare(binary: &Path, plan: &Plan) -> Result<Self> {
        let mut options = Options::default();
        if plan.postgres {
            options.database = Some(Postgres::shared()?.fresh_database()?);
        }
        let mut postroom = Postroom::start(binary, options)?;
        let api = postroom.api();
        let contact =
            json!({ "firstname": "Carla", "lastname": "Customer", "emailaddress1": "customer1@customers.test" });
        let contact = api.create("contacts", &contact)?.to_string();
        let queue =
            |n: usize| json!({ "name": format!("Queue {n:05}"), "emailaddress": format!("queue{n}@company.test") });
        many(&api, "queues", plan.mailboxes, queue)?;
        many(&api, "emails", plan.emails, email)?;
        let first = |path: &str, key: &str| -> Result<String> {
            let rows = api.list(path)?;
            rows.first().and_then(|r| r[key].as_str()).map(str::to_owned).with_context(|| format!("nothing at {path}"))
        };
        let mailbox = first("mailboxes?$select=mailboxid&$top=1", "mailboxid")?;
        let queue = first("queues?$select=queueid&$top=1", "queueid")?;
        let email = first("emails?$select=activityid&$top=1", "activityid")?;
        let view = "savedqueries?$filter=name eq 'Active Mailboxes'&$select=savedqueryid";
        let active = first(view, "savedqueryid")?;
        let paths = vec![
            "/".to_owned(),
            "/work/activities".to_owned(),
            // One email, one in a hundred, a third, all.
            "/work/activities?find=message+47113".to_owned(),
            "/work/activities?find=customer77+queue3".to_owned(),
            "/work/activities?find=customer1".to_owned(),
            "/work/activities?find=message+customers".to_owned(),
            "/work/queues".to_owned(),
            "/work/queues?all=1&find=queue+04".to_owned(),
            format!("/work/queues/{queue}"),
            "/work/contacts".to_owned(),
            format!("/work/contacts/{contact}"),
            format!("/work/emails/{email}"),
            format!("/work/emails/{email}/body"),
            "/work/emails/new".to_owned(),
            "/work/unresolved".to_owned(),
            "/settings/mailboxes".to_owned(),
            format!("/settings/mailboxes?view={active}"),
            format!("/settings/mailboxes?view={active}&find=queue+04"),
            format!("/settings/mailboxes/{mailbox}"),
            "/settings/profiles".to_owned(),
            "/settings/email".to_owned(),
            "/settings/alerts".to_owned(),
            "/settings/monitoring".to_owned(),
            "/settings/security/users".to_owned(),
            "/settings/security/roles".to_owned(),
            "/settings/security/audit".to_owned(),
            "/settings/data".to_owned(),
            "/options".to_owned(),
            "/help/overview".to_owned(),
        ];
        // As a service that was started some day after its data came.
        postroom.stop()?;
        postroom.serve()?;
        Ok(Self { postroom, paths, ids: vec![contact, queue, email, mailbox, active] })
    }

    /// A path without the ids of this run.
    pub fn shown(&self, path: &str) -> String {
        self.ids.iter().fold(path.to_owned(), |path, id| path.replace(id.as_str(), "{id}"))
    }
}

fn many(api: &Api, set: &str, count: usize, row: impl Fn(usize) -> Value) -> Result<()> {
    for from in (0..count).step_by(AT_ONCE) {
        let targets: Vec<Value> = (from..count.min(from + AT_ONCE)).map(&row).collect();
        api.post(&format!("{set}/Microsoft.Dynamics.CRM.CreateMultiple"), &json!({ "Targets": targets }))?;
    }
    Ok(())
}

fn email(n: usize) -> Value {
    json!({
        "subject": format!("Message number {n}"),
        "description": "please order the printer with the invoice number today and thanks for the delivery ".repeat(12),
        "directioncode": n.is_multiple_of(2),
        "email_activity_parties": [
            { "addressused": format!("customer{}@customers.test", n % 997), "participationtypemask": 1 },
            { "addressused": format!("queue{}@company.test", n % 5000), "participationtypemask": 2 }
        ]
    })
}
