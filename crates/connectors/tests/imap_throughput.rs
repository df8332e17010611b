//! How fast a mailbox is read, next to a client that does nothing but read.
//!
//! `cargo test --release -p connectors --test imap_throughput -- --ignored --nocapture`
#![expect(clippy::unwrap_used, reason = "a measurement may fail loudly")]

use std::time::{Duration, Instant};

use connectors::imap::{ImapReader, connect};
use connectors::net::Security;
use connectors::{Limit, MailSink, ReadMail};
use model::work::{Cursor, ImapCursor};
use testkit::{Dovecot, dovecot};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

mod support;

use support::{dialer, endpoint, message, password};

const ANN: &str = "ann@crm.example";
const MESSAGES: u64 = 20_000;

/// Counts.
#[derive(Default)]
struct Null {
    messages: usize,
    octets: usize,
}

impl MailSink for Null {
    fn begin(&mut self, _: u64) -> std::io::Result<()> {
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.octets += bytes.len();
        Ok(())
    }

    fn finish(&mut self) -> std::io::Result<usize> {
        self.messages += 1;
        Ok(self.messages)
    }

    fn abandon(&mut self) {}
}

/// Logs in, fetches everything and looks at nothing.
async fn bare(server: &Dovecot, port: u16, security: Security) -> Duration {
    let begin = Instant::now();
    let mut stream = dialer(server.ca_pem()).connect(&endpoint(port, security)).await.unwrap().stream;
    let commands =
        format!("a LOGIN {ANN} secret\r\nb EXAMINE INBOX\r\nc UID FETCH 1:* (UID BODY.PEEK[])\r\nd LOGOUT\r\n");
    stream.write_all(commands.as_bytes()).await.unwrap();
    let mut buffer = vec![0; 256 * 1024];
    while stream.read(&mut buffer).await.unwrap() > 0 {}
    begin.elapsed()
}

async fn ours(server: &Dovecot, port: u16, security: Security) -> (Duration, Null) {
    let begin = Instant::now();
    let dialer = dialer(server.ca_pem());
    let session = connect(&dialer, &endpoint(port, security), &password(ANN, "secret"), None).await.unwrap();
    let mut reader = ImapReader::new(session, "INBOX");
    let mut null = Null::default();
    let mut after = Cursor::Imap(ImapCursor::default());
    loop {
        let limit = Limit { messages: 500, octets: 64 << 20 };
        let batch = reader.fetch(&after, limit, &mut null).await.unwrap();
        after = batch.cursor;
        if !batch.more {
            return (begin.elapsed(), null);
        }
    }
}

#[tokio::test]
#[ignore = "a measurement, not a test"]
async fn throughput() {
    let server = Dovecot::start(dovecot::Options::default()).await.unwrap();
    server.add_user(ANN, "secret").unwrap();
    let body = "The quick brown fox jumps over the lazy dog, again and again and again.\r\n".repeat(275);
    server.fill(ANN, MESSAGES, |n| message(usize::try_from(n).unwrap(), &body)).unwrap();
    let rate = |time: Duration| MESSAGES as f64 / time.as_secs_f64();
    for round in 0..4 {
        for (port, security) in [(server.imap_port(), Security::Plain), (server.imaps_port(), Security::Tls)] {
            let bare = bare(&server, port, security).await;
            let (ours, null) = ours(&server, port, security).await;
            assert_eq!(null.messages as u64, MESSAGES);
            let (bare, ours, octets) = (rate(bare), rate(ours), null.octets >> 20);
            println!("round {round}, {security:?}: bare {bare:.0}/s, ours {ours:.0}/s ({octets} MB)");
        }
    }
}
