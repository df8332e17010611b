//! Who gives roles, privileges and memberships to whom: nobody gives more than
//! they have, and an administrator who can log in always remains.

use model::tables::{Organization, Role, RolePrivilege, SystemUser, TeamMembership, TeamProfile, TeamRole, UserRole};
use model::{Change, Entity, Filter, Id, Query, Record, Refusal, Update, Words, words};
use rules::access::{Depth, Right, catalogue, refusals, roles};

use crate::access;
use crate::context::Context;
use crate::error::{ActionError, invalid_operation};
use crate::plan::Plan;

/// A row that pairs a user or a team with a role, a team with a member, or a
/// role with a privilege, in the making.
pub(crate) async fn check(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let row = plan.after.clone();
    match given(plan.ctx, &row).await {
        Ok(()) => Ok(()),
        Err(ActionError::Refused(refusals)) => {
            plan.faults.extend(refusals.0);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// The same row, about to go.
pub(crate) async fn check_delete(ctx: &Context, row: &Record) -> Result<Vec<Change>, ActionError> {
    if row.table == UserRole::TABLE {
        let pair = UserRole::from_record(row)?;
        if pair.role == administrator_role() {
            let guard = others_remain(ctx, pair.user.map(|u| u.id)).await?;
            given(ctx, row).await?;
            return Ok(guard);
        }
    }
    given(ctx, row).await?;
    Ok(Vec::new())
}

async fn given(ctx: &Context, row: &Record) -> Result<(), ActionError> {
    let table = row.table;
    if table == UserRole::TABLE || table == TeamRole::TABLE {
        let role = row.get(UserRole::C.role.name).as_id();
        return assigns(ctx, role).await;
    }
    if table == TeamMembership::TABLE {
        let team = row.typed(TeamMembership::C.team)?;
        let held = Query::of::<TeamRole>().filter(Filter::eq(TeamRole::C.team, team));
        for pair in ctx.store.list::<TeamRole>(&held).await? {
            no_more_than_own(ctx, pair.role.map(|r| r.id)).await?;
        }
        // What the team may read of secured columns comes with it.
        let profiles = Query::of::<TeamProfile>().filter(Filter::eq(TeamProfile::C.team, team));
        if ctx.store.count(&profiles).await? == 0 {
            return Ok(());
        }
        return only_administrators(ctx, words!("the team has field security profiles"));
    }
    if table == RolePrivilege::TABLE {
        return grants(ctx, &RolePrivilege::from_record(row)?);
    }
    // Field security: who may read and write every credential.
    only_administrators(ctx, words!("field permissions are given by System Administrators"))
}

fn only_administrators(ctx: &Context, why: Words) -> Result<(), ActionError> {
    if ctx.principal.administrator {
        return Ok(());
    }
    Err(refusals::more_than_own(&ctx.principal, why).into())
}

/// Giving a role, or taking it: prvAssignRole, and no more than one's own.
async fn assigns(ctx: &Context, role: Option<Id>) -> Result<(), ActionError> {
    access::any(ctx, Right::Assign, Role::TABLE)?;
    no_more_than_own(ctx, role).await
}

async fn no_more_than_own(ctx: &Context, role: Option<Id>) -> Result<(), ActionError> {
    let principal = &ctx.principal;
    if principal.administrator {
        return Ok(());
    }
    let Some(role) = role else { return Ok(()) };
    if administrator_role().is_some_and(|admin| admin.id == role) {
        return Err(refusals::more_than_own(principal, words!("the role System Administrator")).into());
    }
    let role = Some(model::Ref::new(Role::TABLE.logical, role));
    let query = Query::of::<RolePrivilege>().filter(Filter::eq(RolePrivilege::C.role, role));
    for row in ctx.store.list::<RolePrivilege>(&query).await? {
        held(ctx, &row)?;
    }
    Ok(())
}

fn held(ctx: &Context, row: &RolePrivilege) -> Result<(), Refusal> {
    let (Some(known), Some(depth)) = (row.privilege.and_then(|p| catalogue::by_id(p.id)), Depth::from_mask(row.depth))
    else {
        return Ok(());
    };
    if ctx.principal.administrator || ctx.principal.reach(&known.name).is_some_and(|own| own.depth >= depth) {
        return Ok(());
    }
    let what = words!("{0} at depth {1} ({2})", known.name, depth.as_str(), Words::label(depth.label()));
    Err(refusals::more_than_own(&ctx.principal, what))
}

fn grants(ctx: &Context, row: &RolePrivilege) -> Result<(), ActionError> {
    if row.role == administrator_role() {
        return Err(invalid_operation(words!("System Administrator has every privilege; it cannot be changed.")).into());
    }
    let Some(known) = row.privilege.and_then(|p| catalogue::by_id(p.id)) else {
        let column = RolePrivilege::C.privilege.name;
        return Err(Refusal::invalid(Some(column), words!("There is no such privilege; privileges lists all.")).into());
    };
    let depth = Depth::from_mask(row.depth).filter(|d| d.mask() == row.depth && known.depths.contains(d));
    if depth.is_none() {
        let depths: Vec<String> = known.depths.iter().map(|d| format!("{} {}", d.mask(), d.as_str())).collect();
        let message = words!("{0} can be granted at these depths only: {1}.", known.name, depths.join(", "));
        return Err(Refusal::invalid(Some(RolePrivilege::C.depth.name), message).into());
    }
    Ok(held(ctx, row)?)
}

fn administrator_role() -> Option<model::Ref> {
    roles::by_template(roles::SYSTEM_ADMINISTRATOR).map(roles::Ready::reference)
}

/// A user in the making or changing: nobody but an administrator changes an
/// administrator, and the last one can still log in.
pub(crate) async fn check_user(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    unique_name(plan).await?;
    check_identity(plan).await?;
    moved(plan, SystemUser::C.business_unit).await?;
    if plan.creating() || !is_administrator(plan.ctx, plan.after.id).await? {
        return Ok(());
    }
    let ctx = plan.ctx;
    let approves = plan.given.len() == 1 && plan.was_given(SystemUser::C.approval);
    if !ctx.principal.administrator && plan.after.id != ctx.principal.user && !approves {
        plan.fault(refusals::more_than_own(
            &ctx.principal,
            words!("a System Administrator is changed by their like only"),
        ));
    }
    let blocked = |row: &Record| -> Result<bool, ActionError> {
        let user = SystemUser::from_record(row)?;
        let writes = matches!(user.access_mode, model::tables::AccessMode::ReadWrite);
        Ok(user.is_disabled || !writes)
    };
    let before = plan.before.as_ref().map(blocked).transpose()?.unwrap_or(true);
    if !before && blocked(&plan.after)? {
        match others_remain(ctx, Some(plan.after.id)).await {
            Ok(guard) => plan.also.extend(guard),
            Err(ActionError::Refused(refusals)) => plan.faults.extend(refusals.0),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Two users of one name could not be told apart when they sign in.
async fn unique_name(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let column = SystemUser::C.domain_name;
    let name = plan.after.typed(column)?;
    if name.trim().is_empty() || !plan.was_given(column) || !plan.changes(column) {
        return Ok(());
    }
    let same = Query::of::<SystemUser>().filter(Filter::eq(column, name)).limit(2);
    let others = plan.ctx.store.list::<SystemUser>(&same).await?;
    if others.iter().any(|user| user.id != plan.after.id) {
        plan.fault(crate::error::duplicate(words!("systemuser with this user name")).at(column.name));
    }
    Ok(())
}

/// By which a user signs in, and what the account is good for.
const IDENTITY: &[&str] =
    &["domainname", "azureactivedirectoryobjectid", "applicationid", "accessmode", "internalemailaddress"];

/// Whoever decides how somebody signs in can sign in as them: that takes what
/// they have. Nobody widens their own access mode.
async fn check_identity(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let ctx = plan.ctx;
    if plan.creating() || ctx.principal.administrator {
        return Ok(());
    }
    let changed: Vec<&'static str> = plan.difference().into_iter().map(|(name, _)| name).collect();
    let Some(column) = IDENTITY.iter().copied().find(|name| plan.given.contains(name) && changed.contains(name)) else {
        return Ok(());
    };
    if plan.after.id == ctx.principal.user {
        if column != "internalemailaddress" {
            let refusal =
                refusals::more_than_own(&ctx.principal, words!("how one signs in oneself is changed by others"));
            plan.fault(refusal.at(column));
        }
        return Ok(());
    }
    // An address alone is changed by whoever looks after mailboxes.
    let rows = column != "internalemailaddress";
    match access::no_stronger(ctx, &SystemUser::from_record(&plan.after)?, rows).await {
        Err(ActionError::Refused(refusals)) => plan.faults.extend(refusals.0.into_iter().map(|r| r.at(column))),
        other => other?,
    }
    Ok(())
}

/// A user, team, role or unit that goes to another business unit takes its
/// reach along: the same privilege must reach there, and nobody moves themselves.
pub(crate) async fn moved(plan: &mut Plan<'_>, column: model::Col<Option<model::Ref>>) -> Result<(), ActionError> {
    let ctx = plan.ctx;
    if plan.creating() || ctx.principal.administrator || !plan.was_given(column) || !plan.changes(column) {
        return Ok(());
    }
    if plan.after.id == ctx.principal.user || ctx.principal.teams.contains_key(&plan.after.id) {
        let what = words!("another business unit for oneself, or for a team of one's own");
        plan.fault(refusals::more_than_own(&ctx.principal, what).at(column.name));
        return Ok(());
    }
    let facts = access::facts(ctx, &plan.after).await?;
    if let Err(refusal) = rules::access::may(&ctx.principal, Right::Write, plan.table(), &facts) {
        plan.fault(refusal.at(column.name));
    }
    Ok(())
}

async fn is_administrator(ctx: &Context, user: Id) -> Result<bool, ActionError> {
    let user = Some(model::Ref::new(SystemUser::TABLE.logical, user));
    let query = Query::of::<UserRole>()
        .filter(Filter::eq(UserRole::C.user, user))
        .filter(Filter::eq(UserRole::C.role, administrator_role()));
    Ok(ctx.store.count(&query).await? > 0)
}

/// 0x8004023b unless some other enabled user is an administrator.
async fn others_remain(ctx: &Context, besides: Option<Id>) -> Result<Vec<Change>, ActionError> {
    // Before it is looked who remains: what happens after that is noticed.
    let guard = guarded(ctx).await?;
    let organization = ctx.store.list::<Organization>(&Query::of::<Organization>().limit(1)).await?.pop();
    let system = organization.and_then(|o| o.system_user).map(|s| s.id);
    let query = Query::of::<UserRole>().filter(Filter::eq(UserRole::C.role, administrator_role()));
    for pair in ctx.store.list::<UserRole>(&query).await? {
        let Some(user) = pair.user.filter(|u| Some(u.id) != besides && Some(u.id) != system) else { continue };
        let user = ctx.store.load::<SystemUser>(user.id).await?;
        if user.is_some_and(|u| !u.is_disabled && u.access_mode == model::tables::AccessMode::ReadWrite) {
            return Ok(guard);
        }
    }
    let message = words!("This is the last System Administrator who can log in. Make another one first.");
    Err(invalid_operation(message).into())
}

/// Two who take the role from each other at the same time: one of them comes
/// second, and is told so.
async fn guarded(ctx: &Context) -> Result<Vec<Change>, ActionError> {
    let Some(role) = administrator_role() else { return Ok(Vec::new()) };
    let Some(row) = ctx.store.get(Role::TABLE, role.id).await? else { return Ok(Vec::new()) };
    let name = row.get(Role::C.name.name).clone();
    let mut update = Update::row(Role::TABLE, role.id);
    update.version = row.get("versionnumber").as_int();
    update.set.push((Role::C.name.name, name));
    Ok(vec![update.into()])
}

/// The ready roles stay, and System Administrator as it is.
pub(crate) async fn check_role(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    moved(plan, Role::C.business_unit).await?;
    if !plan.creating() && Some(plan.after.reference()) == administrator_role() {
        plan.fault(invalid_operation(words!("System Administrator cannot be changed.")));
    }
    Ok(())
}

pub(crate) async fn check_delete_role(ctx: &Context, row: &Record) -> Result<Vec<Change>, ActionError> {
    if row.get(Role::C.is_managed.name).as_bool() == Some(true) {
        return Err(invalid_operation(words!("A role that came with the program cannot be deleted.")).into());
    }
    let this = Some(row.reference());
    let mut changes = Vec::new();
    for pair in ctx.store.list::<UserRole>(&Query::of::<UserRole>().filter(Filter::eq(UserRole::C.role, this))).await? {
        changes.push(Change::delete::<UserRole>(pair.id));
    }
    for pair in ctx.store.list::<TeamRole>(&Query::of::<TeamRole>().filter(Filter::eq(TeamRole::C.role, this))).await? {
        changes.push(Change::delete::<TeamRole>(pair.id));
    }
    let query = Query::of::<RolePrivilege>().filter(Filter::eq(RolePrivilege::C.role, this));
    for pair in ctx.store.list::<RolePrivilege>(&query).await? {
        changes.push(Change::delete::<RolePrivilege>(pair.id));
    }
    Ok(changes)
}

/// A team goes with its memberships and roles.
pub(crate) async fn check_delete_team(ctx: &Context, row: &Record) -> Result<Vec<Change>, ActionError> {
    let this = Some(row.reference());
    let mut changes = Vec::new();
    for pair in ctx.store.list::<TeamRole>(&Query::of::<TeamRole>().filter(Filter::eq(TeamRole::C.team, this))).await? {
        changes.push(Change::delete::<TeamRole>(pair.id));
    }
    let query = Query::of::<TeamMembership>().filter(Filter::eq(TeamMembership::C.team, this));
    for pair in ctx.store.list::<TeamMembership>(&query).await? {
        changes.push(Change::delete::<TeamMembership>(pair.id));
    }
    Ok(changes)
}
