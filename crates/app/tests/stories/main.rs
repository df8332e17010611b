//! Stories from a user's side, on real servers, each ending in a look at both
//! the server and the records. One program, so that it is linked once.

mod administer;
mod backups;
mod clients;
mod common;
mod customers;
mod faults;
mod forward;
mod inquiries;
mod long;
mod nodes;
mod operation;
mod outage;
mod provider;
mod proxied;
mod receive;
mod records;
mod send;
mod test_enable;
mod tls;
mod uncertain;
mod webhooks;
