//! What signing in is given when the server starts.

use actions::sign_in::{Hasher, Policy};
use model::Id;
use tokio::sync::OnceCell;

use crate::limiter::Guesses;

/// Failed sign-ins from one address within five minutes, after which it is
/// not listened to for a while.
const FAILURES: u64 = 30;

#[derive(Debug)]
pub struct SignIn {
    pub policy: Policy,
    pub hasher: Hasher,
    pub(super) guesses: Guesses,
    /// The organization's id, once it was read.
    pub(super) tenant: OnceCell<Id>,
}

impl SignIn {
    pub fn new(policy: Policy, hasher: Hasher) -> Self {
        Self { policy, hasher, guesses: Guesses::new(FAILURES), tenant: OnceCell::new() }
    }
}

impl Default for SignIn {
    fn default() -> Self {
        Self::new(Policy::default(), Hasher::default())
    }
}
