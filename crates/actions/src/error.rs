//! Why an action did not happen.

use model::record::WrongType;
use model::{Refusal, Refusals, Words, words};
use store::{CommitError, Conflict, StoreError};

use crate::context::NoRandomness;

/// Either the request is at fault, and every fault has a code; or we are.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    #[error(transparent)]
    Refused(#[from] Refusals),
    /// The database is busy; the same request may work later.
    #[error("{0}")]
    Busy(String),
    /// Something in the installation is broken. The detail is for the log.
    #[error("{0}")]
    Internal(String),
}

impl From<Refusal> for ActionError {
    fn from(one: Refusal) -> Self {
        Self::Refused(one.into())
    }
}

impl From<StoreError> for ActionError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TooComplex(message) => {
                Refusal::new(0x8006_0888, "QueryTooComplex", Words::foreign(message)).into()
            }
            StoreError::Timeout | StoreError::Busy(_) | StoreError::TooLong => Self::Busy(error.to_string()),
            StoreError::TooManyAggregated(most) => too_many_aggregated(most).into(),
            StoreError::PageTooFar(most) => page_too_far(most).into(),
            _ => Self::Internal(error.to_string()),
        }
    }
}

impl From<WrongType> for ActionError {
    fn from(error: WrongType) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<NoRandomness> for ActionError {
    fn from(error: NoRandomness) -> Self {
        Self::Internal(error.to_string())
    }
}

/// 0x8004E023
fn too_many_aggregated(most: usize) -> Refusal {
    let message = words!(
        "The maximum record limit of {0} is exceeded. Restrict the rows that are aggregated, by a filter on a date for instance.",
        most
    );
    Refusal::new(0x8004_E023, "AggregateQueryRecordLimitExceeded", message)
}

/// 0x80040203
fn page_too_far(most: u64) -> Refusal {
    Refusal::invalid(
        Some("page"),
        words!(
            "Pages are found by their number up to row {0}. Give the paging cookie of the page before, or ask for fewer rows.",
            most
        ),
    )
}

/// 0x80060882
pub fn version_mismatch(table: &str) -> Refusal {
    Refusal::new(
        0x8006_0882,
        "ConcurrencyVersionMismatch",
        words!(
            "The version of the existing {0} does not match the version given. Read it again and repeat the change.",
            table
        ),
    )
}

/// 0x80040237
pub fn duplicate(what: Words) -> Refusal {
    Refusal::new(0x8004_0237, "DuplicateRecord", words!("A record with the same key already exists: {0}", what))
}

/// 0x8004023b
pub fn invalid_operation(message: Words) -> Refusal {
    Refusal::new(0x8004_023B, "InvalidOperation", message)
}

/// What a commit that failed means to the one who asked.
pub(crate) fn commit_failed(table: &'static str, error: CommitError) -> ActionError {
    match error {
        CommitError::Conflict { what: what @ Conflict::Duplicate { .. } } => {
            duplicate(Words::foreign(what.to_string())).into()
        }
        CommitError::Conflict { .. } => version_mismatch(table).into(),
        CommitError::NotFound(row) => Refusal::does_not_exist(row.table, row.id).into(),
        CommitError::Store(error) => error.into(),
        CommitError::Fenced => ActionError::Internal(error.to_string()),
    }
}
