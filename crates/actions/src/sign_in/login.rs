//! The row that a user signs in with, and what failing and succeeding do to it.

use model::tables::{AccessMode, Login, SystemUser};
use model::{Change, Commit, Entity, Filter, Query, Refusal, Update, words};
use rules::lockout;
use serde_json::json;
use store::CommitError;

use crate::audit;
use crate::error::{ActionError, commit_failed};
use crate::sign_in::entrance::Entrance;

/// How often a count is read anew because somebody else failed meanwhile.
const TRIES: usize = 8;

/// 0x80044302. One answer for everything that can be wrong: who guesses is
/// told neither that a name exists nor that it is locked.
pub(super) fn refused() -> Refusal {
    let message = words!(
        "The user name or the password is wrong, or there were too many attempts. \
                   After several failures, wait a quarter of an hour before the next."
    );
    Refusal::new(0x8004_4302, "SignInFailed", message)
}

/// The enabled person with this user name or address. Services do not sign in
/// here, and neither does an address that several have.
pub(super) async fn user_named(e: &Entrance, name: &str) -> Result<Option<SystemUser>, ActionError> {
    let name = name.trim();
    if name.is_empty() || name.len() > 320 {
        return Ok(None);
    }
    let is = |column: model::Col<String>| Filter::eq(column, name.to_owned());
    let query = Query::of::<SystemUser>().filter(is(SystemUser::C.domain_name).or(is(SystemUser::C.address))).limit(3);
    let found = e.store.list::<SystemUser>(&query).await?;
    let by_name = found.iter().find(|u| u.domain_name.eq_ignore_ascii_case(name));
    let user = by_name.or(if found.len() == 1 { found.first() } else { None }).cloned();
    Ok(user.filter(is_person))
}

/// Whether the user signs in as people do.
pub(super) fn is_person(user: &SystemUser) -> bool {
    !user.is_disabled && user.access_mode != AccessMode::NonInteractive
}

pub(super) async fn of(e: &Entrance, user: &SystemUser) -> Result<Option<Login>, ActionError> {
    Ok(e.store.load::<Login>(user.id).await?)
}

/// An attempt that was counted, and what stood there before.
#[derive(Debug)]
pub(super) struct Attempt {
    pub login: Login,
    pub failures: i64,
}

/// Counts the attempt as failed before it is made, so that many at the same
/// time count as many. `None`: it has to wait, or there is nothing to try.
pub(super) async fn attempt(e: &Entrance, user: &SystemUser) -> Result<Option<Attempt>, ActionError> {
    for _ in 0..TRIES {
        let Some(login) = of(e, user).await? else { return Ok(None) };
        if lockout::locked_until(login.failures, login.failed_on, e.now).is_some() {
            return Ok(None);
        }
        let failures = lockout::failed(login.failures, login.failed_on, e.now);
        let update = Update::of::<Login>(login.id)
            .set(Login::C.failures, failures)
            .set(Login::C.failed_on, Some(e.now))
            .expect(Login::C.failures, login.failures)
            .expect(Login::C.failed_on, login.failed_on);
        let commit = Commit::new(model::Actor { user: user.id }, e.now, vec![update.into()]);
        match e.store.commit(&commit).await {
            Ok(_) => return Ok(Some(Attempt { login, failures })),
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(commit_failed("pr_login", error)),
        }
    }
    Err(ActionError::Busy("too many attempts for one user at the same time".into()))
}

/// Notes a failure.
pub(super) async fn failed(
    e: &Entrance,
    user: Option<&SystemUser>,
    tried: Option<&Attempt>,
    what: &str,
) -> Result<(), ActionError> {
    let ctx = e.as_system().await?;
    let row = user.map_or(ctx.actor.id, |u| u.id);
    let detail = json!({
        "with": what,
        "user": user.map_or("unknown", |u| u.domain_name.as_str()),
        "address": e.visitor.address_text(),
        "agent": e.visitor.agent_text(),
    });
    let mut changes = vec![audit::told(&ctx, "sign-in-failed", SystemUser::TABLE, row, detail.clone())?];
    if tried.is_some_and(|tried| lockout::begins(tried.failures)) {
        changes.push(audit::told(&ctx, "locked-out", SystemUser::TABLE, row, detail)?);
        tracing::warn!(user = %row, "Bad: too many failed sign-ins, the user has to wait");
    }
    e.store.commit(&Commit::new(ctx.actor(), e.now, changes)).await.map_err(|e| commit_failed("pr_login", e))?;
    Ok(())
}

/// The change that forgets the failures.
pub(super) fn forgiven(login: &Login) -> Change {
    Update::of::<Login>(login.id).set(Login::C.failures, 0).set(Login::C.failed_on, None).into()
}

/// The change that takes one attempt back: its first step was right, and the
/// second is still to come.
pub(super) fn taken_back(tried: &Attempt) -> Change {
    let before = &tried.login;
    Update::of::<Login>(before.id)
        .set(Login::C.failures, before.failures)
        .set(Login::C.failed_on, before.failed_on)
        .into()
}

/// The change that sets a password's hash, whether there was a row or not.
pub(super) fn with_password(e: &Entrance, user: &SystemUser, there: bool, hash: String) -> Change {
    if there {
        return Update::of::<Login>(user.id)
            .set(Login::C.password, hash)
            .set(Login::C.password_set_on, Some(e.now))
            .set(Login::C.failures, 0)
            .set(Login::C.failed_on, None)
            .into();
    }
    let row = Login { password: hash, password_set_on: Some(e.now), ..Login::blank(user.id) };
    Change::create(row)
}
