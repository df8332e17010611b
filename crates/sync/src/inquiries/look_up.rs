//! Look up settings: learns what there is to learn of a domain, and tries
//! which servers answer.

use std::sync::Arc;

use connectors::discovery::Discovery;
use futures::StreamExt as _;
use futures::stream;
use model::discovery::{Candidate, InquiryState, Learnt, Line, Published, Topic};
use model::tables::Inquiry;
use rules::discovery;

use super::Progress;
use crate::{Engine, SyncError};

/// Servers tried at the same time.
const AT_A_TIME: usize = 8;

pub(super) async fn run(
    engine: &Engine,
    inquiry: &Inquiry,
    progress: &Progress,
) -> Result<(InquiryState, String), SyncError> {
    let asking = Discovery::over(Arc::clone(&engine.dialer))?;
    let address = inquiry.address.as_str();
    let Some((_, domain)) = discovery::parts(address) else {
        return Err(SyncError::NotReady(format!("'{address}' is not an email address")));
    };
    let learnt = learn(&asking, &domain, address, progress).await;
    if let Some(known) = discovery::provider(&domain, &learnt.exchangers) {
        progress.tell(line(Topic::Provider, None, format!("mail of {domain} is with {}", known.name)));
    }
    let mut candidates = try_all(&asking, discovery::candidates(address, &learnt), progress).await;
    if !discovery::is_enough(&candidates) {
        let guesses = discovery::guesses(address, &learnt.exchangers, &candidates);
        candidates.extend(try_guesses(&asking, guesses, progress).await);
    }
    let found = discovery::conclude(address, &learnt, candidates);
    Ok((InquiryState::Done, formats::inquiry::write_found(&found)))
}

/// Settings files, services and exchangers, all asked for at once.
async fn learn(asking: &Discovery, domain: &str, address: &str, progress: &Progress) -> Learnt {
    let files = async {
        let mut found = Vec::new();
        for place in asking.places(domain) {
            found.extend(file(asking, &place, address, progress).await.map(|file| (place, file)));
        }
        found
    };
    let (mut published, services, exchangers) =
        tokio::join!(files, services(asking, domain, progress), exchangers(asking, domain, progress));
    // Who takes the mail of a domain may publish settings for all of them.
    if published.is_empty() && services.is_empty() {
        let behind = exchangers.first().and_then(|host| host.split_once('.')).map(|(_, rest)| rest.to_owned());
        if let Some(behind) = behind.filter(|b| b.contains('.') && b != domain) {
            let [place, _] = asking.places(&behind);
            published.extend(file(asking, &place, address, progress).await.map(|file| (place, file)));
        }
    }
    Learnt { published, services, exchangers }
}

async fn file(asking: &Discovery, place: &str, address: &str, progress: &Progress) -> Option<Published> {
    match asking.file(place, address).await {
        Ok(Some((published, flaws))) => {
            let count = published.servers.len();
            let mut said = format!("{place} names {count} servers");
            if !flaws.is_empty() {
                said = format!("{said} ({})", flaws.join("; "));
            }
            progress.tell(line(Topic::SettingsFile, Some(count > 0), said));
            (count > 0).then_some(published)
        }
        Ok(None) => {
            progress.tell(line(Topic::SettingsFile, None, format!("there is none at {place}")));
            None
        }
        Err(failure) => {
            let said = format!("{place} cannot be asked: {}", failure.detail);
            progress.tell(line(Topic::SettingsFile, None, said));
            None
        }
    }
}

async fn services(asking: &Discovery, domain: &str, progress: &Progress) -> Vec<model::discovery::Service> {
    match asking.services(domain).await {
        Ok(found) => {
            for service in &found {
                let said = if service.host.is_empty() {
                    format!("{} says that there is no such service", service.name)
                } else {
                    format!("{} is {}:{}", service.name, service.host, service.port)
                };
                progress.tell(line(Topic::Dns, Some(!service.host.is_empty()), said));
            }
            if found.is_empty() {
                let said = format!("{domain} names no mail services (SRV)");
                progress.tell(line(Topic::Dns, None, said));
            }
            found
        }
        Err(failure) => {
            progress.tell(line(Topic::Dns, Some(false), failure.detail));
            Vec::new()
        }
    }
}

async fn exchangers(asking: &Discovery, domain: &str, progress: &Progress) -> Vec<String> {
    match asking.exchangers(domain).await {
        Ok(found) => {
            let said = if found.is_empty() {
                format!("{domain} names no host that takes its mail (MX)")
            } else {
                format!("mail for {domain} goes to {}", found.join(", "))
            };
            progress.tell(line(Topic::Dns, Some(!found.is_empty()), said));
            found
        }
        Err(failure) => {
            progress.tell(line(Topic::Dns, Some(false), failure.detail));
            Vec::new()
        }
    }
}

async fn try_all(asking: &Discovery, candidates: Vec<Candidate>, progress: &Progress) -> Vec<Candidate> {
    stream::iter(candidates).map(|c| try_one(asking, c, Some(progress))).buffered(AT_A_TIME).collect().await
}

/// Guesses are tried quietly: only those that answer are told of.
async fn try_guesses(asking: &Discovery, guesses: Vec<Candidate>, progress: &Progress) -> Vec<Candidate> {
    let mut hosts: Vec<String> = guesses.iter().map(|c| c.host.clone()).collect();
    hosts.sort();
    hosts.dedup();
    let there: Vec<String> = stream::iter(hosts)
        .map(|host| async move { asking.is_there(&host).await.then_some(host) })
        .buffered(AT_A_TIME)
        .filter_map(|host| async { host })
        .collect()
        .await;
    let said = if there.is_empty() {
        "none of the usual names of mail servers exists".to_owned()
    } else {
        format!("trying the usual names: {}", there.join(", "))
    };
    progress.tell(line(Topic::Server, None, said));
    let tried = guesses.into_iter().filter(|c| there.contains(&c.host));
    let tried: Vec<Candidate> =
        stream::iter(tried).map(|c| try_one(asking, c, None)).buffered(AT_A_TIME).collect().await;
    let answered: Vec<Candidate> = tried.into_iter().filter(|c| c.answered == Some(true)).collect();
    for candidate in &answered {
        tell(candidate, progress);
    }
    answered
}

async fn try_one(asking: &Discovery, mut candidate: Candidate, progress: Option<&Progress>) -> Candidate {
    match asking.greeting(&candidate).await {
        Ok(words) => {
            candidate.answered = Some(true);
            candidate.said = words;
        }
        Err(failure) => {
            candidate.answered = Some(false);
            candidate.said = failure.detail;
        }
    }
    if let Some(progress) = progress {
        tell(&candidate, progress);
    }
    candidate
}

fn tell(candidate: &Candidate, progress: &Progress) {
    let Candidate { protocol, host, port, protection, said, .. } = candidate;
    let server = format!("{host}:{port} ({}, {})", protocol.as_str(), protection.as_str());
    let yes = candidate.answered == Some(true);
    let said = if yes {
        format!("{server} is there and answers: \"{said}\"")
    } else {
        format!("{server} does not answer: {said}")
    };
    progress.tell(line(Topic::Server, Some(yes), said));
}

fn line(topic: Topic, ok: Option<bool>, said: String) -> Line {
    Line { topic, step: String::new(), ok, said }
}
