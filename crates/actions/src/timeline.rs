//! What happened with somebody: the activities that they take part in or that
//! are regarding them, newest first. Those of its contacts are an account's, too.
//!
//! Somebody with few activities is asked for them; for a queue that has a
//! hundred thousand, the newest activities are asked whether they are the
//! queue's. Either way the time goes with what is shown, not with what is stored.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::Timestamp;
use model::query::Compare;
use model::tables::{Account, ActivityParty, Contact, Email, EmailStatus, REGARDING};
use model::{Col, Entity, Filter, Id, Query, Record, Ref, Value};

use crate::context::Context;
use crate::error::ActionError;
use crate::{access, resolve};

/// Parties from which on somebody has many activities.
const MANY: u64 = 1_000;
/// Activities that are looked at together among many, and how often.
const STEP: usize = 200;
const STEPS: usize = 10;
/// Activities that are read for one page, of which some may not be the caller's.
const MOST_READ: usize = 200;

const SHOWN: &[&str] = &[
    "subject",
    "sortdate",
    "directioncode",
    "sender",
    "torecipients",
    "statecode",
    "statuscode",
    "ownerid",
    "regardingobjectid",
    "attachmentcount",
    "prioritycode",
    "pr_failurereason",
];

/// Which activities are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    #[default]
    All,
    Received,
    Sent,
    /// Drafts, and what has not gone out.
    Open,
}

/// Where in a timeline a page ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub at: Option<Timestamp>,
    pub id: Id,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    pub rows: Vec<Record>,
    /// Where the next page begins, even if this one is not full; `None`: that
    /// was all.
    pub next: Option<Mark>,
}

/// At most `most` activities of `of`, those after the mark.
///
/// # Errors
/// 0x80040217 where the row is not there for the caller.
pub async fn timeline(
    ctx: &Context,
    of: Ref,
    sort: Sort,
    after: Option<Mark>,
    most: usize,
) -> Result<Timeline, ActionError> {
    let Some(table) = model::tables::by_logical_name(of.table) else {
        return Err(model::Refusal::does_not_exist(of.table, of.id).into());
    };
    resolve::refuse_activity(table)?;
    access::seen(ctx, table, of.id).await?;
    let mut found = taking_part(ctx, of, sort, after, most).await?;
    if REGARDING.contains(&of.table) {
        let about = page(sort, after, most + 1).filter(theirs(Email::C.regarding, of));
        for row in crate::list(ctx, about).await? {
            if !found.rows.iter().any(|r| r.id == row.id) {
                found.rows.push(row);
            }
        }
        // What lies beyond the part that was looked at is the next page's.
        if let Some(end) = found.next {
            found.rows.retain(|row| (Reverse(when(row)), row.id) <= (Reverse(end.at), end.id));
        }
        found.rows.sort_by_key(|row| (Reverse(when(row)), row.id));
    }
    if found.rows.len() > most {
        found.rows.truncate(most);
        found.next = found.rows.last().map(mark);
    }
    Ok(found)
}

/// The lookup points to them or, of an account, to one of its contacts.
fn theirs(lookup: Col<Option<Ref>>, of: Ref) -> Filter {
    let own = Filter::eq(lookup, Some(of));
    if of.table != Account::TABLE.logical {
        return own;
    }
    own.or(Filter::Within {
        path: lookup.name.into(),
        table: Contact::TABLE,
        column: Contact::TABLE.id,
        filter: Box::new(Filter::eq(Contact::C.company, Some(of))),
    })
}

fn mark(row: &Record) -> Mark {
    Mark { at: when(row), id: row.id }
}

fn when(row: &Record) -> Option<Timestamp> {
    row.get(Email::C.sort_date.name).as_time()
}

fn page(sort: Sort, after: Option<Mark>, limit: usize) -> Query {
    let mut query = Query::of::<Email>().order_by(Email::C.sort_date, true).limit(limit);
    query.select = SHOWN.to_vec();
    if let Some(Mark { at, id }) = after {
        let at = at.map_or(Value::Null, Value::Time);
        if !at.is_null() {
            // Said once more, so that an index is entered where the page begins.
            let column = Email::C.sort_date.name.into();
            query = query.filter(Filter::Compare(column, Compare::LessOrEqual, at.clone()));
        }
        query.after = Some((vec![at], id));
    }
    if sort == Sort::All {
        query
    } else {
        query.filter(Filter::is_in(Email::C.status, sort.statuses().iter().copied()))
    }
}

impl Sort {
    fn statuses(self) -> &'static [EmailStatus] {
        use EmailStatus as S;
        match self {
            Self::All => &[],
            Self::Received => &[S::Received],
            Self::Sent => &[S::Sent],
            Self::Open => &[S::Draft, S::Failed, S::PendingSend, S::Sending],
        }
    }

    fn has(self, row: &Record) -> bool {
        let status = row.get(Email::C.status.name).as_int();
        self == Self::All || self.statuses().iter().any(|s| Some(s.number()) == status)
    }
}

/// Those in which `of` is a party; one more than `most`, or as far as was looked.
async fn taking_part(
    ctx: &Context,
    of: Ref,
    sort: Sort,
    after: Option<Mark>,
    most: usize,
) -> Result<Timeline, ActionError> {
    let party = theirs(ActivityParty::C.party, of);
    let all = ctx.store.count(&Query::of::<ActivityParty>().filter(party.clone())).await?;
    if all >= MANY {
        return among_many(ctx, of, sort, after, most).await;
    }
    let (table, column, filter) = (ActivityParty::TABLE, ActivityParty::C.activity.name, Box::new(party));
    let mut query = access::narrowed(ctx, page(sort, after, most + 1))?.filter(Filter::Within {
        path: Email::TABLE.id.into(),
        table,
        column,
        filter,
    });
    // A party of an email that may be read may be read.
    if let Some(seen) = &mut query.seen {
        seen.insert(table.logical, Filter::All);
        if of.table == Account::TABLE.logical {
            match access::read(ctx, Contact::TABLE) {
                Ok(readable) => drop(seen.insert(Contact::TABLE.logical, readable)),
                Err(ActionError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    let mut rows = ctx.store.query(&query).await?;
    access::hide(ctx, Email::TABLE, &mut rows).await?;
    Ok(Timeline { rows, next: None })
}

/// Walks all activities from the mark on, newest first, and takes those of
/// which `of` is a party and which the caller may read.
async fn among_many(
    ctx: &Context,
    of: Ref,
    sort: Sort,
    after: Option<Mark>,
    most: usize,
) -> Result<Timeline, ActionError> {
    let mut found = Timeline { rows: Vec::new(), next: after };
    let mut reads = 0;
    for _ in 0..STEPS {
        let mut step = page(Sort::All, found.next, STEP);
        step.select = vec!["sortdate", "statecode", "statuscode"];
        let newest = ctx.store.query(&step).await?;
        let taking = with_party(ctx, of, &newest).await?;
        for row in &newest {
            found.next = Some(mark(row));
            if !taking.contains(&row.id) || !sort.has(row) {
                continue;
            }
            reads += 1;
            match crate::read(ctx, Email::TABLE, row.id, SHOWN.to_vec()).await {
                Ok(row) => found.rows.push(row),
                Err(ActionError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
            if found.rows.len() > most || reads >= MOST_READ {
                return Ok(found);
            }
        }
        if newest.len() < STEP {
            found.next = None;
            break;
        }
    }
    Ok(found)
}

/// Which of the activities have the party, or a contact of the account.
async fn with_party(ctx: &Context, of: Ref, rows: &[Record]) -> Result<BTreeSet<Id>, ActionError> {
    let ids = rows.iter().map(|row| Some(row.reference()));
    let mut query = Query::of::<ActivityParty>().filter(Filter::is_in(ActivityParty::C.activity, ids));
    query.select = vec![ActivityParty::C.activity.name, ActivityParty::C.party.name];
    let parties = ctx.store.query(&query).await?;
    let party = |row: &Record| row.get(ActivityParty::C.party.name).as_ref_to();
    let mut theirs = BTreeSet::from([of]);
    if of.table == Account::TABLE.logical {
        let contacts: BTreeSet<Id> =
            parties.iter().filter_map(party).filter(|p| p.table == Contact::TABLE.logical).map(|p| p.id).collect();
        theirs.extend(contacts_among(ctx, of, contacts).await?);
    }
    let rows = parties.iter().filter(|row| party(row).is_some_and(|p| theirs.contains(&p)));
    Ok(rows.filter_map(|p| p.get(ActivityParty::C.activity.name).as_id()).collect())
}

/// Those that are contacts of the account, as far as the caller may read them.
async fn contacts_among(ctx: &Context, account: Ref, contacts: BTreeSet<Id>) -> Result<Vec<Ref>, ActionError> {
    if contacts.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Query::of::<Contact>().filter(Filter::eq(Contact::C.company, Some(account)));
    query = query.filter(Filter::In(Contact::TABLE.id.into(), contacts.into_iter().map(Value::Id).collect()));
    query.select = vec![Contact::C.company.name];
    match crate::list(ctx, query).await {
        Ok(rows) => Ok(rows.iter().map(Record::reference).collect()),
        Err(ActionError::Refused(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
