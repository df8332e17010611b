//! Waiting for news: IDLE (RFC 2177), or asking now and then.

use std::time::Duration;

use model::{Failure, Step};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::session::Session;
use super::wire::NoLiterals;

/// Servers may log us out after 30 minutes of silence.
const LONGEST_IDLE: Duration = Duration::from_secs(28 * 60);
/// How often a server without IDLE is asked.
const POLL: Duration = Duration::from_secs(10);

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Session<S> {
    /// Waits until the server says something of new messages in the open
    /// folder, at most for `limit` (and never longer than 28 minutes).
    pub async fn wait_for_news(&mut self, limit: Duration) -> Result<bool, Failure> {
        let until = Instant::now() + limit.min(LONGEST_IDLE);
        if self.engine.heard.news {
            return Ok(true);
        }
        if self.capabilities().idle { self.idle(until).await } else { self.poll(until).await }
    }

    async fn idle(&mut self, until: Instant) -> Result<bool, Failure> {
        let during = Step::Read;
        let tag = self.engine.queue("IDLE");
        self.engine.flush(during).await?;
        if let Err(done) = self.engine.wait_continue(during, tag).await? {
            done.ok()?;
            return Ok(self.engine.heard.news);
        }
        self.engine.without_deadline();
        while !self.engine.heard.news && self.engine.wait_readable(during, until).await? {
            self.engine.event(during, &mut NoLiterals).await?;
        }
        self.engine.wire.queue(b"DONE\r\n");
        self.engine.heard.transcript.sent("DONE");
        self.engine.flush(during).await?;
        self.engine.finish(during, tag, &mut NoLiterals).await?.ok()?;
        Ok(self.engine.heard.news)
    }

    async fn poll(&mut self, until: Instant) -> Result<bool, Failure> {
        loop {
            if self.noop().await? {
                return Ok(true);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            tokio::time::sleep(left.min(POLL)).await;
        }
    }
}
