//! Keeps a lease alive while its work runs, however long a server takes to
//! answer, and ends the work when the lease is lost.

use std::time::Duration;

use model::{Lease, SignedDuration};
use store::CommitError;
use tokio::time::sleep;

use crate::{Engine, SyncError};

/// Between two tries while the database does not answer.
const RETRY: Duration = Duration::from_secs(1);

impl Engine {
    pub(crate) fn lease_time(&self) -> SignedDuration {
        SignedDuration::try_from(self.settings.lease).unwrap_or(SignedDuration::from_secs(120))
    }

    /// Runs `work` under the lease. When somebody else has taken over, or the
    /// database could not be asked until the lease ran out, the work is dropped
    /// where it stands: what it would still commit is refused anyway.
    pub(crate) async fn under<T>(
        &self,
        lease: Lease,
        work: impl Future<Output = Result<T, SyncError>>,
    ) -> Result<T, SyncError> {
        tokio::select! {
            done = work => done,
            lost = self.heartbeat(lease) => Err(lost),
        }
    }

    /// Extends the lease every third of its time; ends only when it is lost.
    async fn heartbeat(&self, mut lease: Lease) -> SyncError {
        loop {
            sleep(self.settings.lease / 3).await;
            loop {
                match self.store.extend(&lease, self.now() + self.lease_time()).await {
                    Ok(extended) => {
                        lease = extended;
                        break;
                    }
                    Err(CommitError::Store(error)) if self.now() < lease.until => {
                        tracing::warn!(%error, "cannot extend a lease; trying again");
                        sleep(RETRY).await;
                    }
                    Err(_) => return SyncError::LeaseLost,
                }
            }
        }
    }
}
