//! What waits for a person: their emails that have not gone out, alerts that
//! concern them, and, for who looks after mailboxes, those that need it.

use std::cmp::Reverse;

use model::tables::{Approval, Email, EmailServerProfile, EmailStatus, Mailbox, State, TestStatus, TraceLog};
use model::{Entity, Filter, Query, Record, Ref};
use rules::access::{Right, Special};

use crate::access;
use crate::context::Context;
use crate::error::ActionError;

/// The person's emails in one of these states, newest first.
pub async fn emails(ctx: &Context, statuses: &[EmailStatus], most: usize) -> Result<Vec<Record>, ActionError> {
    if access::any(ctx, Right::Read, Email::TABLE).is_err() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    // One by one: each is read in the order in which it is shown.
    for status in statuses {
        let mut query = mine(ctx, &[*status]).order_by(Email::C.sort_date, true).limit(most);
        query.select = vec![
            "subject",
            "sortdate",
            "torecipients",
            "sender",
            "statuscode",
            "pr_failurereason",
            "postponeemailprocessinguntil",
            "delayedemailsendtime",
            "deliveryattempts",
        ];
        found.extend(crate::list(ctx, query).await?);
    }
    found.sort_by_key(|row| (Reverse(row.get(Email::C.sort_date.name).as_time()), row.id));
    found.truncate(most);
    Ok(found)
}

/// How many there are.
pub async fn count(ctx: &Context, statuses: &[EmailStatus]) -> Result<u64, ActionError> {
    if access::any(ctx, Right::Read, Email::TABLE).is_err() {
        return Ok(0);
    }
    crate::count(ctx, mine(ctx, statuses)).await
}

fn mine(ctx: &Context, statuses: &[EmailStatus]) -> Query {
    let query = Query::of::<Email>().filter(Filter::eq(Email::C.owner, Some(ctx.actor_ref())));
    match statuses {
        [one] => query.filter(Filter::eq(Email::C.status, *one)),
        several => query.filter(Filter::is_in(Email::C.status, several.iter().copied())),
    }
}

/// Alerts about what is the person's own or their teams', newest first.
pub async fn alerts(ctx: &Context, most: usize) -> Result<Vec<Record>, ActionError> {
    if access::any(ctx, Right::Read, TraceLog::TABLE).is_err() {
        return Ok(Vec::new());
    }
    let owners: Vec<Option<Ref>> = ctx.principal.selves().into_iter().map(Some).collect();
    let mut query = Query::of::<TraceLog>().filter(Filter::is_in(TraceLog::C.regarding_owner, owners)).limit(most);
    query.select = vec!["level", "text", "regardingobjectid", "modifiedon", "pr_occurrences"];
    query.order.push(model::Order { column: "modifiedon".into(), descending: true });
    crate::list(ctx, query).await
}

/// The person's own mailbox, where they may read it.
pub async fn mailbox(ctx: &Context) -> Result<Option<Mailbox>, ActionError> {
    if access::any(ctx, Right::Read, Mailbox::TABLE).is_err() {
        return Ok(None);
    }
    let query = Query::of::<Mailbox>().filter(Filter::eq(Mailbox::C.regarding, Some(ctx.actor_ref()))).limit(1);
    let row = crate::list(ctx, query).await?.pop();
    Ok(row.map(|row| Mailbox::from_record(&row)).transpose()?)
}

/// Mailboxes that somebody must look after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Care {
    pub pending_approval: u64,
    pub failed: u64,
    pub not_tested: u64,
    /// There is no profile yet: nothing can be synchronized.
    pub no_profile: bool,
}

/// `None` for who does not look after other people's mailboxes.
pub async fn care(ctx: &Context) -> Result<Option<Care>, ActionError> {
    let looks_after = ctx.principal.has(Special::ApproveEmailAddresses) || ctx.principal.administrator;
    if !looks_after || access::any(ctx, Right::Read, Mailbox::TABLE).is_err() {
        return Ok(None);
    }
    let active = || Query::of::<Mailbox>().filter(Filter::eq(Mailbox::C.state, State::Active));
    let pending = active().filter(Filter::eq(Mailbox::C.approval, Approval::Pending));
    let failed = active().filter(Filter::eq(Mailbox::C.mailbox_status, TestStatus::Failure));
    let untested = active()
        .filter(Filter::eq(Mailbox::C.mailbox_status, TestStatus::NotRun))
        .filter(Filter::Not(Box::new(Filter::IsNull(Mailbox::C.profile.name.into()))));
    let reads_profiles = access::any(ctx, Right::Read, EmailServerProfile::TABLE).is_ok();
    Ok(Some(Care {
        pending_approval: crate::count(ctx, pending).await?,
        failed: crate::count(ctx, failed).await?,
        not_tested: crate::count(ctx, untested).await?,
        no_profile: reads_profiles && crate::count(ctx, Query::of::<EmailServerProfile>()).await? == 0,
    }))
}
