//! Passwords that an administrator lets be set: by a link that is good once.

use jiff::SignedDuration;
use model::tables::SystemUser;
use model::{Change, Commit, Entity, Id, Refusal, Secret, words};
use serde_json::json;

use crate::context::Context;
use crate::error::{ActionError, commit_failed};
use crate::sign_in::entrance::Entrance;
use crate::sign_in::ticket::{self, Kind};
use crate::sign_in::{account, login, password, session};
use crate::{access, audit};

/// How long a link is good.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(72);
const FORGET: &str = "forget second step";

/// Makes a ticket with which the user sets a password, once; earlier tickets
/// are good no more. The password that is there stays good until then.
pub async fn reset(ctx: &Context, user: Id, forget_second_step: bool) -> Result<String, ActionError> {
    access::administer(ctx)?;
    let Some(user) = ctx.store.load::<SystemUser>(user).await? else {
        return Err(Refusal::does_not_exist("systemuser", user).into());
    };
    access::administer_user(ctx, &user).await?;
    if !login::is_person(&user) {
        let message = words!("The user is disabled, or is a service: it does not sign in with a password.");
        return Err(Refusal::invalid(None, message).into());
    }
    let mut changes: Vec<Change> =
        ticket::of_user(&ctx.store, Kind::Password, user.id).await?.iter().map(ticket::used).collect();
    let detail = if forget_second_step { FORGET } else { "" };
    let (secret, issued) =
        ticket::issue(&ctx.random, ctx.now, Kind::Password, Some(user.id), GOOD_FOR, detail.to_owned())?;
    changes.push(issued);
    let detail = json!({ "second step": if forget_second_step { "forgotten" } else { "kept" } });
    changes.push(audit::told(ctx, "password-reset", SystemUser::TABLE, user.id, detail)?);
    let commit = Commit::new(ctx.actor(), ctx.now, changes);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed("pr_ticket", e))?;
    Ok(secret)
}

/// Whether the link is still good, and whose it is.
pub async fn whose(e: &Entrance, ticket: &str) -> Result<SystemUser, ActionError> {
    Ok(found(e, ticket).await?.1)
}

/// Sets the password. All sessions of the user end; the user signs in anew.
pub async fn set(e: &Entrance, ticket: &str, new: Secret) -> Result<SystemUser, ActionError> {
    let (ticket, user) = found(e, ticket).await?;
    password::check_new(&user, &new)?;
    let there = login::of(e, &user).await?.is_some();
    let hash = e.hasher.hash(new, e.random.bytes()?).await?;
    let mut changes = session::end_all(&e.store, user.id, None).await?;
    changes.push(ticket::used(&ticket));
    changes.push(login::with_password(e, &user, there, hash));
    if there && ticket.detail == FORGET {
        changes.push(account::without_second_step(&user));
    }
    changes.push(audit::told(&e.as_user(user.clone()), "password-set", SystemUser::TABLE, user.id, json!({}))?);
    password::commit(e, &user, changes).await?;
    Ok(user)
}

async fn found(e: &Entrance, secret: &str) -> Result<(model::tables::Ticket, SystemUser), ActionError> {
    let gone =
        || Refusal::new(0x8004_4302, "SignInFailed", words!("The link was used or has expired. Ask for a new one."));
    let Some(ticket) = ticket::find(&e.store, Kind::Password, secret, e.now).await? else { return Err(gone().into()) };
    let user = match ticket.user {
        Some(user) => e.store.load::<SystemUser>(user.id).await?.filter(login::is_person),
        None => None,
    };
    user.map(|user| (ticket, user)).ok_or_else(|| gone().into())
}

/// A password that an administrator sets without a link, at the command line.
pub async fn set_directly(ctx: &Context, e: &Entrance, user: Id, new: Secret) -> Result<(), ActionError> {
    let ticket = reset(ctx, user, false).await?;
    set(e, &ticket, new).await?;
    Ok(())
}
