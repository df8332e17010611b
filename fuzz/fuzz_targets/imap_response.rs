//! Whatever an IMAP server says.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some((response, taken)) = connectors::imap::wire::parse_response(bytes) {
        assert!(taken <= bytes.len());
        let _ = format!("{response:?}");
    }
});
