//! Contacts, accounts and leads: their lists, their forms with the timeline
//! of what happened with them, and addresses that belong to nobody yet.

mod assign;
mod form;
mod kinds;
pub(crate) mod lookup;
mod page;
pub(crate) mod picker;
mod timeline;
mod unresolved;

use std::sync::Arc;

use axum::Router;

use crate::pages::grid;
use crate::state::AppState;

pub(crate) use assign::OWNER;
pub(crate) use picker::{Pick, Picker};

pub(crate) fn routes() -> Router<Arc<AppState>> {
    let mut all = Router::new().merge(unresolved::routes());
    for kind in kinds::ALL {
        all = all.merge(grid::routes(&kind.spec)).merge(page::routes(kind));
    }
    all
}
