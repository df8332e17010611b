//! IMAP against a real Dovecot.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly anywhere")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use connectors::imap::{ImapReader, Options, Session, connect, header_digest, probe};
use connectors::net::{Security, Stream};
use connectors::sasl::Credentials;
use connectors::{Batch, Limit, ReadMail};
use model::probe::untold;
use model::work::{Cursor, ImapCursor, Position, Settle, SettleAction, Settled};
use model::{FailureKind, Secret, Step, Timestamp};
use testkit::{CutProxy, Dovecot, Fault, dovecot};

#[path = "support/memory.rs"]
mod memory;
mod support;

use memory::Memory;
use support::{dialer, endpoint, message, password};

const ANN: &str = "ann@crm.example";
const LIMIT: Limit = Limit { messages: 1000, octets: 1 << 30 };

async fn server() -> Dovecot {
    let server = Dovecot::start(dovecot::Options::default()).await.unwrap();
    server.add_user(ANN, "pass word").unwrap();
    server
}

async fn session(server: &Dovecot) -> Session<Stream> {
    let endpoint = endpoint(server.imaps_port(), Security::Tls);
    connect(&dialer(server.ca_pem()), &endpoint, &password(ANN, "pass word"), None).await.unwrap()
}

async fn reader(server: &Dovecot) -> ImapReader<Stream> {
    ImapReader::new(session(server).await, "INBOX")
}

fn start() -> Cursor {
    Cursor::Imap(ImapCursor::default())
}

async fn fetch(reader: &mut ImapReader<Stream>, after: &Cursor, memory: &mut Memory) -> Batch {
    reader.fetch(after, LIMIT, memory).await.unwrap()
}

fn settle(batch: &Batch, memory: &Memory, at: usize) -> Settle {
    let mail = &batch.mails[at];
    Settle {
        position: mail.position.clone(),
        action: SettleAction::Delete,
        size: mail.size,
        header_digest: header_digest(&memory.finished[mail.ticket]),
    }
}

#[tokio::test]
async fn every_mechanism_logs_in() {
    let token = |server: &Dovecot, expires: &str| Credentials::OAuth {
        user: ANN.into(),
        token: Secret::new(server.oauth_token(ANN, expires.parse().unwrap())),
    };
    for mechanism in ["plain", "login", "scram-sha-256", "xoauth2", "oauthbearer"] {
        let options = dovecot::Options { mechanisms: mechanism.into(), ..dovecot::Options::default() };
        let server = Dovecot::start(options).await.unwrap();
        server.add_user(ANN, "pass word").unwrap();
        let (right, wrong) = match mechanism {
            "xoauth2" | "oauthbearer" => {
                (token(&server, "2100-01-01T00:00:00Z"), token(&server, "2001-01-01T00:00:00Z"))
            }
            _ => (password(ANN, "pass word"), password(ANN, "password")),
        };
        let dialer = dialer(server.ca_pem());
        let endpoint = endpoint(server.imaps_port(), Security::Tls);
        let session = connect(&dialer, &endpoint, &right, None).await.expect(mechanism);
        let used = format!("AUTHENTICATE {}", mechanism.to_uppercase());
        assert!(session.transcript().iter().any(|l| l.contains(&used)), "{:?}", session.transcript());
        let failure = connect(&dialer, &endpoint, &wrong, None).await.err().expect(mechanism);
        assert_eq!((failure.kind, failure.during), (FailureKind::Credentials, Step::LogIn), "{mechanism}: {failure}");
        session.log_out().await;
    }
}

#[tokio::test]
async fn every_way_of_security() {
    let server = server().await;
    let dialer = dialer(server.ca_pem());
    for (port, security, tls) in [
        (server.imaps_port(), Security::Tls, true),
        (server.imaps_port(), Security::Auto, true),
        (server.imap_port(), Security::StartTls, true),
        (server.imap_port(), Security::Auto, true),
        (server.imap_port(), Security::Auto, true),
        (server.imap_port(), Security::Plain, false),
    ] {
        let report =
            probe(&dialer, &endpoint(port, security), &password(ANN, "pass word"), "INBOX", None, &untold).await;
        assert!(report.is_success(), "{security:?}: {report:?}");
        let steps: Vec<_> = report.steps.iter().map(|s| s.step).collect();
        assert_eq!(steps.contains(&Step::Tls), tls, "{security:?}: {steps:?}");
        for step in [Step::Resolve, Step::Connect, Step::Greeting, Step::LogIn, Step::Open, Step::Read] {
            assert!(steps.contains(&step), "{security:?}: {steps:?}");
        }
    }
}

#[tokio::test]
async fn a_probe_says_where_it_failed() {
    let server = server().await;
    let good = dialer(server.ca_pem());
    let tls = endpoint(server.imaps_port(), Security::Tls);
    let ann = password(ANN, "pass word");
    let (bad, nobody) = (dialer(""), password(ANN, "x"));
    let failed = async |dialer, endpoint, credentials, folder| {
        let report = probe(dialer, endpoint, credentials, folder, None, &untold).await;
        let failure = report.failure.expect("a failure");
        assert_eq!(report.steps.last().map(|s| (s.step, s.ok)), Some((failure.during, false)));
        (failure.kind, failure.during)
    };
    assert_eq!(failed(&good, &tls, &nobody, "INBOX").await, (FailureKind::Credentials, Step::LogIn));
    assert_eq!(failed(&good, &tls, &ann, "Nowhere").await, (FailureKind::Misconfigured, Step::Open));
    assert_eq!(failed(&bad, &tls, &ann, "INBOX").await, (FailureKind::Misconfigured, Step::Tls));
    let wrong = endpoint(server.imap_port(), Security::Tls);
    assert_eq!(failed(&good, &wrong, &ann, "INBOX").await, (FailureKind::Misconfigured, Step::Tls));
    server.deliver(ANN, &message(1, "hello")).unwrap();
    let report = probe(&good, &tls, &ann, "INBOX", None, &untold).await;
    assert!(report.steps.last().unwrap().said.contains("octets"), "{report:?}");
    server.stop().await;
    assert_eq!(failed(&good, &tls, &ann, "INBOX").await, (FailureKind::Temporary, Step::Connect));
}

#[tokio::test]
async fn messages_arrive_whole_once_and_unseen() {
    let server = server().await;
    let bodies: Vec<String> = (0..300).map(|n| format!("{n} äöü\r\n.\r\n{}", "x".repeat(n * n * 2))).collect();
    let sent: Vec<Vec<u8>> = bodies.iter().enumerate().map(|(n, body)| message(n, body)).collect();
    server.fill(ANN, 300, |n| sent[usize::try_from(n).unwrap()].clone()).unwrap();
    let mut reader = reader(&server).await;
    let mut memory = Memory::default();
    let mut after = start();
    let mut seen = 0;
    loop {
        let limit = Limit { messages: 120, octets: 4 << 20 };
        let batch = reader.fetch(&after, limit, &mut memory).await.unwrap();
        assert!(batch.mails.len() <= 120 && batch.undeliverable.is_empty());
        seen += batch.mails.len();
        after = batch.cursor.clone();
        if !batch.more {
            break;
        }
    }
    assert_eq!(seen, 300);
    let mut received = memory.finished.clone();
    let mut expected = sent.clone();
    received.sort();
    expected.sort();
    assert!(received == expected, "the messages are not what was stored");
    assert!(fetch(&mut reader, &after, &mut memory).await.mails.is_empty());
    server.deliver(ANN, &message(300, "one more")).unwrap();
    let batch = fetch(&mut reader, &after, &mut memory).await;
    assert_eq!(batch.mails.len(), 1);
    assert!(memory.finished.last().unwrap().ends_with(b"one more\r\n"));
    assert!(server.list(ANN).unwrap().iter().all(|m| !m.flags().contains('S')), "something became seen");
    reader.log_out().await;
}

#[tokio::test]
async fn a_large_message_and_compression() {
    let server = server().await;
    let body = "All work and no play makes Jack a dull boy.\r\n".repeat(300_000);
    server.deliver(ANN, &message(1, &body)).unwrap();
    let dialer = dialer(server.ca_pem());
    let endpoint = endpoint(server.imaps_port(), Security::Tls);
    for compress in [false, true] {
        let options = Some(Options { compress });
        let session = connect(&dialer, &endpoint, &password(ANN, "pass word"), options).await.unwrap();
        assert!(session.capabilities().compress_deflate, "this Dovecot does not compress");
        assert_eq!(session.transcript().iter().any(|l| l.contains("COMPRESS DEFLATE")), compress);
        let mut reader = ImapReader::new(session, "INBOX");
        let mut memory = Memory::default();
        fetch(&mut reader, &start(), &mut memory).await;
        assert!(memory.finished == [message(1, &body)]);
        assert!(reader.session().buffered() <= 256 * 1024);
    }
}

#[tokio::test]
async fn process_email_from() {
    let server = server().await;
    let day = |d: &str| -> Timestamp { format!("2020-11-{d}").parse().unwrap() };
    for (n, at) in ["03T12:00:00Z", "05T11:59:00Z", "05T12:01:00Z", "07T00:00:00Z"].iter().enumerate() {
        server.deliver_dated(ANN, &message(n, "x"), day(at)).unwrap();
    }
    let mut reader = reader(&server).await;
    let mut memory = Memory::default();
    let since = Some(day("05T12:00:00Z"));
    let batch = fetch(&mut reader, &Cursor::Imap(ImapCursor { since, ..ImapCursor::default() }), &mut memory).await;
    let received: Vec<_> = batch.mails.iter().map(|m| m.received.unwrap()).collect();
    assert_eq!(received, [day("05T12:01:00Z"), day("07T00:00:00Z")]);
    server.deliver_dated(ANN, &message(9, "old but moved here later"), day("01T00:00:00Z")).unwrap();
    assert_eq!(fetch(&mut reader, &batch.cursor, &mut memory).await.mails.len(), 1);
}

/// All files of this name below a folder.
fn files_named(dir: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_named(&path, name));
        } else if entry.file_name().to_string_lossy().starts_with(name) {
            found.push(path);
        }
    }
    found
}

#[tokio::test]
async fn another_uidvalidity() {
    let server = server().await;
    for n in 0..3 {
        server.deliver(ANN, &message(n, "x")).unwrap();
    }
    let mut memory = Memory::default();
    let mut first = reader(&server).await;
    let batch = fetch(&mut first, &start(), &mut memory).await;
    assert!(!batch.reset);
    let old = settle(&batch, &memory, 0);
    first.log_out().await;
    server.stop().await;
    let lists = files_named(server.dir(), "dovecot-uidlist");
    assert!(!lists.is_empty());
    for file in lists.iter().chain(&files_named(server.dir(), "dovecot.index")) {
        std::fs::remove_file(file).unwrap();
    }
    tokio::time::sleep(Duration::from_millis(1100)).await;
    server.restart().await.unwrap();
    let mut reader = reader(&server).await;
    let again = fetch(&mut reader, &batch.cursor, &mut memory).await;
    assert!(again.reset);
    assert_eq!(again.mails.len(), 3);
    let Cursor::Imap(cursor) = &again.cursor else { panic!() };
    assert_eq!((cursor.next_uid, cursor.backlog_end), (4, 4));
    assert_eq!(reader.settle(&[old]).await.unwrap(), [Settled::Different]);
    assert_eq!(server.list(ANN).unwrap().len(), 3);
}

#[tokio::test]
async fn only_what_was_read_is_removed() {
    let server = server().await;
    for n in 0..5 {
        server.deliver(ANN, &message(n, "x")).unwrap();
    }
    let mut reader = reader(&server).await;
    let mut memory = Memory::default();
    let batch = fetch(&mut reader, &start(), &mut memory).await;
    let mut other = settle(&batch, &memory, 3);
    other.header_digest = [7; 32];
    let mut wrong_size = settle(&batch, &memory, 4);
    wrong_size.size += 1;
    let settles = [settle(&batch, &memory, 2), other, settle(&batch, &memory, 0), wrong_size];
    // Somebody has marked another message as deleted; it is not ours to remove.
    let mut somebody = session(&server).await;
    somebody.select("INBOX").await.unwrap();
    let Position::Imap { uid, .. } = batch.mails[1].position else { panic!() };
    somebody.add_flags(&[uid].into_iter().collect(), "\\Deleted").await.unwrap();
    let expected = [Settled::Done, Settled::Different, Settled::Done, Settled::Different];
    assert_eq!(reader.settle(&settles).await.unwrap(), expected);
    let left: Vec<String> = server.list(ANN).unwrap().iter().map(|m| m.text()).collect();
    assert_eq!(left.len(), 3);
    for n in [1, 3, 4] {
        assert!(left.iter().any(|text| text.contains(&format!("Subject: Number {n}\r"))), "{n} is gone");
    }
    let again = [Settled::AlreadyGone, Settled::Different, Settled::AlreadyGone, Settled::Different];
    assert_eq!(reader.settle(&settles).await.unwrap(), again);
    assert!(fetch(&mut reader, &batch.cursor, &mut memory).await.mails.is_empty());
    assert!(server.list(ANN).unwrap().iter().all(|m| !m.flags().contains('S')), "something became seen");
}

#[tokio::test]
async fn messages_that_others_remove_meanwhile() {
    let server = server().await;
    for n in 0..4 {
        server.deliver(ANN, &message(n, "x")).unwrap();
    }
    let mut reader = reader(&server).await;
    let mut memory = Memory::default();
    let one = Limit { messages: 1, octets: 1 << 20 };
    let first = reader.fetch(&start(), one, &mut memory).await.unwrap();
    assert!(first.more);
    let mut somebody = session(&server).await;
    somebody.select("INBOX").await.unwrap();
    let two = [2, 3].into_iter().collect();
    somebody.add_flags(&two, "\\Deleted").await.unwrap();
    somebody.uid_expunge(&two).await.unwrap();
    let rest = fetch(&mut reader, &first.cursor, &mut memory).await;
    assert_eq!(rest.mails.len(), 1, "{rest:?}");
    assert!(rest.undeliverable.is_empty() && !rest.more);
}

#[tokio::test]
async fn a_sent_message_is_found_again() {
    let server = server().await;
    let mut session = session(&server).await;
    let text = message(7, "sent");
    let place = session.append("INBOX", "\\Seen", None, text.len() as u64, &mut &text[..]).await.unwrap();
    let (uid_validity, uid) = place.expect("APPENDUID");
    let mut reader = ImapReader::new(session, "INBOX");
    let found = reader.find(Some("INBOX"), "<m7@customer.example>").await.unwrap();
    assert_eq!(found, [Position::Imap { folder: "INBOX".into(), uid_validity, uid }]);
    server.deliver_to(ANN, "Sent", &message(8, "sent")).unwrap();
    let found = reader.find(None, "<m8@customer.example>").await.unwrap();
    assert!(matches!(&found[..], [Position::Imap { folder, .. }] if folder == "Sent"), "{found:?}");
    assert!(reader.find(None, "<m9@customer.example>").await.unwrap().is_empty());
    assert_eq!(reader.find(Some("Nowhere"), "<m9@customer.example>").await.unwrap_err().during, Step::FindAgain);
}

#[tokio::test]
async fn new_mail_is_noticed_at_once() {
    let server = server().await;
    let mut reader = reader(&server).await;
    let mut memory = Memory::default();
    let batch = fetch(&mut reader, &start(), &mut memory).await;
    assert!(!reader.wait_for_news(Duration::from_millis(300)).await.unwrap());
    let deliver = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.deliver(ANN, &message(1, "news")).unwrap();
    };
    let started = tokio::time::Instant::now();
    let (news, ()) = tokio::join!(reader.wait_for_news(Duration::from_secs(60)), deliver);
    assert!(news.unwrap());
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert_eq!(fetch(&mut reader, &batch.cursor, &mut memory).await.mails.len(), 1);
}

#[tokio::test]
async fn a_server_that_dies_and_comes_back() {
    let server = server().await;
    server.deliver(ANN, &message(1, "x")).unwrap();
    let mut first = reader(&server).await;
    let mut memory = Memory::default();
    let batch = fetch(&mut first, &start(), &mut memory).await;
    server.kill().await;
    let failure = first.fetch(&batch.cursor, LIMIT, &mut memory).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Temporary, "{failure}");
    assert!(first.is_broken());
    server.restart().await.unwrap();
    server.deliver(ANN, &message(2, "x")).unwrap();
    let mut second = reader(&server).await;
    assert_eq!(fetch(&mut second, &batch.cursor, &mut memory).await.mails.len(), 1);
}

/// Connections that are cut at every few octets: with the cursor that the last
/// whole batch gave, everything arrives once.
#[tokio::test]
async fn cut_connections_lose_and_double_nothing() {
    let server = server().await;
    let sent: Vec<_> = (0..12).map(|n| message(n, &"line of text\r\n".repeat(n * 30))).collect();
    server.fill(ANN, 12, |n| sent[usize::try_from(n).unwrap()].clone()).unwrap();
    let proxy = CutProxy::start(server.imap_port()).unwrap();
    let dialer = dialer(server.ca_pem());
    let endpoint = endpoint(proxy.port(), Security::Plain);
    let limit = Limit { messages: 3, octets: 1 << 20 };
    let (mut after, mut received, mut failures) = (start(), Vec::new(), 0);
    for cut in (0u64..).map(|n| 200 + n * 397) {
        proxy.set(Fault::CutAfterFromServer(cut));
        let session = match connect(&dialer, &endpoint, &password(ANN, "pass word"), None).await {
            Ok(session) => session,
            Err(failure) => {
                assert_eq!(failure.kind, FailureKind::Temporary, "{failure}");
                failures += 1;
                continue;
            }
        };
        let mut reader = ImapReader::new(session, "INBOX");
        let mut memory = Memory::default();
        match reader.fetch(&after, limit, &mut memory).await {
            Ok(batch) => {
                received.extend(batch.mails.iter().map(|m| memory.finished[m.ticket].clone()));
                after = batch.cursor.clone();
                if !batch.more {
                    break;
                }
            }
            Err(failure) => {
                assert_eq!(failure.kind, FailureKind::Temporary, "{failure}");
                assert!(memory.running.is_none(), "a message was left half-written");
                failures += 1;
            }
        }
    }
    assert!(failures > 5, "only {failures} cuts were felt");
    let mut expected = sent.clone();
    received.sort();
    expected.sort();
    assert!(received == expected, "{} messages came, {} were there", received.len(), expected.len());
}

#[tokio::test]
async fn a_settling_that_is_cut_off_is_done_again() {
    let server = server().await;
    for n in 0..3 {
        server.deliver(ANN, &message(n, "x")).unwrap();
    }
    let mut memory = Memory::default();
    let batch = fetch(&mut reader(&server).await, &start(), &mut memory).await;
    let settles: Vec<_> = (0..3).map(|at| settle(&batch, &memory, at)).collect();
    let proxy = CutProxy::start(server.imap_port()).unwrap();
    let dialer = dialer(server.ca_pem());
    let endpoint = endpoint(proxy.port(), Security::Plain);
    for cut in (0u64..).map(|n| 400 + n * 101) {
        proxy.set(Fault::DeafAfterFromServer(cut));
        let Ok(session) = connect(&dialer, &endpoint, &password(ANN, "pass word"), None).await else { continue };
        match ImapReader::new(session, "INBOX").settle(&settles).await {
            Err(failure) => assert_eq!(failure.kind, FailureKind::Temporary, "{failure}"),
            Ok(settled) => {
                assert!(settled.iter().all(|s| matches!(s, Settled::Done | Settled::AlreadyGone)), "{settled:?}");
                break;
            }
        }
    }
    assert!(server.list(ANN).unwrap().is_empty());
}
