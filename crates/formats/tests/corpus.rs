//! Real messages, read whole. The corpus is not ours, so nothing of it stands
//! here; where it is missing the tests say so and pass.
#![expect(clippy::print_stdout, reason = "a test that is skipped says so")]

use std::fs;
use std::path::{Path, PathBuf};

use formats::mime::{self, Limits, Skeleton};
use model::mail::{Encoding, Flaw, Mail};

fn files() -> Vec<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let mut found = Vec::new();
    for kind in ["eml", "msg"] {
        let Ok(sets) = fs::read_dir(corpus.join(kind)) else { continue };
        for set in sets.flatten() {
            found.extend(fs::read_dir(set.path()).into_iter().flatten().flatten().map(|f| f.path()));
        }
    }
    found.sort();
    if found.is_empty() {
        println!("skipped: no corpus at {}", corpus.display());
    }
    found
}

/// Every message with its name and bytes.
fn messages() -> impl Iterator<Item = (String, Vec<u8>)> {
    files().into_iter().filter_map(|path| Some((path.display().to_string(), fs::read(&path).ok()?)))
}

fn check_places(name: &str, raw: &[u8], mail: &Mail) {
    for a in &mail.attachments {
        assert_eq!(mime::extract(raw, &a.place).len() as u64, a.size, "{name}: {a:?}");
    }
    for e in &mail.enclosed {
        assert_eq!(mime::extract(raw, &e.place).len() as u64, e.mail.size, "{name}");
        check_places(name, raw, &e.mail);
    }
}

#[test]
fn every_message_is_read_and_its_places_hold() {
    for (name, raw) in messages() {
        let mail = mime::read(&raw);
        assert_eq!(mail.size, raw.len() as u64);
        check_places(&name, &raw, &mail);
    }
}

#[test]
fn any_chunking_reads_the_same() {
    for (name, raw) in messages().filter(|(_, raw)| raw.len() < 300_000) {
        let whole = mime::read(&raw);
        for size in [1, 77, 4096] {
            let mut skeleton = Skeleton::new(Limits::default());
            raw.chunks(size).for_each(|c| skeleton.push(c));
            assert_eq!(skeleton.finish(), whole, "{name} in chunks of {size}");
        }
    }
}

/// Damage of a kind that the wire, the disk and other people's programs do.
fn damaged(raw: &[u8], seed: u64) -> Vec<u8> {
    let mut out = raw.to_vec();
    let mut state = seed;
    for _ in 0..8 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = usize::try_from(state >> 20).unwrap_or(0) % out.len().max(1);
        match state % 5 {
            0 => out[at] = state.to_be_bytes()[0],
            1 => drop(out.drain(at..(at + 40).min(out.len()))),
            2 => out.truncate(at),
            3 => out.insert(at, b'\n'),
            _ => {
                let piece = out[at..(at + 60).min(out.len())].to_vec();
                out.extend(piece);
            }
        }
        if out.is_empty() {
            break;
        }
    }
    out
}

#[test]
fn damaged_messages_are_read_and_their_places_hold() {
    for (name, raw) in messages().filter(|(_, raw)| (1..50_000).contains(&raw.len())) {
        for seed in 0..6 {
            let raw = damaged(&raw, seed);
            let mail = mime::read(&raw);
            check_places(&name, &raw, &mail);
            let mut skeleton = Skeleton::new(Limits::default());
            raw.chunks(61).for_each(|c| skeleton.push(c));
            assert_eq!(skeleton.finish(), mail, "{name}, damage {seed}");
        }
    }
}

#[test]
fn line_ends_do_not_change_the_fingerprint() {
    for (name, raw) in messages().filter(|(_, raw)| raw.len() < 300_000 && !raw.contains(&b'\r')) {
        let crlf: Vec<u8> = raw.iter().flat_map(|&b| if b == b'\n' { vec![b'\r', b'\n'] } else { vec![b] }).collect();
        let (a, b) = (mime::read(&raw), mime::read(&crlf));
        // Bytes that are no text are other bytes then.
        let binary = a.headers.contains("utf-16") || String::from_utf8_lossy(&raw).contains("utf-16");
        if !binary && a.attachments.iter().all(|x| x.place.0.iter().all(|s| s.encoding == Encoding::Base64)) {
            assert_eq!(a.fingerprint, b.fingerprint, "{name}");
        }
    }
}

#[test]
fn most_messages_have_what_messages_have() {
    let all: Vec<(String, Mail)> =
        messages().filter(|(n, _)| n.contains("/eml/")).map(|(n, raw)| (n, mime::read(&raw))).collect();
    if all.is_empty() {
        return;
    }
    let count = |what: &dyn Fn(&Mail) -> bool| all.iter().filter(|(_, m)| what(m)).count() * 100 / all.len();
    let no_from = count(&|m| m.flaws.contains(&Flaw::MissingFrom));
    let no_body = count(&|m| m.text.is_none() && m.html.is_none() && m.attachments.is_empty());
    let bad_date = count(&|m| m.flaws.iter().any(|f| matches!(f, Flaw::BadDate(_))));
    println!("of {}: without From {no_from} %, without anything {no_body} %, with a bad date {bad_date} %", all.len());
    assert!(no_from < 25 && no_body < 5 && bad_date < 5);
}
