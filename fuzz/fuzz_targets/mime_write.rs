//! What is written is read again, and nothing is injected.
#![no_main]

use formats::mime;
use libfuzzer_sys::fuzz_target;
use model::mail::Address;
use model::outgoing::{OutgoingAttachment, OutgoingMail};

fuzz_target!(|input: (&str, &str, &str, &str, &str, &[u8])| {
    let (subject, name, address, file, html, bytes) = input;
    let mail = OutgoingMail {
        message_id: "<1@x.example>".into(),
        from: Address::new(name, "a@x.example"),
        to: vec![Address::new("", address)],
        subject: subject.into(),
        html: html.into(),
        fields: vec![("X-Postroom-Email".into(), name.into())],
        attachments: vec![OutgoingAttachment {
            name: file.into(),
            mime_type: name.into(),
            content_id: None,
            bytes: bytes.to_vec(),
        }],
        ..OutgoingMail::default()
    };
    if let Ok(written) = mime::write(&mail) {
        assert!(written.needs_utf8 || written.bytes.is_ascii());
        assert!(written.bytes.split(|b| *b == b'\n').all(|line| line.len() <= 999));
        let again = mime::read(&written.bytes);
        assert_eq!((again.from.len(), again.to.len(), again.cc.len(), again.bcc.len()), (1, 1, 0, 0));
        assert_eq!(again.html.unwrap_or_default(), html.replace("\r\n", "\n").replace('\r', "\n").replace('\0', ""));
        assert_eq!(mime::extract(&written.bytes, &again.attachments[0].place), bytes);
    }
});
