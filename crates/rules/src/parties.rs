//! Which records stand behind the addresses of a message.

use std::collections::BTreeSet;

use model::facts::{Known, MailFacts};
use model::mail::is_address;
use model::tables::{ActivityParty, Participation};
use model::value::{Ref, Value};
use model::{Address, Change, Entity, Id, Mail};

use crate::incoming::{child_id, line};

/// More records than this behind one address say nothing about who wrote.
const MOST_MATCHES: usize = 100;
/// Nobody reads further; a header of megabytes must not become millions of rows.
const MOST_PARTIES: usize = 2_000;

/// Who wrote a message.
#[derive(Debug, Clone, Default)]
pub struct Sender<'a> {
    pub address: Address,
    /// The one record that stands for the sender.
    pub record: Option<&'a Known>,
    /// Too many records have the address, so none was chosen.
    pub ambiguous: bool,
    matches: Vec<&'a Known>,
}

impl Sender<'_> {
    /// A user or queue of ours wrote it.
    pub fn is_internal(&self) -> bool {
        self.matches.iter().any(|k| matches!(k.record.table, "systemuser" | "queue"))
    }

    /// A lead, contact or account has the address.
    pub fn is_customer(&self) -> bool {
        self.matches.iter().any(|k| is_customer(k.record))
    }

    pub fn is_known(&self) -> bool {
        !self.matches.is_empty()
    }

    /// Who owns the sender's contact, account or lead.
    pub fn customer_owner(&self) -> Option<Ref> {
        self.record.filter(|k| is_customer(k.record)).and_then(|k| k.owner)
    }

    /// The account that the sender is or belongs to.
    pub fn account(&self) -> Option<Ref> {
        let known = self.record?;
        if known.record.table == "account" {
            return Some(known.record);
        }
        known.account.map(|id| Ref::new("account", id))
    }
}

fn is_customer(record: Ref) -> bool {
    matches!(record.table, "contact" | "account" | "lead")
}

/// The address that counts as the sender's: the first usable one in From,
/// else Sender (RFC 5322, section 3.6.2).
pub fn sender_address(mail: &Mail) -> Option<&Address> {
    mail.from.iter().chain(&mail.sender).find(|a| is_address(&a.address))
}

/// Resolves the sender; `None` where the message names none. A record that
/// belongs to `owner` (the mailbox's) goes before all others; then users,
/// contacts, accounts, leads, teams, business units, the rest; then the
/// oldest.
pub fn sender<'a>(mail: &Mail, facts: &'a MailFacts, owner: Option<Ref>) -> Option<Sender<'a>> {
    let address = sender_address(mail)?.clone();
    let matches = matching(&address, facts);
    let ambiguous = matches.len() > MOST_MATCHES;
    let order = |k: &&&Known| (owner.is_none() || k.owner != owner, rank(k.record), k.created_on, k.record.id);
    let record = if ambiguous { None } else { matches.iter().min_by_key(order).copied() };
    Some(Sender { address, record, ambiguous, matches })
}

fn rank(record: Ref) -> u8 {
    match record.table {
        "systemuser" => 0,
        "contact" => 1,
        "account" => 2,
        "lead" => 3,
        "team" => 4,
        "businessunit" => 5,
        _ => 6,
    }
}

/// The active records with an address, each once.
fn matching<'a>(address: &Address, facts: &'a MailFacts) -> Vec<&'a Known> {
    let mut found: Vec<&Known> = Vec::new();
    for known in facts.known.get(&address.key()).into_iter().flatten().filter(|k| k.active) {
        match found.iter_mut().find(|f| f.record == known.record) {
            Some(earlier) if known.column < earlier.column => *earlier = known,
            Some(_) => {}
            None => found.push(known),
        }
    }
    found
}

/// The parties of an email: its sender, then To, Cc and Bcc in their order.
pub fn rows(email: Id, mail: &Mail, sender: &Sender<'_>, facts: &MailFacts) -> Vec<Change> {
    let mut rows = Rows { email, changes: Vec::new(), number: 0 };
    rows.add(Participation::Sender, &sender.address, sender.record);
    let fields = [(Participation::To, &mail.to), (Participation::Cc, &mail.cc), (Participation::Bcc, &mail.bcc)];
    for (participation, addresses) in fields {
        let mut seen = BTreeSet::new();
        rows.number = 0;
        for address in addresses.iter().filter(|a| !a.address.trim().is_empty()) {
            if !seen.insert(address.key()) || rows.changes.len() >= MOST_PARTIES {
                continue;
            }
            let matches = matching(address, facts);
            match matches.as_slice() {
                [] => rows.add(participation, address, None),
                [_, _, ..] if facts.organization.unresolve_if_multiple || matches.len() > MOST_MATCHES => {
                    rows.add(participation, address, None);
                }
                several => several.iter().for_each(|k| rows.add(participation, address, Some(k))),
            }
        }
    }
    rows.changes
}

struct Rows {
    email: Id,
    changes: Vec<Change>,
    /// Place among the parties of the kind.
    number: i64,
}

impl Rows {
    fn add(&mut self, participation: Participation, address: &Address, known: Option<&Known>) {
        let number = self.changes.len().to_be_bytes();
        let mut row = ActivityParty::blank(child_id(self.email, &[b"party", &number]));
        let shown = if address.name.trim().is_empty() { &address.address } else { &address.name };
        row.activity = Some(Ref::new("email", self.email));
        row.party = known.map(|k| k.record);
        row.address = line(&address.address, 320);
        row.name = line(known.map_or(shown, |k| &k.name), 400);
        row.unresolved_name = if known.is_none() { line(shown, 400) } else { String::new() };
        row.participation = participation;
        row.column_number = known.map(|k| k.column);
        row.number = self.number;
        self.number += 1;
        let mut record = row.into_record();
        record.set("donotemail", Value::Bool(known.is_some_and(|k| k.do_not_email)));
        self.changes.push(Change::Create(record));
    }
}

#[cfg(test)]
mod tests;
