//! Stories that run on both databases.

mod backend;
mod backup;
mod blobs;
mod changes;
mod commits;
mod facts;
mod fetches;
mod leases;
mod oracle;
mod queries;
mod transactions;
mod upkeep;
mod words;
