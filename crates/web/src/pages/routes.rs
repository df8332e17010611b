//! The pages of a signed-in person, area by area.

use std::sync::Arc;

use axum::{Router, middleware};

use crate::pages;
use crate::state::AppState;

pub(crate) fn routes(state: &Arc<AppState>) -> Router<Arc<AppState>> {
    let areas = [
        pages::help::routes(),
        pages::lists::routes(),
        pages::mailbox::routes(),
        pages::email::routes(),
        pages::email_settings::routes(),
        pages::profile::routes(),
        pages::start::routes(),
        pages::watch::routes(),
        pages::home::routes(),
        pages::queues::routes(),
        pages::activities::routes(),
        pages::commands::routes(),
        pages::people::routes(),
        pages::options::routes(),
        pages::security::routes(),
        pages::data::routes(),
        // One line an area.
    ];
    let pages = areas.into_iter().fold(Router::new(), Router::merge);
    pages.layer(middleware::from_fn_with_state(Arc::clone(state), pages::kit::at_desk)).merge(pages::kit::assets())
}
