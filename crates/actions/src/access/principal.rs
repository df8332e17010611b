//! Everything that is known of who asks, loaded once and kept for a moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::tables::{
    BusinessUnit, FieldPermission, FieldRight, Role, RolePrivilege, SystemUser, Team, TeamMembership, TeamProfile,
    TeamRole, UserProfile, UserRole,
};
use model::{Col, Entity, Filter, Id, Query, Ref, Refusal, Table, Value};
use rules::access::{Depth, FieldRights, Principal, Tree, below, catalogue, refusals, roles};
use store::Store;

use crate::error::ActionError;

/// The principal of a user, as the database has it now or had a moment ago.
pub(crate) async fn of(store: &Store, user: &SystemUser) -> Result<Arc<Principal>, ActionError> {
    if store.is_transaction() {
        // What is not committed may never be: it is nobody else's to know.
        return Ok(Arc::new(load(store, user).await?));
    }
    if let Some(kept) = store.remembered::<Principal>(user.id) {
        return Ok(kept);
    }
    let since = store.generation();
    let principal = Arc::new(load(store, user).await?);
    store.remember(user.id, since, Arc::clone(&principal));
    Ok(principal)
}

/// A team by itself: what its own roles allow.
pub(crate) async fn of_team(store: &Store, team: &Team) -> Result<Principal, ActionError> {
    let unit = team.business_unit.map(|b| b.id);
    let mut principal = Principal::new(team.id, team.name.clone());
    principal.unit = unit;
    principal.teams = BTreeMap::from([(team.id, unit)]);
    let query = Query::of::<TeamRole>().filter(Filter::eq(TeamRole::C.team, Some(team.reference())));
    let roles = store.list::<TeamRole>(&query).await?.into_iter().filter_map(|row| row.role);
    let held: BTreeMap<Id, BTreeSet<Option<Id>>> = roles.map(|role| (role.id, BTreeSet::from([unit]))).collect();
    principal.roles = held.keys().copied().collect();
    grant(store, &mut principal, &held, &tree(store).await?).await?;
    Ok(principal)
}

async fn load(store: &Store, user: &SystemUser) -> Result<Principal, ActionError> {
    // The row that was read with the token may be older than the generation.
    let user = &store.load::<SystemUser>(user.id).await?.unwrap_or_else(|| user.clone());
    let tree = tree(store).await?;
    let unit = user.business_unit.map(|b| b.id);
    let mut principal = Principal::new(user.id, user.domain_name.clone());
    principal.unit = unit;
    principal.subtree = unit.map(|unit| below(&tree, unit)).unwrap_or_default();
    principal.teams = teams(store, user.id).await?;
    principal.access_mode = user.access_mode;
    principal.disabled = user.is_disabled;
    // Each role with the business units from which it reaches.
    let mut held: BTreeMap<Id, BTreeSet<Option<Id>>> = BTreeMap::new();
    let own = Query::of::<UserRole>().filter(Filter::eq(UserRole::C.user, Some(user.reference())));
    for role in store.list::<UserRole>(&own).await?.into_iter().filter_map(|r| r.role) {
        held.entry(role.id).or_default().insert(unit);
    }
    if !principal.teams.is_empty() {
        let query = Query::of::<TeamRole>().filter(any_of(TeamRole::C.team, "team", principal.teams.keys()));
        for row in store.list::<TeamRole>(&query).await? {
            let (Some(team), Some(role)) = (row.team, row.role) else { continue };
            let unit = principal.teams.get(&team.id).copied().flatten();
            held.entry(role.id).or_default().insert(unit);
        }
    }
    principal.roles = held.keys().copied().collect();
    grant(store, &mut principal, &held, &tree).await?;
    principal.fields = fields(store, &principal).await?;
    Ok(principal)
}

async fn grant(
    store: &Store,
    principal: &mut Principal,
    held: &BTreeMap<Id, BTreeSet<Option<Id>>>,
    tree: &Tree,
) -> Result<(), ActionError> {
    if held.is_empty() {
        return Ok(());
    }
    let ids: Vec<Value> = held.keys().copied().map(Value::Id).collect();
    let query = Query::of::<Role>().filter(Filter::In(Role::TABLE.id.into(), ids));
    let all = store.list::<Role>(&query).await?;
    if all.iter().any(|r| r.template == Some(roles::SYSTEM_ADMINISTRATOR)) {
        principal.make_administrator();
        return Ok(());
    }
    let query = Query::of::<RolePrivilege>().filter(any_of(RolePrivilege::C.role, "role", held.keys()));
    for row in store.list::<RolePrivilege>(&query).await? {
        let (Some(role), Some(privilege)) = (row.role, row.privilege) else { continue };
        let (Some(known), Some(depth)) = (catalogue::by_id(privilege.id), Depth::from_mask(row.depth)) else {
            continue;
        };
        for unit in held.get(&role.id).into_iter().flatten() {
            principal.grant(&known.name, depth, *unit, tree);
        }
    }
    Ok(())
}

/// Why a user or team cannot be given rows of the table: no role of theirs
/// reads it. Somebody who is not there is not this check's fault to tell.
pub(crate) async fn cannot_own(
    store: &Store,
    owner: Ref,
    table: &'static Table,
) -> Result<Option<Refusal>, ActionError> {
    let principal = if owner.table == Team::TABLE.logical {
        let Some(team) = store.load::<Team>(owner.id).await? else { return Ok(None) };
        let mut principal = Principal::new(team.id, team.name.clone());
        principal.unit = team.business_unit.map(|b| b.id);
        let query = Query::of::<TeamRole>().filter(Filter::eq(TeamRole::C.team, Some(owner)));
        let roles = store.list::<TeamRole>(&query).await?.into_iter().filter_map(|r| r.role);
        let held: BTreeMap<Id, BTreeSet<Option<Id>>> =
            roles.map(|role| (role.id, BTreeSet::from([principal.unit]))).collect();
        principal.roles = held.keys().copied().collect();
        grant(store, &mut principal, &held, &Tree::new()).await?;
        Arc::new(principal)
    } else {
        let Some(user) = store.load::<SystemUser>(owner.id).await? else { return Ok(None) };
        of(store, &user).await?
    };
    Ok(refusals::cannot_own(&principal, table))
}

pub(crate) async fn tree(store: &Store) -> Result<Tree, ActionError> {
    let units = store.list::<BusinessUnit>(&Query::of::<BusinessUnit>()).await?;
    Ok(units.into_iter().map(|u| (u.id, u.parent.map(|p| p.id))).collect())
}

async fn teams(store: &Store, user: Id) -> Result<BTreeMap<Id, Option<Id>>, ActionError> {
    let user = Some(Ref::new(SystemUser::TABLE.logical, user));
    let query = Query::of::<TeamMembership>().filter(Filter::eq(TeamMembership::C.user, user));
    let ids: Vec<Value> = store
        .list::<TeamMembership>(&query)
        .await?
        .into_iter()
        .filter_map(|m| m.team)
        .map(|t| Value::Id(t.id))
        .collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let query = Query::of::<Team>().filter(Filter::In(Team::TABLE.id.into(), ids));
    let teams = store.list::<Team>(&query).await?;
    Ok(teams.into_iter().map(|t| (t.id, t.business_unit.map(|b| b.id))).collect())
}

async fn fields(store: &Store, principal: &Principal) -> Result<BTreeMap<(String, String), FieldRights>, ActionError> {
    let mut fields: BTreeMap<(String, String), FieldRights> = BTreeMap::new();
    let mut profiles = BTreeSet::new();
    let user = Some(Ref::new(SystemUser::TABLE.logical, principal.user));
    let query = Query::of::<UserProfile>().filter(Filter::eq(UserProfile::C.user, user));
    profiles.extend(store.list::<UserProfile>(&query).await?.into_iter().filter_map(|p| p.profile).map(|p| p.id));
    if !principal.teams.is_empty() {
        let query = Query::of::<TeamProfile>().filter(any_of(TeamProfile::C.team, "team", principal.teams.keys()));
        profiles.extend(store.list::<TeamProfile>(&query).await?.into_iter().filter_map(|p| p.profile).map(|p| p.id));
    }
    if profiles.is_empty() {
        return Ok(fields);
    }
    let query = Query::of::<FieldPermission>().filter(any_of(
        FieldPermission::C.profile,
        "fieldsecurityprofile",
        profiles.iter(),
    ));
    for row in store.list::<FieldPermission>(&query).await? {
        let rights = fields.entry((row.table, row.column)).or_default();
        rights.read |= row.can_read == FieldRight::Allowed;
        rights.create |= row.can_create == FieldRight::Allowed;
        rights.update |= row.can_update == FieldRight::Allowed;
    }
    Ok(fields)
}

fn any_of<'a>(column: Col<Option<Ref>>, table: &'static str, ids: impl Iterator<Item = &'a Id>) -> Filter {
    Filter::In(column.name.into(), ids.map(|id| Value::Ref(Ref::new(table, *id))).collect())
}
