//! What the first run asks for.

use actions::start::{Begin, Standing, Whose};
use actions::{Wish, permitted};
use model::discovery::{Found, Protocol};
use model::tables::{EmailServerProfile, IncomingFilter, Queue, UserSettings};
use model::{Entity, Query, Refusal, SignedDuration};

use super::FormPage;
use crate::pages::kit::{Choice, Desk, Fault, Field, Form, IN_CLEAR, Input};

pub(super) async fn page(desk: &Desk, typed: &Form, refusals: &[Refusal]) -> Result<FormPage, Fault> {
    let fields = fields(desk, typed, refusals);
    let named = |refusal: &&Refusal| !fields.iter().any(|f| refusal.field == Some(&f.name));
    let faults = refusals.iter().filter(named).map(|refusal| desk.words(&refusal.message)).collect();
    let profiles = actions::count(&desk.ctx, Query::of::<EmailServerProfile>()).await?;
    Ok(FormPage { frame: super::frame(desk), faults, established: profiles > 0, fields })
}

fn fields(desk: &Desk, typed: &Form, refusals: &[Refusal]) -> Vec<Field> {
    let or = |name: &str, otherwise: &str| if typed.has(name) { typed.text(name) } else { otherwise }.to_owned();
    let mut address = Field::new("emailaddress", desk.t("Email Address"), Input::Email)
        .value(or("emailaddress", &desk.current.user.address))
        .required()
        .refused(&desk.viewer, refusals);
    address.autocomplete = "email";
    address.longest = 100;
    let mut password = Field::new("password", desk.t("Password"), Input::Password)
        .help(desk.t("The mailbox's own. With two-step verification most providers want an app password."))
        .required()
        .refused(&desk.viewer, refusals);
    password.longest = 200;
    password.autocomplete = "new-password";
    if !desk.may_type_secrets() {
        password.blocked = desk.t(IN_CLEAR);
    }
    let mut user = Field::new("username", desk.t("User Name"), Input::Line)
        .value(or("username", ""))
        .help(desk.t("Only where it is not the address."))
        .refused(&desk.viewer, refusals);
    user.longest = 200;
    let whose =
        Field::new("whose", desk.t("Whose mailbox is it?"), Input::Radio).value(or("whose", "mine")).choices(vec![
            Choice::new("mine", desk.viewer.texts.with("Mine ({0})", &[&desk.current.user.full_name])),
            queue_choice(desk),
        ]);
    let name = Field::of(desk.viewer.texts, Queue::TABLE, Queue::C.name.name)
        .value(or("name", ""))
        .help(desk.t("The queue in which its messages arrive, like Support. Only for a queue's mailbox."))
        .refused(&desk.viewer, refusals);
    let name = Field { required: false, label: desk.t("Name of the queue"), ..name };
    let track = Field::of(desk.viewer.texts, UserSettings::TABLE, UserSettings::C.filter.name)
        .value(or(UserSettings::C.filter.name, "1"))
        .help(desk.t("Which messages of my mailbox become activities. All others are only listed. It can be changed in my options."));
    let since = Field::new("since", desk.t("Process emails"), Input::Select).value(or("since", "week")).choices(vec![
        Choice::new("now", desk.t("that arrive from now on")),
        Choice::new("week", desk.t("of the last seven days")),
        Choice::new("all", desk.t("all that are in the inbox")),
    ]);
    vec![address, password, user, whose, name, track, since]
}

fn queue_choice(desk: &Desk) -> Choice {
    let mut choice = Choice::new("queue", desk.t("A queue's: several people work on its messages"));
    if !permitted(&desk.ctx, Wish::Create(Queue::TABLE)) {
        choice.blocked = desk.t("You may not create queues.");
    }
    choice
}

pub(super) fn read(desk: &Desk, form: &Form) -> Begin {
    let queue = form.text("whose") == "queue";
    let since = match form.text("since") {
        "all" => None,
        "now" => Some(desk.ctx.now),
        _ => Some(desk.ctx.now - SignedDuration::from_hours(7 * 24)),
    };
    Begin {
        whose: if queue { Whose::Queue(form.text("name").to_owned()) } else { Whose::Mine },
        address: form.text("emailaddress").to_owned(),
        user_name: form.text("username").to_owned(),
        password: form.secret("password"),
        since,
        filter: form.number(UserSettings::C.filter.name).and_then(IncomingFilter::from_number).filter(|_| !queue),
    }
}

/// Servers that nobody could be found for.
pub(super) fn by_hand(desk: &Desk, found: &Found, refusals: &[Refusal]) -> Vec<Field> {
    let c = EmailServerProfile::C;
    let texts = desk.viewer.texts;
    let side = |host: &str, port: &str, protocol: Protocol, usual: &str| {
        let best = found.best(protocol);
        let server = Field::of(texts, EmailServerProfile::TABLE, host).refused(&desk.viewer, refusals).required();
        let number = Field::of(texts, EmailServerProfile::TABLE, port).refused(&desk.viewer, refusals);
        [
            server.value(best.map(|b| b.host.clone()).unwrap_or_default()),
            number.value(best.map_or_else(|| usual.to_owned(), |b| b.port.to_string())),
        ]
    };
    let protocol = Field::new("protocol", desk.t("Protocol"), Input::Select)
        .value("imap")
        .choices(vec![Choice::new("imap", "IMAP"), Choice::new("pop3", "POP3")]);
    let mut fields = vec![protocol];
    fields.extend(side(c.incoming_location.name, c.incoming_port.name, Protocol::Imap, "993"));
    fields.extend(side(c.outgoing_location.name, c.outgoing_port.name, Protocol::Smtp, "587"));
    fields
}

/// After the test failed.
pub(super) fn again(desk: &Desk, standing: &Standing, refusals: &[Refusal]) -> Vec<Field> {
    let held = standing.mailbox.as_ref().map(|m| m.user_name.clone()).unwrap_or_default();
    let mut user = Field::new("username", desk.t("User Name"), Input::Line).value(held).refused(&desk.viewer, refusals);
    user.longest = 200;
    let mut password = Field::new("password", desk.t("Password"), Input::Password)
        .help(desk.t("A password is stored. Leave this empty to keep it."))
        .refused(&desk.viewer, refusals);
    password.longest = 200;
    password.autocomplete = "new-password";
    if !desk.may_type_secrets() {
        password.blocked = desk.t(IN_CLEAR);
    }
    vec![user, password]
}
