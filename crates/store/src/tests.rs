//! Stories that run on both databases.

mod backend;
mod backup;
mod blobs;
mod commits;
mod facts;
mod leases;
mod queries;
