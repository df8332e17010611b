//! What every action is given: the store, who asks, the time, randomness.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use model::tables::SystemUser;
use model::{Actor, Entity, Id};
use store::Store;

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
}

/// Who asks, and with what.
#[derive(Debug, Clone)]
pub struct Context {
    pub store: Store,
    pub actor: SystemUser,
    pub now: Timestamp,
    pub random: Random,
    pub settings: Settings,
}

impl Context {
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
