//! "What became of my message?": looks through the ledger of a mailbox.

use std::collections::BTreeSet;

use model::query::{Compare, TextMatch};
use model::tables::{Disposition, Email, LedgerEntry, Mailbox};
use model::{Entity, Filter, Id, Query, Ref, Refusal, Timestamp, Value};
use rules::access::Right;

use super::repeatable;
use crate::context::Context;
use crate::error::ActionError;
use crate::{access, read};

/// What is looked for; what is empty is not asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Words that begin one of the sender or the subject; or a whole Message-ID.
    pub text: String,
    /// Words that begin one of the sender.
    pub sender: String,
    pub subject: String,
    /// The whole of it, with or without its angle brackets.
    pub message_id: String,
    pub dispositions: BTreeSet<Disposition>,
    /// Seen since, inclusively.
    pub since: Option<Timestamp>,
    /// Seen before, exclusively.
    pub before: Option<Timestamp>,
}

/// Where a page ends, and the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub seen_on: Option<Timestamp>,
    pub id: Id,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub row: LedgerEntry,
    /// The email that came of it is there for the caller.
    pub email_readable: bool,
    /// Why it cannot be processed again; `None`: it can.
    pub final_because: Option<Refusal>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    pub entries: Vec<Entry>,
    /// `None`: that was all.
    pub next: Option<Place>,
}

/// The mailbox's messages, those seen last first, `most` at a time.
pub async fn search(
    ctx: &Context,
    mailbox: Id,
    search: &Search,
    after: Option<Place>,
    most: usize,
) -> Result<Page, ActionError> {
    // Reading a mailbox is reading its ledger.
    access::seen(ctx, Mailbox::TABLE, mailbox).await?;
    let of_mailbox = || {
        let mailbox = Some(Ref::new(Mailbox::TABLE.logical, mailbox));
        Query::of::<LedgerEntry>().filter(Filter::eq(LedgerEntry::C.mailbox, mailbox))
    };
    let mut conditions = conditions(search);
    let text = search.text.trim();
    if !text.is_empty() {
        // What is one's whole Message-ID is nobody's words.
        let names = if text.contains('@') { message_id(text) } else { None };
        let named = match names {
            Some(filter) if ctx.store.count(&of_mailbox().filter(filter.clone())).await? > 0 => filter,
            _ => words(LedgerEntry::TABLE.id, text),
        };
        conditions.push(named);
    }
    let mut query = of_mailbox().filter(Filter::And(conditions)).order_by(LedgerEntry::C.seen_on, true).limit(most + 1);
    if let Some(place) = after {
        query.after = Some((vec![place.seen_on.map_or(Value::Null, Value::Time)], place.id));
        if let Some(seen_on) = place.seen_on {
            // Says no more than `after` does, in a way that an index can use;
            // what was never seen stands last of all.
            let not_later = time(Compare::LessOrEqual, seen_on);
            query = query.filter(not_later.or(Filter::IsNull(LedgerEntry::C.seen_on.name.into())));
        }
    }
    let mut rows = ctx.store.list::<LedgerEntry>(&query).await?;
    let more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| more).map(|row| Place { seen_on: row.seen_on, id: row.id });
    let readable = readable(ctx, &rows).await?;
    let entries = rows.into_iter().map(|row| Entry {
        email_readable: row.activity.is_some_and(|email| readable.contains(&email.id)),
        final_because: repeatable(&row).err(),
        row,
    });
    Ok(Page { entries: entries.collect(), next })
}

fn conditions(search: &Search) -> Vec<Filter> {
    let c = LedgerEntry::C;
    let mut all = Vec::new();
    for (column, text) in [(c.from, &search.sender), (c.subject, &search.subject)] {
        if !text.trim().is_empty() {
            all.push(words(column.name, text.trim()));
        }
    }
    all.extend(message_id(&search.message_id));
    if !search.dispositions.is_empty() {
        all.push(Filter::is_in(c.disposition, search.dispositions.iter().copied()));
    }
    all.extend(search.since.map(|since| time(Compare::GreaterOrEqual, since)));
    all.extend(search.before.map(|before| time(Compare::Less, before)));
    all
}

/// With or without its angle brackets.
fn message_id(text: &str) -> Option<Filter> {
    let id = text.trim().trim_start_matches('<').trim_end_matches('>');
    (!id.is_empty()).then(|| Filter::is_in(LedgerEntry::C.message_id, [id.to_owned(), format!("<{id}>")]))
}

fn words(column: &'static str, text: &str) -> Filter {
    Filter::Text(column.into(), TextMatch::Words, text.to_owned())
}

fn time(compare: Compare, at: Timestamp) -> Filter {
    Filter::Compare(LedgerEntry::C.seen_on.name.into(), compare, Value::Time(at))
}

/// Those of the emails that the caller may read.
async fn readable(ctx: &Context, rows: &[LedgerEntry]) -> Result<BTreeSet<Id>, ActionError> {
    let ids: Vec<Value> = rows.iter().filter_map(|row| Some(Value::Id(row.activity?.id))).collect();
    if ids.is_empty() || access::any(ctx, Right::Read, Email::TABLE).is_err() {
        return Ok(BTreeSet::new());
    }
    let mut query = Query::of::<Email>().filter(Filter::In(Email::TABLE.id.into(), ids));
    query.select = vec![Email::TABLE.id];
    Ok(read::list(ctx, query).await?.into_iter().map(|row| row.id).collect())
}
