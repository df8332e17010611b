//! Reading a mailbox against a scripted server.

use tokio::io::DuplexStream;
use tokio::task::JoinHandle;

use super::*;
use crate::imap::client::{Client, Greeting};
use crate::imap::script::{Memory, play};

const PATIENCE: Duration = Duration::from_secs(5);
const LIMIT: Limit = Limit { messages: 100, octets: 1 << 30 };

async fn reader(capabilities: &str, script: &str) -> (ImapReader<DuplexStream>, JoinHandle<()>) {
    let (stream, server) = play(&format!("S: * PREAUTH [CAPABILITY IMAP4rev1 {capabilities}] hello\n{script}"));
    match Client::greet(stream, PATIENCE).await.unwrap() {
        Greeting::Session(session) => (ImapReader::new(session, "INBOX"), server),
        Greeting::Client(_) => panic!("not logged in"),
    }
}

fn cursor(uid_validity: u32, next_uid: u32, backlog_end: u32) -> ImapCursor {
    ImapCursor { uid_validity, next_uid, backlog_end, since: None, highest_modseq: None }
}

/// The server's side of opening the inbox.
fn open(tag: &str, exists: u32, uid_validity: u32, uid_next: u32) -> String {
    format!(
        "C: {tag} EXAMINE \"INBOX\"
        S: * {exists} EXISTS
        S: * OK [UIDVALIDITY {uid_validity}]
        S: * OK [UIDNEXT {uid_next}]
        S: {tag} OK [READ-ONLY]\n"
    )
}

fn uids(batch: &Batch) -> Vec<u32> {
    let uid = |p: &Position| match p {
        Position::Imap { uid, .. } => *uid,
        Position::Pop3 { .. } | Position::Api { .. } => panic!(),
    };
    batch.mails.iter().map(|m| uid(&m.position)).collect()
}

fn imap(batch: &Batch) -> ImapCursor {
    match &batch.cursor {
        Cursor::Imap(cursor) => cursor.clone(),
        Cursor::Pop3(_) => panic!(),
    }
}

/// One fetch with the cursor against the script.
async fn fetch(after: ImapCursor, script: &str) -> (Result<Batch, Failure>, Memory) {
    let (mut reader, server) = reader("UIDPLUS", script).await;
    let mut memory = Memory::default();
    let result = reader.fetch(&Cursor::Imap(after), LIMIT, &mut memory).await;
    server.await.unwrap();
    assert!(memory.running.is_none(), "a message was left half-written");
    (result, memory)
}

#[tokio::test]
async fn the_first_time() {
    let script = open("A1", 2, 17, 5)
        + "C: A2 UID FETCH 1:4 (UID RFC822.SIZE INTERNALDATE)
        S: * 1 FETCH (UID 2 RFC822.SIZE 5 INTERNALDATE \" 5-Nov-2020 14:00:00 +0100\")
        S: * 2 FETCH (UID 4 RFC822.SIZE 3 INTERNALDATE \"broken\")
        S: A2 OK
        C: A3 UID FETCH 2,4 (UID BODY.PEEK[])
        S: * 3 EXISTS
        S: * 1 FETCH (UID 2 BODY[] {5}\\r\\nhello)
        S: * 1 FETCH (FLAGS (\\Seen))
        S: * 2 FETCH (BODY[] {3}\\r\\nbye UID 4)
        S: A3 OK";
    let (batch, memory) = fetch(ImapCursor::default(), &script).await;
    let batch = batch.unwrap();
    assert_eq!(memory.finished, [b"hello".to_vec(), b"bye".to_vec()]);
    assert_eq!(batch.mails[0].received.unwrap().to_string(), "2020-11-05T13:00:00Z");
    assert_eq!((batch.mails[0].size, batch.mails[0].ticket), (5, 0));
    assert_eq!((batch.mails[1].received, batch.mails[1].ticket), (None, 1));
    assert_eq!(uids(&batch), [2, 4]);
    assert_eq!(imap(&batch), cursor(17, 5, 5));
    assert!(!batch.more && !batch.reset && batch.undeliverable.is_empty());
}

#[tokio::test]
async fn nothing_new_costs_one_round_trip() {
    let script = open("A1", 2, 17, 5)
        + "C: A2 NOOP
        S: A2 OK
        C: A3 NOOP
        S: * 3 EXISTS
        S: A3 OK\n"
        + &open("A4", 3, 17, 6)
        + "C: A5 UID FETCH 5 (UID RFC822.SIZE INTERNALDATE)
        S: * 3 FETCH (UID 5 RFC822.SIZE 2)
        S: A5 OK
        C: A6 UID FETCH 5 (UID BODY.PEEK[])
        S: * 3 FETCH (UID 5 BODY[] {2}\\r\\nhi)
        S: A6 OK";
    let (mut reader, server) = reader("", &script).await;
    let mut memory = Memory::default();
    let after = Cursor::Imap(cursor(17, 5, 5));
    for _ in 0..2 {
        let batch = reader.fetch(&after, LIMIT, &mut memory).await.unwrap();
        assert!(batch.mails.is_empty() && !batch.more);
        assert_eq!(batch.cursor, after);
    }
    let batch = reader.fetch(&after, LIMIT, &mut memory).await.unwrap();
    assert_eq!(uids(&batch), [5]);
    assert_eq!(imap(&batch), cursor(17, 6, 5));
    server.await.unwrap();
}

#[tokio::test]
async fn batches_keep_to_the_limit_and_list_once() {
    let script = open("A1", 3, 17, 4)
        + "C: A2 UID FETCH 1:3 (UID RFC822.SIZE INTERNALDATE)
        S: * 1 FETCH (UID 1 RFC822.SIZE 50)
        S: * 2 FETCH (UID 2 RFC822.SIZE 2)
        S: * 3 FETCH (UID 3 RFC822.SIZE 2)
        S: A2 OK
        C: A3 UID FETCH 1 (UID BODY.PEEK[])
        S: * 1 FETCH (UID 1 BODY[] {3}\\r\\nabc)
        S: A3 OK
        C: A4 UID FETCH 2:3 (UID BODY.PEEK[])
        S: * 2 FETCH (UID 2 BODY[] {2}\\r\\nhi)
        S: * 3 FETCH (UID 3 BODY[] {2}\\r\\nho)
        S: A4 OK";
    let (mut reader, server) = reader("", &script).await;
    let mut memory = Memory::default();
    let limit = Limit { messages: 2, octets: 10 };
    let first = reader.fetch(&Cursor::Imap(ImapCursor::default()), limit, &mut memory).await.unwrap();
    assert_eq!((uids(&first), first.more, imap(&first).next_uid), (vec![1], true, 2));
    let second = reader.fetch(&first.cursor, limit, &mut memory).await.unwrap();
    assert_eq!((uids(&second), second.more, imap(&second).next_uid), (vec![2, 3], false, 4));
    server.await.unwrap();
}

#[tokio::test]
async fn a_batch_that_was_not_committed_is_read_again() {
    let list = "C: A2 UID FETCH 1:2 (UID RFC822.SIZE INTERNALDATE)
        S: * 1 FETCH (UID 1 RFC822.SIZE 2)
        S: * 2 FETCH (UID 2 RFC822.SIZE 2)
        S: A2 OK
        C: A3 UID FETCH 1 (UID BODY.PEEK[])
        S: * 1 FETCH (UID 1 BODY[] {2}\\r\\nhi)
        S: A3 OK\n";
    let again = list.replace("A2", "A5").replace("A3", "A6");
    let script = open("A1", 2, 17, 3) + list + "C: A4 NOOP\nS: A4 OK\n" + &again;
    let (mut reader, server) = reader("", &script).await;
    let mut memory = Memory::default();
    let limit = Limit { messages: 1, octets: 10 };
    for _ in 0..2 {
        let batch = reader.fetch(&Cursor::Imap(ImapCursor::default()), limit, &mut memory).await.unwrap();
        assert_eq!(uids(&batch), [1]);
    }
    server.await.unwrap();
}

#[tokio::test]
async fn another_uidvalidity_starts_anew() {
    let script = open("A1", 1, 18, 2)
        + "C: A2 UID FETCH 1 (UID RFC822.SIZE INTERNALDATE)
        S: * 1 FETCH (UID 1 RFC822.SIZE 2)
        S: A2 OK
        C: A3 UID FETCH 1 (UID BODY.PEEK[])
        S: * 1 FETCH (UID 1 BODY[] {2}\\r\\nhi)
        S: A3 OK";
    let (batch, _) = fetch(cursor(17, 900, 5), &script).await;
    let batch = batch.unwrap();
    assert!(batch.reset);
    assert_eq!(imap(&batch), cursor(18, 2, 2));
}

#[tokio::test]
async fn since_holds_for_the_backlog_only() {
    let script = open("A1", 9, 17, 12)
        + "C: A2 UID SEARCH UID 1:11 SINCE 4-Nov-2020
        S: * SEARCH 3 4 11 (MODSEQ 4)
        S: A2 OK
        C: A3 UID FETCH 3:4,11 (UID RFC822.SIZE INTERNALDATE)
        S: * 3 FETCH (UID 3 RFC822.SIZE 2 INTERNALDATE \"05-Nov-2020 11:59:59 +0000\")
        S: * 4 FETCH (UID 4 RFC822.SIZE 2 INTERNALDATE \"05-Nov-2020 12:00:00 +0000\")
        S: * 9 FETCH (UID 11 RFC822.SIZE 2 INTERNALDATE \"\")
        S: A3 OK
        C: A4 UID FETCH 4,11 (UID BODY.PEEK[])
        S: * 4 FETCH (UID 4 BODY[] {2}\\r\\nhi)
        S: * 9 FETCH (UID 11 BODY[] {2}\\r\\nhi)
        S: A4 OK";
    let since = Some("2020-11-05T12:00:00Z".parse().unwrap());
    let (batch, _) = fetch(ImapCursor { since, ..ImapCursor::default() }, &script).await;
    let batch = batch.unwrap();
    assert_eq!(uids(&batch), [4, 11]);
    assert_eq!(imap(&batch), ImapCursor { since, ..cursor(17, 12, 12) });

    // Later: old mail that is moved into the folder is new.
    let script = open("A1", 9, 17, 14)
        + "C: A2 UID FETCH 12:13 (UID RFC822.SIZE INTERNALDATE)
        S: * 9 FETCH (UID 13 RFC822.SIZE 2 INTERNALDATE \"05-Nov-1999 11:59:59 +0000\")
        S: A2 OK
        C: A3 UID FETCH 13 (UID BODY.PEEK[])
        S: * 9 FETCH (UID 13 BODY[] {2}\\r\\nhi)
        S: A3 OK";
    let (batch, _) = fetch(ImapCursor { since, ..cursor(17, 12, 12) }, &script).await;
    assert_eq!(uids(&batch.unwrap()), [13]);

    // In between: the rest of the backlog, and what came after it.
    let script = open("A1", 9, 17, 14)
        + "C: A2 UID SEARCH UID 10:11 SINCE 4-Nov-2020
        S: * SEARCH
        S: A2 OK
        C: A3 UID FETCH 12:13 (UID RFC822.SIZE INTERNALDATE)
        S: A3 OK";
    let (batch, _) = fetch(ImapCursor { since, ..cursor(17, 10, 12) }, &script).await;
    assert_eq!(imap(&batch.unwrap()).next_uid, 14);
}

#[tokio::test]
async fn a_server_that_cannot_search() {
    let script = open("A1", 9, 17, 3)
        + "C: A2 UID SEARCH UID 1:2 SINCE 4-Nov-2020
        S: A2 NO not today
        C: A3 UID FETCH 1:2 (UID RFC822.SIZE INTERNALDATE)
        S: * 3 FETCH (UID 1 RFC822.SIZE 2 INTERNALDATE \"05-Nov-2010 11:59:59 +0000\")
        S: A3 OK";
    let since = Some("2020-11-05T12:00:00Z".parse().unwrap());
    let (batch, _) = fetch(ImapCursor { since, ..ImapCursor::default() }, &script).await;
    let batch = batch.unwrap();
    assert!(batch.mails.is_empty());
    assert_eq!(imap(&batch).next_uid, 3);
}

#[tokio::test]
async fn a_large_folder_is_searched_first() {
    let script = open("A1", 3, 17, 50_000)
        + "C: A2 UID SEARCH UID 1:49999
        S: * SEARCH 7 49999 60000
        S: A2 OK
        C: A3 UID FETCH 7,49999 (UID RFC822.SIZE INTERNALDATE)
        S: A3 OK";
    let (batch, _) = fetch(ImapCursor::default(), &script).await;
    let batch = batch.unwrap();
    assert!(!batch.more);
    assert_eq!(imap(&batch).next_uid, 50_000);
}

#[tokio::test]
async fn a_server_that_claims_billions_of_messages() {
    let mut script = open("A1", 3, 17, u32::MAX)
        + "C: A2 UID SEARCH UID 1:4294967294
        S: * SEARCH\n";
    script = script.replace("* SEARCH\n", "* ESEARCH UID ALL 1:4294967294\n        S: A2 OK\n");
    for n in 0..u32::try_from(EMPTY_WINDOWS).unwrap() {
        let (from, to) = (n * 1000 + 1, (n + 1) * 1000);
        let tag = format!("A{}", n + 3);
        script += &format!("C: {tag} UID FETCH {from}:{to} (UID RFC822.SIZE INTERNALDATE)\nS: {tag} OK\n");
    }
    let (batch, _) = fetch(ImapCursor::default(), &script).await;
    let batch = batch.unwrap();
    assert!(batch.mails.is_empty() && batch.more);
    assert_eq!(imap(&batch).next_uid, 50_001);
}

#[tokio::test]
async fn without_uidnext_the_highest_uid_tells() {
    let script = "C: A1 EXAMINE \"INBOX\"
        S: * 1 EXISTS
        S: * OK [UIDVALIDITY 17]
        S: A1 OK
        C: A2 UID FETCH * (UID)
        S: * 1 FETCH (UID 4)
        S: A2 OK
        C: A3 UID FETCH 1:4 (UID RFC822.SIZE INTERNALDATE)
        S: A3 OK";
    let (batch, _) = fetch(ImapCursor::default(), script).await;
    assert_eq!(imap(&batch.unwrap()), cursor(17, 5, 5));
}

const LIST_THREE: &str = "C: A2 UID FETCH 1:3 (UID RFC822.SIZE INTERNALDATE)
    S: * 1 FETCH (UID 1 RFC822.SIZE 2)
    S: * 2 FETCH (UID 2 RFC822.SIZE 2)
    S: * 3 FETCH (UID 3 RFC822.SIZE 2)
    S: A2 OK
    C: A3 UID FETCH 1:3 (UID BODY.PEEK[])\n";

#[tokio::test]
async fn messages_that_vanish_and_messages_that_do_not_come() {
    let script = open("A1", 3, 17, 4)
        + LIST_THREE
        + "S: * 3 FETCH (UID 3 BODY[] {2}\\r\\nhi)
        S: A3 NO [SERVERBUG] Internal error
        C: A4 UID FETCH 1:2 (UID)
        S: * 2 FETCH (UID 2)
        S: A4 OK
        C: A5 UID FETCH 2 (UID BODY.PEEK[])
        S: A5 NO [SERVERBUG] Internal error";
    let (batch, memory) = fetch(ImapCursor::default(), &script).await;
    let batch = batch.unwrap();
    assert_eq!(uids(&batch), [3]);
    assert_eq!(memory.finished.len(), 1);
    let (position, why) = &batch.undeliverable[0];
    assert_eq!(position.to_string(), "INBOX:17/2");
    assert!(why.contains("Internal error"), "{why}");
    assert_eq!(imap(&batch).next_uid, 4);
}

#[tokio::test]
async fn empty_and_missing_bodies_are_tried_alone() {
    let script = open("A1", 3, 17, 4)
        + LIST_THREE
        + "S: * 1 FETCH (UID 1 BODY[] NIL)
        S: * 2 FETCH (UID 2 BODY[] {0}\\r\\n)
        S: * 3 FETCH (UID 3 BODY[] \"\")
        S: A3 OK
        C: A4 UID FETCH 1:3 (UID)
        S: * 1 FETCH (UID 1)
        S: * 2 FETCH (UID 2)
        S: * 3 FETCH (UID 3)
        S: A4 OK
        C: A5 UID FETCH 1 (UID BODY.PEEK[])
        S: * 1 FETCH (UID 1 BODY[] {2}\\r\\nhi)
        S: A5 OK
        C: A6 UID FETCH 2 (UID BODY.PEEK[])
        S: * 2 FETCH (UID 2 BODY[] NIL)
        S: A6 OK
        C: A7 UID FETCH 3 (UID BODY.PEEK[])
        S: A7 OK";
    let (batch, memory) = fetch(ImapCursor::default(), &script).await;
    let batch = batch.unwrap();
    assert_eq!(uids(&batch), [1]);
    assert_eq!(memory.finished, [b"hi"]);
    let reasons: Vec<_> = batch.undeliverable.iter().map(|(_, why)| why.as_str()).collect();
    assert_eq!(
        reasons,
        ["the server delivers an empty message", "the server lists the message but does not deliver it"]
    );
}

#[tokio::test]
async fn trouble_of_the_server_is_not_trouble_of_a_message() {
    let script = |end: &str| {
        open("A1", 3, 17, 4)
            + LIST_THREE
            + &format!(
                "S: A3 NO trouble
        C: A4 UID FETCH 1:3 (UID)
        S: * 1 FETCH (UID 1)
        S: A4 OK
        C: A5 UID FETCH 1 (UID BODY.PEEK[])
        S: A5 {end}"
            )
    };
    let (batch, _) = fetch(ImapCursor::default(), &script("NO [UNAVAILABLE] storage is down")).await;
    check_interrupted(&batch.unwrap(), &[], 1, FailureKind::Temporary);
    let (batch, _) = fetch(ImapCursor::default(), &script("BAD what?")).await;
    check_interrupted(&batch.unwrap(), &[], 1, FailureKind::Refused);
    let (batch, _) = fetch(ImapCursor::default(), &script("NO cannot convert this one")).await;
    assert_eq!(batch.unwrap().undeliverable.len(), 1);
}

#[tokio::test]
async fn a_lost_connection_abandons_the_half_message() {
    let script = open("A1", 3, 17, 4)
        + LIST_THREE
        + "S: * 1 FETCH (UID 1 BODY[] {2}\\r\\nhi)
        S~ * 2 FETCH (UID 2 BODY[] {2000}\\r\\nonly the beginning";
    let (batch, memory) = fetch(ImapCursor::default(), &script).await;
    // What came whole is kept, and the next session goes on at the one that did not.
    check_interrupted(&batch.unwrap(), &[1], 2, FailureKind::Temporary);
    assert_eq!((memory.finished.len(), memory.abandoned), (1, 1));
}

#[track_caller]
fn check_interrupted(batch: &Batch, read: &[u32], at: u32, kind: FailureKind) {
    assert_eq!((uids(batch), imap(batch).next_uid), (read.to_vec(), at));
    let interrupted = batch.interrupted.as_ref().unwrap();
    assert_eq!(interrupted.at.to_string(), format!("INBOX:17/{at}"));
    assert_eq!((interrupted.failure.kind, interrupted.failure.during), (kind, Step::Read));
    assert!(batch.more && batch.undeliverable.is_empty());
}

#[tokio::test]
async fn a_connection_that_ends_at_the_first_message() {
    let script = open("A1", 3, 17, 4) + LIST_THREE + "S: * BYE internal error";
    let (batch, memory) = fetch(ImapCursor::default(), &script).await;
    check_interrupted(&batch.unwrap(), &[], 1, FailureKind::Temporary);
    assert!(memory.finished.is_empty());
}

#[tokio::test]
async fn a_message_that_is_refused_for_now_keeps_its_place() {
    let script = open("A1", 3, 17, 4)
        + LIST_THREE
        + "S: * 1 FETCH (UID 1 BODY[] {2}\\r\\nhi)
        S: * 3 FETCH (UID 3 BODY[] {2}\\r\\nho)
        S: A3 NO [UNAVAILABLE] not this one
        C: A4 UID FETCH 2 (UID)
        S: * 2 FETCH (UID 2)
        S: A4 OK
        C: A5 UID FETCH 2 (UID BODY.PEEK[])
        S: A5 NO [UNAVAILABLE] not this one";
    let (batch, _) = fetch(ImapCursor::default(), &script).await;
    check_interrupted(&batch.unwrap(), &[1], 2, FailureKind::Temporary);
}

#[tokio::test]
async fn a_bad_for_one_message_is_not_a_bad_for_all() {
    let script = open("A1", 3, 17, 4)
        + LIST_THREE
        + "S: * 1 FETCH (UID 1 BODY[] {2}\\r\\nhi)
        S: A3 BAD what?
        C: A4 UID FETCH 2:3 (UID)
        S: * 2 FETCH (UID 2)
        S: * 3 FETCH (UID 3)
        S: A4 OK
        C: A5 UID FETCH 2 (UID BODY.PEEK[])
        S: * 2 FETCH (UID 2 BODY[] {2}\\r\\nho)
        S: A5 OK
        C: A6 UID FETCH 3 (UID BODY.PEEK[])
        S: A6 BAD what?";
    let (batch, _) = fetch(ImapCursor::default(), &script).await;
    check_interrupted(&batch.unwrap(), &[1, 2], 3, FailureKind::Refused);
}

#[tokio::test]
async fn uids_that_fell_start_anew() {
    let script = open("A1", 1, 17, 3)
        + "C: A2 UID FETCH 1:2 (UID RFC822.SIZE INTERNALDATE)
        S: * 1 FETCH (UID 2 RFC822.SIZE 2)
        S: A2 OK
        C: A3 UID FETCH 2 (UID BODY.PEEK[])
        S: * 1 FETCH (UID 2 BODY[] {2}\\r\\nhi)
        S: A3 OK";
    let (batch, _) = fetch(cursor(17, 900, 5), &script).await;
    let batch = batch.unwrap();
    assert!(batch.reset);
    assert_eq!((uids(&batch), imap(&batch)), (vec![2], cursor(17, 3, 3)));
}

#[tokio::test]
async fn an_old_look_at_the_folder_is_no_reason_to_start_anew() {
    let script = open("A1", 2, 17, 5) + "C: A2 NOOP\nS: A2 OK\n" + &open("A3", 2, 17, 8);
    let (mut reader, server) = reader("", &script).await;
    let mut memory = Memory::default();
    for next_uid in [5, 8] {
        // The second time another session has read meanwhile.
        let after = Cursor::Imap(cursor(17, next_uid, 5));
        let batch = reader.fetch(&after, LIMIT, &mut memory).await.unwrap();
        assert!(!batch.reset && batch.mails.is_empty());
        assert_eq!(batch.cursor, after);
    }
    server.await.unwrap();
}

#[tokio::test]
async fn without_uidnext_nothing_fell() {
    let script = "C: A1 EXAMINE \"INBOX\"
        S: * 1 EXISTS
        S: * OK [UIDVALIDITY 17]
        S: A1 OK
        C: A2 UID FETCH * (UID)
        S: * 1 FETCH (UID 4)
        S: A2 OK";
    let (batch, _) = fetch(cursor(17, 9, 5), script).await;
    let batch = batch.unwrap();
    assert!(!batch.reset);
    assert_eq!(imap(&batch), cursor(17, 9, 5));
}

#[tokio::test]
async fn nobody_asked_for_these_bodies() {
    let script = open("A1", 3, 17, 4)
        + LIST_THREE
        + "S: * 1 FETCH (UID 1 BODY[] {2}\\r\\nhi)
        S: * 1 FETCH (UID 1 BODY[] {5}\\r\\nagain)
        S: * 9 FETCH (UID 9 BODY[] {5}\\r\\nalien)
        S: * 9 FETCH (BODY[] {6}\\r\\nno uid)
        S: * 2 FETCH (BODY[] {3}\\r\\ntwo BODY[] {2}\\r\\nho UID 2)
        S: * 3 FETCH (UID 3 BODY[] \"quoted\")
        S: A3 OK";
    let (batch, memory) = fetch(ImapCursor::default(), &script).await;
    assert_eq!(uids(&batch.unwrap()), [1, 2, 3]);
    assert_eq!(memory.finished, [b"hi".to_vec(), b"ho".to_vec(), b"quoted".to_vec()]);
    assert_eq!(memory.abandoned, 4);
}

#[tokio::test]
async fn a_full_disk_is_temporary() {
    let script = open("A1", 3, 17, 4) + LIST_THREE + "S: * 1 FETCH (UID 1 BODY[] {200}\\r\\nhi";
    let (mut reader, _server) = reader("", &script).await;
    let mut memory = Memory { full_at: Some(1), ..Memory::default() };
    let failure = reader.fetch(&Cursor::Imap(ImapCursor::default()), LIMIT, &mut memory).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Temporary);
    assert!(failure.detail.contains("could not be stored"), "{failure}");
    assert_eq!(memory.abandoned, 1);
    assert!(reader.is_broken());
}

#[tokio::test]
async fn several_commands_are_in_flight() {
    let count = 450u32;
    let (ours, mut theirs) = tokio::io::duplex(1 << 20);
    let server = tokio::spawn(async move {
        use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
        theirs.write_all(b"* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n").await.unwrap();
        let mut most_waiting = 0;
        let (reader, mut writer) = tokio::io::split(theirs);
        let mut reader = BufReader::new(reader);
        let mut line = String::new();
        while reader.read_line(&mut line).await.unwrap() > 0 {
            let tag = line.split(' ').next().unwrap().to_owned();
            let mut answer = String::new();
            if line.contains("EXAMINE") {
                answer = format!("* {count} EXISTS\r\n* OK [UIDVALIDITY 1]\r\n* OK [UIDNEXT {}]\r\n", count + 1);
            } else if line.contains("RFC822.SIZE") {
                answer = (1..=count).map(|n| format!("* {n} FETCH (UID {n} RFC822.SIZE 2)\r\n")).collect();
            } else if line.contains("BODY.PEEK[]") {
                let waiting = 1 + reader.buffer().iter().filter(|&&b| b == b'\n').count();
                most_waiting = most_waiting.max(waiting);
                let set = line.split(' ').nth(3).unwrap();
                let set = SequenceSet::parse(set.as_bytes());
                answer = set.iter().map(|n| format!("* {n} FETCH (UID {n} BODY[] {{2}}\r\nhi)\r\n")).collect();
            }
            writer.write_all(format!("{answer}{tag} OK\r\n").as_bytes()).await.unwrap();
            line.clear();
        }
        most_waiting
    });
    let Greeting::Session(session) = Client::greet(ours, PATIENCE).await.unwrap() else { panic!() };
    let mut reader = ImapReader::new(session, "INBOX");
    let mut memory = Memory::default();
    let limit = Limit { messages: 1000, octets: 1 << 30 };
    let batch = reader.fetch(&Cursor::Imap(ImapCursor::default()), limit, &mut memory).await.unwrap();
    assert_eq!(uids(&batch), (1..=count).collect::<Vec<_>>());
    drop(reader);
    assert_eq!(server.await.unwrap(), 4);
}

#[tokio::test]
async fn finding_a_message() {
    let script = "C: A1 LIST \"\" \"*\"
        S: * LIST () \"/\" \"Sent Items\"
        S: A1 OK
        C: A2 EXAMINE \"Sent Items\"
        S: * OK [UIDVALIDITY 3]
        S: A2 OK
        C: A3 UID SEARCH HEADER Message-ID \"<a@b>\"
        S: * SEARCH 12
        S: A3 OK
        C: A4 EXAMINE \"Other\"
        S: * OK [UIDVALIDITY 4]
        S: A4 OK
        C: A5 UID SEARCH HEADER Message-ID \"<a@b>\"
        S: * SEARCH
        S: A5 OK
        C: A6 EXAMINE \"Nowhere\"
        S: A6 NO [NONEXISTENT] no";
    let (mut reader, server) = reader("", script).await;
    let found = reader.find(None, "<a@b>").await.unwrap();
    assert_eq!(found, [Position::Imap { folder: "Sent Items".into(), uid_validity: 3, uid: 12 }]);
    assert!(reader.find(Some("Other"), "<a@b>").await.unwrap().is_empty());
    assert_eq!(reader.find(Some("Nowhere"), "<a@b>").await.unwrap_err().during, Step::FindAgain);
    server.await.unwrap();
}

#[tokio::test]
async fn no_folder_for_sent_mail_is_not_the_same_as_not_found() {
    let script = "C: A1 LIST \"\" \"*\"
        S: * LIST () \"/\" INBOX
        S: A1 OK";
    let (mut reader, server) = reader("", script).await;
    let failure = reader.find(None, "<a@b>").await.unwrap_err();
    assert_eq!((failure.kind, failure.during), (FailureKind::Misconfigured, Step::FindAgain));
    server.await.unwrap();
}

#[tokio::test]
async fn a_cursor_of_pop3_does_not_fit() {
    let (mut reader, _server) = reader("", "").await;
    let after = Cursor::Pop3(model::work::Pop3Cursor::default());
    assert!(reader.fetch(&after, LIMIT, &mut Memory::default()).await.is_err());
}

#[test]
fn at_least_one_message_fits() {
    let listed: VecDeque<Listed> =
        [50u64, 10, 10].iter().map(|&size| Listed { uid: 1, size, received: None }).collect();
    let count = |messages, octets| fitting(&listed, Limit { messages, octets });
    assert_eq!(count(10, 5), 1);
    assert_eq!(count(0, 1000), 1);
    assert_eq!(count(10, 60), 2);
    assert_eq!(count(10, 1000), 3);
    assert_eq!(count(2, 1000), 2);
    assert_eq!(fitting(&VecDeque::new(), LIMIT), 0);
}

#[tokio::test]
async fn a_message_that_cannot_be_listed_is_not_passed_over() {
    let script = open("A1", 2, 17, 3)
        + "C: A2 UID FETCH 1:2 (UID RFC822.SIZE INTERNALDATE)
        S: * 1 FETCH (UID 1 RFC822.SIZE 2)
        S: A2 NO [SERVERBUG] Internal error
        C: A3 UID FETCH 1:2 (UID)
        S: * 1 FETCH (UID 1)
        S: * 2 FETCH (UID 2)
        S: A3 OK
        C: A4 UID FETCH 1:2 (UID BODY.PEEK[])
        S: * 1 FETCH (UID 1 BODY[] {2}\\r\\nhi)
        S: * 2 FETCH (UID 2 BODY[] {2}\\r\\nho)
        S: A4 OK";
    let (batch, _) = fetch(ImapCursor::default(), &script).await;
    assert_eq!(uids(&batch.unwrap()), [1, 2]);
}
