//! The rules of email server profiles, code by code.

use AuthenticationProtocol::{Basic, Negotiate, Ntlm, OAuth};
use CredentialRetrieval::{
    Anonymous, DirectoryOAuth, GmailOAuth, HybridModern, Profile, ServerToServer, UserOrQueue, WindowsIntegrated,
};
use ServerType::{Exchange, ExchangeHybrid, ExchangeOnline, ImapSmtp, Pop3Smtp};
use model::tables::AuthenticationProtocol;
use model::{Entity, Id};
use proptest::prelude::*;

use super::*;

fn of(server_type: ServerType) -> EmailServerProfile {
    let exchange = matches!(server_type, Exchange | ExchangeHybrid | ExchangeOnline);
    let location = if exchange { "https://ex.example/EWS/Exchange.asmx" } else { "mail.example" };
    EmailServerProfile {
        name: "Mail".into(),
        same_outgoing: true,
        server_type,
        incoming_location: location.into(),
        outgoing_location: location.into(),
        ..EmailServerProfile::blank(Id::from_u128(1))
    }
}

const SAFE: ProfileFacts = ProfileFacts { allow_insecure: false, incoming_password: false, outgoing_password: false };

fn codes(result: Result<EmailServerProfile, Refusals>) -> Vec<u32> {
    match result {
        Ok(_) => Vec::new(),
        Err(refusals) => {
            for refusal in &refusals.0 {
                assert!(refusal.field.is_some() && refusal.message.to_string().len() > 15, "{refusal}");
            }
            refusals.codes()
        }
    }
}

/// The codes of a new profile of this type.
fn check(server_type: ServerType, change: impl FnOnce(&mut EmailServerProfile), expected: &[u32]) {
    check_with(SAFE, server_type, change, expected);
}

fn check_with(facts: ProfileFacts, kind: ServerType, change: impl FnOnce(&mut EmailServerProfile), expected: &[u32]) {
    let mut profile = of(kind);
    change(&mut profile);
    let got = codes(save(None, profile, facts));
    assert_eq!(got, expected, "got {got:X?}, expected {expected:X?}");
}

#[test]
fn plain_profiles_of_every_type_can_be_kept() {
    for kind in ServerType::ALL {
        check(*kind, |_| {}, &[]);
    }
}

#[test]
fn a_name_is_needed() {
    check(ImapSmtp, |p| p.name = " ".into(), &[0x8004_0203]);
}

/// The ports that saving fills in: incoming/outgoing.
fn ports(kind: ServerType, incoming_ssl: bool, outgoing_ssl: bool) -> String {
    let profile = EmailServerProfile { incoming_ssl, outgoing_ssl, ..of(kind) };
    let saved = save(None, profile, ProfileFacts { allow_insecure: true, ..SAFE }).unwrap();
    format!("{}/{}", saved.incoming_port.unwrap_or(0), saved.outgoing_port.unwrap_or(0))
}

#[test]
fn blank_ports_are_filled_in() {
    assert_eq!(ports(ImapSmtp, true, true), "993/587");
    assert_eq!(ports(ImapSmtp, false, false), "143/587");
    assert_eq!(ports(Pop3Smtp, true, true), "995/587");
    assert_eq!(ports(Pop3Smtp, false, true), "110/587");
    assert_eq!(ports(Exchange, true, true), "0/0");
}

#[test]
fn a_usual_port_follows_a_change_and_a_chosen_one_stays() {
    let insecure = ProfileFacts { allow_insecure: true, ..SAFE };
    let saved = save(None, of(ImapSmtp), SAFE).unwrap();
    let plain = save(Some(&saved), EmailServerProfile { incoming_ssl: false, ..saved.clone() }, insecure).unwrap();
    assert_eq!(plain.incoming_port, Some(143));
    let pop = save(Some(&saved), EmailServerProfile { server_type: Pop3Smtp, ..saved.clone() }, SAFE).unwrap();
    assert_eq!(pop.incoming_port, Some(995));
    let chosen = save(None, EmailServerProfile { incoming_port: Some(10_993), ..of(ImapSmtp) }, SAFE).unwrap();
    let plain = save(Some(&chosen), EmailServerProfile { incoming_ssl: false, ..chosen.clone() }, insecure).unwrap();
    assert_eq!(plain.incoming_port, Some(10_993));
}

#[test]
fn e24f_e256_ports() {
    for port in [0, -1, 65_536, 70_000] {
        check(ImapSmtp, |p| p.incoming_port = Some(port), &[0x8005_E24F]);
        check(Pop3Smtp, |p| p.outgoing_port = Some(port), &[0x8005_E256]);
    }
    for port in [1, 25, 465, 65_535] {
        check(ImapSmtp, |p| (p.incoming_port, p.outgoing_port) = (Some(port), Some(port)), &[]);
    }
}

#[test]
fn e234_ssl() {
    check(ImapSmtp, |p| p.incoming_ssl = false, &[0x8005_E234]);
    check(ImapSmtp, |p| p.outgoing_ssl = false, &[0x8005_E234]);
    check(Pop3Smtp, |p| (p.incoming_ssl, p.outgoing_ssl) = (false, false), &[0x8005_E234, 0x8005_E234]);
    let insecure = ProfileFacts { allow_insecure: true, ..SAFE };
    check_with(insecure, Pop3Smtp, |p| (p.incoming_ssl, p.outgoing_ssl) = (false, false), &[]);
}

#[test]
fn e24b_e24c_locations_are_needed() {
    for kind in ServerType::ALL {
        check(*kind, |p| p.incoming_location = " ".into(), &[0x8005_E24B]);
        check(*kind, |p| p.outgoing_location = String::new(), &[0x8005_E24C]);
    }
}

#[test]
fn e20a_hosts() {
    for location in [
        "imaps://mail.example",
        "https://mail.example",
        "mail.example:993",
        "[::1]:993",
        "mail example",
        "a@mail.example",
        "mail.example/inbox",
        "-mail.example",
        "mail-.example",
        "mail..example",
        "256.1.1.1",
        "1.2.3",
        ".",
        "[mail.example]",
        "mail.example,other.example",
    ] {
        check(ImapSmtp, |p| p.incoming_location = location.into(), &[0x8005_E20A]);
        check(ImapSmtp, |p| p.outgoing_location = location.into(), &[0x8005_E20A]);
    }
    for location in [
        "mail.example",
        "mail.example.",
        "localhost",
        "127.0.0.1",
        "::1",
        "[::1]",
        "mail_1.example",
        "xn--bcher-kva.example",
        "bücher.example",
        " mail.example ",
        "1.mail.example",
    ] {
        check(ImapSmtp, |p| p.incoming_location = location.into(), &[]);
    }
}

#[test]
fn long_host_names() {
    let label = "a".repeat(63);
    check(ImapSmtp, |p| p.incoming_location = format!("{label}.example"), &[]);
    check(ImapSmtp, |p| p.incoming_location = format!("{label}a.example"), &[0x8005_E20A]);
    check(ImapSmtp, |p| p.incoming_location = format!("{label}.{label}.{label}.{label}.example"), &[0x8005_E20A]);
}

#[test]
fn a_port_in_the_location_is_named_as_such() {
    let profile = EmailServerProfile { incoming_location: "mail.example:993".into(), ..of(ImapSmtp) };
    let refusals = save(None, profile, SAFE).unwrap_err();
    assert!(refusals.0[0].message.to_string().contains("incomingportnumber"), "{refusals}");
}

#[test]
fn exchange_urls() {
    for location in ["ex.example", "ftp://ex.example", "https://", "https:///EWS", "https://a b/EWS"] {
        check(Exchange, |p| p.incoming_location = location.into(), &[0x8005_E20A]);
    }
    for location in ["https://ex.example", "HTTPS://ex.example:444/EWS/Exchange.asmx", "https://127.0.0.1/EWS"] {
        check(Exchange, |p| p.incoming_location = location.into(), &[]);
    }
}

#[test]
fn e23e_to_e241_url_and_ssl_agree() {
    let http = "http://ex.example/EWS";
    let insecure = ProfileFacts { allow_insecure: true, ..SAFE };
    check(Exchange, |p| p.incoming_location = http.into(), &[0x8005_E23E]);
    check(Exchange, |p| p.outgoing_location = http.into(), &[0x8005_E23F]);
    check_with(insecure, Exchange, |p| p.incoming_ssl = false, &[0x8005_E240]);
    check_with(insecure, Exchange, |p| p.outgoing_ssl = false, &[0x8005_E241]);
    check_with(insecure, Exchange, |p| (p.incoming_ssl, p.incoming_location) = (false, http.into()), &[]);
}

#[test]
fn e204_e205_autodiscover() {
    check(ImapSmtp, |p| p.auto_discover = true, &[0x8005_E204]);
    check(Pop3Smtp, |p| p.auto_discover = true, &[0x8005_E204]);
    check(Exchange, |p| p.auto_discover = true, &[0x8005_E205, 0x8005_E205]);
    check(
        Exchange,
        |p| {
            p.auto_discover = true;
            p.incoming_location = String::new();
            p.outgoing_location = String::new();
        },
        &[],
    );
}

/// The code of each way to authenticate the incoming and the outgoing connection, with
/// everything at hand that it may need.
fn retrievals(kind: ServerType) -> Vec<(i64, String)> {
    let facts = ProfileFacts { incoming_password: true, outgoing_password: true, ..SAFE };
    CredentialRetrieval::ALL
        .iter()
        .map(|retrieval| {
            let profile = EmailServerProfile {
                same_outgoing: false,
                incoming_user: "in".into(),
                outgoing_user: "out".into(),
                ..of(kind)
            };
            let code = |profile| {
                codes(save(None, profile, facts)).first().map_or("-".to_owned(), |code| format!("{:X}", code & 0xFFF))
            };
            let incoming = code(EmailServerProfile { incoming_credentials: *retrieval, ..profile.clone() });
            let outgoing = code(EmailServerProfile { outgoing_credentials: *retrieval, ..profile });
            (retrieval.number(), format!("{incoming}/{outgoing}"))
        })
        .collect()
}

fn check_retrievals(kind: ServerType, expected: [&str; 8]) {
    let got = retrievals(kind);
    for (n, (number, codes)) in got.iter().enumerate() {
        assert_eq!(*number, i64::try_from(n).unwrap());
        assert_eq!(codes, expected[n], "{kind:?}, retrieval {n}");
    }
}

#[test]
fn authenticate_using_by_server_type() {
    check_retrievals(ImapSmtp, ["-/-", "-/-", "245/245", "202/202", "214/-", "-/-", "202/202", "-/-"]);
    check_retrievals(Pop3Smtp, ["-/-", "214/-", "214/245", "214/202", "214/-", "214/-", "214/202", "214/-"]);
    check_retrievals(Exchange, ["-/-", "-/-", "-/-", "-/-", "203/203", "202/202", "-/-", "-/-"]);
    check_retrievals(ExchangeHybrid, ["-/-", "-/-", "-/-", "-/-", "203/203", "202/202", "-/-", "-/-"]);
    check_retrievals(ExchangeOnline, ["-/-", "-/-", "-/-", "-/-", "203/203", "202/202", "-/-", "-/-"]);
    for retrieval in
        [UserOrQueue, ServerToServer, WindowsIntegrated, Anonymous, GmailOAuth, HybridModern, DirectoryOAuth]
    {
        check(
            Exchange,
            |p| p.incoming_credentials = retrieval,
            match retrieval {
                Anonymous => &[0x8005_E203],
                GmailOAuth => &[0x8005_E202],
                _ => &[],
            },
        );
    }
}

#[test]
fn e251_to_e254_credentials_of_the_profile() {
    let facts = |incoming_password, outgoing_password| ProfileFacts { incoming_password, outgoing_password, ..SAFE };
    let both = |p: &mut EmailServerProfile| {
        (p.same_outgoing, p.incoming_credentials, p.outgoing_credentials) = (false, Profile, Profile);
    };
    check_with(facts(false, false), ImapSmtp, both, &[0x8005_E251, 0x8005_E252, 0x8005_E253, 0x8005_E254]);
    check_with(facts(true, true), ImapSmtp, both, &[0x8005_E251, 0x8005_E253]);
    let users = |p: &mut EmailServerProfile| {
        both(p);
        (p.incoming_user, p.outgoing_user) = ("in".into(), "out".into());
    };
    check_with(facts(false, true), ImapSmtp, users, &[0x8005_E252]);
    check_with(facts(true, false), ImapSmtp, users, &[0x8005_E254]);
    check_with(facts(true, true), ImapSmtp, users, &[]);
}

#[test]
fn the_same_settings_need_one_password() {
    let facts = ProfileFacts { incoming_password: true, ..SAFE };
    check_with(facts, ImapSmtp, |p| (p.incoming_credentials, p.incoming_user) = (Profile, "in".into()), &[]);
}

#[test]
fn e238_outgoing_settings_are_locked() {
    let facts = ProfileFacts { incoming_password: true, outgoing_password: true, ..SAFE };
    check(ImapSmtp, |p| p.outgoing_credentials = Anonymous, &[0x8005_E238]);
    check(ImapSmtp, |p| p.outgoing_user = "out".into(), &[0x8005_E238]);
    check(ImapSmtp, |p| p.outgoing_protocol = Basic, &[0x8005_E238]);
    check(ImapSmtp, |p| (p.incoming_protocol, p.outgoing_protocol) = (Basic, Basic), &[]);
    check(ImapSmtp, |p| (p.same_outgoing, p.outgoing_credentials) = (false, Anonymous), &[]);
    let all = |p: &mut EmailServerProfile| {
        (p.incoming_credentials, p.outgoing_credentials) = (Profile, Profile);
        (p.incoming_user, p.outgoing_user) = ("in".into(), "in".into());
    };
    check_with(facts, ImapSmtp, all, &[]);
}

#[test]
fn outgoing_follows_incoming() {
    let facts = ProfileFacts { incoming_password: true, ..SAFE };
    let profile = EmailServerProfile {
        incoming_credentials: Profile,
        incoming_user: "in".into(),
        incoming_protocol: OAuth,
        ..of(ImapSmtp)
    };
    let saved = save(None, profile, facts).unwrap();
    assert_eq!(
        (saved.outgoing_credentials, saved.outgoing_user.as_str(), saved.outgoing_protocol),
        (Profile, "in", OAuth)
    );
    let changed =
        save(Some(&saved), EmailServerProfile { incoming_user: "new".into(), ..saved.clone() }, facts).unwrap();
    assert_eq!(changed.outgoing_user, "new");
    let locked = EmailServerProfile { outgoing_user: "other".into(), ..saved.clone() };
    assert_eq!(codes(save(Some(&saved), locked, facts)), [0x8005_E238]);
}

#[test]
fn switching_to_the_same_settings_drops_the_old_ones() {
    let facts = ProfileFacts { incoming_password: true, outgoing_password: true, ..SAFE };
    let own = EmailServerProfile {
        same_outgoing: false,
        outgoing_credentials: Profile,
        outgoing_user: "out".into(),
        ..of(ImapSmtp)
    };
    let own = save(None, own, facts).unwrap();
    let same = save(Some(&own), EmailServerProfile { same_outgoing: true, ..own.clone() }, facts).unwrap();
    assert_eq!((same.outgoing_credentials, same.outgoing_user.as_str()), (UserOrQueue, ""));
    assert_eq!(outgoing_credentials(&same), UserOrQueue);
    assert_eq!(outgoing_credentials(&own), Profile);
}

#[test]
fn e23c_e23d_protocols() {
    let own = |p: &mut EmailServerProfile| p.same_outgoing = false;
    for protocol in [Negotiate, Ntlm] {
        check(ImapSmtp, |p| p.incoming_protocol = protocol, &[0x8005_E23C]);
        check(
            ImapSmtp,
            |p| {
                own(p);
                p.outgoing_protocol = protocol
            },
            &[0x8005_E23C],
        );
        check(Exchange, |p| p.incoming_protocol = protocol, &[]);
    }
    check(
        ImapSmtp,
        |p| {
            own(p);
            (p.incoming_protocol, p.incoming_ssl) = (Basic, false)
        },
        &[0x8005_E234, 0x8005_E23D],
    );
    let insecure = ProfileFacts { allow_insecure: true, ..SAFE };
    check_with(insecure, ImapSmtp, |p| (p.incoming_protocol, p.incoming_ssl) = (Basic, false), &[]);
    check(ImapSmtp, |p| p.incoming_protocol = Basic, &[]);
}

#[test]
fn e235_e236_exchange_only() {
    check(ImapSmtp, |p| p.delegate_access = true, &[0x8005_E235]);
    check(ImapSmtp, |p| p.incoming_impersonation = true, &[0x8005_E236]);
    check(Pop3Smtp, |p| p.outgoing_impersonation = true, &[0x8005_E236]);
    check(ImapSmtp, |p| p.move_undelivered = true, &[0x8004_0203]);
    check(Exchange, |p| (p.delegate_access, p.incoming_impersonation, p.move_undelivered) = (true, true, true), &[]);
}

#[test]
fn e24d_e24e_impersonation_needs_an_account() {
    let facts = ProfileFacts { incoming_password: true, outgoing_password: true, ..SAFE };
    let change = |p: &mut EmailServerProfile| {
        (p.same_outgoing, p.incoming_credentials, p.outgoing_credentials) = (false, Profile, Profile);
        (p.incoming_impersonation, p.outgoing_impersonation) = (true, true);
    };
    check_with(facts, Exchange, change, &[0x8005_E251, 0x8005_E253, 0x8005_E24D, 0x8005_E24E]);
    check_with(
        facts,
        Exchange,
        |p| {
            change(p);
            (p.incoming_user, p.outgoing_user) = ("a".into(), "b".into())
        },
        &[],
    );
}

#[test]
fn numbers_have_ranges() {
    for n in [0, 301] {
        check(ImapSmtp, |p| p.max_connections = n, &[0x8004_0203]);
    }
    for n in [1, 300] {
        check(ImapSmtp, |p| p.max_connections = n, &[]);
    }
    check(ImapSmtp, |p| p.polling_minutes = -1, &[0x8004_0203]);
    check(ImapSmtp, |p| p.polling_minutes = 1441, &[0x8004_0203]);
    check(ImapSmtp, |p| p.polling_minutes = 1440, &[]);
    check(ImapSmtp, |p| p.connect_timeout = 0, &[0x8004_0203]);
    check(ImapSmtp, |p| p.connect_timeout = 100_001, &[0x8004_0203]);
    check(ImapSmtp, |p| (p.limit_connect_time, p.connect_timeout) = (false, 0), &[]);
    check(ImapSmtp, |p| p.command_timeout = 999, &[0x8004_0203]);
    check(ImapSmtp, |p| p.command_timeout = 3_600_001, &[0x8004_0203]);
    check(ImapSmtp, |p| p.command_timeout = 1000, &[]);
}

#[test]
fn e244_process_after() {
    check(ImapSmtp, |p| p.process_after = Some("1899-12-31T00:00:00Z".parse().unwrap()), &[0x8005_E244]);
    check(ImapSmtp, |p| p.process_after = Some("1900-01-01T00:00:00Z".parse().unwrap()), &[]);
}

#[test]
fn state_and_status() {
    let saved = save(None, of(ImapSmtp), SAFE).unwrap();
    let off = save(Some(&saved), EmailServerProfile { state: State::Inactive, ..saved.clone() }, SAFE).unwrap();
    assert_eq!(off.status, Status::Inactive);
    check(ImapSmtp, |p| p.status = Status::Inactive, &[0x8004_8408]);
}

#[test]
fn several_faults_are_reported_together() {
    check(
        Pop3Smtp,
        |p| {
            p.name = String::new();
            p.auto_discover = true;
            p.incoming_location = "pop://x".into();
            p.outgoing_location = String::new();
            p.outgoing_ssl = false;
            p.incoming_credentials = Anonymous;
            p.incoming_impersonation = true;
            p.max_connections = 0;
        },
        &[0x8004_0203, 0x8004_0203, 0x8005_E204, 0x8005_E20A, 0x8005_E234, 0x8005_E24C, 0x8005_E214, 0x8005_E236],
    );
}

/// `i`ncoming and `o`utgoing test results that an edit takes back.
fn check_affected(passwords: (bool, bool), change: impl FnOnce(&mut EmailServerProfile), expected: &str) {
    let before = of(ImapSmtp);
    let mut after = before.clone();
    change(&mut after);
    let (incoming, outgoing) = affected(&before, &after, passwords);
    let got = format!("{}{}", if incoming { "i" } else { "" }, if outgoing { "o" } else { "" });
    assert_eq!(got, expected);
}

#[test]
fn what_an_edit_means_for_mailboxes() {
    let none = (false, false);
    check_affected(none, |_| {}, "");
    check_affected(none, |p| p.name = "x".into(), "");
    check_affected(none, |p| p.polling_minutes = 5, "");
    check_affected(none, |p| p.max_connections = 5, "");
    check_affected(none, |p| p.server_type = Pop3Smtp, "io");
    check_affected(none, |p| p.incoming_location = "x".into(), "i");
    check_affected(none, |p| p.incoming_port = Some(1), "i");
    check_affected(none, |p| p.incoming_ssl = false, "i");
    check_affected(none, |p| p.incoming_protocol = Basic, "i");
    check_affected(none, |p| p.incoming_credentials = Profile, "i");
    check_affected(none, |p| p.incoming_user = "x".into(), "i");
    check_affected(none, |p| p.outgoing_location = "x".into(), "o");
    check_affected(none, |p| p.outgoing_port = Some(1), "o");
    check_affected(none, |p| p.outgoing_ssl = false, "o");
    check_affected(none, |p| p.outgoing_user = "x".into(), "o");
    check_affected(none, |p| p.same_outgoing = false, "o");
    check_affected((true, false), |_| {}, "io");
    check_affected((true, false), |p| p.same_outgoing = false, "io");
    check_affected((false, true), |_| {}, "o");
}

proptest! {
    #[test]
    fn saving_twice_changes_nothing(
        kind in 0..5_i64, incoming in 0..8_i64, outgoing in 0..8_i64, same in any::<bool>(), ssl in any::<bool>(),
        port in proptest::option::of(-1..70_000_i64), location in "[a-z.:/ ]{0,12}",
    ) {
        let profile = EmailServerProfile {
            incoming_credentials: CredentialRetrieval::from_number(incoming).unwrap(),
            outgoing_credentials: CredentialRetrieval::from_number(outgoing).unwrap(),
            same_outgoing: same,
            incoming_ssl: ssl,
            incoming_port: port,
            incoming_location: if location.is_empty() { "mail.example".into() } else { location },
            ..of(ServerType::from_number(kind).unwrap())
        };
        let facts = ProfileFacts { allow_insecure: true, ..SAFE };
        if let Ok(saved) = save(None, profile, facts) {
            prop_assert_eq!(save(Some(&saved), saved.clone(), facts), Ok(saved.clone()));
            prop_assert_eq!(affected(&saved, &saved, (false, false)), (false, false));
        }
    }
}
