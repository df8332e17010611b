//! Settings › Security: users, teams, roles, business units, tokens, sessions,
//! the audit trail.

mod audit;
mod matrix;
mod roles;
mod sessions;
mod shared;
mod teams;
mod tokens;
mod units;
mod users;

use std::sync::Arc;

use axum::Router;

use crate::state::AppState;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .merge(users::routes())
        .merge(teams::routes())
        .merge(roles::routes())
        .merge(units::routes())
        .merge(tokens::routes())
        .merge(sessions::routes())
        .merge(audit::routes())
}
