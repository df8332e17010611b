//! What waits in queues, counted where it stands: a queue may hold a hundred
//! thousand items.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::tables::State;
use model::{Id, Ref, Value};

use crate::bind::Bind;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::shape::{Want, lookup};
use crate::store::Store;
use crate::tx::{Tx, Work};

/// The active items of one queue that one of its users or teams works on, or
/// nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    pub worker: Option<Ref>,
    pub items: u64,
    /// When the first of them came.
    pub oldest: Option<Timestamp>,
}

impl Store {
    /// The active items of these queues, by who works on them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn waiting(&self, queues: &[Id]) -> Result<BTreeMap<Id, Vec<Waiting>>, StoreError> {
        if queues.is_empty() {
            return Ok(BTreeMap::new());
        }
        self.database().read(Count(queues.to_vec())).await
    }
}

struct Count(Vec<Id>);

impl Work for Count {
    type Out = BTreeMap<Id, Vec<Waiting>>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out, StoreError> {
        let mut found: BTreeMap<Id, Vec<Waiting>> = BTreeMap::new();
        for queues in self.0.chunks(500) {
            let sql = format!(
                "SELECT queueid, workerid, workerid__table, count(*), min(enteredon) FROM queueitem \
                 WHERE statecode = $1 AND queueid IN ({}) GROUP BY queueid, workerid, workerid__table",
                Dialect::placeholders(2, queues.len())
            );
            let active = Bind::Int(State::Active.number());
            let binds: Vec<Bind> = std::iter::once(active).chain(queues.iter().map(|id| Bind::Id(*id))).collect();
            let wants = [Want::Id, Want::Id, Want::Text, Want::Int, Want::Time];
            for row in tx.rows_once(&sql, &binds, &wants).await? {
                let Some(queue) = row.first().and_then(Value::as_id) else { continue };
                found.entry(queue).or_default().push(waiting(&row));
            }
        }
        Ok(found)
    }
}

fn waiting(row: &[Value]) -> Waiting {
    let worker = row.get(1).and_then(Value::as_id).and_then(|id| {
        let table = row.get(2).and_then(Value::as_text);
        lookup(&["systemuser", "team"], id, table).and_then(|value| value.as_ref_to())
    });
    Waiting {
        worker,
        items: row.get(3).and_then(Value::as_int).and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
        oldest: row.get(4).and_then(Value::as_time),
    }
}
