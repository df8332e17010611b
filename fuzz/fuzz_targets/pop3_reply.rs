//! Whatever a POP3 server says.
#![no_main]

use connectors::pop3::{Capabilities, Status, Unstuffer, received_on};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Status::read(bytes);
    let _ = received_on(bytes);
    let text = String::from_utf8_lossy(bytes);
    let _ = Capabilities::of(text.lines());
    for bare in [false, true] {
        let mut size = 0;
        let fed = Unstuffer::new(bare).feed(bytes, |piece| {
            size += piece.len();
            Ok::<(), ()>(())
        });
        assert!(fed.is_ok() && size <= bytes.len());
    }
});
