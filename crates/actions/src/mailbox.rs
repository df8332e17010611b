//! Verbs on mailboxes, for the command line and for actions of the API. Each
//! is an edit like any other and passes the same checks.

use model::tables::{Approval, Mailbox};
use model::work::Workload;
use model::{Commit, Entity, Id};
use rules::access::Special;
use rules::schedule;

use crate::context::Context;
use crate::draft::{Draft, Precondition, Saved};
use crate::error::{ActionError, commit_failed};
use crate::update::update;
use crate::{access, audit};

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
