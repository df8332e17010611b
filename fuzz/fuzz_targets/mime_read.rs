//! Reading any bytes gives a message, and what it says of its parts is true.
#![no_main]

use formats::mime;
use libfuzzer_sys::fuzz_target;
use model::mail::Mail;

fn check(raw: &[u8], mail: &Mail) {
    for attached in &mail.attachments {
        assert_eq!(mime::extract(raw, &attached.place).len() as u64, attached.size);
    }
    for enclosed in &mail.enclosed {
        assert_eq!(mime::extract(raw, &enclosed.place).len() as u64, enclosed.mail.size);
        check(raw, &enclosed.mail);
    }
}

fuzz_target!(|raw: &[u8]| {
    let mail = mime::read(raw);
    assert_eq!(mail.size, raw.len() as u64);
    check(raw, &mail);
    let _ = mime::report::read(&mail, raw);
});
