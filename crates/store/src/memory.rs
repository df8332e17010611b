//! What was worked out from the rows that decide who may do what, kept for a
//! moment. It is forgotten at once when this process writes such a row, and
//! soon in any case, because another process may have.

use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::Id;
use tokio::time::Instant;

use crate::store::Store;

/// How long a change that another process made may go unnoticed.
const LONGEST: Duration = Duration::from_secs(2);

/// More than this many are not kept.
const MOST: usize = 10_000;

const SECURITY: &[&str] = &[
    "businessunit",
    "systemuser",
    "team",
    "teammembership",
    "role",
    "roleprivileges",
    "systemuserroles",
    "teamroles",
    "fieldsecurityprofile",
    "fieldpermission",
    "systemuserprofiles",
    "teamprofiles",
];

/// Whether a row of this table decides who may do what.
pub(crate) fn decides(table: &str) -> bool {
    SECURITY.contains(&table)
}

type Anything = Arc<dyn Any + Send + Sync>;

#[derive(Default)]
pub(crate) struct Memory {
    /// Counts up with every commit that touches a table of security.
    generation: AtomicU64,
    kept: Mutex<HashMap<Id, (u64, Instant, Anything)>>,
}

/// When something was begun to be worked out; what was read before a change
/// is not kept as if it were read after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Generation(u64);

impl Store {
    /// What [`Store::remember`] was given, while it certainly holds.
    pub fn remembered<T: Any + Send + Sync>(&self, key: Id) -> Option<Arc<T>> {
        let memory = self.memory();
        let kept = memory.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (generation, since, value) = kept.get(&key)?;
        let current = *generation == memory.generation.load(Ordering::Acquire) && since.elapsed() < LONGEST;
        if current { Arc::clone(value).downcast().ok() } else { None }
    }

    pub fn generation(&self) -> Generation {
        Generation(self.memory().generation.load(Ordering::Acquire))
    }

    pub fn remember<T: Any + Send + Sync>(&self, key: Id, since: Generation, value: Arc<T>) {
        let mut kept = self.memory().kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(key, (since.0, Instant::now(), value));
    }

    /// Told after every commit, whether it touched a table of security.
    pub(crate) fn forget(&self, secures: bool) {
        if secures {
            self.memory().generation.fetch_add(1, Ordering::AcqRel);
        }
    }
}
