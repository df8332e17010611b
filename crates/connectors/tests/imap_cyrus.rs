//! IMAP against Cyrus, which shares nothing with Dovecot but the standard.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly anywhere")]

use std::time::Duration;

use connectors::imap::{ImapReader, Options, Session, connect, header_digest, probe};
use connectors::net::{Security, Stream};
use connectors::{Limit, ReadMail};
use model::probe::untold;
use model::work::{Cursor, ImapCursor, Position, Settle, SettleAction, Settled};
use model::{FailureKind, Step};
use testkit::cyrus::Cyrus;

#[path = "support/memory.rs"]
mod memory;
mod support;

use memory::Memory;
use support::{dialer, endpoint, message, password};

const ANN: &str = "ann@crm.example";
const LIMIT: Limit = Limit { messages: 1000, octets: 1 << 30 };

async fn server() -> Cyrus {
    let server = Cyrus::start().await.unwrap();
    server.add_user(ANN, "secret").unwrap();
    server
}

async fn session(server: &Cyrus) -> Session<Stream> {
    let endpoint = endpoint(server.imaps_port(), Security::Tls);
    connect(&dialer(server.ca_pem()), &endpoint, &password(ANN, "secret"), None).await.unwrap()
}

/// Puts a message into a folder; returns its UID.
async fn append(session: &mut Session<Stream>, folder: &str, text: &[u8]) -> u32 {
    let place = session.append(folder, "", None, text.len() as u64, &mut &text[..]).await.unwrap();
    place.expect("APPENDUID").1
}

fn start() -> Cursor {
    Cursor::Imap(ImapCursor::default())
}

#[tokio::test]
async fn a_probe_passes_and_wrong_passwords_are_named() {
    let server = server().await;
    let dialer = dialer(server.ca_pem());
    for (port, security) in [(server.imaps_port(), Security::Auto), (server.imap_port(), Security::StartTls)] {
        let endpoint = endpoint(port, security);
        let report = probe(&dialer, &endpoint, &password(ANN, "secret"), "INBOX", None, &untold).await;
        assert!(report.is_success(), "{report:?}");
        let report = probe(&dialer, &endpoint, &password(ANN, "wrong"), "INBOX", None, &untold).await;
        let failure = report.failure.expect("a failure");
        assert_eq!((failure.kind, failure.during), (FailureKind::Credentials, Step::LogIn), "{failure}");
    }
}

#[tokio::test]
async fn messages_are_read_settled_and_found() {
    let server = server().await;
    let mut writer = session(&server).await;
    let texts: Vec<_> = (0..30).map(|n| message(n, &"grüße ".repeat(n * 40))).collect();
    for text in &texts {
        append(&mut writer, "INBOX", text).await;
    }
    let mut reader = ImapReader::new(session(&server).await, "INBOX");
    let mut memory = Memory::default();
    let batch = reader.fetch(&start(), LIMIT, &mut memory).await.unwrap();
    assert_eq!(memory.finished, texts);
    assert!(!batch.more && batch.undeliverable.is_empty());
    assert!(batch.mails.iter().all(|m| m.received.is_some()));

    let settle = |at: usize| Settle {
        position: batch.mails[at].position.clone(),
        action: SettleAction::Delete,
        size: batch.mails[at].size,
        header_digest: header_digest(&texts[at]),
    };
    let different = Settle { header_digest: [0; 32], ..settle(5) };
    let settles = [settle(3), different, settle(4)];
    let expected = [Settled::Done, Settled::Different, Settled::Done];
    assert_eq!(reader.settle(&settles).await.unwrap(), expected);
    let expected = [Settled::AlreadyGone, Settled::Different, Settled::AlreadyGone];
    assert_eq!(reader.settle(&settles).await.unwrap(), expected);
    assert_eq!(writer.examine("INBOX").await.unwrap().exists, 28);

    let found = reader.find(Some("INBOX"), "<m7@customer.example>").await.unwrap();
    assert_eq!(found, [batch.mails[7].position.clone()]);
    let uid = append(&mut writer, "Sent", &message(99, "sent")).await;
    let found = reader.find(None, "<m99@customer.example>").await.unwrap();
    assert!(matches!(found[..], [Position::Imap { uid: there, .. }] if there == uid), "{found:?}");

    append(&mut writer, "INBOX", &message(31, "later")).await;
    let later = reader.fetch(&batch.cursor, LIMIT, &mut memory).await.unwrap();
    assert_eq!(later.mails.len(), 1);
    assert!(!later.reset);
}

#[tokio::test]
async fn compression_and_a_large_message() {
    let server = server().await;
    let text = message(1, &"All work and no play makes Jack a dull boy.\r\n".repeat(100_000));
    let endpoint = endpoint(server.imaps_port(), Security::Tls);
    let options = Some(Options { compress: true });
    let dialer = dialer(server.ca_pem());
    let mut session = connect(&dialer, &endpoint, &password(ANN, "secret"), options).await.unwrap();
    assert_eq!(
        session.capabilities().compress_deflate,
        session.transcript().iter().any(|l| l.contains("COMPRESS DEFLATE"))
    );
    append(&mut session, "INBOX", &text).await;
    let mut reader = ImapReader::new(session, "INBOX");
    let mut memory = Memory::default();
    reader.fetch(&start(), LIMIT, &mut memory).await.unwrap();
    assert!(memory.finished == [text]);
    assert!(reader.session().buffered() <= 256 * 1024);
}

#[tokio::test]
async fn idling_and_moving() {
    let server = server().await;
    let mut writer = session(&server).await;
    let mut reader = ImapReader::new(session(&server).await, "INBOX");
    let mut memory = Memory::default();
    let batch = reader.fetch(&start(), LIMIT, &mut memory).await.unwrap();
    assert!(batch.mails.is_empty());
    // Without its idle daemon Cyrus looks for news once a minute only; IDLE still has to end in time.
    append(&mut writer, "INBOX", &message(1, "news")).await;
    reader.wait_for_news(Duration::from_secs(1)).await.unwrap();
    let batch = reader.fetch(&batch.cursor, LIMIT, &mut memory).await.unwrap();
    assert_eq!(batch.mails.len(), 1);
    writer.select("INBOX").await.unwrap();
    let went = writer.uid_move(&[1].into_iter().collect(), "Sent").await.unwrap();
    assert_eq!(went.expect("COPYUID").1.to_string(), "1");
    assert!(reader.fetch(&batch.cursor, LIMIT, &mut memory).await.unwrap().mails.is_empty());
}
