//! Several processes on one PostgreSQL database: two workers and a web
//! process share the work, and nothing is done twice.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use testkit::crm::Protocol;
use testkit::{Crm, Fault, Postgres, world};

use crate::common::*;
use crate::proxied;

const KIM: &str = "kim@customers.test";

async fn company_on_postgres(role: Option<&str>) -> Result<Crm> {
    let options = testkit::postroom::Options {
        database: Some(Postgres::shared()?.fresh_database()?),
        config: "\n[workers]\nlease_seconds = 5\n".into(),
        role: role.map(str::to_owned),
        ..testkit::postroom::Options::default()
    };
    Crm::start_with(binary(), world::Options::default(), options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_everyday_story_on_postgres() -> Result<()> {
    let crm = company_on_postgres(None).await?;
    allow_unresolved(&crm)?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    let carla = ready_user(&crm, "Carla", Protocol::Pop3)?;
    let dora = crm.forwarded_user("Dora", "Lind", "dora@company.test", "collect@company.test")?;
    crm.set_user_filter(&dora, ALL_MESSAGES)?;
    let collect = crm.forward_mailbox("Collection", "collect@company.test", true)?;
    crm.enable(&dora)?;
    crm.enable(&collect)?;
    crm.mail.user(KIM)?;
    let raw = letter(KIM, "anna@company.test, carla@company.test", "Both", "both", "", "For both.");
    crm.mail.send(KIM, &["anna@company.test", "carla@company.test"], &raw).await?;
    crm.wait_in_ledger(anna.mailbox, "Both")?;
    crm.wait_in_ledger(carla.mailbox, "Both")?;
    assert_eq!(crm.emails("Both")?.len(), 1);
    let raw = letter(KIM, "dora@company.test", "Call me", "call", "", "please");
    crm.mail.send(KIM, &["dora@company.test"], &raw).await?;
    let row = crm.wait_in_ledger(dora.mailbox, "Call me")?;
    assert_eq!(disposition(&row), TRACKED, "{row}");
    crm.api.wait_for(Duration::from_secs(30), "the collection box to be empty", || {
        Ok(crm.mail.dovecot.list("collect@company.test")?.is_empty().then_some(()))
    })?;
    let email = send(&crm, ("systemuser", anna.id), &[(KIM, 2)], "Offer", "<p>Our offer</p>")?;
    wait_for_status(&crm, email, SENT)?;
    crm.mail.wait_for_text(KIM, "Offer").await?;
    crm.postroom.cli(&["doctor"])?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_do_nothing_twice() -> Result<()> {
    let crm = company_on_postgres(Some("web")).await?;
    allow_unresolved(&crm)?;
    let workers = [crm.postroom.serve_another("worker")?, crm.postroom.serve_another("worker")?];
    let mut members = Vec::new();
    for (name, protocol) in [("Anna", Protocol::Imap), ("Berta", Protocol::Imap), ("Carla", Protocol::Pop3)] {
        members.push(ready_user(&crm, name, protocol)?);
    }
    crm.mail.user(KIM)?;
    let mut sent = Vec::new();
    for number in 0..40 {
        let subject = format!("Number {number}");
        for member in &members {
            // The same message in three mailboxes.
            let raw = letter(
                KIM,
                "anna@company.test, berta@company.test, carla@company.test",
                &subject,
                &format!("n{number}"),
                "",
                "text",
            );
            crm.mail.dovecot.deliver(&member.address, &raw)?;
        }
        let from = &members[number % members.len()];
        sent.push(send(&crm, ("systemuser", from.id), &[(KIM, 2)], &format!("Offer {number}"), "<p>Our offer</p>")?);
    }
    for member in &members {
        let ledger = crm.api.wait_for(Duration::from_secs(90), "all messages", || {
            let ledger: Vec<_> = crm.ledger(member.mailbox)?.into_iter().filter(|row| disposition(row) != 12).collect();
            Ok((ledger.len() >= 40).then_some(ledger))
        })?;
        assert_eq!(ledger.len(), 40);
    }
    for number in 0..40 {
        assert_eq!(crm.emails(&format!("Number {number}"))?.len(), 1, "Number {number}");
    }
    for email in sent {
        wait_for_status(&crm, email, SENT)?;
    }
    crm.mail.postfix.wait_delivered(Duration::from_secs(30)).await?;
    assert_eq!(crm.mail.dovecot.list(KIM)?.len(), 40, "each is sent once");
    for worker in &workers {
        assert!(!worker.log().contains("panicked"), "{}", worker.log());
    }
    let busy = workers.iter().map(|w| metric(&w.base(), "postroom_cycles_total")).collect::<Result<Vec<_>>>()?;
    assert!(busy.iter().all(|cycles| *cycles > 0.0), "both have worked: {busy:?}");
    Ok(())
}

/// The sum of a counter over its labels.
fn metric(base: &str, name: &str) -> Result<f64> {
    let text = testkit::Api::new(base, "").request("GET", "/metrics", None, &[])?.body;
    let text = text.as_str().context("metrics are text")?.to_owned();
    Ok(text
        .lines()
        .filter(|line| line.starts_with(name))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum())
}

/// A worker is stopped (SIGSTOP) in the middle of a message, its mailbox is
/// taken over after the lease, and when it goes on nothing of what it does late counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_is_taken_over_and_the_late_worker_is_refused() -> Result<()> {
    let crm = company_on_postgres(Some("web")).await?;
    let proxy = testkit::CutProxy::start(crm.mail.dovecot.imaps_port())?;
    crm.api.update(
        &format!("emailserverprofiles({})", crm.imap),
        &serde_json::json!({ "incomingportnumber": proxy.port() }),
    )?;
    let late = crm.postroom.serve_another("worker")?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    let mut subjects = Vec::new();
    proxy.set(Fault::Delay(Duration::from_millis(20)));
    let before = proxy.bytes().1;
    for number in 0..20 {
        let subject = format!("Number {number}");
        let raw = letter(
            KIM,
            "anna@company.test",
            &subject,
            &format!("n{number}"),
            "",
            &"words and more words\r\n".repeat(3000),
        );
        crm.mail.dovecot.deliver(&anna.address, &raw)?;
        subjects.push(subject);
    }
    crm.api.wait_for(Duration::from_secs(30), "the worker to be in the middle", || {
        Ok((proxy.bytes().1 > before + 200_000).then_some(()))
    })?;
    late.signal("STOP")?;
    proxy.set(Fault::None);
    let _other = crm.postroom.serve_another("worker")?;
    proxied::all_received_once(&crm, &anna, &subjects, Protocol::Imap)?;
    late.signal("CONT")?;
    let raw = letter(KIM, "anna@company.test", "Afterwards", "afterwards", "", "text");
    crm.mail.dovecot.deliver(&anna.address, &raw)?;
    subjects.push("Afterwards".into());
    crm.api
        .wait_for(Duration::from_secs(30), "the late worker to notice", || {
            Ok(late.log().contains("another worker has taken over").then_some(()))
        })
        .with_context(|| late.log())?;
    proxied::all_received_once(&crm, &anna, &subjects, Protocol::Imap)?;
    proxied::assert_enabled(&crm, &anna)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_workers_mailboxes_are_taken_over() -> Result<()> {
    let crm = company_on_postgres(Some("web")).await?;
    let mut first = crm.postroom.serve_another("worker")?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    let _second = crm.postroom.serve_another("worker")?;
    let mut counts = BTreeMap::new();
    for number in 0..30 {
        let raw = letter(KIM, "anna@company.test", &format!("Number {number}"), &format!("n{number}"), "", "text");
        crm.mail.dovecot.deliver(&anna.address, &raw)?;
        if number == 15 {
            first.kill();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    for number in 0..30 {
        crm.wait_in_ledger(anna.mailbox, &format!("Number {number}"))?;
    }
    for row in crm.ledger(anna.mailbox)? {
        *counts.entry(row["pr_subject"].as_str().unwrap_or_default().to_owned()).or_insert(0) += 1;
    }
    assert!(counts.values().all(|n| *n == 1), "{counts:?}");
    Ok(())
}
