//! What the stories share: a company with servers, and short ways to say
//! what happens in it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use testkit::Crm;
use testkit::crm::{Member, Protocol};
use uuid::Uuid;

/// Dispositions as they stand in the ledger.
pub const WAITING: i64 = 0;
pub const TRACKED: i64 = 1;
pub const DUPLICATE: i64 = 2;
pub const FILTERED: i64 = 3;
pub const NO_RECIPIENT: i64 = 4;
pub const INTERNAL: i64 = 5;
pub const INVALID_SENDER: i64 = 6;
pub const FORWARDED: i64 = 7;
pub const UNCLAIMED: i64 = 8;
pub const SEEN_BEFORE: i64 = 13;
pub const TOO_OLD: i64 = 11;
pub const TEST_MESSAGE: i64 = 12;

/// Filter options of users and queues.
pub const ALL_MESSAGES: i64 = 0;
pub const RESPONSES: i64 = 1;
pub const KNOWN_SENDERS: i64 = 2;
pub const NO_MESSAGES: i64 = 4;

/// Statuses of an email.
pub const PENDING_SEND: i64 = 6;
pub const SENDING: i64 = 7;
pub const SENT: i64 = 3;
pub const FAILED: i64 = 8;

pub fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_postroom"))
}

pub async fn company() -> Result<Crm> {
    Crm::start(binary()).await
}

/// A user who tracks everything, tested and enabled.
pub fn ready_user(crm: &Crm, name: &str, protocol: Protocol) -> Result<Member> {
    let user = crm.user(name, "Test", &format!("{}@company.test", name.to_lowercase()), protocol)?;
    crm.set_user_filter(&user, ALL_MESSAGES)?;
    crm.enable(&user)?;
    Ok(user)
}

pub fn ready_queue(crm: &Crm, name: &str, delete_after: bool) -> Result<Member> {
    let queue = crm.queue(name, &format!("{}@company.test", name.to_lowercase()), delete_after)?;
    crm.enable(&queue)?;
    Ok(queue)
}

/// A plain message. `extra`: more header lines, each with its line end.
pub fn letter(from: &str, to: &str, subject: &str, id: &str, extra: &str, body: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{id}@customers.test>\r\n\
         Date: Mon, 23 Nov 2026 09:15:00 +0000\r\nMIME-Version: 1.0\r\n{extra}\r\n{body}\r\n"
    )
    .into_bytes()
}

pub fn disposition(row: &Value) -> i64 {
    row["pr_disposition"].as_i64().unwrap_or(-1)
}

/// Waits until the email has this status and gives it back.
pub fn wait_for_status(crm: &Crm, email: Uuid, status: i64) -> Result<Value> {
    let path = format!("emails({email})");
    let what = format!("status {status} of the email");
    let mut last = Value::Null;
    crm.api
        .wait_for(Duration::from_secs(60), &what, || {
            last = crm.api.get(&path)?;
            Ok((last["statuscode"] == status).then(|| last.clone()))
        })
        .with_context(|| {
            format!("it stands at {} because: {}\n{}", last["statuscode"], last["pr_failurereason"], crm.postroom.log())
        })
}

/// Drafts an email from a user or queue to plain addresses and sends it.
pub fn send(crm: &Crm, from: (&str, Uuid), to: &[(&str, i64)], subject: &str, html: &str) -> Result<Uuid> {
    let mut parties = vec![serde_json::json!({
        format!("partyid_{}@odata.bind", from.0): format!("/{}s({})", from.0, from.1), "participationtypemask": 1
    })];
    for (address, mask) in to {
        parties.push(serde_json::json!({ "addressused": address, "participationtypemask": mask }));
    }
    let email = crm.api.create(
        "emails",
        &serde_json::json!({ "subject": subject, "description": html, "directioncode": true, "email_activity_parties": parties }),
    )?;
    crm.api.post(
        &format!("emails({email})/Microsoft.Dynamics.CRM.SendEmail"),
        &serde_json::json!({ "IssueSend": true }),
    )?;
    Ok(email)
}

/// The organization may send to addresses without a record.
pub fn allow_unresolved(crm: &Crm) -> Result<()> {
    let organization =
        crm.api.get("organizations")?["value"][0]["organizationid"].as_str().context("no organization")?.to_owned();
    crm.api.update(
        &format!("organizations({organization})"),
        &serde_json::json!({ "allowunresolvedpartiesonemailsend": true }),
    )
}

/// The database of an installation that does not run. Its triggers keep the
/// index of words, for which the program brings the function; here a text is
/// taken as it is.
pub fn database(path: &Path) -> Result<rusqlite::Connection> {
    let database = rusqlite::Connection::open(path)?;
    let flags = rusqlite::functions::FunctionFlags::SQLITE_DETERMINISTIC;
    database.create_scalar_function("words", 1, flags, |args| args.get::<Option<String>>(0))?;
    Ok(database)
}
