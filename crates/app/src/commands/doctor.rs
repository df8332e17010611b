//! `postroom doctor`: checks the installation and says what to do.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::Common;
use crate::output::{self, Listing};
use crate::session::Session;

#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    common: Common,
    /// Read every message and the whole database, not a sample: may take long.
    #[arg(long)]
    full: bool,
}

impl Doctor {
    pub async fn run(self) -> Result<ExitCode> {
        let session = Session::open(&self.common.data).await?;
        let bar = output::progress("checking");
        let findings = session
            .store
            .doctor(self.full, |done, all| {
                bar.set_length(all);
                bar.set_position(done);
            })
            .await;
        bar.finish_and_clear();
        let mut listing = Listing::new(&[("ok", "OK"), ("what", "What"), ("advice", "What to do")]);
        let healthy = findings.iter().all(|finding| finding.ok);
        for finding in findings {
            listing.rows.push(vec![json!(finding.ok), json!(finding.what), json!(finding.advice)]);
        }
        listing.print(self.common.json);
        Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
