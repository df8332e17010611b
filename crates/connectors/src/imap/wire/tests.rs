//! What servers say, and what they should not.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use tokio::io::{AsyncWriteExt, duplex};

use super::scan::Value;
use super::*;
use crate::imap::SequenceSet;

const PATIENCE: Duration = Duration::from_secs(5);

#[track_caller]
fn parsed(line: &str) -> Response<'_> {
    let bytes = line.as_bytes();
    let bytes: &'static [u8] = Box::leak(format!("{}\r\n", String::from_utf8_lossy(bytes)).into_bytes().into());
    let (response, used) = parse_response(bytes).expect("a whole response");
    assert_eq!(used, bytes.len());
    response
}

#[track_caller]
fn fetch(line: &str) -> FetchItems<'static> {
    let line: &'static str = Box::leak(line.to_owned().into());
    match parsed(line) {
        Response::Fetch { items, .. } => items,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn skipped(line: &str) {
    assert!(matches!(parsed(line), Response::Other(_)), "{line}: {:?}", parsed(line));
}

#[track_caller]
fn search(line: &str, expected: &str) {
    match parsed(line) {
        Response::Search(set) => assert_eq!(set.to_string(), expected, "{line}"),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn status(line: &str, status: Status, code: Option<(&str, &str)>, text: &str) {
    match parsed(line) {
        Response::Status { status: s, code: c, text: t } | Response::Tagged { status: s, code: c, text: t, .. } => {
            assert_eq!(s, status, "{line}");
            let code = code.map(|(name, arguments)| (name.as_bytes(), arguments.as_bytes()));
            assert_eq!(c.map(|c| (c.name, c.arguments)), code, "{line}");
            assert_eq!(t, text.as_bytes(), "{line}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn status_responses() {
    status("* OK ready", Status::Ok, None, "ready");
    status("* ok ready", Status::Ok, None, "ready");
    status("* OK", Status::Ok, None, "");
    status("* OK [UIDNEXT 12] next", Status::Ok, Some(("UIDNEXT", "12")), "next");
    status("* OK [PERMANENTFLAGS (\\Deleted \\*)] x", Status::Ok, Some(("PERMANENTFLAGS", "(\\Deleted \\*)")), "x");
    status("* OK [NOMODSEQ]", Status::Ok, Some(("NOMODSEQ", "")), "");
    status("* BYE too many connections", Status::Bye, None, "too many connections");
    status("A1 NO [ALERT] \"quoted\" {12}", Status::No, Some(("ALERT", "")), "\"quoted\" {12}");
    status("A1 BAD", Status::Bad, None, "");
    status("A1  OK  done", Status::Ok, None, "done");
    status("* OK [BADURL \"a]b\"] x", Status::Ok, Some(("BADURL", "\"a]b\"")), "x");
    status("* OK [unclosed", Status::Ok, None, "[unclosed");
    status("* PREAUTH hello", Status::PreAuth, None, "hello");
    status("* NO [UNAVAILABLE] \u{fc}ber", Status::No, Some(("UNAVAILABLE", "")), "\u{fc}ber");
}

#[test]
fn continuations() {
    assert_eq!(parsed("+ idling"), Response::Continue(b"idling"));
    assert_eq!(parsed("+"), Response::Continue(b""));
    assert_eq!(parsed("+ "), Response::Continue(b""));
    assert_eq!(parsed("+idling"), Response::Continue(b"idling"));
    assert_eq!(parsed("+ Ready {5}"), Response::Continue(b"Ready {5}"));
}

#[test]
fn numbers_of_messages() {
    assert_eq!(parsed("* 23 EXISTS"), Response::Exists(23));
    assert_eq!(parsed("* 44 expunge"), Response::Expunge(44));
    assert_eq!(parsed("*  23  EXISTS "), Response::Exists(23));
    skipped("* 5 RECENT");
    skipped("* 99999999999 EXISTS");
    skipped("* 5");
}

#[test]
fn searches_in_all_their_forms() {
    search("* SEARCH", "");
    search("* SEARCH 2 84 882", "2,84,882");
    search("* SEARCH 2 3 4 ", "2:4");
    search("* SEARCH  2  3", "2:3");
    search("* SEARCH 2 5 6 (MODSEQ 917162500)", "2,5:6");
    search("* ESEARCH (TAG \"A282\") UID ALL 2,10:11", "2,10:11");
    search("* ESEARCH (TAG \"A282\") MIN 2 COUNT 3 ALL 2,10:11 MODSEQ 5", "2,10:11");
    search("* ESEARCH (TAG \"A282\") UID", "");
    search("* ESEARCH (TAG \"A282\") UID COUNT 0", "");
    search("* ESEARCH", "");
    search("* ESEARCH ALL 5:3", "3:5");
}

#[test]
fn what_is_unknown_is_skipped() {
    for line in [
        "* FLAGS (\\Answered \\Flagged)",
        "* STATUS \"INBOX\" (MESSAGES 231 MAILBOXID (S1))",
        "* THREAD (2)(3 6 (4 23)(44 7 96))",
        "* SORT 2 84 882",
        "* NAMESPACE ((\"\" \"/\")) NIL NIL",
        "* QUOTA \"\" (STORAGE 10 512)",
        "* QUOTAROOT INBOX \"\"",
        "* METADATA \"\" (/shared/comment {5}\r\nhello)",
        "* GENURLAUTH \"imap://x\"",
        "* LANGUAGE (EN)",
        "* COMPARATOR i;unicode-casemap",
        "* NOTIFICATIONOVERFLOW",
        "* X-GOOD-IDEA 1 2 3",
        "* ",
        "*",
        "",
        "   ",
        "garbage",
        "\"",
        "(((((",
        ")))))",
        "* 4 FETCH",
        "* 4 FETCH NIL",
        "* LIST",
        "* LIST (",
    ] {
        skipped(line);
    }
}

#[test]
fn fetches() {
    let items = fetch("* 12 FETCH (FLAGS (\\Seen $Junk) UID 7 RFC822.SIZE 4286 MODSEQ (12121231000))");
    assert_eq!((items.uid, items.size, items.modseq), (Some(7), Some(4286), Some(12121231000)));
    assert_eq!(items.flags.len(), 2);
    let items = fetch("* 12 FETCH (UID 7 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 10)");
    assert_eq!(items.internal_date.as_deref(), Some(&b"17-Jul-1996 02:44:25 -0700"[..]));
    assert_eq!(items.size, Some(10));
}

#[test]
fn fetches_with_oddities() {
    // Gmail and RFC 8474
    let items =
        fetch("* 1 FETCH (X-GM-THRID 12 X-GM-MSGID 13 X-GM-LABELS (\"\\\\Inbox\" \"a b\") UID 7 RFC822.SIZE 9)");
    assert_eq!((items.uid, items.size), (Some(7), Some(9)));
    let items = fetch("* 1 FETCH (EMAILID (M6d99) THREADID (T64b) UID 7)");
    assert_eq!(items.uid, Some(7));
    assert_eq!(fetch("* 1 FETCH (THREADID NIL UID 7)").uid, Some(7));
    // missing and superfluous blanks
    assert_eq!(fetch("* 1 FETCH(FLAGS(\\Seen)UID 7)").uid, Some(7));
    assert_eq!(fetch("* 1 FETCH ( UID  7   RFC822.SIZE  9 )").size, Some(9));
    assert_eq!(fetch("* 1 FETCH (BODY[]{2}\r\nhiUID 7)").uid, Some(7));
    // no closing parenthesis
    assert_eq!(fetch("* 1 FETCH (UID 7").uid, Some(7));
    // envelopes and structures that we did not ask for, with raw UTF-8
    let line = "* 1 FETCH (ENVELOPE (NIL \"Gr\u{fc}\u{df}e \\\"x\\\"\" ((NIL NIL \"a\" \"b\")) NIL NIL NIL NIL NIL NIL \"<i>\") UID 7)";
    assert_eq!(fetch(line).uid, Some(7));
    let line = "* 1 FETCH (BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1)(\"text\" \"html\" NIL NIL NIL \"7bit\" 5 1) \"alternative\") UID 7)";
    assert_eq!(fetch(line).uid, Some(7));
    let line = "* 1 FETCH (BODY[HEADER.FIELDS (\"SUBJECT\" TO)] {4}\r\nab\r\n UID 7)";
    assert_eq!(fetch(line).uid, Some(7));
    assert_eq!(fetch("* 1 FETCH (uid 7 rfc822.size 3)").size, Some(3));
    assert_eq!(fetch("* 1 FETCH (UID \"7\")").uid, Some(7));
    assert_eq!(fetch("* 1 FETCH (UID 7 RFC822.SIZE 99999999999999999999)").size, None);
    assert_eq!(fetch("* 1 FETCH (UID -7)").uid, None);
    assert_eq!(fetch("* 1 FETCH ()"), FetchItems::default());
    assert_eq!(fetch("* 1 FETCH (FLAGS UID 7)").uid, Some(7));
}

#[test]
fn bodies_in_all_their_forms() {
    let inline = |text: &'static str| Some(Body::Inline(text.as_bytes().into()));
    assert_eq!(fetch("* 1 FETCH (BODY[] {5}\r\nhello UID 7)").message, inline("hello"));
    assert_eq!(fetch("* 1 FETCH (BODY[] {5+}\r\nhello UID 7)").message, inline("hello"));
    assert_eq!(fetch("* 1 FETCH (BINARY[] ~{5}\r\nhello UID 7)").message, inline("hello"));
    assert_eq!(fetch("* 1 FETCH (BODY[] \"he\\\"lo\" UID 7)").message, inline("he\"lo"));
    assert_eq!(fetch("* 1 FETCH (BODY[] \"\" UID 7)").message, inline(""));
    assert_eq!(fetch("* 1 FETCH (BODY[] {0}\r\n UID 7)").message, inline(""));
    assert_eq!(fetch("* 1 FETCH (BODY[] NIL UID 7)").message, Some(Body::Nil));
    assert_eq!(fetch("* 1 FETCH (BODY[]<0> {2}\r\nab UID 7)").message, inline("ab"));
    assert_eq!(fetch("* 1 FETCH (RFC822 {2}\r\n)( UID 7)").message, inline(")("));
    assert_eq!(fetch("* 1 FETCH (BODY[HEADER] {3}\r\na{5} UID 7)").header, inline("a{5"));
    assert_eq!(fetch("* 1 FETCH (BODY[1] {2}\r\nab UID 7)").message, None);
    assert_eq!(fetch("* 1 FETCH (BODY[TEXT] {2}\r\nab UID 7)").message, None);
}

#[test]
fn folders() {
    let folder = |line: &'static str| match parsed(line) {
        Response::List(folder) => folder,
        other => panic!("{other:?}"),
    };
    let sent = folder("* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent Items\"");
    assert!(sent.has("\\sent") && !sent.has("\\Trash"));
    assert_eq!((sent.delimiter, &sent.name[..]), (Some(b'/'), &b"Sent Items"[..]));
    assert_eq!(folder("* LIST () NIL INBOX").delimiter, None);
    assert_eq!(&folder("* LIST () \"\\\\\" a\\b").name[..], b"a\\b");
    assert_eq!(folder("* LIST () \"\\\\\" a").delimiter, Some(b'\\'));
    assert_eq!(&folder("* LIST () \"/\" {5}\r\na\"b\r\n").name[..], b"a\"b\r\n");
    assert_eq!(&folder("* LIST () \"/\" NIL").name[..], b"NIL");
    assert_eq!(&folder("* LIST () \"/\" foo[bar]").name[..], b"foo[bar]");
    assert_eq!(&folder("* LIST () \"/\" Sent Items").name[..], b"Sent Items");
    assert_eq!(&folder("* LIST () \"/\" \"foo\" (\"CHILDINFO\" (\"SUBSCRIBED\"))").name[..], b"foo");
    assert_eq!(&folder("* LIST () \"/\" \"Entw\u{fc}rfe\"").name[..], "Entw\u{fc}rfe".as_bytes());
    assert_eq!(&folder("* XLIST (\\Inbox) \"/\" \"Inbox\"").name[..], b"Inbox");
    assert_eq!(&folder("* LSUB () \".\" \"x\"").name[..], b"x");
    assert_eq!(&folder("* LIST () \"/\" \"\"").name[..], b"");
}

#[test]
fn other_responses() {
    assert_eq!(parsed("* CAPABILITY IMAP4rev1 IDLE"), Response::Capability(b" IMAP4rev1 IDLE"));
    assert_eq!(parsed("* ENABLED CONDSTORE"), Response::Enabled(b" CONDSTORE"));
    assert_eq!(parsed("* VANISHED (EARLIER) 41,43:44"), Response::Vanished(SequenceSet::parse(b"41,43:44")));
    assert_eq!(parsed("* VANISHED 41"), Response::Vanished(SequenceSet::parse(b"41")));
    assert_eq!(parsed("* ID (\"name\" NIL)"), Response::Id(vec![b"name".as_slice().into(), b"".as_slice().into()]));
    assert_eq!(parsed("* ID NIL"), Response::Id(vec![]));
}

#[test]
fn deep_nesting_ends_the_response_not_the_process() {
    let deep = format!("* 1 FETCH (BODYSTRUCTURE {} UID 7)", "(".repeat(100_000));
    skipped(&deep);
    let deep = format!("* 1 FETCH (UID 7 X {}{})", "(".repeat(50), ")".repeat(50));
    assert_eq!(fetch(&deep).uid, Some(7));
}

#[test]
fn scanner_values() {
    let mut scanner = Scanner::new(b"NIL atom \"q\\\\uo\\\"ted\" {3}\r\nabc (1 (2) \")\") 7", &[]);
    assert_eq!(scanner.value(), Some(Value::Nil));
    assert_eq!(scanner.value(), Some(Value::Atom(b"atom")));
    assert_eq!(scanner.value(), Some(Value::Text(b"q\\uo\"ted".as_slice().into())));
    assert_eq!(scanner.value(), Some(Value::Text(b"abc".as_slice().into())));
    assert_eq!(scanner.value(), Some(Value::List(b"1 (2) \")\"")));
    assert_eq!(scanner.value().and_then(|v| v.number::<u8>()), Some(7));
    assert_eq!(scanner.value(), None);
}

#[test]
fn literals_are_announced_at_the_end_of_a_line() {
    let at_end = |line: &str| literal_at_end(line.as_bytes()).unwrap();
    assert_eq!(at_end("* 1 FETCH (BODY[] {12}"), Some(12));
    assert_eq!(at_end("* 1 FETCH (BODY[] {12+}"), Some(12));
    assert_eq!(at_end("* 1 FETCH (BODY[] ~{0}"), Some(0));
    assert_eq!(at_end("* 1 FETCH (BODY[] {}"), None);
    assert_eq!(at_end("* 1 FETCH (BODY[] 12}"), None);
    assert_eq!(at_end("* 1 FETCH (BODY[] {1x}"), None);
    assert_eq!(at_end("* OK text {12}"), None);
    assert_eq!(at_end("A12 NO text {12}"), None);
    assert!(literal_at_end(b"* 1 FETCH (BODY[] {99999999999999999999}").is_err());
    assert!(literal_at_end(b"* 1 FETCH (BODY[] {18446744073709551615}").is_err());
}

#[test]
fn whole_messages_are_told_from_other_literals() {
    let message = |head: &str| is_message_literal(head.as_bytes());
    assert!(message("* 1 FETCH (UID 7 BODY[] {12}"));
    assert!(message("* 1 FETCH (UID 7 BODY[]{12}"));
    assert!(message("* 1 FETCH (body[] {12+}"));
    assert!(message("* 1 FETCH (BODY[]<0> {12}"));
    assert!(message("* 1 FETCH (RFC822 {12}"));
    assert!(message("* 1 FETCH (BINARY[] ~{12}"));
    assert!(!message("* 1 FETCH (BODY[HEADER] {12}"));
    assert!(!message("* 1 FETCH (X-BODY[1] {12}"));
    assert!(!message("* 1 FETCH (XRFC822 {12}"));
    assert!(!message("A1 FETCH BODY[] {12}"));
    assert!(is_header_literal(b"* 1 FETCH (BODY[HEADER] {12}"));
    assert!(!is_header_literal(b"* 1 FETCH (BODY[HEADER.FIELDS (A)] {12}"));
}

/// What went to [`Literals`], all in a row.
#[derive(Clone, Default)]
struct Taker(Arc<Mutex<Vec<u8>>>);

impl Literals for Taker {
    fn wants(&mut self, head: &[u8], _: u64) -> io::Result<bool> {
        Ok(is_message_literal(head))
    }

    fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(())
    }
}

/// Everything read from a stream that delivers `input` in pieces of these sizes.
async fn read_all(input: &[u8], pieces: &[usize]) -> (Vec<String>, Vec<u8>) {
    let (ours, mut theirs) = duplex(1 << 20);
    let (input, pieces) = (input.to_vec(), pieces.to_vec());
    let writer = tokio::spawn(async move {
        let (mut rest, mut sizes) = (&input[..], pieces.iter().copied().cycle());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(sizes.next().unwrap_or(usize::MAX).clamp(1, rest.len()));
            theirs.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
            rest = after;
        }
    });
    let mut wire = Wire::new(ours, PATIENCE);
    let mut taker = Taker::default();
    let mut responses = Vec::new();
    while wire.read(&mut taker).await.is_ok() {
        responses.push(format!("{:?}", wire.response()));
    }
    writer.await.unwrap();
    let taken = taker.0.lock().unwrap().clone();
    (responses, taken)
}

#[tokio::test]
async fn message_literals_are_streamed_and_the_rest_is_kept() {
    let input =
        b"* 1 FETCH (UID 7 BODY[] {5}\r\nhe\r\no FLAGS (\\Seen))\r\n* LIST () \"/\" {3}\r\na\r\n\nA1 OK done {3}\r\n";
    let (responses, taken) = read_all(input, &[3]).await;
    assert_eq!(taken, b"he\r\no");
    assert_eq!(responses.len(), 3);
    assert!(responses[0].contains("Streamed(5)") && responses[0].contains("uid: Some(7)"), "{}", responses[0]);
    assert!(responses[2].contains("Tagged"), "{}", responses[2]);
}

#[tokio::test]
async fn large_literals_that_nobody_wants_are_thrown_away() {
    let mut input = b"* 1 FETCH (BODY[TEXT] {100000}\r\n".to_vec();
    input.extend(std::iter::repeat_n(b'x', 100_000));
    input.extend(b" UID 7)\r\nA1 OK done\r\n");
    let (responses, taken) = read_all(&input, &[5000]).await;
    assert!(taken.is_empty());
    assert!(responses[0].contains("uid: Some(7)"), "{}", responses[0]);
    assert_eq!(responses.len(), 2);
}

#[tokio::test]
async fn a_line_without_end_is_refused() {
    let (ours, mut theirs) = duplex(1 << 16);
    tokio::spawn(async move { while theirs.write_all(&[b'x'; 4096]).await.is_ok() {} });
    let mut wire = Wire::new(ours, PATIENCE);
    let error = wire.read(&mut NoLiterals).await.unwrap_err();
    assert!(matches!(error, WireError::Framing(_)), "{error}");
    assert!(wire.buffered() < 3 * LONGEST_RESPONSE);
}

#[tokio::test]
async fn many_small_literals_do_not_add_up() {
    let (ours, mut theirs) = duplex(1 << 16);
    tokio::spawn(async move {
        while theirs.write_all(b"* 1 FETCH (X {60000}\r\n").await.is_ok() {
            if theirs.write_all(&[b'x'; 60000]).await.is_err() {
                return;
            }
        }
    });
    let mut wire = Wire::new(ours, PATIENCE);
    assert!(matches!(wire.read(&mut NoLiterals).await, Err(WireError::Framing(_))));
}

#[tokio::test(start_paused = true)]
async fn silence_ends_the_patience() {
    let (ours, _theirs) = duplex(100);
    let mut wire = Wire::new(ours, PATIENCE);
    assert!(matches!(wire.read(&mut NoLiterals).await, Err(WireError::Silent(_))));
}

#[tokio::test]
async fn a_huge_message_needs_a_small_buffer() {
    const SIZE: usize = 100 << 20;
    struct Counter(usize);
    impl Literals for Counter {
        fn wants(&mut self, _: &[u8], _: u64) -> io::Result<bool> {
            Ok(true)
        }
        fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
            assert!(bytes.len() <= READ_BUFFER);
            self.0 += bytes.len();
            Ok(())
        }
    }
    let (ours, mut theirs) = duplex(256 * 1024);
    let writer = tokio::spawn(async move {
        theirs.write_all(format!("* 1 FETCH (UID 7 BODY[] {{{SIZE}}}\r\n").as_bytes()).await.unwrap();
        let chunk = vec![b'x'; 1 << 18];
        for _ in 0..SIZE / chunk.len() {
            theirs.write_all(&chunk).await.unwrap();
        }
        theirs.write_all(b")\r\n").await.unwrap();
    });
    let mut wire = Wire::new(ours, PATIENCE);
    let mut counter = Counter(0);
    wire.read(&mut counter).await.unwrap();
    writer.await.unwrap();
    assert_eq!(counter.0, SIZE);
    assert!(wire.buffered() <= 256 * 1024, "{}", wire.buffered());
}

/// Pieces of what servers say, to be thrown together.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "* ",
        "A1 ",
        "OK ",
        "NO ",
        "[",
        "]",
        "(",
        ")",
        "\"",
        "\\",
        "{3}\r\n",
        "{3+}\r\n",
        "~{2}\r\n",
        "{0}\r\n",
        "abc",
        "\r\n",
        "\n",
        "\r",
        " ",
        "1 FETCH (",
        "UID 7",
        "BODY[] ",
        "BODY[",
        "FLAGS (\\Seen)",
        "NIL",
        "SEARCH 1 2",
        "ESEARCH (TAG \"A\") ALL 1:9",
        "LIST () \"/\" ",
        "99999999999",
        "{9999999999999999999999}",
        "EXISTS",
        "+",
    ]);
    prop_oneof![
        8 => known.prop_map(|s| s.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_can_be_parsed(fragments in prop::collection::vec(fragment(), 0..40)) {
        let bytes = fragments.concat();
        let mut rest = &bytes[..];
        while let Some((_, used)) = parse_response(rest) {
            prop_assert!(used > 0);
            rest = &rest[used..];
        }
        let _ = Response::parse(&bytes, &[]);
        let mut scanner = Scanner::new(&bytes, &[]);
        let mut steps = 0;
        while scanner.value().is_some() || scanner.eat(b')') {
            steps += 1;
            prop_assert!(steps <= bytes.len());
        }
    }

    #[test]
    fn chunks_make_no_difference(
        fragments in prop::collection::vec(fragment(), 0..40),
        pieces in prop::collection::vec(1usize..9, 1..6),
    ) {
        let bytes = fragments.concat();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let whole = runtime.block_on(read_all(&bytes, &[usize::MAX]));
        let split = runtime.block_on(read_all(&bytes, &pieces));
        prop_assert_eq!(whole, split);
    }
}
