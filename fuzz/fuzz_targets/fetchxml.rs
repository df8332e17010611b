//! FetchXML from anybody.
#![no_main]

use formats::fetchxml;
use formats::odata::Asker;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let id = model::Id::nil();
    let asker = Asker {
        now: Some(model::Timestamp::UNIX_EPOCH),
        user: Some(id),
        unit: Some(id),
        teams: vec![id],
        language: Some(1033),
        units: vec![(id, None)],
    };
    let _ = fetchxml::read(text, &asker);
    let _ = fetchxml::read(&format!("<fetch><entity name='mailbox'>{text}</entity></fetch>"), &asker);
});
