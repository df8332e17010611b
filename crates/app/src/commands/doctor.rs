//! `postroom doctor`: checks the installation and says what to do.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use model::Clock as _;
use serde_json::json;
use store::Finding;

use super::Common;
use crate::clock::SystemClock;
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

/// Days before its end at which a certificate should have been renewed.
const RENEW_DAYS: i64 = 14;

/// Whether the Web API's certificate can be used, and how much longer.
fn certificate(session: &Session) -> Option<Finding> {
    let finding = |ok, what: String, advice: &str| Some(Finding { ok, what, advice: advice.to_owned() });
    match session.config.tls(&session.data_dir) {
        Ok(None) => None,
        Err(error) => finding(
            false,
            format!("{error:#}"),
            "Put a certificate and the key that belongs to it into both files, in PEM.",
        ),
        Ok(Some(tls)) => match tls.expires() {
            None => {
                finding(false, "the end of the Web API's certificate cannot be read".into(), "Replace the certificate.")
            }
            Some(end) => {
                let days = end.duration_since(SystemClock.now()).as_hours() / 24;
                let what = format!("the Web API's certificate is valid until {end} ({days} days)");
                let advice = "Renew the certificate; the running service takes up the new files by itself.";
                if days < RENEW_DAYS { finding(false, what, advice) } else { finding(true, what, "") }
            }
        },
    }
}

/// Whether the identity provider answers, and the roles of the groups exist.
async fn provider(session: &Session) -> Vec<Finding> {
    let finding = |ok, what: String, advice: &str| Finding { ok, what, advice: advice.to_owned() };
    let provider = match session.provider() {
        Ok(None) => return Vec::new(),
        Ok(Some(provider)) => provider,
        Err(error) => return vec![finding(false, format!("{error:#}"), "Correct [sign_in] in postroom.toml.")],
    };
    let issuer = &provider.config.issuer;
    let mut findings = vec![match provider.check(SystemClock.now()).await {
        Ok(()) => finding(true, format!("the identity provider {issuer} answers"), ""),
        Err(why) => finding(
            false,
            format!("the identity provider {issuer} cannot be used: {why}"),
            "Compare [sign_in] issuer with the provider's own discovery document. A provider in a private network needs \
             [servers] allow_networks.",
        ),
    }];
    match actions::sign_in::openid::missing_roles(&session.store, &provider.config.roles).await {
        Ok(missing) => findings.extend(missing.into_iter().map(|role| {
            finding(
                false,
                format!("[sign_in.roles] names the role '{role}', which is not there, or more than once"),
                "Write the name of a role as it stands in roles.",
            )
        })),
        Err(error) => findings.push(finding(false, format!("the roles cannot be read: {error}"), "")),
    }
    findings
}

/// Whether the backups that are scheduled are made.
async fn backups(session: &Session) -> Vec<Finding> {
    let finding = |ok, what: String, advice: &str| Finding { ok, what, advice: advice.to_owned() };
    let standing = match actions::upkeep::standing(&session.store, SystemClock.now()).await {
        Ok(Some(standing)) => standing,
        Ok(None) => return vec![finding(true, "no backup is scheduled".into(), "")],
        Err(error) => return vec![finding(false, format!("the backups cannot be looked at: {error}"), "")],
    };
    let time = |at: model::Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let mut findings = Vec::new();
    if let Some(at) = standing.overdue {
        findings.push(finding(
            false,
            format!("the backup that was scheduled for {} has not been made", time(at)),
            "See that postroom serve runs, with workers: a backup that was missed is made as soon as it does. If it runs, \
             its log says why.",
        ));
    }
    if let Some((at, why)) = standing.failed {
        let advice = format!(
            "See that {} can be written to and has room, then choose \"Make a backup now\" in Settings, Data Management.",
            session.store.backup_directory().display()
        );
        findings.push(finding(false, format!("the backup that was scheduled for {} failed: {why}", time(at)), &advice));
    }
    if findings.is_empty() {
        let made = standing.made.map_or_else(|| "none yet".to_owned(), time);
        let next = standing.next.map(|at| format!(", the next is due on {}", time(at))).unwrap_or_default();
        findings.push(finding(true, format!("backups are made by the schedule: the last one {made}{next}"), ""));
    }
    findings
}

impl Doctor {
    pub async fn run(self) -> Result<ExitCode> {
        let session = Session::open(&self.common.data).await?;
        let bar = output::progress("checking");
        let mut findings = session
            .store
            .doctor(self.full, |done, all| {
                bar.set_length(all);
                bar.set_position(done);
            })
            .await;
        bar.finish_and_clear();
        let mut listing = Listing::new(&[("ok", "OK"), ("what", "What"), ("advice", "What to do")]);
        findings.extend(certificate(&session));
        findings.extend(provider(&session).await);
        findings.extend(backups(&session).await);
        let healthy = findings.iter().all(|finding| finding.ok);
        for finding in findings {
            listing.rows.push(vec![json!(finding.ok), json!(finding.what), json!(finding.advice)]);
        }
        listing.print(self.common.json);
        Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
