//! Mailboxes.

use std::collections::BTreeMap;
use std::sync::Arc;

use actions::bulk::Deed;
use actions::{Draft, Special, Wish};
use axum::Router;
use axum::routing::post;
use model::tables::{Mailbox, State};
use model::{Entity, Value};

use crate::pages::grid::{self, Chosen, Link, Row, Spec, Warned, command};
use crate::pages::kit::{Desk, Fault, Form, Outcome, Place, go};
use crate::state::AppState;

pub(super) static SPEC: Spec = Spec {
    table: Mailbox::TABLE,
    title: "Mailboxes",
    place: Place::Mailboxes,
    base: "/settings/mailboxes",
    row: Row::Below("/settings/mailboxes/"),
    links: &[Link {
        label: "New Forward Mailbox",
        path: "/settings/mailboxes/new",
        needs: Wish::Create(Mailbox::TABLE),
        key: "c",
    }],
    commands: &[
        command("Edit", "edit", Wish::Write(Mailbox::TABLE)),
        command("Approve Email", "approve", APPROVES).does(|_| Deed::Approve),
        command("Reject Email", "reject", APPROVES).does(|_| Deed::Reject).danger().asks(
            "Where approval is required, these mailboxes neither receive nor send until their addresses are approved.",
        ),
        command("Test & Enable Mailboxes", "test", Wish::Special(Special::TestMailbox)).does(|_| Deed::Test),
        command("Apply Default Email Settings", "defaults", Wish::Write(Mailbox::TABLE))
            .does(|form| Deed::ApplyDefaults { test: form.ticked("test") })
            .asks("The mailboxes get the methods and the server profile of the Email Configuration Settings. Where these differ from what they have, their test results are reset.")
            .ticks("test", "Test & enable the selected mailboxes with the updated settings"),
        command("Activate", "activate", Wish::Write(Mailbox::TABLE)).does(|_| state(State::Active)),
        command("Deactivate", "deactivate", Wish::Write(Mailbox::TABLE))
            .does(|_| state(State::Inactive))
            .danger()
            .asks("Inactive mailboxes neither receive nor send. After Activate they must be tested and enabled again.")
            .warns(|desk, rows, deed| Box::pin(foreseen(desk, rows, deed))),
        command("Alerts", "alerts", Wish::Read(model::tables::TraceLog::TABLE)),
        command("Download Mailbox Details", "details", Wish::Read(Mailbox::TABLE)),
    ],
    filters: &["emailserverprofile"],
    empty: "Mailboxes of users and queues come with them. Choose another view, or create a forward mailbox.",
};

const APPROVES: Wish = Wish::Special(Special::ApproveEmailAddresses);
/// Mailboxes in one file of details.
const MOST_DETAILS: usize = 500;
/// Mailboxes whose identifiers fit into an address.
const MOST_IN_ADDRESS: usize = 50;

fn state(state: State) -> Deed {
    Deed::set(Mailbox::C.state.name, Value::Int(state.number()))
}

pub(super) fn routes() -> Router<Arc<AppState>> {
    grid::routes(&SPEC)
        .route("/settings/mailboxes/alerts", post(alerts))
        .route("/settings/mailboxes/details", post(details))
}

/// What the change means for each of the rows.
pub(super) async fn foreseen(desk: &Desk, rows: Vec<Chosen>, deed: &Deed) -> Result<Vec<Warned>, Fault> {
    let values = if let Deed::Set(values) = deed { values.clone() } else { BTreeMap::new() };
    let draft = Draft { values, ..Draft::new(Mailbox::TABLE) };
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let mut warned = Warned::plain(row);
        match actions::foresee(&desk.ctx, warned.row.id, draft.clone()).await {
            Ok(foreseen) => {
                let resets = actions::mailbox::resets(&foreseen, false)?;
                warned.warnings = resets.into_iter().map(|r| desk.t(r)).collect();
            }
            Err(error) => {
                let refusals = Fault::refusals(error)?;
                warned.refused = refusals.iter().map(|r| desk.words(&r.message)).collect();
            }
        }
        all.push(warned);
    }
    Ok(all)
}

/// The alerts of the mailboxes.
async fn alerts(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form, MOST_IN_ADDRESS).await?;
    let ids: Vec<String> = rows.iter().map(|r| r.id.to_string()).collect();
    go(&format!("/settings/alerts?only=regardingobjectid:{}", ids.join(",")))
}

async fn details(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form, MOST_DETAILS).await?;
    let mut text = String::new();
    for row in &rows {
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(&actions::mailbox::details(&desk.ctx, row.id).await?);
    }
    grid::file("mailbox-details.txt", "text/plain; charset=utf-8", text)
}
