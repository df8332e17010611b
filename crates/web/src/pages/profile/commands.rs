//! Activate, Deactivate, Set as Default and Delete.

use actions::Draft;
use askama::Template;
use axum::extract::Path;
use model::tables::{EmailServerProfile, State};
use model::{Entity, Id};

use crate::pages::kit::{self, Desk, Fault, Form, Frame, Outcome, Place};

fn identifier(id: &str) -> Result<Id, Fault> {
    id.parse().map_err(|_| Fault::absent())
}

fn at(id: Id) -> String {
    format!("/settings/profiles/{id}")
}

#[derive(Template)]
#[template(path = "profile/deactivate.html")]
struct Stop {
    frame: Frame,
    id: String,
    name: String,
    /// Mailboxes that stop.
    mailboxes: u64,
    is_default: bool,
}

/// `POST /settings/profiles/{id}/state`: before mailboxes stop it asks.
pub(super) async fn state(desk: Desk, Path(id): Path<String>, form: Form) -> Outcome {
    let state = form.number("statecode").and_then(State::from_number).ok_or_else(|| Fault::bad("Which state?"))?;
    let id = identifier(&id)?;
    if !form.ticked("confirmed") {
        let draft = Draft::new(EmailServerProfile::TABLE).with(EmailServerProfile::C.state, state);
        let found = actions::profile::consequences(&desk.ctx, id, &draft).await?;
        let is_default = actions::profile::is_default(&desk.ctx, id).await?;
        if state == State::Inactive && (found.stops > 0 || is_default) {
            let name = EmailServerProfile::C.name.name;
            let row = actions::read(&desk.ctx, EmailServerProfile::TABLE, id, vec![name]).await?;
            let name = row.get(name).as_text().unwrap_or_default();
            let frame = desk.frame("Deactivate Email Server Profile", Place::Profiles).under(name, at(id));
            let name = name.to_owned();
            return kit::show(&Stop { frame, id: id.to_string(), name, mailboxes: found.stops, is_default });
        }
    }
    actions::profile::set_state(&desk.ctx, id, state).await?;
    kit::go(&format!("{}?done=done", at(id)))
}

/// `POST /settings/profiles/{id}/default`
pub(super) async fn default(desk: Desk, Path(id): Path<String>) -> Outcome {
    actions::profile::make_default(&desk.ctx, identifier(&id)?).await?;
    kit::go(&format!("/settings/profiles/{id}?done=done"))
}

#[derive(Template)]
#[template(path = "profile/delete.html")]
struct Ask {
    frame: Frame,
    id: String,
    name: String,
    mailboxes: u64,
    is_default: bool,
    refused: String,
}

/// `GET /settings/profiles/{id}/delete`: what becomes of its mailboxes.
pub(super) async fn ask(desk: Desk, Path(id): Path<String>) -> Outcome {
    let page = question(&desk, identifier(&id)?, String::new()).await?;
    kit::show(&page)
}

async fn question(desk: &Desk, id: Id, refused: String) -> Result<Ask, Fault> {
    let name = EmailServerProfile::C.name;
    let row = actions::read(&desk.ctx, EmailServerProfile::TABLE, id, vec![name.name]).await?;
    let name = row.get(name.name).as_text().unwrap_or_default();
    Ok(Ask {
        frame: desk.frame("Delete Email Server Profile", Place::Profiles).under(name, at(id)),
        id: id.to_string(),
        name: name.to_owned(),
        mailboxes: actions::profile::mailboxes(&desk.ctx, id, 1).await?.0,
        is_default: actions::profile::is_default(&desk.ctx, id).await?,
        refused,
    })
}

/// `POST /settings/profiles/{id}/delete`
pub(super) async fn delete(desk: Desk, Path(id): Path<String>) -> Outcome {
    let id = identifier(&id)?;
    match actions::delete(&desk.ctx, EmailServerProfile::TABLE, id, actions::Precondition::Exists).await {
        Ok(()) => kit::go("/settings/profiles?done=deleted"),
        Err(error) => {
            let fault = Fault::from(error);
            let page = question(&desk, id, fault.told(&desk)).await?;
            Ok(crate::pages::page(fault.status, &page))
        }
    }
}
