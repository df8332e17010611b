//! Where the servers of a profile are: locations, ports, SSL, autodiscovery.

use std::net::{IpAddr, Ipv6Addr};

use model::tables::{EmailServerProfile, ServerType};
use model::{Refusal, Words, words};

use super::is_exchange;

/// The columns of one direction.
#[derive(Clone, Copy)]
struct Side<'a> {
    incoming: bool,
    location: &'a str,
    port: Option<i64>,
    ssl: bool,
}

impl Side<'_> {
    fn word(&self) -> Words {
        if self.incoming { words!("incoming") } else { words!("outgoing") }
    }
    fn location_column(&self) -> &'static str {
        if self.incoming {
            EmailServerProfile::C.incoming_location.name
        } else {
            EmailServerProfile::C.outgoing_location.name
        }
    }
    fn port_column(&self) -> &'static str {
        if self.incoming { EmailServerProfile::C.incoming_port.name } else { EmailServerProfile::C.outgoing_port.name }
    }
    fn ssl_column(&self) -> &'static str {
        if self.incoming { EmailServerProfile::C.incoming_ssl.name } else { EmailServerProfile::C.outgoing_ssl.name }
    }
}

fn sides(profile: &EmailServerProfile) -> [Side<'_>; 2] {
    [
        Side {
            incoming: true,
            location: &profile.incoming_location,
            port: profile.incoming_port,
            ssl: profile.incoming_ssl,
        },
        Side {
            incoming: false,
            location: &profile.outgoing_location,
            port: profile.outgoing_port,
            ssl: profile.outgoing_ssl,
        },
    ]
}

/// Trims the locations and fills in ports that are blank. A port that only
/// stands there because it was the usual one follows when SSL or the type changes.
pub(super) fn filled_in(after: EmailServerProfile, before: Option<&EmailServerProfile>) -> EmailServerProfile {
    let mut profile = EmailServerProfile {
        incoming_location: after.incoming_location.trim().to_owned(),
        outgoing_location: after.outgoing_location.trim().to_owned(),
        ..after
    };
    let follows = |now: Option<i64>, then: fn(&EmailServerProfile) -> (Option<i64>, Option<i64>)| {
        now.is_none()
            || before.is_some_and(|before| {
                let (held, usual) = then(before);
                held == now && held == usual
            })
    };
    if follows(profile.incoming_port, |p| (p.incoming_port, usual_incoming(p))) {
        profile.incoming_port = usual_incoming(&profile);
    }
    if follows(profile.outgoing_port, |p| (p.outgoing_port, usual_outgoing(p))) {
        profile.outgoing_port = usual_outgoing(&profile);
    }
    profile
}

/// RFC 8314, sections 3.2 and 3.3, with SSL; RFC 3501 and RFC 1939 without.
fn usual_incoming(profile: &EmailServerProfile) -> Option<i64> {
    match (profile.server_type, profile.incoming_ssl) {
        (ServerType::ImapSmtp, true) => Some(993),
        (ServerType::ImapSmtp, false) => Some(143),
        (ServerType::Pop3Smtp, true) => Some(995),
        (ServerType::Pop3Smtp, false) => Some(110),
        _ => None,
    }
}

/// Submission (RFC 6409), with STARTTLS where SSL is on.
fn usual_outgoing(profile: &EmailServerProfile) -> Option<i64> {
    if is_exchange(profile) { None } else { Some(587) }
}

pub(super) fn check(profile: &EmailServerProfile, allow_insecure: bool, faults: &mut Vec<Refusal>) {
    let exchange = is_exchange(profile);
    if profile.auto_discover && !exchange {
        faults.push(
            Refusal::new(
                0x8005_E204,
                "EmailServerProfileAutoDiscoverNotAllowed",
                words!("servers are discovered for Exchange only; say No and give the server locations"),
            )
            .at(EmailServerProfile::C.auto_discover.name),
        );
    }
    for side in sides(profile) {
        if !side.ssl && !allow_insecure {
            faults.push(
                Refusal::new(
                    0x8005_E234,
                    "EmailServerProfileSslRequiredForOnPremise",
                    words!(
                        "the {0} connection must use SSL; say Yes, or let the operator of this installation set \
                         [servers] allow_insecure = true",
                        side.word()
                    ),
                )
                .at(side.ssl_column()),
            );
        }
        if exchange {
            exchange_location(side, profile.auto_discover, faults);
        } else {
            host(side, faults);
            port(side, faults);
        }
    }
}

fn missing(side: Side<'_>, what: Words) -> Refusal {
    let code = if side.incoming { 0x8005_E24B } else { 0x8005_E24C };
    let name = if side.incoming { "IncomingServerLocationEmpty" } else { "OutgoingServerLocationEmpty" };
    Refusal::new(code, name, words!("the {0} server location is missing; give {1}", side.word(), what))
        .at(side.location_column())
}

fn invalid(side: Side<'_>, message: Words) -> Refusal {
    Refusal::new(0x8005_E20A, "InvalidServerLocation", message).at(side.location_column())
}

fn host(side: Side<'_>, faults: &mut Vec<Refusal>) {
    let location = side.location;
    if location.is_empty() {
        faults.push(missing(side, words!("the server's host name, such as mail.example.com")));
    } else if let Some((scheme, _)) = location.split_once("://") {
        faults.push(invalid(
            side,
            words!("'{0}' is a {1} address; give the {2} server's host name alone", location, scheme, side.word()),
        ));
    } else if has_port(location) {
        faults.push(invalid(
            side,
            words!(
                "'{0}' has a port in it; give the host name alone and the port in {1}",
                location,
                side.port_column()
            ),
        ));
    } else if !is_host(location) {
        faults.push(invalid(
            side,
            words!("'{0}' is not a host name; give one such as mail.example.com, or an IP address", location),
        ));
    }
}

/// `host:587` or `[::1]:587`, but not a bare IPv6 address.
fn has_port(location: &str) -> bool {
    location.rsplit_once(':').is_some_and(|(host, port)| {
        let one = !host.is_empty() && (!host.contains(':') || host.ends_with(']'));
        one && !port.is_empty() && port.chars().all(|c| c.is_ascii_digit())
    })
}

/// A DNS name (RFC 1123, section 2.1; other letters than ASCII and
/// underscores are taken too, they resolve in practice) or an IP address,
/// IPv6 with or without brackets.
fn is_host(location: &str) -> bool {
    if location.parse::<IpAddr>().is_ok() {
        return true;
    }
    if let Some(inner) = location.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.parse::<Ipv6Addr>().is_ok();
    }
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    let name = location.strip_suffix('.').unwrap_or(location);
    // All digits and dots, yet no IPv4 address: a slip of the pen.
    name.len() <= 253 && name.split('.').all(label) && !name.chars().all(|c| c.is_ascii_digit() || c == '.')
}

fn port(side: Side<'_>, faults: &mut Vec<Refusal>) {
    let (code, name) = if side.incoming {
        (0x8005_E24F, "EmailServerProfileInvalidIncomingPort")
    } else {
        (0x8005_E256, "EmailServerProfileInvalidOutgoingPort")
    };
    match side.port {
        Some(1..=65_535) => {}
        Some(other) => faults.push(
            Refusal::new(
                code,
                name,
                words!("port {0} does not exist; give one from 1 to 65535, or none for the usual", other),
            )
            .at(side.port_column()),
        ),
        None => {
            faults.push(Refusal::new(code, name, words!("the {0} port is missing", side.word())).at(side.port_column()))
        }
    }
}

/// An Exchange Web Services URL that agrees with the SSL flag.
fn exchange_location(side: Side<'_>, auto_discover: bool, faults: &mut Vec<Refusal>) {
    let location = side.location;
    if auto_discover {
        if !location.is_empty() {
            faults.push(
                Refusal::new(
                    0x8005_E205,
                    "EmailServerProfileLocationNotRequired",
                    words!("the {0} server is discovered; leave its location empty", side.word()),
                )
                .at(side.location_column()),
            );
        }
        return;
    }
    if location.is_empty() {
        faults.push(missing(side, words!("its Exchange Web Services URL, https://host/EWS/Exchange.asmx")));
        return;
    }
    let rest = |scheme: &str| {
        location
            .get(..scheme.len())
            .filter(|start| start.eq_ignore_ascii_case(scheme))
            .map(|_| &location[scheme.len()..])
    };
    let (secure, rest) = match (rest("https://"), rest("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => {
            faults.push(invalid(side, words!("'{0}' is not a URL; give https://host/EWS/Exchange.asmx", location)));
            return;
        }
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let bare = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        _ => authority,
    };
    if !is_host(bare) {
        faults.push(invalid(side, words!("'{0}' names no host; give https://host/EWS/Exchange.asmx", location)));
    } else if secure != side.ssl {
        let (code, name) = match (side.ssl, side.incoming) {
            (true, true) => (0x8005_E23E, "EmailServerProfileIncomingUrlNotSsl"),
            (true, false) => (0x8005_E23F, "EmailServerProfileOutgoingUrlNotSsl"),
            (false, true) => (0x8005_E240, "EmailServerProfileIncomingUrlSsl"),
            (false, false) => (0x8005_E241, "EmailServerProfileOutgoingUrlSsl"),
        };
        let message = if side.ssl {
            words!("the {0} connection uses SSL, but '{1}' begins with http; write https", side.word(), location)
        } else {
            words!("the {0} connection does not use SSL, but '{1}' begins with https; use SSL", side.word(), location)
        };
        faults.push(Refusal::new(code, name, message).at(side.location_column()));
    }
}
