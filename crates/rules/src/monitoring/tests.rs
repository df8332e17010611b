//! Who works, who does not, and why.

use model::Entity as _;

use super::*;

const WORKING: MailboxGroup = MailboxGroup {
    active: true,
    approval: 1,
    has_profile: true,
    incoming: Route { method: 2, status: 1, enabled: true },
    outgoing: Route { method: 2, status: 1, enabled: true },
    count: 1,
};

#[track_caller]
fn check(change: impl FnOnce(&mut MailboxGroup), expected: Standing) {
    let mut group = WORKING;
    change(&mut group);
    assert_eq!(standing(&group, Workload::Incoming), expected);
}

#[test]
fn a_mailbox_that_works() {
    check(|_| (), Standing::Working);
    check(|g| g.approval = 0, Standing::Working);
    check(|g| g.outgoing.status = 2, Standing::Working);
}
#[test]
fn what_keeps_it_from_working() {
    check(|g| g.active = false, Standing::Inactive);
    check(|g| g.has_profile = false, Standing::WithoutProfile);
    check(|g| g.approval = 2, Standing::NotApproved);
    check(|g| g.approval = 3, Standing::NotApproved);
    check(|g| g.incoming.status = 0, Standing::NotTested);
    check(|g| g.incoming.status = 2, Standing::Failed);
    check(|g| g.incoming.enabled = false, Standing::Disabled);
}
#[test]
fn what_others_do() {
    check(|g| g.incoming.method = 0, Standing::Elsewhere);
    check(|g| g.incoming.method = 3, Standing::Elsewhere);
    let mut group = WORKING;
    group.outgoing.method = 0;
    assert_eq!(standing(&group, Workload::Outgoing), Standing::Elsewhere);
}
#[test]
fn groups_add_up() {
    let mut failed = WORKING;
    failed.incoming.status = 2;
    failed.count = 3;
    let counted = by_standing(&[WORKING, failed, WORKING], Workload::Incoming);
    assert_eq!(counted, BTreeMap::from([(Standing::Failed, 3), (Standing::Working, 2)]));
}
#[test]
fn every_disposition_has_a_fate() {
    for disposition in Disposition::ALL {
        assert!(Fate::ALL.contains(&fate(*disposition)));
    }
}
#[test]
fn empty_hours_are_there() {
    let now: Timestamp = "2026-03-01T09:30:00Z".parse().unwrap();
    let eight = "2026-03-01T08:00:00Z".parse().unwrap();
    let old = "2026-02-01T08:00:00Z".parse().unwrap();
    let tally = |hour, count| HourTally { hour, disposition: Disposition::Tracked, count };
    let all = hours(&[tally(eight, 2), tally(old, 9)], now, 3);
    let totals: Vec<u64> = all.iter().map(Hour::total).collect();
    assert_eq!(totals, [0, 2, 0]);
    assert_eq!(all[2].begins, "2026-03-01T09:00:00Z".parse().unwrap());
}
#[test]
fn breakers() {
    let now: Timestamp = "2026-03-01T09:30:00Z".parse().unwrap();
    let mut server = Server::blank(model::Id::nil());
    assert_eq!(breaker_state(&server, now), BreakerState::Closed);
    server.failures = 1;
    assert_eq!(breaker_state(&server, now), BreakerState::Failing);
    server.failures = 3;
    server.open_until = Some(now + SignedDuration::from_secs(1));
    assert_eq!(breaker_state(&server, now), BreakerState::Open);
    server.open_until = Some(now);
    assert_eq!(breaker_state(&server, now), BreakerState::HalfOpen);
}
#[test]
fn nodes_that_are_silent() {
    let now: Timestamp = "2026-03-01T09:30:00Z".parse().unwrap();
    assert!(is_alive(now - SignedDuration::from_secs(59), now));
    assert!(!is_alive(now - SignedDuration::from_secs(61), now));
}
