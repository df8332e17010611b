//! Whose credentials a profile's connections use, and by which protocol.

use model::tables::{AuthenticationProtocol, CredentialRetrieval, EmailServerProfile, ServerType};
use model::{Refusal, Words, words};

use super::{ProfileFacts, is_exchange};

/// Use Same Settings for Outgoing: user and authentication of the outgoing
/// connection follow the incoming ones. Values that this save sets to
/// something else are refused.
pub(super) fn follow_incoming(
    profile: &mut EmailServerProfile,
    before: Option<&EmailServerProfile>,
    faults: &mut Vec<Refusal>,
) {
    if !profile.same_outgoing {
        return;
    }
    let blank = <EmailServerProfile as model::Entity>::blank(profile.id);
    let held = before.unwrap_or(&blank);
    let c = EmailServerProfile::C;
    let mut locked = |column: &'static str| {
        faults.push(
            Refusal::new(
                0x8005_E238,
                "EmailServerProfileOutgoingSettingsLocked",
                words!(
                    "Use Same Settings for Outgoing is Yes, so {0} cannot differ from the incoming one; leave it \
                     out, or say No first",
                    column
                ),
            )
            .at(column),
        );
    };
    if profile.outgoing_credentials != profile.incoming_credentials
        && profile.outgoing_credentials != held.outgoing_credentials
    {
        locked(c.outgoing_credentials.name);
    }
    if profile.outgoing_user != profile.incoming_user && profile.outgoing_user != held.outgoing_user {
        locked(c.outgoing_user.name);
    }
    if profile.outgoing_protocol != profile.incoming_protocol && profile.outgoing_protocol != held.outgoing_protocol {
        locked(c.outgoing_protocol.name);
    }
    profile.outgoing_credentials = profile.incoming_credentials;
    profile.outgoing_user.clone_from(&profile.incoming_user);
    profile.outgoing_protocol = profile.incoming_protocol;
}

pub(super) fn check(profile: &EmailServerProfile, facts: ProfileFacts, faults: &mut Vec<Refusal>) {
    incoming(profile, faults);
    // What follows from the incoming settings is told once, there.
    if !profile.same_outgoing {
        outgoing(profile, faults);
    }
    from_profile(profile, facts, faults);
    protocol(profile, facts, faults);
    exchange_only(profile, faults);
}

fn incoming(profile: &EmailServerProfile, faults: &mut Vec<Refusal>) {
    let at = EmailServerProfile::C.incoming_credentials.name;
    let retrieval = profile.incoming_credentials;
    match profile.server_type {
        ServerType::Pop3Smtp if retrieval != CredentialRetrieval::UserOrQueue => faults.push(
            Refusal::new(
                0x8005_E214,
                "InvalidCredentialTypeForNonExchangeIncomingConnection",
                words!("a POP3 mailbox is opened with its own credentials; choose {0} (0) instead of {1}", Words::label(CredentialRetrieval::UserOrQueue.label()), Words::label(retrieval.label())),
            )
            .at(at),
        ),
        ServerType::ImapSmtp if retrieval == CredentialRetrieval::Anonymous => faults.push(
            Refusal::new(
                0x8005_E214,
                "InvalidCredentialTypeForNonExchangeIncomingConnection",
                words!("a mailbox cannot be read without credentials; choose those of the user or queue (0) or of the profile (1)"),
            )
            .at(at),
        ),
        _ => faults.extend(by_directory(profile, retrieval, at)),
    }
}

fn outgoing(profile: &EmailServerProfile, faults: &mut Vec<Refusal>) {
    faults.extend(by_directory(profile, profile.outgoing_credentials, EmailServerProfile::C.outgoing_credentials.name));
}

/// Ways to authenticate that need a directory, or Exchange.
fn by_directory(profile: &EmailServerProfile, retrieval: CredentialRetrieval, at: &'static str) -> Option<Refusal> {
    let kind = Words::label(profile.server_type.label());
    let refusal = match (is_exchange(profile), retrieval) {
        (true, CredentialRetrieval::Anonymous) => Refusal::new(
            0x8005_E203,
            "EmailServerProfileAnonymousNotAllowed",
            words!(
                "Exchange is not used without credentials; choose those of the user or queue (0) or of the profile (1)"
            ),
        ),
        (false, CredentialRetrieval::ServerToServer) => Refusal::new(
            0x8005_E245,
            "EmailServerProfileServerToServerNotAllowed",
            words!(
                "server to server authentication needs Exchange Online; {0} takes user name and password or OAuth",
                kind
            ),
        ),
        (false, CredentialRetrieval::WindowsIntegrated | CredentialRetrieval::HybridModern) => Refusal::new(
            0x8005_E202,
            "EmailServerProfileInvalidCredentialRetrieval",
            words!(
                "{0} needs Exchange; {1} takes user name and password or OAuth",
                Words::label(retrieval.label()),
                kind
            ),
        ),
        (true, CredentialRetrieval::GmailOAuth) => Refusal::new(
            0x8005_E202,
            "EmailServerProfileInvalidCredentialRetrieval",
            words!("Gmail OAuth needs an IMAP/SMTP profile"),
        ),
        _ => return None,
    };
    Some(refusal.at(at))
}

/// Credentials Specified in Email Server Profile: they must be there.
fn from_profile(profile: &EmailServerProfile, facts: ProfileFacts, faults: &mut Vec<Refusal>) {
    let c = EmailServerProfile::C;
    let mut missing = |code, name, column, what: Words| {
        faults.push(
            Refusal::new(
                code,
                name,
                words!(
                    "{0} is missing; the profile is set to {1}",
                    what,
                    Words::label(CredentialRetrieval::Profile.label())
                ),
            )
            .at(column),
        );
    };
    if profile.incoming_credentials == CredentialRetrieval::Profile {
        if profile.incoming_user.trim().is_empty() {
            missing(
                0x8005_E251,
                "EmailServerProfileIncomingUserNameEmpty",
                c.incoming_user.name,
                words!("the incoming user name"),
            );
        }
        if !facts.incoming_password {
            missing(
                0x8005_E252,
                "EmailServerProfileIncomingPasswordEmpty",
                "incomingpassword",
                words!("the incoming password"),
            );
        }
    }
    if profile.outgoing_credentials == CredentialRetrieval::Profile && !profile.same_outgoing {
        if profile.outgoing_user.trim().is_empty() {
            missing(
                0x8005_E253,
                "EmailServerProfileOutgoingUserNameEmpty",
                c.outgoing_user.name,
                words!("the outgoing user name"),
            );
        }
        if !facts.outgoing_password {
            missing(
                0x8005_E254,
                "EmailServerProfileOutgoingPasswordEmpty",
                "outgoingpassword",
                words!("the outgoing password"),
            );
        }
    }
}

fn protocol(profile: &EmailServerProfile, facts: ProfileFacts, faults: &mut Vec<Refusal>) {
    let c = EmailServerProfile::C;
    let sides = [
        (profile.incoming_protocol, profile.incoming_ssl, c.incoming_protocol.name, true),
        (profile.outgoing_protocol, profile.outgoing_ssl, c.outgoing_protocol.name, !profile.same_outgoing),
    ];
    for (protocol, ssl, column, told) in sides {
        match protocol {
            AuthenticationProtocol::Negotiate | AuthenticationProtocol::Ntlm if !is_exchange(profile) && told => faults
                .push(
                    Refusal::new(
                        0x8005_E23C,
                        "EmailServerProfileADBasedAuthenticationNotAllowed",
                        words!(
                            "{0} needs a Windows directory; choose Auto Detect (0), Basic (3) or OAuth (4)",
                            Words::label(protocol.label())
                        ),
                    )
                    .at(column),
                ),
            AuthenticationProtocol::Basic if !ssl && !facts.allow_insecure => faults.push(
                Refusal::new(
                    0x8005_E23D,
                    "EmailServerProfileBasicAuthenticationNotAllowed",
                    words!("Basic authentication would send the password in the clear; use SSL"),
                )
                .at(column),
            ),
            _ => {}
        }
    }
}

fn exchange_only(profile: &EmailServerProfile, faults: &mut Vec<Refusal>) {
    let c = EmailServerProfile::C;
    let exchange = is_exchange(profile);
    if profile.delegate_access && !exchange {
        faults.push(
            Refusal::new(
                0x8005_E235,
                "EmailServerProfileDelegateAccessNotAllowed",
                words!("delegate access exists on Exchange only, not with SMTP; say No"),
            )
            .at(c.delegate_access.name),
        );
    }
    let sides = [
        (
            profile.incoming_impersonation,
            profile.incoming_credentials,
            &profile.incoming_user,
            c.incoming_impersonation.name,
            0x8005_E24D,
        ),
        (
            profile.outgoing_impersonation,
            profile.outgoing_credentials,
            &profile.outgoing_user,
            c.outgoing_impersonation.name,
            0x8005_E24E,
        ),
    ];
    for (impersonates, retrieval, user, column, code) in sides {
        if !impersonates {
            continue;
        }
        if !exchange {
            faults.push(
                Refusal::new(
                    0x8005_E236,
                    "EmailServerProfileImpersonationNotAllowed",
                    words!("impersonation exists on Exchange only; say No"),
                )
                .at(column),
            );
        } else if retrieval == CredentialRetrieval::Profile && user.trim().is_empty() {
            faults.push(
                Refusal::new(
                    code,
                    "EmailServerProfileImpersonationCredentialsMissing",
                    words!("impersonation needs the user name and password of the account that impersonates"),
                )
                .at(column),
            );
        }
    }
}
