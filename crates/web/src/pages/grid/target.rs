//! Commands for which a record is chosen first: to whom rows go, into which
//! queue.

use std::sync::Arc;

use actions::bulk::Deed;
use askama::Template;
use axum::Router;
use axum::http::Method;
use axum::routing::{get, post};
use model::{Ref, Table};

use crate::pages::grid::{Asked, Chosen, Command, Selection, Spec, carry_out};
use crate::pages::kit::{Desk, Form, Frame, Outcome, show};
use crate::pages::people::Picker;
use crate::state::AppState;

pub(crate) struct Target {
    /// What happens with the rows, in a sentence.
    pub heading: &'static str,
    /// The label of the field in which one searches.
    pub search: &'static str,
    pub tables: &'static [&'static Table],
    /// What to do where nothing was chosen.
    pub missing: &'static str,
    pub deed: fn(Ref) -> Deed,
}

pub(super) fn routes(spec: &'static Spec, command: &'static Command, target: &'static Target) -> Router<Arc<AppState>> {
    let at = format!("{}/{}", spec.base, command.action);
    // `GET ?id=…` comes from the page of a record.
    let page = move |desk: Desk, method: Method, form: Form| async move {
        let form = if method == Method::GET { desk.query.clone() } else { form };
        choose(&desk, spec, command, target, &form, "").await
    };
    let give = move |desk: Desk, form: Form| async move {
        let Some(to) = Picker::target(&form, target.tables) else {
            return choose(&desk, spec, command, target, &form, target.missing).await;
        };
        carry_out(&desk, spec, &form, command.label, (target.deed)(to)).await
    };
    Router::new().route(&at, get(page).post(page)).route(&format!("{at}/yes"), post(give))
}

#[derive(Template)]
#[template(path = "grid/target.html")]
struct Page {
    frame: Frame,
    at: String,
    heading: &'static str,
    search: &'static str,
    button: &'static str,
    rows: Vec<Chosen>,
    count: usize,
    find: String,
    picker: Picker,
    hidden: Vec<(String, String)>,
    /// The list as it was.
    state: Vec<(&'static str, String)>,
    back: String,
    fault: String,
}

/// The page on which one searches and chooses.
async fn choose(
    desk: &Desk,
    spec: &'static Spec,
    command: &'static Command,
    target: &'static Target,
    form: &Form,
    fault: &str,
) -> Outcome {
    let find = form.text("who").to_owned();
    let picker = Picker::search(desk, target.tables, &find).await?;
    if desk.htmx {
        return show(&picker);
    }
    let selection = Selection::of(desk, spec, form).await?;
    let asked = Asked::read(form);
    show(&Page {
        frame: desk.frame(command.label, spec.place),
        at: format!("{}/{}", spec.base, command.action),
        heading: target.heading,
        search: target.search,
        button: command.label,
        hidden: selection.hidden(),
        count: selection.count,
        rows: selection.rows,
        picker,
        find,
        state: asked.pairs(),
        back: asked.link(spec.base),
        fault: desk.t(fault),
    })
}
