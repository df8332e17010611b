//! Batches as clients write them, and as nobody should.

use proptest::prelude::*;

use super::*;

const TYPE: &str = "multipart/mixed; boundary=b";

fn shown(content_type: &str, body: &str) -> String {
    let show = |r: &Request<'_>| {
        let id = r.content_id.map(|id| format!("{id}=")).unwrap_or_default();
        let body = String::from_utf8_lossy(r.body).replace("\r\n", "\n").trim().to_owned();
        format!("{id}{} {} {} {body}", r.method, r.url, r.headers.len()).trim().to_owned()
    };
    match read(content_type, body.as_bytes()) {
        Err(error) => format!("refused: {error}"),
        Ok(items) => {
            let items = items.iter().map(|item| match item {
                Item::Request(request) => show(request),
                Item::ChangeSet(all) => format!("[{}]", all.iter().map(show).collect::<Vec<_>>().join(", ")),
            });
            items.collect::<Vec<_>>().join("; ")
        }
    }
}

#[track_caller]
fn check(body: &str, expected: &str) {
    assert_eq!(shown(TYPE, body), expected);
    assert_eq!(shown(TYPE, &body.replace('\n', "\r\n")), expected, "with CRLF");
}

#[track_caller]
fn refused(body: &str, words: &str) {
    let said = shown(TYPE, body);
    assert!(said.starts_with("refused: ") && said.contains(words), "{said}");
}

const HTTP: &str = "Content-Type: application/http\nContent-Transfer-Encoding: binary";

fn one(request: &str) -> String {
    format!("--b\n{HTTP}\n\n{request}\n--b--\n")
}

fn set(inner: &str) -> String {
    format!("--b\nContent-Type: multipart/mixed;boundary=\"c\"\n\n{inner}\n--c--\n\n--b--")
}

#[test]
fn one_request() {
    check(&one("GET accounts HTTP/1.1\nAccept: application/json\n\n"), "GET accounts 1");
}
#[test]
fn no_blank_line_behind_the_headers() {
    check(&one("DELETE accounts(1) HTTP/1.1"), "DELETE accounts(1) 0");
    check(&one("DELETE accounts(1) HTTP/1.1\nIf-Match: *"), "DELETE accounts(1) 1");
}
#[test]
fn payload() {
    check(&one("POST accounts HTTP/1.1\nContent-Type: application/json\n\n{\"a\":1}"), "POST accounts 1 {\"a\":1}");
}
#[test]
fn a_payload_may_have_blank_lines() {
    check(&one("POST a HTTP/1.1\n\n{\n\n}\n"), "POST a 0 {\n\n}");
}
#[test]
fn a_line_break_before_the_first_delimiter() {
    check(&format!("\n{}", one("GET a HTTP/1.1")), "GET a 0");
}
#[test]
fn no_line_break_after_the_last() {
    check(one("GET a HTTP/1.1").trim_end(), "GET a 0");
}
#[test]
fn what_follows_the_last_is_passed_over() {
    check(&format!("{}--b\nrubbish", one("GET a HTTP/1.1")), "GET a 0");
}
#[test]
fn blank_lines_before_the_request() {
    check(&one("\n\nGET a HTTP/1.1\n"), "GET a 0");
}
#[test]
fn spaces_in_a_url() {
    check(&one("GET a?$filter=b eq 'c d' HTTP/1.1"), "GET a?$filter=b eq 'c d' 0");
}
#[test]
fn change_set() {
    check(
        &set(&format!(
            "--c\n{HTTP}\nContent-ID: 1\n\nPOST a HTTP/1.1\n\n{{}}\n--c\n{HTTP}\nContent-ID: 2\n\nDELETE $1 HTTP/1.1\n"
        )),
        "[1=POST a 0 {}, 2=DELETE $1 0]",
    );
}
#[test]
fn an_empty_batch() {
    check("--b--", "");
}
#[test]
fn a_boundary_that_begins_with_another() {
    check(
        &format!(
            "--b\nContent-Type: multipart/mixed; boundary=b_c\n\n--b_c\n{HTTP}\n\nPOST a HTTP/1.1\n\n{{}}\n--b_c--\n--b--"
        ),
        "[POST a 0 {}]",
    );
}

#[track_caller]
fn boundary_is(content_type: &str, expected: Option<&str>) {
    assert_eq!(boundary(content_type), expected, "{content_type}");
}

#[test]
fn boundaries() {
    boundary_is("multipart/mixed; boundary=batch_1", Some("batch_1"));
    boundary_is("multipart/mixed;boundary=batch_1", Some("batch_1"));
    boundary_is("Multipart/Mixed; BOUNDARY=\"batch 1\"", Some("batch 1"));
    boundary_is("multipart/mixed; charset=utf-8; boundary=\"x;y\"; a=b", Some("x;y"));
    boundary_is("multipart/mixed; charset=\"a=b;c\"; boundary=x", Some("x"));
    boundary_is("multipart/mixed; boundary=x;charset=utf-8", Some("x"));
    boundary_is("multipart/mixed", None);
    boundary_is("multipart/mixed; boundary=", None);
    boundary_is("multipart/mixed; boundary=\"x", None);
    boundary_is("multipart/related; boundary=x", None);
    boundary_is(&format!("multipart/mixed; boundary={}", "x".repeat(71)), None);
}

#[test]
fn a_guid_that_is_announced_with_hyphens() {
    let guid = "multipart/mixed; boundary=batch_12345678-1234-1234-1234-123456789012";
    let body = format!(
        "--batch_12345678123412341234123456789012\n{HTTP}\n\nGET a HTTP/1.1\n\n--batch_12345678123412341234123456789012--"
    );
    assert_eq!(shown(guid, &body), "GET a 0");
    assert!(shown(guid, &body.replace("--batch_1", "--batch_2")).contains("no delimiter"));
}

#[test]
fn not_a_batch() {
    assert!(shown("application/json", "{}").contains("multipart/mixed"));
    refused("", "no delimiter");
    refused("--c\n", "no delimiter");
}
#[test]
fn cut_off() {
    refused(&format!("--b\n{HTTP}\n\nGET a HTTP/1.1\n"), "without its last delimiter");
    refused(&set("").replace("--c--", ""), "delimiter");
}
#[test]
fn reading_in_a_change_set() {
    refused(&set(&format!("--c\n{HTTP}\n\nGET a HTTP/1.1\n")), "GET");
}
#[test]
fn a_change_set_in_a_change_set() {
    refused(&set("--c\nContent-Type: multipart/mixed; boundary=d\n\n--d--"), "another change set");
}
#[test]
fn one_id_for_two() {
    let part = format!("--c\n{HTTP}\nContent-ID: 1\n\nPOST a HTTP/1.1\n\n{{}}\n");
    refused(&set(&format!("{part}{part}")), "twice");
}
#[test]
fn other_parts() {
    refused("--b\nContent-Type: text/plain\n\nhello\n--b--", "text/plain");
    refused("--b\n\nGET a HTTP/1.1\n--b--", "application/http");
}
#[test]
fn no_request() {
    refused(&one(""), "no request");
    refused(&one("GET"), "request line");
    refused(&one("GET a"), "request line");
    refused(&one("GET  HTTP/1.1"), "request line");
    refused(&one("G\u{e4}T a HTTP/1.1"), "request line");
    refused(&one("GET a HTTP/1.1\nno header"), "header");
}
#[test]
fn too_many() {
    let part = format!("--b\n{HTTP}\n\nGET a HTTP/1.1\n");
    assert!(read(TYPE, format!("{}--b--", part.repeat(MOST)).as_bytes()).is_ok());
    refused(&format!("{}--b--", part.repeat(MOST + 1)), "1000");
    let part = format!("--c\n{HTTP}\n\nPOST a HTTP/1.1\n");
    refused(&set(&part.repeat(MOST + 1)), "1000");
    refused(&set(&part.repeat(MOST)).replace("--b--", &one("GET a HTTP/1.1")), "1000");
}
#[test]
fn hostile_lines() {
    refused(&one("GET a HTTP/1.1\nX: a\0b"), "plain text");
    refused(&one(&format!("GET a HTTP/1.1\n{}", "X: y\n".repeat(101))), "header fields");
    assert!(read(TYPE, b"--b\nContent-Type: application/http\n\nGET \xff HTTP/1.1\n--b--").is_err());
}

proptest! {
    #[test]
    fn any_bytes(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(TYPE, &body);
    }

    #[test]
    fn any_lines(lines in proptest::collection::vec(prop_oneof![
        Just("--b"), Just("--b--"), Just("--c"), Just("--c--"), Just(""), Just("Content-Type: application/http"),
        Just("Content-Type: multipart/mixed; boundary=c"), Just("Content-ID: 1"), Just("GET a HTTP/1.1"),
        Just("POST a HTTP/1.1"), Just("{}"),
    ], 0..30), end in prop_oneof![Just("\n"), Just("\r\n")]) {
        let body = lines.join(end);
        if let Ok(items) = read(TYPE, body.as_bytes()) {
            for item in items {
                if let Item::ChangeSet(requests) = item {
                    prop_assert!(requests.iter().all(|r| r.method != "GET"));
                }
            }
        }
    }

    /// What is written is read again, with either line end.
    #[test]
    fn round_trip(bodies in proptest::collection::vec("[ -~]{0,40}", 0..8), end in prop_oneof![Just("\n"), Just("\r\n")]) {
        let mut text = String::new();
        for (n, body) in bodies.iter().enumerate() {
            for line in ["--b", "Content-Type: application/http", &format!("Content-ID: {n}"), "", "POST a HTTP/1.1", "", body] {
                text.push_str(line);
                text.push_str(end);
            }
        }
        text.push_str("--b--");
        // A payload that is itself a delimiter is another batch.
        prop_assume!(bodies.iter().all(|b| !b.starts_with("--b")));
        let items = read(TYPE, text.as_bytes()).unwrap();
        prop_assert_eq!(items.len(), bodies.len());
        for (item, body) in items.iter().zip(&bodies) {
            let Item::Request(request) = item else { panic!("a change set") };
            prop_assert_eq!(request.body, body.as_bytes());
        }
    }
}
