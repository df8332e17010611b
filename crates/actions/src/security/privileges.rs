//! Which privileges a user or a role has.

use model::tables::{Role, RolePrivilege, SystemUser};
use model::{Entity, Filter, Id, Query};
use rules::access::{Depth, catalogue, roles};

use crate::access;
use crate::access::principal;
use crate::context::Context;
use crate::error::ActionError;

/// A privilege with its depth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    pub privilege: Id,
    pub name: &'static str,
    pub depth: Depth,
    /// The business unit from which it reaches.
    pub unit: Option<Id>,
}

/// Everything that the user's roles and those of their teams grant.
///
/// # Errors
/// 0x80040217 for a user that the actor does not read.
pub async fn of_user(ctx: &Context, user: Id) -> Result<Vec<Granted>, ActionError> {
    let user = SystemUser::from_record(&access::seen(ctx, SystemUser::TABLE, user).await?)?;
    let principal = principal::of(&ctx.store, &user).await?;
    let granted = principal.privileges().filter_map(|(name, reach)| {
        let known = catalogue::named(name)?;
        Some(Granted { privilege: known.id(), name: &known.name, depth: reach.depth, unit: principal.unit })
    });
    Ok(granted.collect())
}

/// What a role grants.
///
/// # Errors
/// 0x80040217 for a role that the actor does not read.
pub async fn of_role(ctx: &Context, role: Id) -> Result<Vec<Granted>, ActionError> {
    let role = Role::from_record(&access::seen(ctx, Role::TABLE, role).await?)?;
    let unit = role.business_unit.map(|u| u.id);
    if role.template == Some(roles::SYSTEM_ADMINISTRATOR) {
        let all = catalogue::all().iter();
        return Ok(all.map(|p| Granted { privilege: p.id(), name: &p.name, depth: p.deepest(), unit }).collect());
    }
    let query = Query::of::<RolePrivilege>().filter(Filter::eq(RolePrivilege::C.role, Some(role.reference())));
    let rows = ctx.store.list::<RolePrivilege>(&query).await?;
    let mut granted: Vec<Granted> = rows
        .into_iter()
        .filter_map(|row| {
            let known = catalogue::by_id(row.privilege?.id)?;
            Some(Granted { privilege: known.id(), name: &known.name, depth: Depth::from_mask(row.depth)?, unit })
        })
        .collect();
    granted.sort_by_key(|g| g.name);
    Ok(granted)
}
