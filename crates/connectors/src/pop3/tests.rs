//! Conversations byte by byte.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use model::work::{Cursor, Pop3Cursor, Position, Settle, SettleAction, Settled};
use model::{Failure, FailureKind, Secret};
use tokio::io::DuplexStream;

use super::{Greeted, Session};
use crate::imap::header_digest;
use crate::lines::script::play;
use crate::sasl::Credentials;
use crate::{Batch, Limit, MailSink, ReadMail};

const WAIT: Duration = Duration::from_secs(30);
const ALL: Limit = Limit { messages: 1000, octets: 1 << 30 };

/// Keeps messages in memory, and fails when told to.
#[derive(Debug, Default)]
struct Kept {
    open: Option<Vec<u8>>,
    whole: Vec<String>,
    abandoned: usize,
    room: Option<usize>,
}

impl MailSink for Kept {
    fn begin(&mut self, _size: u64) -> io::Result<()> {
        assert!(self.open.is_none(), "begun twice");
        self.open = Some(Vec::new());
        Ok(())
    }
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let open = self.open.as_mut().expect("not begun");
        open.extend_from_slice(bytes);
        match self.room {
            Some(room) if open.len() > room => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }
    fn finish(&mut self) -> io::Result<usize> {
        let open = self.open.take().expect("not begun");
        self.whole.push(String::from_utf8(open).unwrap());
        Ok(self.whole.len() - 1)
    }
    fn abandon(&mut self) {
        assert!(self.open.take().is_some(), "not begun");
        self.abandoned += 1;
    }
}

fn show(failure: &Failure) -> String {
    assert!(!failure.detail.is_empty());
    format!("{} {}", failure.kind, failure.during)
}

fn password() -> Credentials {
    Credentials::Password { user: "u".into(), password: Secret::new("s3cret") }
}

async fn log_in(stream: DuplexStream, credentials: &Credentials) -> Result<Session<DuplexStream>, Failure> {
    Ok(Greeted::begin(stream, true, WAIT).await?.log_in(credentials).await?.0)
}

/// From the greeting to the log in; shows the failure or the way.
async fn check_begin_as(credentials: Credentials, secured: bool, script: &str, expected: &str) {
    let (stream, server) = play(script);
    let begun = async { Greeted::begin(stream, secured, WAIT).await?.log_in(&credentials).await };
    let begun = begun.await;
    let shown = match &begun {
        Ok((_, way)) => (*way).to_owned(),
        Err(failure) => {
            for secret in ["s3cret", "AHUAczNjcmV0", "czNjcmV0"] {
                assert!(!format!("{failure:?}").contains(secret), "{failure:?}");
            }
            show(failure)
        }
    };
    drop(begun);
    server.await.unwrap();
    assert_eq!(shown, expected);
}

async fn check_begin(script: &str, expected: &str) {
    check_begin_as(password(), true, script, expected).await;
}

/// One-line tests.
macro_rules! tests {
    ($($name:ident: $check:ident($($argument:expr),* $(,)?);)*) => {
        $(#[tokio::test(start_paused = true)]
        async fn $name() {
            $check($($argument),*).await;
        })*
    };
}

const GREETED: &str = "S: +OK ready <1.2@mx>\nC: CAPA\n";
const PASS: &str = "C: USER u\nS: +OK\nC: PASS s3cret\n";
const CAPA: &str = "C: CAPA\nS: +OK\nS: USER\nS: TOP\nS: UIDL\nS: .\n";
/// base64("\0u\0s3cret")
const PLAIN: &str = "AHUAczNjcmV0";

fn token() -> Credentials {
    Credentials::OAuth { user: "u".into(), token: Secret::new("t") }
}

tests! {
    // The greeting.
    greeting_refused: check_begin("S: -ERR go away", "temporary greeting");
    greeting_permanent: check_begin("S: -ERR [SYS/PERM] closed", "refused greeting");
    greeting_of_smtp: check_begin("S: 220 mx", "garbled greeting");
    greeting_of_imap: check_begin("S: * OK IMAP4rev1", "garbled greeting");
    greeting_empty: check_begin("S: ", "garbled greeting");
    greeting_asks: check_begin("S: + x", "garbled greeting");
    greeting_cut: check_begin("cut", "temporary greeting");
    greeting_cut_in_the_line: check_begin("R: +OK re\ncut", "temporary greeting");
    greeting_hangs: check_begin("hang", "temporary greeting");
    greeting_endless: check_begin(&format!("R: {}\nhang", "x".repeat(20_000)), "garbled greeting");
    capa_cut: check_begin(&format!("{GREETED}cut"), "temporary greeting");
    capa_cut_in_the_list: check_begin(&format!("{GREETED}S: +OK\nS: TOP\ncut"), "temporary greeting");
    capa_hangs_in_the_list: check_begin(&format!("{GREETED}S: +OK\nS: TOP\nhang"), "temporary greeting");
    capa_garbage: check_begin(&format!("{GREETED}S: TOP"), "garbled greeting");

    // USER and PASS.
    user_and_pass: check_begin(&format!("{GREETED}S: +OK\nS: USER\nS: .\n{PASS}S: +OK\n{CAPA}"), "USER");
    user_and_pass_without_capa: check_begin(&format!("{GREETED}S: -ERR what\n{PASS}S: +OK\nC: CAPA\nS: -ERR what"), "USER");
    user_and_pass_with_bare_line_feeds: check_begin("R: +OK\\n\nC: CAPA\nR: +OK\\nUSER\\n.\\n\nC: USER u\nR: +OK\\n\nC: PASS s3cret\nR: +OK\\n\nC: CAPA\nR: -ERR\\n", "USER");
    user_refused: check_begin(&format!("{GREETED}S: -ERR\nC: USER u\nS: -ERR who"), "credentials log in");
    pass_refused: check_begin(&format!("{GREETED}S: -ERR\n{PASS}S: -ERR [AUTH] no"), "credentials log in");
    pass_in_use: check_begin(&format!("{GREETED}S: -ERR\n{PASS}S: -ERR [IN-USE] no"), "temporary log in");
    pass_delay: check_begin(&format!("{GREETED}S: -ERR\n{PASS}S: -ERR [LOGIN-DELAY] no"), "temporary log in");
    pass_system_temporary: check_begin(&format!("{GREETED}S: -ERR\n{PASS}S: -ERR [SYS/TEMP] no"), "temporary log in");
    pass_system_permanent: check_begin(&format!("{GREETED}S: -ERR\n{PASS}S: -ERR [SYS/PERM] no"), "refused log in");
    pass_cut: check_begin(&format!("{GREETED}S: -ERR\n{PASS}cut"), "temporary log in");
    pass_hangs: check_begin(&format!("{GREETED}S: -ERR\n{PASS}hang"), "temporary log in");
    pass_garbage: check_begin(&format!("{GREETED}S: -ERR\n{PASS}S: yes"), "garbled log in");
    user_injects: check_begin_as(Credentials::Password { user: "u\r\nDELE 1".into(), password: Secret::new("p") }, true, &format!("{GREETED}S: -ERR"), "credentials log in");
    pass_injects: check_begin_as(Credentials::Password { user: "u".into(), password: Secret::new("p\r\nDELE 1") }, true, &format!("{GREETED}S: -ERR"), "credentials log in");
    no_password_in_clear_text: check_begin_as(password(), false, &format!("{GREETED}S: +OK\nS: USER\nS: STLS\nS: SASL PLAIN\nS: ."), "misconfigured log in");

    // SASL.
    plain: check_begin(&format!("{GREETED}S: +OK\nS: SASL PLAIN LOGIN\nS: .\nC: AUTH PLAIN {PLAIN}\nS: +OK\n{CAPA}"), "PLAIN");
    login: check_begin(&format!("{GREETED}S: +OK\nS: SASL LOGIN\nS: .\nC: AUTH LOGIN\nS: + VXNlcm5hbWU6\nC: dQ==\nS: + UGFzc3dvcmQ6\nC: czNjcmV0\nS: +OK\n{CAPA}"), "LOGIN");
    plain_refused: check_begin(&format!("{GREETED}S: +OK\nS: SASL PLAIN\nS: .\nC: AUTH PLAIN {PLAIN}\nS: -ERR [AUTH] no"), "credentials log in");
    plain_in_use: check_begin(&format!("{GREETED}S: +OK\nS: SASL PLAIN\nS: .\nC: AUTH PLAIN {PLAIN}\nS: -ERR [IN-USE] no"), "temporary log in");
    plain_asked_again: check_begin(&format!("{GREETED}S: +OK\nS: SASL PLAIN\nS: .\nC: AUTH PLAIN {PLAIN}\nS: + \nC: *\nS: -ERR ok"), "garbled log in");
    login_not_base64: check_begin(&format!("{GREETED}S: +OK\nS: SASL LOGIN\nS: .\nC: AUTH LOGIN\nS: + ?!\nC: *\nS: -ERR ok"), "garbled log in");
    unknown_mechanisms_fall_back_to_user: check_begin(&format!("{GREETED}S: +OK\nS: SASL GSSAPI\nS: USER\nS: .\n{PASS}S: +OK\n{CAPA}"), "USER");
    unknown_mechanisms_and_no_user: check_begin(&format!("{GREETED}S: +OK\nS: SASL GSSAPI\nS: ."), "misconfigured log in");
    token_without_a_mechanism: check_begin_as(token(), true, &format!("{GREETED}S: +OK\nS: SASL PLAIN\nS: USER\nS: ."), "misconfigured log in");
    xoauth2: check_begin_as(token(), true, &format!("{GREETED}S: +OK\nS: SASL XOAUTH2\nS: .\nC: AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIHQBAQ==\nS: +OK\n{CAPA}"), "XOAUTH2");
    xoauth2_refused: check_begin_as(token(), true, &format!("{GREETED}S: +OK\nS: SASL XOAUTH2\nS: .\nC: AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIHQBAQ==\nS: + eyJzdGF0dXMiOiI0MDEifQ==\nC: \nS: -ERR [AUTH] no"), "credentials log in");
}

async fn check_stls(script: &str, expected: &str) {
    let (stream, server) = play(&format!("{GREETED}{script}"));
    let started = Greeted::begin(stream, false, WAIT).await.unwrap().start_tls().await;
    let shown = started.as_ref().map_or_else(show, |_| "ready".into());
    drop(started);
    server.await.unwrap();
    assert_eq!(shown, expected);
}

tests! {
    stls: check_stls("S: +OK\nS: STLS\nS: .\nC: STLS\nS: +OK go", "ready");
    stls_without_capa: check_stls("S: -ERR\nC: STLS\nS: +OK go", "ready");
    stls_not_offered: check_stls("S: +OK\nS: USER\nS: .", "misconfigured TLS");
    stls_refused: check_stls("S: +OK\nS: STLS\nS: .\nC: STLS\nS: -ERR no", "misconfigured TLS");
    stls_cut: check_stls("S: +OK\nS: STLS\nS: .\nC: STLS\ncut", "temporary TLS");
    stls_injected: check_stls("S: +OK\nS: STLS\nS: .\nC: STLS\nR: +OK\\r\\n+OK forged\\r\\n", "garbled TLS");
}

/// A session with these capabilities, then the script.
async fn session(capabilities: &str, script: &str) -> (Session<DuplexStream>, tokio::task::JoinHandle<()>) {
    let capabilities: String = capabilities.split(';').map(|one| format!("S: {one}\n")).collect();
    let capa =
        if capabilities == "S: none\n" { "S: -ERR\n".to_owned() } else { format!("S: +OK\n{capabilities}S: .\n") };
    let (stream, server) = play(&format!("{GREETED}S: -ERR\n{PASS}S: +OK\nC: CAPA\n{capa}{script}"));
    (log_in(stream, &password()).await.unwrap(), server)
}

fn cursor(known: &[&str], since: Option<&str>) -> Cursor {
    let known = known.iter().map(ToString::to_string).collect();
    Cursor::Pop3(Pop3Cursor { known, since: since.map(|at| at.parse::<Timestamp>().unwrap()) })
}

/// `read a=0:hi b=1:ho; known a b; more`.
fn show_batch(result: &Result<Batch, Failure>, kept: &Kept) -> String {
    let batch = match result {
        Err(failure) => return show(failure),
        Ok(batch) => batch,
    };
    assert!(!batch.reset);
    let mut shown = "read".to_owned();
    for mail in &batch.mails {
        let text = &kept.whole[mail.ticket];
        assert_eq!((mail.size, mail.received), (u64::try_from(text.len()).unwrap(), None));
        shown += &format!(" {}={}", mail.position.in_folder(), text.escape_default());
    }
    for (position, why) in &batch.undeliverable {
        shown += &format!(" {}!{why}", position.in_folder());
    }
    let Cursor::Pop3(cursor) = &batch.cursor else { panic!("not a POP3 cursor") };
    shown += &format!("; known {}", cursor.known.iter().cloned().collect::<Vec<_>>().join(" "));
    if let Some(interrupted) = &batch.interrupted {
        shown += &format!("; at {} {}", interrupted.at.in_folder(), show(&interrupted.failure));
    }
    if batch.more { shown + "; more" } else { shown }
}

async fn fetch(capabilities: &str, after: &Cursor, limit: Limit, script: &str) -> (String, Kept) {
    let (mut session, server) = session(capabilities, script).await;
    let mut kept = Kept::default();
    let result = session.fetch(after, limit, &mut kept).await;
    drop(session);
    server.await.unwrap();
    (show_batch(&result, &kept), kept)
}

async fn check_fetch(capabilities: &str, after: Cursor, limit: Limit, script: &str, expected: &str) {
    assert_eq!(fetch(capabilities, &after, limit, script).await.0, expected);
}

/// Step by step, from the first message on.
async fn check(script: &str, expected: &str) {
    check_fetch("TOP;UIDL", cursor(&[], None), ALL, script, expected).await;
}

const EMPTY: &str = "C: UIDL\nS: +OK\nS: .\nC: LIST\nS: +OK\nS: .\n";
const TWO: &str = "C: UIDL\nS: +OK\nS: 1 a\nS: 2 b\nS: .\nC: LIST\nS: +OK\nS: 1 4\nS: 2 4\nS: .\n";
const ONE: &str = "C: UIDL\nS: +OK\nS: 1 a\nS: .\nC: LIST\nS: +OK\nS: 1 4\nS: .\n";
const RETR_A: &str = "C: RETR 1\nS: +OK\nS: hi\nS: .\n";
const RETR_B: &str = "C: RETR 2\nS: +OK\nS: ho\nS: .\n";

fn limit(messages: usize, octets: u64) -> Limit {
    Limit { messages, octets }
}

tests! {
    // Listing.
    an_empty_mailbox: check(EMPTY, "read; known ");
    no_uidl: check("C: UIDL\nS: -ERR unknown command", "misconfigured read");
    no_uidl_for_now: check("C: UIDL\nS: -ERR [SYS/TEMP] later", "temporary read");
    uidl_asks: check("C: UIDL\nS: + x", "garbled read");
    uidl_cut: check("C: UIDL\ncut", "temporary read");
    uidl_cut_in_the_list: check("C: UIDL\nS: +OK\nS: 1 a\ncut", "temporary read");
    uidl_hangs: check("C: UIDL\nS: +OK\nS: 1 a\nhang", "temporary read");
    list_refused: check("C: UIDL\nS: +OK\nS: .\nC: LIST\nS: -ERR no", "refused read");
    list_cut: check("C: UIDL\nS: +OK\nS: .\nC: LIST\ncut", "temporary read");

    // Reading.
    two: check(&format!("{TWO}{RETR_A}{RETR_B}"), "read a=hi\\r\\n b=ho\\r\\n; known a b");
    one_is_known: check_fetch("TOP;UIDL", cursor(&["a"], None), ALL, &format!("{TWO}{RETR_B}"), "read b=ho\\r\\n; known a b");
    all_are_known: check_fetch("TOP;UIDL", cursor(&["a", "b"], None), ALL, TWO, "read; known a b");
    what_is_gone_is_forgotten: check_fetch("TOP;UIDL", cursor(&["a", "b", "gone"], None), ALL, TWO, "read; known a b");
    nothing_is_left: check_fetch("TOP;UIDL", cursor(&["gone"], None), ALL, EMPTY, "read; known ");
    an_imap_cursor_knows_nothing: check_fetch("TOP;UIDL", Cursor::Imap(model::work::ImapCursor::default()), ALL, &format!("{ONE}{RETR_A}"), "read a=hi\\r\\n; known a");
    unstuffed: check(&format!("{ONE}C: RETR 1\nS: +OK\nS: ..a\nS: .b\nS: ...\nS: .\n"), "read a=.a\\r\\nb\\r\\n..\\r\\n; known a");
    an_empty_message: check(&format!("{ONE}C: RETR 1\nS: +OK\nS: .\n"), "read a=; known a");
    bare_line_feeds_in_a_message: check(&format!("{ONE}C: RETR 1\nS: +OK\nR: a\\n.\\nb\\r\\n.\\r\\n"), "read a=a\\n.\\nb\\r\\n; known a");
    a_forged_end_in_a_message: check(&format!("{TWO}C: RETR 1\nS: +OK\nR: a\\n.\\r\\n+OK\\r\\n.\\r\\n\n{RETR_B}"), "read a=a\\n.\\r\\n+OK\\r\\n b=ho\\r\\n; known a b");
    the_same_uidl_twice: check(&format!("C: UIDL\nS: +OK\nS: 1 a\nS: 2 a\nS: .\nC: LIST\nS: +OK\nS: 1 4\nS: 2 4\nS: .\n{RETR_A}{RETR_B}"), "read a=hi\\r\\n a#2=ho\\r\\n; known a a#2");
    a_message_limit: check_fetch("TOP;UIDL", cursor(&[], None), limit(1, 1000), &format!("{TWO}{RETR_A}"), "read a=hi\\r\\n; known a; more");
    an_octet_limit: check_fetch("TOP;UIDL", cursor(&[], None), limit(9, 7), &format!("{TWO}{RETR_A}"), "read a=hi\\r\\n; known a; more");
    an_octet_limit_that_fits: check_fetch("TOP;UIDL", cursor(&[], None), limit(9, 8), &format!("{TWO}{RETR_A}{RETR_B}"), "read a=hi\\r\\n b=ho\\r\\n; known a b");
    one_message_at_least: check_fetch("TOP;UIDL", cursor(&[], None), limit(0, 0), &format!("{TWO}{RETR_A}"), "read a=hi\\r\\n; known a; more");
    refused: check(&format!("{TWO}C: RETR 1\nS: -ERR corrupt\n{RETR_B}"), "read b=ho\\r\\n a!the server said \"-ERR corrupt\"; known a b");
    refused_for_good: check(&format!("{TWO}C: RETR 1\nS: -ERR [SYS/PERM] corrupt\n{RETR_B}"), "read b=ho\\r\\n a!the server said \"-ERR [SYS/PERM] corrupt\"; known a b");
    refused_for_now: check(&format!("{TWO}C: RETR 1\nS: -ERR [SYS/TEMP] disk\n{RETR_B}"), "read b=ho\\r\\n; known b; at a temporary read");
    second_refused_for_now: check(&format!("{TWO}{RETR_A}C: RETR 2\nS: -ERR [SYS/TEMP] disk"), "read a=hi\\r\\n; known a; at b temporary read");
    retr_cut_first: check(&format!("{TWO}C: RETR 1\ncut"), "read; known ; at a temporary read; more");
    retr_cut_in_the_message: check(&format!("{TWO}C: RETR 1\nS: +OK\nS: hi\ncut"), "read; known ; at a temporary read; more");
    retr_cut_at_the_dot: check(&format!("{TWO}C: RETR 1\nS: +OK\nR: hi\\r\\n.\ncut"), "read; known ; at a temporary read; more");
    retr_hangs_in_the_message: check(&format!("{TWO}C: RETR 1\nS: +OK\nS: hi\nhang"), "read; known ; at a temporary read; more");
    retr_cut_in_the_second: check(&format!("{TWO}{RETR_A}C: RETR 2\nS: +OK\nS: h\ncut"), "read a=hi\\r\\n; known a; at b temporary read; more");
    retr_garbage: check(&format!("{TWO}C: RETR 1\nS: hello"), "read; known ; at a garbled read; more");
}

const PIPELINED: &str = "C: UIDL\nC: LIST\nS: +OK\nS: 1 a\nS: 2 b\nS: .\nS: +OK\nS: 1 4\nS: 2 4\nS: .\n";

async fn check_pipelined(script: &str, expected: &str) {
    check_fetch("TOP;UIDL;PIPELINING", cursor(&[], None), ALL, &format!("{PIPELINED}{script}"), expected).await;
}

tests! {
    pipelined: check_pipelined("C: RETR 1\nC: RETR 2\nS: +OK\nS: hi\nS: .\nS: +OK\nS: ho\nS: .\n", "read a=hi\\r\\n b=ho\\r\\n; known a b");
    pipelined_in_one_piece: check_pipelined("C: RETR 1\nC: RETR 2\nR: +OK\\r\\nhi\\r\\n.\\r\\n+OK\\r\\nho\\r\\n.\\r\\n", "read a=hi\\r\\n b=ho\\r\\n; known a b");
    pipelined_first_refused: check_pipelined("C: RETR 1\nC: RETR 2\nS: -ERR x\nS: +OK\nS: ho\nS: .\n", "read b=ho\\r\\n a!the server said \"-ERR x\"; known a b");
    pipelined_first_refused_for_now: check_pipelined("C: RETR 1\nC: RETR 2\nS: -ERR [SYS/TEMP] x\nS: +OK\nS: ho\nS: .\n", "read b=ho\\r\\n; known b; at a temporary read");
    pipelined_cut: check_pipelined("C: RETR 1\nC: RETR 2\nS: +OK\nS: hi\nS: .\nS: +OK\nS: h\ncut", "read a=hi\\r\\n; known a; at b temporary read; more");
}

#[tokio::test]
async fn a_cut_message_is_abandoned() {
    let (_, kept) = fetch("UIDL", &cursor(&[], None), ALL, &format!("{ONE}C: RETR 1\nS: +OK\nS: hi\ncut")).await;
    assert_eq!((kept.abandoned, kept.whole.len()), (1, 0));
}

#[tokio::test]
async fn no_room_here() {
    let (mut session, server) = session("UIDL", &format!("{TWO}C: RETR 1\nS: +OK\nS: 0123456789\nS: .\n")).await;
    let mut kept = Kept { room: Some(5), ..Kept::default() };
    let failure = session.fetch(&cursor(&[], None), ALL, &mut kept).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Temporary);
    assert!(failure.detail.contains("stored"), "{}", failure.detail);
    assert_eq!(kept.abandoned, 1);
    assert!(!session.is_usable());
    drop(session);
    server.await.unwrap();
}

#[tokio::test]
async fn batch_after_batch_over_one_session() {
    let (mut session, server) = session("UIDL", &format!("{TWO}{RETR_A}{RETR_B}C: QUIT\nS: +OK bye\n")).await;
    let (mut kept, mut after) = (Kept::default(), cursor(&[], None));
    let mut rounds = 0;
    loop {
        let batch = session.fetch(&after, limit(1, 1), &mut kept).await.unwrap();
        (after, rounds) = (batch.cursor, rounds + 1);
        if !batch.more {
            break;
        }
    }
    assert_eq!((kept.whole, rounds), (vec!["hi\r\n".to_owned(), "ho\r\n".to_owned()], 2));
    session.log_out().await;
    server.await.unwrap();
}

// Since.
const SINCE: Option<&str> = Some("2024-06-01T00:00:00Z");
const OLD: &str = "S: +OK\nS: Date: Mon, 1 Jan 2024 00:00:00 +0000\nS: \nS: .\n";
const NEW: &str = "S: +OK\nS: Date: Mon, 1 Jul 2024 00:00:00 +0000\nS: \nS: .\n";

async fn check_since(capabilities: &str, limit: Limit, script: &str, expected: &str) {
    check_fetch(capabilities, cursor(&[], SINCE), limit, script, expected).await;
}

tests! {
    old_and_new: check_since("TOP;UIDL", ALL, &format!("{TWO}C: TOP 1 0\n{OLD}C: TOP 2 0\n{NEW}{RETR_B}"), "read b=ho\\r\\n; known a b");
    all_old: check_since("TOP;UIDL", ALL, &format!("{TWO}C: TOP 1 0\n{OLD}C: TOP 2 0\n{OLD}"), "read; known a b");
    old_pipelined: check_since("TOP;UIDL;PIPELINING", ALL, &format!("{PIPELINED}C: TOP 1 0\nC: TOP 2 0\n{OLD}{NEW}{RETR_B}"), "read b=ho\\r\\n; known a b");
    no_date_is_new: check_since("TOP;UIDL", ALL, &format!("{ONE}C: TOP 1 0\nS: +OK\nS: A: b\nS: \nS: .\n{RETR_A}"), "read a=hi\\r\\n; known a");
    no_header_is_new: check_since("TOP;UIDL", ALL, &format!("{ONE}C: TOP 1 0\nS: -ERR no\n{RETR_A}"), "read a=hi\\r\\n; known a");
    on_the_second_is_new: check_since("TOP;UIDL", ALL, &format!("{ONE}C: TOP 1 0\nS: +OK\nS: Date: Sat, 1 Jun 2024 00:00:00 +0000\nS: \nS: .\n{RETR_A}"), "read a=hi\\r\\n; known a");
    received_counts: check_since("TOP;UIDL", ALL, &format!("{ONE}C: TOP 1 0\nS: +OK\nS: Received: by mx;\nS: \\x09Mon, 1 Jul 2024 00:00:00 +0000\nS: Date: Mon, 1 Jan 2024 00:00:00 +0000\nS: \nS: .\n{RETR_A}"), "read a=hi\\r\\n; known a");
    limit_after_old: check_since("TOP;UIDL", limit(1, 99), &format!("{TWO}C: TOP 1 0\n{NEW}C: TOP 2 0\n{NEW}{RETR_A}"), "read a=hi\\r\\n; known a; more");
    no_top_old: check_since("UIDL", ALL, &format!("{ONE}C: RETR 1\n{OLD}"), "read; known a");
    no_top_new: check_since("UIDL", ALL, &format!("{ONE}C: RETR 1\n{NEW}"), "read a=Date: Mon, 1 Jul 2024 00:00:00 +0000\\r\\n\\r\\n; known a");
    top_is_tried_without_capa: check_since("none", ALL, &format!("{ONE}C: TOP 1 0\n{OLD}"), "read; known a");
    top_is_tried_and_fails: check_since("none", ALL, &format!("{TWO}C: TOP 1 0\nS: -ERR what\nC: RETR 1\n{OLD}C: RETR 2\n{NEW}"), "read b=Date: Mon, 1 Jul 2024 00:00:00 +0000\\r\\n\\r\\n; known a b");
    top_cut: check_since("TOP;UIDL", ALL, &format!("{TWO}C: TOP 1 0\ncut"), "temporary read");
    top_cut_in_the_header: check_since("TOP;UIDL", ALL, &format!("{TWO}C: TOP 1 0\nS: +OK\nS: A: b\ncut"), "temporary read");
}

// Settling.
const HEADER: &str = "S: +OK\nS: A: b\nS: \nS: .\n";

fn settle(uidl: &str, message: &str) -> Settle {
    Settle {
        position: Position::Pop3 { uidl: uidl.into() },
        action: SettleAction::Delete,
        size: u64::try_from(message.len()).unwrap(),
        header_digest: header_digest(message.as_bytes()),
    }
}

/// Twelve octets, as the listing below says.
const MESSAGE: &str = "A: b\r\n\r\nhi\r\n";
const BOTH: &str = "C: UIDL\nS: +OK\nS: 1 a\nS: 2 b\nS: .\nC: LIST\nS: +OK\nS: 1 12\nS: 2 12\nS: .\n";

async fn check_settle(capabilities: &str, settles: &[Settle], script: &str, expected: &str) {
    let (mut session, server) = session(capabilities, script).await;
    let result = session.settle(settles).await;
    let one = |outcome: &Settled| match outcome {
        Settled::Refused(failure) => format!("Refused {}", show(failure)),
        other => format!("{other:?}"),
    };
    let shown = match &result {
        Ok(outcomes) => format!("[{}]", outcomes.iter().map(one).collect::<Vec<_>>().join(", ")),
        Err(failure) => show(failure),
    };
    let usable = if session.is_usable() { "usable" } else { "over" };
    session.log_out().await;
    server.await.unwrap();
    assert_eq!(format!("{shown} ({usable})"), expected);
}

tests! {
    delete_one: check_settle("TOP;UIDL", &[settle("a", MESSAGE)], &format!("{BOTH}C: TOP 1 0\n{HEADER}C: DELE 1\nS: +OK\nC: QUIT\nS: +OK"), "[Done] (over)");
    delete_both: check_settle("TOP;UIDL", &[settle("b", MESSAGE), settle("a", MESSAGE)], &format!("{BOTH}C: TOP 2 0\n{HEADER}C: TOP 1 0\n{HEADER}C: DELE 1\nS: +OK\nC: DELE 2\nS: +OK\nC: QUIT\nS: +OK"), "[Done, Done] (over)");
    delete_both_pipelined: check_settle("TOP;UIDL;PIPELINING", &[settle("a", MESSAGE), settle("b", MESSAGE)], &format!("C: UIDL\nC: LIST\nS: +OK\nS: 1 a\nS: 2 b\nS: .\nS: +OK\nS: 1 12\nS: 2 12\nS: .\nC: TOP 1 0\nC: TOP 2 0\n{HEADER}{HEADER}C: DELE 1\nC: DELE 2\nS: +OK\nS: +OK\nC: QUIT\nS: +OK"), "[Done, Done] (over)");
    delete_the_same_twice: check_settle("TOP;UIDL;PIPELINING", &[settle("a", MESSAGE), settle("a", MESSAGE)], &format!("C: UIDL\nC: LIST\nS: +OK\nS: 1 a\nS: .\nS: +OK\nS: 1 12\nS: .\nC: TOP 1 0\nC: TOP 1 0\n{HEADER}{HEADER}C: DELE 1\nS: +OK\nC: QUIT\nS: +OK"), "[Done, Done] (over)");
    nothing_to_settle: check_settle("TOP;UIDL", &[], &format!("{BOTH}C: QUIT\nS: +OK"), "[] (usable)");
    gone: check_settle("TOP;UIDL", &[settle("z", MESSAGE)], &format!("{BOTH}C: QUIT\nS: +OK"), "[AlreadyGone] (usable)");
    gone_and_there: check_settle("TOP;UIDL", &[settle("z", MESSAGE), settle("a", MESSAGE)], &format!("{BOTH}C: TOP 1 0\n{HEADER}C: DELE 1\nS: +OK\nC: QUIT\nS: +OK"), "[AlreadyGone, Done] (over)");
    another_header: check_settle("TOP;UIDL", &[settle("a", MESSAGE)], &format!("{BOTH}C: TOP 1 0\nS: +OK\nS: A: c\nS: \nS: .\nC: RETR 1\nS: +OK\nS: A: c\nS: \nS: hi\nS: .\nC: QUIT\nS: +OK"), "[Different] (usable)");
    another_size: check_settle("TOP;UIDL", &[settle("a", "A: b\r\n\r\nhello\r\n")], &format!("{BOTH}C: RETR 1\nS: +OK\nS: A: b\nS: \nS: hi\nS: .\nC: QUIT\nS: +OK"), "[Different] (usable)");
    the_list_counts_otherwise: check_settle("TOP;UIDL", &[settle("a", "A: b\r\n\r\nhello\r\n")], &format!("{BOTH}C: RETR 1\nS: +OK\nS: A: b\nS: \nS: hello\nS: .\nC: DELE 1\nS: +OK\nC: QUIT\nS: +OK"), "[Done] (over)");
    no_top: check_settle("UIDL", &[settle("a", MESSAGE)], &format!("{BOTH}C: RETR 1\nS: +OK\nS: A: b\nS: \nS: hi\nS: .\nC: DELE 1\nS: +OK\nC: QUIT\nS: +OK"), "[Done] (over)");
    top_adds_a_line: check_settle("TOP;UIDL", &[settle("a", "A: b\r\nC: d\r\n")], &format!("{BOTH}C: TOP 1 0\nS: +OK\nS: A: b\nS: C: d\nS: \nS: .\nC: RETR 1\nS: +OK\nS: A: b\nS: C: d\nS: .\nC: DELE 1\nS: +OK\nC: QUIT\nS: +OK"), "[Done] (over)");
    unreadable: check_settle("UIDL", &[settle("a", MESSAGE)], &format!("{BOTH}C: RETR 1\nS: -ERR corrupt\nC: QUIT\nS: +OK"), "[Different] (usable)");
    unreadable_for_now: check_settle("UIDL", &[settle("a", MESSAGE)], &format!("{BOTH}C: RETR 1\nS: -ERR [SYS/TEMP] disk\nC: QUIT\nS: +OK"), "[Refused temporary settle] (usable)");
    imap_position: check_settle("UIDL", &[Settle { position: Position::Imap { folder: "INBOX".into(), uid_validity: 1, uid: 1 }, ..settle("a", MESSAGE) }], &format!("{BOTH}C: QUIT\nS: +OK"), "[Different] (usable)");
    dele_refused: check_settle("TOP;UIDL", &[settle("a", MESSAGE)], &format!("{BOTH}C: TOP 1 0\n{HEADER}C: DELE 1\nS: -ERR read-only\nC: QUIT\nS: +OK"), "[Refused refused settle] (usable)");
    second_dele_refused: check_settle("TOP;UIDL", &[settle("a", MESSAGE), settle("b", MESSAGE)], &format!("{BOTH}C: TOP 1 0\n{HEADER}C: TOP 2 0\n{HEADER}C: DELE 1\nS: +OK\nC: DELE 2\nS: -ERR no\nC: QUIT\nS: +OK"), "[Done, Refused refused settle] (over)");
    first_dele_refused: check_settle("TOP;UIDL", &[settle("a", MESSAGE), settle("b", MESSAGE)], &format!("{BOTH}C: TOP 1 0\n{HEADER}C: TOP 2 0\n{HEADER}C: DELE 1\nS: -ERR [SYS/TEMP] no\nC: DELE 2\nS: +OK\nC: QUIT\nS: +OK"), "[Refused temporary settle, Done] (over)");
    dele_garbage: check_settle("TOP;UIDL", &[settle("a", MESSAGE)], &format!("{BOTH}C: TOP 1 0\n{HEADER}C: DELE 1\nS: + x"), "garbled settle (over)");
    cut_at_dele: check_settle("TOP;UIDL", &[settle("a", MESSAGE)], &format!("{BOTH}C: TOP 1 0\n{HEADER}C: DELE 1\ncut"), "temporary settle (over)");
    cut_at_quit: check_settle("TOP;UIDL", &[settle("a", MESSAGE)], &format!("{BOTH}C: TOP 1 0\n{HEADER}C: DELE 1\nS: +OK\nC: QUIT\ncut"), "temporary settle (over)");
    hang_at_quit: check_settle("TOP;UIDL", &[settle("a", MESSAGE)], &format!("{BOTH}C: TOP 1 0\n{HEADER}C: DELE 1\nS: +OK\nC: QUIT\nhang"), "temporary settle (over)");
    quit_refused: check_settle("TOP;UIDL", &[settle("a", MESSAGE)], &format!("{BOTH}C: TOP 1 0\n{HEADER}C: DELE 1\nS: +OK\nC: QUIT\nS: -ERR some deleted messages not removed"), "temporary settle (over)");
    cut_at_top: check_settle("TOP;UIDL", &[settle("a", MESSAGE)], &format!("{BOTH}C: TOP 1 0\nS: +OK\nS: A: b\ncut"), "temporary settle (over)");
    cut_at_uidl: check_settle("TOP;UIDL", &[settle("a", MESSAGE)], "C: UIDL\ncut", "temporary settle (over)");
}

#[tokio::test]
async fn fetch_then_settle_over_one_session() {
    let script = format!(
        "{BOTH}C: RETR 1\nS: +OK\nS: A: b\nS: \nS: hi\nS: .\nC: TOP 1 0\n{HEADER}C: DELE 1\nS: +OK\nC: QUIT\nS: +OK bye\n"
    );
    let (mut session, server) = session("TOP;UIDL", &script).await;
    let mut kept = Kept::default();
    let batch = session.fetch(&cursor(&["b"], None), ALL, &mut kept).await.unwrap();
    let mail = &batch.mails[0];
    let todo = Settle {
        position: mail.position.clone(),
        action: SettleAction::Delete,
        size: mail.size,
        header_digest: header_digest(kept.whole[mail.ticket].as_bytes()),
    };
    assert_eq!(session.settle(&[todo]).await.unwrap(), [Settled::Done]);
    let over = session.fetch(&cursor(&[], None), ALL, &mut kept).await.unwrap_err();
    assert_eq!(over.kind, FailureKind::Temporary);
    drop(session);
    server.await.unwrap();
}

#[tokio::test]
async fn pop3_cannot_search() {
    let (mut session, server) = session("UIDL", "").await;
    assert_eq!(session.find(None, "<a@b>").await, Ok(Vec::new()));
    drop(session);
    server.await.unwrap();
}

async fn check_stat(answer: &str, expected: &str) {
    let (mut session, server) = session("UIDL", &format!("C: STAT\nS: {answer}\n")).await;
    let result = session.stat().await;
    drop(session);
    server.await.unwrap();
    assert_eq!(result.as_ref().map_or_else(show, |(messages, octets)| format!("{messages} {octets}")), expected);
}

tests! {
    stat: check_stat("+OK 2 320", "2 320");
    stat_with_more: check_stat("+OK 2 320 octets", "2 320");
    stat_without_numbers: check_stat("+OK mailbox", "garbled open");
    stat_refused: check_stat("-ERR no", "refused open");
    stat_garbage: check_stat("2 320", "garbled open");
}

#[tokio::test]
async fn many_messages_in_groups() {
    let numbers: Vec<u32> = (1..=100).collect();
    let list = |what: &dyn Fn(&u32) -> String| numbers.iter().map(what).collect::<String>();
    let mut script = "C: UIDL\nC: LIST\nS: +OK\n".to_owned();
    script += &list(&|n| format!("S: {n} id{n}\n"));
    script += "S: .\nS: +OK\n";
    script += &list(&|n| format!("S: {n} 10\n"));
    script += "S: .\n";
    for group in numbers.chunks(32) {
        script += &group.iter().map(|n| format!("C: RETR {n}\n")).collect::<String>();
        script += &group.iter().map(|n| format!("S: +OK\nS: message {n}\nS: .\n")).collect::<String>();
    }
    let (mut session, server) = session("TOP;UIDL;PIPELINING", &script).await;
    let mut kept = Kept::default();
    let batch = session.fetch(&cursor(&[], None), ALL, &mut kept).await.unwrap();
    assert_eq!(batch.mails.len(), 100);
    assert_eq!(kept.whole[99], "message 100\r\n");
    let positions: BTreeSet<_> = batch.mails.iter().map(|mail| mail.position.clone()).collect();
    assert_eq!(positions.len(), 100);
    drop(session);
    server.await.unwrap();
}
