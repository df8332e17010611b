//! Recipients as people type them, and the records behind them.

use actions::{ActionError, Context, Draft};
use model::mail::{Address, address_key, is_address};
use model::query::{Compare, TextMatch};
use model::tables::{Account, ActivityParty, Contact, Lead, Participation, Queue, SystemUser};
use model::{Entity, Filter, Query, Ref, Table, Value};

use crate::pages::kit::Fault;

/// Where an address is looked for, in this order, and by which columns.
const KNOWN: &[(&Table, &[&str])] = &[
    (SystemUser::TABLE, &["internalemailaddress"]),
    (Contact::TABLE, &["emailaddress1", "emailaddress2", "emailaddress3"]),
    (Account::TABLE, &["emailaddress1", "emailaddress2", "emailaddress3"]),
    (Lead::TABLE, &["emailaddress1", "emailaddress2", "emailaddress3"]),
    (Queue::TABLE, &["emailaddress"]),
];

/// Recipients of one field.
const MOST: usize = 500;
/// Words of one search.
const MOST_WORDS: usize = 8;

/// Somebody who can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub record: Ref,
    pub kind: &'static str,
    pub name: String,
    pub address: String,
}

/// `Ann B <ann@x.example>; bob@y.example`: what is between semicolons, commas
/// and lines; a comma or semicolon in quotes parts nothing.
pub(super) fn read(text: &str) -> Vec<Address> {
    let (mut quoted, mut angled) = (false, false);
    let mut pieces = vec![String::new()];
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '<' if !quoted => angled = true,
            '>' if !quoted => angled = false,
            _ => {}
        }
        if matches!(c, ';' | ',' | '\n' | '\r') && !quoted && !angled {
            pieces.push(String::new());
        } else if let Some(last) = pieces.last_mut() {
            last.push(c);
        }
    }
    pieces.iter().map(|p| p.trim()).filter(|p| !p.is_empty()).take(MOST).map(one).collect()
}

fn one(piece: &str) -> Address {
    match piece.rsplit_once('<') {
        Some((name, rest)) => {
            let name = name.trim().trim_matches('"').replace("\\\"", "\"");
            Address::new(name.trim(), rest.trim_end().trim_end_matches('>').trim())
        }
        None => Address::new("", piece),
    }
}

/// As it is shown in a field, and read again by [`read`].
pub(super) fn write(parties: &[&ActivityParty]) -> String {
    let one = |party: &&ActivityParty| {
        let name = if party.name.is_empty() { &party.unresolved_name } else { &party.name };
        shown(name, &party.address)
    };
    parties.iter().map(one).collect::<Vec<_>>().join("; ")
}

pub(super) fn shown(name: &str, address: &str) -> String {
    let name = name.replace(['"', '<', '>'], "").trim().to_owned();
    if address.is_empty() {
        name
    } else if name.is_empty() || name.eq_ignore_ascii_case(address) {
        address.to_owned()
    } else if name.contains([';', ',', '@']) {
        format!("\"{name}\" <{address}>")
    } else {
        format!("{name} <{address}>")
    }
}

/// The parties of one field, with their records as far as the person may see
/// them. `strict`: what is no address is kept, to be refused; otherwise it is
/// left out, as somebody is still typing it.
pub(super) async fn parties(ctx: &Context, kind: Participation, text: &str, strict: bool) -> Result<Vec<Draft>, Fault> {
    let mut drafts = Vec::new();
    let mut seen = Vec::new();
    for address in read(text) {
        let key = address.key();
        if seen.contains(&key) || (!strict && !is_address(&address.address)) {
            continue;
        }
        let mut draft = Draft::new(ActivityParty::TABLE)
            .with(ActivityParty::C.participation, kind)
            .with(ActivityParty::C.address, address.address.clone());
        match by_address(ctx, &address.address).await? {
            Some(record) => draft = draft.with(ActivityParty::C.party, Some(record)),
            None => draft = draft.with(ActivityParty::C.unresolved_name, address.name.chars().take(400).collect()),
        }
        seen.push(key);
        drafts.push(draft);
    }
    Ok(drafts)
}

/// Whose address this is: the first who has it.
pub(super) async fn by_address(ctx: &Context, address: &str) -> Result<Option<Ref>, Fault> {
    if !is_address(address) {
        return Ok(None);
    }
    let value = Value::Text(address_key(address));
    for (table, columns) in KNOWN {
        let mut query =
            Query::table(table).filter(any(columns, |c| Filter::Compare(c.into(), Compare::Equal, value.clone())));
        query.select = vec![table.id];
        if let Some(row) = listed(ctx, query.limit(1)).await?.into_iter().next() {
            return Ok(Some(row.reference()));
        }
    }
    Ok(None)
}

/// People and queues in whose name or address each of these words stands.
pub(super) async fn search(ctx: &Context, text: &str, tables: &[&str], each: usize) -> Result<Vec<Found>, Fault> {
    let text = text.trim();
    let mut found = Vec::new();
    if text.is_empty() {
        return Ok(found);
    }
    for (table, columns) in KNOWN.iter().filter(|(t, _)| tables.contains(&t.logical)) {
        let Some(name) = table.name else { continue };
        let mut query = Query::table(table);
        for word in text.split_whitespace().take(MOST_WORDS) {
            let has = |c: &'static str| Filter::Text(c.into(), TextMatch::Contains, word.to_owned());
            query = query.filter(has(name).or(any(columns, has)));
        }
        if table.column("statecode").is_some() {
            query = query.filter(Filter::Compare("statecode".into(), Compare::Equal, Value::Int(0)));
        }
        query.select = columns.iter().copied().chain([name]).collect();
        query.order.push(model::Order { column: name.into(), descending: false });
        for row in listed(ctx, query.limit(each)).await? {
            let value = |c: &str| row.get(c).as_text().unwrap_or_default().to_owned();
            found.push(Found {
                record: row.reference(),
                kind: super::loaded::kind_of(table),
                name: value(name),
                address: columns.iter().map(|c| value(c)).find(|a| !a.is_empty()).unwrap_or_default(),
            });
        }
    }
    Ok(found)
}

fn any(columns: &[&'static str], filter: impl Fn(&'static str) -> Filter) -> Filter {
    Filter::Or(columns.iter().map(|c| filter(c)).collect())
}

/// Tables that the person may not read have nothing to find.
async fn listed(ctx: &Context, query: Query) -> Result<Vec<model::Record>, Fault> {
    match actions::list(ctx, query).await {
        Err(ActionError::Refused(_)) => Ok(Vec::new()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let read: Vec<(String, String)> = read(text).into_iter().map(|a| (a.name, a.address)).collect();
        let expected: Vec<_> = expected.iter().map(|(n, a)| ((*n).to_owned(), (*a).to_owned())).collect();
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn recipients_are_read() {
        check("", &[]);
        check("a@x.example", &[("", "a@x.example")]);
        check(
            "a@x.example; b@y.example,c@z.example\nd@z.example;",
            &[("", "a@x.example"), ("", "b@y.example"), ("", "c@z.example"), ("", "d@z.example")],
        );
        check("Ann B <a@x.example>; \"Bee, C\" <b@y.example>", &[("Ann B", "a@x.example"), ("Bee, C", "b@y.example")]);
        check("nobody", &[("", "nobody")]);
        check("Ann <a@x.example", &[("Ann", "a@x.example")]);
    }
    #[test]
    fn recipients_are_written_so_that_they_are_read_again() {
        for (name, address) in
            [("Ann", "a@x.example"), ("Bee, C", "b@y.example"), ("", "c@z.example"), ("d@z", "d@z.example")]
        {
            let read = read(&shown(name, address));
            assert_eq!((read[0].name.as_str(), read[0].address.as_str(), read.len()), (name, address, 1));
        }
    }
}
