//! Single messages, and what stands in them.

use super::*;

fn mail() -> OutgoingMail {
    OutgoingMail {
        message_id: "<1@x.example>".into(),
        date: "2026-03-04T05:06:07Z".parse().unwrap(),
        from: Address::new("Ann Bee", "ann@x.example"),
        to: vec![Address::new("", "bob@y.example")],
        subject: "Hello".into(),
        html: "<p>Hi</p>".into(),
        ..OutgoingMail::default()
    }
}
fn text(mail: &OutgoingMail) -> String {
    String::from_utf8(write(mail).unwrap().bytes).unwrap()
}
fn contains(mail: &OutgoingMail, line: &str) {
    let text = text(mail);
    assert!(text.contains(line), "{line:?} not in\n{text}");
}
fn lacks(mail: &OutgoingMail, line: &str) {
    assert!(!text(mail).contains(line));
}
fn refused(mail: &OutgoingMail, field: &str) {
    assert_eq!(write(mail).unwrap_err().field, field);
}
fn with_subject(subject: &str) -> OutgoingMail {
    OutgoingMail { subject: subject.into(), ..mail() }
}
fn file(name: &str, bytes: &[u8]) -> OutgoingAttachment {
    OutgoingAttachment { name: name.into(), mime_type: "text/csv".into(), content_id: None, bytes: bytes.to_vec() }
}

#[test]
fn the_usual_fields() {
    contains(&mail(), "Date: Wed, 04 Mar 2026 05:06:07 +0000\r\n");
    contains(&mail(), "From: Ann Bee <ann@x.example>\r\n");
    contains(&mail(), "To: bob@y.example\r\n");
    contains(&mail(), "Subject: Hello\r\n");
    contains(&mail(), "Message-ID: <1@x.example>\r\n");
    contains(&mail(), "MIME-Version: 1.0\r\n");
}
#[test]
fn nothing_that_is_not_asked_for() {
    for field in
        ["Cc:", "Bcc:", "Reply-To:", "Importance:", "References:", "In-Reply-To:", "Disposition-Notification-To:"]
    {
        lacks(&mail(), field);
    }
}
#[test]
fn a_simple_message_is_one_alternative() {
    contains(&mail(), "Content-Type: multipart/alternative;\r\n boundary=");
    lacks(&mail(), "multipart/mixed");
    lacks(&mail(), "multipart/related");
}
#[test]
fn attachments_make_it_mixed() {
    let mail = OutgoingMail { attachments: vec![file("a.csv", b"1,2")], ..mail() };
    contains(&mail, "Content-Type: multipart/mixed;");
    contains(&mail, "Content-Disposition: attachment; filename=\"a.csv\"");
    contains(&mail, "\r\n\r\nMSwy\r\n--");
}
#[test]
fn inline_pictures_make_it_related() {
    let picture =
        OutgoingAttachment { content_id: Some("p@x".into()), mime_type: "image/png".into(), ..file("p.png", b"x") };
    let mail = OutgoingMail { attachments: vec![picture], ..mail() };
    contains(&mail, "Content-Type: multipart/related;");
    contains(&mail, "Content-ID: <p@x>\r\n");
    contains(&mail, "Content-Disposition: inline; filename=\"p.png\"");
    lacks(&mail, "multipart/mixed");
}
#[test]
fn replies() {
    let mail =
        OutgoingMail { in_reply_to: Some("<0@y>".into()), references: vec!["<a@y>".into(), "<0@y>".into()], ..mail() };
    contains(&mail, "In-Reply-To: <0@y>\r\n");
    contains(&mail, "References: <a@y> <0@y>\r\n");
}
#[test]
fn references_are_folded_and_limited() {
    let ids = (0..500).map(|n| format!("<{n}.{}@y.example>", "x".repeat(30)));
    let mail = OutgoingMail { references: ids.collect(), ..mail() };
    contains(&mail, "References: <0.xx");
    contains(&mail, "<499.xx");
    lacks(&mail, "<100.xx");
}
#[test]
fn broken_references_are_left_out() {
    let mail = OutgoingMail { references: vec!["rubbish".into(), "<a@y>".into()], ..mail() };
    contains(&mail, "References: <a@y>\r\n");
}
#[test]
fn high_priority() {
    let mail = OutgoingMail { priority: Priority::High, ..mail() };
    contains(&mail, "Importance: high\r\nX-Priority: 1\r\n");
}
#[test]
fn low_priority() {
    let mail = OutgoingMail { priority: Priority::Low, ..mail() };
    contains(&mail, "Importance: low\r\nX-Priority: 5\r\n");
}
#[test]
fn read_receipt() {
    let mail = OutgoingMail { read_receipt: true, ..mail() };
    contains(&mail, "Disposition-Notification-To: Ann Bee <ann@x.example>\r\n");
}
#[test]
fn more_fields() {
    let mail = OutgoingMail { fields: vec![("X-Postroom-Email".into(), "1;2".into())], ..mail() };
    contains(&mail, "X-Postroom-Email: 1;2\r\n");
}
#[test]
fn nobody_named() {
    let mail = OutgoingMail { to: vec![], ..mail() };
    contains(&mail, "To: undisclosed-recipients:;\r\n");
}
#[test]
fn names_are_quoted_where_they_must_be() {
    let mail = OutgoingMail { from: Address::new("Bee, \"A\" Ann", "a@x.y"), ..mail() };
    contains(&mail, "From: \"Bee, \\\"A\\\" Ann\" <a@x.y>\r\n");
}
#[test]
fn names_are_encoded_where_they_must_be() {
    let mail = OutgoingMail { from: Address::new("André", "a@x.y"), ..mail() };
    contains(&mail, "From: =?utf-8?Q?Andr=C3=A9?= <a@x.y>\r\n");
}
#[test]
fn an_address_that_is_not_ascii_needs_smtputf8() {
    let mail = OutgoingMail { to: vec![Address::new("", "jörg@x.example")], ..mail() };
    assert!(write(&mail).unwrap().needs_utf8);
    assert!(!write(&self::mail()).unwrap().needs_utf8);
}
#[test]
fn what_looks_like_an_encoded_word_is_encoded() {
    lacks(&with_subject("=?utf-8?q?x?="), "Subject: =?utf-8?q?x?=");
}
#[test]
fn line_breaks_are_refused_everywhere() {
    refused(&with_subject("a\r\nBcc: x@y"), "Subject");
    refused(&with_subject("a\0"), "Subject");
    refused(&OutgoingMail { from: Address::new("a\nb", "a@x.y"), ..mail() }, "From");
    refused(&OutgoingMail { to: vec![Address::new("", "a@x.y\r\nBcc: z@z")], ..mail() }, "To");
    refused(&OutgoingMail { cc: vec![Address::new("\n", "a@x.y")], ..mail() }, "Cc");
    refused(&OutgoingMail { reply_to: vec![Address::new("\n", "a@x.y")], ..mail() }, "Reply-To");
    refused(&OutgoingMail { message_id: "<a@b>\r\nX: y".into(), ..mail() }, "Message-ID");
    refused(&OutgoingMail { in_reply_to: Some("<a@b>\nX: y".into()), ..mail() }, "References");
    refused(&OutgoingMail { references: vec!["<a@b>\nX: y".into()], ..mail() }, "References");
    refused(&OutgoingMail { fields: vec![("X-A".into(), "b\nc".into())], ..mail() }, "X-A");
    refused(&OutgoingMail { attachments: vec![file("a\r\nb", b"")], ..mail() }, "attachment 1");
    let typed = OutgoingAttachment { mime_type: "a/b\r\nX: y".into(), ..file("a", b"") };
    refused(&OutgoingMail { attachments: vec![typed], ..mail() }, "attachment 1");
    let identified = OutgoingAttachment { content_id: Some("a\nb".into()), ..file("a", b"") };
    refused(&OutgoingMail { attachments: vec![identified], ..mail() }, "attachment 1");
}
#[test]
fn field_names_are_checked() {
    for name in ["", "X A", "X:A", "Bcc", "bcc", "Content-Type", "Resent-Bcc", "Ü"] {
        assert!(write(&OutgoingMail { fields: vec![(name.into(), "x".into())], ..mail() }).is_err(), "{name}");
    }
}
#[test]
fn bad_addresses_are_refused() {
    refused(&OutgoingMail { from: Address::new("x", "nobody"), ..mail() }, "From");
    refused(&OutgoingMail { to: vec![Address::new("x", "a@b, c@d")], ..mail() }, "To");
    refused(&OutgoingMail { to: vec![Address::new("x", "\"a\", c@d, \"b\"@x.y")], ..mail() }, "To");
}
#[test]
fn a_message_id_that_is_none_is_refused() {
    refused(&OutgoingMail { message_id: "a@b".into(), ..mail() }, "Message-ID");
    refused(&OutgoingMail { message_id: "".into(), ..mail() }, "Message-ID");
}
#[test]
fn the_same_message_gives_the_same_bytes() {
    assert_eq!(write(&mail()), write(&mail()));
}
#[test]
fn lines_are_short_and_seven_bit() {
    let mail = OutgoingMail {
        subject: "Überlange Betreffzeile mit vielen Wörtern, ".repeat(20),
        html: format!("<p>{}</p>\n.\nFrom me\n{}", "äöü ".repeat(1000), "x".repeat(5000)),
        to: (0..100).map(|n| Address::new(format!("Name Nr. {n} mit Ümlaut"), format!("user{n}@y.example"))).collect(),
        attachments: vec![file(&"ein sehr langer Náme ".repeat(9), &[7; 1000])],
        ..mail()
    };
    let bytes = write(&mail).unwrap().bytes;
    assert!(bytes.is_ascii());
    for line in bytes.split(|b| *b == b'\n') {
        assert!(line.len() <= 79, "{}", String::from_utf8_lossy(line));
        assert!(line.is_empty() || line.ends_with(b"\r"));
        assert!(!line.starts_with(b".") && !line.starts_with(b"From me"));
    }
}
