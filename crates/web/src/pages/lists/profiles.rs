//! Email server profiles.

use std::sync::Arc;

use actions::bulk::Deed;
use actions::{ActionError, Draft, Precondition, Wish};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use model::tables::{EmailServerProfile, Mailbox, Organization, State};
use model::{Entity, Filter, Query, Ref, Value};

use crate::names;
use crate::pages::grid::{self, Chosen, Link, Row, Spec, Warned, command};
use crate::pages::kit::{Desk, Fault, Form, Outcome, Place};
use crate::pages::people::OWNER;
use crate::state::AppState;

static SPEC: Spec = Spec {
    table: EmailServerProfile::TABLE,
    title: "Email Server Profiles",
    place: Place::Profiles,
    base: "/settings/profiles",
    row: Row::Below("/settings/profiles/"),
    links: &[Link {
        label: "New",
        path: "/settings/profiles/new",
        needs: Wish::Create(EmailServerProfile::TABLE),
        key: "c",
    }],
    commands: &[
        command("Activate", "activate", Wish::Write(EmailServerProfile::TABLE)).does(|_| state(State::Active)),
        command("Deactivate", "deactivate", Wish::Write(EmailServerProfile::TABLE))
            .does(|_| state(State::Inactive))
            .danger()
            .asks("The mailboxes of an inactive profile neither receive nor send.")
            .warns(|desk, rows, _| Box::pin(with_mailboxes(desk, rows, stops))),
        command("Set as Default", "default", Wish::Write(Organization::TABLE)),
        command("Assign", "assign", Wish::Assign(EmailServerProfile::TABLE)).gives(&OWNER),
        command("Delete", "delete", Wish::Delete(EmailServerProfile::TABLE))
            .deletes("The mailboxes of a deleted profile stay, without a profile and untested. This cannot be undone.")
            .warns(|desk, rows, _| Box::pin(with_mailboxes(desk, rows, loses))),
    ],
    filters: &["servertype"],
    empty: "A server profile says where a mail server is and how to talk to it. Create the first one with “New”.",
};

pub(super) fn routes() -> Router<Arc<AppState>> {
    // The list says which is the default, besides.
    let list = get(|desk: Desk| async move { list(&desk).await });
    grid::routes_with(&SPEC, list).route("/settings/profiles/default", post(set_default))
}

fn state(state: State) -> Deed {
    Deed::set(EmailServerProfile::C.state.name, Value::Int(state.number()))
}

async fn organization(desk: &Desk) -> Result<Option<model::Record>, Fault> {
    let mut query = Query::of::<Organization>().limit(1);
    query.select = vec![Organization::C.default_profile.name];
    match actions::list(&desk.ctx, query).await {
        Ok(mut rows) => Ok(rows.pop()),
        Err(ActionError::Refused(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn list(desk: &Desk) -> Outcome {
    let default = organization(desk).await?.and_then(|o| o.get(Organization::C.default_profile.name).as_ref_to());
    let note = match default {
        Some(profile) => {
            let name = names::of(&desk.ctx, [profile].into()).await?.remove(&profile).unwrap_or_default();
            desk.viewer.texts.with("New mailboxes get the profile “{0}”.", &[&name])
        }
        None => desk.t("New mailboxes get no profile: none is set as default."),
    };
    grid::page(desk, &SPEC, note).await
}

/// Each profile with what it means for the mailboxes that use it.
async fn with_mailboxes(
    desk: &Desk,
    rows: Vec<Chosen>,
    means: fn(&Desk, &mut Warned, u64),
) -> Result<Vec<Warned>, Fault> {
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let this = Ref::new(EmailServerProfile::TABLE.logical, row.id);
        let query = Query::of::<Mailbox>().filter(Filter::eq(Mailbox::C.profile, Some(this)));
        let used = actions::count(&desk.ctx, query).await?;
        let mut warned = Warned::plain(row);
        if used > 0 {
            means(desk, &mut warned, used);
        }
        all.push(warned);
    }
    Ok(all)
}

/// Of an inactive profile: its mailboxes wait, and keep their test results.
fn stops(desk: &Desk, warned: &mut Warned, used: u64) {
    warned.notes.push(desk.viewer.texts.counted(
        "1 mailbox uses it and waits until it is active again.",
        "{0} mailboxes use it and wait until it is active again.",
        &used,
    ));
}

/// Of a deleted one: they are without a profile and untested.
fn loses(desk: &Desk, warned: &mut Warned, used: u64) {
    warned.warnings.push(desk.viewer.texts.counted(
        "the test results of 1 mailbox that uses it",
        "the test results of {0} mailboxes that use it",
        &used,
    ));
}

async fn set_default(desk: Desk, form: Form) -> Outcome {
    let ids = form.ids("id");
    let [row] = ids.as_slice() else {
        return Err(Fault::bad("One profile can be the default. Select only that."));
    };
    let organization = organization(&desk).await?;
    let organization =
        organization.ok_or_else(|| Fault::new(StatusCode::FORBIDDEN, "You may not see the settings."))?;
    let this = Ref::new(EmailServerProfile::TABLE.logical, *row);
    let draft = Draft::new(Organization::TABLE).with(Organization::C.default_profile, Some(this));
    actions::update(&desk.ctx, organization.id, draft, Precondition::Exists).await?;
    grid::back(&SPEC, &form, "saved")
}
