//! How the provider is asked. The program gives the means: this crate knows no
//! network, and what may be reached is decided where all connections are made.

use std::future::Future;
use std::pin::Pin;

use model::Secret;

use crate::sign_in::openid::Trouble;

/// A whole answer takes no longer,
pub const SECONDS: u64 = 10;
/// and is no larger, in octets.
pub const LARGEST: usize = 256 * 1024;

/// One request; redirects are not followed.
#[derive(Debug, Clone)]
pub struct Ask {
    pub url: String,
    /// The `Authorization` header.
    pub authorization: Option<Secret>,
    /// With a form it is a POST.
    pub form: Option<Secret>,
}

#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

pub trait Outside: Send + Sync {
    /// `Err`: why there is no answer, without anything secret.
    fn send(&self, ask: Ask) -> Pin<Box<dyn Future<Output = Result<Answer, String>> + Send + '_>>;
}

/// Asks within the limits, however the means take them.
pub(super) async fn ask(outside: &dyn Outside, what: &str, ask: Ask) -> Result<Answer, Trouble> {
    let limit = std::time::Duration::from_secs(SECONDS);
    let answer = match tokio::time::timeout(limit, outside.send(ask)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(why)) => return Err(Trouble::unavailable(format!("{what}: {why}"))),
        Err(_) => return Err(Trouble::unavailable(format!("{what}: no whole answer within {SECONDS} s"))),
    };
    if answer.body.len() > LARGEST {
        return Err(Trouble::unavailable(format!("{what}: the answer is larger than {LARGEST} octets")));
    }
    Ok(answer)
}

/// An answer of 200 as a JSON object.
pub(super) fn object(what: &str, answer: &Answer) -> Result<serde_json::Map<String, serde_json::Value>, Trouble> {
    if answer.status != 200 {
        return Err(Trouble::unavailable(format!("{what}: the answer has status {}", answer.status)));
    }
    serde_json::from_slice(&answer.body).map_err(|_| Trouble::unavailable(format!("{what}: it is no JSON object")))
}
