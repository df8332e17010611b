//! Email server profiles: an edit that matters takes back the test results of
//! the mailboxes that use the profile.

use model::tables::{EmailServerProfile, Mailbox, State, TraceLog};
use model::{Change, Entity, Filter, Query, Record, Ref, Refusal, Update, words};
use rules::mailbox::reset_tests;
use rules::profile::{ProfileFacts, affected, save};
use rules::schedule;

use crate::context::Context;
use crate::error::ActionError;
use crate::plan::Plan;

pub(crate) async fn check(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    let before = plan.before.as_ref().map(EmailServerProfile::from_record).transpose()?;
    let after = EmailServerProfile::from_record(&plan.after)?;
    let facts = ProfileFacts {
        allow_insecure: plan.ctx.settings.allow_insecure,
        incoming_password: after.incoming_password_set,
        outgoing_password: after.outgoing_password_set,
    };
    let saved = match save(before.as_ref(), after, facts) {
        Ok(saved) => saved,
        Err(refusals) => {
            plan.faults.extend(refusals.0);
            return Ok(());
        }
    };
    if let Some(before) = &before {
        let passwords = (plan.given.contains("incomingpassword"), plan.given.contains("outgoingpassword"));
        let (incoming, outgoing) = affected(before, &saved, passwords);
        let resumes = before.state != saved.state && saved.state == State::Active;
        if incoming || outgoing || resumes {
            for mailbox in mailboxes(plan.ctx, saved.id).await? {
                plan.also.extend(reset_tests(&mailbox, incoming, outgoing).map(Change::from));
                if resumes {
                    plan.also.extend(schedule::resume(&mailbox, plan.ctx.now));
                }
            }
        }
    }
    plan.after.values.extend(saved.into_record().values);
    Ok(())
}

async fn mailboxes(ctx: &Context, profile: model::Id) -> Result<Vec<Mailbox>, ActionError> {
    let this = Some(Ref::new("emailserverprofile", profile));
    Ok(ctx.store.list::<Mailbox>(&Query::of::<Mailbox>().filter(Filter::eq(Mailbox::C.profile, this))).await?)
}

/// A mailbox must not be left alone with a test that cannot run. 0x8005E248
fn refuse_tested(mailboxes: &[Mailbox]) -> Result<(), Refusal> {
    let Some(tested) = mailboxes.iter().find(|m| m.test_scheduled) else { return Ok(()) };
    let message = words!(
        "The profile cannot be deleted while its mailbox '{0}' is being tested. Delete it when the test has ended.",
        tested.name
    );
    Err(Refusal::new(0x8005_E248, "TestEmailConfigurationScheduledInProgress", message))
}

/// Its mailboxes stay, without a profile and untested; its alerts go.
pub(crate) async fn check_delete(ctx: &Context, row: &Record) -> Result<Vec<Change>, ActionError> {
    let mut changes: Vec<Change> = Vec::new();
    let mailboxes = mailboxes(ctx, row.id).await?;
    refuse_tested(&mailboxes)?;
    for mailbox in mailboxes {
        let update = reset_tests(&mailbox, true, true).unwrap_or_else(|| Update::of::<Mailbox>(mailbox.id));
        // Not even when the test is scheduled in this very moment.
        let update = update.set(Mailbox::C.profile, None).expect(Mailbox::C.test_scheduled, false);
        changes.push(update.into());
    }
    let query = Query::of::<TraceLog>().filter(Filter::eq(TraceLog::C.regarding, Some(row.reference())));
    for alert in ctx.store.list::<TraceLog>(&query).await? {
        changes.push(Change::delete::<TraceLog>(alert.id));
    }
    Ok(changes)
}
