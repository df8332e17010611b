//! What a change to a mailbox would do, told before it is made.

use model::tables::Mailbox;
use model::{Entity, Id, Record, Refusal};
use rules::access::Right;
use rules::mailbox::{Kind, Offer, effects, kind, loses, offers, resets, takes_credentials};

use super::standing::{self, May};
use crate::context::Context;
use crate::draft::Draft;
use crate::error::ActionError;
use crate::plan::Plan;
use crate::tables::mailbox::writes_credentials;
use crate::{access, create, facts, update};

/// A mailbox as a form shows it, and what saving it would do.
#[derive(Debug, Clone)]
pub struct Preview {
    /// As it would stand there. What could not be understood stands as before.
    pub after: Mailbox,
    pub kind: Kind,
    pub may: May,
    /// The name of the profile that it would have.
    pub profile: Option<String>,
    /// The profile is for an Exchange server.
    pub is_exchange: bool,
    /// What a mailbox of this kind, with this profile, cannot have.
    pub offers: Vec<Offer>,
    /// The profile takes user name and password from the mailbox.
    pub credentials_needed: bool,
    /// Something that was achieved is among what saving takes back.
    pub loses: bool,
    /// What saving takes back.
    pub resets: Vec<&'static str>,
    /// What else it does.
    pub effects: Vec<&'static str>,
    /// Why it cannot be saved; empty: it can.
    pub refusals: Vec<Refusal>,
}

/// What a change does besides what was asked for.
#[derive(Default)]
struct Told {
    loses: bool,
    resets: Vec<&'static str>,
    effects: Vec<&'static str>,
}

/// What the change would do to the mailbox; without one: to a new forward
/// mailbox. Nothing is changed.
pub async fn preview(ctx: &Context, mailbox: Option<Id>, draft: Draft) -> Result<Preview, ActionError> {
    let Some(id) = mailbox else { return of_new(ctx, draft).await };
    let before = access::seen(ctx, Mailbox::TABLE, id).await?;
    let plan = Plan::new(ctx, Some(before.clone()), before.clone(), draft.clone());
    let (held, after) = (Mailbox::from_record(&before)?, Mailbox::from_record(&plan.after)?);
    let writing = writes_credentials(&plan.given);
    // A draft of nothing is a look at the form.
    let refusals = if draft.values.is_empty() && draft.faults.is_empty() {
        Vec::new()
    } else if let Err(refused) = access::on_row(ctx, Right::Write, &before).await {
        refusals(Err(refused))?
    } else {
        refusals(update::plan(ctx, before, draft).await.map(drop))?
    };
    let told = Told {
        loses: loses(&held, &after, writing),
        resets: resets(&held, &after, writing),
        effects: effects(&held, &after),
    };
    let may = standing::may(ctx, &plan.after, &held).await?;
    shown(ctx, after, may, told, refusals).await
}

async fn of_new(ctx: &Context, draft: Draft) -> Result<Preview, ActionError> {
    access::create(ctx, Mailbox::TABLE)?;
    let id = ctx.new_id()?;
    let plan = Plan::new(ctx, None, Record::with_defaults(Mailbox::TABLE, id), draft.clone());
    let after = Mailbox::from_record(&plan.after)?;
    let refusals = if draft.values.is_empty() && draft.faults.is_empty() {
        Vec::new()
    } else {
        refusals(create::plan(ctx, id, draft).await.map(drop))?
    };
    let may = standing::may(ctx, &plan.after, &after).await?;
    shown(ctx, after, may, Told::default(), refusals).await
}

async fn shown(
    ctx: &Context,
    mut after: Mailbox,
    may: May,
    told: Told,
    refusals: Vec<Refusal>,
) -> Result<Preview, ActionError> {
    let profile = facts::profile(ctx, after.profile).await?;
    if !may.read_credentials {
        after.user_name = String::new();
    }
    Ok(Preview {
        kind: kind(&after),
        may,
        offers: offers(&after, profile.as_ref()),
        is_exchange: profile.as_ref().is_some_and(rules::profile::is_exchange),
        credentials_needed: profile.as_ref().is_some_and(takes_credentials),
        profile: profile.map(|profile| profile.name),
        loses: told.loses,
        resets: told.resets,
        effects: told.effects,
        refusals,
        after,
    })
}

fn refusals(planned: Result<(), ActionError>) -> Result<Vec<Refusal>, ActionError> {
    match planned {
        Ok(()) => Ok(Vec::new()),
        Err(ActionError::Refused(refusals)) => Ok(refusals.0),
        Err(other) => Err(other),
    }
}
