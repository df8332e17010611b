//! Email Configuration Settings: what holds for the whole organization.

mod fields;

use std::sync::Arc;

use actions::{ActionError, Precondition};
use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use model::tables::Organization;
use model::{Entity, Query, Record, Refusal};

use crate::pages::email_settings::fields::{COLUMNS, Section};
use crate::pages::kit::{self, Desk, Fault, Form, Frame, Input, Outcome, Place};
use crate::pages::mailbox::typed::{Overtaken, Typed};
use crate::state::AppState;

/// How often a save is tried anew because somebody else wrote.
const TRIES: usize = 5;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/settings/email", get(page).post(save))
}

#[derive(Template)]
#[template(path = "email_settings/page.html")]
struct SettingsPage {
    frame: Frame,
    sections: Vec<Section>,
    carried: Vec<(String, String)>,
    summary: Vec<(String, String, String)>,
    /// Label, what stands there now, what was typed.
    overtaken: Vec<(String, String, String)>,
    may_write: bool,
}

async fn organization(desk: &Desk) -> Result<Record, Fault> {
    let found = actions::list(&desk.ctx, Query::of::<Organization>().limit(1)).await?;
    found.into_iter().next().ok_or_else(Fault::absent)
}

/// `GET /settings/email`
async fn page(desk: Desk) -> Outcome {
    let held = organization(&desk).await?;
    shown(&desk, &held, &Form::default(), &[], &[]).await
}

/// `POST /settings/email`
async fn save(desk: Desk, form: Form) -> Outcome {
    let form = fields::in_octets(form);
    for _ in 0..TRIES {
        let held = organization(&desk).await?;
        let typed = typed(&desk, &form);
        let overtaken = typed.overtaken(&held);
        if !overtaken.is_empty() {
            return shown(&desk, &held, &form, &[], &overtaken).await;
        }
        let draft = typed.draft(Some(&held));
        if draft.values.is_empty() && draft.faults.is_empty() {
            return kit::go("/settings/email?done=saved");
        }
        let version = held.get("versionnumber").as_int();
        let precondition = version.map_or(Precondition::Exists, Precondition::Version);
        match actions::update(&desk.ctx, held.id, draft, precondition).await {
            Ok(_) => return kit::go("/settings/email?done=saved"),
            Err(ActionError::Refused(refusals))
                if refusals.0.iter().any(|refusal| refusal.name == "ConcurrencyVersionMismatch") => {}
            Err(error) => {
                let refusals = Fault::refusals(error)?;
                return shown(&desk, &held, &form, &refusals, &[]).await;
            }
        }
    }
    Err(Fault::new(StatusCode::CONFLICT, "The settings are being changed by others just now. Try again."))
}

fn typed<'a>(desk: &'a Desk, form: &'a Form) -> Typed<'a> {
    Typed { table: Organization::TABLE, columns: COLUMNS, form, zone: &desk.viewer.zone }
}

async fn shown(desk: &Desk, held: &Record, form: &Form, refusals: &[Refusal], overtaken: &[Overtaken]) -> Outcome {
    let typed = typed(desk, form);
    let may_write = actions::permitted(&desk.ctx, actions::Wish::Write(Organization::TABLE));
    let sections = fields::sections(desk, &typed, held, refusals, may_write).await?;
    let label = |column: &str| {
        let column = Organization::TABLE.columns.iter().find(|c| c.name == column);
        column.map(|c| desk.t(c.label)).unwrap_or_default()
    };
    let status = match (refusals.is_empty(), overtaken.is_empty()) {
        (_, false) => StatusCode::CONFLICT,
        (false, _) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::OK,
    };
    let trouble = |refusal: &Refusal| {
        let column = refusal.field.filter(|column| COLUMNS.contains(column)).unwrap_or_default();
        (column.to_owned(), label(column), desk.words(&refusal.message))
    };
    let page = SettingsPage {
        frame: desk.frame("Email Configuration Settings", Place::EmailSettings),
        carried: Typed::carried(COLUMNS, held, &desk.viewer.zone),
        summary: refusals.iter().map(trouble).collect(),
        overtaken: overtaken
            .iter()
            .map(|o| {
                let yours = o.yours.as_deref().map(|yours| word(desk, &sections, o.column, yours));
                (label(o.column), word(desk, &sections, o.column, &o.theirs), yours.unwrap_or_default())
            })
            .collect(),
        sections,
        may_write,
    };
    Ok(crate::pages::page(status, &page))
}

/// A value as the form shows it.
fn word(desk: &Desk, sections: &[Section], column: &str, value: &str) -> String {
    let field = sections.iter().flat_map(|section| &section.fields).find(|field| field.name == column);
    let choice = field.and_then(|field| field.choices.iter().find(|choice| choice.value == value));
    match (choice, field.map(|field| field.input)) {
        (Some(choice), _) => choice.label.clone(),
        (None, Some(Input::Tick)) => desk.t(if value == "1" { "Yes" } else { "No" }),
        _ if value.is_empty() => desk.t("(empty)"),
        _ => fields::as_typed(column, value),
    }
}
