//! Query options from anybody.
#![no_main]

use formats::odata::{Asker, apply, parse_for};
use libfuzzer_sys::fuzz_target;
use model::tables;

fuzz_target!(|input: (u8, u8, &str)| {
    let (table, option, text) = input;
    let tables: Vec<_> = tables::ALL.iter().filter(|t| t.on_wire).collect();
    let option = ["$filter", "$select", "$orderby", "$expand", "$top", "$count"][usize::from(option) % 6];
    let asker = Asker { now: Some(model::Timestamp::UNIX_EPOCH), user: Some(model::Id::nil()), ..Asker::default() };
    let table = tables[usize::from(table) % tables.len()];
    let _ = apply(table, &[("$apply", text)], asker.clone());
    let _ = parse_for(table, &[(option, text), ("@p1", "'x'")], asker);
});
