//! Which servers an address may have: what was learnt of its domain made into
//! candidates, and those ranked by what speaks for them.

use model::discovery::{Candidate, Evidence, Found, Learnt, Protection, Protocol};

use model::{Failure, FailureKind, Step, Words, words};

use crate::alert;
use crate::provider::{self, Provider, User};

/// The parts of an address: before and after the `@`, the domain in lower case.
pub fn parts(address: &str) -> Option<(&str, String)> {
    let (local, domain) = address.trim().rsplit_once('@')?;
    let sound = !local.is_empty() && domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.');
    sound.then(|| (local, domain.to_ascii_lowercase()))
}

/// The provider that is known by the domain or by who takes its mail.
pub fn provider(domain: &str, exchangers: &[String]) -> Option<&'static Provider> {
    provider::of_domain(domain).or_else(|| exchangers.iter().find_map(|host| provider::of_exchanger(host)))
}

/// The servers for which something speaks, the most weighty first, each once.
pub fn candidates(address: &str, learnt: &Learnt) -> Vec<Candidate> {
    let Some((local, domain)) = parts(address) else { return Vec::new() };
    let mut all = published(learnt);
    all.extend(services(address, learnt));
    if let Some(provider) = provider(&domain, &learnt.exchangers) {
        let user = if provider.user == User::Address { address } else { local };
        all.extend(provider.servers.iter().map(|server| Candidate {
            protocol: server.0,
            host: server.1.to_owned(),
            port: server.2,
            protection: server.3,
            user: user.to_owned(),
            evidence: Evidence::Provider,
            source: words!("mail of {0} is with {1}, whose server this is", domain, provider.name).to_string(),
            answered: None,
            said: String::new(),
        }));
    }
    each_once(all)
}

fn published(learnt: &Learnt) -> Vec<Candidate> {
    let mut all = Vec::new();
    for (place, file) in &learnt.published {
        for server in file.servers.iter().filter(|s| !s.only_oauth) {
            // Without TLS nobody is asked for a password.
            let Some(protection) = server.protection else { continue };
            all.push(Candidate {
                protocol: server.protocol,
                host: server.host.clone(),
                port: server.port,
                protection,
                user: server.user.clone(),
                evidence: Evidence::Published,
                source: words!("{0} says so", place).to_string(),
                answered: None,
                said: String::new(),
            });
        }
    }
    all
}

fn services(address: &str, learnt: &Learnt) -> Vec<Candidate> {
    let offered = learnt.services.iter().filter(|s| !s.host.is_empty() && s.port > 0);
    let mut all: Vec<(u16, Candidate)> = offered
        .map(|service| {
            let candidate = Candidate {
                protocol: service.protocol,
                host: service.host.clone(),
                port: service.port,
                protection: service.protection,
                user: address.to_owned(),
                evidence: Evidence::Service,
                source: words!("{0} in DNS names it", service.name).to_string(),
                answered: None,
                said: String::new(),
            };
            (service.priority, candidate)
        })
        .collect();
    // RFC 6186, section 3.4: the priorities of all services are compared.
    all.sort_by_key(|(priority, c)| (*priority, c.protection));
    all.into_iter().map(|(_, candidate)| candidate).collect()
}

/// What many domains have, for those of which nothing better is known.
pub fn guesses(address: &str, exchangers: &[String], known: &[Candidate]) -> Vec<Candidate> {
    let Some((_, domain)) = parts(address) else { return Vec::new() };
    let mut hosts: Vec<(Protocol, String)> = Vec::new();
    let mut domains = vec![domain.clone()];
    domains.extend(exchangers.first().and_then(|host| host.split_once('.')).map(|(_, rest)| rest.to_owned()));
    domains.retain(|d| d.contains('.'));
    domains.dedup();
    let own = [(Protocol::Imap, "imap"), (Protocol::Smtp, "smtp"), (Protocol::Pop3, "pop")];
    for domain in &domains {
        for (protocol, name) in own {
            hosts.push((protocol, format!("{name}.{domain}")));
            hosts.push((protocol, format!("mail.{domain}")));
        }
    }
    for protocol in Protocol::ALL {
        hosts.extend(exchangers.first().map(|host| (protocol, host.clone())));
        hosts.push((protocol, domain.clone()));
    }
    let mut all = Vec::new();
    for (protocol, host) in hosts {
        for (port, protection) in usual(protocol) {
            let there = known.iter().any(|c| (c.protocol, &c.host, c.port) == (protocol, &host, port));
            if !there {
                all.push(Candidate {
                    protocol,
                    source: words!("many domains call their server so; {0} answers on port {1}", host, port)
                        .to_string(),
                    host: host.clone(),
                    port,
                    protection,
                    user: address.to_owned(),
                    evidence: Evidence::Guess,
                    answered: None,
                    said: String::new(),
                });
            }
        }
    }
    each_once(all)
}

/// RFC 8314: TLS from the start before STARTTLS.
fn usual(protocol: Protocol) -> [(u16, Protection); 2] {
    match protocol {
        Protocol::Imap => [(993, Protection::Tls), (143, Protection::StartTls)],
        Protocol::Pop3 => [(995, Protection::Tls), (110, Protection::StartTls)],
        Protocol::Smtp => [(465, Protection::Tls), (587, Protection::StartTls)],
    }
}

/// Whether mail can be read and sent with what has answered.
pub fn is_enough(candidates: &[Candidate]) -> bool {
    let answers =
        |incoming: bool| candidates.iter().any(|c| c.protocol.is_incoming() == incoming && c.answered == Some(true));
    answers(true) && answers(false)
}

/// The best first: who answers before who does not, then by what speaks for
/// them, IMAP before POP3. Guesses that do not answer are nothing.
pub fn conclude(address: &str, learnt: &Learnt, mut candidates: Vec<Candidate>) -> Found {
    candidates.retain(|c| c.evidence != Evidence::Guess || c.answered == Some(true));
    candidates.sort_by_key(|c| (c.answered != Some(true), c.evidence, c.protocol));
    let (_, domain) = parts(address).unwrap_or_default();
    let known = provider(&domain, &learnt.exchangers);
    let named = learnt.published.iter().map(|(_, file)| file.provider.clone()).find(|name| !name.is_empty());
    Found {
        provider: known.map(|p| p.name.to_owned()).or(named).unwrap_or_default(),
        advice: known.map(|p| p.advice.to_owned()).unwrap_or_default(),
        unreachable: known.is_some_and(|p| p.unreachable),
        candidates,
    }
}

/// What to do about a connection that could not be made while its settings
/// are not saved yet.
pub fn advice(failure: &Failure) -> Words {
    match (failure.kind, failure.during) {
        (FailureKind::Credentials, _) => {
            words!(
                "Check user name and password. Some servers want the whole address as user name, others the part before \
             the @; with two-step verification most providers want an app password."
            )
        }
        (FailureKind::Misconfigured, Step::Resolve) | (FailureKind::Temporary, Step::Resolve) => {
            words!("Check the spelling of the server location.")
        }
        (FailureKind::Temporary, Step::Connect) => {
            words!("Check server location and port; a firewall may be in between.")
        }
        (FailureKind::Temporary | FailureKind::Garbled, Step::Tls | Step::Greeting) => {
            words!(
                "Check that port and SSL belong together: 993 (IMAP), 995 (POP3) and 465 (SMTP) with SSL, 587 (SMTP) as well."
            )
        }
        _ => alert::advice(failure),
    }
}

/// The first of those that mean the same server; it keeps what the others say.
fn each_once(all: Vec<Candidate>) -> Vec<Candidate> {
    let mut out: Vec<Candidate> = Vec::new();
    for candidate in all {
        let same =
            |c: &&mut Candidate| (c.protocol, &c.host, c.port) == (candidate.protocol, &candidate.host, candidate.port);
        match out.iter_mut().find(same) {
            Some(first) => {
                if first.evidence != candidate.evidence {
                    first.source = format!("{}; {}", first.source, candidate.source);
                }
                if first.user.is_empty() {
                    first.user = candidate.user;
                }
            }
            None => out.push(candidate),
        }
    }
    out
}

#[cfg(test)]
mod tests;
