//! The pages of a signed-in person, area by area.

use std::sync::Arc;

use axum::{Router, middleware};

use crate::pages::{help, kit, lists};
use crate::state::AppState;

pub(crate) fn routes(state: &Arc<AppState>) -> Router<Arc<AppState>> {
    let pages = Router::new()
        // One line an area.
        .merge(help::routes())
        .merge(lists::routes());
    pages.layer(middleware::from_fn_with_state(Arc::clone(state), kit::at_desk)).merge(kit::assets())
}
