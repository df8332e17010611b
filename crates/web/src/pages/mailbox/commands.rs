//! The commands of a mailbox that are no edit of its form: approval, state,
//! owner, processing at once, deletion. What takes something back asks first.

use actions::{ActionError, Draft, Precondition};
use askama::Template;
use axum::http::StatusCode;
use model::query::TextMatch;
use model::tables::{Mailbox, State, SystemUser, Team};
use model::{Entity, Filter, Id, Query, Ref, Table, Value};

use super::{Number, at, name_of, row};
use crate::pages::kit::{self, Desk, Fault, Form, Frame, Outcome, Place};

/// Owners that are offered at a time.
const MOST: usize = 50;

#[derive(Template)]
#[template(path = "mailbox/confirm.html")]
pub(super) struct ConfirmPage {
    pub frame: Frame,
    pub name: String,
    pub question: String,
    pub consequences: Vec<String>,
    /// Where the answer is sent, and what with it.
    pub action: String,
    pub hidden: Vec<(&'static str, String)>,
    pub button: String,
    pub back: String,
    pub danger: bool,
    pub fault: String,
}

#[derive(Template)]
#[template(path = "mailbox/assign.html")]
struct AssignPage {
    frame: Frame,
    id: String,
    name: String,
    owner: String,
    search: String,
    /// `systemuser:id`, the name, what it is.
    candidates: Vec<(String, String, String)>,
    more: bool,
    fault: String,
}

/// `POST …/approve`; whoever was about to test it goes on with that.
pub(super) async fn approve(desk: Desk, Number(id): Number, form: Form) -> Outcome {
    actions::mailbox::approve(&desk.ctx, id).await?;
    if form.text("then") == "test" {
        return kit::go(&format!("{}/test?done=done", at(id)));
    }
    kit::go(&format!("{}?done=done", at(id)))
}

/// `POST …/reject`
pub(super) async fn reject(desk: Desk, Number(id): Number) -> Outcome {
    actions::mailbox::reject(&desk.ctx, id).await?;
    kit::go(&format!("{}?done=done", at(id)))
}

/// `POST …/process`: receives and sends now.
pub(super) async fn process(desk: Desk, Number(id): Number) -> Outcome {
    actions::mailbox::process_now(&desk.ctx, id).await?;
    kit::go(&format!("{}?done=due", at(id)))
}

fn state(state: State) -> Draft {
    Draft::new(Mailbox::TABLE).with(Mailbox::C.state, state)
}

/// `POST …/activate`
pub(super) async fn activate(desk: Desk, Number(id): Number) -> Outcome {
    actions::update(&desk.ctx, id, state(State::Active), Precondition::Exists).await?;
    kit::go(&format!("{}?done=done", at(id)))
}

/// `POST …/deactivate`: first says what it takes back.
pub(super) async fn deactivate(desk: Desk, Number(id): Number, form: Form) -> Outcome {
    if form.ticked("confirmed") {
        actions::update(&desk.ctx, id, state(State::Inactive), Precondition::Exists).await?;
        return kit::go(&format!("{}?done=done", at(id)));
    }
    let preview = actions::mailbox::preview(&desk.ctx, Some(id), state(State::Inactive)).await?;
    if !preview.refusals.is_empty() {
        return Err(ActionError::Refused(model::Refusals(preview.refusals)).into());
    }
    let mut consequences: Vec<String> = preview.effects.iter().map(|word| desk.t(word)).collect();
    consequences.extend(preview.resets.iter().map(|word| desk.viewer.texts.with("Taken back: {0}", &[&desk.t(word)])));
    kit::show(&ConfirmPage {
        frame: desk.frame("Deactivate the mailbox", Place::Mailboxes).under(preview.after.name.clone(), at(id)),
        name: preview.after.name,
        question: desk.t("Deactivate this mailbox?"),
        consequences,
        action: format!("{}/deactivate", at(id)),
        hidden: Vec::new(),
        button: desk.t("Deactivate"),
        back: at(id),
        danger: false,
        fault: String::new(),
    })
}

/// `GET …/delete`
pub(super) async fn delete_page(desk: Desk, Number(id): Number) -> Outcome {
    confirm_delete(&desk, id, String::new()).await
}

/// `POST …/delete`
pub(super) async fn delete(desk: Desk, Number(id): Number, form: Form) -> Outcome {
    if !form.ticked("confirmed") {
        return confirm_delete(&desk, id, String::new()).await;
    }
    match actions::delete(&desk.ctx, Mailbox::TABLE, id, Precondition::Exists).await {
        Ok(()) => kit::go("/settings/mailboxes?done=deleted"),
        Err(error) => {
            let refusals = Fault::refusals(error)?;
            let fault = refusals.iter().map(|refusal| desk.words(&refusal.message)).collect::<Vec<_>>().join(" ");
            confirm_delete(&desk, id, fault).await
        }
    }
}

async fn confirm_delete(desk: &Desk, id: Id, fault: String) -> Outcome {
    let held = row(desk, id).await?;
    let status = if fault.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let name = held.get(Mailbox::C.name.name).as_text().unwrap_or_default();
    let page = ConfirmPage {
        frame: desk.frame("Delete the mailbox", Place::Mailboxes).under(name, at(id)),
        name: name.to_owned(),
        question: desk.t("Delete this mailbox?"),
        consequences: vec![
            desk.t(
                "Nothing is received through it any more. What has arrived in the mailbox on the server stays there.",
            ),
            desk.t("Emails that came of its messages stay. Its alerts go with it."),
        ],
        action: format!("{}/delete", at(id)),
        hidden: Vec::new(),
        button: desk.t("Delete"),
        back: at(id),
        danger: true,
        fault,
    };
    Ok(crate::pages::page(status, &page))
}

/// `GET …/assign`
pub(super) async fn assign_page(desk: Desk, Number(id): Number) -> Outcome {
    assigning(&desk, id, String::new()).await
}

/// `POST …/assign`
pub(super) async fn assign(desk: Desk, Number(id): Number, form: Form) -> Outcome {
    let chosen = form.text("owner").split_once(':').and_then(|(table, id)| {
        let table = [SystemUser::TABLE, Team::TABLE].into_iter().find(|t| t.logical == table)?;
        Some(Ref::new(table.logical, id.parse().ok()?))
    });
    let Some(owner) = chosen else {
        let fault = desk.t("Choose a user or team.");
        return assigning(&desk, id, fault).await;
    };
    let draft = Draft::new(Mailbox::TABLE).set(Mailbox::C.owner.name, Value::Ref(owner));
    match actions::update(&desk.ctx, id, draft, Precondition::Exists).await {
        Ok(_) => kit::go(&format!("{}?done=saved", at(id))),
        Err(error) => {
            let refusals = Fault::refusals(error)?;
            let fault = refusals.iter().map(|refusal| desk.words(&refusal.message)).collect::<Vec<_>>().join(" ");
            assigning(&desk, id, fault).await
        }
    }
}

async fn assigning(desk: &Desk, id: Id, fault: String) -> Outcome {
    let held = row(desk, id).await?;
    let search = desk.query.get("search").unwrap_or_default().to_owned();
    let mut candidates = Vec::new();
    let mut more = false;
    let active = Filter::eq(SystemUser::C.is_disabled, false);
    for (table, label, filter) in [(SystemUser::TABLE, "User", active), (Team::TABLE, "Team", Filter::All)] {
        let found = named(desk, table, filter, &search).await?;
        more |= found.len() > MOST;
        let label = desk.t(label);
        candidates.extend(
            found.into_iter().take(MOST).map(|(id, name)| (format!("{}:{id}", table.logical), name, label.clone())),
        );
    }
    let status = if fault.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let name = held.get(Mailbox::C.name.name).as_text().unwrap_or_default();
    let page = AssignPage {
        frame: desk.frame("Assign the mailbox", Place::Mailboxes).under(name, at(id)),
        id: id.to_string(),
        name: name.to_owned(),
        owner: name_of(desk, held.get(Mailbox::C.owner.name).as_ref_to()).await?,
        search,
        candidates,
        more,
        fault,
    };
    Ok(crate::pages::page(status, &page))
}

async fn named(desk: &Desk, table: &'static Table, filter: Filter, search: &str) -> Result<Vec<(Id, String)>, Fault> {
    let Some(name) = table.name else { return Ok(Vec::new()) };
    let account = SystemUser::C.domain_name.name;
    let also = table.column(account).map(|column| column.name);
    let mut query = Query::table(table).filter(filter).limit(MOST + 1);
    if !search.is_empty() {
        let has = |column: &'static str| Filter::Text(column.into(), TextMatch::Contains, search.to_owned());
        query = query.filter(Filter::Or([Some(name), also].into_iter().flatten().map(has).collect()));
    }
    query.select = [Some(name), also].into_iter().flatten().collect();
    query.order = vec![model::Order { column: name.into(), descending: false }];
    let rows = match actions::list(&desk.ctx, query).await {
        Ok(rows) => rows,
        Err(error) if Fault::is_refusal(&error) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let named = |row: model::Record| {
        let text = |column: &str| row.get(column).as_text().unwrap_or_default().to_owned();
        let (name, account) = (text(name), text(account));
        (row.id, if account.is_empty() { name } else { format!("{name} ({account})") })
    };
    Ok(rows.into_iter().map(named).collect())
}
