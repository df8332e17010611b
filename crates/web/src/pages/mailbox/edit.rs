//! The form: shown, checked while one types, saved.

use actions::{ActionError, Draft, Precondition};
use askama::Template;
use axum::http::StatusCode;
use model::tables::Mailbox;
use model::{Entity, Id, Record, Refusal, Value, Words};

use super::fields::{self, COLUMNS};
use super::typed::Typed;
use super::view::{Attempt, Foreseen, shown, token};
use super::{Number, at, row};
use crate::pages::kit::{self, Desk, Fault, Field, Form, Frame, Outcome, Place};

/// How often a save is tried anew because the service wrote to the record.
const TRIES: usize = 5;

/// `GET /settings/mailboxes/{id}`
pub(super) async fn page(desk: Desk, Number(id): Number) -> Outcome {
    let held = row(&desk, id).await?;
    shown(&desk, Some(held), &Form::default(), Attempt::default()).await
}

/// `GET /settings/mailboxes/new`; the query may fill fields in already.
pub(super) async fn new(desk: Desk) -> Outcome {
    shown(&desk, None, &desk.query, Attempt::default()).await
}

/// `POST /settings/mailboxes/{id}`
pub(super) async fn save(desk: Desk, Number(id): Number, form: Form) -> Outcome {
    let mut held = row(&desk, id).await?;
    for _ in 0..TRIES {
        let typed = typed(&desk, &form);
        let overtaken = typed.overtaken(&held);
        if !overtaken.is_empty() {
            return shown(&desk, Some(held), &form, Attempt { overtaken, ..Attempt::default() }).await;
        }
        let draft = match draft(&desk, &typed, Some(&held)) {
            Ok(draft) => draft,
            Err(refusal) => return refused(&desk, Some(held), &form, vec![refusal]).await,
        };
        if draft.values.is_empty() && draft.faults.is_empty() {
            return saved(id, &form, "saved");
        }
        let preview = actions::mailbox::preview(&desk.ctx, Some(id), draft.clone()).await?;
        if preview.refusals.is_empty() && preview.loses && form.text("confirmed") != token(&preview) {
            return shown(&desk, Some(held), &form, Attempt { confirm: true, ..Attempt::default() }).await;
        }
        let version = held.get("versionnumber").as_int();
        let precondition = version.map_or(Precondition::Exists, Precondition::Version);
        match actions::update(&desk.ctx, id, draft, precondition).await {
            Ok(_) => return saved(id, &form, "saved"),
            Err(ActionError::Refused(refusals)) if is_race(&refusals.0) => held = row(&desk, id).await?,
            Err(error) => {
                let refusals = Fault::refusals(error)?;
                return refused(&desk, Some(held), &form, refusals).await;
            }
        }
    }
    Err(Fault::new(StatusCode::CONFLICT, "The mailbox is being changed by others just now. Try again."))
}

/// `POST /settings/mailboxes/new`
pub(super) async fn create(desk: Desk, form: Form) -> Outcome {
    let typed = typed(&desk, &form);
    let draft = match draft(&desk, &typed, None) {
        Ok(draft) => draft,
        Err(refusal) => return refused(&desk, None, &form, vec![refusal]).await,
    };
    match actions::create(&desk.ctx, draft).await {
        Ok(id) => saved(id, &form, "created"),
        Err(error) => {
            let refusals = Fault::refusals(error)?;
            refused(&desk, None, &form, refusals).await
        }
    }
}

fn is_race(refusals: &[Refusal]) -> bool {
    refusals.iter().any(|refusal| refusal.name == "ConcurrencyVersionMismatch")
}

fn saved(id: Id, form: &Form, word: &str) -> Outcome {
    if form.ticked("close") {
        kit::go(&format!("/settings/mailboxes?done={word}"))
    } else {
        kit::go(&format!("{}?done={word}", at(id)))
    }
}

async fn refused(desk: &Desk, held: Option<Record>, form: &Form, refusals: Vec<Refusal>) -> Outcome {
    // What does not concern the form at all is a page of its own.
    if refusals.iter().any(|refusal| refusal.code == Refusal::ABSENT && refusal.field.is_none()) {
        return Err(ActionError::Refused(model::Refusals(refusals)).into());
    }
    shown(desk, held, form, Attempt { refusals, ..Attempt::default() }).await
}

pub(super) fn typed<'a>(desk: &'a Desk, form: &'a Form) -> Typed<'a> {
    Typed { table: Mailbox::TABLE, columns: COLUMNS, form, zone: &desk.viewer.zone }
}

/// What the form changes, the password included.
pub(super) fn draft(desk: &Desk, typed: &Typed<'_>, held: Option<&Record>) -> Result<Draft, Refusal> {
    let mut draft = typed.draft(held);
    if held.is_none() {
        draft.values.insert(Mailbox::C.is_forward.name, Value::Bool(true));
    }
    let password = typed.form.text("password");
    if !password.is_empty() {
        if !fields::may_type_secrets(desk) {
            return Err(Refusal::invalid(Some("password"), Words::foreign(desk.t(fields::IN_CLEAR))));
        }
        draft.values.insert("password", Value::Secret(typed.form.secret("password")));
    } else if typed.form.ticked("forgetpassword") {
        draft.values.insert("password", Value::Null);
    }
    Ok(draft)
}

#[derive(Template)]
#[template(path = "mailbox/foreseen.html")]
struct ForeseenPart {
    frame: Frame,
    foreseen: Foreseen,
    /// Depends on the profile that is chosen.
    act: Field,
}

/// `POST /settings/mailboxes/{id}/check`: what saving this would do.
pub(super) async fn check(desk: Desk, Number(id): Number, form: Form) -> Outcome {
    let held = row(&desk, id).await?;
    checked(&desk, Some(held), &form).await
}

/// `POST /settings/mailboxes/new/check`
pub(super) async fn check_new(desk: Desk, form: Form) -> Outcome {
    checked(&desk, None, &form).await
}

async fn checked(desk: &Desk, held: Option<Record>, form: &Form) -> Outcome {
    let typed = typed(desk, form);
    let draft = draft(desk, &typed, held.as_ref()).unwrap_or_else(|_| typed.draft(held.as_ref()));
    let mut preview = actions::mailbox::preview(&desk.ctx, held.as_ref().map(|row| row.id), draft).await?;
    if held.is_none() {
        // A form that is half filled in is not wrong yet.
        preview.refusals.retain(|refusal| form.get(refusal.field.unwrap_or_default()).is_some());
    }
    let act = fields::act(desk, &typed, held.as_ref(), &preview);
    let frame = desk.frame("Mailbox", Place::Mailboxes);
    kit::show(&ForeseenPart { foreseen: Foreseen::of(desk, &preview), act, frame })
}
