//! What the counts of an installation mean to whoever watches it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use model::overview::{HourTally, MailboxGroup, Route};
use model::tables::{Approval, Disposition, IncomingMethod, OutgoingMethod, Server, TestStatus};
use model::work::Workload;

use crate::breaker;

/// How a mailbox stands with one workload. What needs somebody comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    Failed,
    Disabled,
    WithoutProfile,
    NotApproved,
    NotTested,
    Working,
    /// Somebody else does it: a forward mailbox, Outlook; or nobody shall.
    Elsewhere,
    Inactive,
}

impl Standing {
    pub const ALL: [Self; 8] = [
        Self::Working,
        Self::Failed,
        Self::Disabled,
        Self::WithoutProfile,
        Self::NotApproved,
        Self::NotTested,
        Self::Elsewhere,
        Self::Inactive,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Self::Working => "Working",
            Self::Failed => "Test failed",
            Self::Disabled => "Disabled",
            Self::WithoutProfile => "Without profile",
            Self::NotApproved => "Not approved",
            Self::NotTested => "Not tested",
            Self::Elsewhere => "Not by server-side synchronization",
            Self::Inactive => "Inactive",
        }
    }

    /// Whether somebody has to do something about it.
    pub fn needs_attention(self) -> bool {
        !matches!(self, Self::Working | Self::Elsewhere | Self::Inactive)
    }
}

/// Of one group, for incoming or outgoing email.
#[must_use]
pub fn standing(group: &MailboxGroup, workload: Workload) -> Standing {
    let (route, served) = match workload {
        Workload::Outgoing => (&group.outgoing, OutgoingMethod::ServerSide.number()),
        _ => (&group.incoming, IncomingMethod::ServerSide.number()),
    };
    if !group.active {
        return Standing::Inactive;
    }
    if route.method != served {
        return Standing::Elsewhere;
    }
    if !group.has_profile {
        return Standing::WithoutProfile;
    }
    tested(route, group.approval)
}

fn tested(route: &Route, approval: i64) -> Standing {
    if approval == Approval::Pending.number() || approval == Approval::Rejected.number() {
        return Standing::NotApproved;
    }
    match TestStatus::from_number(route.status) {
        Some(TestStatus::Failure) => Standing::Failed,
        Some(TestStatus::Success) if route.enabled => Standing::Working,
        Some(TestStatus::Success) => Standing::Disabled,
        _ => Standing::NotTested,
    }
}

/// Mailboxes by how they stand.
#[must_use]
pub fn by_standing(groups: &[MailboxGroup], workload: Workload) -> BTreeMap<Standing, u64> {
    let mut all = BTreeMap::new();
    for group in groups {
        *all.entry(standing(group, workload)).or_default() += group.count;
    }
    all
}

/// What became of messages, as few words as a chart has colours for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    Tracked,
    NotForTheCrm,
    Again,
    Waiting,
    Trouble,
}

impl Fate {
    pub const ALL: [Self; 5] = [Self::Tracked, Self::NotForTheCrm, Self::Again, Self::Waiting, Self::Trouble];

    pub fn label(self) -> &'static str {
        match self {
            Self::Tracked => "Tracked",
            Self::NotForTheCrm => "Not for the CRM",
            Self::Again => "Known already",
            Self::Waiting => "Waiting",
            Self::Trouble => "Needs attention",
        }
    }
}

#[must_use]
pub fn fate(disposition: Disposition) -> Fate {
    match disposition {
        Disposition::Tracked | Disposition::Forwarded => Fate::Tracked,
        Disposition::Filtered
        | Disposition::NoRecipientMatch
        | Disposition::InternalEmail
        | Disposition::TooOld
        | Disposition::TestMessage => Fate::NotForTheCrm,
        Disposition::Duplicate | Disposition::SeenBefore | Disposition::OwnCopy => Fate::Again,
        Disposition::Waiting => Fate::Waiting,
        Disposition::InvalidSender
        | Disposition::Unclaimed
        | Disposition::Failed
        | Disposition::Unreadable
        | Disposition::TooLarge => Fate::Trouble,
    }
}

/// An hour with what became of its messages; hours without any are there, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hour {
    pub begins: Timestamp,
    pub fates: BTreeMap<Fate, u64>,
}

impl Hour {
    #[must_use]
    pub fn total(&self) -> u64 {
        self.fates.values().sum()
    }
}

/// The last `hours` up to that of `now`.
#[must_use]
pub fn hours(tallies: &[HourTally], now: Timestamp, hours: i64) -> Vec<Hour> {
    let this = whole_hour(now);
    let mut all: Vec<Hour> = (0..hours)
        .rev()
        .filter_map(|back| this.checked_sub(SignedDuration::from_hours(back)).ok())
        .map(|begins| Hour { begins, fates: BTreeMap::new() })
        .collect();
    for tally in tallies {
        if let Some(hour) = all.iter_mut().find(|h| h.begins == tally.hour) {
            *hour.fates.entry(fate(tally.disposition)).or_default() += tally.count;
        }
    }
    all
}

fn whole_hour(time: Timestamp) -> Timestamp {
    let second = time.as_second();
    Timestamp::from_second(second - second.rem_euclid(3600)).unwrap_or(time)
}

/// How a server's breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    Closed,
    /// Failures, but not yet enough.
    Failing,
    Open,
    /// The time is over: the next attempt decides.
    HalfOpen,
}

impl BreakerState {
    pub fn label(self) -> &'static str {
        match self {
            Self::Closed => "Answers",
            Self::Failing => "Failing",
            Self::Open => "Paused",
            Self::HalfOpen => "Being tried again",
        }
    }
}

#[must_use]
pub fn breaker_state(server: &Server, now: Timestamp) -> BreakerState {
    match server.open_until {
        Some(until) if until > now => BreakerState::Open,
        _ if server.failures >= breaker::THRESHOLD => BreakerState::HalfOpen,
        _ if server.failures > 0 => BreakerState::Failing,
        _ => BreakerState::Closed,
    }
}

/// A node says every so often that it is there.
pub const HEARTBEAT: SignedDuration = SignedDuration::from_secs(15);
/// It says sooner that it holds other connections than it did: within this.
pub const LOOK: SignedDuration = SignedDuration::from_secs(5);

/// Whether a node that was last seen then is still there.
#[must_use]
pub fn is_alive(seen: Timestamp, now: Timestamp) -> bool {
    now.duration_since(seen) <= HEARTBEAT * 4
}

#[cfg(test)]
mod tests;
