//! A request to the sign-in pages: who comes from where, and with what.

use std::sync::Arc;

use actions::sign_in::session::Current;
use actions::sign_in::{Entrance, Visitor, session};
use actions::{ActionError, Context};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};

use crate::pages::kit::{Texts, accepted};
use crate::peer::{Client, Peer};
use crate::signin::{cookies, fields, same_site};
use crate::state::AppState;

// No `Debug`: the headers hold cookies.
#[derive(Clone)]
pub(crate) struct Visit {
    pub state: Arc<AppState>,
    pub method: Method,
    pub headers: HeaderMap,
    pub client: Client,
    pub secure: bool,
    /// What stands behind the `?`.
    pub query: String,
}

impl FromRequestParts<Arc<AppState>> for Visit {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<AppState>) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<Peer>().copied().unwrap_or_default();
        let client = Client::read(&parts.headers, peer, &state.proxies);
        Ok(Self {
            state: Arc::clone(state),
            method: parts.method.clone(),
            headers: parts.headers.clone(),
            secure: client.origin.starts_with("https:"),
            client,
            query: parts.uri.query().unwrap_or("").to_owned(),
        })
    }
}

impl Visit {
    pub fn entrance(&self) -> Entrance {
        let agent = self.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or("");
        Entrance {
            store: self.state.store.clone(),
            now: self.state.clock.now(),
            random: self.state.random.clone(),
            settings: self.state.settings,
            policy: self.state.sign_in.policy.clone(),
            hasher: self.state.sign_in.hasher.clone(),
            visitor: Visitor { address: self.client.address, agent: agent.to_owned() },
        }
    }

    /// Whether the answer is to be JSON.
    pub fn wants_json(&self) -> bool {
        let accept = self.headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or("");
        fields::is_json(&self.headers) || (accept.contains("application/json") && !accept.contains("text/html"))
    }

    /// Whether our own pages made it.
    pub fn is_ours(&self) -> bool {
        same_site(&self.method, &self.headers, &self.client.origin)
    }

    /// The session of the cookie, if it has one that is good.
    pub async fn current(&self) -> Result<Option<Current>, ActionError> {
        let Some(cookie) = cookies::session(&self.headers, self.secure) else { return Ok(None) };
        session::find(&self.state.store, &self.state.sign_in.policy, cookie, self.state.clock.now()).await
    }

    /// In the language that the browser asks for.
    pub fn texts(&self) -> &'static Texts {
        accepted(self.headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or(""))
    }

    /// What the user of a session does.
    pub async fn context(&self, current: &Current) -> Result<Context, ActionError> {
        let state = &self.state;
        let (now, random) = (state.clock.now(), state.random.clone());
        let user = current.user.clone();
        let context = Context::new(state.store.clone(), user, now, random, state.settings).await?;
        let request = state.request_id();
        Ok(context.from(self.client.for_audit("page", &self.headers, &request)))
    }

    pub fn step(&self) -> Option<&str> {
        cookies::step(&self.headers, self.secure)
    }
}
