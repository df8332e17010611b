//! Takes users out of a team.

use model::tables::{Team, TeamMembership};
use model::{Entity, Id, Refusal, words};

use crate::context::Context;
use crate::draft::Precondition;
use crate::error::ActionError;
use crate::security::add_members::membership;
use crate::{ChangeSet, access, delete};

/// All of them or none.
///
/// # Errors
/// 0x80040217 for a user who is no member; else as deleting the membership.
pub async fn remove_members(ctx: &Context, team: Id, users: &[Id]) -> Result<(), ActionError> {
    let mut tries = 0;
    loop {
        let set = ChangeSet::begin(ctx).await?;
        let result = remove(set.context(), team, users).await;
        if let Some(result) = set.conclude(result, &mut tries).await {
            return result;
        }
    }
}

async fn remove(ctx: &Context, team: Id, users: &[Id]) -> Result<(), ActionError> {
    access::seen(ctx, Team::TABLE, team).await?;
    for user in users {
        let Some(row) = membership(ctx, team, *user).await? else {
            let message = words!("The user {0} is no member of the team {1}.", user, team);
            return Err(Refusal::new(Refusal::ABSENT, "ObjectDoesNotExist", message).into());
        };
        delete(ctx, TeamMembership::TABLE, row.id, Precondition::Any).await?;
    }
    Ok(())
}
