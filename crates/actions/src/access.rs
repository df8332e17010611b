//! The one place where every action asks who may do what.

use model::query::{Compare, Path};
use model::tables::SystemUser;
use model::{Entity, Filter, Id, Record, Ref, Refusal, Table, Value};
use rules::access::{Verb, may};

use crate::context::Context;
use crate::error::ActionError;

/// Where the owner of a table's rows stands.
enum Owner {
    /// In a column of the row, or of the row that lookups lead to.
    At(&'static [&'static str], &'static str),
    /// The row is the user, or has the user's id.
    Itself,
    Nobody,
}

fn owner_of(table: &Table) -> Owner {
    match table.logical {
        "systemuser" | "usersettings" => Owner::Itself,
        "activityparty" => Owner::At(&["activityid"], "ownerid"),
        "activitymimeattachment" | "queueitem" => Owner::At(&["objectid"], "ownerid"),
        "tracelog" => Owner::At(&[], "regardingobjectownerid"),
        "pr_ledgerentry" => Owner::At(&["pr_mailboxid"], "ownerid"),
        _ if table.column("ownerid").is_some() => Owner::At(&[], "ownerid"),
        _ => Owner::Nobody,
    }
}

/// The rows that the actor may read: everything, or what is theirs.
pub(crate) fn read(ctx: &Context, table: &'static Table) -> Result<Filter, ActionError> {
    let all = may(&ctx.actor, Verb::Read, table, None);
    let Err(denied) = all else { return Ok(Filter::All) };
    may(&ctx.actor, Verb::Read, table, Some(ctx.actor_ref()))?;
    match owner_of(table) {
        Owner::At(lookups, column) => {
            let path = Path { lookups: lookups.to_vec(), column };
            Ok(Filter::Compare(path, Compare::Equal, Value::Ref(ctx.actor_ref())))
        }
        Owner::Itself => Ok(Filter::Compare(table.id.into(), Compare::Equal, Value::Id(ctx.actor.id))),
        Owner::Nobody => Err(denied.into()),
    }
}

/// Whether the actor may make rows of this table at all. Whose they are is
/// checked when the row is complete.
pub(crate) fn create(ctx: &Context, table: &'static Table) -> Result<(), ActionError> {
    Ok(may(&ctx.actor, Verb::Create, table, None)?)
}

/// Whether the actor may make this row, whose owner may be that of its parent.
pub(crate) async fn create_row(ctx: &Context, row: &Record) -> Result<Result<(), Refusal>, ActionError> {
    let owner = if matches!(row.table.logical, "systemuser" | "usersettings") { None } else { owner(ctx, row).await? };
    Ok(may(&ctx.actor, Verb::Create, row.table, owner))
}

pub(crate) async fn on_row(ctx: &Context, verb: Verb, row: &Record) -> Result<(), ActionError> {
    if may(&ctx.actor, verb, row.table, None).is_ok() {
        return Ok(());
    }
    let owner = owner(ctx, row).await?;
    // Who may not even read it is not told that it is there.
    if may(&ctx.actor, Verb::Read, row.table, owner).is_err() {
        return Err(Refusal::does_not_exist(row.table.logical, row.id).into());
    }
    Ok(may(&ctx.actor, verb, row.table, owner)?)
}

async fn owner(ctx: &Context, row: &Record) -> Result<Option<Ref>, ActionError> {
    match owner_of(row.table) {
        Owner::Nobody => Ok(None),
        Owner::Itself => Ok(Some(Ref::new(SystemUser::TABLE.logical, row.id))),
        Owner::At([], column) => Ok(row.get(column).as_ref_to()),
        Owner::At(lookups, column) => {
            let parent = lookups.first().and_then(|l| row.get(l).as_ref_to());
            let Some((table, id)) = parent.and_then(|p| Some((model::tables::by_logical_name(p.table)?, p.id))) else {
                return Ok(None);
            };
            Ok(owned(ctx, table, id, column).await?)
        }
    }
}

async fn owned(ctx: &Context, table: &'static Table, id: Id, column: &str) -> Result<Option<Ref>, ActionError> {
    Ok(ctx.store.get(table, id).await?.and_then(|r| r.get(column).as_ref_to()))
}
