//! Views of one's own that others may use, too: users and teams who read
//! them, or everybody, as a view of the organization.

use std::collections::BTreeSet;
use std::sync::Arc;

use actions::views::View;
use actions::{Draft, Right, Wish, permitted, security};
use askama::Template;
use axum::Router;
use axum::routing::get;
use model::tables::{SavedQuery, SystemUser, Team, UserQuery};
use model::{Entity, Id, Ref, Table, Value};

use crate::names;
use crate::pages::grid::{Asked, Spec};
use crate::pages::kit::{Desk, Fault, Form, Frame, Outcome, go, show};
use crate::pages::people::Picker;
use crate::state::AppState;

const READERS: &[&Table] = &[SystemUser::TABLE, Team::TABLE];

pub(super) fn routes(spec: &'static Spec) -> Router<Arc<AppState>> {
    let page = move |desk: Desk| async move { page(&desk, spec, &desk.query, "").await };
    let change = move |desk: Desk, form: Form| async move { change(&desk, spec, &form).await };
    Router::new().route(&format!("{}/share", spec.base), get(page).post(change))
}

#[derive(Template)]
#[template(path = "grid/share.html")]
struct Page {
    frame: Frame,
    at: String,
    back: String,
    view: Id,
    name: String,
    readers: Vec<(String, String)>,
    find: String,
    picker: Picker,
    /// May make it a view of the organization.
    publishes: bool,
    fault: String,
}

async fn view(desk: &Desk, spec: &Spec, form: &Form) -> Result<View, Fault> {
    let id = form.id("view").ok_or_else(Fault::absent)?;
    let views = actions::views::of(&desk.ctx, spec.table).await?;
    views.into_iter().find(|view| view.mine && view.id == id).ok_or_else(Fault::absent)
}

async fn page(desk: &Desk, spec: &'static Spec, form: &Form, fault: &str) -> Outcome {
    let find = form.text("who").to_owned();
    let picker = Picker::search(desk, READERS, &find).await?;
    if desk.htmx {
        return show(&picker);
    }
    let view = view(desk, spec, form).await?;
    let shared = security::shared_with(&desk.ctx, Ref::new(UserQuery::TABLE.logical, view.id)).await?;
    let who: BTreeSet<Ref> = shared.into_iter().filter(|(_, r)| r & Right::Read.bit() != 0).map(|(w, _)| w).collect();
    let named = names::of(&desk.ctx, who.clone()).await?;
    let reader = |who: &Ref| {
        let name = named.get(who).cloned().unwrap_or_else(|| desk.t("(somebody)"));
        (format!("{}:{}", who.table, who.id), name)
    };
    show(&Page {
        frame: desk.frame("Share this view", spec.place),
        at: format!("{}/share", spec.base),
        back: Asked { view: Some(view.id), ..Asked::default() }.link(spec.base),
        view: view.id,
        name: view.name,
        readers: who.iter().map(reader).collect(),
        find,
        picker,
        publishes: permitted(&desk.ctx, Wish::Create(SavedQuery::TABLE)),
        fault: desk.t(fault),
    })
}

/// `do`: `give` it to somebody to use, `take` it back, `publish` a copy of it.
async fn change(desk: &Desk, spec: &'static Spec, form: &Form) -> Outcome {
    let view = view(desk, spec, form).await?;
    let this = Ref::new(UserQuery::TABLE.logical, view.id);
    match form.text("do") {
        "publish" => {
            let draft = Draft::new(SavedQuery::TABLE)
                .with(SavedQuery::C.name, view.name)
                .with(SavedQuery::C.table, spec.table.logical.to_owned())
                .with(SavedQuery::C.fetch, view.fetch)
                .set("layoutxml", Value::Text(view.layout));
            let id = actions::create(&desk.ctx, draft).await?;
            return go(&Asked { view: Some(id), ..Asked::default() }.link_with(spec.base, &[("done", "created")]));
        }
        "take" => {
            let Some(who) = Picker::target(form, READERS) else { return Err(Fault::absent()) };
            security::revoke_access(&desk.ctx, this, who).await?;
        }
        "give" => {
            let Some(who) = Picker::target(form, READERS) else {
                return page(desk, spec, form, "Choose who may use the view.").await;
            };
            security::grant_access(&desk.ctx, this, who, Right::Read.bit()).await?;
        }
        // The search, without scripts.
        _ => return page(desk, spec, form, "").await,
    }
    go(&Asked { view: Some(view.id), ..Asked::default() }
        .link_with(&format!("{}/share", spec.base), &[("done", "saved")]))
}
