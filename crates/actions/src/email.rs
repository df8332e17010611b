//! SendEmail.

use std::collections::BTreeSet;

use model::mail::address_key;
use model::tables::{
    ActivityParty, Attachment, Delivery, Email, Organization, Participation, Queue, SystemUser, UserSettings,
};
use model::{Commit, Entity, Filter, Id, Query, Ref, Refusal, Secret, Value, words};
use rules::access::{Right, Special};
use rules::outgoing::{self, Parent, SendFacts};
use store::CommitError;

use crate::context::Context;
use crate::error::{ActionError, commit_failed};
use crate::tables::parties_of;
use crate::{access, audit, facts};

/// How often sending is decided anew because the email changed meanwhile.
const TRIES: usize = 3;

/// Hands the email to the sender's mailbox (`issue`), or only marks it as
/// sent. `token`: the tracking token that the subject is to carry; one is made
/// where the organization uses them and none is given. Returns the subject.
pub async fn send(ctx: &Context, id: Id, issue: bool, token: Option<String>) -> Result<String, ActionError> {
    for _ in 0..TRIES {
        match attempt(ctx, id, issue, token.clone()).await? {
            Ok(subject) => return Ok(subject),
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(commit_failed("email", error)),
        }
    }
    Err(crate::error::version_mismatch("email").into())
}

async fn attempt(
    ctx: &Context,
    id: Id,
    issue: bool,
    token: Option<String>,
) -> Result<Result<String, CommitError>, ActionError> {
    let Some(row) = ctx.store.get(Email::TABLE, id).await? else {
        return Err(Refusal::does_not_exist("email", id).into());
    };
    access::on_row(ctx, Right::Write, &row).await?;
    let email = Email::from_record(&row)?;
    let loaded = load(ctx, &email).await?;
    send_as(ctx, &loaded.parties).await?;
    let facts = loaded.facts(&email);
    let key = ctx.store.reveal(Organization::TABLE, loaded.organization.id, "pr_signingkey").await?;
    let token = token.or_else(|| made_token(&email, &loaded.organization, key.as_ref()));
    let mut changes = if issue {
        outgoing::issue(&facts, ctx.now, token, key.as_ref())?
    } else {
        outgoing::mark_sent(&facts, ctx.now, token, key.as_ref())?
    };
    changes.push(audit::noted(ctx, "send", Email::TABLE, id)?);
    let commit = Commit::new(ctx.actor(), ctx.now, changes);
    if let Err(error) = ctx.store.commit(&commit).await {
        return Ok(Err(error));
    }
    let subject = ctx.store.load::<Email>(id).await?.map(|e| e.subject);
    Ok(Ok(subject.unwrap_or(email.subject)))
}

/// What the server has said of each recipient so far.
///
/// # Errors
/// 0x80040217 where the caller may not read the email.
pub async fn deliveries(ctx: &Context, id: Id) -> Result<Vec<Delivery>, ActionError> {
    access::seen(ctx, Email::TABLE, id).await?;
    let this = Some(Ref::new(Email::TABLE.logical, id));
    let query = Query::of::<Delivery>().filter(Filter::eq(Delivery::C.email, this));
    Ok(ctx.store.list::<Delivery>(&query).await?)
}

struct Loaded {
    parties: Vec<ActivityParty>,
    attachments: Vec<Attachment>,
    mailbox: Option<model::tables::Mailbox>,
    profile: Option<model::tables::EmailServerProfile>,
    organization: Organization,
    deliveries: Vec<Delivery>,
    parent: Option<Parent>,
    do_not_email: BTreeSet<String>,
}

impl Loaded {
    fn facts<'a>(&'a self, email: &'a Email) -> SendFacts<'a> {
        SendFacts {
            email,
            parties: &self.parties,
            attachments: &self.attachments,
            mailbox: self.mailbox.as_ref(),
            profile: self.profile.as_ref(),
            organization: &self.organization,
            deliveries: &self.deliveries,
            parent: self.parent.as_ref(),
            do_not_email: &self.do_not_email,
        }
    }
}

async fn load(ctx: &Context, email: &Email) -> Result<Loaded, ActionError> {
    let this = Some(email.reference());
    let parties = parties_of(ctx, email.id).await?;
    let sender = parties.iter().find(|p| p.participation == Participation::Sender).and_then(|p| p.party);
    let mailbox = match sender {
        Some(sender) => facts::mailbox_of(ctx, sender).await?,
        None => None,
    };
    let parent = match email.parent {
        Some(parent) => ctx.store.load::<Email>(parent.id).await?.map(|e| Parent::of(&e)),
        None => None,
    };
    let attachments = Query::of::<Attachment>().filter(Filter::eq(Attachment::C.object, this));
    let deliveries = Query::of::<Delivery>().filter(Filter::eq(Delivery::C.email, this));
    Ok(Loaded {
        profile: facts::profile(ctx, mailbox.as_ref().and_then(|m| m.profile)).await?,
        organization: facts::organization(ctx).await?,
        attachments: ctx.store.list::<Attachment>(&attachments).await?,
        deliveries: ctx.store.list::<Delivery>(&deliveries).await?,
        do_not_email: do_not_email(ctx, &parties).await?,
        mailbox,
        parent,
        parties,
    })
}

/// Addresses of recipients whose record does not want emails.
async fn do_not_email(ctx: &Context, parties: &[ActivityParty]) -> Result<BTreeSet<String>, ActionError> {
    let mut refused = BTreeSet::new();
    for party in parties {
        let Some(record) = party.party else { continue };
        let Some(table) = model::tables::by_logical_name(record.table) else { continue };
        if table.column("donotemail").is_none() {
            continue;
        }
        let row = ctx.store.get(table, record.id).await?;
        if row.is_some_and(|r| r.get("donotemail") == &Value::Bool(true)) {
            refused.insert(address_key(&party.address));
        }
    }
    Ok(refused)
}

/// Sending as another user needs that user's permission. 0x80040220
async fn send_as(ctx: &Context, parties: &[ActivityParty]) -> Result<(), ActionError> {
    let sender = parties.iter().find(|p| p.participation == Participation::Sender).and_then(|p| p.party);
    if let Some(Ref { table: "queue", id }) = sender {
        // A queue's name may be used by who may put things into it.
        if let Some(queue) = ctx.store.get(Queue::TABLE, id).await? {
            access::on_row(ctx, Right::AppendTo, &queue).await?;
        }
        return Ok(());
    }
    let Some(Ref { table: "systemuser", id }) = sender else { return Ok(()) };
    if id == ctx.actor.id || ctx.principal.has(Special::SendAsUser) {
        return Ok(());
    }
    let settings = ctx.store.load::<UserSettings>(id).await?;
    if settings.is_some_and(|s| s.send_as_allowed) {
        return Ok(());
    }
    let name = ctx.store.load::<SystemUser>(id).await?.map_or_else(|| id.to_string(), |u| u.full_name);
    let message = words!(
        "You cannot send email as the selected user, {0}: that takes prvSendAsUser. They can allow it in their options (issendasallowed), or somebody with the privilege sends it.",
        name
    );
    Err(Refusal::new(0x8004_0220, "PrivilegeDenied", message).into())
}

fn made_token(email: &Email, organization: &Organization, key: Option<&Secret>) -> Option<String> {
    if !organization.tracking_tokens {
        return None;
    }
    if !email.tracking_token.is_empty() {
        return Some(email.tracking_token.clone());
    }
    let prefix = rules::token::prefixes(organization).first().copied().unwrap_or(rules::token::DEFAULT_PREFIX);
    key.map(|key| rules::token::make(email.id, prefix, key))
}
