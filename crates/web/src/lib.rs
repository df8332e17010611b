//! HTTP: the Web API, and health for whoever watches the process.
//!
//! This crate translates: URLs and JSON into actions, records and refusals
//! into JSON. It names **no** SQL and **no** protocol crate, and it decides
//! nothing: what a caller may do is asked in `actions`.

mod api;
mod health;
mod limiter;
mod router;
mod serve;
mod state;

pub use router::{health_router, router};
pub use serve::serve;
pub use state::{AppState, MetricsRender};
