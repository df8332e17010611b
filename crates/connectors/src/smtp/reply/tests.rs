//! Replies line by line.

use proptest::prelude::*;

use super::*;

/// Feeds the lines and shows what became of them: `code enhanced line|line`, or the error.
fn read(bytes: &[u8]) -> String {
    let mut parser = ReplyParser::default();
    let mut seen = Vec::new();
    for line in bytes.split_inclusive(|&octet| octet == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match parser.push(line) {
            Ok(None) => {}
            Ok(Some(reply)) => {
                let status = reply.enhanced.map_or("-".into(), |(a, b, c)| format!("{a}.{b}.{c}"));
                seen.push(format!("{} {} {}", reply.code, status, reply.lines.join("|")));
            }
            Err(error) => {
                seen.push(error.to_string());
                break;
            }
        }
    }
    seen.join(" // ")
}

#[track_caller]
fn check(bytes: &str, expected: &str) {
    assert_eq!(read(bytes.as_bytes()), expected);
}

#[test]
fn one_line() {
    check("250 OK\r\n", "250 - OK");
}
#[test]
fn no_text() {
    check("250\r\n", "250 - ");
}
#[test]
fn empty_text_after_space() {
    check("250 \r\n", "250 - ");
}
#[test]
fn bare_line_feed() {
    check("250 OK\n", "250 - OK");
}
#[test]
fn no_space_before_the_text() {
    check("250OK\r\n", "250 - OK");
}
#[test]
fn a_tab_before_the_text() {
    check("250\tOK\r\n", "250 - OK");
}
#[test]
fn several_lines() {
    check("250-a\r\n250-b\r\n250 c\r\n", "250 - a|b|c");
}
#[test]
fn several_lines_last_without_text() {
    check("250-a\r\n250\r\n", "250 - a|");
}
#[test]
fn first_line_without_text() {
    check("250-\r\n250 b\r\n", "250 - |b");
}
#[test]
fn the_last_code_counts() {
    check("250-a\r\n550 b\r\n", "550 - a|b");
}
#[test]
fn text_without_a_code_inside() {
    check("250-a\r\nhello\r\n250 c\r\n", "250 - a|hello|c");
}
#[test]
fn an_empty_line_inside() {
    check("220-a\r\n\r\n220 c\r\n", "220 - a||c");
}
#[test]
fn two_replies() {
    check("250 a\r\n550 b\r\n", "250 - a // 550 - b");
}
#[test]
fn three_replies_with_lines() {
    check("250-a\r\n250 b\r\n550 c\r\n354 d\r\n", "250 - a|b // 550 - c // 354 - d");
}
#[test]
fn enhanced() {
    check("550 5.1.1 No such user\r\n", "550 5.1.1 5.1.1 No such user");
}
#[test]
fn enhanced_alone() {
    check("250 2.0.0\r\n", "250 2.0.0 2.0.0");
}
#[test]
fn enhanced_three_digits() {
    check("535 5.7.139 off\r\n", "535 5.7.139 5.7.139 off");
}
#[test]
fn enhanced_in_the_second_line_only() {
    check("550-Sorry\r\n550 5.7.1 no\r\n", "550 5.7.1 Sorry|5.7.1 no");
}
#[test]
fn enhanced_in_every_line() {
    check("550-5.7.1 a\r\n550 5.7.1 b\r\n", "550 5.7.1 5.7.1 a|5.7.1 b");
}
#[test]
fn an_address_is_no_status() {
    check("220 5.6.7.8 ready\r\n", "220 - 5.6.7.8 ready");
}
#[test]
fn class_three_is_no_status() {
    check("250 3.0.0 x\r\n", "250 - 3.0.0 x");
}
#[test]
fn a_version_is_no_status() {
    check("220 4.98.2-beta x\r\n", "220 - 4.98.2-beta x");
}
#[test]
fn four_digits_are_no_status() {
    check("250 2.0.1234 x\r\n", "250 - 2.0.1234 x");
}
#[test]
fn signs_are_no_digits() {
    check("250 2.+1.0 x\r\n", "250 - 2.+1.0 x");
}
#[test]
fn garbage() {
    check("hello\r\n", "the server's answer does not begin with a reply code: \"hello\"");
}
#[test]
fn nothing() {
    check("\r\n", "the server's answer does not begin with a reply code: \"\"");
}
#[test]
fn two_digits() {
    check("25 OK\r\n", "the server's answer does not begin with a reply code: \"25 OK\"");
}
#[test]
fn four_digits() {
    check("2500 OK\r\n", "the server's answer does not begin with a reply code: \"2500 OK\"");
}
#[test]
fn code_100() {
    check("100 x\r\n", "the server's answer does not begin with a reply code: \"100 x\"");
}
#[test]
fn code_600() {
    check("600 x\r\n", "the server's answer does not begin with a reply code: \"600 x\"");
}
#[test]
fn http() {
    check("HTTP/1.1 400 Bad\r\n", "the server's answer does not begin with a reply code: \"HTTP/1.1 400 Bad\"");
}
#[test]
fn a_space_first() {
    check(" 250 x\r\n", "the server's answer does not begin with a reply code: \" 250 x\"");
}
#[test]
fn other_letters() {
    assert_eq!(read("250 Größe\r\n".as_bytes()), "250 - Größe");
}
#[test]
fn latin_1() {
    assert_eq!(read(b"250 Gr\xf6\xdfe\r\n"), "250 - Gr\u{fffd}\u{fffd}e");
}
#[test]
fn control_characters() {
    assert_eq!(read(b"250 a\x07\x1bb\r\n"), "250 - a\u{fffd}\u{fffd}b");
}
#[test]
fn endless_lines() {
    assert_eq!(read(&b"250-x\r\n".repeat(2000)), "the server's answer does not end");
}
#[test]
fn endless_text() {
    let line = format!("250-{}\r\n", "x".repeat(2000));
    assert_eq!(read(&line.repeat(40).into_bytes()), "the server's answer does not end");
}
#[test]
fn the_parser_starts_anew() {
    let mut parser = ReplyParser::default();
    parser.push(b"550-5.1.1 a").unwrap();
    parser.push(b"550 5.1.1 b").unwrap();
    assert_eq!(parser.push(b"250 ok").unwrap().unwrap().enhanced, None);
}

#[track_caller]
fn check_words(bytes: &str, expected: &str) {
    let mut parser = ReplyParser::default();
    let reply = bytes.lines().find_map(|line| parser.push(line.as_bytes()).unwrap()).unwrap();
    assert_eq!(reply.in_words(), expected);
}

#[test]
fn words_of_one_line() {
    check_words("250 OK\r\n", "250 OK");
}
#[test]
fn words_without_text() {
    check_words("250\r\n", "250");
}
#[test]
fn words_show_the_status_once() {
    check_words("550-5.7.1 a\r\n550 5.7.1 b\r\n", "550 5.7.1 a b");
}
#[test]
fn words_skip_empty_lines() {
    check_words("250-a\r\n250-\r\n250 b\r\n", "250 a b");
}

proptest! {
    /// Whatever a server says is a reply or an error, never a panic.
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
    }

    /// What is written as a reply is read as that reply.
    #[test]
    fn round_trip(code in 200_u16..600, lines in proptest::collection::vec("[a-z ]{0,20}", 1..6)) {
        let last = lines.len() - 1;
        let mut parser = ReplyParser::default();
        for (number, text) in lines.iter().enumerate() {
            let line = format!("{code}{}{text}", if number == last { ' ' } else { '-' });
            let reply = parser.push(line.as_bytes()).unwrap();
            prop_assert_eq!(reply.is_some(), number == last);
            if let Some(reply) = reply {
                prop_assert_eq!(reply.code, code);
                prop_assert_eq!(&reply.lines, &lines);
            }
        }
    }
}
