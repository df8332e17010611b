//! The mechanisms, with the examples of their standards.

use super::*;
use crate::sasl::scram::Scram;

fn password() -> Credentials {
    Credentials::Password { user: "user".into(), password: Secret::new("pencil") }
}

fn token() -> Credentials {
    Credentials::OAuth { user: "ann@example.com".into(), token: Secret::new("t0k3n") }
}

#[track_caller]
fn chosen(offered: &str, credentials: &Credentials, secured: bool, expected: Option<&str>) {
    let offered: Vec<_> = offered.split_whitespace().collect();
    let mechanism = Mechanism::choose(&offered, credentials, secured);
    assert_eq!(mechanism.map(|m| m.name()), expected);
}

#[test]
fn the_best_mechanism_is_chosen() {
    chosen("LOGIN PLAIN SCRAM-SHA-256", &password(), true, Some("SCRAM-SHA-256"));
    chosen("login plain", &password(), true, Some("PLAIN"));
    chosen("LOGIN CRAM-MD5", &password(), true, Some("LOGIN"));
    chosen("CRAM-MD5 GSSAPI", &password(), true, None);
    chosen("", &password(), true, None);
    chosen("XOAUTH2 OAUTHBEARER", &token(), true, Some("OAUTHBEARER"));
    chosen("XOAUTH2 PLAIN", &token(), true, Some("XOAUTH2"));
    chosen("PLAIN SCRAM-SHA-256", &token(), true, None);
    chosen("XOAUTH2", &password(), true, None);
}

#[test]
fn nothing_secret_goes_over_a_stream_in_clear_text() {
    chosen("LOGIN PLAIN", &password(), false, None);
    chosen("LOGIN PLAIN SCRAM-SHA-256", &password(), false, Some("SCRAM-SHA-256"));
    chosen("XOAUTH2 OAUTHBEARER", &token(), false, None);
}

#[test]
fn plain_with_and_without_initial_response() {
    let mut mechanism = Mechanism::choose(&["PLAIN"], &password(), true).unwrap();
    assert_eq!(mechanism.initial().unwrap(), b"\0user\0pencil");
    assert!(mechanism.initial().is_none());
    assert!(mechanism.step(b"more?").is_err());
    assert!(mechanism.finish().is_ok());
    let mut mechanism = Mechanism::choose(&["PLAIN"], &password(), true).unwrap();
    assert_eq!(mechanism.step(b"").unwrap(), b"\0user\0pencil");
}

#[test]
fn login_answers_two_questions() {
    let mut mechanism = Mechanism::choose(&["LOGIN"], &password(), true).unwrap();
    assert!(mechanism.initial().is_none());
    assert_eq!(mechanism.step(b"Username:").unwrap(), b"user");
    assert_eq!(mechanism.step(b"Password:").unwrap(), b"pencil");
    assert!(mechanism.step(b"Shoe size:").is_err());
}

#[test]
fn tokens_are_shown_as_the_mechanism_wants() {
    let mut mechanism = Mechanism::choose(&["OAUTHBEARER"], &token(), true).unwrap();
    assert_eq!(mechanism.initial().unwrap(), b"n,a=ann@example.com,\x01auth=Bearer t0k3n\x01\x01");
    assert_eq!(mechanism.step(b"{\"status\":\"invalid_token\"}").unwrap(), b"\x01");
    assert_eq!(mechanism.refusal(), Some("{\"status\":\"invalid_token\"}"));
    let mut mechanism = Mechanism::choose(&["XOAUTH2"], &token(), true).unwrap();
    assert_eq!(mechanism.step(b"").unwrap(), b"user=ann@example.com\x01auth=Bearer t0k3n\x01\x01");
    assert_eq!(mechanism.step(b"{\"status\":\"401\"}").unwrap(), b"");
    assert_eq!(mechanism.refusal(), Some("{\"status\":\"401\"}"));
}

#[test]
fn secrets_are_not_shown_by_debug() {
    let shown = format!("{:?} {:?}", password(), token());
    assert!(!shown.contains("pencil") && !shown.contains("t0k3n"), "{shown}");
}

/// The example of RFC 7677, section 3.
fn example() -> Scram {
    Scram::new("user", &Secret::new("pencil"), "rOprNGfwEbeRWgbNEkqO")
}

const SERVER_FIRST: &[u8] = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const SERVER_FINAL: &[u8] = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

#[test]
fn scram_as_in_rfc_7677() {
    let mut scram = example();
    assert_eq!(scram.first(), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    assert_eq!(
        String::from_utf8(scram.step(SERVER_FIRST).unwrap()).unwrap(),
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    );
    assert!(!scram.is_verified());
    assert_eq!(scram.step(SERVER_FINAL).unwrap(), b"");
    assert!(scram.is_verified());
    assert!(scram.step(b"").is_err());
}

#[track_caller]
fn refused(first: &[u8], words: &str) {
    let failure = example().step(first).unwrap_err();
    assert!(failure.detail.contains(words), "{failure}");
}

#[test]
fn scram_refuses_what_is_wrong() {
    refused(b"r=stolen,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "nonce is not ours");
    refused(b"r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "nonce is not ours");
    refused(b"s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "nonce is missing");
    refused(b"r=rOprNGfwEbeRWgbNEkqOx,s=!,i=4096", "salt");
    refused(b"r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0", "count is missing");
    refused(b"r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4000000000", "absurd");
    refused(b"m=x,r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "extension");
    refused(b"\xff", "not text");
    refused(b"", "nonce is missing");
}

#[test]
fn scram_needs_the_servers_signature() {
    let mut scram = example();
    scram.step(SERVER_FIRST).unwrap();
    let failure = scram.step(b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap_err();
    assert!(failure.detail.contains("does not know the password"), "{failure}");
    let mut scram = example();
    scram.step(SERVER_FIRST).unwrap();
    assert!(scram.step(b"").is_err());
    let mut scram = example();
    scram.step(SERVER_FIRST).unwrap();
    let failure = scram.step(b"e=invalid-proof").unwrap_err();
    assert_eq!(failure.kind, model::FailureKind::Credentials);
    let mut mechanism = Mechanism::choose(&["SCRAM-SHA-256"], &password(), false).unwrap();
    mechanism.initial();
    assert!(mechanism.finish().is_err());
}

#[test]
fn names_are_escaped_and_prepared() {
    let scram = Scram::new("a=b,c", &Secret::new("x"), "n");
    assert_eq!(scram.first(), b"n,,n=a=3Db=2Cc,r=n");
    // SASLprep maps the soft hyphen to nothing and the roman numeral to letters.
    let scram = Scram::new("I\u{ad}X", &Secret::new("x"), "n");
    assert_eq!(scram.first(), b"n,,n=IX,r=n");
    let scram = Scram::new("\u{2168}", &Secret::new("x"), "n");
    assert_eq!(scram.first(), b"n,,n=IX,r=n");
}

#[test]
fn nonces_differ() {
    assert_ne!(scram::random_nonce(), scram::random_nonce());
}
