//! Contacts, accounts and leads: their lists, their forms with the timeline
//! of what happened with them, and addresses that belong to nobody yet.

pub(crate) mod assign;
mod form;
mod kinds;
mod lists;
pub(crate) mod lookup;
mod page;
pub(crate) mod picker;
mod timeline;
mod unresolved;

use std::sync::Arc;

use axum::Router;

use crate::state::AppState;

pub(crate) use picker::Picker;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    let mut all = Router::new().merge(unresolved::routes());
    for kind in kinds::ALL {
        all = all.merge(lists::routes(kind)).merge(page::routes(kind)).merge(assign::routes(&kind.spec));
    }
    all
}
