//! Email server profiles as their page needs them: what an edit would take
//! back, how their servers are, and which of them new mailboxes get.

use model::tables::{EmailServerProfile, Mailbox, Organization, Server, State, TestStatus};
use model::{Entity, Filter, Id, Query, Record, Ref, Refusal, words};
use rules::access::Right;
use rules::profile::{ProfileFacts, affected, save};

use crate::context::Context;
use crate::draft::{Draft, Precondition};
use crate::error::ActionError;
use crate::monitoring::{self, Nodes};
use crate::read::{count, list};
use crate::{access, facts, update};

pub use crate::inquiry::can_process;

/// What saving an edit would take back: so many mailboxes return to Not Run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Consequences {
    pub incoming: u64,
    pub outgoing: u64,
    /// Mailboxes that would stop or go on being processed.
    pub stops: u64,
    pub resumes: u64,
}

impl Consequences {
    pub fn are_none(self) -> bool {
        self == Self::default()
    }
}

/// What saving this edit would mean for the profile's mailboxes.
///
/// # Errors
/// A refusal for who may not write the profile.
pub async fn consequences(ctx: &Context, id: Id, draft: &Draft) -> Result<Consequences, ActionError> {
    let before = row(ctx, id).await?;
    access::on_row(ctx, Right::Write, &before).await?;
    let mut after = before.clone();
    after.values.extend(draft.values.clone());
    let before = EmailServerProfile::from_record(&before)?;
    let after = EmailServerProfile::from_record(&after)?;
    let given = |column: &str| draft.values.contains_key(column);
    let passwords = (given("incomingpassword"), given("outgoingpassword"));
    let facts = ProfileFacts {
        allow_insecure: ctx.settings.allow_insecure,
        incoming_password: passwords.0 || after.incoming_password_set,
        outgoing_password: passwords.1 || after.outgoing_password_set,
    };
    // What cannot be saved as it is may still be finished.
    let saved = save(Some(&before), after.clone(), facts).unwrap_or(after);
    let (incoming, outgoing) = affected(&before, &saved, passwords);
    let of = async |filter: Filter| ctx.store.count(&of_profile(id).filter(filter)).await;
    let tested = |column| Filter::ne(column, TestStatus::NotRun);
    let mut all = Consequences::default();
    if incoming {
        all.incoming = of(tested(Mailbox::C.incoming_status)).await?;
    }
    if outgoing {
        all.outgoing = of(tested(Mailbox::C.outgoing_status)).await?;
    }
    if before.state != saved.state {
        let active = of(Filter::eq(Mailbox::C.state, State::Active)).await?;
        if saved.state == State::Active { all.resumes = active } else { all.stops = active }
    }
    Ok(all)
}

/// The mailboxes of a profile that the caller may read, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn mailboxes(ctx: &Context, id: Id, most: usize) -> Result<(u64, Vec<Mailbox>), ActionError> {
    let all = count(ctx, of_profile(id)).await?;
    let rows = list(ctx, of_profile(id).order_by(Mailbox::C.name, false).limit(most)).await?;
    let rows = rows.iter().map(Mailbox::from_record).collect::<Result<_, _>>()?;
    Ok((all, rows))
}

/// What is known of the profile's servers from talking to them: incoming and
/// outgoing. `None`: nobody has failed there.
///
/// # Errors
/// A refusal for who may not read the profile.
pub async fn servers(ctx: &Context, profile: &EmailServerProfile) -> Result<[Option<Server>; 2], ActionError> {
    access::on_row(ctx, Right::Read, &row(ctx, profile.id).await?).await?;
    let sides =
        [(&profile.incoming_location, profile.incoming_port), (&profile.outgoing_location, profile.outgoing_port)];
    let mut found = [None, None];
    for (side, place) in sides.into_iter().zip(&mut found) {
        let (host, Some(port)) = side else { continue };
        let name = format!("{}:{port}", host.trim());
        let query = Query::of::<Server>().filter(Filter::eq(Server::C.name, name)).limit(1);
        *place = ctx.store.list::<Server>(&query).await?.pop().filter(|server| server.failures > 0);
    }
    Ok(found)
}

/// The nodes, and the connections that they hold under this profile.
///
/// # Errors
/// A refusal for who may not read the profile.
pub async fn nodes(ctx: &Context, id: Id) -> Result<Nodes, ActionError> {
    access::on_row(ctx, Right::Read, &row(ctx, id).await?).await?;
    monitoring::nodes(ctx, Some(id)).await
}

/// Whether new mailboxes get this profile.
///
/// # Errors
/// When the database does not answer.
pub async fn is_default(ctx: &Context, id: Id) -> Result<bool, ActionError> {
    Ok(facts::organization(ctx).await?.default_profile.is_some_and(|profile| profile.id == id))
}

/// Set as default profile for new mailboxes.
///
/// # Errors
/// A refusal for who may not write the organization's settings, and for a
/// profile that is not there or inactive.
pub async fn make_default(ctx: &Context, id: Id) -> Result<(), ActionError> {
    let profile = row(ctx, id).await?;
    access::on_row(ctx, Right::Read, &profile).await?;
    if EmailServerProfile::from_record(&profile)?.state != State::Active {
        let message = words!(
            "An inactive profile cannot be the default: new mailboxes could not be processed. Activate it first."
        );
        return Err(Refusal::invalid(Some("defaultemailserverprofileid"), message).into());
    }
    let organization = facts::organization(ctx).await?;
    let draft = Draft::new(Organization::TABLE).with(Organization::C.default_profile, Some(profile.reference()));
    update(ctx, organization.id, draft, Precondition::Exists).await?;
    Ok(())
}

/// Activates or deactivates the profile.
///
/// # Errors
/// A refusal for who may not write it.
pub async fn set_state(ctx: &Context, id: Id, state: State) -> Result<(), ActionError> {
    let draft = Draft::new(EmailServerProfile::TABLE).with(EmailServerProfile::C.state, state);
    update(ctx, id, draft, Precondition::Exists).await?;
    Ok(())
}

async fn row(ctx: &Context, id: Id) -> Result<Record, ActionError> {
    let found = ctx.store.get(EmailServerProfile::TABLE, id).await?;
    found.ok_or_else(|| Refusal::does_not_exist(EmailServerProfile::TABLE.logical, id).into())
}

fn of_profile(id: Id) -> Query {
    Query::of::<Mailbox>().filter(Filter::eq(Mailbox::C.profile, Some(Ref::new(EmailServerProfile::TABLE.logical, id))))
}
