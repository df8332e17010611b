//! `postroom compact`: lets go what was kept for as long as the organization
//! says, and gives back the room of messages and attachments that nothing
//! refers to any more. The service does the same every hour; it may run.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::Common;
use crate::output;
use crate::session::Session;

/// What was written later may belong to rows that are on their way.
const MIN_AGE: Duration = Duration::from_secs(3600);

#[derive(Debug, Args)]
pub struct Compact {
    #[command(flatten)]
    common: Common,
}

impl Compact {
    pub async fn run(self) -> Result<()> {
        let session = Session::open(&self.common.data).await?;
        let waiting = output::spinner("compacting");
        sync::keep_no_longer(&*session.engine()?).await?;
        let done = session.store.blobs().compact(MIN_AGE).await;
        waiting.finish_and_clear();
        let done = done?;
        if self.common.json {
            let pairs = [
                ("forgotten", json!(done.forgotten)),
                ("moved", json!(done.moved)),
                ("segments_removed", json!(done.segments_removed)),
                ("freed", json!(done.freed)),
            ];
            output::record(&pairs, true);
        } else {
            output::line(&format!(
                "{} messages and attachments forgotten, {} moved, {} files removed, {} bytes freed. Files written to \
                 within the last hour were left alone.",
                done.forgotten, done.moved, done.segments_removed, done.freed
            ));
        }
        Ok(())
    }
}
