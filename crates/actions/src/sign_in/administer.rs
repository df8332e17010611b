//! How somebody else signs in: what an administrator sees of it, and what can
//! be done for who cannot get in.

use jiff::Timestamp;
use model::tables::{Login, SystemUser};
use model::{Change, Commit, Entity, Id, Refusal, words};
use rules::lockout;
use serde_json::json;

use crate::context::Context;
use crate::error::{ActionError, commit_failed, invalid_operation};
use crate::sign_in::account::without_second_step;
use crate::sign_in::ticket::{self, Kind};
use crate::sign_in::{login, recovery, session};
use crate::{access, audit};

/// How a user signs in, for who looks after it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// Whether they sign in as people do; services and the disabled do not.
    pub is_person: bool,
    pub has_password: bool,
    pub password_set_on: Option<Timestamp>,
    pub second_step: bool,
    pub recovery_codes_left: usize,
    pub failures: i64,
    pub locked_until: Option<Timestamp>,
    /// Until when a link with which a password can be set is good.
    pub link_until: Option<Timestamp>,
}

/// # Errors
/// 0x80040220 without the right to administer, but for oneself.
pub async fn state(ctx: &Context, user: Id) -> Result<State, ActionError> {
    session::own_or_administer(ctx, user)?;
    let user = known(ctx, user).await?;
    let login = ctx.store.load::<Login>(user.id).await?;
    let links = ticket::of_user(&ctx.store, Kind::Password, user.id).await?;
    let link_until = links.iter().filter_map(|t| t.expires_on).filter(|end| *end > ctx.now).max();
    let mut state = State { is_person: login::is_person(&user), link_until, ..State::default() };
    if let Some(login) = login {
        state.has_password = !login.password.is_empty();
        state.password_set_on = login.password_set_on;
        state.second_step = login.totp_on;
        state.recovery_codes_left = recovery::left(&login.recovery);
        state.failures = login.failures;
        state.locked_until = lockout::locked_until(login.failures, login.failed_on, ctx.now);
    }
    Ok(state)
}

/// Switches the second step of a user off who lost their authenticator.
///
/// # Errors
/// 0x80040220 without the right to administer the user.
pub async fn reset_second_step(ctx: &Context, user: Id) -> Result<(), ActionError> {
    let user = administered(ctx, user).await?;
    let on = ctx.store.load::<Login>(user.id).await?.is_some_and(|login| login.totp_on);
    if !on {
        return Err(invalid_operation(words!("The user has no second step.")).into());
    }
    let mut changes = session::end_all(&ctx.store, user.id, None).await?;
    changes.push(without_second_step(&user));
    commit(ctx, &user, changes, "second-step-reset").await
}

/// Lets a user try again at once who entered a wrong password too often.
///
/// # Errors
/// As [`reset_second_step`].
pub async fn unlock(ctx: &Context, user: Id) -> Result<(), ActionError> {
    let user = administered(ctx, user).await?;
    let Some(login) = ctx.store.load::<Login>(user.id).await? else { return Ok(()) };
    commit(ctx, &user, vec![login::forgiven(&login)], "unlocked").await
}

/// Takes back the links with which the user can set a password.
///
/// # Errors
/// As [`reset_second_step`].
pub async fn revoke_links(ctx: &Context, user: Id) -> Result<(), ActionError> {
    let user = administered(ctx, user).await?;
    let links = ticket::of_user(&ctx.store, Kind::Password, user.id).await?;
    if links.is_empty() {
        return Ok(());
    }
    commit(ctx, &user, links.iter().map(ticket::used).collect(), "password-link-revoked").await
}

async fn administered(ctx: &Context, user: Id) -> Result<SystemUser, ActionError> {
    access::administer(ctx)?;
    let user = known(ctx, user).await?;
    access::administer_user(ctx, &user).await?;
    Ok(user)
}

async fn known(ctx: &Context, user: Id) -> Result<SystemUser, ActionError> {
    let found = ctx.store.load::<SystemUser>(user).await?;
    found.ok_or_else(|| Refusal::does_not_exist(SystemUser::TABLE.logical, user).into())
}

async fn commit(ctx: &Context, user: &SystemUser, mut changes: Vec<Change>, verb: &str) -> Result<(), ActionError> {
    changes.push(audit::told(ctx, verb, SystemUser::TABLE, user.id, json!({}))?);
    let commit = Commit::new(ctx.actor(), ctx.now, changes);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed(Login::TABLE.logical, e))?;
    Ok(())
}
