//! Alerts: what to tell people, once, in words that say what to do.

use jiff::Timestamp;
use model::tables::{AlertLevel, Email, EmailServerProfile, Mailbox, Organization, TraceLog};
use model::{Change, Entity, Failure, FailureKind, Ref, Refusal, Step, Words, id, words};
use sha2::{Digest, Sha256};

/// What an alert says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    pub level: AlertLevel,
    /// What makes two alerts on the same record the same alert, e.g.
    /// `incoming-credentials`. Shown as the error type.
    pub cause: String,
    /// Dataverse's error code, where there is one.
    pub code: Option<u32>,
    /// What happened and what to do.
    pub text: Words,
    /// The conversation with the server.
    pub details: String,
}

impl Alert {
    pub fn new(level: AlertLevel, cause: impl Into<String>, text: Words) -> Self {
        Self { level, cause: cause.into(), code: None, text, details: String::new() }
    }

    pub fn error(cause: impl Into<String>, text: Words) -> Self {
        Self::new(AlertLevel::Error, cause, text)
    }

    pub fn warning(cause: impl Into<String>, text: Words) -> Self {
        Self::new(AlertLevel::Warning, cause, text)
    }

    pub fn information(cause: impl Into<String>, text: Words) -> Self {
        Self::new(AlertLevel::Information, cause, text)
    }

    #[must_use]
    pub fn code(self, code: u32) -> Self {
        Self { code: Some(code), ..self }
    }

    #[must_use]
    pub fn details(self, details: impl Into<String>) -> Self {
        Self { details: details.into(), ..self }
    }

    /// The last lines of the conversation as details.
    #[must_use]
    pub fn of(self, failure: &Failure) -> Self {
        let mut details = failure.to_string();
        for line in &failure.transcript {
            details.push('\n');
            details.push_str(line);
        }
        self.details(details)
    }
}

/// The alert as a row on any record; `None` when the organization does not
/// want alerts of this level. The id follows from the record, the cause and
/// the day (UTC): what goes wrong every minute is told once a day.
pub fn raise(
    alert: Alert,
    regarding: Ref,
    owner: Option<Ref>,
    organization: &Organization,
    now: Timestamp,
) -> Option<Change> {
    let wanted = match alert.level {
        AlertLevel::Error => organization.alert_errors,
        AlertLevel::Warning => organization.alert_warnings,
        AlertLevel::Information => organization.alert_information,
    };
    if !wanted {
        return None;
    }
    let parts: [&[u8]; 4] = [b"tracelog", regarding.table.as_bytes(), regarding.id.as_bytes(), alert.cause.as_bytes()];
    let row = TraceLog {
        level: alert.level,
        text: alert.text.to_string(),
        regarding: Some(regarding),
        regarding_owner: owner,
        code: alert.code.map(|code| i64::from(code.cast_signed())),
        details: alert.details,
        kind: alert.cause.chars().take(100).collect(),
        hash: Some(cause_hash(&parts)),
        ..TraceLog::blank(id::derived(start_of_day(now), &parts))
    };
    Some(Change::Ensure(row.into_record()))
}

pub fn on_mailbox(alert: Alert, mailbox: &Mailbox, organization: &Organization, now: Timestamp) -> Option<Change> {
    raise(alert, mailbox.reference(), mailbox.owner, organization, now)
}

pub fn on_profile(
    alert: Alert,
    profile: &EmailServerProfile,
    organization: &Organization,
    now: Timestamp,
) -> Option<Change> {
    raise(alert, profile.reference(), profile.owner, organization, now)
}

pub fn on_email(alert: Alert, email: &Email, organization: &Organization, now: Timestamp) -> Option<Change> {
    raise(alert, email.reference(), email.owner, organization, now)
}

/// Whether somebody may take an alert away: with the right to delete it, or as
/// the owner (`theirs`) of what it is about, who has read it then. 0x8004023b, 0x80040220
pub fn may_dismiss(alert: &TraceLog, may_delete: bool, theirs: bool) -> Result<(), Refusal> {
    if !alert.can_be_deleted {
        return Err(Refusal::new(0x8004_023B, "InvalidOperation", words!("This alert cannot be deleted.")));
    }
    if may_delete || theirs {
        return Ok(());
    }
    let message = words!(
        "Only the owner of the record that an alert is about can delete it, or somebody with the privilege \
                   prvDeleteTraceLog; ask an administrator."
    );
    Err(Refusal::new(0x8004_0220, "PrivilegeDenied", message))
}

/// What a person can do about a failure. One sentence.
pub fn advice(failure: &Failure) -> Words {
    match (failure.kind, failure.during) {
        (FailureKind::Misconfigured, Step::Resolve) => words!("Check the server location of the email server profile."),
        (FailureKind::Misconfigured, Step::Tls) => {
            words!(
                "Check that the server's certificate is valid for the server location of the profile, or name the issuing \
             authority under [servers] extra_ca in postroom.toml."
            )
        }
        (FailureKind::Misconfigured, _) => {
            words!("Check server location, port, SSL and authentication of the email server profile.")
        }
        (FailureKind::Credentials, _) => {
            words!(
                "Check user name and password where the profile takes them from (the mailbox or the profile), then choose \
             Test & Enable Mailbox."
            )
        }
        (FailureKind::Refused, Step::Open) => words!("Check that the mailbox exists on the server."),
        (FailureKind::Refused, Step::Send | Step::FindAgain) => {
            words!("Check that the server accepts mail from and to this address.")
        }
        (FailureKind::Refused, _) => words!("Ask the administrator of the mail server why it refuses."),
        (FailureKind::Temporary, Step::Resolve | Step::Connect | Step::Tls | Step::Greeting) => {
            words!(
                "Nothing needs to be done if the server is down; it is tried again until it answers. Otherwise check server \
             location, port and SSL of the profile."
            )
        }
        (FailureKind::Temporary | FailureKind::Uncertain, _) => {
            words!("Nothing needs to be done unless it lasts; it is tried again.")
        }
        (FailureKind::Garbled, _) => {
            words!("Check that server type and port of the profile fit the server; the transcript shows what it said.")
        }
    }
}

fn start_of_day(now: Timestamp) -> Timestamp {
    let day = now.as_second().div_euclid(86_400);
    Timestamp::from_second(day * 86_400).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Equal for equal causes on the same record, on whatever day.
fn cause_hash(parts: &[&[u8]]) -> i64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    i64::from(i32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]))
}

#[cfg(test)]
mod tests;
