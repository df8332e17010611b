//! Bearer tokens of the Web API: 32 random bytes as base64url, stored hashed.

use jiff::{SignedDuration, Timestamp};
use model::tables::{ApiToken, SystemUser};
use model::{Actor, Change, Commit, Entity, Filter, Id, Query, Ref, Refusal, Update, words};
use rules::scopes;
use serde_json::json;
use store::Store;

use crate::context::Context;
use crate::error::{ActionError, commit_failed};
use crate::sign_in::{Caller, session, ticket};
use crate::{access, audit};

/// Last use is noted at most this often.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// Tokens of one user.
const MOST: u64 = 200;

/// What a new token is to be.
#[derive(Debug, Clone, Default)]
pub struct NewToken {
    pub name: String,
    /// Words, see `rules::scopes`; empty: all that its user may.
    pub scopes: String,
    pub expires: Option<Timestamp>,
}

impl NewToken {
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// Makes a token for oneself, or with the right to administer for somebody
/// else. What is returned is the only time it is shown.
pub async fn create(ctx: &Context, user: Id, new: NewToken) -> Result<(Id, String), ActionError> {
    session::own_or_administer(ctx, user)?;
    let Some(user) = ctx.store.load::<SystemUser>(user).await? else {
        return Err(Refusal::does_not_exist("systemuser", user).into());
    };
    if user.id != ctx.actor.id || ctx.behind.is_some() {
        access::administer_user(ctx, &user).await?;
    }
    check(ctx, &user, &new).await?;
    let token = ticket::new_secret(&ctx.random)?;
    let id = ctx.new_id()?;
    let row =
        ApiToken { expires_on: new.expires, scopes: new.scopes, ..token_row(id, user.id, new.name.trim(), &token) };
    let detail = json!({ "name": row.name, "scopes": row.scopes, "user": user.domain_name });
    let noted = audit::told(ctx, "token-created", ApiToken::TABLE, id, detail)?;
    let commit = Commit::new(ctx.actor(), ctx.now, vec![Change::create(row), noted]);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed("pr_apitoken", e))?;
    Ok((id, token))
}

async fn check(ctx: &Context, user: &SystemUser, new: &NewToken) -> Result<(), ActionError> {
    let mut faults = Vec::new();
    if new.name.trim().is_empty() {
        faults.push(Refusal::invalid(Some("pr_name"), words!("A token needs a name that says what it is for.")));
    }
    faults.extend(scopes::read(&new.scopes).err());
    if new.expires.is_some_and(|end| end <= ctx.now) {
        faults.push(Refusal::invalid(Some("pr_expireson"), words!("The token would have expired already.")));
    }
    if user.is_disabled {
        faults.push(Refusal::invalid(Some("pr_systemuserid"), words!("The user is disabled.")));
    }
    if ctx.store.count(&of(user.id)).await? >= MOST {
        let message = words!("The user has {0} tokens. Revoke those that are not used.", MOST);
        faults.push(Refusal::invalid(None, message));
    }
    Ok(model::Refusals::unless_none(faults)?)
}

/// A user's tokens: one's own, or with the right to administer another's.
pub async fn list(ctx: &Context, user: Id) -> Result<Vec<ApiToken>, ActionError> {
    session::own_or_administer(ctx, user)?;
    Ok(ctx.store.list::<ApiToken>(&of(user).limit(1000)).await?)
}

/// Ends a token.
pub async fn revoke(ctx: &Context, id: Id) -> Result<(), ActionError> {
    let absent = || Refusal::does_not_exist(ApiToken::TABLE.logical, id);
    let Some(token) = ctx.store.load::<ApiToken>(id).await? else { return Err(absent().into()) };
    session::own_or_administer(ctx, token.user.map_or(Id::nil(), |u| u.id)).map_err(|_| absent())?;
    let noted = audit::told(ctx, "token-revoked", ApiToken::TABLE, id, json!({ "name": token.name }))?;
    let commit = Commit::new(ctx.actor(), ctx.now, vec![Change::delete::<ApiToken>(id), noted]);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed("pr_apitoken", e))?;
    Ok(())
}

fn of(user: Id) -> Query {
    Query::of::<ApiToken>()
        .filter(Filter::eq(ApiToken::C.user, Some(Ref::new("systemuser", user))))
        .order_by(ApiToken::C.name, false)
}

pub(crate) fn token_row(id: Id, user: Id, name: &str, token: &str) -> ApiToken {
    ApiToken {
        name: name.chars().take(200).collect(),
        user: Some(Ref::new("systemuser", user)),
        hash: Some(ticket::hash(token)),
        ..ApiToken::blank(id)
    }
}

/// The enabled user whose token this is. `None`: unknown, expired, or of a
/// disabled user; which of these is nobody's business.
pub async fn authenticate(store: &Store, bearer: &str, now: Timestamp) -> Result<Option<Caller>, ActionError> {
    let query = Query::of::<ApiToken>().filter(Filter::eq(ApiToken::C.hash, Some(ticket::hash(bearer)))).limit(1);
    let Some(token) = store.list::<ApiToken>(&query).await?.pop() else { return Ok(None) };
    if token.expires_on.is_some_and(|end| end <= now) {
        return Ok(None);
    }
    let Some(user) = token.user else { return Ok(None) };
    let user = store.load::<SystemUser>(user.id).await?.filter(|u| !u.is_disabled);
    let Some(user) = user else { return Ok(None) };
    let due = token.last_used_on.is_none_or(|last| now.duration_since(last) >= NOTED_EVERY);
    if due {
        let update = Update::of::<ApiToken>(token.id).set(ApiToken::C.last_used_on, Some(now));
        let commit = Commit::new(Actor { user: user.id }, now, vec![update.into()]);
        if let Err(error) = store.commit(&commit).await {
            // Reading must go on when the database cannot be written.
            tracing::warn!(%error, "Bad: the last use of an API token could not be noted");
        }
    }
    Ok(Some(Caller { user, scopes: scopes::stored(&token.scopes) }))
}
