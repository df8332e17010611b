//! SQL from anybody.
#![no_main]

use formats::odata::Asker;
use formats::sql;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = sql::read(text, &Asker::default());
    let _ = sql::read(&format!("SELECT name FROM account a {text}"), &Asker::default());
});
