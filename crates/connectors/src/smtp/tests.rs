//! Conversations byte by byte.

use std::time::Duration;

use model::{Failure, FailureKind, Secret, Step};
use tokio::io::DuplexStream;

use super::{Options, Session};
use crate::lines::script::play;
use crate::sasl::Credentials;
use crate::{Envelope, Receipt, SendMail};

const WAIT: Duration = Duration::from_secs(30);
const HELLO: &str = "S: 220 mx ready\nC: EHLO [127.0.0.1]\n";

async fn begin(stream: DuplexStream) -> Result<Session<DuplexStream>, Failure> {
    Session::begin(stream, true, WAIT, &Options::default()).await
}

/// `refused send 550 5.1.1`.
fn show(failure: &Failure) -> String {
    let mut shown = format!("{} {}", failure.kind, failure.during);
    if let Some(code) = failure.code {
        shown.push_str(&format!(" {code}"));
    }
    if let Some((a, b, c)) = failure.enhanced {
        shown.push_str(&format!(" {a}.{b}.{c}"));
    }
    shown
}

fn show_sent(result: &Result<Receipt, Failure>) -> String {
    match result {
        Err(failure) => show(failure),
        Ok(receipt) => {
            let each = receipt.recipients.iter().map(|one| match &one.result {
                Ok(reply) => format!(" | {} {reply}", one.address),
                Err(failure) => format!(" | {} {}", one.address, show(failure)),
            });
            receipt.reply.clone() + &each.collect::<String>()
        }
    }
}

fn to(addresses: &[&str]) -> Envelope {
    Envelope { from: "a@x".into(), to: addresses.iter().map(ToString::to_string).collect(), ..Envelope::default() }
}

/// Greeting and EHLO; shows the failure or what the server offers.
async fn check_begin(script: &str, expected: &str) {
    let (stream, server) = play(script);
    let begun = begin(stream).await;
    let shown = match &begun {
        Ok(session) => format!("{} {:?}", session.capabilities().domain, session.capabilities().pipelining),
        Err(failure) => show(failure),
    };
    drop(begun);
    server.await.unwrap();
    assert_eq!(shown, expected);
}

/// Sends `message` to the recipients; the script begins after EHLO. Returns the session if it is usable.
async fn send(offers: &str, script: &str, envelope: &Envelope, message: &[u8]) -> (Result<Receipt, Failure>, bool) {
    let ehlo: String =
        offers.split(';').filter(|offer| !offer.is_empty()).map(|offer| format!("S: 250-{offer}\n")).collect();
    let (stream, server) = play(&format!("{HELLO}S: 250-mx\n{ehlo}S: 250 X-END\n{script}"));
    let mut session = begin(stream).await.unwrap();
    let result = session.send(envelope, message).await;
    let usable = session.is_usable();
    if let Err(failure) = &result {
        assert!(!failure.detail.is_empty());
    }
    drop(session);
    server.await.unwrap();
    (result, usable)
}

async fn check(offers: &str, recipients: &[&str], script: &str, expected: &str) {
    let (result, usable) = send(offers, script, &to(recipients), b"hi\r\n").await;
    let usable = if usable { "usable" } else { "over" };
    assert_eq!(format!("{} ({usable})", show_sent(&result)), expected, "{result:?}");
}

/// One recipient, everything accepted up to the message, then the script.
async fn check_dot(script: &str, expected: &str) {
    let whole = format!("C: MAIL FROM:<a@x>\nS: 250 ok\nC: RCPT TO:<b@y>\nS: 250 ok\nC: DATA\nS: 354 go\n{script}");
    check("", &["b@y"], &whole, expected).await;
}

const MESSAGE: &str = "C: hi\nC: .\n";

/// One-line tests.
macro_rules! tests {
    ($($name:ident: $check:ident($($argument:expr),* $(,)?);)*) => {
        $(#[tokio::test(start_paused = true)]
        async fn $name() {
            $check($($argument),*).await;
        })*
    };
}

tests! {
    // The greeting and EHLO.
    greeting: check_begin("S: 220 mx\nC: EHLO [127.0.0.1]\nS: 250-mx.example hi\nS: 250 PIPELINING", "mx.example true");
    greeting_of_several_lines: check_begin("S: 220-mx\nS: 220-welcome\nS: 220 now\nC: EHLO [127.0.0.1]\nS: 250 mx", "mx false");
    greeting_with_bare_line_feeds: check_begin("R: 220 mx\\n\nC: EHLO [127.0.0.1]\nR: 250-mx\\n250 PIPELINING\\n", "mx true");
    greeting_without_text: check_begin("S: 220\nC: EHLO [127.0.0.1]\nS: 250", " false");
    greeting_in_pieces: check_begin("R: 2\nR: 20 m\nR: x\\r\nR: \\n\nC: EHLO [127.0.0.1]\nS: 250 mx", "mx false");
    greeting_refused: check_begin("S: 554 5.7.1 no", "refused greeting 554 5.7.1");
    greeting_busy: check_begin("S: 421 later", "temporary greeting 421");
    greeting_busy_and_gone: check_begin("S: 421 later\ncut", "temporary greeting 421");
    greeting_450: check_begin("S: 450 later", "temporary greeting 450");
    greeting_of_imap: check_begin("S: * OK IMAP4rev1 ready", "garbled greeting");
    greeting_of_pop: check_begin("S: +OK ready", "garbled greeting");
    greeting_of_http: check_begin("S: HTTP/1.0 400 Bad Request", "garbled greeting");
    greeting_of_tls: check_begin("R: \\x15\\x03\\x01\\x00\\x02\\x02\\x0a", "garbled greeting");
    greeting_empty_line: check_begin("S: ", "garbled greeting");
    greeting_cut: check_begin("cut", "temporary greeting");
    greeting_cut_in_the_line: check_begin("R: 220 m\ncut", "temporary greeting");
    greeting_cut_between_lines: check_begin("S: 220-mx\ncut", "temporary greeting");
    greeting_hangs: check_begin("hang", "temporary greeting");
    greeting_endless: check_begin(&format!("R: {}\nhang", "x".repeat(20_000)), "garbled greeting");
    greeting_endless_lines: check_begin(&format!("R: {}\nhang", "220-x\\r\\n".repeat(3000)), "garbled greeting");
    ehlo_unknown: check_begin("S: 220 mx\nC: EHLO [127.0.0.1]\nS: 500 what?\nC: HELO [127.0.0.1]\nS: 250 old.example", "old.example false");
    ehlo_502: check_begin("S: 220 mx\nC: EHLO [127.0.0.1]\nS: 502 no\nC: HELO [127.0.0.1]\nS: 250 old", "old false");
    ehlo_and_helo_refused: check_begin("S: 220 mx\nC: EHLO [127.0.0.1]\nS: 550 no\nC: HELO [127.0.0.1]\nS: 550 5.7.1 no", "refused greeting 550 5.7.1");
    ehlo_closing: check_begin("S: 220 mx\nC: EHLO [127.0.0.1]\nS: 421 4.3.2 no", "temporary greeting 421 4.3.2");
    ehlo_later: check_begin("S: 220 mx\nC: EHLO [127.0.0.1]\nS: 451 no", "temporary greeting 451");
    ehlo_hangs: check_begin("S: 220 mx\nC: EHLO [127.0.0.1]\nhang", "temporary greeting");
    ehlo_cut: check_begin("S: 220 mx\nC: EHLO [127.0.0.1]\ncut", "temporary greeting");
    ehlo_garbage: check_begin("S: 220 mx\nC: EHLO [127.0.0.1]\nS: hello", "garbled greeting");
    ehlo_asks: check_begin("S: 220 mx\nC: EHLO [127.0.0.1]\nS: 334 x", "garbled greeting 334");
    helo_keywords_do_not_count: check_begin("S: 220 mx\nC: EHLO [127.0.0.1]\nS: 500 x\nC: HELO [127.0.0.1]\nS: 250-old\nS: 250 PIPELINING", "old false");

    // One recipient, step by step.
    plain: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 250 ok\nC: RCPT TO:<b@y>\nS: 250 fine\nC: DATA\nS: 354 go\nC: hi\nC: .\nS: 250 2.0.0 queued", "250 2.0.0 queued | b@y 250 fine (usable)");
    rcpt_251: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 251 forwards\nC: DATA\nS: 354\nC: hi\nC: .\nS: 250", "250 | b@y 251 forwards (usable)");
    mail_refused: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 550 5.7.1 no\nC: RSET\nS: 250", "refused send 550 5.7.1 (usable)");
    mail_later: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 451 4.3.0 no\nC: RSET\nS: 250", "temporary send 451 4.3.0 (usable)");
    mail_needs_log_in: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 530 5.7.0 Authentication required\nC: RSET\nS: 250", "credentials send 530 5.7.0 (usable)");
    mail_closing: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 421 4.4.2 bye", "temporary send 421 4.4.2 (over)");
    mail_closing_and_gone: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 421 4.4.2 bye\ncut", "temporary send 421 4.4.2 (over)");
    mail_cut: check("", &["b@y"], "C: MAIL FROM:<a@x>\ncut", "temporary send (over)");
    mail_hangs: check("", &["b@y"], "C: MAIL FROM:<a@x>\nhang", "temporary send (over)");
    mail_garbage: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: huh", "garbled send (over)");
    mail_intermediate: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 354 go", "garbled send 354 (over)");
    rcpt_refused: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 550 5.1.1 no\nC: RSET\nS: 250", "refused send 550 5.1.1 (usable)");
    rcpt_later: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 450 4.7.1 grey\nC: RSET\nS: 250", "temporary send 450 4.7.1 (usable)");
    rcpt_closing: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 421 bye", "temporary send 421 (over)");
    rcpt_cut: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\ncut", "temporary send (over)");
    rcpt_hangs: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nhang", "temporary send (over)");
    rcpt_of_several_lines: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 550-5.1.1 no\nS: 550 5.1.1 really\nC: RSET\nS: 250", "refused send 550 5.1.1 (usable)");
    data_refused: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 250\nC: DATA\nS: 554 5.5.1 no\nC: RSET\nS: 250", "refused send 554 5.5.1 (usable)");
    data_later: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 250\nC: DATA\nS: 451 no\nC: RSET\nS: 250", "temporary send 451 (usable)");
    data_says_yes: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 250\nC: DATA\nS: 250 ok", "garbled send 250 (over)");
    data_cut: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 250\nC: DATA\ncut", "temporary send (over)");
    data_hangs: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 250\nC: DATA\nhang", "temporary send (over)");
    data_closing: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 250\nC: DATA\nS: 421 bye", "temporary send 421 (over)");
    reset_fails: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 550 no\nC: RSET\ncut", "refused send 550 (over)");
    reset_refused: check("", &["b@y"], "C: MAIL FROM:<a@x>\nS: 550 no\nC: RSET\nS: 500 what", "refused send 550 (over)");

    // The final dot.
    dot_accepted: check_dot(&format!("{MESSAGE}S: 250 ok"), "250 ok | b@y 250 ok (usable)");
    dot_of_several_lines: check_dot(&format!("{MESSAGE}S: 250-2.0.0 ok\nS: 250 2.0.0 id 7"), "250 2.0.0 ok id 7 | b@y 250 ok (usable)");
    dot_refused: check_dot(&format!("{MESSAGE}S: 554 5.7.1 spam"), "refused send 554 5.7.1 (usable)");
    dot_later: check_dot(&format!("{MESSAGE}S: 451 4.3.0 disk"), "temporary send 451 4.3.0 (usable)");
    dot_too_large: check_dot(&format!("{MESSAGE}S: 552 5.3.4 big"), "refused send 552 5.3.4 (usable)");
    dot_closing: check_dot(&format!("{MESSAGE}S: 421 4.3.0 bye"), "temporary send 421 4.3.0 (over)");
    dot_cut: check_dot(&format!("{MESSAGE}cut"), "uncertain send (over)");
    dot_cut_in_the_reply: check_dot(&format!("{MESSAGE}R: 250 o\ncut"), "uncertain send (over)");
    dot_cut_between_lines: check_dot(&format!("{MESSAGE}S: 250-ok\ncut"), "uncertain send (over)");
    dot_hangs: check_dot(&format!("{MESSAGE}hang"), "uncertain send (over)");
    dot_garbage: check_dot(&format!("{MESSAGE}S: queued"), "uncertain send (over)");
    dot_endless: check_dot(&format!("{MESSAGE}R: {}\nhang", "x".repeat(20_000)), "uncertain send (over)");
    dot_intermediate: check_dot(&format!("{MESSAGE}S: 354 more?"), "uncertain send (over)");
    dot_answered_before_the_message: check_dot("S: 552 5.3.4 too big\nhang", "refused send 552 5.3.4 (over)");
    dot_closed_before_the_message: check_dot("cut", "temporary send (over)");
    dot_accepted_before_the_message: check_dot("S: 250 ok\nhang", "garbled send (over)");
}

const TWO: &[&str] = &["b@y", "c@y"];
const PIPELINED: &str = "C: MAIL FROM:<a@x>\nC: RCPT TO:<b@y>\nC: RCPT TO:<c@y>\nC: DATA\n";

/// Two recipients over PIPELINING: all commands first, then the script.
async fn check_two(script: &str, expected: &str) {
    check("PIPELINING", TWO, &format!("{PIPELINED}{script}"), expected).await;
}

tests! {
    // PIPELINING.
    two: check_two("S: 250 m\nS: 250 b\nS: 250 c\nS: 354\nC: hi\nC: .\nS: 250 q", "250 q | b@y 250 b | c@y 250 c (usable)");
    two_in_one_write: check_two("R: 250 m\\r\\n250 b\\r\\n250 c\\r\\n354\\r\\n\nC: hi\nC: .\nS: 250 q", "250 q | b@y 250 b | c@y 250 c (usable)");
    second_refused: check_two("S: 250\nS: 250 b\nS: 550 5.1.1 c\nS: 354\nC: hi\nC: .\nS: 250 q", "250 q | b@y 250 b | c@y refused send 550 5.1.1 (usable)");
    first_refused: check_two("S: 250\nS: 550 5.1.1 b\nS: 250 c\nS: 354\nC: hi\nC: .\nS: 250 q", "250 q | b@y refused send 550 5.1.1 | c@y 250 c (usable)");
    first_refused_in_several_lines: check_two("S: 250-m\nS: 250 m\nS: 550-5.1.1 b\nS: 550 5.1.1 b\nS: 250-c\nS: 250 c\nS: 354\nC: hi\nC: .\nS: 250 q", "250 q | b@y refused send 550 5.1.1 | c@y 250 c c (usable)");
    one_deferred: check_two("S: 250\nS: 450 4.2.0 b\nS: 250 c\nS: 354\nC: hi\nC: .\nS: 250 q", "250 q | b@y temporary send 450 4.2.0 | c@y 250 c (usable)");
    too_many: check_two("S: 250\nS: 250 b\nS: 452 4.5.3 c\nS: 354\nC: hi\nC: .\nS: 250 q", "250 q | b@y 250 b | c@y temporary send 452 4.5.3 (usable)");
    both_refused: check_two("S: 250\nS: 550 5.1.1 b\nS: 550 5.1.1 c\nS: 554 5.5.1 none\nC: RSET\nS: 250", "refused send 550 5.1.1 (usable)");
    both_refused_but_data_is_open: check_two("S: 250\nS: 550 b\nS: 550 c\nS: 354 go\nC: .\nS: 554 none\nC: RSET\nS: 250", "refused send 550 (usable)");
    both_refused_and_the_empty_message_is_taken: check_two("S: 250\nS: 550 b\nS: 550 c\nS: 354 go\nC: .\nS: 250 ok\nC: RSET\nS: 250", "refused send 550 (usable)");
    one_refused_one_deferred: check_two("S: 250\nS: 550 5.1.1 b\nS: 450 4.2.0 c\nS: 554 none\nC: RSET\nS: 250", "temporary send 450 4.2.0 (usable)");
    mail_refused_in_the_pipeline: check_two("S: 553 5.1.8 who\nS: 503 b\nS: 503 c\nS: 503 d\nC: RSET\nS: 250", "refused send 553 5.1.8 (usable)");
    mail_refused_but_data_is_open: check_two("S: 553 5.1.8 who\nS: 503 b\nS: 503 c\nS: 354 d\nC: .\nS: 503\nC: RSET\nS: 250", "refused send 553 5.1.8 (usable)");
    closing_in_the_pipeline: check_two("S: 250\nS: 250\nS: 421 4.3.2 shutting down\ncut", "temporary send 421 4.3.2 (over)");
    closing_at_data: check_two("S: 250\nS: 250\nS: 250\nS: 421 4.3.2 shutting down\ncut", "temporary send 421 4.3.2 (over)");
    cut_in_the_pipeline: check_two("S: 250\nS: 250\ncut", "temporary send (over)");
    hang_in_the_pipeline: check_two("S: 250\nS: 250\nhang", "temporary send (over)");
    garbage_in_the_pipeline: check_two("S: 250\nS: hm\nhang", "garbled send (over)");
    intermediate_in_the_pipeline: check_two("S: 250\nS: 354\nhang", "garbled send 354 (over)");
    data_refused_in_the_pipeline: check_two("S: 250\nS: 250\nS: 250\nS: 451 4.3.0 no\nC: RSET\nS: 250", "temporary send 451 4.3.0 (usable)");
    cut_after_the_pipeline: check_two("S: 250\nS: 250\nS: 250\nS: 354\nC: hi\nC: .\ncut", "uncertain send (over)");
}

async fn check_refused_unsent(offers: &str, envelope: &Envelope, message: &[u8], words: &str) {
    let (result, usable) = send(offers, "", envelope, message).await;
    let failure = result.unwrap_err();
    assert_eq!((failure.kind, failure.during, usable), (FailureKind::Refused, Step::Send, true));
    assert!(failure.detail.contains(words), "{}", failure.detail);
}

/// What is written for MAIL.
async fn check_mail(offers: &str, envelope: &Envelope, message: &str, mail: &str) {
    let script = format!("C: {mail}\nS: 550 no\nC: RSET\nS: 250");
    send(offers, &script, envelope, message.as_bytes()).await.0.unwrap_err();
}

fn utf8() -> Envelope {
    Envelope { utf8: true, ..to(&["b@y"]) }
}

tests! {
    // What is known before anything is said.
    larger_than_the_limit: check_refused_unsent("SIZE 3", &to(&["b@y"]), b"hi\r\n", "it has 0.0 KiB (4 octets), the server takes at most 0.0 KiB (3 octets)");
    much_larger_than_the_limit: check_refused_unsent("SIZE 1048576", &to(&["b@y"]), &b"123456789\r\n".repeat(200_000), "it has 2.0 MiB (2,200,000 octets), the server takes at most 1.0 MiB (1,048,576 octets)");
    as_large_as_the_limit: check_mail("SIZE 4", &to(&["b@y"]), "hi\r\n", "MAIL FROM:<a@x> SIZE=4");
    size_zero_is_no_limit: check_mail("SIZE 0", &to(&["b@y"]), "hi\r\n", "MAIL FROM:<a@x> SIZE=4");
    size_counts_line_ends_as_sent: check_mail("SIZE", &to(&["b@y"]), "a\nb", "MAIL FROM:<a@x> SIZE=6");
    size_does_not_count_stuffed_dots: check_mail("SIZE", &to(&["b@y"]), ".\r\n", "MAIL FROM:<a@x> SIZE=3");
    eight_bits_not_offered: check_refused_unsent("", &to(&["b@y"]), "ü\r\n".as_bytes(), "8BITMIME");
    eight_bits_offered: check_mail("8BITMIME", &to(&["b@y"]), "ü\r\n", "MAIL FROM:<a@x> BODY=8BITMIME");
    seven_bits: check_mail("8BITMIME", &to(&["b@y"]), "u\r\n", "MAIL FROM:<a@x>");
    utf8_not_offered: check_refused_unsent("8BITMIME", &utf8(), b"hi\r\n", "SMTPUTF8");
    utf8_address_without_saying_so: check_refused_unsent("8BITMIME", &to(&["ü@y"]), b"hi\r\n", "SMTPUTF8");
    utf8_offered: check_mail("8BITMIME;SMTPUTF8", &utf8(), "hi\r\n", "MAIL FROM:<a@x> BODY=8BITMIME SMTPUTF8");
    dsn_offered: check_mail("DSN", &Envelope { dsn: Some("id7".into()), ..to(&["b@y"]) }, "hi\r\n", "MAIL FROM:<a@x> RET=HDRS ENVID=id7");
    dsn_not_offered: check_mail("", &Envelope { dsn: Some("id7".into()), ..to(&["b@y"]) }, "hi\r\n", "MAIL FROM:<a@x>");
    a_long_line: check_refused_unsent("", &to(&["b@y"]), &[b"a\r\n".as_slice(), &[b'x'; 999]].concat(), "line 2 of the message has 999 octets");
    no_recipients: check_refused_unsent("", &to(&[]), b"hi\r\n", "no recipient");
    an_injected_recipient: check_refused_unsent("", &to(&["b@y>\r\nRCPT TO:<evil@z"]), b"hi\r\n", "line break");
    an_injected_sender: check_refused_unsent("", &Envelope { from: "a@x>\nDATA".into(), ..to(&["b@y"]) }, b"hi\r\n", "line break");
    an_injected_parameter: check_refused_unsent("", &to(&["b@y> NOTIFY=NEVER"]), b"hi\r\n", "angle bracket");
    an_envelope_id_that_breaks_the_line: check_mail("DSN", &Envelope { dsn: Some("a\r\nDATA".into()), ..to(&["b@y"]) }, "hi\r\n", "MAIL FROM:<a@x> RET=HDRS ENVID=a+0D+0ADATA");
}

#[tokio::test]
async fn dsn_for_every_recipient() {
    let script = "C: MAIL FROM:<a@x> RET=HDRS ENVID=7\nC: RCPT TO:<b@y> NOTIFY=FAILURE,DELAY ORCPT=rfc822;b@y\nC: RCPT TO:<c@y> \
                  NOTIFY=FAILURE,DELAY ORCPT=rfc822;c@y\nC: DATA\nS: 250\nS: 250\nS: 250\nS: 354\nC: hi\nC: .\nS: 250";
    let envelope = Envelope { dsn: Some("7".into()), ..to(TWO) };
    send("PIPELINING;DSN", script, &envelope, b"hi\r\n").await.0.unwrap();
}

#[tokio::test]
async fn dots_are_stuffed() {
    let script =
        "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 250\nC: DATA\nS: 354\nC: ..\nC: a\nC: ..b\nC: .\nS: 250";
    send("", script, &to(&["b@y"]), b".\r\na\n.b").await.0.unwrap();
}

#[tokio::test]
async fn an_empty_message() {
    let script = "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 250\nC: DATA\nS: 354\nC: .\nS: 250";
    send("", script, &to(&["b@y"]), b"").await.0.unwrap();
}

#[tokio::test]
async fn a_message_of_many_pieces() {
    let message = b"0123456789 0123456789 0123456789\r\n.\r\n".repeat(10_000);
    let wire = "C: 0123456789 0123456789 0123456789\nC: ..\n".repeat(10_000);
    let script = format!("C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 250\nC: DATA\nS: 354\n{wire}C: .\nS: 250");
    send("", &script, &to(&["b@y"]), &message).await.0.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_server_stops_reading_a_large_message() {
    let script =
        "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 250\nC: DATA\nS: 354\nB: 0123\nS: 552 5.3.4 too big\ncut";
    let message = b"0123456789\r\n".repeat(1_000_000);
    let (result, usable) = send("", script, &to(&["b@y"]), &message).await;
    assert_eq!((show_sent(&result).as_str(), usable), ("refused send 552 5.3.4", false));
}

#[tokio::test(start_paused = true)]
async fn the_connection_breaks_in_a_large_message() {
    let script = "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 250\nC: DATA\nS: 354\nB: 0123\ncut";
    let message = b"0123456789\r\n".repeat(1_000_000);
    let (result, usable) = send("", script, &to(&["b@y"]), &message).await;
    assert_eq!((show_sent(&result).as_str(), usable), ("temporary send", false));
}

#[tokio::test(start_paused = true)]
async fn the_server_does_not_take_the_message() {
    // The pipe holds 1 MiB; nobody reads.
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let server = tokio::spawn(async move {
        let mut theirs = theirs;
        tokio::io::AsyncWriteExt::write_all(&mut theirs, b"220 x\r\n250 x\r\n250\r\n250\r\n354\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_secs(3600)).await;
    });
    let mut session = begin(ours).await.unwrap();
    // Replies that were there before the command are news, and end the conversation.
    let result = session.send(&to(&["b@y"]), b"hi\r\n").await;
    assert_eq!(show_sent(&result), "garbled send 250");
    server.abort();
}

#[tokio::test]
async fn many_recipients_go_in_groups() {
    let all: Vec<String> = (0..250).map(|number| format!("r{number}@y")).collect();
    let mut script = "C: MAIL FROM:<a@x>\n".to_owned();
    for group in all.chunks(100) {
        script += &group.iter().map(|address| format!("C: RCPT TO:<{address}>\n")).collect::<String>();
        script += if group.len() < 100 { "C: DATA\n" } else { "" };
        script += if group[0] == "r0@y" { "S: 250 m\n" } else { "" };
        script += &group.iter().map(|address| format!("S: 250 {address}\n")).collect::<String>();
    }
    script += "S: 354\nC: hi\nC: .\nS: 250 q";
    let envelope = Envelope { from: "a@x".into(), to: all.clone(), ..Envelope::default() };
    let receipt = send("PIPELINING", &script, &envelope, b"hi\r\n").await.0.unwrap();
    for (one, address) in receipt.recipients.iter().zip(&all) {
        assert_eq!((&one.address, one.result.as_deref()), (address, Ok(format!("250 {address}").as_str())));
    }
    assert_eq!(receipt.recipients.len(), 250);
}

#[tokio::test]
async fn each_servers_words_are_reported() {
    let script =
        format!("{PIPELINED}S: 250\nS: 550 5.1.1 no b here\nS: 550 5.7.1 c is off\nS: 554 none\nC: RSET\nS: 250");
    let failure = send("PIPELINING", &script, &to(TWO), b"hi\r\n").await.0.unwrap_err();
    for words in ["<b@y>", "no b here", "<c@y>", "c is off"] {
        assert!(failure.detail.contains(words), "{}", failure.detail);
    }
    assert!(failure.transcript.iter().any(|line| line == "S: 550 5.1.1 no b here"), "{:?}", failure.transcript);
}

const OPEN: &str = "S: 220 mx\nC: EHLO [127.0.0.1]\nS: 250 mx\n";
const SENT: &str = "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 250\nC: DATA\nS: 354\nC: hi\nC: .\nS: 250 q\n";

#[tokio::test]
async fn several_messages_over_one_session() {
    let refused = "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 550\nC: RSET\nS: 250\n";
    let spam = "C: MAIL FROM:<a@x>\nS: 250\nC: RCPT TO:<b@y>\nS: 250\nC: DATA\nS: 354\nC: hi\nC: .\nS: 554 spam\nC: RSET\nS: 250\n";
    let (stream, server) = play(&format!("{OPEN}{SENT}{refused}{SENT}{spam}{SENT}C: QUIT\nS: 221 bye\n"));
    let mut session = begin(stream).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(session.send(&to(&["b@y"]), b"hi\r\n").await.is_ok());
        assert!(session.is_usable());
    }
    assert_eq!(seen, [true, false, true, false, true]);
    session.quit().await;
    server.await.unwrap();
}

#[tokio::test]
async fn alive() {
    let (stream, server) = play(&format!("{OPEN}C: NOOP\nS: 250 ok\n{SENT}C: NOOP\nS: 250"));
    let mut session = begin(stream).await.unwrap();
    assert!(session.is_alive().await);
    session.send(&to(&["b@y"]), b"hi\r\n").await.unwrap();
    assert!(session.is_alive().await);
    drop(session);
    server.await.unwrap();
}

/// The session has been idle, and the server does as in the script.
async fn check_idle(script: &str) {
    let (stream, server) = play(&format!("{OPEN}{script}"));
    let mut session = begin(stream).await.unwrap();
    tokio::task::yield_now().await;
    assert!(!session.is_alive().await);
    assert!(!session.is_usable());
    let result = session.send(&to(&["b@y"]), b"hi\r\n").await;
    assert_eq!(show_sent(&result), "temporary send");
    session.quit().await;
    server.await.unwrap();
}

tests! {
    idle_and_gone: check_idle("cut");
    idle_and_closing: check_idle("S: 421 4.4.2 timeout\ncut");
    noop_refused: check_idle("C: NOOP\nS: 500 no");
    noop_closing: check_idle("C: NOOP\nS: 421 no");
    noop_cut: check_idle("C: NOOP\ncut");
    noop_hangs: check_idle("C: NOOP\nhang");
}

#[tokio::test]
async fn a_goodbye_in_the_meantime_is_seen_before_sending() {
    let (stream, server) = play(&format!("{OPEN}S: 421 4.4.2 timeout\ncut"));
    let mut session = begin(stream).await.unwrap();
    tokio::task::yield_now().await;
    let result = session.send(&to(&["b@y"]), b"hi\r\n").await;
    assert_eq!(show_sent(&result), "temporary send 421 4.4.2");
    server.await.unwrap();
}

/// STARTTLS; shows the failure, or `ready`.
async fn check_start_tls(script: &str, expected: &str) {
    let (stream, server) = play(&format!("S: 220 mx\nC: EHLO [127.0.0.1]\n{script}"));
    let session = begin(stream).await.unwrap();
    // The server's next words have to be there, if there are any.
    let started = session.start_tls().await;
    let shown = started.as_ref().map_or_else(show, |_| "ready".into());
    drop(started);
    server.await.unwrap();
    assert_eq!(shown, expected);
}

tests! {
    start_tls: check_start_tls("S: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go", "ready");
    start_tls_not_offered: check_start_tls("S: 250 mx", "misconfigured TLS");
    start_tls_refused: check_start_tls("S: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 502 no", "misconfigured TLS 502");
    start_tls_later: check_start_tls("S: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 454 4.7.0 no", "temporary TLS 454 4.7.0");
    start_tls_cut: check_start_tls("S: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\ncut", "temporary TLS");
    start_tls_injected: check_start_tls("S: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nR: 220 go\\r\\n250 AUTH PLAIN\\r\\n", "garbled TLS");
    start_tls_injected_half_a_line: check_start_tls("S: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nR: 220 go\\r\\n2", "garbled TLS");
}

fn password() -> Credentials {
    Credentials::Password { user: "u".into(), password: Secret::new("s3cret") }
}

fn token(token: &str) -> Credentials {
    Credentials::OAuth { user: "u".into(), token: Secret::new(token) }
}

/// Logs in; shows the mechanism or the failure. The secret is nowhere to be seen.
async fn check_auth(auth: &str, credentials: Credentials, script: &str, expected: &str) {
    let (stream, server) = play(&format!("S: 220 mx\nC: EHLO [127.0.0.1]\nS: 250-mx\nS: 250 {auth}\n{script}"));
    let mut session = begin(stream).await.unwrap();
    let result = session.log_in(&credentials).await;
    let everything = format!("{:?} {result:?}", session.transcript());
    for secret in ["s3cret", "AHUAczNjcmV0", "czNjcmV0", "t0ken", "dDBrZW4"] {
        assert!(!everything.contains(secret), "{everything}");
    }
    drop(session);
    server.await.unwrap();
    assert_eq!(result.as_ref().map_or_else(show, ToString::to_string), expected, "{result:?}");
}

// base64("\0u\0s3cret") and the tokens' likes.
const PLAIN: &str = "AHUAczNjcmV0";

tests! {
    plain_log_in: check_auth("AUTH PLAIN LOGIN", password(), &format!("C: AUTH PLAIN {PLAIN}\nS: 235 2.7.0 ok"), "PLAIN");
    plain_asked_again: check_auth("AUTH PLAIN", password(), &format!("C: AUTH PLAIN {PLAIN}\nS: 334 \nC: *\nS: 501 cancelled"), "garbled log in");
    login_log_in: check_auth("AUTH LOGIN", password(), "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: dQ==\nS: 334 UGFzc3dvcmQ6\nC: czNjcmV0\nS: 235 ok", "LOGIN");
    wrong_password: check_auth("AUTH PLAIN", password(), &format!("C: AUTH PLAIN {PLAIN}\nS: 535 5.7.8 no"), "credentials log in 535 5.7.8");
    not_now: check_auth("AUTH PLAIN", password(), &format!("C: AUTH PLAIN {PLAIN}\nS: 454 4.7.0 no"), "temporary log in 454 4.7.0");
    closing: check_auth("AUTH PLAIN", password(), &format!("C: AUTH PLAIN {PLAIN}\nS: 421 4.7.0 no"), "temporary log in 421 4.7.0");
    auth_cut: check_auth("AUTH PLAIN", password(), &format!("C: AUTH PLAIN {PLAIN}\ncut"), "temporary log in");
    auth_hangs: check_auth("AUTH PLAIN", password(), &format!("C: AUTH PLAIN {PLAIN}\nhang"), "temporary log in");
    auth_garbage: check_auth("AUTH PLAIN", password(), &format!("C: AUTH PLAIN {PLAIN}\nS: ok"), "garbled log in");
    not_base64: check_auth("AUTH LOGIN", password(), "C: AUTH LOGIN\nS: 334 ?!\nC: *\nS: 501 ok", "garbled log in");
    no_auth: check_auth("HELP", password(), "", "misconfigured log in");
    no_common_mechanism: check_auth("AUTH GSSAPI NTLM", password(), "", "misconfigured log in");
    no_mechanism_for_a_token: check_auth("AUTH PLAIN LOGIN", token("t0ken"), "", "misconfigured log in");
    the_next_mechanism: check_auth("AUTH PLAIN LOGIN", password(), &format!("C: AUTH PLAIN {PLAIN}\nS: 504 5.5.4 no\nC: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: dQ==\nS: 334 UGFzc3dvcmQ6\nC: czNjcmV0\nS: 235 ok"), "LOGIN");
    no_mechanism_works: check_auth("AUTH PLAIN", password(), &format!("C: AUTH PLAIN {PLAIN}\nS: 504 5.5.4 no"), "misconfigured log in 504 5.5.4");
    xoauth2: check_auth("AUTH XOAUTH2", token("t0ken"), "C: AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIHQwa2VuAQE=\nS: 235 ok", "XOAUTH2");
    xoauth2_refused: check_auth("AUTH XOAUTH2", token("t0ken"), "C: AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIHQwa2VuAQE=\nS: 334 eyJzdGF0dXMiOiI0MDEifQ==\nC: \nS: 535 5.7.8 no", "credentials log in 535 5.7.8");
    oauthbearer: check_auth("AUTH OAUTHBEARER XOAUTH2", token("t0ken"), "C: AUTH OAUTHBEARER bixhPXUsAWF1dGg9QmVhcmVyIHQwa2VuAQE=\nS: 235 ok", "OAUTHBEARER");
    oauthbearer_refused: check_auth("AUTH OAUTHBEARER", token("t0ken"), "C: AUTH OAUTHBEARER bixhPXUsAWF1dGg9QmVhcmVyIHQwa2VuAQE=\nS: 334 eyJzdGF0dXMiOiI0MDEifQ==\nC: AQ==\nS: 535 5.7.8 no", "credentials log in 535 5.7.8");
}

#[tokio::test]
async fn the_servers_reason_for_refusing_a_token_is_told() {
    let script = "S: 220 mx\nC: EHLO [127.0.0.1]\nS: 250-mx\nS: 250 AUTH XOAUTH2\nC: AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIHQBAQ==\n\
                  S: 334 eyJzdGF0dXMiOiI0MDEifQ==\nC: \nS: 535 no";
    let (stream, server) = play(script);
    let mut session = begin(stream).await.unwrap();
    let failure = session.log_in(&token("t")).await.unwrap_err();
    assert!(failure.detail.contains("{\"status\":\"401\"}"), "{}", failure.detail);
    drop(session);
    server.await.unwrap();
}

#[tokio::test]
async fn a_long_token_waits_for_the_question() {
    let long = "t".repeat(1000);
    let response = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        format!("user=u\x01auth=Bearer {long}\x01\x01"),
    );
    let script = format!(
        "S: 220 mx\nC: EHLO [127.0.0.1]\nS: 250-mx\nS: 250 AUTH XOAUTH2\nC: AUTH XOAUTH2\nS: 334 \nC: {response}\nS: 235 ok"
    );
    let (stream, server) = play(&script);
    let mut session = begin(stream).await.unwrap();
    assert_eq!(session.log_in(&token(&long)).await.unwrap(), "XOAUTH2");
    drop(session);
    server.await.unwrap();
}

#[tokio::test]
async fn no_password_in_clear_text() {
    let (stream, server) =
        play("S: 220 mx\nC: EHLO [127.0.0.1]\nS: 250-mx\nS: 250-STARTTLS\nS: 250 AUTH PLAIN LOGIN\n");
    let mut session = Session::begin(stream, false, WAIT, &Options::default()).await.unwrap();
    let failure = session.log_in(&password()).await.unwrap_err();
    assert_eq!(show(&failure), "misconfigured log in");
    drop(session);
    server.await.unwrap();
}

#[test]
fn the_final_dot_waits_longer() {
    for (command, dot) in [(1, 10), (30, 300), (60, 600), (300, 600), (600, 1200)] {
        let scaled = super::Timeouts::scaled(Duration::from_secs(command));
        assert_eq!(scaled.final_dot, Duration::from_secs(dot), "{command}");
    }
}
