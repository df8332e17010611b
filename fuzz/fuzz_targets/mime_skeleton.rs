//! However a message is cut into chunks, and whatever the limits: the same.
#![no_main]

use formats::mime::{Limits, Skeleton};
use libfuzzer_sys::fuzz_target;
use model::mail::Mail;

fn read(raw: &[u8], size: usize, limits: Limits) -> Mail {
    let mut skeleton = Skeleton::new(limits);
    raw.chunks(size.max(1)).for_each(|chunk| skeleton.push(chunk));
    skeleton.finish()
}

fuzz_target!(|input: (u8, bool, &[u8])| {
    let (size, small, raw) = input;
    let tight = Limits { depth: 3, parts: 5, text: 40, header: 60, kept: 120 };
    let limits = if small { tight } else { Limits::default() };
    assert_eq!(read(raw, usize::from(size), limits), read(raw, raw.len(), limits));
});
