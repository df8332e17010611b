//! Greetings and logins, byte by byte.

use std::time::Duration;

use model::{FailureKind, Secret};

use super::*;
use crate::imap::script::play;

const PATIENCE: Duration = Duration::from_secs(5);

fn password() -> Credentials {
    Credentials::Password { user: "ann".into(), password: Secret::new("pa\"ss") }
}

fn token() -> Credentials {
    Credentials::OAuth { user: "ann".into(), token: Secret::new("t0k3n") }
}

async fn login(script: &str, credentials: &Credentials, clear_text_ok: bool) -> Result<Vec<String>, Failure> {
    let (stream, server) = play(script);
    let result = match Client::greet(stream, PATIENCE).await {
        Ok(Greeting::Client(client)) => client.log_in(credentials, clear_text_ok).await,
        Ok(Greeting::Session(session)) => Ok(session),
        Err(failure) => Err(failure),
    };
    let transcript = match &result {
        Ok(session) => session.transcript(),
        Err(failure) => failure.transcript.clone(),
    };
    let shown = format!("{transcript:?}");
    assert!(!shown.contains("pa\"ss") && !shown.contains("t0k3n") && !shown.contains("AGFubgBwYS"), "{shown}");
    // Whoever fails hangs up; the script must still have been played as far as it goes.
    let result = result.map(|_| transcript);
    server.await.unwrap();
    result
}

async fn succeeds(script: &str, credentials: &Credentials) {
    login(script, credentials, true).await.unwrap();
}

async fn fails(script: &str, credentials: &Credentials, kind: FailureKind, words: &str) {
    let failure = login(script, credentials, true).await.unwrap_err();
    assert_eq!(failure.kind, kind, "{failure}");
    assert!(failure.detail.contains(words), "{failure}");
}

#[tokio::test]
async fn plain_with_initial_response() {
    let script = "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello
        C: A1 AUTHENTICATE PLAIN AGFubgBwYSJzcw==
        S: A1 OK [CAPABILITY IMAP4rev1 IDLE] in";
    succeeds(script, &password()).await;
}

#[tokio::test]
async fn plain_without_initial_response() {
    let script = "S: * OK hello
        C: A1 CAPABILITY
        S: * CAPABILITY IMAP4rev1 AUTH=PLAIN
        S: A1 OK done
        C: A2 AUTHENTICATE PLAIN
        S: +
        C: AGFubgBwYSJzcw==
        S: A2 OK in
        C: A3 CAPABILITY
        S: * CAPABILITY IMAP4rev1 IDLE
        S: A3 OK done";
    succeeds(script, &password()).await;
}

#[tokio::test]
async fn words_in_place_of_an_empty_challenge() {
    let script = "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello
        C: A1 AUTHENTICATE PLAIN
        S: + go ahead, please
        C: AGFubgBwYSJzcw==
        S: A1 OK [CAPABILITY IMAP4rev1] in";
    succeeds(script, &password()).await;
}

#[tokio::test]
async fn the_mechanism_login() {
    let script = "S: * OK [CAPABILITY IMAP4rev1 AUTH=LOGIN] hello
        C: A1 AUTHENTICATE LOGIN
        S: + VXNlcm5hbWU6
        C: YW5u
        S: + UGFzc3dvcmQ6
        C: cGEic3M=
        S: A1 OK [CAPABILITY IMAP4rev1] in";
    succeeds(script, &password()).await;
}

#[tokio::test]
async fn the_command_login() {
    let script = "S: * OK [CAPABILITY IMAP4rev1] hello
        C: A1 LOGIN \"ann\" \"pa\\\"ss\"
        S: * CAPABILITY IMAP4rev1 UIDPLUS
        S: A1 OK in";
    succeeds(script, &password()).await;
}

#[tokio::test]
async fn login_with_literals() {
    let credentials = Credentials::Password { user: "ann".into(), password: Secret::new("pässword") };
    let script = "S: * OK [CAPABILITY IMAP4rev1] hello
        C: A1 LOGIN \"ann\" {9}
        S: + go on
        C: pässword
        S: A1 OK [CAPABILITY IMAP4rev1] in";
    succeeds(script, &credentials).await;
    let script = "S: * OK [CAPABILITY IMAP4rev1 LITERAL+] hello
        C: A1 LOGIN \"ann\" {9+}\\r\\npässword
        S: A1 OK [CAPABILITY IMAP4rev1] in";
    succeeds(script, &credentials).await;
    let script = "S: * OK [CAPABILITY IMAP4rev1] hello
        C: A1 LOGIN \"ann\" {9}
        S: A1 NO [AUTHENTICATIONFAILED] not even that";
    fails(script, &credentials, FailureKind::Credentials, "not even that").await;
}

#[tokio::test]
async fn tokens() {
    let script = "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] hello
        C: A1 AUTHENTICATE XOAUTH2 dXNlcj1hbm4BYXV0aD1CZWFyZXIgdDBrM24BAQ==
        S: + eyJzdGF0dXMiOiI0MDEifQ==
        C:
        S: A1 NO AUTHENTICATE failed.";
    let script = script.replace("C:\n", "C: \n");
    fails(&script, &token(), FailureKind::Credentials, "{\"status\":\"401\"}").await;
    let script = "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello";
    fails(script, &token(), FailureKind::Misconfigured, "accepts no access tokens (it offers: PLAIN)").await;
}

#[tokio::test]
async fn refusals_are_classified() {
    let with =
        |answer: &str| format!("S: * OK [CAPABILITY IMAP4rev1] hello\nC: A1 LOGIN \"ann\" \"pa\\\"ss\"\nS: {answer}");
    let cases = [
        ("A1 NO [AUTHENTICATIONFAILED] wrong", FailureKind::Credentials),
        ("A1 NO [UNAVAILABLE] later", FailureKind::Temporary),
        ("* BYE Too many connections", FailureKind::Temporary),
        ("* BYE [UNAVAILABLE] x\\r\\nA1 NO [UNAVAILABLE] y", FailureKind::Temporary),
        ("A1 BAD what?", FailureKind::Refused),
    ];
    for (answer, kind) in cases {
        fails(&with(answer), &password(), kind, "").await;
    }
}

#[tokio::test]
async fn no_password_in_clear_text() {
    let script = "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN] hello";
    let failure = login(script, &password(), false).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Misconfigured);
    let script = "S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hello";
    fails(script, &password(), FailureKind::Misconfigured, "accepts no passwords").await;
}

#[tokio::test]
async fn a_server_that_does_not_prove_itself() {
    let script = "S: * OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256] hello
        C: A1 AUTHENTICATE SCRAM-SHA-256
        S: A1 OK [CAPABILITY IMAP4rev1] in";
    fails(script, &password(), FailureKind::Garbled, "without proving").await;
    let script = "S: * OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256] hello
        C: A1 AUTHENTICATE SCRAM-SHA-256
        S: + !!!
        C: *";
    fails(script, &password(), FailureKind::Garbled, "not base64").await;
}

#[tokio::test]
async fn greetings() {
    fails("S: * BYE Too many connections from your IP", &password(), FailureKind::Temporary, "Too many").await;
    fails("S: * NO later", &password(), FailureKind::Temporary, "later").await;
    fails("S: 220 mail.example.com ESMTP", &password(), FailureKind::Garbled, "not an IMAP server").await;
    fails("S: +OK POP3 ready", &password(), FailureKind::Garbled, "not an IMAP server").await;
    fails("S: HTTP/1.1 400 Bad Request", &password(), FailureKind::Garbled, "not an IMAP server").await;
    fails("S~ * OK hal", &password(), FailureKind::Temporary, "closed the connection").await;
    succeeds("S: * PREAUTH [CAPABILITY IMAP4rev1] you again", &password()).await;
}

async fn start_tls(script: &str) -> Result<(), Failure> {
    let (stream, server) = play(script);
    let Greeting::Client(client) = Client::greet(stream, PATIENCE).await? else { panic!("PREAUTH") };
    let stream = client.start_tls().await;
    server.await.unwrap();
    Client::after_tls(stream?, PATIENCE, String::new()).await.map(|_| ())
}

#[tokio::test]
async fn start_tls_is_never_left_out() {
    let failure = start_tls("S: * OK [CAPABILITY IMAP4rev1] hello").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Misconfigured);
    let script = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hello
        C: A1 STARTTLS
        S: A1 BAD no";
    assert_eq!(start_tls(script).await.unwrap_err().kind, FailureKind::Refused);
}

#[tokio::test]
async fn words_before_tls_are_refused() {
    let script = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hello
        C: A1 STARTTLS
        S: A1 OK go\\r\\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\\r\\nA2 OK injected";
    let failure = start_tls(script).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Garbled, "{failure}");
    assert!(failure.detail.contains("before TLS"), "{failure}");
}

#[tokio::test]
async fn after_tls_the_capabilities_are_asked_anew() {
    let script = "C: A1 CAPABILITY
        S: * CAPABILITY IMAP4rev1 AUTH=PLAIN
        S: A1 OK done";
    let (stream, server) = play(script);
    let client = Client::after_tls(stream, PATIENCE, "hello".into()).await.unwrap();
    assert_eq!(client.capabilities().auth, ["PLAIN"]);
    assert!(!client.capabilities().starttls);
    server.await.unwrap();
}
