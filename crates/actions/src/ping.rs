//! Whether the database answers.

use model::Query;
use model::tables::Organization;
use store::Store;

use crate::error::ActionError;

/// One small question to the database.
pub async fn ping(store: &Store) -> Result<(), ActionError> {
    store.count(&Query::of::<Organization>()).await?;
    Ok(())
}
