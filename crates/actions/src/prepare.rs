//! What every start makes sure of, so that an installation that an earlier
//! version made has what a new one has: the catalogue of privileges and the
//! ready roles, the ready views, the messages of webhooks; and administrators
//! from before there were roles hold one.

use jiff::Timestamp;
use model::tables::{BusinessUnit, Organization, Privilege, Role, SystemUser, UserRole};
use model::{Actor, Change, Commit, Entity, Filter, Id, Query, Ref, Update};
use rules::access::{catalogue, roles};
use store::Store;

use crate::error::{ActionError, commit_failed};
use crate::{views, webhook};

/// Brings an installation up to what this program's `init` makes.
/// Does nothing where nothing is missing; may run on several nodes at once.
pub async fn prepare(store: &Store, now: Timestamp) -> Result<(), ActionError> {
    let Some(organization) = store.list::<Organization>(&Query::of::<Organization>().limit(1)).await?.pop() else {
        return Ok(());
    };
    let Some(system) = organization.system_user else { return Ok(()) };
    let mut changes = missing(store).await?;
    changes.extend(administrators(store).await?);
    changes.extend(views::missing(store).await?);
    changes.extend(webhook::missing(store).await?);
    if changes.is_empty() {
        return Ok(());
    }
    tracing::info!(
        changes = changes.len(),
        "bringing privileges, security roles, views and messages up to this version"
    );
    let commit = Commit::new(Actor { user: system.id }, now, changes);
    store.commit(&commit).await.map_err(|e| commit_failed("role", e))?;
    Ok(())
}

/// Everything that a new installation gets.
pub(crate) fn ready_roles(root: Option<Ref>) -> Vec<Change> {
    let privileges = roles::privilege_rows().into_iter().map(|p| Change::Ensure(p.into_record()));
    let mut changes: Vec<Change> = privileges.collect();
    for ready in roles::ALL {
        changes.push(Change::Ensure(ready.row(root)));
        changes.extend(ready.privilege_rows().into_iter().map(|p| Change::Ensure(p.into_record())));
    }
    changes
}

/// The row that gives a user a ready role.
pub(crate) fn assignment(user: Id, template: Id) -> UserRole {
    let role = roles::by_template(template).map(roles::Ready::reference);
    let id = model::id::derived(Timestamp::UNIX_EPOCH, &[b"userrole", user.as_bytes(), template.as_bytes()]);
    UserRole { user: Some(Ref::new(SystemUser::TABLE.logical, user)), role, ..UserRole::blank(id) }
}

/// Privileges that came with this version, and in the ready roles those that
/// are new: what somebody took from a role before stays taken.
async fn missing(store: &Store) -> Result<Vec<Change>, ActionError> {
    let known = store.query(&Query { select: vec![Privilege::TABLE.id], ..Query::of::<Privilege>() }).await?;
    let roles_there = store.query(&Query { select: vec![Role::TABLE.id], ..Query::of::<Role>() }).await?;
    let has_role = |id: Id| roles_there.iter().any(|r| r.id == id);
    let new: Vec<Id> =
        catalogue::all().iter().map(catalogue::Privilege::id).filter(|id| !known.iter().any(|k| k.id == *id)).collect();
    if new.is_empty() && roles::ALL.iter().all(|r| has_role(r.id())) {
        return Ok(Vec::new());
    }
    let query = Query::of::<BusinessUnit>().filter(Filter::IsNull(BusinessUnit::C.parent.name.into())).limit(1);
    let root = store.list::<BusinessUnit>(&query).await?.pop().map(|b| b.reference());
    let rows = roles::privilege_rows().into_iter().filter(|p| new.contains(&p.id));
    let mut changes: Vec<Change> = rows.map(|p| Change::Ensure(p.into_record())).collect();
    for ready in roles::ALL {
        let there = has_role(ready.id());
        if !there {
            changes.push(Change::Ensure(ready.row(root)));
        }
        let rows = ready.privilege_rows().into_iter();
        let wanted = rows.filter(|row| !there || row.privilege.is_some_and(|p| new.contains(&p.id)));
        changes.extend(wanted.map(|row| Change::Ensure(row.into_record())));
    }
    Ok(changes)
}

/// Users who were administrators by a mark on their row get the role; others
/// who have none get Basic User, with which they can do what they could.
async fn administrators(store: &Store) -> Result<Vec<Change>, ActionError> {
    let mut changes = Vec::new();
    let marked = Query::of::<SystemUser>().filter(Filter::eq(SystemUser::C.was_administrator, true));
    let marked = store.list::<SystemUser>(&marked).await?;
    for user in &marked {
        changes.push(Change::Ensure(assignment(user.id, roles::SYSTEM_ADMINISTRATOR).into_record()));
        changes.push(Update::of::<SystemUser>(user.id).set(SystemUser::C.was_administrator, false).into());
    }
    // The first start with roles: nobody has any.
    if store.count(&Query::of::<UserRole>()).await? == 0 {
        let all = store.query(&Query { select: vec![SystemUser::TABLE.id], ..Query::of::<SystemUser>() }).await?;
        let others = all.into_iter().filter(|u| !marked.iter().any(|m| m.id == u.id));
        changes.extend(others.map(|u| Change::Ensure(assignment(u.id, roles::BASIC_USER).into_record())));
    }
    Ok(changes)
}
