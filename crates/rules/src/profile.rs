//! Email server profiles: which settings go together, what saving fills in,
//! what an edit means for the profile's mailboxes.

use model::tables::{CredentialRetrieval, EmailServerProfile, ServerType, State, Status};
use model::work::Workload;
use model::{Refusal, Refusals, Words, words};

mod credentials;
mod location;

/// What a rule must know besides the profile itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProfileFacts {
    /// The operator of the installation permits connections without TLS
    /// (`[servers] allow_insecure`).
    pub allow_insecure: bool,
    /// A password is stored after this save.
    pub incoming_password: bool,
    pub outgoing_password: bool,
}

/// Exchange in any form. These profiles can be kept as records; their
/// mailboxes are not processed yet, and testing one says so.
pub fn is_exchange(profile: &EmailServerProfile) -> bool {
    matches!(profile.server_type, ServerType::Exchange | ServerType::ExchangeHybrid | ServerType::ExchangeOnline)
}

/// Whose credentials open the outgoing connection.
pub fn outgoing_credentials(profile: &EmailServerProfile) -> CredentialRetrieval {
    if profile.same_outgoing { profile.incoming_credentials } else { profile.outgoing_credentials }
}

/// The port of a direction: the profile's own, or the usual one.
pub fn port(profile: &EmailServerProfile, workload: Workload) -> u16 {
    let given = if workload == Workload::Outgoing { profile.outgoing_port } else { profile.incoming_port };
    given.and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0).unwrap_or(match workload {
        Workload::Outgoing => 587,
        _ if profile.server_type == ServerType::Pop3Smtp => 995,
        _ => 993,
    })
}

/// `host:port` of a direction, as breakers and metrics name the server.
pub fn server(profile: &EmailServerProfile, workload: Workload) -> String {
    let location = if workload == Workload::Outgoing { &profile.outgoing_location } else { &profile.incoming_location };
    format!("{}:{}", location.trim(), port(profile, workload))
}

/// Decides a new profile (`before` is `None`) or an edit of one, and fills in
/// what may be left blank: ports, and, with Use Same Settings for Outgoing,
/// the outgoing user and authentication. Every fault is reported together.
pub fn save(
    before: Option<&EmailServerProfile>,
    after: EmailServerProfile,
    facts: ProfileFacts,
) -> Result<EmailServerProfile, Refusals> {
    let mut faults = Vec::new();
    let mut profile = location::filled_in(after, before);
    settle_state(before, &mut profile);
    credentials::follow_incoming(&mut profile, before, &mut faults);
    profile.incoming_password_set = facts.incoming_password;
    profile.outgoing_password_set = facts.outgoing_password;
    general(&profile, before, &mut faults);
    location::check(&profile, facts.allow_insecure, &mut faults);
    credentials::check(&profile, facts, &mut faults);
    Refusals::unless_none(faults)?;
    Ok(profile)
}

/// Whether an edit takes back the incoming and the outgoing test results of
/// the profile's mailboxes. `passwords`: which of the two passwords this save
/// writes.
pub fn affected(before: &EmailServerProfile, after: &EmailServerProfile, passwords: (bool, bool)) -> (bool, bool) {
    let both = before.server_type != after.server_type || before.auto_discover != after.auto_discover;
    let incoming = both
        || passwords.0
        || before.incoming_location != after.incoming_location
        || before.incoming_port != after.incoming_port
        || before.incoming_ssl != after.incoming_ssl
        || before.incoming_protocol != after.incoming_protocol
        || before.incoming_credentials != after.incoming_credentials
        || before.incoming_user != after.incoming_user
        || before.incoming_impersonation != after.incoming_impersonation;
    let outgoing = both
        || passwords.1
        || (passwords.0 && after.same_outgoing)
        || before.same_outgoing != after.same_outgoing
        || before.outgoing_location != after.outgoing_location
        || before.outgoing_port != after.outgoing_port
        || before.outgoing_ssl != after.outgoing_ssl
        || before.outgoing_protocol != after.outgoing_protocol
        || before.outgoing_credentials != after.outgoing_credentials
        || before.outgoing_user != after.outgoing_user
        || before.outgoing_impersonation != after.outgoing_impersonation
        || before.delegate_access != after.delegate_access;
    (incoming, outgoing)
}

fn settle_state(before: Option<&EmailServerProfile>, profile: &mut EmailServerProfile) {
    let (state, status) = before.map_or((State::Active, Status::Active), |before| (before.state, before.status));
    if profile.state != state && profile.status == status {
        profile.status = crate::mailbox::status_of(profile.state);
    }
}

fn general(profile: &EmailServerProfile, before: Option<&EmailServerProfile>, faults: &mut Vec<Refusal>) {
    let c = EmailServerProfile::C;
    if profile.name.trim().is_empty() {
        faults.push(Refusal::invalid(Some(c.name.name), words!("an email server profile needs a name")));
    }
    ranges(profile, faults);
    if let Some(from) = profile.process_after
        && from < crate::mailbox::first_of_1900()
        && before.is_none_or(|before| before.process_after != Some(from))
    {
        faults.push(
            Refusal::new(
                0x8005_E244,
                "InvalidValueProcessEmailAfter",
                words!("process email from {0} is too early; the earliest is 1900-01-01", from),
            )
            .at(c.process_after.name),
        );
    }
    if profile.move_undelivered && !is_exchange(profile) {
        faults.push(Refusal::invalid(
            Some(c.move_undelivered.name),
            words!(
                "moving failed emails to the Undeliverable folder needs an Exchange server; say No. What could not be \
             processed is listed in the ledger"
            ),
        ));
    }
    if profile.status != crate::mailbox::status_of(profile.state) {
        faults.push(
            Refusal::new(
                0x8004_8408,
                "InvalidStateCodeStatusCode",
                words!("status {0} does not belong to state {1}", profile.status.number(), profile.state.number()),
            )
            .at(c.status.name),
        );
    }
}

fn ranges(profile: &EmailServerProfile, faults: &mut Vec<Refusal>) {
    let c = EmailServerProfile::C;
    let mut range = |column: &'static str, value: i64, min: i64, max: i64, what: Words| {
        if !(min..=max).contains(&value) {
            faults.push(Refusal::invalid(
                Some(column),
                words!("{0} must be from {1} to {2}; {3} is not", what, min, max, value),
            ));
        }
    };
    range(c.max_connections.name, profile.max_connections, 1, 300, words!("the maximum of concurrent connections"));
    range(c.polling_minutes.name, profile.polling_minutes, 0, 1440, words!("the minimum polling interval in minutes"));
    if profile.limit_connect_time {
        range(
            c.connect_timeout.name,
            profile.connect_timeout,
            1,
            100_000,
            words!("the time-out of a connection in milliseconds"),
        );
    }
    range(
        c.command_timeout.name,
        profile.command_timeout,
        1000,
        3_600_000,
        words!("the time-out of a command in milliseconds"),
    );
}

#[cfg(test)]
mod tests;
