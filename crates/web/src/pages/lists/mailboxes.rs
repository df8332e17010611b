//! Mailboxes.

use std::sync::Arc;

use actions::{Draft, Precondition, Special, Wish};
use axum::Router;
use axum::routing::post;
use model::tables::{Mailbox, State};
use model::{Entity, Id};

use crate::pages::grid::{self, Chosen, Command, Confirm, Link, Row, Spec, Warned, command};
use crate::pages::kit::{Desk, Fault, Form, Outcome, Place, go};
use crate::pages::lists::tests;
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
        command("Approve Email", "approve", Wish::Special(Special::ApproveEmailAddresses)),
        command("Reject Email", "reject", Wish::Special(Special::ApproveEmailAddresses)),
        command("Test & Enable Mailboxes", "test", Wish::Special(Special::TestMailbox)),
        command("Apply Default Email Settings", "defaults", Wish::Write(Mailbox::TABLE)),
        command("Activate", "activate", Wish::Write(Mailbox::TABLE)),
        Command { danger: true, ..command("Deactivate", "deactivate", Wish::Write(Mailbox::TABLE)) },
        command("Alerts", "alerts", Wish::Read(model::tables::TraceLog::TABLE)),
        command("Download Mailbox Details", "details", Wish::Read(Mailbox::TABLE)),
    ],
    filters: &["emailserverprofile"],
    empty: "Mailboxes of users and queues come with them. Choose another view, or create a forward mailbox.",
};

/// Rows that a page foresees the change of; of more it says only what holds
/// for all.
const FORESEEN: usize = 100;
/// Mailboxes in one file of details.
const MOST_DETAILS: usize = 200;

pub(super) fn routes() -> Router<Arc<AppState>> {
    grid::routes(&SPEC)
        .route("/settings/mailboxes/approve", post(approve))
        .route("/settings/mailboxes/reject", post(reject))
        .route("/settings/mailboxes/reject/yes", post(reject_yes))
        .route("/settings/mailboxes/test", post(test))
        .route("/settings/mailboxes/defaults", post(defaults))
        .route("/settings/mailboxes/defaults/yes", post(defaults_yes))
        .route("/settings/mailboxes/activate", post(activate))
        .route("/settings/mailboxes/deactivate", post(deactivate))
        .route("/settings/mailboxes/deactivate/yes", post(deactivate_yes))
        .route("/settings/mailboxes/alerts", post(alerts))
        .route("/settings/mailboxes/details", post(details))
}

async fn approve(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let done = grid::each(&desk, &rows, |id| actions::mailbox::approve(&desk.ctx, id)).await;
    grid::results(&desk, &SPEC, &form, "Approve Email", done, None)
}

async fn reject(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let asking = Confirm {
        title: "Reject Email",
        text: desk.t(
            "Where approval is required, these mailboxes neither receive nor send until their addresses are approved.",
        ),
        button: "Reject Email",
        action: "reject/yes",
        danger: true,
        rows: rows.into_iter().map(Warned::plain).collect(),
        tick: None,
        fields: Vec::new(),
    };
    grid::confirm(&desk, &SPEC, &form, asking)
}

async fn reject_yes(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let done = grid::each(&desk, &rows, |id| actions::mailbox::reject(&desk.ctx, id)).await;
    grid::results(&desk, &SPEC, &form, "Reject Email", done, None)
}

async fn test(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let done = grid::each(&desk, &rows, |id| actions::mailbox::test(&desk.ctx, id)).await;
    let follow = tests::follow(&desk, &done);
    grid::results(&desk, &SPEC, &form, "Test & Enable Mailboxes", done, follow)
}

async fn defaults(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let asking = Confirm {
        title: "Apply Default Email Settings",
        text: desk.t("The mailboxes get the methods and the server profile of the Email Configuration Settings. Where these differ from what they have, their test results are reset."),
        button: "Apply Default Email Settings",
        action: "defaults/yes",
        danger: false,
        rows: rows.into_iter().map(Warned::plain).collect(),
        tick: Some(("test", desk.t("Test & enable the selected mailboxes with the updated settings"))),
        fields: Vec::new(),
    };
    grid::confirm(&desk, &SPEC, &form, asking)
}

async fn defaults_yes(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let test = form.ticked("test");
    let done = grid::each(&desk, &rows, |id| actions::mailbox::apply_defaults(&desk.ctx, id, test)).await;
    let follow = if test { tests::follow(&desk, &done) } else { None };
    grid::results(&desk, &SPEC, &form, "Apply Default Email Settings", done, follow)
}

async fn activate(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let done = grid::each(&desk, &rows, |id| set_state(&desk, id, State::Active)).await;
    grid::results(&desk, &SPEC, &form, "Activate", done, None)
}

async fn deactivate(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let draft = Draft::new(Mailbox::TABLE).with(Mailbox::C.state, State::Inactive);
    let asking = Confirm {
        title: "Deactivate",
        text: desk
            .t("Inactive mailboxes neither receive nor send. After Activate they must be tested and enabled again."),
        button: "Deactivate",
        action: "deactivate/yes",
        danger: true,
        rows: foreseen(&desk, rows, &draft).await?,
        tick: None,
        fields: Vec::new(),
    };
    grid::confirm(&desk, &SPEC, &form, asking)
}

async fn deactivate_yes(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let done = grid::each(&desk, &rows, |id| set_state(&desk, id, State::Inactive)).await;
    grid::results(&desk, &SPEC, &form, "Deactivate", done, None)
}

async fn set_state(desk: &Desk, id: Id, state: State) -> Result<actions::Saved, actions::ActionError> {
    let draft = Draft::new(Mailbox::TABLE).with(Mailbox::C.state, state);
    actions::update(&desk.ctx, id, draft, Precondition::Exists).await
}

/// What the change means for each of the first rows.
pub(super) async fn foreseen(desk: &Desk, rows: Vec<Chosen>, draft: &Draft) -> Result<Vec<Warned>, Fault> {
    let mut all = Vec::with_capacity(rows.len());
    for (n, row) in rows.into_iter().enumerate() {
        let mut warned = Warned::plain(row);
        if n < FORESEEN {
            match actions::foresee(&desk.ctx, warned.row.id, draft.clone()).await {
                Ok(foreseen) => {
                    let resets = actions::mailbox::resets(&foreseen, false)?;
                    warned.warnings = resets.into_iter().map(|r| desk.t(r)).collect();
                }
                Err(error) => {
                    let refusals = Fault::refusals(error)?;
                    warned.refused = refusals.iter().map(|r| desk.t(&r.message)).collect();
                }
            }
        }
        all.push(warned);
    }
    Ok(all)
}

/// The alerts of the mailboxes.
async fn alerts(desk: Desk, form: Form) -> Outcome {
    // So many fit into an address.
    const MOST: usize = 50;
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let ids: Vec<String> = rows.iter().take(MOST).map(|r| r.id.to_string()).collect();
    go(&format!("/settings/alerts?only=regardingobjectid:{}", ids.join(",")))
}

async fn details(desk: Desk, form: Form) -> Outcome {
    let rows = grid::chosen(&desk, &SPEC, &form).await?;
    let mut text = String::new();
    for row in rows.iter().take(MOST_DETAILS) {
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(&actions::mailbox::details(&desk.ctx, row.id).await?);
    }
    grid::file("mailbox-details.txt", "text/plain; charset=utf-8", text)
}
