//! WhoAmI: the caller's user, business unit and organization.

use model::tables::Organization;
use model::{Id, Query};

use crate::context::Context;
use crate::error::ActionError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WhoAmI {
    pub user: Id,
    pub business_unit: Id,
    pub organization: Id,
}

pub async fn who_am_i(ctx: &Context) -> Result<WhoAmI, ActionError> {
    let organization = ctx.store.list::<Organization>(&Query::of::<Organization>().limit(1)).await?.pop();
    Ok(WhoAmI {
        user: ctx.actor.id,
        business_unit: ctx.actor.business_unit.map_or(Id::nil(), |b| b.id),
        organization: organization.map_or(Id::nil(), |o| o.id),
    })
}
