//! The connection is lost at the final dot: nobody knows whether the server
//! has the message. It is looked for before anything is sent again.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use testkit::crm::{Member, Protocol};
use testkit::{Crm, CutProxy, Fault};
use uuid::Uuid;

use crate::common::*;
use crate::proxied::{self, Proxied};

/// A copy of an email sent from here.
const OWN_COPY: i64 = 15;
const KIM: &str = "kim@customers.test";
/// Every handshake is a whole one, so that connections are alike to the byte.
const NO_RESUMPTION: &str = "smtpd_tls_mandatory_protocols = TLSv1.2\ntls_ssl_options = NO_TICKET\n";
const COPIES: &str = "sender_bcc_maps = inline:{ {anna@company.test=anna@company.test} }";

async fn with_anna(postfix_extra: &str) -> Result<(Proxied, Member)> {
    let all = proxied::company(&format!("{NO_RESUMPTION}{postfix_extra}")).await?;
    let anna = ready_user(&all.crm, "Anna", Protocol::Imap)?;
    all.crm.mail.user(KIM)?;
    Ok((all, anna))
}

/// Sends one email and tells how many bytes went each way on its connection.
async fn ordinary(crm: &Crm, anna: &Member, smtp: &CutProxy) -> Result<(u64, u64)> {
    let before = smtp.bytes();
    let email = send(crm, ("systemuser", anna.id), &[(KIM, 2)], "Number 0", "<p>Our offer</p>")?;
    wait_for_status(crm, email, SENT)?;
    crm.mail.wait_for_text(KIM, "Number 0").await?;
    // The goodbye comes after the status.
    std::thread::sleep(Duration::from_millis(500));
    let after = smtp.bytes();
    Ok((after.0 - before.0, after.1 - before.1))
}

fn arrived(crm: &Crm, subject: &str) -> Result<usize> {
    Ok(crm.mail.dovecot.list(KIM)?.iter().filter(|stored| stored.text().contains(subject)).count())
}

/// Sends under the fault and waits until the record says that the outcome is unknown.
fn send_into(crm: &Crm, anna: &Member, subject: &str) -> Result<Uuid> {
    let email = send(crm, ("systemuser", anna.id), &[(KIM, 2)], subject, "<p>Our offer</p>")?;
    let row = crm.api.wait_for(Duration::from_secs(30), "an uncertain outcome", || {
        let row = crm.api.get(&format!("emails({email})"))?;
        Ok((row["statuscode"] == SENDING && says(&row, "Uncertain")).then_some(row))
    });
    row.with_context(|| format!("{:?}", crm.api.get(&format!("emails({email})"))))?;
    Ok(email)
}

fn says(row: &Value, words: &str) -> bool {
    row["pr_failurereason"].as_str().is_some_and(|why| why.contains(words))
}

fn wait_long(crm: &Crm, email: Uuid, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
    let mut last = Value::Null;
    crm.api
        .wait_for(Duration::from_secs(150), "the end of the doubt", || {
            last = crm.api.get(&format!("emails({email})"))?;
            Ok(wanted(&last).then(|| last.clone()))
        })
        .with_context(|| format!("{last}\n{}", crm.postroom.log()))
}

/// The fault that hits the answer to the final dot: it is the last but the
/// goodbye. The server has the message.
fn deaf_at_the_dot(ordinary: (u64, u64)) -> Fault {
    Fault::DeafAfterFromServer(ordinary.1 - 100)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrived_is_found_by_its_own_copy_and_not_sent_twice() -> Result<()> {
    let (Proxied { crm, smtp, imap: _imap, .. }, anna) = with_anna(COPIES).await?;
    let bytes = ordinary(&crm, &anna, &smtp).await?;
    smtp.set(deaf_at_the_dot(bytes));
    let email = send_into(&crm, &anna, "Number 1")?;
    smtp.set(Fault::None);
    crm.mail.wait_for_text(KIM, "Number 1").await.context("the server has it")?;
    let row = wait_long(&crm, email, |row| row["statuscode"] == SENT)?;
    assert_eq!(row["deliveryattempts"], 1, "{row}");
    assert_eq!(arrived(&crm, "Number 1")?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_arrive_is_sent_again_where_the_server_keeps_copies() -> Result<()> {
    let (Proxied { crm, smtp, imap: _imap, .. }, anna) = with_anna(COPIES).await?;
    let bytes = ordinary(&crm, &anna, &smtp).await?;
    // Without the end of the message and the goodbye: the server never sees the dot.
    smtp.set(Fault::CutAfterFromClient(bytes.0 - 120));
    let email = send_into(&crm, &anna, "Number 1").or_else(|_| crm_latest(&crm, "Number 1"))?;
    smtp.set(Fault::None);
    let row = wait_long(&crm, email, |row| row["statuscode"] == SENT)?;
    assert_eq!(row["deliveryattempts"], 2, "{row}");
    crm.mail.wait_for_text(KIM, "Number 1").await?;
    crm.mail.postfix.wait_delivered(Duration::from_secs(30)).await?;
    assert_eq!(arrived(&crm, "Number 1")?, 1);
    Ok(())
}

fn crm_latest(crm: &Crm, subject: &str) -> Result<Uuid> {
    let row = crm.api.list(&format!("emails?$filter=startswith(subject,'{subject}')"))?.pop().context("no email")?;
    Ok(row["activityid"].as_str().unwrap_or_default().parse()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_can_be_looked_up_a_person_decides() -> Result<()> {
    let (Proxied { crm, smtp, imap: _imap, .. }, anna) = with_anna("").await?;
    let bytes = ordinary(&crm, &anna, &smtp).await?;
    smtp.set(deaf_at_the_dot(bytes));
    let email = send_into(&crm, &anna, "Number 1")?;
    smtp.set(Fault::None);
    let row = wait_long(&crm, email, |row| says(row, "a person has to decide"))?;
    assert_eq!(row["statuscode"], SENDING, "{row}");
    let alerts = crm.api.list(&format!("tracelogs?$filter=_regardingobjectid_value eq {email}"))?;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    // Nobody decides by himself, however often the mailbox has its turn.
    for number in 2..4 {
        let other = send(&crm, ("systemuser", anna.id), &[(KIM, 2)], &format!("Number {number}"), "<p>Hello</p>")?;
        wait_for_status(&crm, other, SENT)?;
    }
    let row = crm.api.get(&format!("emails({email})"))?;
    assert_eq!(row["statuscode"], SENDING, "{row}");
    assert_eq!(arrived(&crm, "Number 1")?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_copy_that_was_received_and_deleted_counts() -> Result<()> {
    let copies = format!("{NO_RESUMPTION}sender_bcc_maps = inline:{{ {{support@company.test=support@company.test}} }}");
    let Proxied { crm, smtp, imap: _imap, .. } = proxied::company(&copies).await?;
    let support = ready_queue(&crm, "Support", true)?;
    crm.mail.user(KIM)?;
    let send = |subject: &str| send(&crm, ("queue", support.id), &[(KIM, 2)], subject, "<p>Our offer</p>");
    let before = smtp.bytes().1;
    wait_for_status(&crm, send("Number 0")?, SENT)?;
    crm.mail.wait_for_text(KIM, "Number 0").await?;
    std::thread::sleep(Duration::from_millis(500));
    smtp.set(deaf_at_the_dot((0, smtp.bytes().1 - before)));
    let email = send("Number 1")?;
    crm.mail.wait_for_text(KIM, "Number 1").await.context("the server has it")?;
    smtp.set(Fault::None);
    crm.api.wait_for(Duration::from_secs(40), "the own copy to be received", || {
        let ledger = crm.ledger(support.mailbox)?;
        let copy = |row: &Value| disposition(row) == OWN_COPY && row["_pr_activityid_value"] == email.to_string();
        Ok((ledger.iter().any(copy) && crm.mail.dovecot.list(&support.address)?.is_empty()).then_some(()))
    })?;
    let row = crm.api.get(&format!("emails({email})"))?;
    assert_eq!(row["statuscode"], SENDING, "the outcome is uncertain until it is looked up: {row}");
    let row = wait_long(&crm, email, |row| row["statuscode"] == SENT)?;
    assert_eq!(row["deliveryattempts"], 1, "{row}");
    assert_eq!(arrived(&crm, "Number 1")?, 1);
    Ok(())
}
