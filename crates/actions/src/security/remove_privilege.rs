//! Takes a privilege from a role.

use model::tables::{Role, RolePrivilege};
use model::{Entity, Id, Refusal, words};

use crate::context::Context;
use crate::draft::Precondition;
use crate::error::ActionError;
use crate::{access, delete, security};

/// # Errors
/// 0x80040217 where the role has not got it; else as deleting its row.
pub async fn remove_privilege(ctx: &Context, role: Id, privilege: Id) -> Result<(), ActionError> {
    access::seen(ctx, Role::TABLE, role).await?;
    let Some(row) = security::add_privileges::held(ctx, role, privilege).await? else {
        let message = words!("The role {0} does not grant the privilege {1}.", role, privilege);
        return Err(Refusal::new(Refusal::ABSENT, "ObjectDoesNotExist", message).into());
    };
    delete(ctx, RolePrivilege::TABLE, row.id, Precondition::Any).await
}
