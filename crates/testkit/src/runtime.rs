//! Where testkit's own servers run, whatever the test itself is doing.

use std::sync::OnceLock;

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Runtime};

/// One runtime for the process: a test that blocks its thread does not stop
/// the servers it talks to.
pub(crate) fn background() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let runtime = RUNTIME
        .get_or_init(|| Builder::new_multi_thread().worker_threads(1).thread_name("testkit").enable_all().build().ok());
    runtime.as_ref().context("the runtime for testkit's servers did not start")
}

/// Runs blocking work aside, so that an async test may await it.
pub(crate) async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    background()?.spawn_blocking(work).await?
}
