//! Roles by groups: those that the configuration names are given and taken at
//! every sign-in, all others are left alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::tables::{Role, SystemUser, UserRole};
use model::{Commit, Entity, Filter, Query};
use serde_json::json;
use store::Store;

use crate::context::Context;
use crate::draft::{Draft, Precondition};
use crate::error::{ActionError, commit_failed};
use crate::sign_in::entrance::Entrance;
use crate::sign_in::openid::discovery::Provider;
use crate::sign_in::openid::identity::service;
use crate::{audit, create, delete};

/// Each role that groups give, with whether these groups do.
fn wanted<'a>(roles: &'a BTreeMap<String, String>, groups: &[String]) -> BTreeMap<&'a str, bool> {
    let mut wanted: BTreeMap<&str, bool> = BTreeMap::new();
    for (group, role) in roles {
        *wanted.entry(role).or_default() |= groups.contains(group);
    }
    wanted
}

async fn role(store: &Store, name: &str) -> Result<Option<Role>, ActionError> {
    let query = Query::of::<Role>().filter(Filter::eq(Role::C.name, name.to_owned())).limit(2);
    let mut found = store.list::<Role>(&query).await?;
    Ok(if found.len() == 1 { found.pop() } else { None })
}

/// The roles of the configuration that are not there, or more than once.
///
/// # Errors
/// When the database does not answer.
pub async fn missing_roles(store: &Store, roles: &BTreeMap<String, String>) -> Result<Vec<String>, ActionError> {
    let mut missing = Vec::new();
    for name in roles.values().collect::<BTreeSet<_>>() {
        if role(store, name).await?.is_none() {
            missing.push(name.clone());
        }
    }
    Ok(missing)
}

/// Makes the user's roles follow the groups.
pub(super) async fn follow(
    e: &Entrance,
    provider: &Arc<Provider>,
    user: &SystemUser,
    groups: &[String],
) -> Result<(), ActionError> {
    if provider.config.groups_claim.is_empty() || provider.config.roles.is_empty() {
        return Ok(());
    }
    let ctx = service(e).await?;
    for (name, wanted) in wanted(&provider.config.roles, groups) {
        let Some(role) = role(&e.store, name).await? else {
            tracing::warn!(role = name, "Bad: [sign_in.roles] names a role that is not there, or is there twice");
            continue;
        };
        let query = Query::of::<UserRole>()
            .filter(Filter::eq(UserRole::C.user, Some(user.reference())))
            .filter(Filter::eq(UserRole::C.role, Some(role.reference())));
        let held = e.store.list::<UserRole>(&query).await?.pop();
        let done = match held {
            None if wanted => {
                let draft = Draft::new(UserRole::TABLE)
                    .with(UserRole::C.user, Some(user.reference()))
                    .with(UserRole::C.role, Some(role.reference()));
                create::create(&ctx, draft).await.map(|_| ())
            }
            Some(pair) if !wanted => delete::delete(&ctx, UserRole::TABLE, pair.id, Precondition::Exists).await,
            _ => continue,
        };
        match done {
            Ok(()) => {}
            // The last administrator stays one, and what somebody else did at
            // the same time is done.
            Err(ActionError::Refused(why)) => kept(&ctx, user, name, &why.to_string()).await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn kept(ctx: &Context, user: &SystemUser, role: &str, why: &str) -> Result<(), ActionError> {
    tracing::warn!(user = %user.id, role, why, "Bad: a role could not follow the groups");
    let noted =
        audit::told(ctx, "role-not-followed", SystemUser::TABLE, user.id, json!({ "role": role, "reason": why }))?;
    let commit = Commit::new(ctx.actor(), ctx.now, vec![noted]);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed("systemuserroles", e))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(roles: &[(&str, &str)], groups: &[&str], expected: &[(&str, bool)]) {
        let roles = roles.iter().map(|(g, r)| ((*g).to_owned(), (*r).to_owned())).collect();
        let groups: Vec<String> = groups.iter().map(|g| (*g).to_owned()).collect();
        assert_eq!(wanted(&roles, &groups).into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn groups_give_roles() {
        check(&[], &["a"], &[]);
        check(&[("a", "R")], &["a", "b"], &[("R", true)]);
        check(&[("a", "R"), ("b", "R")], &["b"], &[("R", true)]);
        check(&[("a", "R"), ("b", "S")], &[], &[("R", false), ("S", false)]);
        check(&[("a", "R")], &["A"], &[("R", false)]);
    }
}
