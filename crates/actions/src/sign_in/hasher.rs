//! Argon2id, off the threads that answer requests, and few at a time: signing
//! in is dear on purpose, and must not be dear to everybody else.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use model::Secret;
use tokio::sync::Semaphore;

use crate::error::ActionError;

/// Who waits longer than this for a place is sent away.
const PATIENCE: Duration = Duration::from_secs(10);
/// Octets of a hash.
const LENGTH: usize = 32;

/// What a hash costs. The defaults are OWASP's first recommendation for Argon2id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    pub kibibytes: u32,
    pub rounds: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Self { kibibytes: 19 * 1024, rounds: 2 }
    }
}

/// Cheap to clone: all clones share the places.
#[derive(Clone)]
pub struct Hasher(Arc<Inner>);

struct Inner {
    argon2: Argon2<'static>,
    cost: Cost,
    places: Semaphore,
    /// Verified where there is nothing to verify, so that it takes as long.
    nobody: String,
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hasher").field(&self.0.cost).finish()
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new(Cost::default(), 2)
    }
}

/// What a verification found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verified {
    No,
    Yes,
    /// It is right, and was hashed at another cost than today's.
    Outdated,
}

impl Hasher {
    /// `at_a_time`: hashes that are computed at the same time. A cost that
    /// Argon2 does not know becomes the default.
    pub fn new(cost: Cost, at_a_time: usize) -> Self {
        let params = |cost: Cost| Params::new(cost.kibibytes, cost.rounds, 1, Some(LENGTH));
        let (cost, params) = match params(cost) {
            Ok(params) => (cost, params),
            Err(_) => (Cost::default(), Params::default()),
        };
        let nobody = format!(
            "$argon2id$v=19$m={},t={},p=1${}${}",
            cost.kibibytes,
            cost.rounds,
            STANDARD_NO_PAD.encode([0; 16]),
            STANDARD_NO_PAD.encode([0; LENGTH])
        );
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Self(Arc::new(Inner { argon2, cost, places: Semaphore::new(at_a_time.max(1)), nobody }))
    }

    pub(super) async fn hash(&self, password: Secret, salt: [u8; 16]) -> Result<String, ActionError> {
        self.run(move |inner| {
            let hash: PasswordHash = inner
                .argon2
                .hash_password_with_salt(password.expose().as_bytes(), &salt)
                .map_err(|e| ActionError::Internal(format!("hashing a password: {e}")))?;
            Ok(hash.to_string())
        })
        .await
    }

    /// `hash`: empty where there is none; it takes as long and is never right.
    pub(super) async fn verify(&self, password: Secret, hash: String) -> Result<Verified, ActionError> {
        self.run(move |inner| {
            let there = !hash.is_empty();
            let parsed = PasswordHash::new(if there { &hash } else { &inner.nobody })
                .map_err(|e| ActionError::Internal(format!("a stored password hash cannot be read: {e}")))?;
            let right = inner.argon2.verify_password(password.expose().as_bytes(), &parsed).is_ok();
            Ok(match (right && there, inner.is_current(&parsed)) {
                (false, _) => Verified::No,
                (true, true) => Verified::Yes,
                (true, false) => Verified::Outdated,
            })
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, ActionError> + Send + 'static,
    ) -> Result<T, ActionError> {
        let place = tokio::time::timeout(PATIENCE, self.0.places.acquire()).await;
        let Ok(Ok(_place)) = place else {
            return Err(ActionError::Busy("too many people sign in at the same time".into()));
        };
        let inner = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || work(&inner))
            .await
            .map_err(|_| ActionError::Internal("hashing a password ended badly".into()))?
    }
}

impl Inner {
    fn is_current(&self, hash: &PasswordHash) -> bool {
        let number = |name: &str| hash.params.get_decimal(name);
        hash.algorithm.as_str() == "argon2id"
            && number("m") == Some(self.cost.kibibytes)
            && number("t") == Some(self.cost.rounds)
            && number("p") == Some(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap(rounds: u32) -> Hasher {
        Hasher::new(Cost { kibibytes: 64, rounds }, 1)
    }

    #[tokio::test]
    async fn right_wrong_and_nobody() {
        let hasher = cheap(1);
        let hash = hasher.hash(Secret::new("correct horse"), [7; 16]).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        let verify = |password: &str, hash: &str| hasher.verify(Secret::new(password), hash.to_owned());
        assert_eq!(verify("correct horse", &hash).await.unwrap(), Verified::Yes);
        assert_eq!(verify("Correct horse", &hash).await.unwrap(), Verified::No);
        assert_eq!(verify("", "").await.unwrap(), Verified::No);
    }

    #[tokio::test]
    async fn another_cost_is_noticed() {
        let hash = cheap(1).hash(Secret::new("correct horse"), [7; 16]).await.unwrap();
        let verified = cheap(2).verify(Secret::new("correct horse"), hash).await.unwrap();
        assert_eq!(verified, Verified::Outdated);
    }

    #[tokio::test]
    async fn what_is_no_hash_is_our_fault() {
        assert!(matches!(cheap(1).verify(Secret::new("x"), "plain".into()).await, Err(ActionError::Internal(_))));
    }

    #[test]
    fn a_cost_that_is_none() {
        assert_eq!(Hasher::new(Cost { kibibytes: 0, rounds: 0 }, 0).0.cost, Cost::default());
    }
}
