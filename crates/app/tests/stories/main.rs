//! Stories from a user's side, on real servers, each ending in a look at both
//! the server and the records. One program, so that it is linked once.

mod common;
mod forward;
mod long;
mod receive;
mod send;
