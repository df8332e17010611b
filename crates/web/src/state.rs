//! What the server is given when it starts.

use std::fmt;
use std::sync::Arc;

use actions::{Random, Settings, Store};
use model::Clock;

use crate::limiter::Limits;
use crate::peer::Proxies;
use crate::signin::SignIn;

/// Text for `/metrics`, in Prometheus' format.
pub type MetricsRender = Arc<dyn Fn() -> String + Send + Sync>;

pub struct AppState {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub random: Random,
    pub settings: Settings,
    pub metrics_render: MetricsRender,
    /// How much one user may ask for.
    pub limits: Limits,
    /// Whose `X-Forwarded-…` headers count.
    pub proxies: Proxies,
    /// How people and services sign in.
    pub sign_in: SignIn,
}

impl fmt::Debug for AppState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppState").field("store", &self.store).finish_non_exhaustive()
    }
}

impl AppState {
    /// A name for a request, by which its lines in the log are found.
    pub(crate) fn request_id(&self) -> String {
        let bytes = self.random.bytes::<10>().unwrap_or_default();
        model::id::random(self.clock.now(), bytes).to_string()
    }
}
