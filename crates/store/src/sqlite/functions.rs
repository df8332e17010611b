//! What SQLite is taught: folding, and words.

use std::borrow::Cow;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

use crate::sqlite::Deadline;
use crate::words;

/// Octets of text that takes time to go through.
const LONG_TEXT: usize = 16 * 1024;

/// Triggers may use them, too.
const FLAGS: FunctionFlags =
    FunctionFlags::SQLITE_UTF8.union(FunctionFlags::SQLITE_DETERMINISTIC).union(FunctionFlags::SQLITE_INNOCUOUS);

pub(super) fn add(conn: &Connection, late: &Arc<Deadline>) -> rusqlite::Result<()> {
    let deadline = Arc::clone(late);
    conn.create_scalar_function("fold", 1, FLAGS, move |args| {
        Ok(text(args, 0, &deadline)?.map(|text| words::fold(&text)))
    })?;
    let deadline = Arc::clone(late);
    conn.create_scalar_function("words", 1, FLAGS, move |args| {
        Ok(text(args, 0, &deadline)?.map(|text| words::canonical(&text)))
    })?;
    let deadline = Arc::clone(late);
    // The words with a space between them, then the texts.
    conn.create_scalar_function("has_words", -1, FLAGS, move |args| {
        let asked = text(args, 0, &deadline)?.unwrap_or_default();
        let texts: Vec<Option<Cow<'_, str>>> =
            (1..args.len()).map(|n| text(args, n, &deadline)).collect::<Result<_, _>>()?;
        Ok(words::hold(&asked, texts.iter().flatten().map(AsRef::as_ref)))
    })
}

fn text<'a>(args: &'a Context<'_>, n: usize, late: &Deadline) -> rusqlite::Result<Option<Cow<'a, str>>> {
    match args.get_raw(n) {
        // SQLite asks about the time between rows only, and a row may be gone
        // through many times.
        ValueRef::Text(bytes) if bytes.len() > LONG_TEXT && late.has_passed() => Err(interrupted()),
        ValueRef::Text(bytes) => Ok(Some(String::from_utf8_lossy(bytes))),
        _ => Ok(None),
    }
}

fn interrupted() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_INTERRUPT), None)
}
