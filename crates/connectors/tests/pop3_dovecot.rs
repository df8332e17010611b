//! Reading from a real Dovecot.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly anywhere")]

use std::io;
use std::time::Duration;

use connectors::imap::header_digest;
use connectors::net::{Dialer, Endpoint, NetConfig, Security, Stream};
use connectors::pop3::{self, Session};
use connectors::sasl::Credentials;
use connectors::{Batch, Limit, MailSink, ReadMail};
use jiff::Timestamp;
use model::probe::untold;
use model::work::{Cursor, Pop3Cursor, Settle, SettleAction, Settled};
use model::{FailureKind, Secret, Step};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use testkit::{CutProxy, Dovecot, Fault, dovecot};

const ANN: &str = "ann@acme.test";
const PASSWORD: &str = "correct horse";
const ALL: Limit = Limit { messages: 10_000, octets: 1 << 40 };

#[derive(Default)]
struct Kept {
    open: Vec<u8>,
    whole: Vec<Vec<u8>>,
    abandoned: usize,
    /// The most that was handed over at once.
    largest_piece: usize,
}

impl MailSink for Kept {
    fn begin(&mut self, _size: u64) -> io::Result<()> {
        self.open.clear();
        Ok(())
    }
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.largest_piece = self.largest_piece.max(bytes.len());
        self.open.extend_from_slice(bytes);
        Ok(())
    }
    fn finish(&mut self) -> io::Result<usize> {
        self.whole.push(std::mem::take(&mut self.open));
        Ok(self.whole.len() - 1)
    }
    fn abandon(&mut self) {
        self.abandoned += 1;
    }
}

async fn server(options: dovecot::Options) -> Dovecot {
    let dovecot = Dovecot::start(options).await.unwrap();
    dovecot.add_user(ANN, PASSWORD).unwrap();
    dovecot
}

fn dialer(dovecot: &Dovecot) -> Dialer {
    let extra_ca = CertificateDer::pem_slice_iter(dovecot.ca_pem().as_bytes()).map(Result::unwrap).collect();
    let allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
    Dialer::new(NetConfig { extra_ca, allow_insecure: true, allow_networks, ..NetConfig::default() }).unwrap()
}

fn endpoint(port: u16, security: Security) -> Endpoint {
    let timeout = Duration::from_secs(20);
    Endpoint { host: "localhost".into(), port, security, connect_timeout: timeout, command_timeout: timeout }
}

fn password() -> Credentials {
    Credentials::Password { user: ANN.into(), password: Secret::new(PASSWORD) }
}

async fn open_at(dovecot: &Dovecot, port: u16, security: Security) -> Session<Stream> {
    pop3::connect(&dialer(dovecot), &endpoint(port, security), &password()).await.unwrap()
}

async fn open(dovecot: &Dovecot) -> Session<Stream> {
    open_at(dovecot, dovecot.pop3s_port(), Security::Tls).await
}

fn message(subject: &str) -> Vec<u8> {
    format!("From: x@y.test\nTo: {ANN}\nSubject: {subject}\n\n.dot\n..\n.\nend of {subject}\n").into_bytes()
}

fn on_the_wire(message: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(message).replace('\n', "\r\n").into_bytes()
}

fn fresh() -> Cursor {
    Cursor::Pop3(Pop3Cursor::default())
}

fn settles(batch: &Batch, kept: &Kept) -> Vec<Settle> {
    let settle = |mail: &connectors::RawMail| Settle {
        position: mail.position.clone(),
        action: SettleAction::Delete,
        size: mail.size,
        header_digest: header_digest(&kept.whole[mail.ticket]),
    };
    batch.mails.iter().map(settle).collect()
}

#[tokio::test]
async fn every_way_in() {
    let dovecot = server(dovecot::Options::default()).await;
    dovecot.deliver(ANN, &message("hello")).unwrap();
    let ways = [
        (dovecot.pop3_port(), Security::StartTls),
        (dovecot.pop3_port(), Security::Auto),
        (dovecot.pop3s_port(), Security::Tls),
        (dovecot.pop3s_port(), Security::Auto),
        (dovecot.pop3_port(), Security::Plain),
    ];
    for (port, security) in ways {
        let mut session = open_at(&dovecot, port, security).await;
        let mut kept = Kept::default();
        let batch = session.fetch(&fresh(), ALL, &mut kept).await.unwrap();
        session.log_out().await;
        assert_eq!((batch.mails.len(), batch.more, batch.reset), (1, false, false), "{security:?}");
        assert_eq!(kept.whole, [on_the_wire(&message("hello"))]);
    }
}

async fn check_mechanism(offered: &str, by_token: bool, expected: &str) {
    let dovecot = server(dovecot::Options { mechanisms: offered.into(), ..dovecot::Options::default() }).await;
    let credentials = if by_token {
        Credentials::OAuth { user: ANN.into(), token: Secret::new(dovecot.oauth_token(ANN, Timestamp::MAX)) }
    } else {
        password()
    };
    let report =
        pop3::probe(&dialer(&dovecot), &endpoint(dovecot.pop3_port(), Security::StartTls), &credentials, &untold).await;
    assert!(report.is_success(), "{report:?}");
    let steps: Vec<_> = report.steps.iter().map(|step| step.step).collect();
    let all = [Step::Resolve, Step::Connect, Step::Tls, Step::Greeting, Step::LogIn, Step::Open, Step::Read];
    assert_eq!(steps, all);
    assert_eq!(report.steps[4].said, format!("logged in with {expected}"));
}

#[tokio::test]
async fn plain() {
    check_mechanism("plain", false, "PLAIN").await;
}
#[tokio::test]
async fn login() {
    check_mechanism("login", false, "LOGIN").await;
}
#[tokio::test]
async fn scram() {
    check_mechanism("plain scram-sha-256", false, "SCRAM-SHA-256").await;
}
#[tokio::test]
async fn xoauth2() {
    check_mechanism("plain xoauth2", true, "XOAUTH2").await;
}
#[tokio::test]
async fn oauthbearer() {
    check_mechanism("plain oauthbearer", true, "OAUTHBEARER").await;
}

#[tokio::test]
async fn wrong_credentials() {
    let dovecot = server(dovecot::Options::default()).await;
    let wrong = Credentials::Password { user: ANN.into(), password: Secret::new("hunter2 is wrong") };
    let expired = dovecot.oauth_token(ANN, "2020-01-01T00:00:00Z".parse().unwrap());
    let expired = Credentials::OAuth { user: ANN.into(), token: Secret::new(expired) };
    for credentials in [wrong, expired] {
        let endpoint = endpoint(dovecot.pop3s_port(), Security::Tls);
        let report = pop3::probe(&dialer(&dovecot), &endpoint, &credentials, &untold).await;
        let failure = report.failure.unwrap();
        assert_eq!((failure.kind, failure.during), (FailureKind::Credentials, Step::LogIn), "{failure:?}");
        assert!(!format!("{failure:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn what_is_known_is_not_read_again() {
    let dovecot = server(dovecot::Options::default()).await;
    for number in 0..100 {
        dovecot.deliver(ANN, &message(&format!("number {number}"))).unwrap();
    }
    let mut session = open(&dovecot).await;
    assert!(session.capabilities().pipelining);
    assert_eq!(session.stat().await.unwrap().0, 100);
    let mut kept = Kept::default();
    let first = session.fetch(&fresh(), Limit { messages: 40, octets: 1 << 40 }, &mut kept).await.unwrap();
    assert_eq!((first.mails.len(), first.more), (40, true));
    let second = session.fetch(&first.cursor, ALL, &mut kept).await.unwrap();
    assert_eq!((second.mails.len(), second.more), (60, false));
    for (number, whole) in kept.whole.iter().enumerate() {
        assert_eq!(*whole, on_the_wire(&message(&format!("number {number}"))));
    }
    session.log_out().await;
    dovecot.deliver(ANN, &message("late")).unwrap();
    let mut session = open(&dovecot).await;
    let third = session.fetch(&second.cursor, ALL, &mut kept).await.unwrap();
    assert_eq!(third.mails.len(), 1);
    let Cursor::Pop3(cursor) = third.cursor else { panic!() };
    assert_eq!(cursor.known.len(), 101);
}

#[tokio::test]
async fn deleted_after_settling_and_only_what_is_ours() {
    let dovecot = server(dovecot::Options::default()).await;
    for subject in ["one", "two", "three"] {
        dovecot.deliver(ANN, &message(subject)).unwrap();
    }
    let mut session = open(&dovecot).await;
    let mut kept = Kept::default();
    let batch = session.fetch(&fresh(), ALL, &mut kept).await.unwrap();
    let mut todo = settles(&batch, &kept);
    todo[1].header_digest = [7; 32];
    assert_eq!(session.settle(&todo).await.unwrap(), [Settled::Done, Settled::Different, Settled::Done]);
    assert!(!session.is_usable());
    let left: Vec<_> = dovecot.list(ANN).unwrap().iter().map(dovecot::Stored::text).collect();
    assert_eq!(left.len(), 1);
    assert!(left[0].contains("Subject: two"));
    // Again, as after a crash.
    let mut session = open(&dovecot).await;
    assert_eq!(session.settle(&todo).await.unwrap(), [Settled::AlreadyGone, Settled::Different, Settled::AlreadyGone]);
    assert!(session.is_usable());
    let batch = session.fetch(&batch.cursor, ALL, &mut kept).await.unwrap();
    let Cursor::Pop3(cursor) = batch.cursor else { panic!() };
    assert_eq!((batch.mails.len(), cursor.known.len()), (0, 1));
}

#[tokio::test]
async fn headers_of_all_kinds_are_recognized() {
    let dovecot = server(dovecot::Options::default()).await;
    let odd: [&[u8]; 6] = [
        b"Subject: no body\n\n",
        b"Subject: no blank line\n",
        b"Subject: no line end",
        b"\nonly a body\n",
        b"Subject: crlf\r\n\r\nbody\r\n",
        "Subject: ü\nX-Long: 1\n 2\n\t3\n\n.\n".as_bytes(),
    ];
    for message in odd {
        dovecot.deliver(ANN, message).unwrap();
    }
    let mut session = open(&dovecot).await;
    let mut kept = Kept::default();
    let batch = session.fetch(&fresh(), ALL, &mut kept).await.unwrap();
    assert_eq!((batch.mails.len(), batch.undeliverable.len()), (6, 0));
    assert_eq!(session.settle(&settles(&batch, &kept)).await.unwrap(), vec![Settled::Done; 6]);
    assert!(dovecot.list(ANN).unwrap().is_empty());
}

#[tokio::test]
async fn since() {
    let dovecot = server(dovecot::Options::default()).await;
    let dated = |date: &str| format!("Date: {date}\nSubject: {date}\n\nx\n").into_bytes();
    dovecot.deliver(ANN, &dated("Mon, 1 Jan 2024 00:00:00 +0000")).unwrap();
    dovecot.deliver(ANN, &dated("Mon, 1 Jul 2024 00:00:00 +0000")).unwrap();
    dovecot.deliver(ANN, &message("undated")).unwrap();
    let since = "2024-06-01T00:00:00Z".parse().ok();
    let mut session = open(&dovecot).await;
    let mut kept = Kept::default();
    let after = Cursor::Pop3(Pop3Cursor { since, ..Pop3Cursor::default() });
    let batch = session.fetch(&after, ALL, &mut kept).await.unwrap();
    assert_eq!(batch.mails.len(), 2);
    assert!(String::from_utf8_lossy(&kept.whole[0]).contains("Jul 2024"));
    let Cursor::Pop3(cursor) = batch.cursor else { panic!() };
    assert_eq!((cursor.known.len(), cursor.since), (3, since));
}

#[tokio::test]
async fn a_large_message_passes_in_pieces() {
    let dovecot = server(dovecot::Options::default()).await;
    let large = [message("large"), b".0123456789 0123456789 0123456789\n".repeat(600_000)].concat();
    dovecot.deliver(ANN, &large).unwrap();
    let mut session = open(&dovecot).await;
    let mut kept = Kept::default();
    let batch = session.fetch(&fresh(), ALL, &mut kept).await.unwrap();
    assert!(batch.mails[0].size > 20_000_000);
    assert!(kept.whole[0] == on_the_wire(&large));
    assert!(kept.largest_piece <= 64 * 1024, "{}", kept.largest_piece);
}

#[tokio::test]
async fn cut_while_reading() {
    let dovecot = server(dovecot::Options::default()).await;
    let large = |subject: &str| [message(subject), b"0123456789 0123456789\n".repeat(4000)].concat();
    for subject in ["one", "two", "three"] {
        dovecot.deliver(ANN, &large(subject)).unwrap();
    }
    let proxy = CutProxy::start(dovecot.pop3_port()).unwrap();
    // In the middle of the second of three messages of about 92,000 octets.
    proxy.set(Fault::CutAfterFromServer(140_000));
    let mut session = open_at(&dovecot, proxy.port(), Security::Plain).await;
    let mut kept = Kept::default();
    let first = session.fetch(&fresh(), ALL, &mut kept).await.unwrap();
    assert_eq!((first.mails.len(), first.more, kept.abandoned), (1, true, 1));
    assert!(!session.is_usable());
    let failure = session.fetch(&first.cursor, ALL, &mut kept).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Temporary);
    // The next connection goes on where it broke.
    proxy.set(Fault::None);
    let mut session = open_at(&dovecot, proxy.port(), Security::Plain).await;
    let second = session.fetch(&first.cursor, ALL, &mut kept).await.unwrap();
    assert_eq!((second.mails.len(), second.more), (2, false));
    let expected: Vec<_> = ["one", "two", "three"].iter().map(|subject| on_the_wire(&large(subject))).collect();
    assert!(kept.whole == expected);
}

#[tokio::test]
async fn cut_before_quit_deletes_nothing() {
    let dovecot = server(dovecot::Options::default()).await;
    dovecot.deliver(ANN, &message("stay")).unwrap();
    let proxy = CutProxy::start(dovecot.pop3_port()).unwrap();
    let mut session = open_at(&dovecot, proxy.port(), Security::Plain).await;
    let mut kept = Kept::default();
    let batch = session.fetch(&fresh(), ALL, &mut kept).await.unwrap();
    let todo = settles(&batch, &kept);
    session.log_out().await;
    // A dry run, to learn how many octets we say up to QUIT: it ends in RETR, which is as long as DELE.
    let (before, _) = proxy.bytes();
    let mut session = open_at(&dovecot, proxy.port(), Security::Plain).await;
    let wrong = vec![Settle { header_digest: [7; 32], ..todo[0].clone() }];
    assert_eq!(session.settle(&wrong).await.unwrap(), [Settled::Different]);
    let (after, _) = proxy.bytes();
    drop(session);
    proxy.set(Fault::CutAfterFromClient(after - before));
    let failure = match pop3::connect(&dialer(&dovecot), &endpoint(proxy.port(), Security::Plain), &password()).await {
        Ok(mut session) => session.settle(&todo).await.unwrap_err(),
        Err(failure) => failure,
    };
    assert_eq!((failure.kind, failure.during), (FailureKind::Temporary, Step::Settle), "{failure:?}");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(dovecot.list(ANN).unwrap().len(), 1);
}
