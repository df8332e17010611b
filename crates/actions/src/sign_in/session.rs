//! Sessions of browsers: 256 random bits in a cookie, whose hash is a row.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use model::query::Compare;
use model::tables::{Session, SystemUser};
use model::{Actor, Change, Commit, Entity, Filter, Id, Query, Ref, Refusal, Update, Value};
use serde_json::json;
use store::Store;

use crate::context::Context;
use crate::error::{ActionError, commit_failed};
use crate::sign_in::entrance::{Entrance, Policy};
use crate::sign_in::ticket;
use crate::{access, audit};

/// That it was used is noted at most this often.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// Sessions of one user. The oldest goes when there are more.
const MOST: usize = 50;

/// A session that has just begun. The cookie is known to nobody else.
pub struct Opened {
    pub cookie: String,
    pub session: Id,
    pub user: SystemUser,
}

/// A session that a request belongs to.
#[derive(Debug, Clone)]
pub struct Current {
    pub session: Session,
    pub user: SystemUser,
}

/// The changes that open a session: a new id every time, so that nobody can
/// be made to use one that somebody else knows.
pub(super) fn open(e: &Entrance, user: &SystemUser, method: &str) -> Result<(Opened, Vec<Change>), ActionError> {
    let ctx = e.as_user(user.clone());
    let cookie = ticket::new_secret(&e.random)?;
    let row = Session {
        user: Some(user.reference()),
        hash: Some(ticket::hash(&cookie)),
        created_on: Some(e.now),
        seen_on: Some(e.now),
        expires_on: e.now.checked_add(e.policy.longest).ok(),
        method: method.to_owned(),
        address: e.visitor.address_text(),
        agent: e.visitor.agent_text(),
        ..Session::blank(ctx.new_id()?)
    };
    let detail = json!({ "with": method, "address": row.address, "agent": row.agent });
    let noted = audit::told(&ctx, "sign-in", SystemUser::TABLE, user.id, detail)?;
    let opened = Opened { cookie, session: row.id, user: user.clone() };
    Ok((opened, vec![Change::create(row), noted]))
}

/// The session of this cookie and its enabled user; `None`: there is none, or
/// it has ended.
pub async fn find(
    store: &Store,
    policy: &Policy,
    cookie: &str,
    now: Timestamp,
) -> Result<Option<Current>, ActionError> {
    if cookie.is_empty() || cookie.len() > 100 {
        return Ok(None);
    }
    let query = Query::of::<Session>().filter(Filter::eq(Session::C.hash, Some(ticket::hash(cookie)))).limit(1);
    let Some(session) = store.list::<Session>(&query).await?.pop() else { return Ok(None) };
    if !is_good(&session, policy, now) {
        return Ok(None);
    }
    let Some(user) = session.user else { return Ok(None) };
    let Some(user) = store.load::<SystemUser>(user.id).await?.filter(|u| !u.is_disabled) else { return Ok(None) };
    if session.seen_on.is_none_or(|seen| now.duration_since(seen) >= NOTED_EVERY) {
        let update = Update::of::<Session>(session.id).set(Session::C.seen_on, Some(now));
        if let Err(error) = store.commit(&Commit::new(Actor { user: user.id }, now, vec![update.into()])).await {
            tracing::warn!(%error, "Bad: that a session was used could not be noted");
        }
    }
    Ok(Some(Current { session, user }))
}

fn is_good(session: &Session, policy: &Policy, now: Timestamp) -> bool {
    let idle = session.seen_on.is_some_and(|seen| now.duration_since(seen) >= policy.idle);
    !idle && session.expires_on.is_some_and(|end| end > now)
}

/// The sessions of a user that have not ended, the newest first.
pub async fn list(ctx: &Context, policy: &Policy, user: Id) -> Result<Vec<Session>, ActionError> {
    own_or_administer(ctx, user)?;
    let mut sessions = of(&ctx.store, user).await?;
    sessions.retain(|s| is_good(s, policy, ctx.now));
    Ok(sessions)
}

/// A session and whose it is.
#[derive(Debug, Clone)]
pub struct Held {
    pub session: Session,
    pub user: SystemUser,
}

/// The sessions of everybody, or of one user, that have not ended: those that
/// were used last come first, at most so many.
///
/// # Errors
/// 0x80040220 without the right to administer.
pub async fn of_everybody(
    ctx: &Context,
    policy: &Policy,
    user: Option<Id>,
    most: usize,
) -> Result<Vec<Held>, ActionError> {
    access::administer(ctx)?;
    let alive = Filter::Compare(Session::C.expires_on.name.into(), Compare::Greater, Value::Time(ctx.now));
    let mut query = Query::of::<Session>().filter(alive).order_by(Session::C.seen_on, true).limit(most);
    if let Ok(earliest) = ctx.now.checked_sub(policy.idle) {
        query = query.filter(Filter::Compare(Session::C.seen_on.name.into(), Compare::Greater, Value::Time(earliest)));
    }
    if let Some(user) = user {
        query = query.filter(Filter::eq(Session::C.user, Some(Ref::new("systemuser", user))));
    }
    let mut users: BTreeMap<Id, SystemUser> = BTreeMap::new();
    let mut held = Vec::new();
    for session in ctx.store.list::<Session>(&query).await?.into_iter().filter(|s| is_good(s, policy, ctx.now)) {
        let Some(user) = session.user.map(|u| u.id) else { continue };
        let known = match users.get(&user) {
            Some(known) => Some(known.clone()),
            None => ctx.store.load::<SystemUser>(user).await?,
        };
        // Nobody who is disabled gets in with a session.
        if let Some(user) = known {
            users.insert(user.id, user.clone());
            held.extend((!user.is_disabled).then_some(Held { session, user }));
        }
    }
    Ok(held)
}

/// Ends all sessions of a user: one's own, or with the right to administer
/// another's. Returns how many there were.
///
/// # Errors
/// 0x80040220 without the right to administer.
pub async fn end_all_of(ctx: &Context, user: Id) -> Result<usize, ActionError> {
    own_or_administer(ctx, user)?;
    if ctx.store.load::<SystemUser>(user).await?.is_none() {
        return Err(Refusal::does_not_exist(SystemUser::TABLE.logical, user).into());
    }
    let mut changes = end_all(&ctx.store, user, None).await?;
    let ended = changes.len();
    if ended > 0 {
        changes.push(audit::told(ctx, "sessions-ended", SystemUser::TABLE, user, json!({ "sessions": ended }))?);
        let commit = Commit::new(ctx.actor(), ctx.now, changes);
        ctx.store.commit(&commit).await.map_err(|e| commit_failed("pr_session", e))?;
    }
    Ok(ended)
}

async fn of(store: &Store, user: Id) -> Result<Vec<Session>, ActionError> {
    let query = Query::of::<Session>()
        .filter(Filter::eq(Session::C.user, Some(Ref::new("systemuser", user))))
        .order_by(Session::C.created_on, true);
    Ok(store.list::<Session>(&query).await?)
}

/// Ends one session: one's own, or with the right to administer another's.
pub async fn revoke(ctx: &Context, id: Id) -> Result<(), ActionError> {
    let absent = || Refusal::does_not_exist(Session::TABLE.logical, id);
    let Some(session) = ctx.store.load::<Session>(id).await? else { return Err(absent().into()) };
    let owner = session.user.map_or(Id::nil(), |u| u.id);
    // Whose it is not is not told that it is there.
    own_or_administer(ctx, owner).map_err(|_| absent())?;
    end(ctx, &session, if owner == ctx.actor.id { "sign-out" } else { "session-revoked" }).await
}

/// Ends the session that the request belongs to.
pub async fn sign_out(e: &Entrance, current: &Current) -> Result<(), ActionError> {
    end(&e.as_user(current.user.clone()), &current.session, "sign-out").await
}

async fn end(ctx: &Context, session: &Session, verb: &str) -> Result<(), ActionError> {
    let owner = session.user.map_or(Id::nil(), |u| u.id);
    let detail = json!({ "session": session.id.to_string() });
    let noted = audit::told(ctx, verb, SystemUser::TABLE, owner, detail)?;
    let commit = Commit::new(ctx.actor(), ctx.now, vec![Change::delete::<Session>(session.id), noted]);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed("pr_session", e))?;
    Ok(())
}

/// Ends all sessions of the user but the one that the request belongs to.
pub async fn end_others(ctx: &Context, current: &Current) -> Result<(), ActionError> {
    let mut changes = end_all(&ctx.store, ctx.actor.id, Some(current.session.id)).await?;
    let detail = json!({ "sessions": changes.len() });
    changes.push(audit::told(ctx, "sessions-ended", SystemUser::TABLE, ctx.actor.id, detail)?);
    let commit = Commit::new(ctx.actor(), ctx.now, changes);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed("pr_session", e))?;
    Ok(())
}

/// The changes that end all sessions of a user, but for one.
pub(super) async fn end_all(store: &Store, user: Id, but: Option<Id>) -> Result<Vec<Change>, ActionError> {
    let ended = of(store, user).await?.into_iter().filter(|s| Some(s.id) != but);
    Ok(ended.map(|s| Change::delete::<Session>(s.id)).collect())
}

/// The changes that make room for one more.
pub(super) async fn make_room(store: &Store, user: Id) -> Result<Vec<Change>, ActionError> {
    Ok(of(store, user).await?.into_iter().skip(MOST - 1).map(|s| Change::delete::<Session>(s.id)).collect())
}

pub(crate) fn own_or_administer(ctx: &Context, user: Id) -> Result<(), ActionError> {
    // Who acts for somebody does not thereby get their keys.
    if user == ctx.actor.id && ctx.behind.is_none() { access::unscoped(ctx) } else { access::administer(ctx) }
}
