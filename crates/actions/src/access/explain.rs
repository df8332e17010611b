//! What a user's roles allow, where each comes from, and what is missing for
//! an operation: from the same facts that decide.

use std::collections::{BTreeMap, BTreeSet};

use model::tables::{AccessMode, Role, SystemUser, Team, TeamRole, UserRole};
use model::{Entity, Filter, Id, Query, Table, Value, words};
use rules::access::catalogue::{self, Privilege};
use rules::access::{Depth, Right, Special, roles};

use super::{any, principal, seen};
use crate::context::Context;
use crate::error::ActionError;

/// A role and how it was come by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub id: Id,
    pub name: String,
    /// Given to the user.
    pub own: bool,
    /// Given to these teams of the user.
    pub teams: Vec<String>,
}

/// What is allowed with the rows of one table, and how far.
#[derive(Debug, Clone)]
pub struct TableRights {
    pub table: &'static Table,
    pub rights: BTreeMap<Right, Depth>,
}

/// One privilege that an operation takes.
#[derive(Debug, Clone)]
pub struct Needed {
    pub privilege: &'static Privilege,
    /// How far the user's roles reach; `None`: not at all.
    pub held: Option<Depth>,
    /// Ready roles that grant it, and how far.
    pub ready: Vec<(&'static str, Depth)>,
}

#[derive(Debug, Clone)]
pub struct Explanation {
    pub user: SystemUser,
    pub administrator: bool,
    pub roles: Vec<Held>,
    pub tables: Vec<TableRights>,
    pub specials: Vec<(Special, Depth)>,
    /// What was asked about; empty where nothing was.
    pub needed: Vec<Needed>,
    /// Who can give roles here: the System Administrators that can log in.
    pub grantors: Vec<String>,
}

impl Explanation {
    /// Whether everything that was asked about is granted, at some depth at least.
    pub fn is_granted(&self) -> bool {
        !self.user.is_disabled && self.needed.iter().all(|n| n.held.is_some())
    }

    /// The ready roles that alone would grant all that is missing.
    pub fn would_do(&self) -> Vec<&'static str> {
        let missing: Vec<&Needed> = self.needed.iter().filter(|n| n.held.is_none()).collect();
        if missing.is_empty() {
            return Vec::new();
        }
        let grants = |name: &str| missing.iter().all(|n| n.ready.iter().any(|(role, _)| *role == name));
        roles::ALL.iter().map(|r| r.name).filter(|name| grants(name)).collect()
    }
}

/// Explains a user: oneself, or whom one may read, with the right to read roles.
pub async fn explain(ctx: &Context, user: Id, needs: &[&'static Privilege]) -> Result<Explanation, ActionError> {
    let row = if user == ctx.actor.id {
        ctx.store.get(SystemUser::TABLE, user).await?
    } else {
        any(ctx, Right::Read, Role::TABLE)?;
        Some(seen(ctx, SystemUser::TABLE, user).await?)
    };
    let Some(row) = row else { return Err(model::Refusal::does_not_exist(SystemUser::TABLE.logical, user).into()) };
    let user = SystemUser::from_record(&row)?;
    // Of oneself: with what the token takes away already taken.
    let who = if user.id == ctx.actor.id { ctx.principal.clone() } else { principal::of(&ctx.store, &user).await? };
    let depth = |name: &str| who.reach(name).map(|reach| reach.depth);
    let mut tables = Vec::new();
    for table in model::tables::on_wire().filter(|t| catalogue::has_own(t)) {
        let rights: BTreeMap<Right, Depth> = catalogue::rights(table)
            .iter()
            .filter_map(|right| who.granted(*right, table).ok().map(|reach| (*right, reach.depth)))
            .collect();
        if !rights.is_empty() {
            tables.push(TableRights { table, rights });
        }
    }
    let specials = Special::ALL.into_iter().filter(|s| who.may_special(*s).is_ok());
    let specials = specials.filter_map(|s| depth(s.name()).map(|d| (s, d))).collect();
    let needed = needs.iter().map(|privilege| {
        let held = match (privilege.right, privilege.table) {
            (Some(right), Some(table)) => who.granted(right, table).ok().map(|reach| reach.depth),
            _ => special(&privilege.name).and_then(|s| who.may_special(s).ok()).and_then(|()| depth(&privilege.name)),
        };
        let grants = |role: &'static roles::Ready| role.privileges().get(&privilege.name).map(|d| (role.name, *d));
        Needed { privilege, held, ready: roles::ALL.iter().filter_map(grants).collect() }
    });
    let needed = needed.collect();
    let held = held(ctx, &user, &who.teams.keys().copied().collect()).await?;
    let grantors = administrators(ctx).await?;
    Ok(Explanation { administrator: who.administrator, user, roles: held, tables, specials, needed, grantors })
}

/// Explains by words: the user by user name (empty: oneself), the operation as
/// [`rules::access::operation::read`] takes it (empty: none).
pub async fn explain_words(ctx: &Context, user: &str, operation: &str) -> Result<Explanation, ActionError> {
    let needs = needs(operation)?;
    let user = match user.trim() {
        "" => ctx.actor.id,
        name => {
            let named = Filter::eq(SystemUser::C.domain_name, name.to_owned());
            let found = crate::list(ctx, Query::of::<SystemUser>().filter(named).limit(1)).await?.pop();
            let unknown = || model::Refusal::invalid(None, words!("There is no user {0} that you may see.", name));
            found.ok_or_else(unknown)?.id
        }
    };
    explain(ctx, user, &needs).await
}

/// The same of a user whose id is known.
pub async fn explain_operation(ctx: &Context, user: Id, operation: &str) -> Result<Explanation, ActionError> {
    explain(ctx, user, &needs(operation)?).await
}

fn needs(operation: &str) -> Result<Vec<&'static Privilege>, ActionError> {
    match operation.trim() {
        "" => Ok(Vec::new()),
        words => Ok(rules::access::operation::read(words).map_err(|text| model::Refusal::invalid(None, text))?),
    }
}

fn special(name: &str) -> Option<Special> {
    Special::ALL.into_iter().find(|s| s.name() == name)
}

async fn held(ctx: &Context, user: &SystemUser, teams: &BTreeSet<Id>) -> Result<Vec<Held>, ActionError> {
    let mut from: BTreeMap<Id, (bool, Vec<String>)> = BTreeMap::new();
    let own = Query::of::<UserRole>().filter(Filter::eq(UserRole::C.user, Some(user.reference())));
    for role in ctx.store.list::<UserRole>(&own).await?.into_iter().filter_map(|r| r.role) {
        from.entry(role.id).or_default().0 = true;
    }
    for team in teams {
        let Some(team) = ctx.store.load::<Team>(*team).await? else { continue };
        let of_team = Query::of::<TeamRole>().filter(Filter::eq(TeamRole::C.team, Some(team.reference())));
        for role in ctx.store.list::<TeamRole>(&of_team).await?.into_iter().filter_map(|r| r.role) {
            from.entry(role.id).or_default().1.push(team.name.clone());
        }
    }
    let ids = from.keys().copied().map(Value::Id).collect();
    let query = Query::of::<Role>().filter(Filter::In(Role::TABLE.id.into(), ids)).order_by(Role::C.name, false);
    let mut held = Vec::new();
    if from.is_empty() {
        return Ok(held);
    }
    for role in ctx.store.list::<Role>(&query).await? {
        let (own, teams) = from.remove(&role.id).unwrap_or_default();
        held.push(Held { id: role.id, name: role.name, own, teams });
    }
    Ok(held)
}

/// Who can log in and holds System Administrator, as far as the asker may
/// know of them; the service's own account is nobody to be asked.
async fn administrators(ctx: &Context) -> Result<Vec<String>, ActionError> {
    const MOST: usize = 20;
    let role = roles::by_template(roles::SYSTEM_ADMINISTRATOR).map(roles::Ready::reference);
    let query = Query::of::<UserRole>().filter(Filter::eq(UserRole::C.role, role)).limit(200);
    let mut names = Vec::new();
    for user in ctx.store.list::<UserRole>(&query).await?.into_iter().filter_map(|r| r.user) {
        let Ok(row) = seen(ctx, SystemUser::TABLE, user.id).await else { continue };
        let user = SystemUser::from_record(&row)?;
        if !user.is_disabled && user.access_mode == AccessMode::ReadWrite && !user.domain_name.is_empty() {
            names.push(user.domain_name);
        }
    }
    names.sort();
    names.truncate(MOST);
    Ok(names)
}
