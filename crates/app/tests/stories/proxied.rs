//! A company whose connections to its servers can be broken on request.

use std::process::Output;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};
use testkit::crm::{Member, Protocol};
use testkit::{Crm, CutProxy, world};

use crate::common::*;

/// Bind all three proxies: what is not bound is dropped, and refuses connections.
pub struct Proxied {
    pub crm: Crm,
    pub imap: CutProxy,
    pub pop3: CutProxy,
    pub smtp: CutProxy,
}

/// Both servers reached through proxies. A server's silence is borne for
/// three seconds only.
pub async fn company(postfix_extra: &str) -> Result<Proxied> {
    let mail = world::Options { postfix_extra: postfix_extra.to_owned(), ..world::Options::default() };
    let crm = Crm::start_with(binary(), mail, testkit::postroom::Options::default()).await?;
    allow_unresolved(&crm)?;
    let imap = CutProxy::start(crm.mail.dovecot.imaps_port())?;
    let pop3 = CutProxy::start(crm.mail.dovecot.pop3s_port())?;
    let smtp = CutProxy::start(crm.mail.postfix.submission_port())?;
    for (profile, incoming) in [(crm.imap, &imap), (crm.pop3, &pop3)] {
        let ports = json!({
            "incomingportnumber": incoming.port(), "outgoingportnumber": smtp.port(),
            "pr_commandtimeout": 3000, "timeoutmailboxconnection": true, "timeoutmailboxconnectionafteramount": 3000,
        });
        crm.api.update(&format!("emailserverprofiles({profile})"), &ports)?;
    }
    Ok(Proxied { crm, imap, pop3, smtp })
}

/// Receives and sends for the mailbox now, on new connections; whatever comes of it.
pub fn process(crm: &Crm, member: &Member) -> Result<Output> {
    let began = Instant::now();
    loop {
        let output = crm.postroom.run(&["mailbox", "process", &member.address])?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if !said.contains("being processed right now") {
            return Ok(output);
        }
        if began.elapsed() > Duration::from_secs(30) {
            bail!("the mailbox is never free: {said}");
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

pub fn mailbox(crm: &Crm, member: &Member) -> Result<Value> {
    crm.api.get(&format!("mailboxes({})", member.mailbox))
}

/// The mailbox is as usable as before.
pub fn assert_enabled(crm: &Crm, member: &Member) -> Result<()> {
    let row = mailbox(crm, member)?;
    assert_eq!(row["enabledforincomingemail"], true, "{row}");
    assert_eq!(row["enabledforoutgoingemail"], true, "{row}");
    assert_eq!(row["incomingemailstatus"], 1, "{row}");
    Ok(())
}

/// Waits until there is one ledger row and one email for each subject; and
/// that there are no more of either.
pub fn all_received_once(crm: &Crm, member: &Member, subjects: &[String], protocol: Protocol) -> Result<()> {
    let mut missing = subjects.to_vec();
    let received = crm.api.wait_for(Duration::from_secs(150), "all messages", || {
        let ledger = crm.ledger(member.mailbox)?;
        missing.retain(|subject| !ledger.iter().any(|row| row["pr_subject"] == **subject));
        Ok(missing.is_empty().then_some(()))
    });
    if let Err(error) = received {
        bail!("{protocol:?}: {error}; missing: {missing:?}\n{}\n{}", mailbox(crm, member)?, crm.postroom.log());
    }
    let ledger = crm.ledger(member.mailbox)?;
    for subject in subjects {
        let rows = ledger.iter().filter(|row| row["pr_subject"] == **subject).count();
        assert_eq!(rows, 1, "{subject}: ledger rows");
        assert_eq!(crm.emails(subject)?.len(), 1, "{subject}: emails");
    }
    Ok(())
}
