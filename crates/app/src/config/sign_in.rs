//! How people sign in.

use actions::sign_in::Policy;
use model::SignedDuration;
use serde::Deserialize;

use super::Config;

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignIn {
    pub local: bool,
    pub idle_minutes: u32,
    pub longest_hours: u32,
}

impl Default for SignIn {
    fn default() -> Self {
        Self { local: true, idle_minutes: 480, longest_hours: 168 }
    }
}

impl SignIn {
    /// A session lasts a minute at least, and a year at most.
    pub fn policy(&self) -> Policy {
        Policy {
            local: self.local,
            idle: SignedDuration::from_mins(i64::from(self.idle_minutes.clamp(1, 60 * 24 * 365))),
            longest: SignedDuration::from_hours(i64::from(self.longest_hours.clamp(1, 24 * 365))),
        }
    }
}

impl Config {
    /// The link with which a password is set.
    pub fn password_link(&self, ticket: &str) -> String {
        let scheme = if self.web.tls_certificate.is_empty() { "http" } else { "https" };
        format!("{scheme}://{}/password?ticket={ticket}", self.web.listen)
    }
}
