//! kill -9 of the service at random moments, 200 times in all, while mail
//! keeps flowing: nothing lost, nothing doubled, nothing deleted that is not
//! ours. The moments are random but the same in every run, as far as a
//! machine repeats itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::crm::{Member, Protocol};
use testkit::mailgen::{self, Draft, Kind, Random};
use testkit::{Crm, CutProxy, Fault, MailWorld, world};
use uuid::Uuid;

use crate::common::*;

const KIM: &str = "kim@customers.test";

fn millis(random: &mut Random, below: usize) -> Duration {
    Duration::from_millis(random.below(below) as u64)
}

/// Ids of the ledger rows of a mailbox, tests left out, and how often each occurs.
fn in_ledger(crm: &Crm, mailbox: Uuid) -> Result<BTreeMap<String, usize>> {
    let path = format!(
        "pr_ledgerentries?$select=pr_messageid,pr_disposition&$filter=_pr_mailboxid_value eq {mailbox} and pr_disposition ne 12"
    );
    Ok(counted(crm.api.list(&path)?.iter().map(|row| &row["pr_messageid"])))
}

fn emails(crm: &Crm) -> Result<BTreeMap<String, usize>> {
    Ok(counted(crm.api.list("emails?$select=messageid")?.iter().map(|row| &row["messageid"])))
}

fn counted<'a>(ids: impl Iterator<Item = &'a Value>) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for id in ids {
        *count.entry(bare(id.as_str().unwrap_or_default())).or_default() += 1;
    }
    count
}

fn bare(id: &str) -> String {
    id.trim_matches(['<', '>']).to_owned()
}

/// Message-IDs in an INBOX on the server, and how often each occurs.
fn on_server(mail: &MailWorld, address: &str) -> Result<BTreeMap<String, usize>> {
    let mut count = BTreeMap::new();
    for stored in mail.dovecot.list(address)? {
        let text = stored.text();
        let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: ")).context("no Message-ID")?;
        *count.entry(bare(id.trim())).or_default() += 1;
    }
    Ok(count)
}

fn wait_for_ledger(crm: &Crm, mailbox: Uuid, wanted: usize) -> Result<()> {
    let mut last = 0;
    crm.api
        .wait_for(Duration::from_secs(90), "the rest of the messages", || {
            last = in_ledger(crm, mailbox)?.len();
            Ok((last >= wanted).then_some(()))
        })
        .with_context(|| {
            format!("{last} of {wanted} are in the ledger; the log ends:\n{}", end_of(&crm.postroom.log()))
        })
}

fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

fn in_order(crm: &Crm) -> Result<()> {
    crm.postroom.cli(&["doctor"]).context("the installation is damaged")?;
    let log = crm.postroom.log();
    ensure!(!log.contains("panicked"), "{}", end_of(&log));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_receiving() -> Result<()> {
    let mut crm = company().await?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    let carla = ready_user(&crm, "Carla", Protocol::Pop3)?;
    let mut random = Random::new(80);
    let stop = AtomicBool::new(false);
    // Mail comes in all the time, past the service.
    let sent = std::thread::scope(|scope| -> Result<_> {
        let Crm { postroom, mail, .. } = &mut crm;
        let mail = &*mail;
        let (stop, anna, carla) = (&stop, &anna, &carla);
        let flow = scope.spawn(move || pour(mail, &[&anna.address, &carla.address], stop));
        let killed = (|| {
            for _ in 0..80 {
                std::thread::sleep(millis(&mut random, 900));
                postroom.kill();
                postroom.serve()?;
            }
            Ok(())
        })();
        stop.store(true, Ordering::Relaxed);
        let sent = flow.join().map_err(|_| anyhow::anyhow!("the flow of mail broke off"))?;
        killed.and(sent)
    })?;
    for member in [&anna, &carla] {
        let ours: BTreeSet<&String> =
            sent.iter().filter(|(_, to)| to.contains(&member.address)).map(|(id, _)| id).collect();
        wait_for_ledger(&crm, member.mailbox, ours.len())?;
        let ledger = in_ledger(&crm, member.mailbox)?;
        assert_eq!(ledger.keys().collect::<BTreeSet<_>>(), ours, "{}: one row for each message", member.address);
        assert!(ledger.values().all(|n| *n == 1), "{}: {ledger:?}", member.address);
        assert_eq!(crm.mail.dovecot.list(&member.address)?.len(), ours.len(), "all are still on the server");
    }
    let emails = emails(&crm)?;
    assert!(emails.values().all(|n| *n == 1), "{:?}", emails.iter().filter(|(_, n)| **n > 1).collect::<Vec<_>>());
    assert_eq!(emails.keys().collect::<BTreeSet<_>>(), sent.keys().collect(), "one email for each message");
    in_order(&crm)
}

/// Delivers messages of all sizes until told to stop; every third goes to all
/// of `to`. Gives back each Message-ID with the addresses that it went to.
fn pour(mail: &MailWorld, to: &[&str], stop: &AtomicBool) -> Result<BTreeMap<String, Vec<String>>> {
    let mut random = Random::new(3);
    let mut sent = BTreeMap::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let receivers = if number % 3 == 0 { to } else { std::slice::from_ref(&to[number as usize % to.len()]) };
        let kind = Kind::ALL[random.below(Kind::ALL.len())];
        let subject = format!("Number {number}");
        let size = 500 + random.below(60_000);
        let draft =
            Draft { seed: number, kind, from: KIM, to: receivers, cc: &[], subject: &subject, references: &[], size };
        let message = draft.write();
        for address in receivers {
            mail.dovecot.deliver(address, &message)?;
        }
        sent.insert(bare(&mailgen::message_id(number)), receivers.iter().map(|a| (*a).to_owned()).collect());
        std::thread::sleep(millis(&mut random, 150));
    }
    Ok(sent)
}

/// Queues by both protocols and a forward mailbox, all of which delete; in the
/// forward mailbox lies mail that is nobody's.
#[tokio::test(flavor = "multi_thread")]
async fn killed_while_deleting() -> Result<()> {
    let mut crm = company().await?;
    let support = ready_queue(&crm, "Support", true)?;
    let sales = crm.queue("Sales", "sales@company.test", true)?;
    let pop3 = json!({ "emailserverprofile@odata.bind": format!("/emailserverprofiles({})", crm.pop3) });
    crm.api.update(&format!("mailboxes({})", sales.mailbox), &pop3)?;
    crm.enable(&sales)?;
    let dora = crm.forwarded_user("Dora", "Lind", "dora@company.test", "collect@company.test")?;
    crm.set_user_filter(&dora, ALL_MESSAGES)?;
    crm.enable(&dora)?;
    let collect = crm.forward_mailbox("Collection", "collect@company.test", true)?;
    crm.enable(&collect)?;
    let mut random = Random::new(60);
    let mut sent: [BTreeSet<String>; 4] = Default::default();
    let members = [&support, &sales, &collect];
    for round in 0..60 {
        for number in 0..3 + random.below(5) {
            deliver_one(&crm, &members, &mut sent, round * 100 + number)?;
        }
        if round % 20 == 10 {
            flag_as_deleted(&crm, &collect.address)?;
        }
        std::thread::sleep(millis(&mut random, 1200));
        crm.postroom.kill();
        // Nobody deletes now: what is gone must be in the ledger.
        let left: Vec<_> = members.iter().map(|m| on_server(&crm.mail, &m.address)).collect::<Result<_>>()?;
        crm.postroom.serve()?;
        for ((member, left), sent) in members.iter().zip(&left).zip(&sent) {
            let ledger = in_ledger(&crm, member.mailbox)?;
            let lost: Vec<_> = sent.iter().filter(|id| !left.contains_key(*id) && !ledger.contains_key(*id)).collect();
            assert!(lost.is_empty(), "{}: deleted before they were ours: {lost:?}", member.address);
        }
    }
    let unclaimed = &sent[3];
    for (member, sent) in members.iter().zip(&sent) {
        let unclaimed = if member.address == collect.address { unclaimed.len() } else { 0 };
        wait_for_ledger(&crm, member.mailbox, sent.len() + unclaimed)?;
        crm.api
            .wait_for(Duration::from_secs(60), "what is processed to be deleted", || {
                Ok((crm.mail.dovecot.list(&member.address)?.len() == unclaimed).then_some(()))
            })
            .with_context(|| format!("{}: {:?}", member.address, on_server(&crm.mail, &member.address)))?;
        let ledger = in_ledger(&crm, member.mailbox)?;
        assert!(ledger.values().all(|n| *n == 1), "{}: {ledger:?}", member.address);
    }
    let left: BTreeSet<_> = on_server(&crm.mail, &collect.address)?.into_keys().collect();
    assert_eq!(&left, unclaimed, "what nobody claims stays, flagged for deletion by others or not");
    let emails = emails(&crm)?;
    assert!(emails.values().all(|n| *n == 1), "{emails:?}");
    let wanted = sent[0].len() + sent[1].len() + sent[2].len();
    assert_eq!(emails.len(), wanted, "one email for each message that was somebody's");
    in_order(&crm)
}

/// One message to one of `members` in turn; in the forward mailbox every other
/// is nobody's. Remembers its Message-ID: the last set is of nobody's.
fn deliver_one(crm: &Crm, members: &[&Member; 3], sent: &mut [BTreeSet<String>; 4], number: usize) -> Result<()> {
    let id = format!("number{number}");
    let turn = number % 3;
    let address = &members[turn].address;
    let raw = letter(KIM, address, &format!("Case {number}"), &id, "", "help");
    let id = format!("{id}@customers.test");
    if turn < 2 {
        crm.mail.dovecot.deliver(address, &raw)?;
        sent[turn].insert(id);
    } else if number.is_multiple_of(2) {
        crm.mail.dovecot.deliver(address, &raw)?;
        sent[3].insert(id);
    } else {
        let inner = letter(KIM, "dora@company.test", &format!("Case {number}"), &format!("inner{number}"), "", "help");
        let head = letter(
            "dora@company.test",
            address,
            "Fwd",
            &format!("number{number}"),
            "Content-Type: message/rfc822\r\n",
            "",
        );
        crm.mail.dovecot.deliver(address, &[head.trim_ascii_end(), b"\r\n\r\n", &inner].concat())?;
        sent[2].insert(id);
    }
    Ok(())
}

/// What another client marks as deleted is not ours to expunge.
fn flag_as_deleted(crm: &Crm, address: &str) -> Result<()> {
    let unclaimed = crm.mail.dovecot.list(address)?.into_iter().find(|m| !m.text().contains("message/rfc822"));
    let Some(stored) = unclaimed else { return Ok(()) };
    let name = stored.path.file_name().context("no name")?.to_string_lossy().into_owned();
    let name = name.split(":2,").next().unwrap_or_default().to_owned() + ":2,T";
    let folder = stored.path.parent().and_then(|p| p.parent()).context("no folder")?;
    // Dovecot may be renaming it at this very moment, which is as well.
    let _ = std::fs::rename(&stored.path, folder.join("cur").join(name));
    Ok(())
}

/// A company whose connection to Postfix is slow, so that sending takes a while.
async fn slow_submission(postfix_extra: &str) -> Result<(Crm, CutProxy, Member)> {
    let mail = world::Options { postfix_extra: postfix_extra.to_owned(), ..world::Options::default() };
    let crm = Crm::start_with(binary(), mail, testkit::postroom::Options::default()).await?;
    allow_unresolved(&crm)?;
    let proxy = CutProxy::start(crm.mail.postfix.submission_port())?;
    crm.api.update(&format!("emailserverprofiles({})", crm.imap), &json!({ "outgoingportnumber": proxy.port() }))?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    crm.mail.user(KIM)?;
    let first = send(&crm, ("systemuser", anna.id), &[(KIM, 2)], "First", "<p>hello</p>")?;
    wait_for_status(&crm, first, SENT)?;
    crm.mail.wait_for_text(KIM, "First").await?;
    proxy.set(Fault::Delay(Duration::from_millis(15)));
    Ok((crm, proxy, anna))
}

/// Sends and kills, `times` times, and gives back what was sent. A good part
/// of it is hit in the middle of being sent.
fn send_and_kill(crm: &mut Crm, anna: &Member, times: usize, random: &mut Random) -> Result<Vec<Uuid>> {
    let mut all = Vec::new();
    let mut hit = BTreeSet::new();
    for round in 0..times {
        for number in 0..1 + random.below(3) {
            let subject = format!("Offer {round}.{number}");
            all.push(send(crm, ("systemuser", anna.id), &[(KIM, 2)], &subject, "<p>Our offer</p>")?);
        }
        std::thread::sleep(millis(random, 450));
        crm.postroom.kill();
        crm.postroom.serve()?;
        let sending = crm.api.list("emails?$filter=statuscode eq 7&$select=subject")?;
        hit.extend(sending.iter().map(|row| row["activityid"].as_str().unwrap_or_default().to_owned()));
    }
    // How many depends on the machine; without any the story would prove nothing.
    assert!(!hit.is_empty(), "none of {times} kills came while an email was being sent");
    Ok(all)
}

/// How often each Message-ID has come to the customer, the first not counted.
fn arrived(crm: &Crm) -> Result<BTreeMap<String, usize>> {
    on_server(&crm.mail, KIM)
}

fn waits_for_person(row: &Value) -> bool {
    row["pr_failurereason"].as_str().is_some_and(|why| why.contains("a person has to decide"))
}

fn all_ended(crm: &Crm, emails: &[Uuid], ended: impl Fn(&Value) -> bool) -> Result<Vec<Value>> {
    let mut rows = Vec::new();
    let done = crm.api.wait_for(Duration::from_secs(240), "every email to come to an end", || {
        rows = emails.iter().map(|id| crm.api.get(&format!("emails({id})"))).collect::<Result<Vec<_>>>()?;
        if rows.iter().all(&ended) {
            return Ok(Some(()));
        }
        std::thread::sleep(Duration::from_secs(1));
        Ok(None)
    });
    let open = || {
        rows.iter().filter(|row| !ended(row)).map(|row| format!("{}: {}", row["statuscode"], row["pr_failurereason"]))
    };
    done.with_context(|| open().collect::<Vec<_>>().join("\n"))?;
    Ok(rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_sending_where_the_server_keeps_copies() -> Result<()> {
    let copies = "sender_bcc_maps = inline:{ {anna@company.test=anna@company.test} }";
    let (mut crm, proxy, anna) = slow_submission(copies).await?;
    let emails = send_and_kill(&mut crm, &anna, 40, &mut Random::new(40))?;
    proxy.set(Fault::None);
    let rows = all_ended(&crm, &emails, |row| row["statuscode"] == SENT)?;
    crm.mail.postfix.wait_delivered(Duration::from_secs(30)).await?;
    let arrived = arrived(&crm)?;
    for row in &rows {
        let id = bare(row["messageid"].as_str().unwrap_or_default());
        assert_eq!(arrived.get(&id), Some(&1), "{}: exactly once", row["subject"]);
    }
    assert_eq!(arrived.len(), rows.len() + 1, "and nothing else");
    in_order(&crm)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_sending_where_nothing_can_be_looked_up() -> Result<()> {
    let (mut crm, proxy, anna) = slow_submission("").await?;
    let emails = send_and_kill(&mut crm, &anna, 20, &mut Random::new(20))?;
    proxy.set(Fault::None);
    let rows = all_ended(&crm, &emails, |row| row["statuscode"] == SENT || waits_for_person(row))?;
    crm.mail.postfix.wait_delivered(Duration::from_secs(30)).await?;
    let arrived = arrived(&crm)?;
    for row in &rows {
        let id = bare(row["messageid"].as_str().unwrap_or_default());
        let times = arrived.get(&id).copied().unwrap_or(0);
        if row["statuscode"] == SENT {
            assert_eq!(times, 1, "{}: exactly once", row["subject"]);
        } else {
            assert!(times <= 1, "{}: {times} times", row["subject"]);
            let email = row["activityid"].as_str().unwrap_or_default();
            let alerts = crm.api.list(&format!("tracelogs?$filter=_regardingobjectid_value eq {email}"))?;
            assert_eq!(alerts.len(), 1, "{}: one alert asks a person", row["subject"]);
        }
    }
    in_order(&crm)
}
