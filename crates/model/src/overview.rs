//! What an installation looks like as a whole: counts, for whoever watches it.

use jiff::Timestamp;

use crate::tables::{AlertLevel, Disposition};
use crate::work::Workload;

/// Everything that the store can count at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overview {
    pub mailboxes: Vec<MailboxGroup>,
    pub messages: Vec<HourTally>,
    pub work: Vec<WorkTally>,
    pub held: Vec<Held>,
    pub emails: Vec<EmailTally>,
    pub alerts: Vec<(AlertLevel, u64)>,
}

/// Mailboxes that are alike in what decides whether they are processed. The
/// numbers are those of the option sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxGroup {
    pub active: bool,
    pub approval: i64,
    pub has_profile: bool,
    pub incoming: Route,
    pub outgoing: Route,
    pub count: u64,
}

/// One workload of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// `incomingemaildeliverymethod` or `outgoingemaildeliverymethod`.
    pub method: i64,
    /// Of the last configuration test.
    pub status: i64,
    pub enabled: bool,
}

/// Messages seen within an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourTally {
    /// When the hour began.
    pub hour: Timestamp,
    pub disposition: Disposition,
    pub count: u64,
}

/// How far a workload is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkTally {
    pub workload: Workload,
    /// Items that are due, and nobody works on.
    pub due: u64,
    /// Since when the first of them is.
    pub since: Option<Timestamp>,
    /// Items whose last attempts failed for a passing reason.
    pub failing: u64,
}

/// What a node works on right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub node: String,
    pub workload: Workload,
    pub count: u64,
}

/// Emails on their way out, by `statuscode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmailTally {
    pub status: i64,
    pub count: u64,
    /// When the first of them was last changed.
    pub since: Option<Timestamp>,
}
