//! Why a cycle ended early.

use model::Failure;
use store::{CommitError, StoreError};

#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The conversation with the server failed.
    #[error(transparent)]
    Server(#[from] Failure),
    /// The database failed; nothing of the batch is committed.
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Raw messages could not be written to the blob store.
    #[error("cannot write to the blob store: {0}")]
    Blobs(String),
    /// Somebody else has the mailbox now.
    #[error("another worker has taken over this mailbox")]
    LeaseLost,
    /// Not now: the breaker is open or all connections are in use.
    #[error("waiting until {until}")]
    Postponed { until: model::Timestamp },
    /// The mailbox or profile cannot be processed as it is.
    #[error("{0}")]
    NotReady(String),
}
