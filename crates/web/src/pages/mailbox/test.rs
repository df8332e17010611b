//! Test & Enable Mailbox: the dialog before it.

use actions::{Draft, Precondition};
use askama::Template;
use axum::http::StatusCode;
use model::tables::{Approval, Mailbox};
use model::{Entity, Id, Refusal, Value};

use super::typed::Typed;
use super::{Number, at, row, sentence, whole};
use crate::pages::kit::{self, Desk, Fault, Field, Form, Frame, Outcome, Place};

/// What the dialog asks besides.
const COLUMNS: &[&str] = &["processemailreceivedafter", "orgmarkedasprimaryforexchangesync"];

#[derive(Template)]
#[template(path = "mailbox/test.html")]
struct TestPage {
    frame: Frame,
    id: String,
    name: String,
    since: Field,
    primary: Field,
    /// Why it cannot be tested as it is; and what was refused.
    reasons: Vec<String>,
    running: bool,
    may: bool,
    /// The address is not approved, and the person may do that.
    approve: bool,
}

/// `GET /settings/mailboxes/{id}/test`
pub(super) async fn page(desk: Desk, Number(id): Number) -> Outcome {
    shown(&desk, id, &Form::default(), Vec::new()).await
}

/// `POST /settings/mailboxes/{id}/test`
pub(super) async fn begin(desk: Desk, Number(id): Number, form: Form) -> Outcome {
    let held = row(&desk, id).await?;
    let typed = Typed { table: Mailbox::TABLE, columns: COLUMNS, form: &form, zone: &desk.viewer.zone };
    let mut draft = typed.draft(Some(&held));
    if draft.values.is_empty() && draft.faults.is_empty() {
        // Who may test need not be allowed to write the row.
        draft = Draft::new(Mailbox::TABLE);
    }
    draft.values.insert(Mailbox::C.test_scheduled.name, Value::Bool(true));
    match actions::update(&desk.ctx, id, draft, Precondition::Exists).await {
        Ok(_) => kit::go(&format!("{}#results", at(id))),
        Err(error) => {
            let refusals = Fault::refusals(error)?;
            shown(&desk, id, &form, refusals).await
        }
    }
}

async fn shown(desk: &Desk, id: Id, form: &Form, refusals: Vec<Refusal>) -> Outcome {
    let held = row(desk, id).await?;
    let mailbox = whole(&held)?;
    let standing = actions::mailbox::standing(&desk.ctx, id).await?;
    let preview = actions::mailbox::preview(&desk.ctx, Some(id), Draft::new(Mailbox::TABLE)).await?;
    let typed = Typed { table: Mailbox::TABLE, columns: COLUMNS, form, zone: &desk.viewer.zone };
    let field = |column: &'static str| {
        Field::of(desk.viewer.texts, Mailbox::TABLE, column)
            .value(typed.value(Some(&held), column))
            .refused(&desk.viewer, &refusals)
    };
    let mut since = field(COLUMNS[0])
        .help(desk.t("Messages received before this are passed over. A date in the past brings the messages since then in; that can be many."));
    since.label = desk.t("Process email from");
    let mut primary = field(COLUMNS[1]);
    primary.label = desk.t("Sync items with Exchange from this organization only, even if Exchange was set to sync with a different organization");
    if !preview.is_exchange {
        primary = primary.blocked(desk.t("Only an Exchange server remembers an organization."));
    }
    if !standing.may.write {
        let why = desk.t("You may test this mailbox but not change it.");
        since = since.blocked(why.clone());
        primary = primary.blocked(why);
    }
    // What was refused at a field stands there.
    let elsewhere = refusals.iter().filter(|r| r.field != Some(COLUMNS[0]) && r.field != Some(COLUMNS[1]));
    let untestable = if refusals.is_empty() { standing.untestable.as_slice() } else { &[] };
    let reasons = untestable.iter().chain(elsewhere).map(|refusal| sentence(&desk.words(&refusal.message))).collect();
    let status = if refusals.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = TestPage {
        frame: desk
            .frame("Test & Enable Mailbox", Place::Mailboxes)
            .with_help("mailbox")
            .under(mailbox.name.clone(), at(id)),
        id: id.to_string(),
        name: mailbox.name,
        since,
        primary,
        reasons,
        running: mailbox.test_scheduled,
        may: standing.may.test,
        approve: standing.may.approve && mailbox.approval != Approval::Approved && !mailbox.test_scheduled,
    };
    Ok(crate::pages::page(status, &page))
}
