//! The form of a profile, new or not: Save, Save & Close, and what a change
//! means for its mailboxes before it is saved.

use actions::profile::Consequences;
use actions::{Precondition, Wish, permitted};
use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use model::tables::{EmailServerProfile, Organization, State};
use model::{Entity, Id, Record, Ref, Refusal, Timestamp, tables};

use super::fields::{self, Section, Source};
use super::mailboxes::{self, Mailboxes};
use super::provider::Provider;
use super::{draft, may_create, may_write};
use crate::pages::kit::{self, Desk, Fault, Field, Form, Frame, Outcome, Place};
use crate::pages::watch::connections::{self, Connections};

#[derive(Template)]
#[template(path = "profile/form.html")]
struct Page {
    frame: Frame,
    /// Empty for a new one.
    id: String,
    version: String,
    provider: Provider,
    provider_label: String,
    server_type: String,
    /// What cannot be done with such a profile yet.
    idle: String,
    sections: Vec<Section>,
    trial: Vec<Field>,
    /// Faults that belong to no field of the form.
    faults: Vec<String>,
    wrong: bool,
    writable: bool,
    standing: Option<Standing>,
    /// Make it the default while it is saved.
    make_default: Option<Field>,
}

/// What is known of a profile that is there.
struct Standing {
    active: bool,
    owner: String,
    modified: Option<Timestamp>,
    is_default: bool,
    may_default: bool,
    may_assign: bool,
    deletable: bool,
    servers: Vec<Server>,
    connections: Connections,
    mailboxes: Mailboxes,
}

/// A server that failed lately.
struct Server {
    name: String,
    failures: i64,
    until: Option<Timestamp>,
    error: String,
}

/// The form of a new profile.
pub(super) async fn blank(desk: &Desk, provider: Provider, record: &Record, address: &str) -> Outcome {
    let page = new_page(desk, provider, record, address, &[])?;
    kit::show(&page)
}

fn new_page(
    desk: &Desk,
    provider: Provider,
    record: &Record,
    address: &str,
    refusals: &[Refusal],
) -> Result<Page, Fault> {
    if !may_create(desk) {
        return Err(Fault::new(StatusCode::FORBIDDEN, "You may not create email server profiles."));
    }
    let source = Source { desk, provider, record, refusals, mailboxes: 0, writable: true };
    let frame = desk.frame("New Email Server Profile", Place::Profiles);
    let mut page = dressed(&source, frame, address);
    if permitted(&desk.ctx, Wish::Write(Organization::TABLE)) {
        let label = desk.t("Set as default profile for new mailboxes");
        page.make_default = Some(Field::new("default", label, kit::Input::Tick));
    }
    Ok(page)
}

fn dressed(source: &Source<'_>, frame: Frame, address: &str) -> Page {
    let Source { desk, provider, record, refusals, writable, .. } = *source;
    let sections = fields::sections(source);
    let named = |refusal: &&Refusal| !sections.iter().flat_map(|s| &s.fields).any(|f| refusal.field == Some(&f.name));
    let faults = refusals.iter().filter(named).map(|refusal| desk.words(&refusal.message)).collect();
    Page {
        frame,
        id: String::new(),
        version: record.get("versionnumber").as_int().map(|v| v.to_string()).unwrap_or_default(),
        provider,
        provider_label: desk.t(provider.label()),
        server_type: draft::shown(record, EmailServerProfile::C.server_type.name, &desk.viewer.zone),
        idle: if provider.is_exchange() { desk.t(provider.told()) } else { String::new() },
        trial: fields::trial(desk, address, &[]),
        faults,
        wrong: !refusals.is_empty(),
        sections,
        writable,
        standing: None,
        make_default: None,
    }
}

/// `POST /settings/profiles/new`
pub(super) async fn create(desk: Desk, form: Form) -> Outcome {
    let provider = Provider::by_key(form.text("provider")).ok_or_else(Fault::absent)?;
    let draft = draft::of(&desk, &form);
    match actions::create(&desk.ctx, draft.clone()).await {
        Ok(id) => {
            if form.ticked("default") {
                actions::profile::make_default(&desk.ctx, id).await?;
            }
            saved(&form, id, "created")
        }
        Err(error) => {
            let refusals = Fault::refusals(error)?;
            let mut record = Record::with_defaults(EmailServerProfile::TABLE, Id::nil());
            record.values.extend(draft.values);
            let mut page = new_page(&desk, provider, &record, form.text("user"), &refusals)?;
            page.make_default = page.make_default.map(|field| field.ticked(form.ticked("default")));
            Ok(crate::pages::page(StatusCode::BAD_REQUEST, &page))
        }
    }
}

fn saved(form: &Form, id: Id, done: &str) -> Outcome {
    match form.text("then") {
        "close" => kit::go(&format!("/settings/profiles?done={done}")),
        _ => kit::go(&format!("/settings/profiles/{id}?done={done}")),
    }
}

/// `GET /settings/profiles/{id}`
pub(super) async fn page(desk: Desk, Path(id): Path<String>) -> Outcome {
    let id = id.parse().map_err(|_| Fault::absent())?;
    let record = actions::read(&desk.ctx, EmailServerProfile::TABLE, id, Vec::new()).await?;
    kit::show(&edit_page(&desk, &record, &record, &[]).await?)
}

async fn edit_page(desk: &Desk, held: &Record, record: &Record, refusals: &[Refusal]) -> Result<Page, Fault> {
    let profile = EmailServerProfile::from_record(held).map_err(actions::ActionError::from)?;
    let mailboxes = mailboxes::of(desk, profile.id).await?;
    let source = Source {
        desk,
        provider: Provider::of(profile.server_type, &profile.incoming_location),
        record,
        refusals,
        mailboxes: mailboxes.all,
        writable: may_write(desk),
    };
    let frame = desk.frame("Email Server Profile", Place::Profiles).titled(profile.name.clone());
    let mut page = dressed(&source, frame, "");
    page.id = profile.id.to_string();
    page.version = held.get("versionnumber").as_int().map(|v| v.to_string()).unwrap_or_default();
    page.standing = Some(standing(desk, &page.frame, held, &profile, mailboxes).await?);
    Ok(page)
}

async fn standing(
    desk: &Desk,
    frame: &Frame,
    held: &Record,
    profile: &EmailServerProfile,
    mailboxes: Mailboxes,
) -> Result<Standing, Fault> {
    let is_default = actions::profile::is_default(&desk.ctx, profile.id).await?;
    let active = profile.state == State::Active;
    let servers = actions::profile::servers(&desk.ctx, profile).await?.into_iter().flatten();
    let servers = servers.map(|server| Server {
        name: server.name,
        failures: server.failures,
        until: server.open_until.filter(|until| *until > desk.ctx.now),
        error: desk.said(&server.last_error),
    });
    Ok(Standing {
        active,
        owner: match profile.owner {
            Some(owner) => name_of(desk, owner).await,
            None => String::new(),
        },
        modified: held.get("modifiedon").as_time(),
        may_default: active && !is_default && permitted(&desk.ctx, Wish::Write(Organization::TABLE)),
        is_default,
        may_assign: permitted(&desk.ctx, Wish::Assign(EmailServerProfile::TABLE)),
        deletable: permitted(&desk.ctx, Wish::Delete(EmailServerProfile::TABLE)),
        servers: servers.collect(),
        connections: connections::of(frame, &actions::profile::nodes(&desk.ctx, profile.id).await?),
        mailboxes,
    })
}

#[derive(Template)]
#[template(path = "watch/connections.html")]
struct ConnectionsPart {
    frame: Frame,
    connections: Connections,
}

/// `GET /settings/profiles/{id}/connections`: what nodes hold, as it stands now.
pub(super) async fn connections_part(desk: Desk, Path(id): Path<String>) -> Outcome {
    let id: Id = id.parse().map_err(|_| Fault::absent())?;
    if !desk.htmx {
        return kit::go(&format!("/settings/profiles/{id}"));
    }
    let frame = desk.frame("Email Server Profile", Place::Profiles);
    let connections = connections::of(&frame, &actions::profile::nodes(&desk.ctx, id).await?);
    kit::show(&ConnectionsPart { frame, connections })
}

/// The name of a row, where the person may read it.
async fn name_of(desk: &Desk, row: Ref) -> String {
    let Some(table) = tables::by_logical_name(row.table) else { return String::new() };
    let Some(name) = table.name else { return String::new() };
    let found = actions::read(&desk.ctx, table, row.id, vec![name]).await;
    found.ok().and_then(|found| found.get(name).as_text().map(str::to_owned)).unwrap_or_default()
}

/// `POST /settings/profiles/{id}`
pub(super) async fn save(desk: Desk, Path(id): Path<String>, form: Form) -> Outcome {
    let id: Id = id.parse().map_err(|_| Fault::absent())?;
    let draft = draft::of(&desk, &form);
    let precondition = form.number("version").map_or(Precondition::Exists, Precondition::Version);
    match actions::update(&desk.ctx, id, draft.clone(), precondition).await {
        Ok(_) => saved(&form, id, "saved"),
        Err(error) => {
            let refusals = Fault::refusals(error)?;
            let held = actions::read(&desk.ctx, EmailServerProfile::TABLE, id, Vec::new()).await?;
            let mut typed = held.clone();
            typed.values.extend(draft.values);
            let page = edit_page(&desk, &held, &typed, &refusals).await?;
            Ok(crate::pages::page(StatusCode::BAD_REQUEST, &page))
        }
    }
}

#[derive(Template)]
#[template(path = "profile/consequences.html")]
struct Notes {
    notes: Vec<String>,
}

/// `POST /settings/profiles/{id}/consequences`: what saving would mean.
pub(super) async fn consequences(desk: Desk, Path(id): Path<String>, form: Form) -> Outcome {
    let id = id.parse().map_err(|_| Fault::absent())?;
    let draft = draft::of(&desk, &form);
    let found = actions::profile::consequences(&desk.ctx, id, &draft).await?;
    kit::show(&Notes { notes: notes(&desk, found) })
}

fn notes(desk: &Desk, found: Consequences) -> Vec<String> {
    let texts = desk.viewer.texts;
    let mut notes = Vec::new();
    if found.incoming > 0 {
        notes.push(texts.counted(
            "Saving returns the Incoming Email Status of 1 tested mailbox to Not Run: no email is received for it until it passes a test again.",
            "Saving returns the Incoming Email Status of {0} tested mailboxes to Not Run: no email is received for them until they pass a test again.",
            &found.incoming,
        ));
    }
    if found.outgoing > 0 {
        notes.push(texts.counted(
            "Saving returns the Outgoing Email Status of 1 tested mailbox to Not Run: no email is sent for it until it passes a test again.",
            "Saving returns the Outgoing Email Status of {0} tested mailboxes to Not Run: no email is sent for them until they pass a test again.",
            &found.outgoing,
        ));
    }
    notes
}
