//! Monitoring: a dashboard for the wall.

mod board;
mod chart;
pub(crate) mod connections;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::state::AppState;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/settings/monitoring", get(board::page))
}
