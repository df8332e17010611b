//! First run: from nothing to the first synchronized mailbox.
//!
//! Every step is an action that could be done by hand on other pages. Where
//! one stands is seen from the records, so it goes on wherever it was left.

use jiff::Timestamp;
use model::discovery::{Candidate, InquiryState, Protocol};
use model::tables::{
    Approval, CredentialRetrieval, EmailServerProfile, IncomingFilter, IncomingMethod, Inquiry, LedgerEntry, Mailbox,
    Organization, OutgoingMethod, Queue, ServerType, State, SystemUser, TestStatus, TestStep, UserSettings,
};
use model::{Entity, Filter, Id, Query, Record, Ref, Refusal, Secret, Value, words};
use rules::access::Right;

use crate::context::Context;
use crate::draft::{Draft, Precondition};
use crate::error::ActionError;
use crate::read::{count, list};
use crate::{access, create, facts, inquiry, mailbox, profile, update};

/// Whose mailbox is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// The actor's own.
    Mine,
    /// A queue of this name, which is made.
    Queue(String),
}

/// What the first page asks for.
#[derive(Debug, Clone)]
pub struct Begin {
    pub whose: Whose,
    pub address: String,
    /// Empty: the address.
    pub user_name: String,
    pub password: Secret,
    /// Older mail is left alone.
    pub since: Option<Timestamp>,
    /// Which of one's own messages become activities.
    pub filter: Option<IncomingFilter>,
}

/// Where one stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nothing was begun.
    Ask,
    LookingUp,
    /// The servers were looked for; they are to be used, or given by hand.
    LookedUp,
    /// Something is still to be set on the mailbox.
    SettingUp,
    Testing,
    /// The test failed.
    Failed,
    /// Mail is read and sent.
    Running,
}

/// All that the page shows.
#[derive(Debug, Clone)]
pub struct Standing {
    pub phase: Phase,
    pub inquiry: Option<Inquiry>,
    pub mailbox: Option<Mailbox>,
    pub profile: Option<EmailServerProfile>,
    pub approved: bool,
    pub steps: Vec<TestStep>,
    /// How many messages were seen, and the newest of them.
    pub seen: u64,
    pub newest: Vec<LedgerEntry>,
}

/// Whether this installation has no profile yet and the actor may make one.
///
/// # Errors
/// When the database does not answer.
pub async fn is_due(ctx: &Context) -> Result<bool, ActionError> {
    if access::create(ctx, EmailServerProfile::TABLE).is_err() {
        return Ok(false);
    }
    Ok(ctx.store.count(&Query::of::<EmailServerProfile>()).await? == 0)
}

/// Takes address and password down, on the mailbox that they are for, and
/// has the settings looked up.
///
/// # Errors
/// All that is refused, by column of mailbox (`emailaddress`, `username`,
/// `password`) and queue (`name`).
pub async fn begin(ctx: &Context, wanted: Begin) -> Result<(), ActionError> {
    access::create(ctx, EmailServerProfile::TABLE)?;
    let address = wanted.address.trim().to_owned();
    if !model::mail::is_address(&address) || rules::discovery::parts(&address).is_none() {
        let message = words!("That is not an email address; write it as name@example.com.");
        return Err(Refusal::new(0x8004_4192, "InvalidEmailAddressFormat", message).at("emailaddress").into());
    }
    if wanted.password.expose().is_empty() {
        return Err(Refusal::invalid(Some("password"), words!("Give the password of the mailbox.")).into());
    }
    let id = match &wanted.whose {
        Whose::Mine => own_mailbox(ctx).await?,
        Whose::Queue(name) => queue_mailbox(ctx, name, &address).await?,
    };
    let held = load::<Mailbox>(ctx, id).await?;
    let user = if wanted.user_name.trim().is_empty() { address.as_str() } else { wanted.user_name.trim() };
    let mut draft = Draft::new(Mailbox::TABLE)
        .with(Mailbox::C.use_credentials, true)
        .with(Mailbox::C.user_name, user.to_owned())
        .with(Mailbox::C.process_after, wanted.since)
        .set("password", Value::Secret(wanted.password));
    if held.address != address {
        draft = draft.with(Mailbox::C.address, address.clone());
    }
    update(ctx, id, draft, Precondition::Exists).await?;
    if let (Whose::Mine, Some(filter)) = (&wanted.whose, wanted.filter) {
        let draft = Draft::new(UserSettings::TABLE).with(UserSettings::C.filter, filter);
        update(ctx, ctx.actor.id, draft, Precondition::Exists).await?;
    }
    inquiry::look_up_for(ctx, &address, Some(held.reference())).await?;
    Ok(())
}

async fn own_mailbox(ctx: &Context) -> Result<Id, ActionError> {
    let me = load::<SystemUser>(ctx, ctx.actor.id).await?;
    let mailbox = me.default_mailbox.map(|mailbox| mailbox.id);
    mailbox.ok_or_else(|| Refusal::invalid(None, words!("You have no mailbox; choose a queue's instead.")).into())
}

/// A queue with this address is taken; otherwise one is made.
async fn queue_mailbox(ctx: &Context, name: &str, address: &str) -> Result<Id, ActionError> {
    let held =
        list(ctx, Query::of::<Queue>().filter(Filter::eq(Queue::C.address, address.to_owned())).limit(1)).await?;
    let queue = match held.first() {
        Some(queue) => queue.id,
        None => {
            let draft = Draft::new(Queue::TABLE)
                .with(Queue::C.name, name.trim().to_owned())
                .with(Queue::C.address, address.to_owned());
            create(ctx, draft).await?
        }
    };
    let mailbox = load::<Queue>(ctx, queue).await?.default_mailbox;
    mailbox.map(|mailbox| mailbox.id).ok_or_else(|| ActionError::Internal("the queue has no mailbox".into()))
}

/// Where one stands, seen from the records.
///
/// # Errors
/// When the database does not answer.
pub async fn standing(ctx: &Context) -> Result<Standing, ActionError> {
    let inquiry = inquiry::last_of(ctx).await?;
    let mut mailbox = match inquiry.as_ref().and_then(|i| i.mailbox) {
        Some(mailbox) => find::<Mailbox>(ctx, mailbox.id).await?,
        None => None,
    };
    if mailbox.is_none() {
        // Left longer ago than inquiries are kept.
        let mine = find::<SystemUser>(ctx, ctx.actor.id).await?.and_then(|me| me.default_mailbox);
        mailbox = match mine {
            Some(mine) => find::<Mailbox>(ctx, mine.id).await?.filter(|m| m.profile.is_some()),
            None => None,
        };
    }
    let profile = match mailbox.as_ref().and_then(|m| m.profile) {
        Some(profile) => find::<EmailServerProfile>(ctx, profile.id).await?,
        None => None,
    };
    let mut standing = Standing {
        phase: Phase::Ask,
        inquiry,
        mailbox: None,
        profile,
        approved: false,
        steps: Vec::new(),
        seen: 0,
        newest: Vec::new(),
    };
    let Some(mailbox) = mailbox else { return Ok(standing) };
    standing.approved = !needs_approval(&facts::organization(ctx).await?, &mailbox);
    standing.phase = phase(&standing, &mailbox);
    let this = Some(mailbox.reference());
    let steps = Query::of::<TestStep>().filter(Filter::eq(TestStep::C.mailbox, this));
    standing.steps = ctx.store.list::<TestStep>(&steps.order_by(TestStep::C.number, false)).await?;
    let seen = Query::of::<LedgerEntry>().filter(Filter::eq(LedgerEntry::C.mailbox, this));
    standing.seen = count(ctx, seen.clone()).await?;
    let newest = list(ctx, seen.order_by(LedgerEntry::C.seen_on, true).limit(5)).await?;
    standing.newest = newest.iter().map(LedgerEntry::from_record).collect::<Result<_, _>>()?;
    standing.mailbox = Some(mailbox);
    Ok(standing)
}

fn phase(standing: &Standing, mailbox: &Mailbox) -> Phase {
    let statuses = [mailbox.incoming_status, mailbox.outgoing_status];
    if standing.profile.is_none() {
        return match standing.inquiry.as_ref().map(|i| i.state) {
            None => Phase::Ask,
            Some(InquiryState::Waiting | InquiryState::Running) => Phase::LookingUp,
            Some(InquiryState::Done | InquiryState::Failed) => Phase::LookedUp,
        };
    }
    if mailbox.test_scheduled {
        return Phase::Testing;
    }
    if !standing.approved || mailbox.incoming != IncomingMethod::ServerSide {
        return Phase::SettingUp;
    }
    if statuses.contains(&TestStatus::Failure) {
        return Phase::Failed;
    }
    if mailbox.incoming_status == TestStatus::Success { Phase::Running } else { Phase::SettingUp }
}

/// Begins from the beginning, with another address.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(ctx: &Context) -> Result<(), ActionError> {
    inquiry::forget_last(ctx).await
}

/// The servers that a mailbox is to be read and sent through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Servers {
    pub incoming: Candidate,
    pub outgoing: Candidate,
}

/// Does what is still to be done: the profile, the mailbox's methods, the
/// approval, the test. Each only where it is missing, so that it may be asked
/// for again.
///
/// # Errors
/// Whatever one of the steps refuses; those before it are done.
pub async fn set_up(ctx: &Context, servers: Option<&Servers>) -> Result<(), ActionError> {
    let standing = standing(ctx).await?;
    let Some(held) = standing.mailbox else {
        return Err(Refusal::invalid(None, words!("There is no mailbox to set up. Begin with its address.")).into());
    };
    if matches!(standing.phase, Phase::LookingUp | Phase::Testing | Phase::Running) {
        return Ok(());
    }
    let profile = match (&standing.profile, servers) {
        (Some(profile), None) => profile.reference(),
        (_, Some(servers)) => profile_for(ctx, &held, servers).await?,
        (None, None) => return Err(Refusal::invalid(None, words!("Which servers are to be used?")).into()),
    };
    first_default(ctx, profile).await?;
    let mut draft = Draft::new(Mailbox::TABLE)
        .with(Mailbox::C.profile, Some(profile))
        .with(Mailbox::C.incoming, IncomingMethod::ServerSide)
        .with(Mailbox::C.outgoing, OutgoingMethod::ServerSide);
    let wants = servers.map(|s| s.incoming.user.as_str()).filter(|user| !user.is_empty());
    if let Some(user) = wants.filter(|user| *user != held.user_name && held.user_name == held.address) {
        draft = draft.with(Mailbox::C.user_name, user.to_owned());
    }
    update(ctx, held.id, draft, Precondition::Exists).await?;
    let held = load::<Mailbox>(ctx, held.id).await?;
    if needs_approval(&facts::organization(ctx).await?, &held) {
        mailbox::approve(ctx, held.id).await?;
    }
    mailbox::test(ctx, held.id).await?;
    Ok(())
}

/// Another password (and user name), and the test again.
///
/// # Errors
/// What saving the mailbox or testing it refuses.
pub async fn try_again(ctx: &Context, user_name: &str, password: Option<Secret>) -> Result<(), ActionError> {
    let Some(held) = standing(ctx).await?.mailbox else {
        return Err(Refusal::invalid(None, words!("There is no mailbox to set up. Begin with its address.")).into());
    };
    let mut draft = Draft::new(Mailbox::TABLE);
    if !user_name.trim().is_empty() {
        draft = draft.with(Mailbox::C.user_name, user_name.trim().to_owned());
    }
    if let Some(password) = password.filter(|password| !password.expose().is_empty()) {
        draft = draft.set("password", Value::Secret(password));
    }
    if !draft.values.is_empty() {
        update(ctx, held.id, draft, Precondition::Exists).await?;
    }
    mailbox::test(ctx, held.id).await?;
    Ok(())
}

/// A profile with these servers that is there already, or a new one.
async fn profile_for(ctx: &Context, mailbox: &Mailbox, servers: &Servers) -> Result<Ref, ActionError> {
    let Servers { incoming, outgoing } = servers;
    let c = EmailServerProfile::C;
    let kind = if incoming.protocol == Protocol::Pop3 { ServerType::Pop3Smtp } else { ServerType::ImapSmtp };
    let there = Query::of::<EmailServerProfile>()
        .filter(Filter::eq(c.server_type, kind))
        .filter(Filter::eq(c.state, State::Active))
        .filter(Filter::eq(c.incoming_location, incoming.host.clone()))
        .filter(Filter::eq(c.incoming_port, Some(i64::from(incoming.port))))
        .filter(Filter::eq(c.outgoing_location, outgoing.host.clone()))
        .filter(Filter::eq(c.outgoing_port, Some(i64::from(outgoing.port))))
        .filter(Filter::eq(c.incoming_credentials, CredentialRetrieval::UserOrQueue))
        .limit(1);
    if let Some(found) = list(ctx, there).await?.first() {
        return Ok(found.reference());
    }
    let domain = rules::discovery::parts(&mailbox.address).map_or_else(|| incoming.host.clone(), |(_, domain)| domain);
    let draft = Draft::new(EmailServerProfile::TABLE)
        .with(c.name, free_name(ctx, &domain).await?)
        .with(c.server_type, kind)
        .with(c.incoming_location, incoming.host.clone())
        .with(c.incoming_port, Some(incoming.port.into()))
        .with(c.outgoing_location, outgoing.host.clone())
        .with(c.outgoing_port, Some(outgoing.port.into()))
        .with(c.incoming_credentials, CredentialRetrieval::UserOrQueue);
    let id = create(ctx, draft).await?;
    Ok(Ref::new(EmailServerProfile::TABLE.logical, id))
}

/// Names of profiles are theirs alone.
async fn free_name(ctx: &Context, wanted: &str) -> Result<String, ActionError> {
    for number in 1.. {
        let name = if number == 1 { wanted.to_owned() } else { format!("{wanted} ({number})") };
        let query = Query::of::<EmailServerProfile>().filter(Filter::eq(EmailServerProfile::C.name, name.clone()));
        if ctx.store.count(&query).await? == 0 {
            return Ok(name);
        }
    }
    Ok(wanted.to_owned())
}

/// The first profile is the one that new mailboxes get; who may not say so
/// leaves it.
async fn first_default(ctx: &Context, profile: Ref) -> Result<(), ActionError> {
    let organization = facts::organization(ctx).await?;
    let row = ctx.store.get(Organization::TABLE, organization.id).await?;
    let may = match &row {
        Some(row) => access::on_row(ctx, Right::Write, row).await.is_ok(),
        None => false,
    };
    if organization.default_profile.is_none() && may {
        profile::make_default(ctx, profile.id).await?;
    }
    Ok(())
}

fn needs_approval(organization: &Organization, mailbox: &Mailbox) -> bool {
    let required = match mailbox.regarding.map(|r| r.table) {
        Some("queue") => organization.require_queue_approval,
        _ => organization.require_user_approval,
    };
    required && mailbox.approval != Approval::Approved
}

async fn find<E: Entity>(ctx: &Context, id: Id) -> Result<Option<E>, ActionError> {
    let mut query = Query::of::<E>();
    query.filter = Filter::Compare(E::TABLE.id.into(), model::query::Compare::Equal, Value::Id(id));
    let rows: Vec<Record> = list(ctx, query.limit(1)).await?;
    Ok(rows.first().map(E::from_record).transpose()?)
}

async fn load<E: Entity>(ctx: &Context, id: Id) -> Result<E, ActionError> {
    find(ctx, id).await?.ok_or_else(|| Refusal::does_not_exist(E::TABLE.logical, id).into())
}
