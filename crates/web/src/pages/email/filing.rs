//! Where an email belongs: what it is about, whose addresses stand in it; and
//! what is done with the whole of it.

use actions::{Draft, Precondition, Wish, permitted, unresolved};
use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use model::tables::{Contact, Email, EmailState, EmailStatus, Lead, REGARDING};
use model::{Entity, Id, Ref, Refusal, Table, Value};

use crate::pages::email::{choices, draft, id, loaded, read};
use crate::pages::kit::{self, Choice, Desk, Fault, Field, Form, Frame, Input, Outcome, Place};

/// Records of each kind that are offered.
const EACH: usize = 10;

#[derive(Template)]
#[template(path = "email/regarding.html")]
struct RegardingPage {
    frame: Frame,
    id: String,
    subject: String,
    now: String,
    q: String,
    choices: Vec<Choice>,
}

/// `GET /work/emails/{id}/regarding[?q=]`
pub(super) async fn choose(desk: Desk, Path(name): Path<String>) -> Outcome {
    let loaded = loaded::load(&desk.ctx, id(&name)?).await?;
    let q = desk.query.get("q").unwrap_or_default().to_owned();
    let now = match loaded.email.regarding {
        Some(record) => choices::named(&desk.ctx, &desk, record).await?,
        None => String::new(),
    };
    kit::show(&RegardingPage {
        frame: desk.frame("Change Regarding", Place::Activities).with_help("email"),
        id: loaded.email.id.to_string(),
        subject: read::subject(&desk, &loaded.email),
        choices: if q.trim().is_empty() {
            of_parties(&desk, &loaded).await?
        } else {
            choices::records(&desk, &q, EACH).await?
        },
        now,
        q,
    })
}

/// Those whose addresses stand in it: it is mostly about one of them.
async fn of_parties(desk: &Desk, loaded: &loaded::Loaded) -> Result<Vec<Choice>, Fault> {
    let mut found: Vec<Ref> = Vec::new();
    for record in loaded.parties.iter().filter_map(|p| p.party).filter(|p| REGARDING.contains(&p.table)) {
        if !found.contains(&record) && found.len() < EACH && Some(record) != loaded.email.regarding {
            found.push(record);
        }
    }
    let mut choices = Vec::new();
    for record in found {
        choices.push(Choice::new(choices::key(record), choices::named(&desk.ctx, desk, record).await?));
    }
    Ok(choices)
}

/// `POST /work/emails/{id}/regarding`
pub(super) async fn regarding(desk: Desk, Path(name): Path<String>, form: Form) -> Outcome {
    let id = id(&name)?;
    let record = match form.text("do") {
        "clear" => None,
        _ => Some(choices::record(form.text("record"), REGARDING).ok_or_else(|| Fault::bad("Choose a record."))?),
    };
    let draft = Draft::new(Email::TABLE).with(Email::C.regarding, record);
    actions::update(&desk.ctx, id, draft, Precondition::Exists).await?;
    kit::go(&format!("/work/emails/{id}?as=read&done=saved"))
}

/// `POST /work/emails/{id}/state`
pub(super) async fn state(desk: Desk, Path(name): Path<String>, form: Form) -> Outcome {
    let id = id(&name)?;
    match form.text("do") {
        "delete" => {
            actions::delete(&desk.ctx, Email::TABLE, id, Precondition::Exists).await?;
            kit::go("/work/activities?done=deleted")
        }
        "recall" => {
            recall(&desk, id).await?;
            kit::go(&format!("/work/emails/{id}/edit?done=done"))
        }
        "now" => {
            recall(&desk, id).await?;
            let draft = Draft::new(Email::TABLE).with(Email::C.delayed_send, None);
            actions::update(&desk.ctx, id, draft, Precondition::Exists).await?;
            actions::email::send(&desk.ctx, id, true, None).await?;
            kit::go(&format!("/work/emails/{id}?done=sent"))
        }
        action @ ("send" | "mark") => {
            actions::email::send(&desk.ctx, id, action == "send", None).await?;
            kit::go(&format!("/work/emails/{id}?done={}", if action == "send" { "sent" } else { "done" }))
        }
        _ => Err(Fault::bad("There is no such command.")),
    }
}

/// What waits to be sent is a draft again.
async fn recall(desk: &Desk, id: Id) -> Result<(), Fault> {
    let draft =
        Draft::new(Email::TABLE).with(Email::C.status, EmailStatus::Draft).with(Email::C.state, EmailState::Open);
    actions::update(&desk.ctx, id, draft, Precondition::Exists).await?;
    Ok(())
}

#[derive(Template)]
#[template(path = "email/resolve.html")]
struct ResolvePage {
    frame: Frame,
    faults: Vec<String>,
    id: String,
    address: String,
    name: String,
    q: String,
    choices: Vec<Choice>,
    may_create: bool,
    may_create_lead: bool,
    first: Field,
    last: Field,
}

/// `GET /work/emails/{id}/resolve?address=[&q=]`
pub(super) async fn who(desk: Desk, Path(name): Path<String>) -> Outcome {
    let address = desk.query.text("address").trim().to_owned();
    resolving(&desk, id(&name)?, address, desk.query.clone(), &[]).await
}

async fn resolving(desk: &Desk, email: Id, address: String, form: Form, refusals: &[Refusal]) -> Outcome {
    let loaded = loaded::load(&desk.ctx, email).await?;
    let known = loaded.parties.iter().find(|p| p.address.eq_ignore_ascii_case(&address)).ok_or_else(Fault::absent)?;
    let name = if known.name == known.address { String::new() } else { known.name.clone() };
    // Their name is the best guess of what to look for.
    let q = if form.has("q") { form.text("q").trim().to_owned() } else { name.clone() };
    let (first, last) = match name.rsplit_once(' ') {
        Some((first, last)) => (first.to_owned(), last.to_owned()),
        None => (String::new(), name.clone()),
    };
    let given = |field: &str, guess: String| if form.has(field) { form.text(field).to_owned() } else { guess };
    let texts = desk.viewer.texts;
    let page = ResolvePage {
        frame: desk.frame("Resolve Address", Place::Activities).with_help("email"),
        faults: refusals
            .iter()
            .filter(|r| !matches!(r.field, Some("firstname" | "lastname")))
            .map(|r| desk.words(&r.message))
            .collect(),
        id: email.to_string(),
        choices: choices::records(desk, &q, EACH).await?,
        may_create: permitted(&desk.ctx, Wish::Create(Contact::TABLE)),
        may_create_lead: permitted(&desk.ctx, Wish::Create(Lead::TABLE)),
        first: Field::new("firstname", texts.text("First Name"), Input::Line)
            .value(given("firstname", first))
            .refused(&desk.viewer, refusals),
        last: Field::new("lastname", texts.text("Last Name"), Input::Line)
            .value(given("lastname", last))
            .refused(&desk.viewer, refusals),
        address,
        name,
        q,
    };
    let status = if refusals.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok(crate::pages::page(status, &page))
}

/// `POST /work/emails/{id}/resolve`
pub(super) async fn resolve(desk: Desk, Path(name): Path<String>, form: Form) -> Outcome {
    let email = id(&name)?;
    let address = form.text("address").trim().to_owned();
    let new = match form.text("do") {
        "create" => Some(Contact::TABLE),
        "lead" => Some(Lead::TABLE),
        _ => None,
    };
    let made = if let Some(table) = new {
        let text = |name: &str| Value::Text(form.text(name).trim().to_owned());
        let person = Draft::new(table)
            .set("firstname", text("firstname"))
            .set("lastname", text("lastname"))
            .set("emailaddress1", Value::Text(address.clone()));
        draft::refused(actions::create(&desk.ctx, person).await)?.map(|id| Ref::new(table.logical, id))
    } else {
        let record = choices::record(form.text("record"), unresolved::TARGETS);
        Ok(record.ok_or_else(|| Fault::bad("Choose a record."))?)
    };
    let target = match made {
        Ok(target) => target,
        Err(refusals) => return resolving(&desk, email, address, form, &refusals).await,
    };
    if form.ticked("add")
        && let Err(refusals) = add_address(&desk, target, &address).await?
    {
        return resolving(&desk, email, address, form, &refusals).await;
    }
    match draft::refused(unresolved::resolve(&desk.ctx, &address, target).await)? {
        Ok(_) => kit::go(&format!("/work/emails/{email}?as=read&done=saved")),
        Err(refusals) => resolving(&desk, email, address, form, &refusals).await,
    }
}

/// Into the first e-mail column that is empty, unless the record has it.
async fn add_address(desk: &Desk, target: Ref, address: &str) -> Result<Result<(), Vec<Refusal>>, Fault> {
    const COLUMNS: [&str; 3] = ["emailaddress1", "emailaddress2", "emailaddress3"];
    let table: Option<&'static Table> = model::tables::by_logical_name(target.table);
    let table = table.ok_or_else(Fault::absent)?;
    let row = actions::read(&desk.ctx, table, target.id, COLUMNS.to_vec()).await?;
    let value = |c: &str| row.get(c).as_text().unwrap_or_default();
    if COLUMNS.iter().any(|c| value(c).eq_ignore_ascii_case(address)) {
        return Ok(Ok(()));
    }
    let Some(free) = COLUMNS.into_iter().find(|c| value(c).is_empty()) else { return Ok(Ok(())) };
    let draft = Draft::new(table).set(free, Value::Text(address.to_owned()));
    Ok(draft::refused(actions::update(&desk.ctx, target.id, draft, Precondition::Exists).await)?.map(|_| ()))
}
