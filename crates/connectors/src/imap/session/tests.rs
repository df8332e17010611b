//! Every command of a session, byte by byte.

use std::time::Duration;

use super::*;
use crate::imap::client::{Client, Greeting};
use crate::imap::script::play;
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(5);

/// A session whose server has these capabilities and goes on with the script.
async fn session(capabilities: &str, script: &str) -> (Session<DuplexStream>, JoinHandle<()>) {
    let (stream, server) = play(&format!("S: * PREAUTH [CAPABILITY IMAP4rev1 {capabilities}] hello\n{script}"));
    match Client::greet(stream, PATIENCE).await.unwrap() {
        Greeting::Session(session) => (session, server),
        Greeting::Client(_) => panic!("not logged in"),
    }
}

/// A server that says something every second and never comes to an end: how
/// long it is listened to, in seconds.
async fn check_patience(command: &str, long: bool, expected: u64) {
    let (stream, mut server) = tokio::io::duplex(1 << 16);
    let trickle = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        let mut line: &[u8] = b"* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n";
        while server.write_all(line).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
            line = b"* OK still there\r\n";
        }
    });
    let Greeting::Session(mut session) = Client::greet(stream, PATIENCE).await.unwrap() else { panic!() };
    let began = tokio::time::Instant::now();
    let during = model::Step::Read;
    let failure = match long {
        true => session.engine.run_long(during, command, &mut NoLiterals).await.unwrap_err(),
        false => session.engine.run(during, command, &mut NoLiterals).await.unwrap_err(),
    };
    assert_eq!(failure.kind, FailureKind::Temporary);
    assert!(session.is_broken() && failure.detail.contains("too long"), "{failure}");
    assert_eq!(began.elapsed().as_secs(), expected);
    trickle.abort();
}

#[tokio::test(start_paused = true)]
async fn a_short_command_ends_within_the_patience() {
    check_patience("NOOP", false, 5).await;
}
#[tokio::test(start_paused = true)]
async fn a_fetch_ends_after_half_an_hour() {
    check_patience("UID FETCH 1 (BODY.PEEK[])", true, 1800).await;
}

#[tokio::test]
async fn a_folder_is_opened() {
    let script = "C: A1 EXAMINE \"INBOX\" (CONDSTORE)
        S: * FLAGS (\\Seen)
        S: * 3 EXISTS
        S: * 1 RECENT
        S: * OK [UIDVALIDITY 17] ok
        S: * OK [UIDNEXT 9] next
        S: * OK [HIGHESTMODSEQ 12345678901] m
        S: A1 OK [READ-ONLY] done";
    let (mut session, server) = session("CONDSTORE", script).await;
    let open = session.examine("INBOX").await.unwrap().clone();
    let expected = OpenFolder {
        name: "INBOX".into(),
        read_only: true,
        uid_validity: 17,
        uid_next: Some(9),
        exists: 3,
        highest_modseq: Some(12_345_678_901),
    };
    assert_eq!(open, expected);
    server.await.unwrap();
}

#[tokio::test]
async fn a_folder_that_cannot_be_opened_leaves_none_open() {
    let script = "C: A1 SELECT \"Entw&APw-rfe\"
        S: * OK [UIDVALIDITY 17] ok
        S: A1 OK done
        C: A2 SELECT \"x\"
        S: A2 NO [NONEXISTENT] Unknown Mailbox
        C: A3 SELECT \"y\"
        S: A3 OK without UIDVALIDITY
        C: A4 SELECT \"z\"
        S: * OK [UIDVALIDITY 1]
        S: A4 OK [READ-ONLY] for you";
    let (mut session, server) = session("", script).await;
    assert!(!session.select("Entwürfe").await.unwrap().read_only);
    let failure = session.select("x").await.unwrap_err();
    assert_eq!((failure.kind, failure.during), (FailureKind::Misconfigured, Step::Open));
    assert!(failure.transcript.iter().any(|l| l.contains("Unknown Mailbox")), "{:?}", failure.transcript);
    assert!(session.open_folder().is_none());
    assert_eq!(session.select("y").await.unwrap_err().kind, FailureKind::Garbled);
    assert!(session.select("z").await.unwrap().read_only);
    server.await.unwrap();
}

#[tokio::test]
async fn settling_in_takes_one_round_trip() {
    let script = "C: A1 ID (\"name\" \"Postroom\")\\r\\nA2 ENABLE UTF8=ACCEPT
        S: * ID (\"name\" \"x\")
        S: A1 OK
        S: * ENABLED UTF8=ACCEPT
        S: A2 OK
        C: A3 EXAMINE {9}
        S: + go
        C: Entwürfe
        S: * OK [UIDVALIDITY 1]
        S: A3 OK";
    let (mut session, server) = session("ID ENABLE UTF8=ACCEPT", script).await;
    session.settle_in(Options { compress: true }).await.unwrap();
    session.examine("Entwürfe").await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn refusals_while_settling_in_change_nothing() {
    let script = "C: A1 ID (\"name\" \"Postroom\")\\r\\nA2 ENABLE UTF8=ACCEPT
        S: A1 BAD no
        S: A2 NO no
        C: A3 COMPRESS DEFLATE
        S: A3 NO [COMPRESSIONACTIVE] no
        C: A4 NOOP
        S: A4 OK";
    let (mut session, server) = session("ID ENABLE UTF8=ACCEPT COMPRESS=DEFLATE", script).await;
    session.settle_in(Options { compress: true }).await.unwrap();
    assert!(!session.noop().await.unwrap());
    server.await.unwrap();
}

#[tokio::test]
async fn special_folders() {
    let list = "S: * LIST (\\HasNoChildren) \"/\" INBOX
        S: * LIST (\\Noselect) \"/\" Trash
        S: * LIST (\\Sent) \"/\" \"Gesendete &AMQ-\"
        S: * LIST () \".\" INBOX.Drafts
        S: A1 OK";
    let find = async |attribute: &str, names: &[&str]| {
        let script = format!("C: A1 LIST \"\" \"*\" RETURN (SPECIAL-USE)\n{list}");
        let (mut session, server) = session("SPECIAL-USE LIST-EXTENDED", &script).await;
        let found = session.special_folder(attribute, names).await.unwrap();
        server.await.unwrap();
        found
    };
    assert_eq!(find("\\Sent", &["Sent"]).await.as_deref(), Some("Gesendete Ä"));
    assert_eq!(find("\\Trash", &["Trash"]).await, None);
    assert_eq!(find("\\Drafts", &["Drafts"]).await.as_deref(), Some("INBOX.Drafts"));
    let script = format!("C: A1 LIST \"\" \"*\"\n{}", list.replace("(\\Sent)", "()"));
    let (mut session, server) = session("", &script).await;
    assert_eq!(session.special_folder("\\Sent", &["GESENDETE Ä"]).await.unwrap().as_deref(), Some("Gesendete Ä"));
    server.await.unwrap();
}

#[tokio::test]
async fn searches() {
    let script = "C: A1 UID SEARCH RETURN (ALL) SINCE 1-Feb-2020
        S: * 7 EXISTS
        S: * ESEARCH (TAG \"A1\") UID ALL 4,6:8
        S: A1 OK
        C: A2 UID SEARCH RETURN (ALL) HEADER Message-ID \"<a@b>\"
        S: * SEARCH 3
        S: A2 OK
        C: A3 UID SEARCH RETURN (ALL) HEADER Message-ID {6}
        S: + go
        C: <ä@b>
        S: * OK still searching
        S: A3 OK";
    let (mut session, server) = session("ESEARCH", script).await;
    assert_eq!(session.uid_search("SINCE 1-Feb-2020").await.unwrap().to_string(), "4,6:8");
    assert_eq!(session.uid_search_header("Message-ID", "<a@b>").await.unwrap().to_string(), "3");
    assert!(session.uid_search_header("Message-ID", "<ä@b>").await.unwrap().is_empty());
    server.await.unwrap();
}

#[tokio::test]
async fn storing_moving_removing() {
    let script = "C: A1 UID STORE 1:2,5 +FLAGS.SILENT (\\Deleted)
        S: A1 OK
        C: A2 UID EXPUNGE 1:2,5
        S: * 1 EXPUNGE
        S: A2 OK
        C: A3 UID MOVE 7 \"Trash\"
        S: * OK [COPYUID 99 7 3] moved
        S: * 4 EXPUNGE
        S: A3 OK
        C: A4 UID MOVE 8:9 \"Trash\"
        S: A4 OK [COPYUID 99 8:9 4:5] moved
        C: A5 UID MOVE 8:9 \"Trash\"
        S: A5 NO [OVERQUOTA] full
        C: A6 LOGOUT
        S: * BYE see you
        S: A6 OK";
    let (mut session, server) = session("UIDPLUS MOVE", script).await;
    let uids = SequenceSet::parse(b"1,2,5");
    session.add_flags(&uids, "\\Deleted").await.unwrap();
    session.uid_expunge(&uids).await.unwrap();
    assert_eq!(session.uid_move(&SequenceSet::parse(b"7"), "Trash").await.unwrap().unwrap().0, 99);
    let went = session.uid_move(&SequenceSet::parse(b"8:9"), "Trash").await.unwrap().unwrap();
    assert_eq!(went, (99, SequenceSet::range(4, 5)));
    assert!(session.uid_move(&SequenceSet::parse(b"8:9"), "Trash").await.is_err());
    session.log_out().await;
    server.await.unwrap();
}

#[tokio::test]
async fn expunge_needs_uidplus() {
    let (mut session, server) = session("", "").await;
    let failure = session.uid_expunge(&SequenceSet::range(1, 2)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    server.await.unwrap();
}

#[tokio::test]
async fn appending() {
    let script = "C: A1 APPEND \"Sent\" (\\Seen) \"05-Jan-2020 03:04:05 +0000\" {5}
        S: + go
        C: hello
        S: A1 OK [APPENDUID 38505 3955] done
        C: A2 APPEND \"Sent\" {5}
        S: A2 NO [TRYCREATE] no such folder";
    let (mut session, server) = session("", script).await;
    let at = "2020-01-05T03:04:05Z".parse().unwrap();
    let place = session.append("Sent", "\\Seen", Some(at), 5, &mut &b"hello"[..]).await.unwrap();
    assert_eq!(place, Some((38505, 3955)));
    let failure = session.append("Sent", "", None, 5, &mut &b"hello"[..]).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    server.await.unwrap();
}

#[tokio::test]
async fn appending_without_waiting_and_losing_the_answer() {
    let script = "C: A1 APPEND \"Sent\" {5+}\\r\\nhello
        S: A1 OK done
        C: A2 APPEND \"Sent\" {5+}\\r\\nhello";
    let (mut session, server) = session("LITERAL-", script).await;
    assert_eq!(session.append("Sent", "", None, 5, &mut &b"hello"[..]).await.unwrap(), None);
    let failure = session.append("Sent", "", None, 5, &mut &b"hello"[..]).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Uncertain, "{failure}");
    server.await.unwrap();
}

#[tokio::test]
async fn a_message_shorter_than_announced_ends_the_connection() {
    let (mut session, _server) = session("LITERAL+", "C: A1 APPEND \"Sent\" {5+}\\r\\nhel").await;
    let failure = session.append("Sent", "", None, 5, &mut &b"hel"[..]).await.unwrap_err();
    assert!(failure.detail.contains("shorter"), "{failure}");
    assert!(session.is_broken());
    assert!(session.noop().await.is_err());
}

#[tokio::test]
async fn idle_brings_news() {
    let script = "C: A1 IDLE
        S: + idling
        S: * OK still here
        S: * 4 EXISTS
        C: DONE
        S: A1 OK done
        C: A2 SELECT \"INBOX\"
        S: * 4 EXISTS
        S: * OK [UIDVALIDITY 1]
        S: A2 OK
        C: A3 IDLE
        S: A3 BAD not now";
    let (mut session, server) = session("IDLE", script).await;
    assert!(session.wait_for_news(Duration::from_secs(600)).await.unwrap());
    // Nobody has looked yet, so the news is still news.
    assert!(session.wait_for_news(Duration::from_secs(600)).await.unwrap());
    session.select("INBOX").await.unwrap();
    assert_eq!(session.wait_for_news(Duration::from_secs(1)).await.unwrap_err().kind, FailureKind::Refused);
    server.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn idle_ends_in_time_and_outlasts_the_patience() {
    let script = "C: A1 IDLE
        S: + idling
        C: DONE
        S: A1 OK done";
    let (mut session, server) = session("IDLE", script).await;
    assert!(!session.wait_for_news(Duration::from_secs(1000)).await.unwrap());
    server.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_idle_the_server_is_asked() {
    let script = "C: A1 NOOP
        S: A1 OK
        C: A2 NOOP
        S: * 5 EXISTS
        S: A2 OK";
    let (mut session, server) = session("", script).await;
    assert!(session.wait_for_news(Duration::from_secs(60)).await.unwrap());
    server.await.unwrap();
}

#[tokio::test]
async fn goodbye_at_any_time() {
    let script = "C: A1 NOOP
        S: * BYE Autologout; idle for too long";
    let (mut session, server) = session("", script).await;
    let failure = session.noop().await.unwrap_err();
    assert_eq!((failure.kind, failure.during), (FailureKind::Temporary, Step::Read));
    assert!(failure.detail.contains("Autologout"), "{failure}");
    assert!(session.examine("INBOX").await.unwrap_err().detail.contains("Autologout"));
    server.await.unwrap();
}

#[tokio::test]
async fn the_newest_header_is_read() {
    let script = "C: A1 EXAMINE \"INBOX\"
        S: * 2 EXISTS
        S: * OK [UIDVALIDITY 1]
        S: A1 OK
        C: A2 FETCH * (UID BODY.PEEK[HEADER])
        S: * 2 FETCH (UID 2 BODY[HEADER] {6}\\r\\na: b\\r\\n)
        S: A2 OK";
    let (mut session, server) = session("", script).await;
    session.examine("INBOX").await.unwrap();
    assert!(session.read_newest().await.unwrap().contains("6 octets"));
    server.await.unwrap();
}

/// A server at the other end that compresses as well.
#[tokio::test]
async fn compression() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (ours, mut theirs) = tokio::io::duplex(1 << 20);
    let server = tokio::spawn(async move {
        theirs.write_all(b"* PREAUTH [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] hello\r\n").await.unwrap();
        let mut line = [0; 21];
        theirs.read_exact(&mut line).await.unwrap();
        assert_eq!(&line, b"A1 COMPRESS DEFLATE\r\n");
        // Compressed octets right behind the answer, in the same packet.
        let mut compressed = async_compression::tokio::write::DeflateEncoder::new(Vec::new());
        compressed.write_all(b"* 1 EXISTS\r\n").await.unwrap();
        compressed.flush().await.unwrap();
        let mut packet = b"A1 OK\r\n".to_vec();
        packet.extend_from_slice(compressed.get_ref());
        theirs.write_all(&packet).await.unwrap();
        let sent = compressed.get_ref().len();
        let (reader, mut writer) = tokio::io::split(theirs);
        let mut reader = async_compression::tokio::bufread::DeflateDecoder::new(tokio::io::BufReader::new(reader));
        let mut line = [0; 9];
        reader.read_exact(&mut line).await.unwrap();
        assert_eq!(&line, b"A2 NOOP\r\n");
        compressed.write_all(b"A2 OK\r\n").await.unwrap();
        compressed.flush().await.unwrap();
        writer.write_all(&compressed.get_ref()[sent..]).await.unwrap();
    });
    let Greeting::Session(mut session) = Client::greet(ours, PATIENCE).await.unwrap() else { panic!() };
    session.settle_in(Options { compress: true }).await.unwrap();
    assert!(session.noop().await.unwrap());
    server.await.unwrap();
}
