//! A company: a mail system, an installation, and the people and queues in it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::Api;
use crate::postroom::{self, Postroom};
use crate::world::{self, MailWorld};

/// By which protocol a mailbox is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Imap,
    Pop3,
}

/// Incoming delivery methods as they stand on the wire.
pub const SERVER_SIDE: i64 = 2;
pub const FORWARD: i64 = 3;

/// Somebody (or a queue) with a mailbox on the server and one in the CRM.
#[derive(Debug, Clone)]
pub struct Member {
    pub id: Uuid,
    pub mailbox: Uuid,
    pub address: String,
}

/// Everything together.
pub struct Crm {
    pub postroom: Postroom,
    pub api: Api,
    pub mail: MailWorld,
    pub imap: Uuid,
    pub pop3: Uuid,
}

impl Crm {
    pub async fn start(binary: &Path) -> Result<Self> {
        Self::start_with(binary, world::Options::default(), postroom::Options::default()).await
    }

    pub async fn start_with(binary: &Path, mail: world::Options, mut options: postroom::Options) -> Result<Self> {
        let mail = MailWorld::start_with(mail).await?;
        options.extra_ca = Some(mail.ca_pem_path());
        let postroom = Postroom::start(binary, options)?;
        let api = postroom.api();
        let imap = profile(&api, &mail, Protocol::Imap)?;
        let pop3 = profile(&api, &mail, Protocol::Pop3)?;
        let organization = api.get("organizations")?["value"][0]["organizationid"].clone();
        let organization = organization.as_str().context("no organization")?.to_owned();
        api.update(
            &format!("organizations({organization})"),
            &json!({ "defaultemailserverprofileid@odata.bind": format!("/emailserverprofiles({imap})") }),
        )?;
        Ok(Self { postroom, api, mail, imap, pop3 })
    }

    /// A user whose mailbox is read directly; not yet tested.
    pub fn user(&self, first: &str, last: &str, address: &str, protocol: Protocol) -> Result<Member> {
        let id = self.api.create(
            "systemusers",
            &json!({ "firstname": first, "lastname": last, "internalemailaddress": address, "domainname": address }),
        )?;
        self.member(id, address, protocol)
    }

    pub fn queue(&self, name: &str, address: &str, delete_after: bool) -> Result<Member> {
        let id = self.api.create("queues", &json!({ "name": name, "emailaddress": address }))?;
        let member = self.member(id, address, Protocol::Imap)?;
        if delete_after {
            self.api.update(&format!("mailboxes({})", member.mailbox), &json!({ "processanddeleteemails": true }))?;
        }
        Ok(member)
    }

    /// A user served through a forward mailbox: a Sieve rule in the own
    /// mailbox forwards as attachment to `forward`.
    pub fn forwarded_user(&self, first: &str, last: &str, address: &str, forward: &str) -> Result<Member> {
        let member = self.user(first, last, address, Protocol::Imap)?;
        self.api
            .update(&format!("mailboxes({})", member.mailbox), &json!({ "incomingemaildeliverymethod": FORWARD }))?;
        self.mail.dovecot.set_sieve(address, &forwarding_rule(forward))?;
        Ok(member)
    }

    pub fn forward_mailbox(&self, name: &str, address: &str, delete_after: bool) -> Result<Member> {
        let user = self.mail.user(address)?;
        let mailbox = self.api.create(
            "mailboxes",
            &json!({
                "name": name,
                "emailaddress": address,
                "incomingemaildeliverymethod": SERVER_SIDE,
                "outgoingemaildeliverymethod": 0,
                "processanddeleteemails": delete_after,
                "allowemailconnectortousecredentials": true,
                "username": user.address,
                "password": user.password,
                "emailserverprofile@odata.bind": format!("/emailserverprofiles({})", self.imap),
            }),
        )?;
        Ok(Member { id: mailbox, mailbox, address: address.to_owned() })
    }

    fn member(&self, id: Uuid, address: &str, protocol: Protocol) -> Result<Member> {
        let user = self.mail.user(address)?;
        let row = self.api.mailbox_of(id)?;
        let mailbox: Uuid = row["mailboxid"].as_str().context("no mailboxid")?.parse()?;
        let profile = if protocol == Protocol::Imap { self.imap } else { self.pop3 };
        self.api.update(
            &format!("mailboxes({mailbox})"),
            &json!({
                "emailserverprofile@odata.bind": format!("/emailserverprofiles({profile})"),
                "allowemailconnectortousecredentials": true,
                "username": user.address,
                "password": user.password,
                "incomingemaildeliverymethod": SERVER_SIDE,
                "outgoingemaildeliverymethod": 2,
            }),
        )?;
        Ok(Member { id, mailbox, address: address.to_owned() })
    }

    /// Whom to track: one of the five filter options.
    pub fn set_user_filter(&self, user: &Member, filter: i64) -> Result<()> {
        self.api
            .update(&format!("usersettingscollection({})", user.id), &json!({ "incomingemailfilteringmethod": filter }))
    }

    /// Approves and tests; fails unless everything that is ours succeeded.
    pub fn enable(&self, member: &Member) -> Result<Value> {
        self.api.update(&format!("mailboxes({})", member.mailbox), &json!({ "emailrouteraccessapproval": 1 }))?;
        let row = self.api.test_and_enable(member.mailbox)?;
        for (method, status) in [
            ("incomingemaildeliverymethod", "incomingemailstatus"),
            ("outgoingemaildeliverymethod", "outgoingemailstatus"),
        ] {
            let wanted = i64::from(row[method] == SERVER_SIDE);
            ensure!(row[status] == wanted, "{}: {status} is {}\n{}", member.address, row[status], row["pr_testlog"]);
        }
        Ok(row)
    }

    /// The ledger rows of a mailbox, in the order they were seen.
    pub fn ledger(&self, mailbox: Uuid) -> Result<Vec<Value>> {
        self.api.list(&format!("pr_ledgerentries?$filter=_pr_mailboxid_value eq {mailbox}&$orderby=pr_seenon"))
    }

    /// Waits until the mailbox's ledger has a row with this subject.
    pub fn wait_in_ledger(&self, mailbox: Uuid, subject: &str) -> Result<Value> {
        let what = format!("'{subject}' in the ledger");
        self.api
            .wait_for(Duration::from_secs(40), &what, || {
                Ok(self.ledger(mailbox)?.into_iter().find(|row| row["pr_subject"] == subject))
            })
            .with_context(|| format!("the log:\n{}", tail(&self.postroom.log(), 40)))
    }

    /// Emails with this subject.
    pub fn emails(&self, subject: &str) -> Result<Vec<Value>> {
        let quoted = subject.replace('\'', "''");
        self.api.list(&format!("emails?$filter=subject eq '{}'&$expand=email_activity_parties", encode(&quoted)))
    }
}

/// The server-side rule: a copy goes to `forward` as an attachment.
fn forwarding_rule(forward: &str) -> String {
    format!("require [\"vnd.dovecot.pipe\", \"copy\"];\npipe :copy \"forward-as-attachment\" [\"{forward}\"];\n")
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// Percent-encodes what may not stand in a query.
pub fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~'() ".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// An email server profile for a mail system.
pub fn profile(api: &Api, mail: &MailWorld, protocol: Protocol) -> Result<Uuid> {
    let (name, kind, port) = match protocol {
        Protocol::Imap => ("IMAP and SMTP", 4, mail.dovecot.imaps_port()),
        Protocol::Pop3 => ("POP3 and SMTP", 1, mail.dovecot.pop3s_port()),
    };
    api.create(
        "emailserverprofiles",
        &json!({
            "name": name,
            "servertype": kind,
            "incomingserverlocation": "localhost",
            "incomingportnumber": port,
            "outgoingserverlocation": "localhost",
            "outgoingportnumber": mail.postfix.submission_port(),
            "incomingcredentialretrieval": 0,
            "outgoingcredentialretrieval": 0,
        }),
    )
}
