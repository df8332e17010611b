//! Emails as people write them: drafts with parties and attachments; what was
//! sent or received can be filed, not rewritten.

use model::tables::{Attachment, Delivery, Email, EmailStatus, QueueItem, TraceLog};
use model::{Change, Entity, Filter, Query, Record, Ref, Refusal, Value, Words, words};

use crate::context::Context;
use crate::draft::Draft;
use crate::error::{ActionError, invalid_operation};
use crate::plan::Plan;
use crate::tables::{attachment, ledger, parties};

/// What may still be written when an email is no longer open: how it is filed.
const FILING: &[&str] = &[
    "regardingobjectid",
    "ownerid",
    "category",
    "subcategory",
    "isbilled",
    "parentactivityid",
    "correlatedactivityid",
    "acceptingentityid",
    "followemailuserpreference",
    "statecode",
    "statuscode",
];

pub(crate) async fn check(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let after = plan.after.typed(Email::C.status)?;
    if let Some(before) = &plan.before {
        let before = before.typed(Email::C.status)?;
        transition(plan, before, after);
        read_only(plan, before);
    } else {
        plan.after.set("activitytypecode", Value::Text("email".to_owned()));
        if matches!(after, EmailStatus::PendingSend | EmailStatus::Sending | EmailStatus::Failed) {
            plan.fault(send_instead(after));
        }
    }
    // Timelines are walked by it.
    if plan.after.get(Email::C.sort_date.name).is_null() {
        plan.put(Email::C.sort_date, Some(plan.ctx.now));
    }
    let mut others = Vec::new();
    for (child, drafts) in std::mem::take(&mut plan.children) {
        match child.nav {
            "email_activity_parties" => write_parties(plan, drafts).await?,
            "email_activity_mime_attachment" if plan.creating() => write_attachments(plan, drafts).await?,
            "email_activity_mime_attachment" => plan.fault(invalid_operation(words!(
                "Attachments of an email that exists are created one by one: POST activitymimeattachments."
            ))),
            _ => others.push((child, drafts)),
        }
    }
    plan.children = others;
    Ok(())
}

/// 0x8004F00E
fn send_instead(to: EmailStatus) -> Refusal {
    let message = words!(
        "The status '{0}' cannot be written. To send the email, call emails(<id>)/Microsoft.Dynamics.CRM.SendEmail with IssueSend = true.",
        Words::label(to.label())
    );
    Refusal::new(0x8004_F00E, "InvalidStateTransition", message).at("statuscode")
}

fn transition(plan: &mut Plan<'_>, from: EmailStatus, to: EmailStatus) {
    use EmailStatus as S;
    if from == to {
        return;
    }
    let allowed = match from {
        S::Draft => matches!(to, S::Completed | S::Sent | S::Received | S::Canceled),
        S::Failed => matches!(to, S::Draft | S::Completed | S::Canceled),
        S::PendingSend => matches!(to, S::Draft | S::Canceled),
        S::Canceled | S::Completed => matches!(to, S::Draft),
        S::Sending | S::Sent | S::Received => false,
    };
    if allowed {
        return;
    }
    if matches!(to, S::PendingSend | S::Sending | S::Failed) {
        plan.fault(send_instead(to));
        return;
    }
    let message =
        words!("An email cannot go from '{0}' to '{1}'.", Words::label(from.label()), Words::label(to.label()));
    plan.fault(Refusal::new(0x8004_F00E, "InvalidStateTransition", message).at("statuscode"));
}

/// 0x80040233
fn read_only(plan: &mut Plan<'_>, before: EmailStatus) {
    if matches!(before, EmailStatus::Draft | EmailStatus::Failed) {
        return;
    }
    let mut told = Vec::new();
    let columns: Vec<&'static str> = plan.difference().into_iter().map(|(name, _)| name).collect();
    for name in columns.into_iter().filter(|n| plan.given.contains(n) && !FILING.contains(n)) {
        let message = words!(
            "'{0}' cannot be changed: the email is '{1}' and read-only. Its regarding, owner and category can be changed.",
            name,
            Words::label(before.label())
        );
        told.push(Refusal::new(0x8004_0233, "InvalidState", message).at(name));
    }
    if !plan.children.is_empty() {
        let message = words!(
            "Parties and attachments cannot be changed: the email is '{0}' and read-only.",
            Words::label(before.label())
        );
        told.push(Refusal::new(0x8004_0233, "InvalidState", message));
    }
    plan.faults.extend(told);
}

async fn write_parties(plan: &mut Plan<'_>, drafts: Vec<Draft>) -> Result<(), ActionError> {
    let new = parties::of_drafts(plan, drafts).await?;
    let standing = if plan.creating() { Vec::new() } else { parties::of_email(plan.ctx, plan.after.id).await? };
    let changes = parties::replaced(&standing, &new);
    // The list is part of the email: whoever writes it writes the email, and
    // two who do so at once do not end up with both their lists.
    plan.touches |= !changes.is_empty();
    plan.also.extend(changes);
    parties::summarize(&mut plan.after, &new);
    Ok(())
}

async fn write_attachments(plan: &mut Plan<'_>, drafts: Vec<Draft>) -> Result<(), ActionError> {
    let limits = attachment::limits(plan.ctx).await?;
    let count = drafts.len();
    for (number, draft) in drafts.into_iter().enumerate() {
        let id = match draft.id {
            Some(id) => id,
            None => plan.ctx.new_id()?,
        };
        let mut row = Plan::new(plan.ctx, None, Record::with_defaults(Attachment::TABLE, id), draft);
        row.put(Attachment::C.object, Some(Ref::new("email", plan.after.id)));
        row.put(Attachment::C.object_type, "email".to_owned());
        if !row.given.contains(Attachment::C.number.name) {
            row.put(Attachment::C.number, i64::try_from(number + 1).unwrap_or(0));
        }
        row.refuse_children();
        attachment::content(&mut row, &limits).await?;
        plan.faults.append(&mut row.faults);
        plan.blobs.append(&mut row.blobs);
        plan.also.push(Change::Create(row.after));
    }
    plan.put(Email::C.attachment_count, i64::try_from(count).unwrap_or(0));
    Ok(())
}

/// An email goes with its parties, attachments, queue items and alerts; the
/// ledger stays, and forgets it and its bytes.
pub(crate) async fn check_delete(ctx: &Context, row: &Record) -> Result<Vec<Change>, ActionError> {
    let status = row.typed(Email::C.status)?;
    if status == EmailStatus::Sending {
        return Err(
            invalid_operation(words!("The email is being sent right now. Delete it when that has ended.")).into()
        );
    }
    let this = Some(row.reference());
    let mut changes: Vec<Change> = Vec::new();
    for party in parties::of_email(ctx, row.id).await? {
        changes.push(Change::delete::<model::tables::ActivityParty>(party.id));
    }
    let query = Query::of::<Attachment>().filter(Filter::eq(Attachment::C.object, this));
    for attachment in ctx.store.list::<Attachment>(&query).await? {
        changes.push(Change::delete::<Attachment>(attachment.id));
    }
    let query = Query::of::<QueueItem>().filter(Filter::eq(QueueItem::C.object, this));
    for item in ctx.store.list::<QueueItem>(&query).await? {
        changes.push(Change::delete::<QueueItem>(item.id));
    }
    let query = Query::of::<TraceLog>().filter(Filter::eq(TraceLog::C.regarding, this));
    for alert in ctx.store.list::<TraceLog>(&query).await? {
        changes.push(Change::delete::<TraceLog>(alert.id));
    }
    let query = Query::of::<Delivery>().filter(Filter::eq(Delivery::C.email, this));
    for delivery in ctx.store.list::<Delivery>(&query).await? {
        changes.push(Change::delete::<Delivery>(delivery.id));
    }
    changes.extend(ledger::let_go(ctx, row).await?);
    Ok(changes)
}
