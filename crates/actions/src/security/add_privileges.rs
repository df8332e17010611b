//! Adds privileges to a role.

use model::tables::{Privilege, Role, RolePrivilege};
use model::{Entity, Filter, Id, Query, Ref};
use rules::access::Depth;

use crate::context::Context;
use crate::draft::{Draft, Precondition};
use crate::error::ActionError;
use crate::{ChangeSet, access, create, update};

/// The role has these privileges at these depths; others stay as they are.
/// All of it or nothing.
///
/// # Errors
/// 0x8004020D for more than the actor has, 0x80040220 without Write on the role.
pub async fn add_privileges(ctx: &Context, role: Id, privileges: &[(Id, Depth)]) -> Result<(), ActionError> {
    let mut tries = 0;
    loop {
        let set = ChangeSet::begin(ctx).await?;
        let result = add(set.context(), role, privileges).await;
        if let Some(result) = set.conclude(result, &mut tries).await {
            return result;
        }
    }
}

pub(super) async fn add(ctx: &Context, role: Id, privileges: &[(Id, Depth)]) -> Result<(), ActionError> {
    access::seen(ctx, Role::TABLE, role).await?;
    for (privilege, depth) in privileges {
        match held(ctx, role, *privilege).await? {
            Some(row) if row.depth == depth.mask() => {}
            Some(row) => {
                let draft = Draft::new(RolePrivilege::TABLE).with(RolePrivilege::C.depth, depth.mask());
                update(ctx, row.id, draft, Precondition::Exists).await?;
            }
            None => {
                let draft = Draft::new(RolePrivilege::TABLE)
                    .with(RolePrivilege::C.role, Some(Ref::new(Role::TABLE.logical, role)))
                    .with(RolePrivilege::C.privilege, Some(Ref::new(Privilege::TABLE.logical, *privilege)))
                    .with(RolePrivilege::C.depth, depth.mask());
                create(ctx, draft).await?;
            }
        }
    }
    Ok(())
}

/// The row that grants the privilege to the role.
pub(super) async fn held(ctx: &Context, role: Id, privilege: Id) -> Result<Option<RolePrivilege>, ActionError> {
    let query = Query::of::<RolePrivilege>()
        .filter(Filter::eq(RolePrivilege::C.role, Some(Ref::new(Role::TABLE.logical, role))))
        .filter(Filter::eq(RolePrivilege::C.privilege, Some(Ref::new(Privilege::TABLE.logical, privilege))));
    Ok(ctx.store.list::<RolePrivilege>(&query).await?.pop())
}
