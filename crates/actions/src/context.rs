//! What every action is given: the store, who asks, the time, randomness.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use model::tables::SystemUser;
use model::{Actor, Entity, Id, Refusal};
use rules::access::{Principal, Scopes, Special, impersonation};
use store::Store;

use crate::access::principal;
use crate::error::ActionError;

/// Where randomness comes from. Tests give their own.
#[derive(Clone)]
pub struct Random(Arc<Fill>);

type Fill = dyn Fn(&mut [u8]) -> Result<(), NoRandomness> + Send + Sync;

/// The operating system gave none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct NoRandomness(pub String);

impl Random {
    pub fn new(fill: impl Fn(&mut [u8]) -> Result<(), NoRandomness> + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// The operating system's generator.
    pub fn system() -> Self {
        Self::new(|bytes| getrandom::fill(bytes).map_err(|e| NoRandomness(e.to_string())))
    }

    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], NoRandomness> {
        let mut bytes = [0; N];
        (self.0)(&mut bytes)?;
        Ok(bytes)
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random(..)")
    }
}

/// What the installation's configuration says about actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// Whether profiles may have connections without TLS.
    pub allow_insecure: bool,
    /// Whether pages that came over plain HTTP from elsewhere may take
    /// passwords of mailboxes and profiles
    /// (`AllowCredentialsEntryViaNonSecureChannels`).
    pub allow_credentials_in_clear: bool,
}

/// Where a request came from, for the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// `api`, `page`, `command line`.
    pub door: &'static str,
    /// The client's address, as the listener sees it.
    pub remote: String,
    pub user_agent: String,
    /// By which the log finds the request.
    pub request: String,
}

/// Who asks, and with what.
#[derive(Debug, Clone)]
pub struct Context {
    pub store: Store,
    pub actor: SystemUser,
    /// What the actor may do.
    pub principal: Arc<Principal>,
    /// The user who acts on behalf of `actor`.
    pub behind: Option<Id>,
    pub origin: Origin,
    pub now: Timestamp,
    pub random: Random,
    pub settings: Settings,
}

impl Context {
    /// A context for the user, with what their roles allow.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn new(
        store: Store,
        actor: SystemUser,
        now: Timestamp,
        random: Random,
        settings: Settings,
    ) -> Result<Self, ActionError> {
        let principal = principal::of(&store, &actor).await?;
        Ok(Self { store, actor, principal, behind: None, origin: Origin::default(), now, random, settings })
    }

    #[must_use]
    pub fn from(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// Limits what the roles allow to what the token was made for.
    #[must_use]
    pub fn within(mut self, scopes: Option<Scopes>) -> Self {
        if scopes.is_some() {
            Arc::make_mut(&mut self.principal).scopes = scopes;
        }
        self
    }

    /// The same request made for another user: with what both may do, on the
    /// other's account.
    ///
    /// # Errors
    /// 0x8004A110 without the privilege to act for others; 0x80040217 for a
    /// user that is not there.
    pub async fn on_behalf_of(self, user: SystemUser) -> Result<Self, ActionError> {
        if user.id == self.actor.id {
            return Ok(self);
        }
        self.principal.may_special(Special::ActOnBehalfOfAnotherUser)?;
        let theirs = principal::of(&self.store, &user).await?;
        let both = impersonation::acting_for(&theirs, &self.principal);
        Ok(Self { behind: Some(self.actor.id), principal: Arc::new(both), actor: user, ..self })
    }

    /// An identifier for a new row.
    pub fn new_id(&self) -> Result<Id, ActionError> {
        Ok(model::id::random(self.now, self.random.bytes()?))
    }

    pub(crate) fn actor(&self) -> Actor {
        Actor { user: self.actor.id }
    }

    pub(crate) fn actor_ref(&self) -> model::Ref {
        self.actor.reference()
    }
}

/// The context of the same request made for another user. `None`: a user that
/// is not there. The privilege is asked for first, so that who lacks it is told
/// nothing about users.
///
/// # Errors
/// 0x8004A110 without the privilege to act for others; 0x80040217 for a user
/// that is not there.
pub async fn acting_for(ctx: &Context, user: Option<Id>) -> Result<Context, ActionError> {
    if user == Some(ctx.actor.id) {
        return Ok(ctx.clone());
    }
    ctx.principal.may_special(Special::ActOnBehalfOfAnotherUser)?;
    let found = match user {
        Some(id) => ctx.store.load::<SystemUser>(id).await?,
        None => None,
    };
    let Some(found) = found else {
        return Err(Refusal::does_not_exist(SystemUser::TABLE.logical, user.unwrap_or_default()).into());
    };
    ctx.clone().on_behalf_of(found).await
}
