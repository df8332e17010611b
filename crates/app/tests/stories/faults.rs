//! Servers that restart, connections that break in the middle, and servers
//! that say what they should not. Each time: in the end everything is received
//! or sent once, and the mailbox is as enabled as before.

use std::time::Duration;

use anyhow::{Context, Result};
use testkit::crm::{Member, Protocol};
use testkit::mailgen::{Draft, Kind};
use testkit::{Crm, CutProxy, Fault, Misbehave, Step};

use crate::common::*;
use crate::proxied::{self, Proxied, all_received_once, assert_enabled, process};

const KIM: &str = "kim@customers.test";

/// Puts a message of about `size` bytes into the mailbox; gives back its subject.
fn deliver(crm: &Crm, member: &Member, seed: u64, size: usize) -> Result<String> {
    let subject = format!("Number {seed}");
    let to = [member.address.as_str()];
    let draft =
        Draft { seed, kind: Kind::Plain, from: KIM, to: &to, cc: &[], subject: &subject, references: &[], size };
    crm.mail.dovecot.deliver(&member.address, &draft.write())?;
    Ok(subject)
}

/// Cuts connections after each of these numbers of bytes from the server.
async fn cut_at(protocol: Protocol, positions: &[u64]) -> Result<()> {
    let Proxied { crm, imap, pop3, smtp: _smtp } = proxied::company("").await?;
    let proxy = if protocol == Protocol::Imap { &imap } else { &pop3 };
    let anna = ready_user(&crm, "Anna", protocol)?;
    let mut subjects = Vec::new();
    for (round, position) in (0..).zip(positions) {
        for number in 0..4 {
            subjects.push(deliver(&crm, &anna, round * 10 + number, 30_000)?);
        }
        let before = proxy.connections();
        proxy.set(Fault::CutAfterFromServer(*position));
        proxy.cut_all();
        process(&crm, &anna)?;
        assert!(proxy.connections() > before, "the fault has met somebody");
        let row = proxied::mailbox(&crm, &anna)?;
        assert!(row["lastsyncerror"].is_string(), "cut after {position}: {row}");
        proxy.set(Fault::None);
        process(&crm, &anna)?;
        all_received_once(&crm, &anna, &subjects, protocol)?;
        assert_enabled(&crm, &anna)?;
    }
    assert_eq!(crm.mail.dovecot.list(&anna.address)?.len(), subjects.len(), "and all stays on the server");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_connections_cut_anywhere() -> Result<()> {
    // In the TLS handshake, at the login, while listing, in the first and in later messages.
    cut_at(Protocol::Imap, &[700, 2_600, 3_500, 5_000, 20_000, 70_000, 110_000]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn pop3_connections_cut_anywhere() -> Result<()> {
    cut_at(Protocol::Pop3, &[700, 2_600, 3_500, 5_000, 20_000, 70_000, 110_000]).await
}

/// The connection ends at the same message every time: the mailbox goes on
/// without it, and says so.
async fn one_message_breaks_every_connection(protocol: Protocol) -> Result<()> {
    let Proxied { crm, imap, pop3, smtp: _smtp } = proxied::company("").await?;
    let proxy = if protocol == Protocol::Imap { &imap } else { &pop3 };
    let anna = ready_user(&crm, "Anna", protocol)?;
    proxy.set(Fault::CutAfterFromServer(60_000));
    proxy.cut_all();
    deliver(&crm, &anna, 1, 400_000)?;
    let subjects = (2..5).map(|seed| deliver(&crm, &anna, seed, 2_000)).collect::<Result<Vec<_>>>()?;
    let began = std::time::Instant::now();
    while crm.ledger(anna.mailbox)?.len() < 4 && began.elapsed() < Duration::from_secs(60) {
        process(&crm, &anna)?;
    }
    let ledger = crm.ledger(anna.mailbox)?;
    let lost: Vec<_> = ledger.iter().filter(|row| disposition(row) == 10).collect();
    assert_eq!(lost.len(), 1, "{ledger:?}");
    assert!(lost[0]["pr_reason"].as_str().is_some_and(|why| why.contains("breaks off every time")), "{lost:?}");
    all_received_once(&crm, &anna, &subjects, protocol)?;
    let alerts = crm.api.list(&format!("tracelogs?$filter=_regardingobjectid_value eq {}", anna.mailbox))?;
    assert!(alerts.iter().any(|row| row.to_string().contains("does not deliver it")), "{alerts:?}");
    assert_enabled(&crm, &anna)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_breaks_every_imap_connection() -> Result<()> {
    one_message_breaks_every_connection(Protocol::Imap).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_breaks_every_pop3_connection() -> Result<()> {
    one_message_breaks_every_connection(Protocol::Pop3).await
}

/// The server falls silent in the middle of a message and stays connected.
async fn falls_silent(protocol: Protocol) -> Result<()> {
    let Proxied { crm, imap, pop3, smtp: _smtp } = proxied::company("").await?;
    let proxy = if protocol == Protocol::Imap { &imap } else { &pop3 };
    let anna = ready_user(&crm, "Anna", protocol)?;
    proxy.set(Fault::Delay(Duration::from_millis(20)));
    let before = proxy.bytes().1;
    let subjects = (0..20).map(|seed| deliver(&crm, &anna, seed, 200_000)).collect::<Result<Vec<_>>>()?;
    crm.api.wait_for(Duration::from_secs(30), "the transfer to be on its way", || {
        Ok((proxy.bytes().1 > before + 150_000).then_some(()))
    })?;
    proxy.set(Fault::Stall);
    let row = crm.api.wait_for(Duration::from_secs(30), "patience to end", || {
        let row = proxied::mailbox(&crm, &anna)?;
        Ok(row["lastsyncerror"].is_string().then_some(row))
    })?;
    assert!(row["lastsyncerror"].as_str().is_some_and(|said| said.contains("temporary")), "{row}");
    proxy.set(Fault::None);
    process(&crm, &anna)?;
    all_received_once(&crm, &anna, &subjects, protocol)?;
    assert_enabled(&crm, &anna)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imap_server_falls_silent() -> Result<()> {
    falls_silent(Protocol::Imap).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pop3_server_falls_silent() -> Result<()> {
    falls_silent(Protocol::Pop3).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_server_restarts_in_the_middle() -> Result<()> {
    let Proxied { crm, imap, pop3, smtp: _smtp } = proxied::company("").await?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    let carla = ready_user(&crm, "Carla", Protocol::Pop3)?;
    for proxy in [&imap, &pop3] {
        proxy.set(Fault::Delay(Duration::from_millis(5)));
    }
    let bytes = || imap.bytes().1 + pop3.bytes().1;
    let before = bytes();
    let mut subjects = [Vec::new(), Vec::new()];
    for seed in 0..40 {
        subjects[0].push(deliver(&crm, &anna, seed, 100_000)?);
        subjects[1].push(deliver(&crm, &carla, 1000 + seed, 100_000)?);
    }
    crm.api.wait_for(Duration::from_secs(30), "the transfer to be on its way", || {
        Ok((bytes() > before + 500_000).then_some(()))
    })?;
    crm.mail.dovecot.kill().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    crm.mail.dovecot.restart().await?;
    for proxy in [&imap, &pop3] {
        proxy.set(Fault::None);
    }
    all_received_once(&crm, &anna, &subjects[0], Protocol::Imap)?;
    all_received_once(&crm, &carla, &subjects[1], Protocol::Pop3)?;
    assert_enabled(&crm, &anna)?;
    assert_enabled(&crm, &carla)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_submission_server_is_away_for_a_while() -> Result<()> {
    let crm = company().await?;
    allow_unresolved(&crm)?;
    let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
    crm.mail.user(KIM)?;
    crm.mail.postfix.kill().await;
    let mut emails = Vec::new();
    for number in 0..5 {
        emails.push(send(&crm, ("systemuser", anna.id), &[(KIM, 2)], &format!("Number {number}"), "<p>Hello</p>")?);
    }
    crm.api.wait_for(Duration::from_secs(30), "the record to say what it waits for", || {
        let row = crm.api.get(&format!("emails({})", emails[0]))?;
        Ok(row["pr_failurereason"].as_str().is_some_and(|why| why.contains("cannot be used")).then_some(()))
    })?;
    crm.mail.postfix.restart().await?;
    for email in &emails {
        let row = crm.api.wait_for(Duration::from_secs(150), "the email to be sent", || {
            let row = crm.api.get(&format!("emails({email})"))?;
            Ok((row["statuscode"] == SENT).then_some(row))
        })?;
        assert_eq!(row["deliveryattempts"], 1, "an outage is no fault of the message: {row}");
    }
    crm.mail.postfix.wait_delivered(Duration::from_secs(30)).await?;
    assert_eq!(crm.mail.dovecot.list(KIM)?.len(), 5);
    assert_enabled(&crm, &anna)
}

/// A mailbox that was read before, behind a proxy that leads elsewhere on
/// request, and where its next message stands.
struct Led {
    crm: Crm,
    anna: Member,
    imap: CutProxy,
    smtp: CutProxy,
    uid_validity: u64,
    next_uid: u64,
}

impl Led {
    async fn start() -> Result<Self> {
        let Proxied { crm, imap, smtp, pop3: _ } = proxied::company("").await?;
        let anna = ready_user(&crm, "Anna", Protocol::Imap)?;
        crm.mail.user(KIM)?;
        deliver(&crm, &anna, 900, 1000)?;
        let row = crm.wait_in_ledger(anna.mailbox, "Number 900")?;
        let position = row["pr_position"].as_str().unwrap_or_default();
        let (validity, uid) = position.split_once('/').context("a position")?;
        let (uid_validity, next_uid) = (validity.parse()?, uid.parse::<u64>()? + 1);
        Ok(Self { crm, anna, imap, smtp, uid_validity, next_uid })
    }

    /// The beginning of a conversation, up to where `count` new messages are to be fetched.
    fn script(&self, count: u64) -> Vec<Step> {
        let mut script = vec![
            Step::line("* OK [CAPABILITY IMAP4rev1] hello"),
            Step::expect(" LOGIN "),
            Step::line("{tag} OK [CAPABILITY IMAP4rev1] in"),
            Step::expect(" EXAMINE "),
        ];
        let (validity, next) = (self.uid_validity, self.next_uid + count);
        script.push(Step::line(&format!("* {count} EXISTS\r\n* OK [UIDVALIDITY {validity}]\r\n* OK [UIDNEXT {next}]")));
        script.push(Step::line("{tag} OK [READ-ONLY]"));
        script.push(Step::expect("RFC822.SIZE"));
        for number in 0..count {
            let uid = self.next_uid + number;
            script.push(Step::line(&format!("* {} FETCH (UID {uid} RFC822.SIZE 300)", number + 1)));
        }
        script.push(Step::line("{tag} OK"));
        script.push(Step::expect("BODY.PEEK[]"));
        script
    }

    /// The mailbox is processed while a server follows this script instead of the real one.
    fn meets(&self, script: Vec<Step>) -> Result<()> {
        let server = Misbehave::start_tls(vec![script], self.crm.mail.authority())?;
        self.imap.redirect(server.port());
        process(&self.crm, &self.anna)?;
        self.imap.redirect(self.crm.mail.dovecot.imaps_port());
        Ok(())
    }

    /// With the real server back, everything is received once.
    fn goes_on(&self) -> Result<()> {
        let mut subjects = vec!["Number 900".to_owned()];
        for seed in 901..904 {
            subjects.push(deliver(&self.crm, &self.anna, seed, 2000)?);
        }
        process(&self.crm, &self.anna)?;
        all_received_once(&self.crm, &self.anna, &subjects, Protocol::Imap)?;
        assert_enabled(&self.crm, &self.anna)
    }
}

/// Meets a server that goes wrong in the middle of the first message.
async fn goes_wrong(fault: Vec<Step>) -> Result<()> {
    let led = Led::start().await?;
    let mut script = led.script(3);
    script.extend(fault);
    led.meets(script)?;
    let row = proxied::mailbox(&led.crm, &led.anna)?;
    assert!(row["lastsyncerror"].is_string(), "the mailbox says what went wrong: {row}");
    assert_eq!(
        led.crm.ledger(led.anna.mailbox)?.iter().filter(|row| row["pr_subject"] != "Number 900").count(),
        tests_in(&led)?
    );
    led.goes_on()
}

/// Ledger rows of the configuration test.
fn tests_in(led: &Led) -> Result<usize> {
    Ok(led.crm.ledger(led.anna.mailbox)?.iter().filter(|row| disposition(row) == 12).count())
}

fn half() -> Step {
    Step::half_literal("* 1 FETCH (UID 7 BODY[] ", 300, b"From: kim@customers.test\r\nSubject: Half\r\n\r\nOnly ha")
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_message_and_the_end_of_the_connection() -> Result<()> {
    goes_wrong(vec![half(), Step::Close]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_message_and_silence() -> Result<()> {
    goes_wrong(vec![half(), Step::Silence]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_instead_of_a_message() -> Result<()> {
    goes_wrong(vec![Step::Garbage(5000), Step::Close]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn goodbye_in_the_middle() -> Result<()> {
    goes_wrong(vec![Step::line("* BYE the server is going down"), Step::Close]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_in_the_middle() -> Result<()> {
    goes_wrong(vec![half(), Step::Reset]).await
}

/// A whole message of 300 octets as a FETCH response.
fn whole(number: u64, uid: u64, subject: &str) -> Vec<u8> {
    let mut message = letter(KIM, "anna@company.test", subject, &format!("whole{uid}"), "", "");
    message.resize(300, b'x');
    let mut response = format!("* {number} FETCH (UID {uid} BODY[] {{300}}\r\n").into_bytes();
    response.extend(message);
    response.extend(b")\r\n");
    response
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_that_is_refused_does_not_stop_the_others() -> Result<()> {
    let led = Led::start().await?;
    let bad = led.next_uid + 1;
    let mut script = led.script(3);
    script.extend([
        Step::send(whole(1, led.next_uid, "Before")),
        Step::send(whole(3, led.next_uid + 2, "Behind")),
        Step::line("{tag} NO message 2 is damaged"),
        Step::expect("(UID)"),
        Step::line(&format!("* 2 FETCH (UID {bad})\r\n{{tag}} OK")),
        Step::expect("BODY.PEEK[]"),
        Step::line("{tag} NO message 2 is damaged"),
        Step::Silence,
    ]);
    led.meets(script)?;
    let ledger = led.crm.ledger(led.anna.mailbox)?;
    for subject in ["Before", "Behind"] {
        assert!(ledger.iter().any(|row| row["pr_subject"] == subject && disposition(row) == TRACKED), "{ledger:?}");
    }
    let row =
        ledger.iter().find(|row| row["pr_position"] == format!("{}/{bad}", led.uid_validity)).context("its row")?;
    assert_eq!(disposition(row), 10, "{row}");
    assert!(row["pr_reason"].as_str().is_some_and(|why| why.contains("message 2 is damaged")), "{row}");
    assert_enabled(&led.crm, &led.anna)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_asked_for_is_no_trouble() -> Result<()> {
    let led = Led::start().await?;
    let noise = "* OK [ALERT] the server will be down on Sunday\r\n* OK still here\r\n* FLAGS (\\Seen)\r\n* 9 EXISTS\r\n* 1 RECENT\r\n* XYZZY nothing happens\r\n* OK [X-NEW \"]\"] odd";
    let mut script = Vec::new();
    for step in led.script(1) {
        // After each command, before its answer.
        let answers = matches!(&step, Step::Expect(_));
        script.push(step);
        if answers {
            script.push(Step::line(noise));
        }
    }
    script.extend([
        Step::send(whole(1, led.next_uid, "Through the noise")),
        Step::line(noise),
        Step::line("{tag} OK done"),
        Step::Silence,
    ]);
    led.meets(script)?;
    let ledger = led.crm.ledger(led.anna.mailbox)?;
    assert!(ledger.iter().any(|row| row["pr_subject"] == "Through the noise"), "{ledger:?}");
    assert_enabled(&led.crm, &led.anna)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_refused_for_now_never_disables() -> Result<()> {
    let led = Led::start().await?;
    for _ in 0..5 {
        led.meets(vec![
            Step::line("* OK [CAPABILITY IMAP4rev1] hello"),
            Step::expect(" LOGIN "),
            Step::line("{tag} NO [UNAVAILABLE] the directory is away, try again later"),
            Step::Close,
        ])?;
        assert_enabled(&led.crm, &led.anna)?;
    }
    led.goes_on()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_server_that_goes_down_in_the_middle() -> Result<()> {
    let led = Led::start().await?;
    let crm = &led.crm;
    let hello = "250-mx.test\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN";
    let script = vec![
        Step::line("220 mx.test"),
        Step::expect("EHLO"),
        Step::line(hello),
        Step::expect("STARTTLS"),
        Step::line("220 go"),
        Step::StartTls,
        Step::expect("EHLO"),
        Step::line("250-mx.test\r\n250 AUTH PLAIN LOGIN"),
        Step::expect("AUTH PLAIN"),
        Step::line("235 in"),
        Step::expect("MAIL FROM"),
        Step::line("250 ok"),
        Step::expect("RCPT TO"),
        Step::line("421 4.3.2 the server is going down"),
        Step::Close,
    ];
    let server = Misbehave::start_with_starttls(vec![script], crm.mail.authority())?;
    led.smtp.redirect(server.port());
    let email = send(crm, ("systemuser", led.anna.id), &[(KIM, 2)], "Interrupted", "<p>Hello</p>")?;
    let row = crm.api.wait_for(Duration::from_secs(30), "the server's words on the record", || {
        let row = crm.api.get(&format!("emails({email})"))?;
        Ok(row["pr_failurereason"].as_str().is_some_and(|why| why.contains("going down")).then_some(row))
    });
    let row = row.with_context(|| format!("{:?}\n{:?}", crm.api.get(&format!("emails({email})")), server.heard()))?;
    assert_eq!(row["statuscode"], PENDING_SEND, "{row}");
    led.smtp.redirect(crm.mail.postfix.submission_port());
    crm.api.wait_for(Duration::from_secs(150), "the email to be sent after all", || {
        Ok((crm.api.get(&format!("emails({email})"))?["statuscode"] == SENT).then_some(()))
    })?;
    crm.mail.wait_for_text(KIM, "Interrupted").await?;
    crm.mail.postfix.wait_delivered(Duration::from_secs(30)).await?;
    assert_eq!(crm.mail.dovecot.list(KIM)?.len(), 1, "once");
    assert_enabled(crm, &led.anna)
}
