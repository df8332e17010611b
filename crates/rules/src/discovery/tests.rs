//! Domains of every kind.

use model::discovery::{Published, PublishedServer, Service};

use super::*;

fn server(protocol: Protocol, host: &str, port: u16, protection: Option<Protection>) -> PublishedServer {
    PublishedServer { protocol, host: host.into(), port, protection, user: "ann".into(), only_oauth: false }
}

fn service(name: &str, protocol: Protocol, host: &str, port: u16, priority: u16) -> Service {
    let protection = if name.trim_end_matches("._tcp").ends_with('s') { Protection::Tls } else { Protection::StartTls };
    Service { name: name.into(), protocol, protection, host: host.into(), port, priority, weight: 0 }
}

fn in_words(candidates: &[Candidate]) -> Vec<String> {
    let word = |c: &Candidate| {
        let answered = c.answered.map_or("", |yes| if yes { " yes" } else { " no" });
        format!(
            "{} {}:{} {} {}{answered}",
            c.evidence.as_str(),
            c.host,
            c.port,
            c.protection.as_str(),
            c.protocol.as_str()
        )
    };
    candidates.iter().map(word).collect()
}

#[track_caller]
fn check(address: &str, learnt: &Learnt, expected: &[&str]) {
    assert_eq!(in_words(&candidates(address, learnt)), expected);
}

#[test]
fn published_before_dns_before_the_provider_each_once() {
    let file = Published {
        provider: "Ours".into(),
        servers: vec![
            server(Protocol::Imap, "imap.gmail.com", 993, Some(Protection::Tls)),
            server(Protocol::Pop3, "pop.example.com", 110, None),
            PublishedServer { only_oauth: true, ..server(Protocol::Smtp, "o.example.com", 465, Some(Protection::Tls)) },
        ],
    };
    let learnt = Learnt {
        published: vec![("https://autoconfig.example.com".into(), file)],
        services: vec![
            service("_submission._tcp", Protocol::Smtp, "smtp.example.com", 587, 10),
            service("_imaps._tcp", Protocol::Imap, "imap.gmail.com", 993, 5),
            service("_pop3._tcp", Protocol::Pop3, "", 0, 0),
        ],
        exchangers: vec!["aspmx.l.google.com".into()],
    };
    check(
        "ann@example.com",
        &learnt,
        &[
            "published imap.gmail.com:993 TLS IMAP",
            "service smtp.example.com:587 STARTTLS SMTP",
            "provider smtp.gmail.com:587 STARTTLS SMTP",
            "provider pop.gmail.com:995 TLS POP3",
        ],
    );
    let first = &candidates("ann@example.com", &learnt)[0];
    assert_eq!(first.user, "ann");
    assert!(first.source.contains("says so") && first.source.contains("in DNS"), "{}", first.source);
}

#[test]
fn services_come_by_priority_and_tls_first() {
    let learnt = Learnt {
        services: vec![
            service("_imap._tcp", Protocol::Imap, "b", 143, 0),
            service("_imaps._tcp", Protocol::Imap, "a", 993, 0),
            service("_imaps._tcp", Protocol::Imap, "c", 993, 20),
            service("_imap._tcp", Protocol::Imap, "d", 143, 10),
        ],
        ..Learnt::default()
    };
    check(
        "ann@example.com",
        &learnt,
        &[
            "service a:993 TLS IMAP",
            "service b:143 STARTTLS IMAP",
            "service d:143 STARTTLS IMAP",
            "service c:993 TLS IMAP",
        ],
    );
}

#[test]
fn what_is_no_address_has_no_servers() {
    for address in ["", "ann", "@example.com", "ann@", "ann@localhost", "ann@.com", "ann@example."] {
        assert!(candidates(address, &Learnt::default()).is_empty(), "{address}");
        assert!(guesses(address, &[], &[]).is_empty(), "{address}");
    }
}

#[test]
fn guesses_try_the_usual_names_but_not_what_is_known() {
    let known = Candidate { host: "imap.example.com".into(), ..guesses("a@example.com", &[], &[])[0].clone() };
    let all = in_words(&guesses("a@example.com", &["mx1.hoster.net".into()], &[known]));
    assert!(!all.contains(&"guess imap.example.com:993 TLS IMAP".to_owned()), "{all:?}");
    for expected in [
        "guess imap.example.com:143 STARTTLS IMAP",
        "guess mail.example.com:993 TLS IMAP",
        "guess mail.hoster.net:465 TLS SMTP",
        "guess mx1.hoster.net:995 TLS POP3",
        "guess example.com:587 STARTTLS SMTP",
    ] {
        assert!(all.contains(&expected.to_owned()), "{expected}: {all:?}");
    }
}

#[test]
fn the_conclusion_puts_answers_first_and_forgets_idle_guesses() {
    let of = |evidence, protocol, answered| Candidate {
        evidence,
        protocol,
        answered,
        ..guesses("a@example.com", &[], &[])[0].clone()
    };
    let all = vec![
        of(Evidence::Published, Protocol::Imap, Some(false)),
        of(Evidence::Guess, Protocol::Smtp, Some(true)),
        of(Evidence::Guess, Protocol::Smtp, Some(false)),
        of(Evidence::Provider, Protocol::Pop3, Some(true)),
        of(Evidence::Provider, Protocol::Imap, Some(true)),
    ];
    assert!(is_enough(&all));
    assert!(!is_enough(&all[..1]));
    let found = conclude("a@example.com", &Learnt::default(), all);
    let order: Vec<_> = found.candidates.iter().map(|c| (c.evidence, c.protocol)).collect();
    assert_eq!(
        order,
        [
            (Evidence::Provider, Protocol::Imap),
            (Evidence::Provider, Protocol::Pop3),
            (Evidence::Guess, Protocol::Smtp),
            (Evidence::Published, Protocol::Imap),
        ]
    );
    assert_eq!(found.best(Protocol::Smtp).unwrap().evidence, Evidence::Guess);
}

#[test]
fn a_known_provider_says_what_to_do() {
    let learnt = Learnt { exchangers: vec!["example-com.mail.protection.outlook.com".into()], ..Learnt::default() };
    let found = conclude("a@example.com", &learnt, Vec::new());
    assert!(found.unreachable && found.advice.contains("OAuth"), "{found:?}");
    let found = conclude("a@gmail.com", &Learnt::default(), Vec::new());
    assert!(!found.unreachable && found.advice.contains("app password"), "{found:?}");
}
