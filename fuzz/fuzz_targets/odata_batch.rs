//! `$batch` payloads: never a panic, never a GET in a change set.
#![no_main]

use formats::odata::batch::{self, Item};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(items) = batch::read("multipart/mixed; boundary=b", data) else { return };
    for item in items {
        if let Item::ChangeSet(requests) = item {
            assert!(requests.iter().all(|r| !r.method.eq_ignore_ascii_case("GET")));
        }
    }
});
