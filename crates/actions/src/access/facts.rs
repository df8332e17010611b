//! What is known of a row that decides who may touch it.

use model::tables::{Sharing, SystemUser, Team};
use model::{Entity, Filter, Id, Query, Record, Ref, tables};
use rules::access::{Anchor, RowFacts, anchor};

use crate::context::Context;
use crate::error::ActionError;

/// Owner, business unit and shares of the row; for a child row, its parent's.
pub(crate) async fn facts(ctx: &Context, row: &Record) -> Result<RowFacts, ActionError> {
    let unit = |column: &str| row.get(column).as_id();
    Ok(match anchor(row.table) {
        Anchor::Owner(column) => {
            let owner = row.get(column).as_ref_to();
            RowFacts { owner, unit: unit_of(ctx, owner).await?, shares: shares(ctx, row).await? }
        }
        Anchor::User => {
            let user = Ref::new(SystemUser::TABLE.logical, row.id);
            let unit = match unit("businessunitid") {
                Some(unit) if row.table == SystemUser::TABLE => Some(unit),
                _ => unit_of(ctx, Some(user)).await?,
            };
            RowFacts { owner: Some(user), unit, shares: Vec::new() }
        }
        Anchor::Team(column) => RowFacts { owner: Some(row.reference()), unit: unit(column), shares: Vec::new() },
        Anchor::Unit(column) => RowFacts { owner: None, unit: unit(column), shares: Vec::new() },
        Anchor::UnitItself => RowFacts { owner: None, unit: Some(row.id), shares: Vec::new() },
        Anchor::Parent { lookup, table } => {
            let parent = row.get(lookup).as_id();
            let (Some(table), Some(parent)) = (tables::by_logical_name(table), parent) else {
                return Ok(RowFacts::default());
            };
            match ctx.store.get(table, parent).await? {
                Some(parent) => Box::pin(facts(ctx, &parent)).await?,
                None => RowFacts::default(),
            }
        }
        Anchor::Nobody => RowFacts::default(),
    })
}

/// The business unit of a user or team.
pub(crate) async fn unit_of(ctx: &Context, owner: Option<Ref>) -> Result<Option<Id>, ActionError> {
    let Some(owner) = owner else { return Ok(None) };
    let table = if owner.table == Team::TABLE.logical { Team::TABLE } else { SystemUser::TABLE };
    let row = ctx.store.get(table, owner.id).await?;
    Ok(row.and_then(|r| r.get("businessunitid").as_id()))
}

async fn shares(ctx: &Context, row: &Record) -> Result<Vec<(Ref, i64)>, ActionError> {
    if !tables::SHAREABLE.contains(&row.table.logical) {
        return Ok(Vec::new());
    }
    let query = Query::of::<Sharing>().filter(Filter::eq(Sharing::C.object, Some(row.reference())));
    let rows = ctx.store.list::<Sharing>(&query).await?;
    Ok(rows.into_iter().filter_map(|s| Some((s.principal?, s.rights))).collect())
}
