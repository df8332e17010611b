//! Several actions that happen together or not at all.

use store::Transaction;

use crate::context::Context;
use crate::error::ActionError;

/// How often a change set is done at most because others were in its way.
const TRIES: u32 = 5;

/// A change set in the making. What is done with its context is seen there at
/// once; dropping it takes everything back. Inside of another change set it is
/// a part of that, which one that fails brings down as a whole.
///
/// ```ignore
/// let mut tries = 0;
/// loop {
///     let set = ChangeSet::begin(&ctx).await?;
///     let result = many_things(set.context()).await;
///     if let Some(result) = set.conclude(result, &mut tries).await {
///         return result;
///     }
/// }
/// ```
#[derive(Debug)]
pub struct ChangeSet {
    ctx: Context,
    /// `None`: the surrounding change set has it.
    transaction: Option<Transaction>,
}

impl ChangeSet {
    /// # Errors
    /// [`ActionError::Busy`] where too many others have to end first.
    pub async fn begin(ctx: &Context) -> Result<Self, ActionError> {
        if ctx.store.is_transaction() {
            return Ok(Self { ctx: ctx.clone(), transaction: None });
        }
        let transaction = ctx.store.begin().await?;
        let ctx = Context { store: transaction.store(), ..ctx.clone() };
        Ok(Self { ctx, transaction: Some(transaction) })
    }

    /// What the actions of this change set are given.
    pub fn context(&self) -> &Context {
        &self.ctx
    }

    /// Commits what went well and takes back what did not. `None`: others were
    /// in the way, and all of it is to be done again.
    pub async fn conclude<T, E: From<ActionError>>(
        self,
        result: Result<T, E>,
        tries: &mut u32,
    ) -> Option<Result<T, E>> {
        let Some(transaction) = self.transaction else { return Some(result) };
        *tries += 1;
        let again = *tries < TRIES;
        if result.is_err() {
            let spoiled = transaction.is_spoiled();
            transaction.rollback().await;
            return (!(spoiled && again)).then_some(result);
        }
        match transaction.commit().await {
            Ok(()) => Some(result),
            Err(store::StoreError::Busy(_)) if again => None,
            Err(error) => Some(Err(ActionError::from(error).into())),
        }
    }
}
