//! Who shows this token: one that was made by hand, or one that a service got
//! for its secret.

use model::Timestamp;
use model::tables::{ClientSecret, SystemUser};
use rules::access::Scopes;
use store::Store;

use crate::error::ActionError;
use crate::sign_in::jwt;
use crate::token;

/// Somebody who was let in.
#[derive(Debug, Clone)]
pub struct Caller {
    pub user: SystemUser,
    /// What is left of the user's rights; `None`: all.
    pub scopes: Option<Scopes>,
}

/// `None`: unknown, expired, revoked, or of a disabled user; which of these is
/// nobody's business.
pub async fn bearer(store: &Store, text: &str, now: Timestamp) -> Result<Option<Caller>, ActionError> {
    if !text.contains('.') {
        return token::authenticate(store, text, now).await;
    }
    let Some(access) = jwt::read(store, text, now).await? else { return Ok(None) };
    let secret = store.load::<ClientSecret>(access.secret).await?;
    let good =
        secret.is_some_and(|s| s.user.is_some_and(|u| u.id == access.user) && s.expires_on.is_none_or(|end| end > now));
    if !good {
        return Ok(None);
    }
    let user = store.load::<SystemUser>(access.user).await?.filter(|u| !u.is_disabled);
    Ok(user.map(|user| Caller { user, scopes: None }))
}
