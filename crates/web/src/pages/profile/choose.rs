//! A new profile: first the provider, then its form. The settings can be
//! looked up from an address instead.

use askama::Template;
use axum::http::StatusCode;
use model::discovery::{Found, InquiryState, Protocol};
use model::tables::{EmailServerProfile, Inquiry};
use model::{Entity, Record, Value};

use super::inquiry::{self, Told};
use super::provider::Provider;
use super::{form, may_create};
use crate::pages::kit::{self, Desk, Fault, Field, Frame, Input, Outcome, Place};

pub(super) struct Card {
    pub label: String,
    pub told: String,
    pub to: String,
    /// Cannot be worked with yet.
    pub idle: bool,
}

#[derive(Template)]
#[template(path = "profile/choose.html")]
struct Choose {
    frame: Frame,
    cards: Vec<Card>,
    address: Field,
    /// What is being looked up.
    told: Option<Told>,
}

/// `GET /settings/profiles/new[?provider=imap][&inquiry=ID]`
pub(super) async fn page(desk: Desk) -> Outcome {
    if !may_create(&desk) {
        return Err(Fault::new(StatusCode::FORBIDDEN, "You may not create email server profiles."));
    }
    let looked = match desk.query.id("inquiry") {
        Some(id) => Some(actions::inquiry::look(&desk.ctx, id).await?),
        None => None,
    };
    if let Some(provider) = Provider::by_key(desk.query.text("provider")) {
        let record = start_values(provider, looked.as_ref());
        let address = looked.as_ref().map(|i| i.address.clone()).unwrap_or_default();
        return form::blank(&desk, provider, &record, &address).await;
    }
    choice(&desk, looked.as_ref(), Vec::new()).await
}

/// The choice, with what was refused about the address.
pub(super) async fn choice(desk: &Desk, looked: Option<&Inquiry>, faults: Vec<model::Refusal>) -> Outcome {
    let wrong = !faults.is_empty();
    let typed = looked.map_or_else(|| desk.query.text("address").to_owned(), |i| i.address.clone());
    let mut address = Field::new("address", desk.t("Email Address"), Input::Email)
        .value(typed)
        .refused(&desk.viewer, &faults)
        .required();
    address.autocomplete = "email";
    if address.faults.is_empty() {
        address.faults.extend(faults.iter().map(|fault| desk.words(&fault.message)));
    }
    let card = |provider: Provider| Card {
        label: desk.t(provider.label()),
        told: desk.t(provider.told()),
        to: format!("/settings/profiles/new?provider={}", provider.key()),
        idle: provider.is_exchange(),
    };
    let page = Choose {
        frame: desk.frame("New Email Server Profile", Place::Profiles),
        cards: Provider::ALL.into_iter().map(card).collect(),
        address,
        told: looked.map(|inquiry| inquiry::told(desk, inquiry)),
    };
    if wrong { Ok(crate::pages::page(StatusCode::BAD_REQUEST, &page)) } else { kit::show(&page) }
}

/// What the form begins with: the provider's own, or what was looked up.
fn start_values(provider: Provider, looked: Option<&Inquiry>) -> Record {
    let c = EmailServerProfile::C;
    let mut record = Record::with_defaults(EmailServerProfile::TABLE, model::Id::nil());
    record.put(c.server_type, provider.server_type());
    if let Some((incoming, incoming_port, outgoing, outgoing_port)) = provider.known() {
        record.put(c.incoming_location, incoming.to_owned());
        record.put(c.incoming_port, Some(incoming_port.into()));
        record.put(c.outgoing_location, outgoing.to_owned());
        record.put(c.outgoing_port, Some(outgoing_port.into()));
    }
    let Some(inquiry) = looked.filter(|inquiry| inquiry.state == InquiryState::Done) else { return record };
    let found = formats::inquiry::read_found(&inquiry.result);
    fill(&mut record, provider, &found);
    let domain = inquiry.address.rsplit_once('@').map(|(_, domain)| domain).unwrap_or_default();
    record.set(c.name.name, Value::Text(domain.to_owned()));
    record
}

fn fill(record: &mut Record, provider: Provider, found: &Found) {
    let c = EmailServerProfile::C;
    let incoming = if provider == Provider::Pop3 { Protocol::Pop3 } else { Protocol::Imap };
    if let Some(server) = found.best(incoming) {
        record.put(c.incoming_location, server.host.clone());
        record.put(c.incoming_port, Some(server.port.into()));
    }
    if let Some(server) = found.best(Protocol::Smtp) {
        record.put(c.outgoing_location, server.host.clone());
        record.put(c.outgoing_port, Some(server.port.into()));
    }
}
