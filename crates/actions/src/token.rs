//! Bearer tokens of the Web API: 32 random bytes as base64url, stored hashed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use model::tables::{ApiToken, SystemUser};
use model::{Actor, Change, Commit, Entity, Filter, Id, Query, Ref, Update};
use rules::access::Special;
use sha2::{Digest, Sha256};
use store::Store;

use crate::context::Context;
use crate::error::{ActionError, commit_failed};
use crate::{access, audit};

/// Last use is noted at most this often.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// Makes a token for the user and returns it: the only time it is shown.
pub async fn create(ctx: &Context, user: Id, name: &str) -> Result<String, ActionError> {
    access::seen(ctx, SystemUser::TABLE, user).await?;
    if user != ctx.actor.id || ctx.behind.is_some() {
        access::special(ctx, Special::ManageTokens)?;
    }
    let token = URL_SAFE_NO_PAD.encode(ctx.random.bytes::<32>()?);
    let row = token_row(ctx.new_id()?, user, name, &token, ctx.now);
    let noted = audit::noted(ctx, "token", ApiToken::TABLE, row.id)?;
    let commit = Commit::new(ctx.actor(), ctx.now, vec![Change::create(row), noted]);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed("pr_apitoken", e))?;
    Ok(token)
}

pub(crate) fn token_row(id: Id, user: Id, name: &str, token: &str, now: Timestamp) -> ApiToken {
    ApiToken {
        name: name.chars().take(200).collect(),
        user: Some(Ref::new("systemuser", user)),
        hash: Some(hash(token)),
        created_on: Some(now),
        ..ApiToken::blank(id)
    }
}

/// The enabled user whose token this is. `None`: unknown, expired, or of a
/// disabled user; which of these is nobody's business.
pub async fn authenticate(store: &Store, bearer: &str, now: Timestamp) -> Result<Option<SystemUser>, ActionError> {
    let query = Query::of::<ApiToken>().filter(Filter::eq(ApiToken::C.hash, Some(hash(bearer)))).limit(1);
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
    Ok(Some(user))
}

/// The token has 256 random bits: a plain hash is enough, and comparing hashes
/// by index tells nothing about the token.
fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
