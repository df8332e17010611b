//! Which roles a user or a team has: all of them at once.

use std::collections::BTreeSet;

use model::tables::{Role, SystemUser, Team, TeamRole, UserRole};
use model::{Col, Entity, Filter, Id, Query, Ref, Table};

use crate::context::Context;
use crate::draft::{Draft, Precondition};
use crate::error::ActionError;
use crate::{ChangeSet, access, create, delete};

/// The table that pairs a user or a team with roles.
struct Pairs {
    table: &'static Table,
    holder: Col<Option<Ref>>,
    role: Col<Option<Ref>>,
}

const USERS: Pairs = Pairs { table: UserRole::TABLE, holder: UserRole::C.user, role: UserRole::C.role };
const TEAMS: Pairs = Pairs { table: TeamRole::TABLE, holder: TeamRole::C.team, role: TeamRole::C.role };

fn pairs(holder: &'static Table) -> &'static Pairs {
    if holder == Team::TABLE { &TEAMS } else { &USERS }
}

/// The roles that the user or team (`holder`: its table) itself has.
///
/// # Errors
/// 0x80040217 for one that the actor does not read.
pub async fn roles_of(ctx: &Context, holder: &'static Table, id: Id) -> Result<BTreeSet<Id>, ActionError> {
    access::seen(ctx, holder, id).await?;
    Ok(held(ctx, pairs(holder), Ref::new(holder.logical, id)).await?.into_iter().map(|(role, _)| role).collect())
}

/// The user has these roles and no others. All of it or nothing.
///
/// # Errors
/// 0x8004020D for a role with more than the actor has, 0x8004023b where no
/// System Administrator would be left.
pub async fn set_roles(ctx: &Context, user: Id, roles: &BTreeSet<Id>) -> Result<(), ActionError> {
    set(ctx, SystemUser::TABLE, user, roles).await
}

/// The same for a team: all its members have them.
///
/// # Errors
/// As [`set_roles`].
pub async fn set_team_roles(ctx: &Context, team: Id, roles: &BTreeSet<Id>) -> Result<(), ActionError> {
    set(ctx, Team::TABLE, team, roles).await
}

async fn set(ctx: &Context, holder: &'static Table, id: Id, roles: &BTreeSet<Id>) -> Result<(), ActionError> {
    let mut tries = 0;
    loop {
        let set = ChangeSet::begin(ctx).await?;
        let result = go(set.context(), holder, id, roles).await;
        if let Some(result) = set.conclude(result, &mut tries).await {
            return result;
        }
    }
}

pub(super) async fn go(ctx: &Context, holder: &'static Table, id: Id, roles: &BTreeSet<Id>) -> Result<(), ActionError> {
    access::seen(ctx, holder, id).await?;
    let pairs = pairs(holder);
    let who = Ref::new(holder.logical, id);
    let held = held(ctx, pairs, who).await?;
    let has: BTreeSet<Id> = held.iter().map(|(role, _)| *role).collect();
    // First what is given: who gives their own role to a successor has it still.
    for role in roles.difference(&has) {
        let draft = Draft::new(pairs.table)
            .with(pairs.holder, Some(who))
            .with(pairs.role, Some(Ref::new(Role::TABLE.logical, *role)));
        create(ctx, draft).await?;
    }
    for (role, pair) in held {
        if !roles.contains(&role) {
            delete(ctx, pairs.table, pair, Precondition::Any).await?;
        }
    }
    Ok(())
}

/// Role and the row that gives it.
async fn held(ctx: &Context, pairs: &Pairs, who: Ref) -> Result<Vec<(Id, Id)>, ActionError> {
    let mut query = Query::table(pairs.table).filter(Filter::eq(pairs.holder, Some(who)));
    query.select = vec![pairs.role.name];
    let rows = ctx.store.query(&query).await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.get(pairs.role.name).as_id()?, row.id))).collect())
}
