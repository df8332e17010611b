//! Removing messages against a scripted server.

use std::time::Duration;

use proptest::prelude::*;
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;

use super::*;
use crate::imap::client::{Client, Greeting};
use crate::imap::script::play;

async fn session(capabilities: &str, script: &str) -> (Session<DuplexStream>, JoinHandle<()>) {
    let (stream, server) = play(&format!("S: * PREAUTH [CAPABILITY IMAP4rev1 {capabilities}] hello\n{script}"));
    match Client::greet(stream, Duration::from_secs(5)).await.unwrap() {
        Greeting::Session(session) => (session, server),
        Greeting::Client(_) => panic!("not logged in"),
    }
}

const HEADER: &str = "a: b\r\n\r\n";

fn delete(uid_validity: u32, uid: u32) -> Settle {
    Settle {
        position: Position::Imap { folder: "INBOX".into(), uid_validity, uid },
        action: SettleAction::Delete,
        size: 20,
        header_digest: header_digest(HEADER.as_bytes()),
    }
}

const OPEN: &str = "C: A1 SELECT \"INBOX\"
    S: * OK [UIDVALIDITY 17]
    S: A1 OK [READ-WRITE]\n";

async fn check(capabilities: &str, settles: &[Settle], script: &str, expected: &[Settled]) {
    let (mut session, server) = session(capabilities, script).await;
    let settled = session.settle(settles).await;
    server.await.unwrap();
    assert_eq!(settled.unwrap(), expected);
}

/// How the outcomes begin, where refusals are among them.
async fn check_refused(capabilities: &str, settles: &[Settle], script: &str, expected: &[&str]) {
    let (mut session, server) = session(capabilities, script).await;
    let settled = session.settle(settles).await;
    server.await.unwrap();
    let shown = settled.unwrap().into_iter().map(|outcome| match outcome {
        Settled::Refused(failure) => format!("{} {}: {}", failure.kind, failure.during, failure.detail),
        other => format!("{other:?}"),
    });
    let shown: Vec<_> = shown.collect();
    assert_eq!(shown.len(), expected.len());
    for (shown, expected) in shown.iter().zip(expected) {
        assert!(shown.starts_with(expected), "{shown}");
    }
}

#[tokio::test]
async fn what_was_read_is_removed_by_uid() {
    let script = OPEN.to_owned()
        + "C: A2 UID FETCH 4:5,9 (UID RFC822.SIZE BODY.PEEK[HEADER])
        S: * 1 FETCH (UID 4 RFC822.SIZE 20 BODY[HEADER] {8}\\r\\na: b\\r\\n\\r\\n)
        S: * 2 FETCH (UID 9 RFC822.SIZE 20 BODY[HEADER] {8}\\r\\na: b\\r\\n\\r\\n)
        S: A2 OK
        C: A3 UID STORE 4,9 +FLAGS.SILENT (\\Deleted)\\r\\nA4 UID EXPUNGE 4,9
        S: A3 OK
        S: * 1 EXPUNGE
        S: A4 OK";
    let settles = [delete(17, 9), delete(17, 5), delete(17, 4)];
    check("UIDPLUS", &settles, &script, &[Settled::Done, Settled::AlreadyGone, Settled::Done]).await;
}

#[tokio::test]
async fn another_uidvalidity_means_other_messages() {
    check("UIDPLUS", &[delete(16, 9)], OPEN, &[Settled::Different]).await;
}

#[tokio::test]
async fn nothing_to_do_needs_no_words() {
    check("UIDPLUS", &[], "", &[]).await;
}

#[tokio::test]
async fn something_else_stands_there() {
    let script = OPEN.to_owned()
        + "C: A2 UID FETCH 4 (UID RFC822.SIZE BODY.PEEK[HEADER])
        S: * 1 FETCH (UID 4 RFC822.SIZE 20 BODY[HEADER] {8}\\r\\na: c\\r\\n\\r\\n)
        S: A2 OK
        C: A3 UID FETCH 4 (UID BODY.PEEK[])
        S: * 1 FETCH (UID 4 BODY[] {20}\\r\\na: c\\r\\n\\r\\n012345678901)
        S: A3 OK";
    check("UIDPLUS", &[delete(17, 4)], &script, &[Settled::Different]).await;
}

#[tokio::test]
async fn a_server_that_counts_wrongly_is_read_again() {
    let script = OPEN.to_owned()
        + "C: A2 UID FETCH 4 (UID RFC822.SIZE BODY.PEEK[HEADER])
        S: * 1 FETCH (UID 4 RFC822.SIZE 999 BODY[HEADER] {8}\\r\\na: b\\r\\n\\r\\n)
        S: A2 OK
        C: A3 UID FETCH 4 (UID BODY.PEEK[])
        S: * 1 FETCH (UID 4 BODY[] {20}\\r\\na: b\\r\\n\\r\\n012345678901)
        S: A3 OK
        C: A4 UID STORE 4 +FLAGS.SILENT (\\Deleted)\\r\\nA5 UID EXPUNGE 4
        S: A4 OK
        S: A5 OK";
    check("UIDPLUS", &[delete(17, 4)], &script, &[Settled::Done]).await;
}

const VERIFIED: &str = "C: A2 UID FETCH 4 (UID RFC822.SIZE BODY.PEEK[HEADER])
    S: * 1 FETCH (UID 4 RFC822.SIZE 20 BODY[HEADER] {8}\\r\\na: b\\r\\n\\r\\n)
    S: A2 OK\n";

#[tokio::test]
async fn without_uidplus_messages_are_moved_away() {
    let script = OPEN.to_owned()
        + VERIFIED
        + "C: A3 LIST \"\" \"*\"
        S: * LIST (\\Trash) \"/\" Bin
        S: A3 OK
        C: A4 UID MOVE 4 \"Bin\"
        S: A4 OK";
    check("MOVE", &[delete(17, 4)], &script, &[Settled::Done]).await;
    check("MOVE UIDPLUS X-GM-EXT-1", &[delete(17, 4)], &script, &[Settled::Done]).await;
}

#[tokio::test]
async fn without_any_safe_way_nothing_is_removed() {
    let script = OPEN.to_owned()
        + VERIFIED
        + "C: A3 UID STORE 4 +FLAGS.SILENT (\\Deleted)
        S: A3 OK";
    check_refused("", &[delete(17, 4)], &script, &["refused settle: the server has no UIDPLUS"]).await;
}

#[tokio::test]
async fn a_folder_for_reading_only() {
    let script = OPEN.replace("READ-WRITE", "READ-ONLY");
    let expected = "refused settle: the folder 'INBOX' can only be read";
    check_refused("UIDPLUS", &[delete(17, 4), delete(17, 5)], &script, &[expected, expected]).await;
}

#[tokio::test]
async fn a_folder_that_is_not_there() {
    let script = "C: A1 SELECT \"INBOX\"\nS: A1 NO [NONEXISTENT] no such folder";
    check_refused("UIDPLUS", &[delete(17, 4)], script, &["misconfigured open"]).await;
}

#[tokio::test]
async fn a_lost_connection_is_no_refusal() {
    let (mut session, server) = session("UIDPLUS", "C: A1 SELECT \"INBOX\"").await;
    assert_eq!(session.settle(&[delete(17, 4)]).await.unwrap_err().kind, FailureKind::Temporary);
    server.await.unwrap();
}

#[tokio::test]
async fn a_refused_store_is_an_outcome() {
    let script = OPEN.to_owned()
        + VERIFIED
        + "C: A3 UID STORE 4 +FLAGS.SILENT (\\Deleted)\\r\\nA4 UID EXPUNGE 4
        S: A3 NO [NOPERM] no
        S: A4 OK";
    check_refused("UIDPLUS", &[delete(17, 4)], &script, &["refused settle: the server said: \"NO [NOPERM] no\""]).await;
}

#[tokio::test]
async fn one_that_cannot_go_does_not_keep_the_others() {
    let script = OPEN.to_owned()
        + "C: A2 UID FETCH 4:5 (UID RFC822.SIZE BODY.PEEK[HEADER])
        S: * 1 FETCH (UID 4 RFC822.SIZE 20 BODY[HEADER] {8}\\r\\na: b\\r\\n\\r\\n)
        S: * 2 FETCH (UID 5 RFC822.SIZE 20 BODY[HEADER] {8}\\r\\na: b\\r\\n\\r\\n)
        S: A2 OK
        C: A3 UID STORE 4:5 +FLAGS.SILENT (\\Deleted)\\r\\nA4 UID EXPUNGE 4:5
        S: A3 NO [SERVERBUG] no
        S: A4 OK
        C: A5 UID STORE 4 +FLAGS.SILENT (\\Deleted)\\r\\nA6 UID EXPUNGE 4
        S: A5 NO [SERVERBUG] no
        S: A6 OK
        C: A7 UID STORE 5 +FLAGS.SILENT (\\Deleted)\\r\\nA8 UID EXPUNGE 5
        S: A7 OK
        S: A8 OK";
    check_refused("UIDPLUS", &[delete(17, 5), delete(17, 4)], &script, &["Done", "temporary settle: the server said"])
        .await;
}

#[tokio::test]
async fn what_was_read_by_pop3_is_not_here() {
    let settle = Settle { position: Position::Pop3 { uidl: "x".into() }, ..delete(17, 4) };
    check("UIDPLUS", &[settle], "", &[Settled::Different]).await;
}

#[track_caller]
fn header(message: &str, expected: &str) {
    let expected = aws_lc_rs::digest::digest(&SHA256, expected.as_bytes());
    assert_eq!(header_digest(message.as_bytes()), expected.as_ref(), "{message:?}");
}

#[test]
fn the_header_section_ends_with_the_empty_line() {
    header("a: b\r\n\r\nbody\r\n\r\n", "a: b\r\n\r\n");
    header("a: b\r\n\r\n", "a: b\r\n\r\n");
    header("a: b\r\n", "a: b\r\n");
    header("a: b", "a: b");
    header("", "");
    header("\r\nbody", "\r\n");
    header("a: b\n\nbody", "a: b\n\n");
    header("a: b\r\n \r\nc: d\r\n\r\nbody", "a: b\r\n \r\nc: d\r\n\r\n");
    header("a: b\r\r\n\r\nbody", "a: b\r\r\n\r\n");
}

proptest! {
    #[test]
    fn pieces_make_no_difference(message in "[a\r\n]{0,30}", at in 0usize..30) {
        let at = at.min(message.len());
        let mut digest = HeaderDigest::default();
        digest.update(&message.as_bytes()[..at]);
        digest.update(&message.as_bytes()[at..]);
        // "\r" + "\r\n" cannot be told from an empty line without looking back; mail has no lone CR.
        prop_assume!(!message.contains("\r\r"));
        prop_assert_eq!(digest.finish(), header_digest(message.as_bytes()));
    }
}
