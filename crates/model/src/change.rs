//! What a decision changes, as data: printable, comparable, executed by the
//! store in one transaction.

use jiff::Timestamp;

use crate::id::Id;
use crate::mail::StoredBlob;
use crate::record::{Entity, Record};
use crate::table::{Col, Table};
use crate::value::{ColumnType, Ref, Value};
use crate::work::Workload;

/// Who writes. Every commit names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// The user on whose account the change is made; the machine's half uses
    /// the organization's SYSTEM user.
    pub user: Id,
}

/// One transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    pub actor: Actor,
    pub at: Timestamp,
    /// The work that this commit belongs to: refused when the lease was lost.
    pub lease: Option<Lease>,
    /// Where the bytes stand that the rows below refer to: already durable,
    /// found by others once this commit is.
    pub blobs: Vec<StoredBlob>,
    pub changes: Vec<Change>,
}

impl Commit {
    pub fn new(actor: Actor, at: Timestamp, changes: Vec<Change>) -> Self {
        Self { actor, at, lease: None, blobs: Vec::new(), changes }
    }
    #[must_use]
    pub fn under(mut self, lease: Lease) -> Self {
        self.lease = Some(lease);
        self
    }

    #[must_use]
    pub fn with_blobs(mut self, blobs: Vec<StoredBlob>) -> Self {
        self.blobs = blobs;
        self
    }
}

/// The right to work on one mailbox's workload until `until`, proven by `fence`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    pub mailbox: Id,
    pub workload: Workload,
    /// Grows with every claim; a commit with an older one is refused.
    pub fence: i64,
    pub until: Timestamp,
    /// Since when it was due; `None`: it was not due, somebody asked for it.
    pub due: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A new row. A second row with the same id or the same value in a unique
    /// column makes the commit fail as a conflict; nothing of it stays.
    Create(Record),
    /// A new row, or nothing where a row with this id stands already.
    Ensure(Record),
    Update(Update),
    Delete {
        table: &'static Table,
        id: Id,
    },
}

/// New values for some columns of one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    pub table: &'static Table,
    pub id: Id,
    pub set: Vec<(&'static str, Value)>,
    /// What must still stand there, or the commit fails as a conflict.
    pub expect: Vec<(&'static str, Value)>,
    /// The row's version (its ETag) that must still be current.
    pub version: Option<i64>,
}

impl Change {
    pub fn create<E: Entity>(entity: E) -> Self {
        Self::Create(entity.into_record())
    }

    pub fn delete<E: Entity>(id: Id) -> Self {
        Self::Delete { table: E::TABLE, id }
    }

    /// The row that is changed.
    pub fn target(&self) -> Ref {
        match self {
            Self::Create(record) | Self::Ensure(record) => record.reference(),
            Self::Update(update) => Ref::new(update.table.logical, update.id),
            Self::Delete { table, id } => Ref::new(table.logical, *id),
        }
    }
}

impl Update {
    pub fn of<E: Entity>(id: Id) -> Self {
        Self::row(E::TABLE, id)
    }

    pub fn row(table: &'static Table, id: Id) -> Self {
        Self { table, id, set: Vec::new(), expect: Vec::new(), version: None }
    }

    /// What turns `before` into `after`: the columns that differ. `None` when
    /// none does. Both have the same id.
    pub fn between<E: Entity + Clone>(before: &E, after: &E) -> Option<Self> {
        let old = before.clone().into_record();
        let set: Vec<_> =
            after.clone().into_record().values.into_iter().filter(|(column, value)| old.get(column) != value).collect();
        (!set.is_empty()).then(|| Self { set, ..Self::of::<E>(before.id()) })
    }

    #[must_use]
    pub fn set<T: ColumnType>(mut self, column: Col<T>, value: T) -> Self {
        self.set.push((column.name, value.into_value()));
        self
    }

    /// Refuses the commit unless the column still holds `value`.
    #[must_use]
    pub fn expect<T: ColumnType>(mut self, column: Col<T>, value: T) -> Self {
        self.expect.push((column.name, value.into_value()));
        self
    }
}

impl From<Update> for Change {
    fn from(update: Update) -> Self {
        Self::Update(update)
    }
}
