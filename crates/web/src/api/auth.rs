//! Who is calling: a bearer token, or the session of a browser.

use std::net::IpAddr;

use actions::sign_in::{Caller, bearer, session};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use model::{Refusal, Timestamp};

use crate::api::errors::ApiError;
use crate::limiter::Guesses;
use crate::peer::Client;
use crate::signin;
use crate::state::AppState;

/// Whose token or session the request carries; 401 otherwise.
pub(crate) async fn caller(
    state: &AppState,
    guesses: &Guesses,
    parts: &Parts,
    client: &Client,
    now: Timestamp,
) -> Result<Caller, ApiError> {
    let token = of_bearer(&parts.headers);
    if token.is_none()
        && let Some(caller) = of_session(state, parts, client, now).await?
    {
        return Ok(caller);
    }
    if let Some(wait) = guesses.blocked(client.address, token, now) {
        let mut error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, guesses.refusal(wait));
        error.headers.push((header::RETRY_AFTER, wait.to_string()));
        return Err(error);
    }
    let Some(token) = token else {
        let message = "Send a bearer token: Authorization: Bearer <token>. `postroom token create` makes one.";
        return Err(refused(state, guesses, (client.address, &client.origin), now, message).await);
    };
    match bearer(&state.store, token, now).await? {
        Some(caller) => {
            guesses.succeeded(token, now);
            Ok(caller)
        }
        None => {
            let message = "The bearer token is unknown, expired, or of a disabled user.";
            Err(refused(state, guesses, (client.address, &client.origin), now, message).await)
        }
    }
}

fn of_bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// A cookie comes along with whatever a browser sends: what changes something
/// must have been made by a page of ours.
async fn of_session(
    state: &AppState,
    parts: &Parts,
    client: &Client,
    now: Timestamp,
) -> Result<Option<Caller>, ApiError> {
    let secure = client.origin.starts_with("https:");
    let Some(cookie) = signin::session_cookie(&parts.headers, secure) else { return Ok(None) };
    let Some(current) = session::find(&state.store, &state.sign_in.policy, cookie, now).await? else {
        return Ok(None);
    };
    if !signin::same_site(&parts.method, &parts.headers, &client.origin) {
        let message = "The request did not come from a page of this server (Origin), and was not carried out. \
                       Programs send a bearer token.";
        let fault = Refusal::new(0x8004_0220, "CrossSiteRequest", model::Words::foreign(message));
        return Err(ApiError::new(StatusCode::FORBIDDEN, fault));
    }
    Ok(Some(Caller { user: current.user, scopes: None }))
}

/// 401 with the challenge from which SDKs discover the authority.
async fn refused(
    state: &AppState,
    guesses: &Guesses,
    (address, origin): (Option<IpAddr>, &str),
    now: Timestamp,
    message: &str,
) -> ApiError {
    guesses.failed(address, now);
    let fault = Refusal::new(0x8004_4302, "RequestIsNotAuthenticated", model::Words::foreign(message));
    let mut error = ApiError::new(StatusCode::UNAUTHORIZED, fault);
    let uri = signin::authorization_uri(state, origin).await;
    error.headers.push((header::WWW_AUTHENTICATE, format!("Bearer authorization_uri={uri}, resource_id={origin}/")));
    error
}
