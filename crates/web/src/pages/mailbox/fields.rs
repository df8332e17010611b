//! The fields of the mailbox form: what this mailbox cannot have is shown and
//! says why.

use actions::mailbox::Preview;
use model::tables::{EmailServerProfile, Mailbox, State};
use model::{Entity, Query, Record, Refusal, Value};

use crate::pages::kit::{Choice, Desk, Fault, Field, Input};
use crate::pages::mailbox::typed::Typed;

/// The columns that the form writes.
pub(super) const COLUMNS: &[&str] = &[
    "name",
    "emailaddress",
    "processanddeleteemails",
    "allowemailconnectortousecredentials",
    "username",
    "emailserverprofile",
    "incomingemaildeliverymethod",
    "outgoingemaildeliverymethod",
    "actdeliverymethod",
];

/// So many profiles are offered.
const MOST: usize = 500;

pub(super) struct Fields {
    pub name: Field,
    pub address: Field,
    pub delete_after: Field,
    pub is_forward: Field,
    pub use_credentials: Field,
    pub user_name: Field,
    pub password: Field,
    /// Where a password is stored.
    pub forget_password: Option<Field>,
    pub profile: Field,
    pub incoming: Field,
    pub outgoing: Field,
    pub act: Field,
}

/// Why nothing can be changed; empty where something can.
pub(super) fn locked(desk: &Desk, held: Option<&Record>, preview: &Preview) -> String {
    let tested = held.is_some_and(|row| row.get(Mailbox::C.test_scheduled.name).as_bool() == Some(true));
    if tested {
        return desk.t("The mailbox is being tested and cannot be changed meanwhile.");
    }
    if held.is_some() && !preview.may.write {
        return desk.t("You may look at this mailbox but not change it.");
    }
    String::new()
}

struct Maker<'a> {
    desk: &'a Desk,
    typed: &'a Typed<'a>,
    held: Option<&'a Record>,
    preview: &'a Preview,
    refusals: &'a [Refusal],
    locked: String,
}

pub(super) async fn make(
    desk: &Desk,
    typed: &Typed<'_>,
    held: Option<&Record>,
    preview: &Preview,
    refusals: &[Refusal],
) -> Result<Fields, Fault> {
    let maker = Maker { desk, typed, held, preview, refusals, locked: locked(desk, held, preview) };
    let c = Mailbox::C;
    let profile = profile(&maker).await?;
    let (user_name, password, forget_password) = maker.credentials();
    let help = |text: &str| desk.t(text);
    Ok(Fields {
        name: maker.field(c.name.name).help(help("A name by which people recognize the mailbox.")),
        address: maker.address(),
        delete_after: maker
            .field(c.delete_after.name)
            .help(help("Messages are removed from the server once they are durably here.")),
        is_forward: maker.field(c.is_forward.name).ticked(preview.after.is_forward),
        use_credentials: maker.use_credentials(),
        user_name,
        password,
        forget_password,
        profile,
        incoming: maker.method(c.incoming.name),
        outgoing: maker.method(c.outgoing.name),
        act: maker.method(c.act.name),
    })
}

/// Only the field that depends on the profile, for the part that is replaced.
pub(super) fn act(desk: &Desk, typed: &Typed<'_>, held: Option<&Record>, preview: &Preview) -> Field {
    let maker = Maker { desk, typed, held, preview, refusals: &[], locked: locked(desk, held, preview) };
    maker.method(Mailbox::C.act.name)
}

impl Maker<'_> {
    fn t(&self, text: &str) -> String {
        self.desk.t(text)
    }

    fn field(&self, column: &'static str) -> Field {
        let mut field = Field::of(self.desk.viewer.texts, Mailbox::TABLE, column)
            .value(self.typed.value(self.held, column))
            .refused(&self.desk.viewer, self.refusals);
        if self.held.is_none() && !self.typed.form.has(column) {
            field.value = super::typed::shown(&self.default_of(column), self.typed.zone);
        }
        if !self.locked.is_empty() {
            return field.blocked(self.locked.clone());
        }
        match self.preview.offers.iter().find(|offer| offer.column == column && offer.closed) {
            Some(offer) => {
                let why = self.t(offer.why);
                field.blocked(why)
            }
            None => field,
        }
    }

    /// What a new forward mailbox begins with.
    fn default_of(&self, column: &str) -> Value {
        let blank =
            Mailbox { incoming: model::tables::IncomingMethod::ServerSide, ..Mailbox::blank(self.preview.after.id) };
        blank.into_record().get(column).clone()
    }

    fn address(&self) -> Field {
        let field = self.field(Mailbox::C.address.name);
        match self.preview.kind {
            actions::mailbox::Kind::Forward => Field { required: true, ..field }.help(self.t(
                "Where the rules of users and queues forward to, as an attachment. Nobody else reads this mailbox.",
            )),
            actions::mailbox::Kind::User => {
                field.help(self.t("The user's primary email, too: changing one changes the other."))
            }
            actions::mailbox::Kind::Queue => {
                field.help(self.t("The queue's incoming email, too: changing one changes the other."))
            }
        }
    }

    /// A method, with the reason beside each option that cannot be chosen.
    fn method(&self, column: &'static str) -> Field {
        let mut field = self.field(column);
        if !field.blocked.is_empty() {
            return field;
        }
        if let Some(offer) = self.preview.offers.iter().find(|offer| offer.column == column) {
            for choice in &mut field.choices {
                if choice.value.parse().is_ok_and(|n: i64| offer.refused.contains(&n)) {
                    choice.blocked = self.t("not for this mailbox");
                }
            }
            field.help = self.t(offer.why);
        }
        field
    }

    fn use_credentials(&self) -> Field {
        let mut field = self.field(Mailbox::C.use_credentials.name);
        if self.preview.credentials_needed {
            field.help = self.t("The server profile takes user name and password from the mailbox.");
        } else if self.preview.profile.is_some() {
            field.help = self.t("The server profile does not take user name and password from the mailbox.");
        }
        self.guarded(field, false)
    }

    /// User name, password, and what removes the password.
    fn credentials(&self) -> (Field, Field, Option<Field>) {
        let mut user_name = self.field(Mailbox::C.user_name.name);
        user_name.autocomplete = "off";
        if self.held.is_some() && !self.preview.may.read_credentials {
            user_name = user_name.blocked(self.t("You may not see or change the credentials of this mailbox."));
        }
        let mut password =
            Field::of(self.desk.viewer.texts, Mailbox::TABLE, "password").refused(&self.desk.viewer, self.refusals);
        password.autocomplete = "new-password";
        if !self.locked.is_empty() {
            password = password.blocked(self.locked.clone());
        }
        let stored = self.preview.after.password_set && self.held.is_some_and(is_password_set);
        password.help = if stored {
            self.t("A password is stored. It is never shown; leave this empty to keep it.")
        } else {
            self.t("No password is stored.")
        };
        let forget = (stored && self.locked.is_empty() && self.preview.may.write_credentials)
            .then(|| Field::new("forgetpassword", self.t("Remove the stored password"), Input::Tick));
        (self.guarded(user_name, false), self.guarded(password, true), forget)
    }

    /// Credentials are not for everybody, and not for everybody to overhear.
    fn guarded(&self, field: Field, secret: bool) -> Field {
        if !field.blocked.is_empty() {
            return field;
        }
        if self.held.is_some()
            && !self.preview.may.write_credentials
            && field.name != "allowemailconnectortousecredentials"
        {
            return field.blocked(self.t("You may not see or change the credentials of this mailbox."));
        }
        if secret && !may_type_secrets(self.desk) {
            return field.blocked(self.t(IN_CLEAR));
        }
        field
    }
}

pub(super) use crate::pages::kit::IN_CLEAR;

pub(super) fn may_type_secrets(desk: &Desk) -> bool {
    desk.may_type_secrets()
}

fn is_password_set(row: &Record) -> bool {
    row.get(Mailbox::C.password_set.name).as_bool() == Some(true)
}

/// The profiles that the person may read.
async fn profile(maker: &Maker<'_>) -> Result<Field, Fault> {
    let column = Mailbox::C.profile.name;
    let mut field = maker.field(column);
    field.input = Input::Select;
    field.help = maker.t("Where the mail server is and how to talk to it. Without one nothing is received or sent.");
    let mut choices = vec![Choice::new("", maker.t("(none)"))];
    let mut query = Query::of::<EmailServerProfile>().order_by(EmailServerProfile::C.name, false).limit(MOST);
    query.select = vec![EmailServerProfile::C.name.name, EmailServerProfile::C.state.name];
    let rows = match actions::list(&maker.desk.ctx, query).await {
        Ok(rows) => rows,
        // Who may read none still sees the name of the one that is set.
        Err(error) if Fault::is_refusal(&error) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    for row in rows {
        let name = row.get(EmailServerProfile::C.name.name).as_text().unwrap_or_default();
        let active = row.get(EmailServerProfile::C.state.name).as_int() == Some(State::Active.number());
        let label = if active { name.to_owned() } else { format!("{name} ({})", maker.t("Inactive")) };
        choices.push(Choice::new(row.id.to_string(), label));
    }
    if !choices.iter().any(|choice| choice.value == field.value) {
        let name = maker.preview.profile.clone().unwrap_or_else(|| maker.t("(a profile that you may not see)"));
        choices.push(Choice::new(field.value.clone(), name));
    }
    field.choices = choices;
    Ok(field)
}
