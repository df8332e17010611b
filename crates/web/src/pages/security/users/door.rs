//! How a user signs in: links, the second step, sessions, tokens.

use std::sync::Arc;

use actions::sign_in::{administer, reset, session};
use actions::token;
use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::routing::post;
use model::tables::SystemUser;
use model::{Entity, Id};

use super::PATH;
use super::form::after;
use crate::pages::kit::{Desk, Fault, Form, Frame, Outcome, Place};
use crate::state::AppState;

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/settings/security/users/{id}/link", post(link))
        .route("/settings/security/users/{id}/links/revoke", post(revoke_links))
        .route("/settings/security/users/{id}/unlock", post(unlock))
        .route("/settings/security/users/{id}/second-step", post(second_step))
        .route("/settings/security/users/{id}/sessions/end", post(end_session))
        .route("/settings/security/users/{id}/tokens/revoke", post(revoke_token))
}

/// A link that is shown this once.
#[derive(Template)]
#[template(path = "security/link.html")]
struct LinkPage {
    frame: Frame,
    name: String,
    link: String,
    path: String,
}

pub(super) async fn show_link(desk: &Desk, user: Id, ticket: &str) -> Outcome {
    let row = actions::read(&desk.ctx, SystemUser::TABLE, user, Vec::new()).await?;
    let page = LinkPage {
        frame: desk.frame("A link for the user", Place::Users),
        name: row.get(SystemUser::C.domain_name.name).as_text().unwrap_or("").to_owned(),
        link: desk.state().sign_in.password_link(&desk.visit.client.origin, ticket),
        path: format!("{PATH}/{user}"),
    };
    crate::pages::kit::show(&page)
}

/// `POST …/link`
async fn link(desk: Desk, Path(id): Path<Id>, form: Form) -> Outcome {
    match reset::reset(&desk.ctx, id, form.ticked("forget")).await {
        Ok(ticket) => show_link(&desk, id, &ticket).await,
        Err(error) => after::<()>(&desk, id, Err(error)).await,
    }
}

/// `POST …/links/revoke`
async fn revoke_links(desk: Desk, Path(id): Path<Id>) -> Outcome {
    after(&desk, id, administer::revoke_links(&desk.ctx, id).await).await
}

/// `POST …/unlock`
async fn unlock(desk: Desk, Path(id): Path<Id>) -> Outcome {
    after(&desk, id, administer::unlock(&desk.ctx, id).await).await
}

/// `POST …/second-step`
async fn second_step(desk: Desk, Path(id): Path<Id>) -> Outcome {
    after(&desk, id, administer::reset_second_step(&desk.ctx, id).await).await
}

/// `POST …/sessions/end`: one, or all.
async fn end_session(desk: Desk, Path(id): Path<Id>, form: Form) -> Outcome {
    let result = match form.text("session") {
        "all" => session::end_all_of(&desk.ctx, id).await.map(|_| ()),
        one => {
            let one = one.parse().map_err(|_| Fault::bad("That is no session."))?;
            session::revoke(&desk.ctx, one).await
        }
    };
    after(&desk, id, result).await
}

/// `POST …/tokens/revoke`
async fn revoke_token(desk: Desk, Path(id): Path<Id>, form: Form) -> Outcome {
    let token = form.id("token").ok_or_else(|| Fault::bad("That is no token."))?;
    after(&desk, id, token::revoke(&desk.ctx, token).await).await
}
