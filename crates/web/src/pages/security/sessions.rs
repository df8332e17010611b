//! Browsers that are signed in, and their ends.

use std::sync::Arc;

use actions::sign_in::session::{self, Held};
use askama::Template;
use axum::Router;
use axum::routing::{get, post};
use model::Id;

use crate::pages::kit::{Desk, Fault, Form, Frame, Outcome, Place, go};
use crate::state::AppState;

const PATH: &str = "/settings/security/sessions";
/// Shown at once.
const MOST: usize = 500;

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new().route(PATH, get(page)).route("/settings/security/sessions/end", post(end))
}

#[derive(Template)]
#[template(path = "security/sessions.html")]
struct SessionsPage {
    frame: Frame,
    held: Vec<Held>,
    /// The session of whoever looks.
    own: Id,
    more: bool,
}

/// `GET /settings/security/sessions`
async fn page(desk: Desk) -> Outcome {
    let policy = &desk.state().sign_in.policy;
    let held = session::of_everybody(&desk.ctx, policy, None, MOST).await?;
    let page = SessionsPage {
        frame: desk.frame("Sessions", Place::Sessions),
        more: held.len() == MOST,
        held,
        own: desk.current.session.id,
    };
    crate::pages::kit::show(&page)
}

/// `POST …/end`: one, or all of a user.
async fn end(desk: Desk, form: Form) -> Outcome {
    if let Some(user) = form.id("user") {
        session::end_all_of(&desk.ctx, user).await?;
    } else {
        let id = form.id("session").ok_or_else(|| Fault::bad("That is no session."))?;
        session::revoke(&desk.ctx, id).await?;
    }
    go(&format!("{PATH}?done=done"))
}
