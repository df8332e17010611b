//! What a page wants to know of servers before anything is saved: the settings
//! of an address, and whether a connection can be made. The machine's half
//! finds it out; the page looks at the row meanwhile.

use model::discovery::{InquiryKind, InquiryState};
use model::query::Compare;
use model::tables::{CredentialRetrieval, EmailServerProfile, Inquiry, ServerType};
use model::{
    Change, Commit, Entity, Filter, Id, Query, Record, Ref, Refusal, Refusals, Secret, SignedDuration, Value, Words,
    words,
};
use rules::access::Right;
use rules::discovery;
use rules::profile::{self, ProfileFacts};
use serde_json::json;

use crate::context::Context;
use crate::draft::Draft;
use crate::error::{ActionError, commit_failed, invalid_operation};
use crate::{access, audit};

/// Inquiries of one user within [`WINDOW`]: servers of others are asked.
const MOST: u64 = 40;
const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// A connection to be tested with settings that are not saved.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The profile that is edited.
    pub profile: Option<Id>,
    /// What stands in the form, passwords included where they were typed.
    pub draft: Draft,
    /// Where the profile takes credentials from its mailboxes: those of one.
    pub user: String,
    pub password: Option<Secret>,
}

/// Look up settings: asks for the servers of an address.
///
/// # Errors
/// A refusal for what is no address, without the privilege to make or change
/// profiles, and for too many inquiries.
pub async fn look_up(ctx: &Context, address: &str) -> Result<Id, ActionError> {
    look_up_for(ctx, address, None).await
}

/// The same for a mailbox that is to be set up with what is found.
pub(crate) async fn look_up_for(ctx: &Context, address: &str, mailbox: Option<Ref>) -> Result<Id, ActionError> {
    may_ask(ctx)?;
    let address = address.trim();
    if !model::mail::is_address(address) || discovery::parts(address).is_none() || address.len() > 320 {
        let message = words!("That is not an email address; write it as name@example.com.");
        return Err(Refusal::new(0x8004_4192, "InvalidEmailAddressFormat", message).at("address").into());
    }
    let inquiry =
        Inquiry { kind: InquiryKind::LookUp, address: address.to_owned(), mailbox, ..Inquiry::blank(ctx.new_id()?) };
    ask(ctx, inquiry, Vec::new(), json!({ "address": { "new": address } })).await
}

/// Test connection: asks for every step of it.
///
/// # Errors
/// All faults of the settings, by column; the passwords' are `password`,
/// `incomingpassword` and `outgoingpassword`.
pub async fn test_connection(ctx: &Context, trial: Trial) -> Result<Id, ActionError> {
    let before = match trial.profile {
        None => {
            access::create(ctx, EmailServerProfile::TABLE)?;
            None
        }
        Some(id) => {
            let Some(row) = ctx.store.get(EmailServerProfile::TABLE, id).await? else {
                return Err(Refusal::does_not_exist(EmailServerProfile::TABLE.logical, id).into());
            };
            access::on_row(ctx, Right::Write, &row).await?;
            Some(row)
        }
    };
    let (inquiry, secrets) = settings(ctx, before.as_ref(), trial)?;
    let servers = json!({
        "incomingserverlocation": { "new": inquiry.incoming_location },
        "outgoingserverlocation": { "new": inquiry.outgoing_location },
    });
    ask(ctx, inquiry, secrets, servers).await
}

/// What became of an inquiry so far. Only who asked is told.
///
/// # Errors
/// A refusal when there is none, any more.
pub async fn look(ctx: &Context, id: Id) -> Result<Inquiry, ActionError> {
    let found = ctx.store.load::<Inquiry>(id).await?;
    found
        .filter(|inquiry| inquiry.user.map(|user| user.id) == Some(ctx.actor.id))
        .ok_or_else(|| Refusal::does_not_exist(Inquiry::TABLE.logical, id).into())
}

/// What the actor asked last about a mailbox that is to be set up.
pub(crate) async fn last_of(ctx: &Context) -> Result<Option<Inquiry>, ActionError> {
    let query = Query::of::<Inquiry>()
        .filter(Filter::eq(Inquiry::C.user, Some(ctx.actor_ref())))
        .filter(Filter::eq(Inquiry::C.kind, InquiryKind::LookUp))
        .filter(Filter::Not(Box::new(Filter::IsNull(Inquiry::C.mailbox.name.into()))))
        .order_by(Inquiry::C.asked_on, true)
        .limit(1);
    Ok(ctx.store.list::<Inquiry>(&query).await?.pop())
}

/// Nothing was asked about a mailbox.
pub(crate) async fn forget_last(ctx: &Context) -> Result<(), ActionError> {
    while let Some(inquiry) = last_of(ctx).await? {
        let commit = Commit::new(ctx.actor(), ctx.now, vec![Change::delete::<Inquiry>(inquiry.id)]);
        ctx.store.commit(&commit).await.map_err(|e| commit_failed(Inquiry::TABLE.logical, e))?;
    }
    Ok(())
}

/// Who makes profiles or changes some may ask for servers.
fn may_ask(ctx: &Context) -> Result<(), ActionError> {
    access::create(ctx, EmailServerProfile::TABLE)
        .or_else(|refused| access::any(ctx, Right::Write, EmailServerProfile::TABLE).map_err(|_| refused))
}

async fn ask(
    ctx: &Context,
    inquiry: Inquiry,
    secrets: Vec<(&'static str, Secret)>,
    detail: serde_json::Value,
) -> Result<Id, ActionError> {
    let query = Query::of::<Inquiry>()
        .filter(Filter::eq(Inquiry::C.user, Some(ctx.actor_ref())))
        .filter(Filter::Compare(Inquiry::C.asked_on.name.into(), Compare::Greater, Value::Time(ctx.now - WINDOW)));
    if ctx.store.count(&query).await? >= MOST {
        let message = words!(
            "You have asked for servers {0} times within {1} minutes. Wait a moment and ask again.",
            MOST,
            WINDOW.as_mins()
        );
        return Err(Refusal::new(0x8007_2322, "TooManyInquiries", message).into());
    }
    let inquiry =
        Inquiry { user: Some(ctx.actor_ref()), asked_on: Some(ctx.now), state: InquiryState::Waiting, ..inquiry };
    let (id, verb) = (inquiry.id, inquiry.kind);
    let mut row = inquiry.into_record();
    for (column, secret) in secrets {
        row.set(column, Value::Secret(secret));
    }
    let verb = match verb {
        InquiryKind::LookUp => "look up settings",
        InquiryKind::TestConnection => "test connection",
    };
    let noted = audit::told(ctx, verb, Inquiry::TABLE, id, detail)?;
    let commit = Commit::new(ctx.actor(), ctx.now, vec![Change::Create(row), noted]);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed(Inquiry::TABLE.logical, e))?;
    Ok(id)
}

type Secrets = Vec<(&'static str, Secret)>;

/// The inquiry that tests the settings, and the passwords it needs.
fn settings(ctx: &Context, before: Option<&Record>, trial: Trial) -> Result<(Inquiry, Secrets), ActionError> {
    let held = before.map(EmailServerProfile::from_record).transpose()?;
    let mut after = before.cloned().unwrap_or(Record::with_defaults(EmailServerProfile::TABLE, ctx.new_id()?));
    let mut given = trial.draft.values;
    let typed = |given: &mut std::collections::BTreeMap<&'static str, Value>, column: &'static str| match given
        .remove(column)
    {
        Some(Value::Secret(secret)) if !secret.expose().is_empty() => Some(secret),
        _ => None,
    };
    let passwords = (typed(&mut given, "incomingpassword"), typed(&mut given, "outgoingpassword"));
    after.values.extend(given);
    let mut after = EmailServerProfile::from_record(&after)?;
    if after.name.trim().is_empty() {
        // A profile can be tested before it has a name.
        after.name = "-".to_owned();
    }
    let facts = ProfileFacts {
        allow_insecure: ctx.settings.allow_insecure,
        incoming_password: passwords.0.is_some() || after.incoming_password_set,
        outgoing_password: passwords.1.is_some() || after.outgoing_password_set,
    };
    let mut faults = trial.draft.faults;
    let profile = match profile::save(held.as_ref(), after.clone(), facts) {
        Ok(profile) => profile,
        Err(refusals) => {
            faults.extend(refusals.0);
            after
        }
    };
    if profile::is_exchange(&profile) {
        faults.push(invalid_operation(words!("This version does not talk to Exchange yet: such a profile can be kept, but neither tested nor processed. Choose IMAP/SMTP or POP3/SMTP.")).at(EmailServerProfile::C.server_type.name));
    }
    let mut way = Way { held: held.as_ref(), stored: false, secrets: Vec::new(), faults };
    let mailbox = (trial.user, trial.password);
    let incoming_user = way.incoming(&profile, &mailbox, passwords.0.clone());
    let outgoing_user = way.outgoing(&profile, &mailbox, if profile.same_outgoing { passwords.0 } else { passwords.1 });
    Refusals::unless_none(way.faults)?;
    let inquiry = Inquiry {
        kind: InquiryKind::TestConnection,
        server_type: profile.server_type,
        incoming_location: profile.incoming_location,
        incoming_port: profile.incoming_port,
        incoming_ssl: profile.incoming_ssl,
        incoming_user,
        outgoing_location: profile.outgoing_location,
        outgoing_port: profile.outgoing_port,
        outgoing_ssl: profile.outgoing_ssl,
        anonymous: outgoing_user.is_none(),
        outgoing_user: outgoing_user.unwrap_or_default(),
        profile: held.as_ref().filter(|_| way.stored).map(EmailServerProfile::reference),
        ..Inquiry::blank(ctx.new_id()?)
    };
    Ok((inquiry, way.secrets))
}

/// How the test proves who it is.
struct Way<'a> {
    held: Option<&'a EmailServerProfile>,
    /// The profile's stored password is used for one side.
    stored: bool,
    secrets: Secrets,
    faults: Vec<Refusal>,
}

impl Way<'_> {
    fn incoming(
        &mut self,
        profile: &EmailServerProfile,
        mailbox: &(String, Option<Secret>),
        typed: Option<Secret>,
    ) -> String {
        let same = self.held.is_some_and(|held| {
            (&held.incoming_location, &held.incoming_user) == (&profile.incoming_location, &profile.incoming_user)
        });
        match profile.incoming_credentials {
            CredentialRetrieval::UserOrQueue => self.of_mailbox("pr_incomingpassword", mailbox),
            CredentialRetrieval::Profile => {
                let stored = same && profile.incoming_password_set;
                self.of_profile("pr_incomingpassword", "incomingpassword", typed, stored);
                profile.incoming_user.clone()
            }
            other => self.untestable(other, EmailServerProfile::C.incoming_credentials.name),
        }
    }

    /// `None`: the server wants nobody's credentials.
    fn outgoing(
        &mut self,
        profile: &EmailServerProfile,
        mailbox: &(String, Option<Secret>),
        typed: Option<Secret>,
    ) -> Option<String> {
        Some(match profile::outgoing_credentials(profile) {
            CredentialRetrieval::Anonymous => return None,
            CredentialRetrieval::UserOrQueue => self.of_mailbox("pr_outgoingpassword", mailbox),
            CredentialRetrieval::Profile => {
                let same = self.held.is_some_and(|held| {
                    held.outgoing_location == profile.outgoing_location
                        && held.outgoing_user == profile.outgoing_user
                        && held.same_outgoing == profile.same_outgoing
                });
                let (set, column) = if profile.same_outgoing {
                    (profile.incoming_password_set, "incomingpassword")
                } else {
                    (profile.outgoing_password_set, "outgoingpassword")
                };
                self.of_profile("pr_outgoingpassword", column, typed, same && set);
                if profile.same_outgoing { profile.incoming_user.clone() } else { profile.outgoing_user.clone() }
            }
            // Told once, where it was chosen.
            _ if profile.same_outgoing => String::new(),
            other => self.untestable(other, EmailServerProfile::C.outgoing_credentials.name),
        })
    }

    fn of_mailbox(&mut self, column: &'static str, (user, password): &(String, Option<Secret>)) -> String {
        let told = |faults: &[Refusal], field| faults.iter().any(|f| f.field == Some(field));
        if user.trim().is_empty() && !told(&self.faults, "user") {
            let message =
                words!("Give the user name of a mailbox: the profile's mailboxes bring their own credentials.");
            self.faults.push(Refusal::invalid(Some("user"), message));
        }
        match password {
            Some(password) => self.secrets.push((column, password.clone())),
            None if told(&self.faults, "password") => {}
            None => self.faults.push(Refusal::invalid(Some("password"), words!("Give the password of that mailbox."))),
        }
        user.trim().to_owned()
    }

    /// A stored password goes only where it went before: whoever edits the
    /// profile must not lead it elsewhere by a test.
    fn of_profile(&mut self, column: &'static str, field: &'static str, typed: Option<Secret>, stored: bool) {
        match typed {
            Some(password) => self.secrets.push((column, password)),
            None if stored => self.stored = true,
            None => {
                if !self.faults.iter().any(|f| f.field == Some(field)) {
                    let message = words!(
                        "Type the password: the stored one is used only with the server and the user name it was stored for."
                    );
                    self.faults.push(Refusal::invalid(Some(field), message));
                }
            }
        }
    }

    fn untestable(&mut self, way: CredentialRetrieval, field: &'static str) -> String {
        let message = words!(
            "'{0}' is tested with a mailbox: save the profile, then choose Test & Enable Mailbox there.",
            Words::label(way.label())
        );
        self.faults.push(invalid_operation(message).at(field));
        String::new()
    }
}

/// Whether profiles of this type can be worked with.
pub fn can_process(server_type: ServerType) -> bool {
    matches!(server_type, ServerType::ImapSmtp | ServerType::Pop3Smtp)
}
