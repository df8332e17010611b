//! Settings › Email Configuration: the lists of mailboxes, email server
//! profiles and alerts, with what is done with several rows at once.

mod alerts;
mod mailboxes;
mod many;
mod profiles;
mod tests;

use std::sync::Arc;

use axum::Router;

use crate::state::AppState;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .merge(mailboxes::routes())
        .merge(many::routes())
        .merge(tests::routes())
        .merge(profiles::routes())
        .merge(alerts::routes())
}
