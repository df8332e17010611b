//! Help beside every page, and the list of keys.

mod feedback;
mod topics;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::routing::get;

use crate::pages::kit::{self, Desk, Fault, Frame, Outcome, Place};
use crate::state::AppState;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/help/keyboard", get(keyboard))
        .route("/help/{topic}", get(topic).post(feedback::give))
        .route("/settings/feedback", get(feedback::list).post(feedback::remove))
}

#[derive(Template)]
#[template(path = "help/topic.html")]
struct TopicPage {
    frame: Frame,
    /// Our own HTML.
    text: &'static str,
    others: Vec<(&'static str, String)>,
    /// What was said is kept.
    thanked: bool,
}

/// `GET /help/{topic}`
async fn topic(desk: Desk, Path(name): Path<String>) -> Outcome {
    let topic = topics::find(&name).ok_or_else(Fault::absent)?;
    let others = topics::ALL.iter().map(|t| (t.name, desk.t(t.title))).collect();
    let frame = desk.frame(topic.title, Place::Nowhere).with_help(topic.name);
    kit::show(&TopicPage {
        text: topic.text(desk.viewer.texts.code),
        others,
        thanked: desk.query.ticked("thanks"),
        frame,
    })
}

#[derive(Template)]
#[template(path = "help/keyboard.html")]
struct KeyboardPage {
    frame: Frame,
    dialog: bool,
}

#[derive(Template)]
#[template(path = "help/keys.html")]
struct Keys {
    frame: Frame,
    dialog: bool,
}

/// `GET /help/keyboard`: a page; for the page's script the list alone.
async fn keyboard(desk: Desk) -> Outcome {
    let frame = desk.frame("Keyboard", Place::Nowhere).with_help("keyboard");
    if desk.htmx { kit::show(&Keys { frame, dialog: true }) } else { kit::show(&KeyboardPage { frame, dialog: false }) }
}
