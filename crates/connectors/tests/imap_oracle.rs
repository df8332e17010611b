//! A second opinion on responses: whatever `imap-codec` understands, we
//! understand in the same way. (The other way round does not hold: it refuses
//! much that real servers say.)
#![expect(clippy::panic, reason = "a test may fail loudly anywhere")]

use connectors::imap::wire::{Body, Response, Status, parse_response};
use imap_codec::ResponseCodec;
use imap_codec::decode::Decoder;
use imap_codec::imap_types::fetch::MessageDataItem;
use imap_codec::imap_types::flag::FlagFetch;
use imap_codec::imap_types::mailbox::Mailbox;
use imap_codec::imap_types::response::{self as theirs, Data, StatusKind};
use proptest::prelude::*;

fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 .,:;()\\[\\]<>@{}*%=+-]{0,30}"
}

/// A string as a quoted string or a literal.
fn string() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,20}".prop_map(|s| format!("\"{}\"", s.replace('\\', "\\\\").replace('"', "\\\""))),
        "[ -~\r\n]{0,40}".prop_map(|s| format!("{{{}}}\r\n{s}", s.len())),
    ]
}

fn fetch_item() -> impl Strategy<Value = String> {
    prop_oneof![
        (1u32..).prop_map(|n| format!("UID {n}")),
        any::<u32>().prop_map(|n| format!("RFC822.SIZE {n}")),
        prop::sample::subsequence(vec!["\\Seen", "\\Answered", "$Junk", "\\Recent", "keyword"], 0..5)
            .prop_map(|flags| format!("FLAGS ({})", flags.join(" "))),
        (1u8..29, 0u8..24, -12i8..13)
            .prop_map(|(d, h, z)| format!("INTERNALDATE \"{d:2}-Nov-2020 {h:02}:00:00 {z:+03}00\"")),
        string().prop_map(|s| format!("BODY[] {s}")),
        string().prop_map(|s| format!("BODY[HEADER] {s}")),
        string().prop_map(|s| format!("BODY[1.2.TEXT]<7> {s}")),
        Just("BODY[] NIL".to_owned()),
        (string(), string()).prop_map(|(s, i)| format!(
            "ENVELOPE (NIL {s} ((NIL NIL \"a\" \"b.example\")) NIL NIL NIL NIL NIL NIL {i})"
        )),
        Just("BODYSTRUCTURE (\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 5 1)".to_owned()),
    ]
}

fn line() -> impl Strategy<Value = String> {
    let code = prop::sample::select(vec![
        "",
        "[ALERT] ",
        "[UIDNEXT 7] ",
        "[UIDVALIDITY 9] ",
        "[READ-ONLY] ",
        "[PERMANENTFLAGS (\\Deleted \\*)] ",
        "[X-Y z] ",
        "[CAPABILITY IMAP4rev1 IDLE] ",
        "[APPENDUID 38505 3955] ",
        "[AUTHENTICATIONFAILED] ",
    ]);
    let status = (prop::sample::select(vec!["OK", "NO", "BAD", "BYE"]), code, text());
    let tagged = (prop::sample::select(vec!["OK", "NO", "BAD"]), text());
    let numbers = || prop::collection::vec(1u32.., 0..8);
    prop_oneof![
        6 => (1u32.., prop::collection::vec(fetch_item(), 1..6)).prop_map(|(n, i)| format!("* {n} FETCH ({})", i.join(" "))),
        3 => status.prop_map(|(s, c, t)| format!("* {s} {c}{t}")),
        2 => tagged.prop_map(|(s, t)| format!("A12 {s} {t}")),
        2 => numbers().prop_map(|n| n.iter().fold("* SEARCH".to_owned(), |s, n| format!("{s} {n}"))),
        1 => any::<u32>().prop_map(|n| format!("* {n} EXISTS")),
        1 => (1u32..).prop_map(|n| format!("* {n} EXPUNGE")),
        2 => string().prop_map(|s| format!("* LIST (\\HasNoChildren) \"/\" {s}")),
        1 => text().prop_map(|t| format!("+ {t}")),
        1 => Just("* CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN".to_owned()),
    ]
}

fn same_items(ours: &connectors::imap::wire::FetchItems<'_>, theirs: &[MessageDataItem<'_>]) {
    let (mut uid, mut size, mut flags) = (None, None, 0);
    let (mut message, mut header) = (None, None);
    for item in theirs {
        match item {
            MessageDataItem::Uid(n) => uid = Some(n.get()),
            MessageDataItem::Rfc822Size(n) => size = Some(u64::from(*n)),
            MessageDataItem::Flags(list) => {
                flags += list.iter().filter(|f| matches!(f, FlagFetch::Flag(_) | FlagFetch::Recent)).count();
            }
            MessageDataItem::BodyExt { section, origin: None, data } => {
                let data = data.0.as_ref().map(|s| s.as_ref().to_vec());
                match section {
                    None => message = Some(data),
                    Some(imap_codec::imap_types::fetch::Section::Header(None)) => header = Some(data),
                    Some(_) => {}
                }
            }
            _ => {}
        }
    }
    let bytes = |body: &Option<Body<'_>>| {
        body.as_ref().map(|body| match body {
            Body::Nil => None,
            Body::Inline(text) => Some(text.to_vec()),
            Body::Streamed(_) => panic!("nothing is streamed here"),
        })
    };
    assert_eq!((ours.uid, ours.size, ours.flags.len()), (uid, size, flags));
    assert_eq!(bytes(&ours.message), message);
    assert_eq!(bytes(&ours.header), header);
}

fn compare(ours: &Response<'_>, theirs: &theirs::Response<'_>) {
    match (ours, theirs) {
        (Response::Fetch { sequence, items }, theirs::Response::Data(Data::Fetch { seq, items: theirs })) => {
            assert_eq!(*sequence, seq.get());
            same_items(items, theirs.as_ref());
        }
        (Response::Search(set), theirs::Response::Data(Data::Search(numbers, ..))) => {
            let theirs = numbers.iter().map(|n| n.get()).collect();
            assert_eq!(set, &theirs);
        }
        (Response::Exists(ours), theirs::Response::Data(Data::Exists(theirs))) => assert_eq!(ours, theirs),
        (Response::Expunge(ours), theirs::Response::Data(Data::Expunge(theirs))) => assert_eq!(*ours, theirs.get()),
        (Response::List(ours), theirs::Response::Data(Data::List { mailbox, .. })) => match mailbox {
            Mailbox::Inbox => assert!(ours.name.eq_ignore_ascii_case(b"INBOX")),
            Mailbox::Other(other) => assert_eq!(&ours.name[..], other.as_ref()),
        },
        (Response::Tagged { status, .. }, theirs::Response::Status(theirs::Status::Tagged(t))) => {
            same_status(*status, &t.body.kind);
        }
        (Response::Status { status, .. }, theirs::Response::Status(theirs::Status::Untagged(body))) => {
            same_status(*status, &body.kind);
        }
        (Response::Status { status: Status::Bye, .. }, theirs::Response::Status(theirs::Status::Bye(_)))
        | (Response::Capability(_), theirs::Response::Data(Data::Capability(_)))
        | (Response::Continue(_), theirs::Response::CommandContinuationRequest(_)) => {}
        (ours, theirs) => panic!("{ours:?} is not {theirs:?}"),
    }
}

fn same_status(ours: Status, theirs: &StatusKind) {
    let theirs = match theirs {
        StatusKind::Ok => Status::Ok,
        StatusKind::No => Status::No,
        StatusKind::Bad => Status::Bad,
    };
    assert_eq!(ours, theirs);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn what_the_other_understands_means_the_same_to_us(line in line()) {
        let bytes = format!("{line}\r\n").into_bytes();
        let theirs = ResponseCodec::default().decode(&bytes);
        prop_assume!(theirs.is_ok());
        if let Ok((rest, theirs)) = theirs {
            prop_assume!(rest.is_empty());
            let (ours, used) = parse_response(&bytes).expect("a whole response");
            prop_assert_eq!(used, bytes.len());
            compare(&ours, &theirs);
        }
    }
}
