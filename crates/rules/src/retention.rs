//! How long what is kept is kept: which rows are old enough, and what of them
//! goes.
//!
//! The ledger never loses a row. It is what tells a message that was seen from
//! one that is new: it is the cursor of POP3, and after a folder's UIDs began
//! anew it is all that keeps a message whose email was deleted from becoming
//! one again. What goes is what the message was about: subject, sender,
//! reason, and the raw message. Of a message that still waits, or that somebody
//! may yet have processed again, nothing goes.

use model::query::Compare;
use model::tables::{Audit, Disposition, LedgerEntry, Organization, TraceLog};
use model::{Change, Filter, Query, Refusal, SignedDuration, Timestamp, Update, Value, words};

/// The audit trail is kept for so long at least; the database holds it, too.
pub const SHORTEST_AUDIT: i64 = 30;

/// Of these nothing is forgotten: they are not over.
const OPEN: &[Disposition] =
    &[Disposition::Waiting, Disposition::Failed, Disposition::Unclaimed, Disposition::Unreadable];

/// The rows of the ledger whose details are to go; `None`: those of none.
pub fn ledger(organization: &Organization, now: Timestamp) -> Option<Query> {
    let before = before(organization.ledger_days, now)?;
    let open = Filter::is_in(LedgerEntry::C.disposition, OPEN.iter().copied());
    let query = Query::of::<LedgerEntry>()
        .filter(older(LedgerEntry::C.seen_on.name, before))
        .filter(Filter::IsNull(LedgerEntry::C.cleared_on.name.into()))
        .filter(Filter::Not(Box::new(open)));
    Some(query)
}

/// Forgets what the message was about. Where it stood, its fingerprint, what
/// was decided and what came of it stay. A row that is decided anew meanwhile
/// is left alone.
pub fn without_details(row: &LedgerEntry, now: Timestamp) -> Change {
    Update::of::<LedgerEntry>(row.id)
        .expect(LedgerEntry::C.disposition, row.disposition)
        .set(LedgerEntry::C.subject, String::new())
        .set(LedgerEntry::C.from, String::new())
        .set(LedgerEntry::C.reason, String::new())
        .set(LedgerEntry::C.blob, None)
        .set(LedgerEntry::C.cleared_on, Some(now))
        .into()
}

/// The alerts that are to go. An alert that comes again is younger with it.
pub fn alerts(organization: &Organization, now: Timestamp) -> Option<Query> {
    let before = before(organization.alert_days, now)?;
    let query = Query::of::<TraceLog>()
        .filter(older("modifiedon", before))
        .filter(Filter::eq(TraceLog::C.can_be_deleted, true));
    Some(query)
}

/// The rows of the audit trail that are to go.
pub fn audit(organization: &Organization, now: Timestamp) -> Option<Query> {
    if organization.audit_days < SHORTEST_AUDIT {
        return None;
    }
    let before = before(organization.audit_days, now)?;
    Some(Query::of::<Audit>().filter(older(Audit::C.at.name, before)))
}

/// Whether the trail may be kept for so many days.
pub fn audit_days(days: i64) -> Result<(), Refusal> {
    if days == 0 || days >= SHORTEST_AUDIT {
        return Ok(());
    }
    let message = words!(
        "The audit trail is kept for {0} days at least; 0 keeps it for as long as there is room.",
        SHORTEST_AUDIT
    );
    Err(Refusal::invalid(Some(Organization::C.audit_days.name), message))
}

fn before(days: i64, now: Timestamp) -> Option<Timestamp> {
    let kept = SignedDuration::from_hours(days.checked_mul(24)?);
    (days > 0).then(|| now.checked_sub(kept).ok()).flatten()
}

fn older(column: &'static str, before: Timestamp) -> Filter {
    Filter::Compare(column.into(), Compare::Less, Value::Time(before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Entity as _, Id};

    fn now() -> Timestamp {
        "2026-03-01T09:00:00Z".parse().unwrap()
    }

    fn organization(days: i64) -> Organization {
        Organization { ledger_days: days, alert_days: days, audit_days: days, ..Organization::blank(Id::nil()) }
    }

    #[test]
    fn nothing_goes_unless_somebody_says_so() {
        let organization = Organization::blank(Id::nil());
        assert!(ledger(&organization, now()).is_none());
        assert!(alerts(&organization, now()).is_none());
        assert!(audit(&organization, now()).is_none());
    }

    #[test]
    fn days_are_counted_from_now() {
        let query = alerts(&organization(1), now()).unwrap();
        let Filter::And(all) = query.filter else { panic!() };
        let before: Timestamp = "2026-02-28T09:00:00Z".parse().unwrap();
        assert!(all.contains(&Filter::Compare("modifiedon".into(), Compare::Less, Value::Time(before))));
    }

    #[test]
    fn what_tells_a_message_from_a_new_one_stays() {
        let row = LedgerEntry {
            subject: "s".into(),
            fingerprint: "f".into(),
            disposition: Disposition::Tracked,
            ..LedgerEntry::blank(Id::nil())
        };
        let Change::Update(update) = without_details(&row, now()) else { panic!() };
        let set: Vec<&str> = update.set.iter().map(|(name, _)| *name).collect();
        assert_eq!(set, ["pr_subject", "pr_from", "pr_reason", "pr_blob", "pr_clearedon"]);
        assert_eq!(update.expect.len(), 1);
    }

    #[test]
    fn what_is_not_over_stays_whole() {
        let query = ledger(&organization(7), now()).unwrap();
        let text = format!("{:?}", query.filter);
        let Filter::And(all) = query.filter else { panic!() };
        let open = all.iter().find_map(|f| if let Filter::Not(inner) = f { Some(inner) } else { None });
        let Some(Filter::In(_, values)) = open.map(|f| &**f) else { panic!("{text}") };
        assert_eq!(values.len(), OPEN.len());
    }

    #[track_caller]
    fn check_audit(days: i64, good: bool) {
        assert_eq!(audit_days(days).is_ok(), good, "{days}");
        assert_eq!(audit(&organization(days), now()).is_some(), good && days > 0, "{days}");
    }

    #[test]
    fn the_trail_is_kept_for_a_month_at_least() {
        check_audit(0, true);
        check_audit(1, false);
        check_audit(29, false);
        check_audit(30, true);
        check_audit(36_500, true);
    }

    #[test]
    fn so_many_days_that_there_was_no_beginning() {
        assert!(ledger(&organization(i64::MAX), now()).is_none());
        assert!(ledger(&organization(36_500), now()).is_some());
    }
}
