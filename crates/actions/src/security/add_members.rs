//! Adds users to a team.

use model::tables::{SystemUser, Team, TeamMembership};
use model::{Entity, Filter, Id, Query, Ref};

use crate::context::Context;
use crate::draft::Draft;
use crate::error::ActionError;
use crate::{ChangeSet, access, create};

/// All of them or none; who is a member already stays one.
///
/// # Errors
/// 0x80040220 without Write on the team, 0x8004020D where its roles grant more
/// than the actor has.
pub async fn add_members(ctx: &Context, team: Id, users: &[Id]) -> Result<(), ActionError> {
    let mut tries = 0;
    loop {
        let set = ChangeSet::begin(ctx).await?;
        let result = add(set.context(), team, users).await;
        if let Some(result) = set.conclude(result, &mut tries).await {
            return result;
        }
    }
}

async fn add(ctx: &Context, team: Id, users: &[Id]) -> Result<(), ActionError> {
    access::seen(ctx, Team::TABLE, team).await?;
    for user in users {
        if membership(ctx, team, *user).await?.is_none() {
            let draft = Draft::new(TeamMembership::TABLE)
                .with(TeamMembership::C.team, Some(Ref::new(Team::TABLE.logical, team)))
                .with(TeamMembership::C.user, Some(Ref::new(SystemUser::TABLE.logical, *user)));
            create(ctx, draft).await?;
        }
    }
    Ok(())
}

pub(super) async fn membership(ctx: &Context, team: Id, user: Id) -> Result<Option<TeamMembership>, ActionError> {
    let query = Query::of::<TeamMembership>()
        .filter(Filter::eq(TeamMembership::C.team, Some(Ref::new(Team::TABLE.logical, team))))
        .filter(Filter::eq(TeamMembership::C.user, Some(Ref::new(SystemUser::TABLE.logical, user))));
    Ok(ctx.store.list::<TeamMembership>(&query).await?.pop())
}
