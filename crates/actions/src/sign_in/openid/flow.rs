//! One way to the provider and back. Everything the way needs is derived from
//! 256 random bits in a cookie: `state` ties the answer to this browser,
//! `nonce` ties the ID token to it, and the verifier of PKCE the code (RFC
//! 7636). Nothing is stored before somebody has signed in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use model::{Id, words};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::error::ActionError;
use crate::sign_in::entrance::Entrance;
use crate::sign_in::openid::discovery::About;
use crate::sign_in::openid::{Config, Returned, Trouble};
use crate::sign_in::ticket;

/// How long one may take with the provider.
pub const FLOW_SECONDS: i64 = 15 * 60;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flow {
    /// `secret.expires.connect.to`, the last as base64url.
    cookie: String,
    expires: i64,
    /// The session whose account is to be connected.
    pub connect: Option<Id>,
    /// Where to go afterwards.
    pub to: String,
}

impl Flow {
    pub fn new(e: &Entrance, to: &str, connect: Option<Id>) -> Result<Self, ActionError> {
        let expires = e.now.as_second() + FLOW_SECONDS;
        let secret = ticket::new_secret(&e.random)?;
        let connected = connect.map(|id| id.to_string()).unwrap_or_default();
        let cookie = format!("{secret}.{expires}.{connected}.{}", URL_SAFE_NO_PAD.encode(to));
        Ok(Self { cookie, expires, connect, to: to.to_owned() })
    }

    pub fn cookie(&self) -> String {
        self.cookie.clone()
    }

    fn read(cookie: &str) -> Option<Self> {
        if cookie.len() > 4000 {
            return None;
        }
        let mut parts = cookie.split('.');
        let (secret, expires, connect, to) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if secret.len() < 40 || parts.next().is_some() {
            return None;
        }
        let connect = if connect.is_empty() { None } else { Some(connect.parse().ok()?) };
        let to = String::from_utf8(URL_SAFE_NO_PAD.decode(to).ok()?).ok()?;
        Some(Self { cookie: cookie.to_owned(), expires: expires.parse().ok()?, connect, to })
    }

    /// The whole cookie goes into it: nothing of it can be changed on the way.
    fn derived(&self, what: &str) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{what}\n{}", self.cookie).as_bytes()))
    }

    pub fn state(&self) -> String {
        self.derived("state")
    }

    pub fn nonce(&self) -> String {
        self.derived("nonce")
    }

    pub fn verifier(&self) -> String {
        self.derived("verifier")
    }

    pub fn authorization_url(&self, config: &Config, about: &About, origin: &str) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier().as_bytes()));
        let (redirect, scope) = (redirect_uri(origin), scope(config));
        let (state, nonce) = (self.state(), self.nonce());
        let mut fields = vec![
            ("response_type", "code"),
            ("client_id", config.client_id.as_str()),
            ("redirect_uri", &redirect),
            ("scope", &scope),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        if self.connect.is_some() {
            // What is connected is the account of who sits there now.
            fields.push(("prompt", "login"));
        }
        with_query(&about.authorization, &fields)
    }
}

pub(super) fn redirect_uri(origin: &str) -> String {
    format!("{origin}/signin/oidc")
}

fn scope(config: &Config) -> String {
    let mut scopes = config.scopes.clone();
    if !scopes.iter().any(|s| s == "openid") {
        scopes.insert(0, "openid".into());
    }
    scopes.join(" ")
}

pub(super) fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

pub(super) fn with_query(url: &str, fields: &[(&str, &str)]) -> String {
    let between = if url.contains('?') { '&' } else { '?' };
    format!("{url}{between}{}", form(fields))
}

fn again(detail: &str) -> Trouble {
    let said =
        words!("This sign-in took too long, was begun in another browser, or was finished already. Begin again.");
    Trouble::refused(said, detail)
}

/// The way that this answer ends, if this browser began it.
pub(super) fn returned(cookie: Option<&str>, returned: &Returned<'_>, now: Timestamp) -> Result<Flow, Trouble> {
    let Some(cookie) = cookie else { return Err(again("the browser has no cookie of a sign-in")) };
    let Some(flow) = Flow::read(cookie) else { return Err(again("the cookie is none of ours")) };
    if flow.expires <= now.as_second() {
        return Err(again("the sign-in took too long"));
    }
    let same = |state: &str| {
        aws_lc_rs::constant_time::verify_slices_are_equal(state.as_bytes(), flow.state().as_bytes()).is_ok()
    };
    if !returned.state.is_some_and(same) {
        return Err(again("the state is that of another sign-in or browser"));
    }
    Ok(flow)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn cookie(to: &str) -> String {
        format!("{}.{}..{}", "s".repeat(43), NOW + 10, URL_SAFE_NO_PAD.encode(to))
    }

    #[track_caller]
    fn check(cookie: Option<&str>, state: Option<&str>, at: i64, expected: &str) {
        let answer = Returned { state, ..Returned::default() };
        match returned(cookie, &answer, Timestamp::from_second(at).unwrap()) {
            Ok(flow) => assert_eq!(flow.to, expected),
            Err(trouble) => assert!(trouble.detail.contains(expected), "{}", trouble.detail),
        }
    }

    #[test]
    fn ways() {
        let one = cookie("/account");
        let state = Flow::read(&one).unwrap().state();
        check(Some(&one), Some(&state), NOW, "/account");
        check(Some(&one), Some(&state), NOW + 10, "too long");
        check(None, Some(&state), NOW, "no cookie");
        check(Some(&one), None, NOW, "another sign-in");
        check(Some(&cookie("/other")), Some(&state), NOW, "another sign-in");
        check(Some("x.y"), Some(&state), NOW, "none of ours");
        check(Some(&format!("{one}.x")), Some(&state), NOW, "none of ours");
    }

    #[test]
    fn what_is_derived_tells_nothing_of_the_rest() {
        let flow = Flow::read(&cookie("/")).unwrap();
        assert_ne!(flow.state(), flow.nonce());
        assert_ne!(flow.nonce(), flow.verifier());
        assert_eq!(flow.verifier().len(), 43);
    }
}
