//! Makes a user as an administrator does: with roles, teams, and a link with
//! which the user sets a password.

use std::collections::BTreeSet;

use model::Entity;
use model::Id;
use model::tables::SystemUser;

use crate::context::Context;
use crate::draft::Draft;
use crate::error::ActionError;
use crate::sign_in::reset;
use crate::{ChangeSet, create, security};

/// What a new user is to be.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Name, address, business unit and so on.
    pub draft: Draft,
    /// These and no others.
    pub roles: BTreeSet<Id>,
    pub teams: BTreeSet<Id>,
    /// Whether a link is wanted with which they set a password.
    pub link: bool,
}

/// A user who has just been made.
#[derive(Debug)]
pub struct Made {
    pub user: Id,
    /// The ticket of the link; it is told this once.
    pub ticket: Option<String>,
}

/// All of it or nothing.
///
/// # Errors
/// As creating the user, giving the roles and making a link.
pub async fn new_user(ctx: &Context, new: &NewUser) -> Result<Made, ActionError> {
    let mut tries = 0;
    loop {
        let set = ChangeSet::begin(ctx).await?;
        let result = make(set.context(), new).await;
        if let Some(result) = set.conclude(result, &mut tries).await {
            return result;
        }
    }
}

async fn make(ctx: &Context, new: &NewUser) -> Result<Made, ActionError> {
    let user = create(ctx, new.draft.clone()).await?;
    security::set_roles::go(ctx, SystemUser::TABLE, user, &new.roles).await?;
    for team in &new.teams {
        security::add_members(ctx, *team, &[user]).await?;
    }
    let ticket = if new.link { Some(reset::reset(ctx, user, false).await?) } else { None };
    Ok(Made { user, ticket })
}
