//! The facts that the rules on mailboxes ask for.

use model::query::Compare;
use model::tables::{EmailServerProfile, Mailbox, Organization, Queue, State, SystemUser};
use model::{Entity, Filter, Id, Query, Ref, Value};
use rules::mailbox::{MailboxFacts, Regarding};

use crate::context::Context;
use crate::error::ActionError;

pub(crate) async fn organization(ctx: &Context) -> Result<Organization, ActionError> {
    let found = ctx.store.list::<Organization>(&Query::of::<Organization>().limit(1)).await?.pop();
    // While an installation is being prepared, the organization has its defaults.
    Ok(found.unwrap_or_else(|| Organization::blank(Id::nil())))
}

pub(crate) async fn profile(ctx: &Context, profile: Option<Ref>) -> Result<Option<EmailServerProfile>, ActionError> {
    match profile {
        Some(profile) => Ok(ctx.store.load::<EmailServerProfile>(profile.id).await?),
        None => Ok(None),
    }
}

/// The user or queue that a mailbox is for.
#[derive(Debug, Clone)]
pub(crate) enum Who {
    User(Box<SystemUser>),
    Queue(Box<Queue>),
}

/// Facts that live as long as the decision.
#[derive(Debug)]
pub(crate) struct Owned {
    pub organization: Organization,
    pub profile: Option<EmailServerProfile>,
    pub who: Option<Who>,
    /// Another active mailbox with the same address.
    pub taken: Option<(Ref, String)>,
}

impl Owned {
    pub fn facts(&self, writing_credentials: bool, password_set: bool) -> MailboxFacts<'_> {
        MailboxFacts {
            organization: &self.organization,
            profile: self.profile.as_ref(),
            regarding: self.who.as_ref().map(|who| match who {
                Who::User(user) => Regarding::User(user),
                Who::Queue(queue) => Regarding::Queue(queue),
            }),
            address_taken_by: self.taken.as_ref().map(|(mailbox, name)| (*mailbox, name.as_str())),
            writing_credentials,
            password_set,
        }
    }
}

/// The facts about a mailbox as it is to be.
pub(crate) async fn mailbox(ctx: &Context, mailbox: &Mailbox) -> Result<Owned, ActionError> {
    Ok(Owned {
        organization: organization(ctx).await?,
        profile: profile(ctx, mailbox.profile).await?,
        who: who(ctx, mailbox.regarding).await?,
        taken: taken(ctx, &mailbox.address, mailbox.id).await?,
    })
}

async fn who(ctx: &Context, regarding: Option<Ref>) -> Result<Option<Who>, ActionError> {
    match regarding {
        Some(Ref { table: "systemuser", id }) => {
            Ok(ctx.store.load::<SystemUser>(id).await?.map(|user| Who::User(Box::new(user))))
        }
        Some(Ref { table: "queue", id }) => Ok(ctx.store.load::<Queue>(id).await?.map(|q| Who::Queue(Box::new(q)))),
        _ => Ok(None),
    }
}

/// Another active mailbox that has this address.
pub(crate) async fn taken(ctx: &Context, address: &str, except: Id) -> Result<Option<(Ref, String)>, ActionError> {
    let address = address.trim();
    if address.is_empty() {
        return Ok(None);
    }
    let mut query = Query::of::<Mailbox>().filter(Filter::eq(Mailbox::C.state, State::Active));
    let same = Value::Text(address.to_owned());
    query = query.filter(Filter::Compare(Mailbox::C.address.name.into(), Compare::Equal, same)).limit(2);
    let other = ctx.store.list::<Mailbox>(&query).await?.into_iter().find(|m| m.id != except);
    Ok(other.map(|m| (m.reference(), m.name)))
}

/// The mailbox of a user or queue.
pub(crate) async fn mailbox_of(ctx: &Context, who: Ref) -> Result<Option<Mailbox>, ActionError> {
    let query = Query::of::<Mailbox>().filter(Filter::eq(Mailbox::C.regarding, Some(who))).limit(1);
    Ok(ctx.store.list::<Mailbox>(&query).await?.pop())
}
