//! What signing in is given when the server starts.

use std::sync::Arc;

use actions::sign_in::openid::Provider;
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
    /// The organization's own sign-in.
    pub(super) provider: Option<Arc<Provider>>,
    /// Where people reach the pages; `None`: where the request says.
    public_url: Option<String>,
    pub(super) guesses: Guesses,
    /// The organization's id, once it was read.
    pub(super) tenant: OnceCell<Id>,
}

impl SignIn {
    pub fn new(policy: Policy, hasher: Hasher) -> Self {
        Self {
            policy,
            hasher,
            provider: None,
            public_url: None,
            guesses: Guesses::new(FAILURES),
            tenant: OnceCell::new(),
        }
    }

    #[must_use]
    pub fn with_provider(mut self, provider: Option<Arc<Provider>>) -> Self {
        self.provider = provider;
        self
    }

    #[must_use]
    pub fn with_public_url(mut self, url: Option<String>) -> Self {
        self.public_url = url;
        self
    }

    /// The link with which a password is set; `origin`: where the request
    /// for it came in.
    pub(crate) fn password_link(&self, origin: &str, ticket: &str) -> String {
        format!("{}/password?ticket={ticket}", self.public_url.as_deref().unwrap_or(origin))
    }

    /// What the provider's button says.
    pub(super) fn button(&self) -> Option<&str> {
        self.provider.as_ref().map(|p| p.config.name.as_str())
    }
}

impl Default for SignIn {
    fn default() -> Self {
        Self::new(Policy::default(), Hasher::default())
    }
}
