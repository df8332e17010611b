//! Verbs on mailboxes, for the command line and for actions of the API. Each
//! is an edit like any other and passes the same checks.

use model::tables::{Approval, Mailbox};
use model::work::Workload;
use model::{Commit, Entity, Id, Update};
use rules::access::{Right, Special};
use rules::schedule;

use crate::context::Context;
use crate::draft::{Draft, Precondition, Saved};
use crate::error::{ActionError, commit_failed};
use crate::update::Foreseen;
use crate::update::update;
use crate::{access, audit, facts};

mod details;

pub use details::details;

mod preview;
mod standing;

pub use preview::{Preview, preview};
pub use rules::mailbox::{Kind, Offer};
pub use standing::{Lane, May, Standing, standing};

/// Approve Email.
pub async fn approve(ctx: &Context, mailbox: Id) -> Result<Saved, ActionError> {
    edit(ctx, mailbox, Draft::new(Mailbox::TABLE).with(Mailbox::C.approval, Approval::Approved)).await
}

/// Reject Email.
pub async fn reject(ctx: &Context, mailbox: Id) -> Result<Saved, ActionError> {
    edit(ctx, mailbox, Draft::new(Mailbox::TABLE).with(Mailbox::C.approval, Approval::Rejected)).await
}

/// Test & Enable Mailbox: schedules the test and makes it due.
pub async fn test(ctx: &Context, mailbox: Id) -> Result<Saved, ActionError> {
    edit(ctx, mailbox, Draft::new(Mailbox::TABLE).with(Mailbox::C.test_scheduled, true)).await
}

/// Apply Default Email Settings: the organization's methods and profile, as a
/// new mailbox of this kind gets them; with `test` it is also tested and enabled.
pub async fn apply_defaults(ctx: &Context, mailbox: Id, test: bool) -> Result<Saved, ActionError> {
    let row = access::seen(ctx, Mailbox::TABLE, mailbox).await?;
    access::on_row(ctx, Right::Write, &row).await?;
    let before = Mailbox::from_record(&row)?;
    let organization = facts::organization(ctx).await?;
    let profile = facts::profile(ctx, organization.default_profile).await?;
    let after = rules::mailbox::with_default_settings(&before, &organization, profile.as_ref());
    let mut draft = Draft::new(Mailbox::TABLE);
    draft.values.extend(Update::between(&before, &after).map(|update| update.set).unwrap_or_default());
    if test {
        draft = draft.with(Mailbox::C.test_scheduled, true);
    }
    edit(ctx, mailbox, draft).await
}

/// What an edit that is foreseen takes back, in words; empty: nothing.
pub fn resets(foreseen: &Foreseen, writing_credentials: bool) -> Result<Vec<&'static str>, ActionError> {
    let (before, after) = (Mailbox::from_record(&foreseen.before)?, Mailbox::from_record(&foreseen.after)?);
    Ok(rules::mailbox::resets(&before, &after, writing_credentials))
}

async fn edit(ctx: &Context, mailbox: Id, draft: Draft) -> Result<Saved, ActionError> {
    update(ctx, mailbox, draft, Precondition::Exists).await
}

/// Receives and sends for the mailbox now and not when it would be due.
pub async fn process_now(ctx: &Context, mailbox: Id) -> Result<(), ActionError> {
    let row = access::seen(ctx, Mailbox::TABLE, mailbox).await?;
    access::special_on(ctx, Special::TestMailbox, &row).await?;
    let mut changes = schedule::due(mailbox, Workload::Incoming, ctx.now);
    changes.extend(schedule::due(mailbox, Workload::Outgoing, ctx.now));
    changes.push(audit::noted(ctx, "process", Mailbox::TABLE, mailbox)?);
    let commit = Commit::new(ctx.actor(), ctx.now, changes);
    ctx.store.commit(&commit).await.map_err(|e| commit_failed("mailbox", e))?;
    Ok(())
}
