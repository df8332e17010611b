//! What the generator promises of its messages.

use super::*;

fn text(kind: Kind) -> String {
    String::from_utf8_lossy(&message(7, kind, "Kim <kim@customer.test>", "anna@sales.test", "Offer")).into_owned()
}

#[test]
fn the_same_seed_gives_the_same_message() {
    for kind in Kind::ALL {
        assert_eq!(text(kind), text(kind));
    }
    assert_ne!(mixed(1, "a@b.test", "c@d.test"), mixed(2, "a@b.test", "c@d.test"));
}

#[test]
fn every_line_ends_with_crlf_and_is_short_enough() {
    for kind in Kind::ALL {
        let bytes = message(3, kind, "kim@customer.test", "anna@sales.test", "Offer");
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            assert!(line.ends_with(b"\r\n") && line.len() <= 1000, "{kind:?}: {:?}", String::from_utf8_lossy(line));
        }
    }
}

#[test]
fn every_message_has_the_headers_of_a_message() {
    for kind in Kind::ALL {
        for header in [
            "From: Kim <kim@",
            "\r\nTo: anna@",
            "\r\nSubject: ",
            "\r\nDate: ",
            "\r\nMessage-ID: <",
            "\r\nMIME-Version: 1.0",
        ] {
            assert!(text(kind).contains(header), "{kind:?} has no {header:?}");
        }
    }
}

#[test]
fn boundaries_are_closed() {
    for (kind, count) in [(Kind::Html, 1), (Kind::InlinePicture, 2), (Kind::Attachments, 1)] {
        assert_eq!(text(kind).matches("--\r\n").count(), count, "{kind:?}");
    }
}

#[test]
fn a_thread_hangs_together() {
    let thread = thread(40, "kim@customer.test", "anna@sales.test", "Offer", 3);
    let last = String::from_utf8(thread[2].clone()).unwrap();
    assert!(last.contains(&format!("In-Reply-To: {}\r\n", message_id(41))));
    assert!(last.contains(&format!("References: {}\r\n {}\r\n", message_id(40), message_id(41))));
    assert!(last.contains("Subject: Re: Offer\r\n") && last.contains("From: kim@customer.test\r\n"));
    assert!(!String::from_utf8(thread[0].clone()).unwrap().contains("References"));
}

#[test]
fn quoted_printable_escapes_and_wraps() {
    assert_eq!(quoted_printable("ü = x \r\n"), "=C3=BC =3D x=20\r\n");
    assert!(quoted_printable(&"é".repeat(100)).split("=\r\n").all(|line| line.len() <= 75));
}

#[test]
fn encoded_words_are_cut_between_characters() {
    let words = encoded_word("utf-8", "€".repeat(30).as_bytes());
    for word in words.split("\r\n ") {
        let inner = word.trim_start_matches("=?utf-8?B?").trim_end_matches("?=");
        assert!(String::from_utf8(STANDARD.decode(inner).unwrap()).is_ok() && word.len() <= 75);
    }
}

#[test]
fn a_sized_message_has_about_its_size() {
    let len = sized(5, 20 * 1024, "a@b.test", "c@d.test").len();
    assert!((20_000..21_500).contains(&len), "{len}");
}

#[test]
fn the_mix_has_a_mean_of_some_20_kib_and_all_kinds() {
    let messages: Vec<_> = (0..2000).map(|number| mixed(number, "a@b.test", "c@d.test")).collect();
    let mean = messages.iter().map(Vec::len).sum::<usize>() / messages.len();
    assert!((14_000..28_000).contains(&mean), "{mean}");
    for mark in ["multipart/mixed", "multipart/related", "ISO-2022-JP", "KOI8-R"] {
        assert!(messages.iter().any(|message| String::from_utf8_lossy(message).contains(mark)), "{mark}");
    }
}

#[test]
fn random_numbers_are_spread() {
    let mut random = Random::new(0);
    let mut seen = [0_u32; 10];
    (0..10_000).for_each(|_| seen[random.below(10)] += 1);
    assert!(seen.iter().all(|&count| (800..1200).contains(&count)), "{seen:?}");
}
