//! Who gets which access, one file per verb.

mod access_of;
mod add_members;
mod add_privileges;
mod copy_role;
mod grant_access;
mod modify_access;
mod move_user;
mod new_user;
mod privileges;
mod remove_members;
mod remove_privilege;
mod replace_privileges;
mod revoke_access;
mod set_roles;
mod shared_with;

pub use access_of::access_of;
pub use add_members::add_members;
pub use add_privileges::add_privileges;
pub use copy_role::copy_role;
pub use grant_access::grant_access;
pub use modify_access::modify_access;
pub use move_user::move_user;
pub use new_user::{Made, NewUser, new_user};
pub use privileges::{Granted, of_role, of_user};
pub use remove_members::remove_members;
pub use remove_privilege::remove_privilege;
pub use replace_privileges::replace_privileges;
pub use revoke_access::revoke_access;
pub use rules::access::roles::SYSTEM_ADMINISTRATOR;
pub use rules::access::{Depth, Right, Special, sharing::mask, sharing::names};
pub use set_roles::{roles_of, set_roles, set_team_roles};
pub use shared_with::shared_with;

use model::tables::{SHAREABLE, Sharing};
use model::{Change, Commit, Entity, Filter, Query, Record, Ref, Refusal, tables, words};

use crate::access;
use crate::context::Context;
use crate::error::{ActionError, commit_failed};

/// The row that is to be shared; the actor reads it.
async fn target(ctx: &Context, target: Ref) -> Result<Record, ActionError> {
    let row = row(ctx, target).await?;
    if SHAREABLE.contains(&target.table) {
        return Ok(row);
    }
    let message =
        words!("Rows of {0} cannot be shared; those of these tables can: {1}.", target.table, SHAREABLE.join(", "));
    Err(Refusal::invalid(Some("Target"), message).into())
}

/// A user or a team that the actor may read.
async fn principal(ctx: &Context, principal: Ref) -> Result<Record, ActionError> {
    if principal.table != "systemuser" && principal.table != "team" {
        let message = words!("Rows are shared with users and teams, not with a row of {0}.", principal.table);
        return Err(Refusal::invalid(Some("Principal"), message).into());
    }
    row(ctx, principal).await
}

async fn row(ctx: &Context, row: Ref) -> Result<Record, ActionError> {
    let table = tables::by_logical_name(row.table).filter(|t| t.on_wire);
    let table = table.ok_or_else(|| Refusal::does_not_exist(row.table, row.id))?;
    access::seen(ctx, table, row.id).await
}

/// What of the row is shared with the principal already.
async fn share(ctx: &Context, target: Ref, principal: Ref) -> Result<Option<Sharing>, ActionError> {
    let query = Query::of::<Sharing>()
        .filter(Filter::eq(Sharing::C.object, Some(target)))
        .filter(Filter::eq(Sharing::C.principal, Some(principal)));
    Ok(ctx.store.list::<Sharing>(&query).await?.pop())
}

/// 0x80040217
fn not_shared(target: Ref, principal: Ref) -> Refusal {
    let message = words!("{0} is not shared with {1}. GrantAccess shares it.", target, principal);
    Refusal::new(Refusal::ABSENT, "ObjectDoesNotExist", message)
}

async fn commit(ctx: &Context, changes: Vec<Change>) -> Result<(), ActionError> {
    let commit = Commit::new(ctx.actor(), ctx.now, changes);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed(Sharing::TABLE.logical, e))?;
    Ok(())
}
