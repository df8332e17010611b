//! Connections to servers on loopback that behave in every way.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn acceptor(authority: &CertifiedIssuer<'static, KeyPair>, name: &str, expired: bool) -> TlsAcceptor {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(if expired { 2020 } else { 2049 }, 1, 31);
    params.not_before = rcgen::date_time_ymd(2019, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[derive(Clone)]
enum Kind {
    Tls(TlsAcceptor),
    /// Greets in clear text.
    Clear,
    /// In clear text, and TLS after one line.
    Upgrade(TlsAcceptor),
    /// Hangs up at once.
    Dead,
    Silent,
}

/// A server on loopback that says `hello` to everybody.
async fn serve(kind: Kind) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let kind = kind.clone();
            tokio::spawn(async move {
                match kind {
                    Kind::Dead => {}
                    Kind::Silent => tokio::time::sleep(Duration::from_secs(60)).await,
                    Kind::Clear => {
                        tcp.write_all(b"hello").await.unwrap();
                        let _end = tcp.read(&mut [0; 10]).await;
                    }
                    Kind::Tls(acceptor) => {
                        if let Ok(mut tls) = acceptor.accept(tcp).await {
                            tls.write_all(b"hello").await.unwrap();
                            let _end = tls.read(&mut [0; 10]).await;
                        }
                    }
                    Kind::Upgrade(acceptor) => {
                        tcp.write_all(b"STARTTLS?").await.unwrap();
                        tcp.read_exact(&mut [0; 3]).await.unwrap();
                        if let Ok(mut tls) = acceptor.accept(tcp).await {
                            tls.write_all(b"hello").await.unwrap();
                            let _end = tls.read(&mut [0; 10]).await;
                        }
                    }
                }
            });
        }
    });
    port
}

fn endpoint(host: &str, port: u16, security: Security) -> Endpoint {
    let wait = Duration::from_secs(5);
    Endpoint { host: host.into(), port, security, connect_timeout: wait, command_timeout: wait }
}

fn dialer(ca: &[CertificateDer<'static>], allow_insecure: bool) -> Dialer {
    let allow_networks = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    Dialer::new(NetConfig { extra_ca: ca.to_vec(), allow_insecure, allow_networks, ..NetConfig::default() }).unwrap()
}

async fn hello(mut stream: Stream) {
    let mut text = [0; 5];
    stream.read_exact(&mut text).await.unwrap();
    assert_eq!(&text, b"hello");
}

#[tokio::test]
async fn tls_from_the_first_byte() {
    let authority = authority();
    let port = serve(Kind::Tls(acceptor(&authority, "localhost", false))).await;
    let dialer = dialer(&[authority.der().clone()], false);
    let dialed = dialer.connect(&endpoint("localhost", port, Security::Tls)).await.unwrap();
    assert!(dialed.secured && !dialed.must_start_tls && dialed.stream.is_tls() && dialed.stream.is_loopback());
    let steps: Vec<_> = dialed.notes.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, [Step::Resolve, Step::Connect, Step::Tls]);
    assert!(dialed.notes[0].1.starts_with("localhost has the address "), "{:?}", dialed.notes);
    assert_eq!(dialed.notes[2].1, "TLSv1.3, certificate valid until 2049-01-31");
    hello(dialed.stream).await;
}

async fn refused(name: &str, host: &str, expired: bool, trusted: bool) -> Failure {
    let authority = authority();
    let port = serve(Kind::Tls(acceptor(&authority, name, expired))).await;
    let ca = if trusted { vec![authority.der().clone()] } else { Vec::new() };
    let failure = dialer(&ca, false).connect(&endpoint(host, port, Security::Tls)).await.unwrap_err();
    assert_eq!((failure.kind, failure.during), (FailureKind::Misconfigured, Step::Tls), "{failure}");
    failure
}

#[tokio::test]
async fn certificates_are_verified() {
    let failure = refused("mail.example.com", "localhost", false, true).await;
    assert!(failure.detail.contains("is for mail.example.com, not for localhost"), "{failure}");
    let failure = refused("localhost", "localhost", true, true).await;
    assert!(failure.detail.contains("has expired"), "{failure}");
    let failure = refused("localhost", "localhost", false, false).await;
    assert!(failure.detail.contains("extra_ca"), "{failure}");
    let failure = refused("localhost", "127.0.0.1", false, true).await;
    assert!(failure.detail.contains("not for 127.0.0.1"), "{failure}");
}

#[tokio::test]
async fn start_tls_on_request() {
    let authority = authority();
    let port = serve(Kind::Upgrade(acceptor(&authority, "localhost", false))).await;
    let dialer = dialer(&[authority.der().clone()], false);
    let dialed = dialer.connect(&endpoint("localhost", port, Security::StartTls)).await.unwrap();
    assert!(!dialed.secured && dialed.must_start_tls && !dialed.stream.is_tls());
    let mut stream = dialed.stream;
    stream.read_exact(&mut [0; 9]).await.unwrap();
    stream.write_all(b"yes").await.unwrap();
    let stream = dialer.start_tls(stream, "localhost", Duration::from_secs(5)).await.unwrap();
    assert!(stream.tls_summary().unwrap().starts_with("TLSv1.3"));
    hello(stream).await;
}

#[tokio::test]
async fn auto_finds_tls() {
    let authority = authority();
    let port = serve(Kind::Tls(acceptor(&authority, "localhost", false))).await;
    let dialer = dialer(&[authority.der().clone()], false);
    let endpoint = endpoint("localhost", port, Security::Auto);
    assert!(dialer.connect(&endpoint).await.unwrap().secured);
    assert_eq!(dialer.decide(&endpoint), Security::Tls);
    assert!(dialer.connect(&endpoint).await.unwrap().secured);
}

#[tokio::test]
async fn auto_finds_clear_text_and_demands_start_tls() {
    let port = serve(Kind::Clear).await;
    let dialer = dialer(&[], true);
    let endpoint = endpoint("localhost", port, Security::Auto);
    let dialed = dialer.connect(&endpoint).await.unwrap();
    assert!(!dialed.secured && dialed.must_start_tls);
    hello(dialed.stream).await;
    assert_eq!(dialer.decide(&endpoint), Security::StartTls);
    let dialed = dialer.connect(&endpoint).await.unwrap();
    assert!(dialed.must_start_tls);
}

#[tokio::test]
async fn auto_does_not_take_a_bad_certificate_for_clear_text() {
    let authority = authority();
    let port = serve(Kind::Tls(acceptor(&authority, "localhost", false))).await;
    let failure = dialer(&[], false).connect(&endpoint("localhost", port, Security::Auto)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Misconfigured);
}

#[tokio::test]
async fn well_known_ports_decide() {
    let dialer = dialer(&[], false);
    let decide = |port, security| dialer.decide(&endpoint("x", port, security));
    for port in [993, 995, 465] {
        assert_eq!(decide(port, Security::Auto), Security::Tls);
    }
    for port in [143, 110, 587, 25] {
        assert_eq!(decide(port, Security::Auto), Security::StartTls);
    }
    assert_eq!(decide(2143, Security::Auto), Security::Auto);
    assert_eq!(decide(993, Security::StartTls), Security::StartTls);
    assert_eq!(decide(143, Security::Plain), Security::Plain);
}

#[tokio::test]
async fn plain_only_where_allowed() {
    let port = serve(Kind::Clear).await;
    let failure = dialer(&[], false).connect(&endpoint("localhost", port, Security::Plain)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Misconfigured);
    assert!(failure.detail.contains("allow_insecure"), "{failure}");
    let dialed = dialer(&[], true).connect(&endpoint("localhost", port, Security::Plain)).await.unwrap();
    assert!(!dialed.secured && !dialed.must_start_tls);
    hello(dialed.stream).await;
}

#[tokio::test]
async fn special_addresses_are_refused_unless_listed() {
    let dialer = Dialer::new(NetConfig::default()).unwrap();
    for host in
        ["localhost", "127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "0.0.0.0", "::ffff:127.0.0.1", "224.0.0.1"]
    {
        let failure = dialer.connect(&endpoint(host, 143, Security::StartTls)).await.unwrap_err();
        assert_eq!((failure.kind, failure.during), (FailureKind::Misconfigured, Step::Resolve), "{host} {failure}");
        assert!(failure.detail.contains("[servers] allow_networks"), "{failure}");
    }
}

#[tokio::test]
async fn hosts_are_hosts() {
    let dialer = dialer(&[], false);
    let long = "x".repeat(300);
    for host in ["", " ", "imap://x", "x y", "x\r\ny", "x:143", "[::1]", "x/y", "x\0", "a@b", &long, "nowhere.invalid"]
    {
        let failure = dialer.connect(&endpoint(host, 143, Security::StartTls)).await.unwrap_err();
        assert_eq!((failure.kind, failure.during), (FailureKind::Misconfigured, Step::Resolve), "{host} {failure}");
        assert!(!failure.detail.contains(['\r', '\n', '\0']), "{failure}");
    }
}

#[tokio::test]
async fn trouble_of_the_network_is_temporary() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let free = listener.local_addr().unwrap().port();
    drop(listener);
    let failure = dialer(&[], false).connect(&endpoint("localhost", free, Security::Tls)).await.unwrap_err();
    assert_eq!((failure.kind, failure.during), (FailureKind::Temporary, Step::Connect), "{failure}");
    let dead = serve(Kind::Dead).await;
    let failure = dialer(&[], false).connect(&endpoint("localhost", dead, Security::Tls)).await.unwrap_err();
    assert_eq!((failure.kind, failure.during), (FailureKind::Temporary, Step::Tls), "{failure}");
    let silent = serve(Kind::Silent).await;
    let quick = Endpoint { connect_timeout: Duration::from_millis(50), ..endpoint("127.0.0.1", silent, Security::Tls) };
    let failure = dialer(&[], false).connect(&quick).await.unwrap_err();
    assert_eq!((failure.kind, failure.during), (FailureKind::Temporary, Step::Tls), "{failure}");
}

/// The steps of the report, and how connecting ended.
async fn check_reported(port: u16, expected: &[Step], failed: Option<Step>) {
    let mut report = Recorder::silent();
    let dialed = dialer(&[], false).connect_reporting(&endpoint("localhost", port, Security::Tls), &mut report).await;
    assert_eq!(dialed.err().map(|failure| failure.during), failed);
    let report = report.into_report();
    assert!(report.steps.iter().all(|step| step.ok && !step.said.is_empty()));
    assert_eq!(report.steps.iter().map(|step| step.step).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn what_went_well_before_a_failure_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let free = listener.local_addr().unwrap().port();
    drop(listener);
    check_reported(free, &[Step::Resolve], Some(Step::Connect)).await;
    let clear = serve(Kind::Clear).await;
    check_reported(clear, &[Step::Resolve, Step::Connect], Some(Step::Tls)).await;
}

#[tokio::test]
async fn clear_text_on_a_port_for_tls() {
    let port = serve(Kind::Clear).await;
    let failure = dialer(&[], false).connect(&endpoint("localhost", port, Security::Tls)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Misconfigured);
    assert!(failure.detail.contains("does not speak TLS"), "{failure}");
}

#[test]
fn any_bytes_may_be_a_certificate() {
    for bytes in [&[][..], &[0x30], &[0x30, 0x80], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30, 2, 0x30, 0]] {
        assert_eq!(tls::valid_until(bytes), None);
    }
}
