//! Looking for servers in a world of one's own: a name server, a site with
//! settings files, and real mail servers.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly anywhere")]

use std::net::Ipv4Addr;
use std::sync::Arc;

use connectors::discovery::Discovery;
use connectors::net::{Dialer, NetConfig};
use model::FailureKind;
use model::discovery::{Candidate, Evidence, Protection, Protocol};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use testkit::dns::Record;
use testkit::tls::Authority;
use testkit::{Dns, MailWorld, Site};

const FILE: &str = "<clientConfig><emailProvider id='acme.test'><displayName>Acme</displayName>\
    <incomingServer type='imap'><hostname>imap.acme.test</hostname><port>993</port><socketType>SSL</socketType>\
    <username>%EMAILADDRESS%</username></incomingServer></emailProvider></clientConfig>";

fn net(ca_pem: &str, dns: &Dns) -> NetConfig {
    NetConfig {
        extra_ca: CertificateDer::pem_slice_iter(ca_pem.as_bytes()).collect::<Result<_, _>>().unwrap(),
        allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
        name_servers: vec![dns.address()],
        ..NetConfig::default()
    }
}

fn discovery(config: NetConfig) -> Discovery {
    Discovery::over(Arc::new(Dialer::new(config).unwrap())).unwrap()
}

fn srv(port: u16, priority: u16, host: &str) -> Record {
    Record::Srv { priority, weight: 1, port, host: host.into() }
}

#[tokio::test]
async fn services_and_exchangers_come_from_dns() {
    let dns = Dns::start().unwrap();
    dns.add("_imaps._tcp.acme.test", srv(993, 20, "late.acme.test"));
    dns.add("_imaps._tcp.acme.test", srv(1993, 10, "Early.acme.test"));
    dns.add("_pop3._tcp.acme.test", srv(0, 0, ""));
    dns.add("acme.test", Record::Mx { preference: 20, host: "b.hoster.test".into() });
    dns.add("acme.test", Record::Mx { preference: 10, host: "a.hoster.test".into() });
    let asking = discovery(net("", &dns));
    let found = asking.services("acme.test").await.unwrap();
    let told: Vec<_> = found.iter().map(|s| (s.protocol, s.protection, s.host.as_str(), s.port)).collect();
    assert_eq!(
        told,
        [
            (Protocol::Imap, Protection::Tls, "early.acme.test", 1993),
            (Protocol::Imap, Protection::Tls, "late.acme.test", 993),
            (Protocol::Pop3, Protection::StartTls, "", 0),
        ]
    );
    assert_eq!(asking.exchangers("acme.test").await.unwrap(), ["a.hoster.test", "b.hoster.test"]);
    assert!(asking.exchangers("nowhere.test").await.unwrap().is_empty());
    // No search domain of this machine is ever added.
    assert!(dns.asked().iter().all(|asked| asked.ends_with(".test")), "{:?}", dns.asked());
}

#[tokio::test]
async fn a_name_server_that_says_nothing_is_a_passing_failure() {
    let dns = Dns::start().unwrap();
    dns.fall_silent();
    let failure = discovery(net("", &dns)).exchangers("acme.test").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Temporary, "{failure}");
}

#[tokio::test]
async fn the_settings_file_is_fetched_by_https_and_filled_in() {
    let dns = Dns::start().unwrap();
    dns.add("autoconfig.acme.test", Record::A(Ipv4Addr::LOCALHOST));
    dns.add("acme.test", Record::A(Ipv4Addr::LOCALHOST));
    let authority = Authority::new().unwrap();
    let site = Site::start(&authority.issue(&["autoconfig.acme.test"], &[]).unwrap()).await.unwrap();
    site.put("autoconfig.acme.test", "/mail/config-v1.1.xml", FILE);
    let asking = discovery(net(&authority.pem(), &dns)).with_port(site.port());
    let [first, second] = asking.places("acme.test");
    let (published, flaws) = asking.file(&first, "ann@acme.test").await.unwrap().unwrap();
    assert!(flaws.is_empty(), "{flaws:?}");
    assert_eq!((published.provider.as_str(), published.servers.len()), ("Acme", 1));
    assert_eq!(published.servers[0].user, "ann@acme.test");
    assert_eq!(site.asked(), ["autoconfig.acme.test/mail/config-v1.1.xml?emailaddress=ann%40acme.test"]);
    // The certificate is not for the domain itself.
    let failure = asking.file(&second, "ann@acme.test").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Misconfigured, "{failure}");
}

#[tokio::test]
async fn private_networks_are_not_asked_unless_the_operator_says_so() {
    let dns = Dns::start().unwrap();
    dns.add("autoconfig.acme.test", Record::A(Ipv4Addr::new(10, 0, 0, 1)));
    dns.add("autoconfig.acme.test", Record::A(Ipv4Addr::new(169, 254, 169, 254)));
    let asking = discovery(NetConfig { allow_networks: Vec::new(), ..net("", &dns) });
    let failure = asking.file(&asking.places("acme.test")[0], "ann@acme.test").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Misconfigured, "{failure}");
    assert!(failure.detail.contains("allow_networks"), "{failure}");
}

fn candidate(protocol: Protocol, port: u16, protection: Protection) -> Candidate {
    Candidate {
        protocol,
        host: "localhost".into(),
        port,
        protection,
        user: String::new(),
        evidence: Evidence::Guess,
        source: String::new(),
        answered: None,
        said: String::new(),
    }
}

#[tokio::test]
async fn real_servers_greet() {
    let world = MailWorld::start().await.unwrap();
    let dns = Dns::start().unwrap();
    let asking = discovery(net(world.ca_pem(), &dns));
    let (dovecot, postfix) = (&world.dovecot, &world.postfix);
    for (protocol, port, protection, word) in [
        (Protocol::Imap, dovecot.imaps_port(), Protection::Tls, "Dovecot"),
        (Protocol::Imap, dovecot.imap_port(), Protection::StartTls, "Dovecot"),
        (Protocol::Pop3, dovecot.pop3s_port(), Protection::Tls, "Dovecot"),
        // What was said before TLS is forgotten, and nothing greets again.
        (Protocol::Pop3, dovecot.pop3_port(), Protection::StartTls, ""),
        (Protocol::Smtp, postfix.submissions_port(), Protection::Tls, "ESMTP"),
        (Protocol::Smtp, postfix.submission_port(), Protection::StartTls, ""),
    ] {
        let said = asking.greeting(&candidate(protocol, port, protection)).await.unwrap();
        assert!(said.contains(word), "{protocol:?} {port}: {said}");
    }
    // Who speaks another protocol is no server of this one.
    let wrong = candidate(Protocol::Imap, postfix.submissions_port(), Protection::Tls);
    assert!(asking.greeting(&wrong).await.is_err());
}
