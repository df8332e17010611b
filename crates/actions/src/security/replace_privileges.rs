//! Replaces the privileges of a role.

use model::tables::{Role, RolePrivilege};
use model::{Entity, Filter, Id, Query, Ref};
use rules::access::{Depth, Right};

use crate::context::Context;
use crate::draft::Precondition;
use crate::error::ActionError;
use crate::{ChangeSet, access, delete, security};

/// The role has these privileges and no others. All of it or nothing.
///
/// # Errors
/// 0x8004020D for more than the actor has, given or taken.
pub async fn replace_privileges(ctx: &Context, role: Id, privileges: &[(Id, Depth)]) -> Result<(), ActionError> {
    let mut tries = 0;
    loop {
        let set = ChangeSet::begin(ctx).await?;
        let result = replace(set.context(), role, privileges).await;
        if let Some(result) = set.conclude(result, &mut tries).await {
            return result;
        }
    }
}

async fn replace(ctx: &Context, role: Id, privileges: &[(Id, Depth)]) -> Result<(), ActionError> {
    let row = access::seen(ctx, Role::TABLE, role).await?;
    // Also where nothing changes: nobody is told that it was done.
    access::on_row(ctx, Right::Write, &row).await?;
    let this = Some(Ref::new(Role::TABLE.logical, role));
    let query = Query::of::<RolePrivilege>().filter(Filter::eq(RolePrivilege::C.role, this));
    for row in ctx.store.list::<RolePrivilege>(&query).await? {
        if !privileges.iter().any(|(id, _)| row.privilege.is_some_and(|p| p.id == *id)) {
            delete(ctx, RolePrivilege::TABLE, row.id, Precondition::Any).await?;
        }
    }
    security::add_privileges::add(ctx, role, privileges).await
}
