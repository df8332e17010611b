//! What was decided about one message, and why.

use crate::change::Change;
use crate::id::Id;
use crate::tables::Disposition;

/// The reason codes of `CheckIncomingEmail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i8)]
pub enum ReasonCode {
    Unknown = -1,
    Duplicate = 0,
    NoCorrelationMatch = 1,
    CorrelationMatch = 2,
    NoRecipientMatch = 3,
    InternalEmailReject = 4,
    SenderMatch = 5,
    AcceptAll = 6,
    InvalidSender = 7,
}

/// All that follows from one message, to be committed in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Records, ledger rows and what is to be settled.
    pub changes: Vec<Change>,
    pub disposition: Disposition,
    pub code: ReasonCode,
    /// In plain words, as the ledger shows it.
    pub why: String,
    /// The email that was created or that was there already.
    pub email: Option<Id>,
}
