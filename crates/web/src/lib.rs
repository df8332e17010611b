//! HTTP: the Web API, and health for whoever watches the process.
//!
//! This crate translates: URLs and JSON into actions, records and refusals
//! into JSON. It names **no** SQL and **no** protocol crate, and it decides
//! nothing: what a caller may do is asked in `actions`.

mod api;
mod health;
mod limiter;
mod names;
mod pages;
mod peer;
mod router;
mod serve;
mod signin;
mod state;

pub use limiter::Limits;
pub use peer::Proxies;
pub use router::{health_router, router};
pub use serve::{BadCertificate, Tls, TlsVersion, redirect_router, serve, serve_tls};
pub use signin::SignIn;
pub use state::{AppState, MetricsRender};
