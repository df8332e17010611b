//! Whatever an SMTP server says.
#![no_main]

use connectors::smtp::{Capabilities, ReplyParser};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut parser = ReplyParser::default();
    for line in bytes.split(|b| *b == b'\n') {
        if let Ok(Some(reply)) = parser.push(line) {
            let _ = (reply.in_words(), Capabilities::from_ehlo(&reply));
        }
    }
});
