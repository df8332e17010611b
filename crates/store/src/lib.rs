//! All SQL, blobs, sealed secrets, leases and migrations.
//!
//! The store executes [`model::Commit`]s and answers [`model::Query`]s. It
//! decides nothing, and no type of a database crosses its border. What holds
//! for every table:
//!
//! - Empty text is absent: it is stored and read back as `Null`, and compared so.
//! - Times are kept to the microsecond.
//! - Tables on the wire get `createdon`, `createdby`, `modifiedon`,
//!   `modifiedby` and `versionnumber` from here. A record may bring its own
//!   `createdon` and `createdby`.
//! - The flag of a secret tells whether one is stored, whatever a record says.

mod backup;
mod bind;
mod blobs;
mod changes;
mod commit;
mod db;
mod dialect;
mod doctor;
mod error;
mod facts;
mod fetch;
mod leases;
mod memory;
mod migrate;
mod options;
mod outbox;
mod overview;
mod plan;
mod postgres;
mod read;
mod secrets;
mod select;
mod session;
mod shape;
mod sqlite;
mod store;
#[cfg(test)]
mod tests;
mod transaction;
mod tx;
mod waiting;
mod words;

pub use backup::Backup;
pub use blobs::{BlobReader, BlobWriter, Blobs, Compacted, Damage, Written};
pub use changes::{Deleted, Owners};
pub use commit::Committed;
pub use doctor::Finding;
pub use error::{CommitError, Conflict, StoreError};
pub use memory::Generation;
pub use options::Options;
pub use secrets::state::{Activation, Encryption, KeyState};
pub use store::Store;
pub use transaction::Transaction;
pub use waiting::Waiting;
