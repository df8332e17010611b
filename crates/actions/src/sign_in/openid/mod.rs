//! Signing in with the sign-in of one's organization (OpenID Connect Core 1.0,
//! the authorization code flow with PKCE), whoever provides it.
//!
//! [`begin`] sends a browser to the provider, [`finish`] takes what it brings
//! back. Between both, all that is known is in a cookie of that browser.

mod claims;
mod client;
mod discovery;
mod flow;
mod identity;
mod jws;
mod outside;
mod roles;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Id, Secret, Words, words};

use crate::error::ActionError;
use crate::sign_in::entrance::Entrance;
use crate::sign_in::session::{Current, Opened};

pub use discovery::Provider;
pub use flow::FLOW_SECONDS;
pub use identity::{disconnect, list};
pub use outside::{Answer, Ask, LARGEST, Outside, SECONDS};
pub use roles::missing_roles;

/// What the installation's configuration says about the provider.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Exactly as its documents and tokens name it.
    pub issuer: String,
    pub client_id: String,
    /// `None`: a public client.
    pub client_secret: Option<Secret>,
    /// What the button says.
    pub name: String,
    pub scopes: Vec<String>,
    /// The claim that is a user name here; empty: `email`, if it is verified.
    pub user_claim: String,
    pub groups_claim: String,
    /// Which group gives which role.
    pub roles: BTreeMap<String, String>,
    pub create_users: bool,
    /// Whether a System Administrator too is found by name.
    pub link_administrators: bool,
}

/// What the provider sent the browser back with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Returned<'a> {
    pub code: Option<&'a str>,
    pub state: Option<&'a str>,
    /// RFC 9207.
    pub issuer: Option<&'a str>,
    pub error: Option<&'a str>,
}

/// Where the browser goes, and the cookie it goes with.
pub struct Begun {
    pub url: String,
    pub cookie: String,
}

pub enum Finished {
    SignedIn(Box<Opened>, String),
    /// The account of the session is connected with the provider's.
    Connected(String),
}

/// Why nobody was let in.
#[derive(Debug)]
pub enum Denied {
    /// In words for who tried.
    Refused(String),
    /// The provider does not do its part now.
    Unavailable(String),
    Failed(ActionError),
}

impl<E: Into<ActionError>> From<E> for Denied {
    fn from(error: E) -> Self {
        match error.into() {
            ActionError::Refused(refusals) => {
                let texts: Vec<String> = refusals.0.iter().map(|r| r.message.to_string()).collect();
                Self::Refused(texts.join(" "))
            }
            error => Self::Failed(error),
        }
    }
}

/// What went wrong: in words for who tries, and for the audit trail and the
/// log, where nothing secret stands either.
#[derive(Debug)]
struct Trouble {
    unavailable: bool,
    said: Words,
    detail: String,
}

impl Trouble {
    fn unavailable(detail: impl Into<String>) -> Self {
        let said = words!(
            "Your organization's sign-in does not answer as it should, and nobody was signed in. Try again in a minute; if it \
             stays so, tell your administrator: the audit trail says why."
        );
        Self { unavailable: true, said, detail: detail.into() }
    }

    fn untrusted(detail: impl Into<String>) -> Self {
        let said = words!(
            "What your organization's sign-in answered cannot be trusted, and nobody was signed in. Begin again; if it stays \
             so, tell your administrator: the audit trail says why."
        );
        Self { unavailable: false, said, detail: detail.into() }
    }

    fn refused(said: Words, detail: impl Into<String>) -> Self {
        Self { unavailable: false, said, detail: detail.into() }
    }
}

/// Sends a browser to the provider. `to`: where it goes afterwards; `connect`:
/// the session whose account is to be connected.
///
/// # Errors
/// When the provider does not say where its pages are.
pub async fn begin(
    e: &Entrance,
    provider: &Arc<Provider>,
    origin: &str,
    to: &str,
    connect: Option<Id>,
) -> Result<Begun, Denied> {
    let about = match provider.about(e.now).await {
        Ok(about) => about,
        Err(trouble) => return Err(denied(e, trouble).await),
    };
    let flow = flow::Flow::new(e, to, connect)?;
    let url = flow.authorization_url(&provider.config, &about, origin);
    Ok(Begun { url, cookie: flow.cookie() })
}

/// Takes what the provider sent back. `cookie`: that of [`begin`].
///
/// # Errors
/// With words for a person, whatever it was; it is in the audit trail.
pub async fn finish(
    e: &Entrance,
    provider: &Arc<Provider>,
    origin: &str,
    cookie: Option<&str>,
    returned: &Returned<'_>,
    current: Option<&Current>,
) -> Result<Finished, Denied> {
    let flow = match flow::returned(cookie, returned, e.now) {
        Ok(flow) => flow,
        Err(trouble) => return Err(denied(e, trouble).await),
    };
    let told = match client::redeem(e, provider, origin, &flow, returned).await {
        Ok(told) => told,
        Err(trouble) => return Err(denied(e, trouble).await),
    };
    match identity::admit(e, provider, &flow, &told, current).await? {
        Ok(finished) => Ok(finished),
        Err(trouble) => Err(denied(e, trouble).await),
    }
}

/// Where the browser goes to end the session with the provider as well, if
/// this was a session of it and the provider has such a page.
pub async fn farewell(e: &Entrance, provider: &Arc<Provider>, origin: &str, current: &Current) -> Option<String> {
    if current.session.method != METHOD {
        return None;
    }
    let about = provider.about(e.now).await.ok()?;
    let back = format!("{origin}/signin?out=1");
    let fields = [("client_id", provider.config.client_id.as_str()), ("post_logout_redirect_uri", &back)];
    Some(flow::with_query(about.end_session.as_deref()?, &fields))
}

/// How sessions of the provider's are marked.
const METHOD: &str = "openid";

/// Notes a sign-in that was refused.
async fn denied(e: &Entrance, trouble: Trouble) -> Denied {
    tracing::info!(reason = %trouble.detail, "a sign-in with the identity provider was refused");
    if let Err(error) = identity::note_failure(e, &trouble.detail).await {
        return Denied::Failed(error);
    }
    let said = trouble.said.to_string();
    if trouble.unavailable { Denied::Unavailable(said) } else { Denied::Refused(said) }
}
