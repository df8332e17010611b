//! Addresses that belong to no record, and giving them one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::mail::{address_key, is_address};
use model::query::TextMatch;
use model::tables::{ActivityParty, Email, Participation};
use model::{Change, Commit, Entity, Filter, Id, Query, Record, Ref, Refusal, Update, Value, words};
use rules::access::Right;
use store::CommitError;

use crate::context::Context;
use crate::error::{ActionError, commit_failed, version_mismatch};
use crate::tables::email_columns;
use crate::{access, audit};

/// Parties that one look goes through: the newest.
const LOOKED_AT: usize = 500;
/// Parties, and emails, that one answer changes.
const MOST_PARTIES: usize = 2_000;
pub const MOST_EMAILS: usize = 500;
/// How often a change is decided anew because a row changed meanwhile.
const TRIES: usize = 3;
/// Whose records an address can belong to.
pub const TARGETS: &[&str] = &["contact", "account", "lead"];

/// An address without a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    pub address: String,
    /// As the messages call them; may be empty.
    pub name: String,
    pub emails: u64,
    pub last: Option<Timestamp>,
    /// The newest of the emails.
    pub example: Option<Id>,
    /// They wrote themselves, and were not only written to.
    pub wrote: bool,
}

/// Addresses without a record in emails that the caller may read, those that
/// came last first.
pub async fn list(ctx: &Context, search: &str, most: usize) -> Result<Vec<Unresolved>, ActionError> {
    let mut query = Query::of::<ActivityParty>()
        .filter(Filter::IsNull(ActivityParty::C.party.name.into()))
        .filter(Filter::is_in(
            ActivityParty::C.participation,
            [Participation::Sender, Participation::To, Participation::Cc, Participation::Bcc],
        ))
        .limit(LOOKED_AT);
    query.order.push(model::Order { column: "createdon".into(), descending: true });
    query.select =
        vec!["addressused", "unresolvedpartyname", "partyidname", "activityid", "participationtypemask", "createdon"];
    let search = search.trim();
    if !search.is_empty() {
        let contains = |column: &'static str| Filter::Text(column.into(), TextMatch::Contains, search.to_owned());
        query = query.filter(contains("addressused").or(contains("unresolvedpartyname")));
    }
    access::any(ctx, Right::Read, Email::TABLE)?;
    let rows = ctx.store.query(&query).await?;
    let readable = readable(ctx, &rows).await?;
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut found: Vec<Unresolved> = Vec::new();
    for row in rows.into_iter().filter(|row| email_of(row).is_some_and(|email| readable.contains(&email))) {
        let address = row.get("addressused").as_text().unwrap_or("");
        let key = address_key(address);
        if !is_address(address) {
            continue;
        }
        let place = *places.entry(key).or_insert_with(|| {
            found.push(begun(&row, address));
            found.len() - 1
        });
        if let Some(known) = found.get_mut(place) {
            known.emails += 1;
            known.wrote |= row.get("participationtypemask").as_int() == Some(Participation::Sender.number());
        }
    }
    found.truncate(most);
    Ok(found)
}

fn email_of(party: &Record) -> Option<Id> {
    party.get(ActivityParty::C.activity.name).as_id()
}

/// The emails of the parties that the caller may read. It is asked about
/// these, and not about all that they may read.
async fn readable(ctx: &Context, parties: &[Record]) -> Result<BTreeSet<Id>, ActionError> {
    let ids: BTreeSet<Id> = parties.iter().filter_map(email_of).collect();
    if access::read(ctx, Email::TABLE)? == Filter::All {
        return Ok(ids);
    }
    let mut query = Query::of::<Email>();
    query.filter = Filter::In(Email::TABLE.id.into(), ids.into_iter().map(Value::Id).collect());
    query.select = vec![Email::C.owner.name];
    let selves = ctx.principal.selves();
    let mut found = BTreeSet::new();
    for row in ctx.store.query(&query).await? {
        let own = row.get(Email::C.owner.name).as_ref_to().is_some_and(|owner| selves.contains(&owner));
        if own || is_readable(ctx, row.id).await? {
            found.insert(row.id);
        }
    }
    Ok(found)
}

async fn is_readable(ctx: &Context, email: Id) -> Result<bool, ActionError> {
    match crate::read(ctx, Email::TABLE, email, vec![Email::C.owner.name]).await {
        Ok(_) => Ok(true),
        Err(ActionError::Refused(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

fn begun(row: &Record, address: &str) -> Unresolved {
    let name = |column: &str| row.get(column).as_text().filter(|n| !n.is_empty() && *n != address).map(str::to_owned);
    Unresolved {
        address: address.to_owned(),
        name: name("unresolvedpartyname").or_else(|| name("partyidname")).unwrap_or_default(),
        emails: 0,
        last: row.get("createdon").as_time(),
        example: row.get("activityid").as_id(),
        wrote: false,
    }
}

/// Says of the address that it is `target`'s, in every email that the caller
/// may write. Returns how many emails that were; where there are more than 500,
/// asking again goes on.
///
/// # Errors
/// 0x80040217 where the record is not there for the caller; 0x80040220 without
/// Append To on it; 0x80044192 for what is no address.
pub async fn resolve(ctx: &Context, address: &str, target: Ref) -> Result<usize, ActionError> {
    let address = address.trim();
    if !is_address(address) {
        let message = words!("'{0}' is not an email address.", crate::validate::excerpt(address));
        return Err(Refusal::new(0x8004_4192, "InvalidEmailAddressFormat", message).at("address").into());
    }
    let table = model::tables::by_logical_name(target.table).filter(|t| TARGETS.contains(&t.logical));
    let Some(table) = table else {
        let message = words!("An address belongs to a contact, an account or a lead.");
        return Err(Refusal::invalid(Some("target"), message).into());
    };
    let record = access::seen(ctx, table, target.id).await?;
    access::target(ctx, &record).await?;
    for _ in 0..TRIES {
        let (changes, emails) = decide(ctx, address, &record).await?;
        if changes.is_empty() {
            return Ok(0);
        }
        match ctx.store.commit(&Commit::new(ctx.actor(), ctx.now, changes)).await {
            Ok(_) => return Ok(emails),
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(commit_failed(ActivityParty::TABLE.logical, error)),
        }
    }
    Err(version_mismatch(ActivityParty::TABLE.logical).into())
}

async fn decide(ctx: &Context, address: &str, record: &Record) -> Result<(Vec<Change>, usize), ActionError> {
    let query = Query::of::<ActivityParty>()
        .filter(Filter::IsNull(ActivityParty::C.party.name.into()))
        .filter(Filter::eq(ActivityParty::C.address, address.to_owned()))
        .limit(MOST_PARTIES);
    let mut emails: BTreeMap<Id, Vec<ActivityParty>> = BTreeMap::new();
    for row in ctx.store.query(&query).await? {
        let party = ActivityParty::from_record(&row)?;
        if let Some(email) = party.activity {
            emails.entry(email.id).or_default().push(party);
        }
    }
    let mut changes = Vec::new();
    let mut count = 0;
    for (id, found) in emails.into_iter().take(MOST_EMAILS) {
        let Some(email) = ctx.store.get(Email::TABLE, id).await? else { continue };
        match access::on_row(ctx, Right::Write, &email).await {
            Ok(()) => {}
            Err(ActionError::Refused(_)) => continue,
            Err(error) => return Err(error),
        }
        count += 1;
        changes.extend(found.iter().map(|party| given(party, record).into()));
        changes.extend(sender(&email, &found, record)?);
        changes.push(audit::noted(ctx, "resolve", Email::TABLE, id)?);
    }
    Ok((changes, count))
}

/// The party with its record.
fn given(party: &ActivityParty, record: &Record) -> Update {
    let name = record.table.name.and_then(|n| record.get(n).as_text()).unwrap_or("");
    let key = address_key(&party.address);
    let columns = email_columns(record.table.logical);
    let number = columns.iter().position(|c| address_key(record.get(c).as_text().unwrap_or("")) == key);
    Update::of::<ActivityParty>(party.id)
        .expect(ActivityParty::C.party, None)
        .set(ActivityParty::C.party, Some(record.reference()))
        .set(ActivityParty::C.name, name.chars().take(400).collect())
        .set(ActivityParty::C.column_number, number.and_then(|n| i64::try_from(n + 1).ok()))
}

/// What the email itself says of its sender.
fn sender(email: &Record, found: &[ActivityParty], record: &Record) -> Result<Option<Change>, ActionError> {
    let sends = found.iter().any(|party| party.participation == Participation::Sender);
    if !sends || email.typed(Email::C.email_sender)?.is_some() {
        return Ok(None);
    }
    let mut update = Update::of::<Email>(email.id)
        .set(Email::C.email_sender, Some(record.reference()))
        .set(Email::C.ambiguous_sender, false);
    update.version = email.get("versionnumber").as_int();
    Ok(Some(update.into()))
}
