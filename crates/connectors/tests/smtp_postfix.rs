//! Sending through a real Postfix.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly anywhere")]

use std::time::Duration;

use connectors::net::{Dialer, Endpoint, NetConfig, Security, Stream};
use connectors::sasl::Credentials;
use connectors::smtp::{self, Options, Session};
use connectors::{Envelope, SendMail};
use jiff::Timestamp;
use model::probe::Recorder;
use model::{Failure, FailureKind, Secret, Step};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use testkit::{CutProxy, Fault, MailWorld, User, world};

const ANN: &str = "ann@acme.test";
const BOB: &str = "bob@acme.test";

fn dialer(world: &MailWorld) -> Dialer {
    let extra_ca = CertificateDer::pem_slice_iter(world.ca_pem().as_bytes()).map(Result::unwrap).collect();
    let allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
    Dialer::new(NetConfig { extra_ca, allow_insecure: true, allow_networks, ..NetConfig::default() }).unwrap()
}

fn endpoint(port: u16, security: Security) -> Endpoint {
    let timeout = Duration::from_secs(20);
    Endpoint { host: "localhost".into(), port, security, connect_timeout: timeout, command_timeout: timeout }
}

fn password(user: &User) -> Credentials {
    Credentials::Password { user: user.address.clone(), password: Secret::new(&*user.password) }
}

fn envelope(from: &str, to: &[&str]) -> Envelope {
    Envelope { from: from.into(), to: to.iter().map(ToString::to_string).collect(), ..Envelope::default() }
}

fn message(subject: &str) -> Vec<u8> {
    format!("From: {ANN}\r\nTo: {BOB}\r\nSubject: {subject}\r\n\r\n.a line with a dot\r\n..\r\n.\r\nend\r\n")
        .into_bytes()
}

async fn open(world: &MailWorld) -> Session<Stream> {
    let ann = world.user(ANN).unwrap();
    let endpoint = endpoint(world.postfix.submission_port(), Security::StartTls);
    smtp::connect(&dialer(world), &endpoint, Some(&password(&ann)), &Options::default()).await.unwrap()
}

async fn send_one(session: &mut Session<Stream>, subject: &str) {
    let receipt = session.send(&envelope(ANN, &[BOB]), &message(subject)).await.unwrap();
    assert!(receipt.reply.starts_with("250 2.0.0 Ok: queued as "), "{}", receipt.reply);
}

#[tokio::test]
async fn every_way_in() {
    let world = MailWorld::start().await.unwrap();
    let (ann, dialer) = (world.user(ANN).unwrap(), dialer(&world));
    world.user(BOB).unwrap();
    let ways = [
        (world.postfix.submission_port(), Security::StartTls),
        (world.postfix.submission_port(), Security::Auto),
        (world.postfix.submissions_port(), Security::Tls),
        (world.postfix.submissions_port(), Security::Auto),
        (world.postfix.plain_submission_port(), Security::Plain),
    ];
    for (number, (port, security)) in ways.into_iter().enumerate() {
        let endpoint = endpoint(port, security);
        let mut session = smtp::connect(&dialer, &endpoint, Some(&password(&ann)), &Options::default()).await.unwrap();
        let subject = format!("way {number}");
        send_one(&mut session, &subject).await;
        session.quit().await;
        let stored = world.wait_for_text(BOB, &subject).await.unwrap().text().replace("\r\n", "\n");
        assert!(stored.ends_with("\n\n.a line with a dot\n..\n.\nend\n"), "{stored}");
    }
}

#[tokio::test]
async fn every_mechanism() {
    let world = MailWorld::start().await.unwrap();
    let ann = world.user(ANN).unwrap();
    let token = world.dovecot.oauth_token(ANN, Timestamp::MAX);
    let token = Credentials::OAuth { user: ANN.into(), token: Secret::new(token) };
    let endpoint = endpoint(world.postfix.submissions_port(), Security::Tls);
    let (session, dialer) = (open(&world).await, dialer(&world));
    let offered = session.capabilities().auth.clone();
    for (credentials, expected) in [(password(&ann), "SCRAM-SHA-256"), (token, "OAUTHBEARER")] {
        assert!(offered.contains(&expected.to_owned()), "{offered:?}");
        let mut report = Recorder::silent();
        let session = smtp::probe(&dialer, &endpoint, Some(&credentials), &Options::default(), &mut report).await;
        let report = report.into_report();
        assert!(report.is_success(), "{report:?}");
        let log_in = report.steps.iter().find(|step| step.step == Step::LogIn).unwrap();
        assert_eq!(log_in.said, format!("logged in with {expected}"));
        session.unwrap().quit().await;
    }
}

/// A world where the server offers only this mechanism.
async fn check_only(mechanism: &str, by_token: bool) {
    let mut options = world::Options::default();
    options.dovecot.mechanisms = mechanism.to_owned();
    let world = MailWorld::start_with(options).await.unwrap();
    let credentials = if by_token {
        let token = world.dovecot.oauth_token(ANN, Timestamp::MAX);
        Credentials::OAuth { user: world.user(ANN).unwrap().address, token: Secret::new(token) }
    } else {
        password(&world.user(ANN).unwrap())
    };
    let endpoint = endpoint(world.postfix.submissions_port(), Security::Tls);
    let mut session = smtp::connect(&dialer(&world), &endpoint, Some(&credentials), &Options::default()).await.unwrap();
    world.user(BOB).unwrap();
    send_one(&mut session, mechanism).await;
}

#[tokio::test]
async fn only_plain() {
    check_only("plain", false).await;
}
#[tokio::test]
async fn only_login() {
    check_only("login", false).await;
}
#[tokio::test]
async fn only_scram() {
    check_only("scram-sha-256", false).await;
}
#[tokio::test]
async fn only_xoauth2() {
    check_only("plain xoauth2", true).await;
}
#[tokio::test]
async fn only_oauthbearer() {
    check_only("plain oauthbearer", true).await;
}

async fn refused_log_in(world: &MailWorld, credentials: &Credentials) -> Failure {
    let endpoint = endpoint(world.postfix.submissions_port(), Security::Tls);
    let failure =
        smtp::connect(&dialer(world), &endpoint, Some(credentials), &Options::default()).await.map(|_| ()).unwrap_err();
    assert_eq!((failure.kind, failure.during), (FailureKind::Credentials, Step::LogIn), "{failure:?}");
    failure
}

#[tokio::test]
async fn wrong_credentials() {
    let world = MailWorld::start().await.unwrap();
    world.user(ANN).unwrap();
    let wrong = Credentials::Password { user: ANN.into(), password: Secret::new("hunter2 is wrong") };
    let failure = refused_log_in(&world, &wrong).await;
    assert_eq!(failure.code, Some(535));
    assert!(!format!("{failure:?}").contains("hunter2"));
    let expired = world.dovecot.oauth_token(ANN, "2020-01-01T00:00:00Z".parse().unwrap());
    let expired = Credentials::OAuth { user: ANN.into(), token: Secret::new(expired) };
    let failure = refused_log_in(&world, &expired).await;
    assert!(failure.detail.contains("invalid_token"), "{}", failure.detail);
}

#[tokio::test]
async fn no_log_in_where_it_is_needed() {
    let world = MailWorld::start().await.unwrap();
    world.user(BOB).unwrap();
    let endpoint = endpoint(world.postfix.submissions_port(), Security::Tls);
    let mut session = smtp::connect(&dialer(&world), &endpoint, None, &Options::default()).await.unwrap();
    let failure = session.send(&envelope(ANN, &[BOB]), &message("none")).await.unwrap_err();
    assert_eq!(failure.during, Step::Send);
    assert_eq!(failure.kind, FailureKind::Refused, "{failure:?}");
}

#[tokio::test]
async fn start_tls_is_not_there() {
    let world = MailWorld::start().await.unwrap();
    let ann = world.user(ANN).unwrap();
    let endpoint = endpoint(world.postfix.plain_submission_port(), Security::StartTls);
    let mut report = Recorder::silent();
    let session =
        smtp::probe(&dialer(&world), &endpoint, Some(&password(&ann)), &Options::default(), &mut report).await;
    let report = report.into_report();
    assert!(session.is_none());
    let failure = report.failure.unwrap();
    assert_eq!((failure.kind, failure.during), (FailureKind::Misconfigured, Step::Tls), "{failure:?}");
    assert!(!failure.transcript.iter().any(|line| line.contains("AUTH PLAIN *")), "{:?}", failure.transcript);
}

#[tokio::test]
async fn one_refused_one_deferred() {
    let world = MailWorld::start().await.unwrap();
    let (carol, dave) = ("carol@acme.test", "dave@acme.test");
    for address in [BOB, carol, dave] {
        world.user(address).unwrap();
    }
    world.postfix.reject_recipient(carol, "550 5.7.1 not wanted here").unwrap();
    world.postfix.reject_recipient(dave, "450 4.2.1 try again later").unwrap();
    let mut session = open(&world).await;
    assert!(session.capabilities().pipelining);
    let receipt = session.send(&envelope(ANN, &[carol, BOB, dave]), &message("three")).await.unwrap();
    let [first, second, third] = receipt.recipients.try_into().unwrap();
    let refused = first.result.unwrap_err();
    assert_eq!((refused.kind, refused.code, refused.enhanced), (FailureKind::Refused, Some(550), Some((5, 7, 1))));
    assert!(refused.detail.contains("not wanted here"), "{}", refused.detail);
    assert_eq!((second.address.as_str(), second.result.is_ok()), (BOB, true));
    let deferred = third.result.unwrap_err();
    assert_eq!((deferred.kind, deferred.code, deferred.enhanced), (FailureKind::Temporary, Some(450), Some((4, 2, 1))));
    world.wait_for_text(BOB, "three").await.unwrap();

    // Nobody is left: a failure, and the session goes on.
    let failure = session.send(&envelope(ANN, &[carol, "nobody@acme.test"]), &message("two")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(
        failure.detail.contains("not wanted here") && failure.detail.contains("nobody@acme.test"),
        "{}",
        failure.detail
    );
    let failure = session.send(&envelope(ANN, &[carol, dave]), &message("two")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Temporary);
    assert!(session.is_usable());
    send_one(&mut session, "after all").await;
    assert!(world.dovecot.list(carol).unwrap().is_empty());
}

#[tokio::test]
async fn without_pipelining_and_other_extensions() {
    let hidden = ["pipelining", "size", "8bitmime", "smtputf8", "dsn", "chunking"];
    let options = world::Options {
        hidden_extensions: hidden.iter().map(ToString::to_string).collect(),
        ..world::Options::default()
    };
    let world = MailWorld::start_with(options).await.unwrap();
    world.user(BOB).unwrap();
    let mut session = open(&world).await;
    assert!(!session.capabilities().pipelining && !session.capabilities().size);
    let receipt = session.send(&envelope(ANN, &["nobody@acme.test", BOB]), &message("slow")).await.unwrap();
    assert_eq!(receipt.recipients.iter().map(|one| one.result.is_ok()).collect::<Vec<_>>(), [false, true]);
    let failure = session.send(&envelope(ANN, &["nobody@acme.test"]), &message("nobody")).await.unwrap_err();
    assert_eq!((failure.kind, failure.code), (FailureKind::Refused, Some(550)));
    let failure = session.send(&envelope(ANN, &[BOB]), "Subject: ü\r\n\r\nü\r\n".as_bytes()).await.unwrap_err();
    assert!(failure.detail.contains("8BITMIME"), "{}", failure.detail);
    send_one(&mut session, "seven bits").await;
}

#[tokio::test]
async fn the_size_limit() {
    let options = world::Options { message_size_limit: Some(100_000), ..world::Options::default() };
    let world = MailWorld::start_with(options).await.unwrap();
    world.user(BOB).unwrap();
    let mut session = open(&world).await;
    assert_eq!(session.capabilities().max_size, Some(100_000));
    let large = [message("large"), b"0123456789 0123456789\r\n".repeat(10_000)].concat();
    let failure = session.send(&envelope(ANN, &[BOB]), &large).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.detail.contains("97.6 KiB (100,000 octets)"), "{}", failure.detail);
    assert!(session.is_usable());
    send_one(&mut session, "small").await;
}

#[tokio::test]
async fn a_size_limit_that_the_server_keeps_to_itself() {
    let options = world::Options {
        message_size_limit: Some(100_000),
        hidden_extensions: vec!["size".into()],
        ..world::Options::default()
    };
    let world = MailWorld::start_with(options).await.unwrap();
    world.user(BOB).unwrap();
    let mut session = open(&world).await;
    let large = [message("large"), b"0123456789 0123456789\r\n".repeat(100_000)].concat();
    let failure = session.send(&envelope(ANN, &[BOB]), &large).await.unwrap_err();
    assert_eq!((failure.kind, failure.enhanced), (FailureKind::Refused, Some((5, 3, 4))), "{failure:?}");
}

#[tokio::test]
async fn addresses_in_utf8() {
    let world = MailWorld::start().await.unwrap();
    let address = "jürgen@acme.test";
    world.user(address).unwrap();
    world.user(BOB).unwrap();
    let mut session = open(&world).await;
    assert!(session.capabilities().smtp_utf8);
    let text = format!("From: {ANN}\r\nTo: {address}\r\nSubject: Grüße\r\n\r\nschöne Grüße\r\n");
    // Whether the next hop takes it is its business: Postfix takes it from us.
    let receipt = session.send(&Envelope { utf8: true, ..envelope(ANN, &[address]) }, text.as_bytes()).await.unwrap();
    assert!(receipt.recipients[0].result.is_ok());
    session.send(&envelope(ANN, &[BOB]), "Subject: 8\r\n\r\neight bits: ü\r\n".as_bytes()).await.unwrap();
    world.wait_for_text(BOB, "eight bits: ü").await.unwrap();
}

#[tokio::test]
async fn delivery_status_notifications() {
    let world = MailWorld::start().await.unwrap();
    world.user(BOB).unwrap();
    let mut session = open(&world).await;
    assert!(session.capabilities().dsn);
    let envelope = Envelope { dsn: Some("attempt=1+of 2".into()), ..envelope(ANN, &[BOB]) };
    session.send(&envelope, &message("notify")).await.unwrap();
    world.wait_for_text(BOB, "notify").await.unwrap();
}

#[tokio::test]
async fn many_messages_over_one_connection() {
    let world = MailWorld::start().await.unwrap();
    world.user(BOB).unwrap();
    let proxy = CutProxy::start(world.postfix.submissions_port()).unwrap();
    let ann = world.user(ANN).unwrap();
    let endpoint = endpoint(proxy.port(), Security::Tls);
    let mut session =
        smtp::connect(&dialer(&world), &endpoint, Some(&password(&ann)), &Options::default()).await.unwrap();
    for number in 0..20 {
        assert!(session.is_alive().await);
        send_one(&mut session, &format!("number {number}")).await;
    }
    session.quit().await;
    assert_eq!(proxy.connections(), 1);
    world.postfix.wait_delivered(Duration::from_secs(30)).await.unwrap();
    assert_eq!(world.dovecot.list(BOB).unwrap().len(), 20);
}

#[tokio::test]
async fn the_server_goes_away_in_between() {
    let world = MailWorld::start().await.unwrap();
    world.user(BOB).unwrap();
    let mut session = open(&world).await;
    send_one(&mut session, "before").await;
    world.postfix.kill().await;
    assert!(!session.is_alive().await);
    assert!(!session.is_usable());
    let failure = session.send(&envelope(ANN, &[BOB]), &message("lost")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Temporary);
}

#[tokio::test]
async fn refused_after_the_message() {
    let world = MailWorld::start().await.unwrap();
    world.user(BOB).unwrap();
    world.postfix.reject_after_data(ANN, "550 5.7.1 it smells of spam").unwrap();
    let mut session = open(&world).await;
    let failure = session.send(&envelope(ANN, &[BOB]), &message("spam")).await.unwrap_err();
    assert_eq!((failure.kind, failure.enhanced), (FailureKind::Refused, Some((5, 7, 1))));
    world.postfix.reject_after_data(ANN, "451 4.7.1 later perhaps").unwrap();
    let mut session = open(&world).await;
    let failure = session.send(&envelope(ANN, &[BOB]), &message("later")).await.unwrap_err();
    assert_eq!((failure.kind, failure.enhanced), (FailureKind::Temporary, Some((4, 7, 1))));
}

/// Sends through a proxy with a fault, in clear text so that octets can be counted. Returns the
/// failure and whether the message arrived.
async fn send_through(world: &MailWorld, fault: impl Fn(u64) -> Fault, subject: &str) -> (Failure, bool) {
    let ann = world.user(ANN).unwrap();
    let proxy = CutProxy::start(world.postfix.plain_submission_port()).unwrap();
    let endpoint = endpoint(proxy.port(), Security::Plain);
    let dialer = dialer(world);
    let credentials = password(&ann);
    let options = Options::default();
    let connect = || smtp::connect(&dialer, &endpoint, Some(&credentials), &options);
    // What a whole conversation costs, once without a fault.
    let mut session = connect().await.unwrap();
    send_one(&mut session, &format!("before {subject}")).await;
    drop(session);
    let (_, from_server) = proxy.bytes();
    proxy.set(fault(from_server));
    let mut session = connect().await.unwrap();
    let failure = session.send(&envelope(ANN, &[BOB]), &message(subject)).await.unwrap_err();
    assert!(!session.is_usable());
    world.postfix.wait_delivered(Duration::from_secs(30)).await.unwrap();
    let arrived =
        world.dovecot.list(BOB).unwrap().iter().any(|stored| stored.text().contains(&format!("Subject: {subject}")));
    (failure, arrived)
}

#[tokio::test]
async fn lost_after_the_final_dot() {
    let world = MailWorld::start().await.unwrap();
    world.user(BOB).unwrap();
    // The last reply has more than 30 octets; the client hears all but these.
    let (failure, arrived) = send_through(&world, |all| Fault::DeafAfterFromServer(all - 30), "deaf").await;
    assert_eq!((failure.kind, failure.during, arrived), (FailureKind::Uncertain, Step::Send, true), "{failure:?}");
}

#[tokio::test]
async fn lost_in_the_envelope() {
    let world = MailWorld::start().await.unwrap();
    world.user(BOB).unwrap();
    // The last reply has less than 50 octets, and 354 before it 37: it is cut there.
    let (failure, arrived) = send_through(&world, |all| Fault::CutAfterFromServer(all - 60), "cut").await;
    assert_eq!((failure.kind, failure.during, arrived), (FailureKind::Temporary, Step::Send, false), "{failure:?}");
}
