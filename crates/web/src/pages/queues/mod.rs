//! Queues: what waits in each, taking items on, handing them over.

mod all;
mod edit;
mod one;
mod route;
mod work;

pub(crate) use all::Row as QueueRow;

use std::sync::Arc;

use axum::Router;

use crate::state::AppState;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .merge(all::routes())
        .merge(edit::routes())
        .merge(one::routes())
        .merge(route::routes())
        .merge(work::routes())
}
