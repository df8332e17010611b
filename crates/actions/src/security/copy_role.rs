//! Makes a role that grants what another one does.

use model::tables::{BusinessUnit, Role};
use model::{Entity, Id, Ref};

use crate::context::Context;
use crate::draft::Draft;
use crate::error::ActionError;
use crate::{ChangeSet, create, security};

/// Returns the new role; it is the organization's own and can be changed.
///
/// # Errors
/// 0x8004020D for more than the actor has, 0x80040217 for a role that they do
/// not read.
pub async fn copy_role(ctx: &Context, from: Id, name: &str, unit: Option<Id>) -> Result<Id, ActionError> {
    let mut tries = 0;
    loop {
        let set = ChangeSet::begin(ctx).await?;
        let result = copy(set.context(), from, name, unit).await;
        if let Some(result) = set.conclude(result, &mut tries).await {
            return result;
        }
    }
}

async fn copy(ctx: &Context, from: Id, name: &str, unit: Option<Id>) -> Result<Id, ActionError> {
    let granted = security::of_role(ctx, from).await?;
    let mut draft = Draft::new(Role::TABLE).with(Role::C.name, name.to_owned());
    if let Some(unit) = unit {
        draft = draft.with(Role::C.business_unit, Some(Ref::new(BusinessUnit::TABLE.logical, unit)));
    }
    let role = create(ctx, draft).await?;
    let privileges: Vec<_> = granted.into_iter().map(|granted| (granted.privilege, granted.depth)).collect();
    security::add_privileges::add(ctx, role, &privileges).await?;
    Ok(role)
}
