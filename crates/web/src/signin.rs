//! Signing in: pages and JSON for people, the token endpoint for services.
//!
//! One handler answers both kinds of request: a form is answered with a page
//! or a redirect, JSON with JSON. Both are checked alike.

mod account;
mod cookies;
mod csrf;
mod fields;
mod local;
mod oauth2;
mod openid;
mod reply;
mod returning;
mod roles;
mod setup;
mod state;
mod visit;

pub(crate) use cookies::session as session_cookie;
pub(crate) use csrf::same_site;
pub(crate) use oauth2::authorization_uri;
pub(crate) use reply::redirect;
pub use state::SignIn;
pub(crate) use visit::Visit;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::state::AppState;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/signin", get(local::page).post(local::sign_in))
        .route("/signin/code", get(local::code_page).post(local::code))
        .route("/signin/openid", get(openid::start))
        .route("/signin/oidc", get(openid::back))
        .route("/signout", post(local::sign_out))
        .route("/password", get(setup::page).post(setup::set))
        .route("/account", get(account::page))
        .route("/account/roles", get(roles::page))
        .route("/account/password", post(account::password))
        .route("/account/second-step", post(account::enrol))
        .route("/account/second-step/confirm", post(account::confirm))
        .route("/account/second-step/off", post(account::leave))
        .route("/account/recovery-codes", post(account::recovery_codes))
        .route("/account/sessions/end", post(account::end_session))
        .route("/account/identities", post(openid::connect))
        .route("/account/identities/remove", post(openid::disconnect))
        .route("/account/tokens", post(account::create_token))
        .route("/account/tokens/revoke", post(account::revoke_token))
        .route("/oauth2/token", post(oauth2::token))
        .route("/{tenant}/oauth2/token", post(oauth2::tenant_token))
        .route("/{tenant}/oauth2/v2.0/token", post(oauth2::tenant_token))
        .route("/.well-known/openid-configuration", get(oauth2::discovery))
        .route("/{tenant}/.well-known/openid-configuration", get(oauth2::tenant_discovery))
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(oauth2::tenant_discovery))
        .route("/{tenant}/discovery/keys", get(oauth2::keys))
        .route("/{tenant}/discovery/v2.0/keys", get(oauth2::keys))
        .route("/common/discovery/instance", get(oauth2::instance))
}
