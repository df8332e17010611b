//! Signing in with a password, and with a code where the user has a second
//! step; changing the password.

use jiff::SignedDuration;
use model::tables::{Login, SystemUser};
use model::{Change, Commit, Entity, Refusal, Secret, Update, words};
use rules::password;
use serde_json::json;

use crate::audit;
use crate::error::{ActionError, commit_failed};
use crate::sign_in::entrance::Entrance;
use crate::sign_in::hasher::Verified;
use crate::sign_in::session::{self, Current, Opened};
use crate::sign_in::ticket::{self, Kind};
use crate::sign_in::{login, recovery, totp};

/// How long the code may be waited for.
const CODE_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// What comes after a password that is right.
pub enum Step {
    Done(Box<Opened>),
    /// A code is asked for; this ticket proves the password.
    Code(String),
}

/// Signs in with a user name (or address) and a password.
pub async fn with_password(e: &Entrance, name: &str, password: Secret) -> Result<Step, ActionError> {
    if !e.policy.local {
        let message = words!("Signing in with a password is switched off here. Use your organization's sign-in.");
        return Err(Refusal::new(0x8004_4302, "SignInFailed", message).into());
    }
    let user = login::user_named(e, name).await?;
    let tried = match &user {
        Some(user) => login::attempt(e, user).await?,
        None => None,
    };
    // Nobody, somebody without a password, and somebody who has to wait take
    // as long as a wrong password.
    let hash = tried.as_ref().map(|t| t.login.password.clone()).unwrap_or_default();
    let verified = e.hasher.verify(password.clone(), hash).await?;
    let (Some(user), Some(tried), Verified::Yes | Verified::Outdated) = (&user, &tried, verified) else {
        login::failed(e, user.as_ref(), tried.as_ref(), "password").await?;
        return Err(login::refused().into());
    };
    let mut changes = Vec::new();
    if verified == Verified::Outdated {
        let hash = e.hasher.hash(password, e.random.bytes()?).await?;
        changes.push(Update::of::<Login>(user.id).set(Login::C.password, hash).into());
    }
    if tried.login.totp_on {
        let (ticket, issued) = ticket::issue(&e.random, e.now, Kind::Code, Some(user.id), CODE_WITHIN, String::new())?;
        changes.push(login::taken_back(tried));
        changes.push(issued);
        commit(e, user, changes).await?;
        return Ok(Step::Code(ticket));
    }
    changes.push(login::forgiven(&tried.login));
    Ok(Step::Done(Box::new(opened(e, user, "password", changes).await?)))
}

/// The second step: a code of the authenticator, or a recovery code.
pub async fn with_code(e: &Entrance, ticket: &str, code: &str) -> Result<Opened, ActionError> {
    let again = || Refusal::new(0x8004_4302, "SignInFailed", words!("That took too long. Begin signing in again."));
    let Some(ticket) = ticket::find(&e.store, Kind::Code, ticket, e.now).await? else { return Err(again().into()) };
    let user = match ticket.user {
        Some(user) => e.store.load::<SystemUser>(user.id).await?.filter(login::is_person),
        None => None,
    };
    let Some(user) = user else { return Err(again().into()) };
    let Some(tried) = login::attempt(e, &user).await? else {
        login::failed(e, Some(&user), None, "code").await?;
        return Err(login::refused().into());
    };
    let Some((method, accepted)) = check_code(e, &tried.login, code).await? else {
        login::failed(e, Some(&user), Some(&tried), "code").await?;
        return Err(wrong_code().into());
    };
    let changes = vec![ticket::used(&ticket), accepted, login::forgiven(&tried.login)];
    opened(e, &user, method, changes).await
}

/// What the code was, and the change after which it is good no more.
pub(super) async fn check_code(
    e: &Entrance,
    login: &Login,
    code: &str,
) -> Result<Option<(&'static str, Change)>, ActionError> {
    if let Some(key) = totp::key(&e.store, login.id).await?
        && let Some(step) = totp::accepted(&key, code, login.totp_step, e.now)
    {
        let update =
            Update::of::<Login>(login.id).set(Login::C.totp_step, step).expect(Login::C.totp_step, login.totp_step);
        return Ok(Some(("password+code", update.into())));
    }
    let Some(left) = recovery::without(&login.recovery, code) else { return Ok(None) };
    let update =
        Update::of::<Login>(login.id).set(Login::C.recovery, left).expect(Login::C.recovery, login.recovery.clone());
    Ok(Some(("password+recovery", update.into())))
}

pub(super) fn wrong_code() -> Refusal {
    let message =
        words!("The code is wrong, was used already, or there were too many attempts. Wait for the next code.");
    Refusal::new(0x8004_4302, "SignInFailed", message)
}

/// Opens a session and commits it with what led to it.
pub(super) async fn opened(
    e: &Entrance,
    user: &SystemUser,
    method: &str,
    mut changes: Vec<Change>,
) -> Result<Opened, ActionError> {
    let (opened, mut more) = session::open(e, user, method)?;
    changes.append(&mut more);
    changes.extend(session::make_room(&e.store, user.id).await?);
    commit(e, user, changes).await?;
    ticket::prune(&e.store, model::Actor { user: user.id }, e.now).await?;
    Ok(opened)
}

pub(super) async fn commit(e: &Entrance, user: &SystemUser, changes: Vec<Change>) -> Result<(), ActionError> {
    let commit = Commit::new(model::Actor { user: user.id }, e.now, changes);
    // What is used up at the same time by somebody else is a wrong attempt.
    match e.store.commit(&commit).await {
        Ok(_) => Ok(()),
        Err(store::CommitError::Conflict { .. } | store::CommitError::NotFound(_)) => Err(login::refused().into()),
        Err(error) => Err(commit_failed("pr_login", error)),
    }
}

/// Refuses what is no good password for this user.
pub(super) fn check_new(user: &SystemUser, new: &Secret) -> Result<(), ActionError> {
    let names = [&user.domain_name, &user.address, &user.first_name, &user.last_name, &user.full_name];
    Ok(password::check(new.expose(), &names.map(String::as_str))?)
}

/// Whether this is the password of the user who is signed in. A failure
/// counts like one of signing in.
pub(super) async fn confirm(e: &Entrance, user: &SystemUser, password: Secret) -> Result<Login, ActionError> {
    let tried = login::attempt(e, user).await?;
    let hash = tried.as_ref().map(|t| t.login.password.clone()).unwrap_or_default();
    let verified = e.hasher.verify(password, hash).await?;
    match tried {
        Some(tried) if verified != Verified::No => Ok(tried.login),
        tried => {
            login::failed(e, Some(user), tried.as_ref(), "password").await?;
            let message = words!("The present password is wrong, or there were too many attempts.");
            Err(Refusal::invalid(Some("current"), message).into())
        }
    }
}

/// Changes one's own password: all other sessions end, and this one gets
/// another id.
pub async fn change(e: &Entrance, current: &Current, old: Secret, new: Secret) -> Result<Opened, ActionError> {
    let user = &current.user;
    check_new(user, &new)?;
    confirm(e, user, old).await?;
    let hash = e.hasher.hash(new, e.random.bytes()?).await?;
    let noted = audit::told(&e.as_user(user.clone()), "password-changed", SystemUser::TABLE, user.id, json!({}))?;
    let mut changes = session::end_all(&e.store, user.id, None).await?;
    changes.push(login::with_password(e, user, true, hash));
    changes.push(noted);
    opened(e, user, &current.session.method, changes).await
}
