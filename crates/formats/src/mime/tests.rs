//! Whole messages, and properties over arbitrary ones.

use model::mail::{Address, Encoding, Flaw};
use model::outgoing::{OutgoingAttachment, OutgoingMail};
use model::tables::Priority;
use proptest::prelude::*;

use super::*;

fn mail(text: &str) -> Mail {
    read(text.as_bytes())
}
/// A message with these fields and nothing else.
fn head(fields: &str) -> Mail {
    mail(&format!("{fields}\r\n\r\n"))
}
fn body(text: &str, expected_text: Option<&str>, expected_html: Option<&str>) {
    let got = mail(text);
    assert_eq!((got.text.as_deref(), got.html.as_deref()), (expected_text, expected_html), "{text}");
}
/// The attachments: name, type, what extracting gives.
fn attachments(text: &str, expected: &[(&str, &str, &str)]) {
    let got = mail(text);
    let got: Vec<(String, String, String)> = got
        .attachments
        .iter()
        .map(|a| {
            let bytes = extract(text.as_bytes(), &a.place);
            assert_eq!(bytes.len() as u64, a.size);
            (a.name.clone(), a.mime_type.clone(), String::from_utf8_lossy(&bytes).into_owned())
        })
        .collect();
    let got: Vec<(&str, &str, &str)> = got.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str())).collect();
    assert_eq!(got, expected);
}
fn delivered(fields: &str, expected: &[&str]) {
    assert_eq!(head(fields).delivered_to, expected);
}
fn automatic(fields: &str, expected: bool) {
    assert_eq!(head(&format!("From: a@b.c\r\n{fields}")).automatic, expected, "{fields}");
}
fn priority(fields: &str, expected: Priority) {
    assert_eq!(head(fields).priority, expected, "{fields}");
}
fn same_fingerprint(a: &str, b: &str) {
    assert_eq!(mail(a).fingerprint, mail(b).fingerprint);
}
fn other_fingerprint(a: &str, b: &str) {
    assert_ne!(mail(a).fingerprint, mail(b).fingerprint);
}

const BASIC: &str = "Message-ID: <1@x>\nDate: Mon, 2 Mar 2026 10:00:00 +0100\nFrom: Ann <a@x.y>\nTo: b@x.y\nSubject: Hi\n\nHello\nyou\n";

#[test]
fn the_basics() {
    let got = mail(BASIC);
    assert_eq!(got.message_id.as_deref(), Some("<1@x>"));
    assert_eq!(got.date.unwrap().to_string(), "2026-03-02T09:00:00Z");
    assert_eq!(got.from, [Address::new("Ann", "a@x.y")]);
    assert_eq!(got.to, [Address::new("", "b@x.y")]);
    assert_eq!(got.subject, "Hi");
    assert_eq!(got.text.as_deref(), Some("Hello\nyou\n"));
    assert_eq!(got.html, None);
    assert_eq!(got.size, BASIC.len() as u64);
    assert_eq!(got.flaws, []);
    assert!(got.headers.starts_with("Message-ID: <1@x>\n"));
}
#[test]
fn nothing_at_all() {
    let got = mail("");
    assert_eq!(got.text.as_deref(), Some(""));
    assert!(got.flaws.contains(&Flaw::MissingFrom) && got.flaws.contains(&Flaw::MissingDate));
}

// Header sections.
#[test]
fn header_without_end() {
    assert_eq!(mail("Subject: x").subject, "x");
    let got = mail("Subject: x\nthis is no field\nbody");
    assert_eq!((got.subject.as_str(), got.text.as_deref()), ("x", Some("this is no field\nbody")));
    assert!(got.flaws.contains(&Flaw::NoHeaderEnd));
}
#[test]
fn a_broken_line_in_the_header() {
    let got = mail("From: a@b\nrubbish here\nSubject: x\nDate: y\n\nbody");
    assert_eq!((got.subject.as_str(), got.text.as_deref()), ("x", Some("body")));
    assert_eq!(mail("To: x@y\nFrom\n : a@b\nSubject: x\n\nbody").from.len(), 1);
    body("From: a@b\nrubbish here\nfoo: bar\n\nbody", Some("rubbish here\nfoo: bar\n\nbody"), None);
    body("From: a@b\nrubbish here", Some("rubbish here"), None);
    body("From: a@b\nrubbish\nmore\nSubject: x\n\nbody", Some("rubbish\nmore\nSubject: x\n\nbody"), None);
}
#[test]
fn white_space_where_an_empty_line_should_be() {
    body("Content-Type: multipart/mixed; boundary=b\n \n--b\nContent-Type: text/plain\n\nx\n--b--\n", Some("x"), None);
}
#[test]
fn mailbox_separator_is_passed_over() {
    assert_eq!(mail("From a@b Mon Jan 1\nSubject: x\n\ny").subject, "x");
}
#[test]
fn empty_lines_first() {
    assert_eq!(mail("\r\n\r\nSubject: x\r\n\r\ny").subject, "x");
}
#[test]
fn header_digest_ends_with_the_empty_line() {
    let digest = |t: &str| mail(t).header_digest;
    assert_eq!(digest("A: b\r\n\r\nx"), digest("A: b\r\n\r\ny\r\n"));
    assert_ne!(digest("A: b\r\n\r\n"), digest("A: b\n\n"));
    assert_eq!(digest("A: b\r\n\r\n"), <[u8; 32]>::from(<sha2::Sha256 as sha2::Digest>::digest(b"A: b\r\n\r\n")));
    assert_eq!(digest("A: b"), <[u8; 32]>::from(<sha2::Sha256 as sha2::Digest>::digest(b"A: b")));
}
#[test]
fn subjects() {
    assert_eq!(head("Subject: =?utf-8?q?=C3=A9?=").subject, "é");
    assert_eq!(head("Subject:\r\n folded\r\n twice").subject, "folded twice");
    assert_eq!(head("X: y").subject, "");
}
#[test]
fn raw_eight_bit_subject() {
    assert_eq!(read(b"Subject: caf\xe9\n\n").subject, "café");
    assert_eq!(read("Subject: café\n\n".as_bytes()).subject, "café");
}
#[test]
fn missing_and_several_from() {
    assert!(head("To: a@b").flaws.contains(&Flaw::MissingFrom));
    assert!(head("From: a@b, c@d").flaws.contains(&Flaw::SeveralFrom));
    assert!(head("From: a@b\nFrom: c@d").flaws.contains(&Flaw::SeveralFrom));
}
#[test]
fn several_to_fields_add_up() {
    assert_eq!(head("To: a@b\nTo: c@d").to.len(), 2);
}
#[test]
fn marks() {
    assert_eq!(head("x-postroom-Email: 1\nX-Postroom: 2").marks, [("x-postroom-email".to_owned(), "1".to_owned())]);
}
#[test]
fn thread_index() {
    assert_eq!(head("Thread-Index: AQHaAAAAAAAAAAAAAAAAAAAAAAAAAA==").conversation_index.map(|i| i.len()), Some(22));
    assert_eq!(head("Thread-Index: AQHa").conversation_index, None);
    assert_eq!(head("Thread-Index: !!").conversation_index, None);
}
#[test]
fn null_bytes() {
    let got = mail("Subject: a\0b\n\nc\0d");
    assert_eq!((got.subject.as_str(), got.text.as_deref()), ("ab", Some("cd")));
    assert!(got.flaws.contains(&Flaw::NullBytes));
}
#[test]
fn bad_date_is_a_flaw() {
    assert!(head("Date: soon").flaws.contains(&Flaw::BadDate("soon".into())));
}
#[test]
fn envelope_recipients() {
    delivered("To: a@b", &[]);
    delivered("Delivered-To: a@b.c", &["a@b.c"]);
    delivered("X-Original-To: x@b.c\nDelivered-To: a@b.c", &["a@b.c", "x@b.c"]);
    delivered("Delivered-To: a@b.c\nDelivered-To: A@b.c", &["a@b.c"]);
    delivered("Envelope-To: a@b.c, d@b.c", &["a@b.c", "d@b.c"]);
    delivered("Resent-To: Ann <a@b.c>", &["a@b.c"]);
    delivered("Received: from x by y\n\tfor <a@b.c>; Mon, 1 Jan", &["a@b.c"]);
    delivered("Received: from x by y (for z) for a@b.c; Mon", &["a@b.c"]);
    delivered("Received: from x by y; Mon", &[]);
}
#[test]
fn programs() {
    automatic("Subject: x", false);
    automatic("Auto-Submitted: no", false);
    automatic("Auto-Submitted: auto-replied", true);
    automatic("Auto-Submitted: auto-generated; x=y", true);
    automatic("Precedence: bulk", true);
    automatic("Precedence: list", true);
    automatic("Precedence: auto_reply", true);
    automatic("Precedence: first-class", false);
    automatic("X-Auto-Response-Suppress: All", true);
    automatic("List-Id: <x.y>", true);
    automatic("Return-Path: <>", true);
    automatic("Return-Path: <a@b>", false);
    automatic("Content-Type: multipart/report; boundary=x", true);
}
#[test]
fn priorities() {
    priority("A: b", Priority::Normal);
    priority("Importance: High", Priority::High);
    priority("Importance: low", Priority::Low);
    priority("X-Priority: 1 (Highest)", Priority::High);
    priority("X-Priority: 5", Priority::Low);
    priority("X-Priority: 3", Priority::Normal);
    priority("X-MSMail-Priority: High", Priority::High);
    priority("Priority: urgent", Priority::High);
    priority("Priority: non-urgent", Priority::Low);
}

// Bodies.
#[test]
fn bodies() {
    body("\nx", Some("x"), None);
    body("A: b\n\nx\r\ny", Some("x\ny"), None);
    body("Content-Type: text/html\n\n<p>x", None, Some("<p>x"));
    body("Content-Transfer-Encoding: base64\n\naGVsbG8=\n", Some("hello"), None);
    body("Content-Transfer-Encoding: quoted-printable\n\nc=C3=A9=\nx", Some("céx"), None);
    body(
        "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n=E9",
        Some("é"),
        None,
    );
    body("Content-Type: nonsense\n\nx", Some("x"), None);
    body("Content-Type: text/enriched\n\nx", Some("x"), None);
    body(
        "Content-Transfer-Encoding: base64\n\nThis is not base64 at all, you see.",
        Some("This is not base64 at all, you see."),
        None,
    );
}
#[test]
fn html_says_its_charset() {
    let text = b"Content-Type: text/html\n\n<meta charset=\"iso-8859-2\">\xb1";
    assert!(read(text).html.unwrap().ends_with('ą'));
}
#[test]
fn unknown_charset_is_a_flaw() {
    assert!(
        mail("Content-Type: text/plain; charset=x-nobody\n\nx")
            .flaws
            .contains(&Flaw::UnknownCharset("x-nobody".into()))
    );
}
fn multi(kind: &str, parts: &[&str]) -> String {
    let mut text = format!("Content-Type: multipart/{kind}; boundary=\"b\"\n\npreamble\n");
    for part in parts {
        text.push_str(&format!("--b\n{part}\n"));
    }
    text + "--b--\nepilogue\n"
}
const PLAIN: &str = "Content-Type: text/plain\n\nplain";
const HTML: &str = "Content-Type: text/html\n\n<b>html</b>";
const PICTURE: &str = "Content-Type: image/png\nContent-ID: <p@x>\nContent-Transfer-Encoding: base64\n\naGk=";
const FILE: &str = "Content-Type: text/csv; name=a.csv\nContent-Disposition: attachment\n\n1,2";

#[test]
fn alternatives() {
    body(&multi("alternative", &[PLAIN, HTML]), Some("plain"), Some("<b>html</b>"));
    body(&multi("alternative", &[HTML, PLAIN]), Some("plain"), Some("<b>html</b>"));
    body(&multi("alternative", &[PLAIN]), Some("plain"), None);
    body(&multi("alternative", &[HTML]), None, Some("<b>html</b>"));
}
#[test]
fn an_alternative_that_is_neither_is_an_attachment() {
    attachments(
        &multi("alternative", &[PLAIN, "Content-Type: text/calendar\n\nBEGIN"]),
        &[("attachment.ics", "text/calendar", "BEGIN")],
    );
}
#[test]
fn related() {
    let text = multi("related", &[HTML, PICTURE]);
    body(&text, None, Some("<b>html</b>"));
    let got = mail(&text);
    assert_eq!(got.attachments[0].content_id.as_deref(), Some("p@x"));
    assert!(got.attachments[0].inline);
    attachments(&text, &[("attachment.png", "image/png", "hi")]);
}
#[test]
fn related_whose_root_is_not_first() {
    let root = "Content-Type: text/html\nContent-ID: <r>\n\n<i>";
    body(&multi("related; start=\"<r>\"", &[PICTURE, root]), None, Some("<i>"));
    body(&multi("related", &[PICTURE, HTML]), None, Some("<b>html</b>"));
}
#[test]
fn mixed() {
    let text = multi("mixed", &[PLAIN, FILE]);
    body(&text, Some("plain"), None);
    attachments(&text, &[("a.csv", "text/csv", "1,2")]);
    assert!(!mail(&text).attachments[0].inline);
}
#[test]
fn mixed_texts_add_up() {
    body(&multi("mixed", &[PLAIN, PLAIN]), Some("plain\nplain"), None);
    let html = "<b>html</b><div style=\"white-space: pre-wrap\">plain</div>";
    body(&multi("mixed", &[HTML, PLAIN]), Some("html\nplain"), Some(html));
}
#[test]
fn named_text_is_a_file_unless_it_is_all_there_is() {
    let named = "Content-Type: text/plain; name=x.txt\n\nnamed";
    body(&multi("mixed", &[PLAIN, named]), Some("plain"), None);
    body(&multi("mixed", &[named]), Some("named"), None);
    body(&multi("mixed", &["Content-Disposition: attachment\n\nx"]), None, None);
}
#[test]
fn nested() {
    let inner = multi("alternative", &[PLAIN, HTML]).replace("\"b\"", "\"c\"").replace("--b", "--c");
    let text = multi("mixed", &[&inner, FILE]);
    body(&text, Some("plain"), Some("<b>html</b>"));
    attachments(&text, &[("a.csv", "text/csv", "1,2")]);
}
#[test]
fn unterminated() {
    let text = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n";
    body(text, Some("x\n"), None);
    assert!(mail(text).flaws.contains(&Flaw::UnterminatedMultipart));
}
#[test]
fn inner_multipart_without_its_end() {
    let text = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\nx\n--b\nContent-Type: image/png\n\ny\n--b--\n";
    body(text, Some("x"), None);
    attachments(text, &[("attachment.png", "image/png", "y")]);
}
#[test]
fn multipart_without_parts_is_a_text() {
    body("Content-Type: multipart/mixed; boundary=b\n\nhello\n", Some("hello\n"), None);
}
#[test]
fn multipart_that_does_not_say_its_boundary() {
    body("Content-Type: multipart/mixed\n\n--frontier\n\nhello\n--frontier--\n", Some("hello"), None);
}
#[test]
fn part_without_empty_line() {
    body(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\nno empty line\n--b--\n",
        Some("no empty line"),
        None,
    );
    body("Content-Type: multipart/mixed; boundary=b\n\n--b\nno header either\n--b--\n", Some("no header either"), None);
}
#[test]
fn part_without_body() {
    attachments(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/png\n--b--\n",
        &[("attachment.png", "image/png", "")],
    );
}
#[test]
fn boundary_with_white_space_after_and_prefix_of_another() {
    body("Content-Type: multipart/mixed; boundary=b\n\n--b  \t\n\nx\n--bb\ny\n--b-- \n", Some("x\n--bb\ny"), None);
}
#[test]
fn crlf_before_the_delimiter_is_not_content() {
    attachments(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: image/png\r\n\r\nx\r\n\r\n--b--",
        &[("attachment.png", "image/png", "x\r\n")],
    );
}
#[test]
fn attachment_names() {
    let named = |header: &str| mail(&multi("mixed", &[&format!("{header}\n\nx")])).attachments[0].name.clone();
    assert_eq!(named("Content-Type: application/pdf; name=\"a.pdf\""), "a.pdf");
    assert_eq!(
        named("Content-Type: application/pdf; name=\"a.pdf\"\nContent-Disposition: attachment; filename=b.pdf"),
        "b.pdf"
    );
    assert_eq!(
        named("Content-Type: application/pdf\nContent-Disposition: attachment; filename*=utf-8''%C3%A9.pdf"),
        "é.pdf"
    );
    assert_eq!(named("Content-Type: application/pdf; name=\"=?utf-8?q?=C3=A9.pdf?=\""), "é.pdf");
    assert_eq!(named("Content-Type: application/pdf; name=\"../../x.pdf\""), "x.pdf");
    assert_eq!(named("Content-Type: application/pdf"), "attachment.pdf");
}

// Enclosed messages.
fn forward(encoding: &str, inner: &str) -> String {
    multi("mixed", &[PLAIN, &format!("Content-Type: message/rfc822\n{encoding}\n{inner}")])
}
#[test]
fn enclosed() {
    let text = forward("", BASIC);
    let got = mail(&text);
    assert_eq!(got.text.as_deref(), Some("plain"));
    assert_eq!(got.enclosed.len(), 1);
    assert_eq!(got.enclosed[0].mail.subject, "Hi");
    assert_eq!(got.attachments[0].name, "Hi.eml");
    assert_eq!(extract(text.as_bytes(), &got.enclosed[0].place), BASIC.as_bytes());
    assert_eq!(read(&extract(text.as_bytes(), &got.enclosed[0].place)), got.enclosed[0].mail);
}
#[test]
fn enclosed_and_encoded() {
    let inner = multi("mixed", &[PLAIN, PICTURE]);
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &inner);
    let text = forward("Content-Transfer-Encoding: base64\n", &encoded);
    let got = mail(&text);
    let place = &got.enclosed[0].mail.attachments[0].place;
    assert_eq!(place.0.len(), 2);
    assert_eq!(extract(text.as_bytes(), place), b"hi");
}
#[test]
fn enclosed_attachments_lie_in_the_outer_blob() {
    let inner = multi("mixed", &[PLAIN, PICTURE]).replace("\"b\"", "\"c\"").replace("--b", "--c");
    let text = forward("", &forward("", &inner).replace("\"b\"", "\"d\"").replace("--b", "--d"));
    let got = mail(&text);
    let place = &got.enclosed[0].mail.enclosed[0].mail.attachments[0].place;
    assert_eq!(place.0.len(), 1);
    assert_eq!(extract(text.as_bytes(), place), b"hi");
}
#[test]
fn eml_files_are_messages_if_they_look_like_one() {
    let file =
        |body: &str| mail(&multi("mixed", &[&format!("Content-Type: application/octet-stream; name=x.EML\n\n{body}")]));
    assert_eq!(file(BASIC).enclosed.len(), 1);
    assert_eq!(file("just text\n").enclosed.len(), 0);
    assert_eq!(file("just text\n").attachments.len(), 1);
}
#[test]
fn digests() {
    assert_eq!(mail(&multi("digest", &[&format!("\n{BASIC}"), &format!("\n{BASIC}")])).enclosed.len(), 2);
}
#[test]
fn the_whole_message_is_a_message() {
    assert_eq!(mail(&format!("Content-Type: message/rfc822\n\n{BASIC}")).enclosed[0].mail.subject, "Hi");
}

// Limits.
#[test]
fn too_deep() {
    let got = mail(&"Content-Type: message/rfc822\n\n".repeat(1000));
    assert!(format!("{got:?}").contains("TooDeep"));
    let mut text = String::new();
    for n in 0..1000 {
        text.push_str(&format!("Content-Type: multipart/mixed; boundary={n}\n\n--{n}\n"));
    }
    assert!(mail(&text).flaws.contains(&Flaw::TooDeep));
}
#[test]
fn too_many_parts() {
    let got = mail(&format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\nx\n".repeat(5000)));
    assert!(got.flaws.contains(&Flaw::TooManyParts));
}
#[test]
fn too_many_parts_over_enclosed_messages() {
    let one = format!(
        "--b\nContent-Type: message/rfc822\n\n{}",
        multi("mixed", &[PLAIN; 100]).replace("\"b\"", "c").replace("--b", "--c")
    );
    let got = mail(&format!("Content-Type: multipart/mixed; boundary=b\n\n{}", one.repeat(100)));
    assert!(got.enclosed.len() < 25);
}
#[test]
fn long_bodies_are_cut() {
    let limits = Limits { text: 10, ..Limits::default() };
    let mut skeleton = Skeleton::new(limits);
    skeleton.push(b"\n0123456789abc");
    let got = skeleton.finish();
    assert!(got.truncated);
    assert_eq!(got.text.as_deref(), Some("0123456789"));
}
#[test]
fn megabytes_of_nothing_are_quick() {
    for piece in ["=?", "<", "(", "\"", ",", "=?a?b?x", "a:", "\\", "&", "=?utf-8?q?=", "@,", "<@"] {
        for field in ["From", "Subject", "References", "Content-Type", "Received", "Date", "Message-ID"] {
            let start = std::time::Instant::now();
            mail(&format!("{field}: {}\n\n", piece.repeat(400_000 / piece.len())));
            assert!(start.elapsed().as_secs() < 8, "{field}: {piece}");
        }
    }
}

// Fingerprints.
#[test]
fn fingerprints_of_copies_agree() {
    same_fingerprint(BASIC, &BASIC.replace('\n', "\r\n"));
    same_fingerprint(BASIC, &format!("Received: from x by y\nX-Spam: no\n{BASIC}"));
    same_fingerprint(
        BASIC,
        &BASIC.replace("\n\nHello", "\nContent-Transfer-Encoding: quoted-printable\n\nHello").replace("you", "y=6Fu"),
    );
    same_fingerprint(
        BASIC,
        &BASIC.replace("\n\nHello\nyou\n", "\nContent-Transfer-Encoding: base64\n\nSGVsbG8KeW91Cg==\n"),
    );
    same_fingerprint(BASIC, &BASIC.replace("Ann <a@x.y>", "<A@x.y>"));
    same_fingerprint(BASIC, &BASIC.replace("Subject: Hi", "Subject: =?utf-8?q?Hi?="));
    let enclosed = mail(&forward("", BASIC));
    assert_eq!(enclosed.enclosed[0].mail.fingerprint, mail(BASIC).fingerprint);
    same_fingerprint(&multi("mixed", &[PLAIN, FILE]), &multi("mixed", &[PLAIN, FILE]).replace('\n', "\r\n"));
    same_fingerprint(&forward("", BASIC), &forward("", BASIC).replace('\n', "\r\n"));
}
#[test]
fn fingerprints_of_different_messages_differ() {
    other_fingerprint(BASIC, &BASIC.replace("<1@x>", "<2@x>"));
    other_fingerprint(BASIC, &BASIC.replace("10:00", "10:01"));
    other_fingerprint(BASIC, &BASIC.replace("you", "me"));
    other_fingerprint(BASIC, &BASIC.replace("b@x.y", "c@x.y"));
    other_fingerprint(BASIC, &BASIC.replace("Hi", "Ho"));
    other_fingerprint(&multi("mixed", &[PLAIN, FILE]), &multi("mixed", &[PLAIN]));
    other_fingerprint(&multi("mixed", &[PLAIN, FILE]), &multi("mixed", &[PLAIN, FILE]).replace("1,2", "1,23"));
}

// Properties.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => proptest::sample::select(vec![
            "\n", "\r\n", "\r", "--b", "--b--", "--c", "--c--", "\n--b\n", "\n--b--\n", "\n--c\n", " ", ":", "=", "=\n", "=41",
            "Content-Type: multipart/mixed; boundary=b\n", "Content-Type: multipart/alternative; boundary=c\n",
            "Content-Type: message/rfc822\n", "Content-Type: text/html\n", "Content-Type: image/png; name=x.png\n",
            "Content-Type: application/x; name=y.eml\n", "Content-Transfer-Encoding: base64\n",
            "Content-Transfer-Encoding: quoted-printable\n", "Content-Transfer-Encoding: x-uuencode\n",
            "begin 644 x\n", "%:&5L;&\\ \n", "end\n", "aGVsbG8=\n", "From: a@b\nDate: x\n\n", "\n\n", "Subject: =?utf-8?q?x?=\n",
        ]).prop_map(|s| s.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
    ]
}
fn message() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(piece(), 0..40).prop_map(|p| p.concat())
}
fn in_chunks(raw: &[u8], sizes: &[usize], limits: Limits) -> Mail {
    let mut skeleton = Skeleton::new(limits);
    let mut rest = raw;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let n = (*sizes.next().unwrap_or(&1)).clamp(1, rest.len());
        skeleton.push(&rest[..n]);
        rest = &rest[n..];
    }
    skeleton.finish()
}
fn check_places(raw: &[u8], mail: &Mail) {
    for a in &mail.attachments {
        assert_eq!(extract(raw, &a.place).len() as u64, a.size, "{a:?}");
    }
    for e in &mail.enclosed {
        let bytes = extract(raw, &e.place);
        let again = read(&bytes);
        assert_eq!(
            (&again.subject, again.size, again.header_digest),
            (&e.mail.subject, e.mail.size, e.mail.header_digest)
        );
        check_places(raw, &e.mail);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_read(raw in proptest::collection::vec(any::<u8>(), 0..2000)) {
        read(&raw);
    }
    #[test]
    fn any_chunking_reads_the_same(raw in message(), sizes in proptest::collection::vec(1_usize..50, 1..5)) {
        prop_assert_eq!(in_chunks(&raw, &sizes, Limits::default()), read(&raw));
    }
    #[test]
    fn places_lead_to_what_was_counted(raw in message()) {
        check_places(&raw, &read(&raw));
    }
    #[test]
    fn small_limits_hold_too(raw in message()) {
        let limits = Limits { depth: 2, parts: 3, text: 5, header: 20, kept: 30 };
        prop_assert_eq!(in_chunks(&raw, &[7], limits), in_chunks(&raw, &[1000], limits));
    }
    #[test]
    fn decoding_never_fails(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
        for encoding in [Encoding::Identity, Encoding::Base64, Encoding::QuotedPrintable, Encoding::Uuencode] {
            decode(&bytes, encoding);
        }
    }
    #[test]
    fn what_is_written_is_read(out in outgoing()) {
        let raw = write(&out).unwrap().bytes;
        prop_assert!(raw.split(|b| *b == b'\n').all(|l| l.len() <= 999));
        let got = read(&raw);
        prop_assert_eq!(got.flaws, vec![]);
        prop_assert_eq!(&got.message_id, &Some(out.message_id));
        prop_assert_eq!(got.date.map(|d| d.as_second()), Some(out.date.as_second()));
        prop_assert_eq!(&got.subject, out.subject.trim());
        prop_assert_eq!(&got.from, &vec![out.from]);
        prop_assert_eq!(&got.to, &out.to);
        prop_assert_eq!(&got.cc, &out.cc);
        prop_assert_eq!(&got.references, &out.references);
        prop_assert_eq!(got.html.unwrap(), out.html.replace("\r\n", "\n").replace('\r', "\n"));
        let mut files: Vec<_> = out.attachments.iter().map(|a| (a.content_id.is_some(), a.bytes.clone())).collect();
        files.sort_by_key(|f| !f.0);
        let again: Vec<_> = got.attachments.iter().map(|a| (a.inline, extract(&raw, &a.place))).collect();
        prop_assert_eq!(again, files);
    }
}

fn words() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof!["[a-zA-Z]{1,12}", "[à-ÿ]{1,9}", "[\\PC]{1,6}", "=\\?utf-8\\?q\\?x\\?=", "[\"\\\\,;:<>@()]{1,3}"],
        1..12,
    )
    // What unfolding cannot keep is white space of other kinds.
    .prop_map(|w| w.join(" ").split_whitespace().collect::<Vec<_>>().join(" "))
}
fn address() -> impl Strategy<Value = Address> {
    (words(), "[a-z]{1,8}(\\.[a-z]{1,8})?@[a-z]{1,8}\\.example").prop_map(|(name, address)| {
        // A name in single quotes loses them, and an empty one may be an address.
        Address::new(name.trim_matches('\'').trim(), address)
    })
}
fn outgoing() -> impl Strategy<Value = OutgoingMail> {
    let file = (any::<bool>(), proptest::collection::vec(any::<u8>(), 0..300)).prop_map(|(inline, bytes)| {
        OutgoingAttachment {
            name: "datei ä.bin".into(),
            mime_type: "application/pdf".into(),
            content_id: inline.then(|| "c@x".into()),
            bytes,
        }
    });
    let html =
        proptest::collection::vec(prop_oneof!["[ -~]{0,90}", "\\PC{0,40}", "\r\n", "\n", " +", "\\.", "From "], 0..20)
            .prop_map(|p| p.concat());
    (
        words(),
        address(),
        proptest::collection::vec(address(), 1..4),
        proptest::collection::vec(address(), 0..3),
        html,
        proptest::collection::vec(file, 0..4),
        proptest::collection::btree_set("<[a-z]{1,60}@[a-z]{1,20}>", 0..8),
        0_i64..4_000_000_000,
    )
        .prop_map(|(subject, from, to, cc, html, attachments, references, at)| OutgoingMail {
            message_id: "<1.2@x.example>".into(),
            date: jiff::Timestamp::from_second(at).unwrap(),
            subject,
            from,
            to,
            cc,
            html,
            attachments,
            references: references.into_iter().collect(),
            ..OutgoingMail::default()
        })
}
