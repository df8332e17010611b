//! Users: each with settings and a mailbox; the address, the methods and the
//! approval stand in both and follow each other.

use model::tables::{Approval, Email, EmailStatus, Mailbox, Organization, SystemUser};
use model::{Change, Entity, Filter, Query, Ref, Refusal, Update, words};
use rules::access::{Special, roles};
use rules::approval::{self, ApprovalFacts};
use rules::mailbox::Regarding;
use rules::schedule;
use rules::user_queue::{OwnerFacts, adopt, user_saved};

use crate::error::ActionError;
use crate::facts;
use crate::plan::Plan;
use crate::prepare;
use crate::tables::business_unit;

pub(crate) async fn check(plan: &mut Plan<'_>) -> Result<(), ActionError> {
    if plan.creating() && plan.after.get(SystemUser::C.business_unit.name).is_null() {
        let root = business_unit::root(plan.ctx).await?;
        plan.put(SystemUser::C.business_unit, root);
    }
    let before = plan.before.as_ref().map(SystemUser::from_record).transpose()?;
    let mut after = SystemUser::from_record(&plan.after)?;
    if after.domain_name.is_empty() {
        after.domain_name.clone_from(&after.address);
    }
    let wanted = after.approval;
    let organization = facts::organization(plan.ctx).await?;
    let mailbox = facts::mailbox_of(plan.ctx, after.reference()).await?;
    let default_profile = facts::profile(plan.ctx, organization.default_profile).await?;
    let mailbox_profile = facts::profile(plan.ctx, mailbox.as_ref().and_then(|m| m.profile)).await?;
    let except = mailbox.as_ref().map_or(model::Id::nil(), |m| m.id);
    let taken = facts::taken(plan.ctx, &after.address, except).await?;
    let facts = OwnerFacts {
        organization: &organization,
        default_profile: default_profile.as_ref(),
        mailbox: mailbox.as_ref(),
        mailbox_profile: mailbox_profile.as_ref(),
        address_taken_by: taken.as_ref().map(|(mailbox, name)| (*mailbox, name.as_str())),
        new_mailbox: plan.ctx.new_id()?,
    };
    let mut saved = match user_saved(before.as_ref(), after, &facts) {
        Ok(saved) => saved,
        Err(refusals) => {
            plan.faults.extend(refusals.0);
            return Ok(());
        }
    };
    if plan.was_given(SystemUser::C.approval) && wanted != saved.record.approval {
        let regarding = saved.record.clone();
        let alone = saved.changes.is_empty();
        let regarding = Regarding::User(&regarding);
        saved.record.approval = approve(plan, mailbox.as_ref(), wanted, regarding, &organization, alone);
    }
    plan.also.extend(saved.changes);
    if plan.creating() {
        // Who has no role may do nothing, not even log in.
        plan.also.push(Change::create(prepare::assignment(saved.record.id, roles::BASIC_USER)));
    }
    adopt_waiting(plan, saved.record.default_mailbox).await?;
    plan.after.values.extend(saved.record.into_record().values);
    Ok(())
}

/// Emails that are adopted with one save; more follow with the next.
const ADOPTED: usize = 1000;

/// What was issued in this user's or queue's name while there was no mailbox
/// waits for one.
pub(crate) async fn adopt_waiting(plan: &mut Plan<'_>, mailbox: Option<Ref>) -> Result<(), ActionError> {
    let (Some(mailbox), false) = (mailbox, plan.creating()) else { return Ok(()) };
    let query = Query::of::<Email>()
        .filter(Filter::eq(Email::C.status, EmailStatus::PendingSend))
        .filter(Filter::eq(Email::C.sender_mailbox, None))
        .filter(Filter::eq(Email::C.email_sender, Some(plan.after.reference())))
        .limit(ADOPTED);
    let waiting = plan.ctx.store.list::<Email>(&query).await?;
    plan.also.extend(adopt(mailbox.id, &waiting, plan.ctx.now));
    Ok(())
}

/// Approval written on the user or queue is approval of its mailbox.
pub(crate) fn approve(
    plan: &mut Plan<'_>,
    mailbox: Option<&Mailbox>,
    wanted: Approval,
    regarding: Regarding<'_>,
    organization: &Organization,
    alone: bool,
) -> Approval {
    let Some(mailbox) = mailbox.filter(|_| alone) else {
        let message = words!("Approve or reject the address in a request of its own, when the mailbox exists.");
        plan.fault(Refusal::invalid(Some(Mailbox::C.approval.name), message));
        return wanted;
    };
    let facts = ApprovalFacts {
        privilege: plan.ctx.principal.has(Special::ApproveEmailAddresses),
        privilege_for_own: organization.require_privilege_for_own,
        regarding: Some(regarding),
    };
    match approval::set(mailbox, wanted, &plan.ctx.actor, facts, plan.ctx.now) {
        Ok(decided) => {
            plan.verb = if wanted == Approval::Approved { "approve" } else { "reject" };
            plan.also.extend(Update::between(mailbox, &decided).map(Change::from));
            plan.also.extend(schedule::resume(&decided, plan.ctx.now));
            decided.approval
        }
        Err(refusals) => {
            plan.faults.extend(refusals.0);
            wanted
        }
    }
}
