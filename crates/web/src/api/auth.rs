//! Who is calling: a bearer token.

use std::net::IpAddr;

use axum::http::{HeaderMap, StatusCode, header};
use model::tables::SystemUser;
use model::{Refusal, Timestamp};

use crate::api::errors::ApiError;
use crate::limiter::Guesses;

/// The user whose token the request carries; 401 otherwise.
pub(crate) async fn user(
    store: &actions::Store,
    guesses: &Guesses,
    headers: &HeaderMap,
    (address, origin): (Option<IpAddr>, &str),
    now: Timestamp,
) -> Result<SystemUser, ApiError> {
    let token = bearer(headers);
    if let Some(wait) = guesses.blocked(address, token, now) {
        let mut error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, guesses.refusal(wait));
        error.headers.push((header::RETRY_AFTER, wait.to_string()));
        return Err(error);
    }
    let Some(token) = token else {
        guesses.failed(address, now);
        return Err(refused(
            origin,
            "Send a bearer token: Authorization: Bearer <token>. `postroom token create` makes one.",
        ));
    };
    match actions::token::authenticate(store, token, now).await? {
        Some(user) => {
            guesses.succeeded(token, now);
            Ok(user)
        }
        None => {
            guesses.failed(address, now);
            Err(refused(origin, "The bearer token is unknown, expired, or of a disabled user."))
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// 401 with the challenge from which SDKs discover the authority.
fn refused(origin: &str, message: &str) -> ApiError {
    let fault = Refusal::new(0x8004_4302, "RequestIsNotAuthenticated", message);
    let mut error = ApiError::new(StatusCode::UNAUTHORIZED, fault);
    let challenge = format!("Bearer authorization_uri={origin}/oauth2/authorize, resource_id={origin}/");
    error.headers.push((header::WWW_AUTHENTICATE, challenge));
    error
}
