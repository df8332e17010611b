//! Lists: rows of a table by views, with quick find, sorting, choice of
//! columns, pages, export, and commands on the rows that are ticked.
//!
//! An area says with a [`Spec`] what its list is of; `routes` does the rest.

mod asked;
mod cell;
mod chosen;
mod command;
mod design;
mod export;
mod links;
mod load;
mod narrow;
mod operators;
mod own_views;
mod results;
mod share;
mod table;
mod target;

use std::sync::Arc;

use actions::{Wish, permitted};
use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use model::Table;

pub(crate) use asked::Asked;
pub(crate) use cell::tone;
pub(crate) use chosen::{Chosen, Selection, chosen};
pub(crate) use command::{Command, carry_out, command, follow};
pub(crate) use export::file;
pub(crate) use links::page_of;
pub(crate) use load::Question;
pub(crate) use results::{Confirm, Done, Warned, confirm, results};
pub(crate) use table::Grid;
pub(crate) use target::Target;

use crate::pages::kit::{Desk, Form, Frame, Outcome, Place, show};
use crate::state::AppState;

/// What a list is of, and what can be done with its rows.
pub(crate) struct Spec {
    pub table: &'static Table,
    pub title: &'static str,
    pub place: Place,
    /// `/settings/mailboxes`
    pub base: &'static str,
    pub row: Row,
    /// What can be opened from the list, such as a new row.
    pub links: &'static [Link],
    /// What can be done with the rows that are ticked.
    pub commands: &'static [Command],
    /// Columns by whose values the list can be narrowed.
    pub filters: &'static [&'static str],
    /// What to do where there is no row at all.
    pub empty: &'static str,
}

/// Where a row leads.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Row {
    /// To its page below this address: `/settings/mailboxes/`.
    Below(&'static str),
    /// To the page of what this lookup points to.
    Behind(&'static str),
}

pub(crate) struct Link {
    pub label: &'static str,
    pub path: &'static str,
    pub needs: Wish,
    /// The key that leads there; may be empty.
    pub key: &'static str,
}

/// The list, its commands, its export, and the views that people keep of it.
pub(crate) fn routes(spec: &'static Spec) -> Router<Arc<AppState>> {
    routes_with(spec, get(move |desk: Desk| async move { page(&desk, spec, String::new()).await }))
}

/// The same with a page of the area's own.
pub(crate) fn routes_with(spec: &'static Spec, page: MethodRouter<Arc<AppState>>) -> Router<Arc<AppState>> {
    command::routes(spec)
        .merge(design::routes(spec))
        .merge(share::routes(spec))
        .route(spec.base, page)
        .route(
            &format!("{}/export.csv", spec.base),
            get(move |desk: Desk| async move { export::csv(&desk, spec).await }),
        )
        .route(
            &format!("{}/views", spec.base),
            post(move |desk: Desk, form: Form| async move { own_views::keep(&desk, spec, &form).await }),
        )
}

#[derive(Template)]
#[template(path = "grid/page.html")]
struct Page {
    frame: Frame,
    links: Vec<Shown>,
    /// A sentence above the list.
    note: String,
    grid: Grid,
}

struct Shown {
    label: String,
    path: &'static str,
    key: &'static str,
}

/// The whole page. `note`: a sentence above the list.
pub(crate) async fn page(desk: &Desk, spec: &'static Spec, note: String) -> Outcome {
    let grid = Grid::load(desk, spec, &Asked::read(&desk.query)).await?;
    let allowed = spec.links.iter().filter(|l| permitted(&desk.ctx, l.needs));
    let links = allowed.map(|l| Shown { label: desk.t(l.label), path: l.path, key: l.key }).collect();
    let page = Page { frame: desk.frame(spec.title, spec.place), links, note, grid };
    show(&page)
}

/// Back to the list as it was, with a word about what was done.
pub(crate) fn back(spec: &Spec, form: &Form, done: &str) -> Result<Response, crate::pages::kit::Fault> {
    crate::pages::kit::go(&Asked::read(form).link_with(spec.base, &[("done", done)]))
}
