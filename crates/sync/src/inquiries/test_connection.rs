//! Test connection: the steps of Test & Enable with settings that are not
//! saved yet. Nothing is sent and nothing is changed.

use connectors::sasl::Credentials;
use model::discovery::{InquiryState, Line, Topic};
use model::probe::{ProbeStep, Recorder};
use model::tables::{EmailServerProfile, Inquiry};
use model::{Entity, Failure, Secret};
use rules::discovery;

use super::Progress;
use crate::route::{self, Direction, Incoming};
use crate::{Engine, SyncError};

pub(super) async fn run(
    engine: &Engine,
    inquiry: &Inquiry,
    progress: &Progress,
) -> Result<(InquiryState, String), SyncError> {
    let mut profile = match inquiry.profile {
        Some(profile) => engine.store.load::<EmailServerProfile>(profile.id).await?,
        None => None,
    }
    .unwrap_or_else(|| EmailServerProfile::blank(inquiry.id));
    profile.server_type = inquiry.server_type;
    profile.incoming_location.clone_from(&inquiry.incoming_location);
    profile.incoming_port = inquiry.incoming_port;
    profile.incoming_ssl = inquiry.incoming_ssl;
    profile.outgoing_location.clone_from(&inquiry.outgoing_location);
    profile.outgoing_port = inquiry.outgoing_port;
    profile.outgoing_ssl = inquiry.outgoing_ssl;
    let incoming = incoming(engine, inquiry, &profile, progress).await?;
    let outgoing = outgoing(engine, inquiry, &profile, progress).await?;
    let well = incoming && outgoing;
    Ok((if well { InquiryState::Done } else { InquiryState::Failed }, String::new()))
}

async fn incoming(
    engine: &Engine,
    inquiry: &Inquiry,
    profile: &EmailServerProfile,
    progress: &Progress,
) -> Result<bool, SyncError> {
    let endpoint = route::endpoint(profile, Direction::Incoming);
    let protocol = route::incoming_protocol(profile)?;
    let password = password(engine, inquiry, profile, Direction::Incoming).await?.unwrap_or_else(|| Secret::new(""));
    let credentials = Credentials::Password { user: inquiry.incoming_user.clone(), password };
    let told = |step: &ProbeStep, failure: Option<&Failure>| tell(progress, Topic::Incoming, step, failure);
    let dialer = &engine.dialer;
    let report = match protocol {
        Incoming::Imap => connectors::imap::probe(dialer, &endpoint, &credentials, "INBOX", None, &told).await,
        Incoming::Pop3 => connectors::pop3::probe(dialer, &endpoint, &credentials, &told).await,
    };
    Ok(report.is_success())
}

async fn outgoing(
    engine: &Engine,
    inquiry: &Inquiry,
    profile: &EmailServerProfile,
    progress: &Progress,
) -> Result<bool, SyncError> {
    let endpoint = route::endpoint(profile, Direction::Outgoing);
    let credentials = if inquiry.anonymous {
        None
    } else {
        let password = password(engine, inquiry, profile, Direction::Outgoing).await?;
        let password = password.unwrap_or_else(|| Secret::new(""));
        Some(Credentials::Password { user: inquiry.outgoing_user.clone(), password })
    };
    let told = |step: &ProbeStep, failure: Option<&Failure>| tell(progress, Topic::Outgoing, step, failure);
    let mut report = Recorder::telling(&told);
    let options = connectors::smtp::Options::default();
    let session = connectors::smtp::probe(&engine.dialer, &endpoint, credentials.as_ref(), &options, &mut report).await;
    if let Some(session) = session {
        session.quit().await;
    }
    Ok(report.is_success())
}

/// The step, and what to do about it where it failed.
fn tell(progress: &Progress, topic: Topic, step: &ProbeStep, failure: Option<&Failure>) {
    progress.tell(Line { topic, step: step.step.as_str().to_owned(), ok: Some(step.ok), said: step.said.clone() });
    if let Some(failure) = failure {
        progress.tell(Line { topic, step: String::new(), ok: None, said: discovery::advice(failure).to_string() });
    }
}

/// The password that was typed, or the profile's own.
async fn password(
    engine: &Engine,
    inquiry: &Inquiry,
    profile: &EmailServerProfile,
    direction: Direction,
) -> Result<Option<Secret>, SyncError> {
    let column = match direction {
        Direction::Incoming => "incomingpassword",
        Direction::Outgoing => "outgoingpassword",
    };
    let typed = engine.store.reveal(Inquiry::TABLE, inquiry.id, &format!("pr_{column}")).await?;
    if typed.is_some() || inquiry.profile.is_none() {
        return Ok(typed);
    }
    let column = if profile.same_outgoing { "incomingpassword" } else { column };
    Ok(engine.store.reveal(EmailServerProfile::TABLE, profile.id, column).await?)
}
