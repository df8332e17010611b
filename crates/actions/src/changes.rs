//! Following the changes of a table: what has changed since a version, as the
//! caller may read it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use model::query::Compare;
use model::tables::Organization;
use model::{Filter, Id, Order, Query, Record, Refusal, Table, Value, Words, words};
use rules::access::Reading;
use store::Owners;

use crate::context::Context;
use crate::error::ActionError;
use crate::{access, read};

const VERSION: &str = "versionnumber";

/// Up to where somebody has followed, and when that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub version: i64,
    pub at: Timestamp,
}

/// What became of one row.
#[derive(Debug, Clone, PartialEq)]
pub enum Changed {
    /// As it stands now.
    Row(Record),
    /// It was deleted (or went out of the caller's sight just now).
    Gone(Id),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    pub rows: Vec<Changed>,
    /// Where the next page begins; `None`: that was all.
    pub next: Option<i64>,
}

/// The mark of this moment. Rows that are read after it was made, and the
/// changes since it, are together the whole table.
pub async fn mark(ctx: &Context, table: &'static Table) -> Result<Mark, ActionError> {
    check_tracked(table)?;
    Ok(Mark { version: ctx.store.watermark().await?, at: ctx.now })
}

/// The mark after `since`, up to which changes are told now.
pub async fn next(ctx: &Context, table: &'static Table, since: Mark) -> Result<Mark, ActionError> {
    check(ctx, table, since).await?;
    let mark = mark(ctx, table).await?;
    Ok(Mark { version: mark.version.max(since.version), ..mark })
}

/// Refuses a mark that this server did not make, or from which it cannot tell
/// what has changed.
pub async fn check(ctx: &Context, table: &'static Table, mark: Mark) -> Result<(), ActionError> {
    check_tracked(table)?;
    let kept = kept_for(ctx).await?;
    let forgotten = ctx.store.forgotten(table).await?;
    if mark.version < forgotten || mark.at < ctx.now - kept {
        return Err(expired(words!(
            "Changes are kept for {0} days and not beyond a restore from a backup",
            kept.as_hours() / 24
        ))
        .into());
    }
    if mark.version > ctx.store.last_version().await? {
        return Err(
            expired(words!("This installation has not made this token, or was restored from a backup since")).into()
        );
    }
    Ok(())
}

/// What changed above version `after` and not above `upto`, in the order of
/// the versions, about `most` rows.
pub async fn since(
    ctx: &Context,
    table: &'static Table,
    select: &[&'static str],
    (after, upto): (i64, i64),
    most: usize,
) -> Result<Changes, ActionError> {
    // Who may read nothing of the table is refused even when nothing changed.
    let whose = deleted_of(ctx, table)?;
    let mut found = Query::table(table).filter(between(after, upto)).limit(most + 1);
    found.select = vec![VERSION];
    found.order = vec![Order { column: VERSION.into(), descending: false }];
    let found = ctx.store.query(&access::narrowed(ctx, found)?).await?;
    let mut changed: BTreeMap<i64, Changed> =
        found.iter().filter_map(|row| Some((row.get(VERSION).as_int()?, Changed::Gone(row.id)))).collect();
    for gone in ctx.store.deleted(table, after, upto, whose, most + 1).await? {
        changed.insert(gone.version, Changed::Gone(gone.id));
    }
    let next = changed.keys().copied().nth(most).map(|first_of_next| first_of_next - 1);
    if let Some(next) = next {
        changed.retain(|version, _| *version <= next);
    }
    let mut rows = readable(ctx, table, select, &found, next.unwrap_or(upto)).await?;
    for changed in changed.values_mut() {
        if let Changed::Gone(id) = changed
            && let Some(row) = rows.remove(id)
        {
            *changed = Changed::Row(row);
        }
    }
    Ok(Changes { rows: changed.into_values().collect(), next })
}

/// Those of the rows that the caller may read, with the columns asked for.
async fn readable(
    ctx: &Context,
    table: &'static Table,
    select: &[&'static str],
    found: &[Record],
    upto: i64,
) -> Result<BTreeMap<Id, Record>, ActionError> {
    let within = |row: &&Record| row.get(VERSION).as_int().is_some_and(|version| version <= upto);
    let ids: Vec<Value> = found.iter().filter(within).map(|row| Value::Id(row.id)).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut query = Query::table(table).filter(Filter::In(table.id.into(), ids));
    query.select = select.to_vec();
    Ok(read::list(ctx, query).await?.into_iter().map(|row| (row.id, row)).collect())
}

/// How many rows changed or went above version `after`.
pub async fn count(ctx: &Context, table: &'static Table, after: i64) -> Result<u64, ActionError> {
    /// Deleted rows are counted one by one; counts are cut far below this.
    const MOST: usize = 10_000;
    let whose = deleted_of(ctx, table)?;
    let upto = ctx.store.watermark().await?;
    let changed = access::narrowed(ctx, Query::table(table).filter(between(after, upto)))?;
    let rows = ctx.store.count(&changed).await?;
    let gone = ctx.store.deleted(table, after, upto, whose, MOST).await?.len();
    Ok(rows + u64::try_from(gone).unwrap_or(0))
}

/// Whose deleted rows the caller is told of: of those that they could have
/// read, by the owner that the row had last. A deleted row has no parent and
/// no shares any more; where reading hangs on those, only who reads the whole
/// table is told.
fn deleted_of(ctx: &Context, table: &'static Table) -> Result<Owners, ActionError> {
    Ok(match ctx.principal.reading(table)? {
        Reading::All => Owners::All,
        Reading::Some { owners, units } => Owners::Some {
            owners: owners.into_iter().map(|owner| owner.id).collect(),
            units: units.into_iter().collect(),
        },
    })
}

fn between(after: i64, upto: i64) -> Filter {
    Filter::Compare(VERSION.into(), Compare::Greater, Value::Int(after)).and(Filter::Compare(
        VERSION.into(),
        Compare::LessOrEqual,
        Value::Int(upto),
    ))
}

/// `organization.expirechangetrackingindays`
async fn kept_for(ctx: &Context) -> Result<SignedDuration, ActionError> {
    let organization = ctx.store.list::<Organization>(&Query::of::<Organization>().limit(1)).await?.pop();
    let days = organization.map_or(30, |organization| organization.tracking_days);
    Ok(SignedDuration::from_hours(24 * days))
}

/// 0x80072491
fn check_tracked(table: &Table) -> Result<(), Refusal> {
    if table.tracked {
        return Ok(());
    }
    let message = words!("Change tracking is not enabled for entity {0}.", table.logical);
    Err(Refusal::new(0x8007_2491, "ChangeTrackingNotEnabledForEntity", message))
}

/// 0x80044352
fn expired(why: Words) -> Refusal {
    let message =
        words!("Version stamp associated with the client has expired. Please perform a full sync. ({0}.)", why);
    Refusal::new(0x8004_4352, "ExpiredVersionStamp", message)
}
