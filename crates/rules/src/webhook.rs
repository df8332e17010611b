//! Webhooks: what an endpoint may be, and what its answer means.

use jiff::{SignedDuration, Timestamp};
use model::{Failure, FailureKind, Step, words};

use crate::retry;

/// How long after it happened an event is tried to be delivered.
pub const GIVE_UP: SignedDuration = SignedDuration::from_hours(24);
/// The longest that a receiver may make us wait (`Retry-After`).
const LONGEST_PUT_OFF: SignedDuration = SignedDuration::from_hours(1);

/// What comes of an attempt to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    Delivered,
    Again { at: Timestamp },
    GiveUp { why: String },
}

/// What a receiver answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// `Retry-After` in seconds.
    pub put_off: Option<i64>,
}

/// `attempt`: the number of this attempt, from 1. `since`: when it happened or
/// was set to be sent again.
pub fn after(outcome: Result<Answer, &Failure>, attempt: i64, since: Timestamp, now: Timestamp) -> Next {
    let (why, put_off) = match outcome {
        Ok(answer) if (200..300).contains(&answer.status) => return Next::Delivered,
        Ok(answer) if is_final(answer.status) => {
            return Next::GiveUp { why: words!("the receiver refuses it with status {0}", answer.status).to_string() };
        }
        Ok(answer) => (words!("the last answer had status {0}", answer.status).to_string(), answer.put_off),
        Err(failure) => (words!("the last attempt: {0}", failure.detail).to_string(), None),
    };
    if now >= since + GIVE_UP {
        return Next::GiveUp {
            why: words!("given up after {0} attempts in {1} hours; {2}", attempt, GIVE_UP.as_hours(), why).to_string(),
        };
    }
    // The first attempts come quickly: most troubles of receivers are short.
    let wait = match attempt {
        ..=1 => SignedDuration::from_secs(5),
        2 => SignedDuration::from_secs(20),
        later => retry::wait(later - 2),
    };
    let put_off = put_off.map(|s| SignedDuration::from_secs(s.max(0)).min(LONGEST_PUT_OFF)).unwrap_or_default();
    Next::Again { at: now + wait.max(put_off) }
}

/// Statuses that mean: this request, never. What may be a setting of the
/// receiver (a key, an address, a limit) is tried again.
fn is_final(status: u16) -> bool {
    matches!(status, 400 | 405 | 410 | 411 | 413 | 414 | 415 | 422 | 431)
}

/// An answer as the breaker counts it: a receiver that is out of order is out
/// of order for every event.
pub fn trouble(outcome: Result<Answer, &Failure>) -> Option<Failure> {
    match outcome {
        Ok(answer) if answer.status >= 500 || answer.status == 429 => Some(Failure::temporary(
            Step::Greeting,
            words!("the receiver answers with status {0}", answer.status).to_string(),
        )),
        Ok(_) => None,
        Err(failure) => {
            let kind = if failure.kind == FailureKind::Misconfigured { failure.kind } else { FailureKind::Temporary };
            Some(Failure::new(kind, failure.during.min(Step::Greeting), failure.detail.clone()))
        }
    }
}

/// Why the address of an endpoint cannot be used. It is not repeated: it may
/// hold a key.
pub fn check_url(url: &str, allow_insecure: bool) -> Result<(), &'static str> {
    let (scheme, rest) = url.split_once("://").ok_or("it must begin with https://")?;
    match scheme.to_ascii_lowercase().as_str() {
        "https" => {}
        "http" if allow_insecure => {}
        "http" => {
            return Err(
                "it must begin with https://; http is only for installations that set [servers] allow_insecure",
            );
        }
        _ => return Err("it must begin with https://"),
    }
    if !url.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b)) {
        return Err("blanks and special characters must be percent-encoded");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("it must not hold a user name or password; put them into authvalue");
    }
    if authority.is_empty() || authority.starts_with(':') {
        return Err("it has no host name");
    }
    Ok(())
}

/// The names and values of `<settings><setting name="…" value="…" /></settings>`.
pub fn settings(text: &str) -> Result<Vec<(String, String)>, &'static str> {
    const WRONG: &str = "it must look like <settings><setting name=\"x-key\" value=\"…\" /></settings>";
    let inner = text.trim().strip_prefix("<settings>").and_then(|t| t.strip_suffix("</settings>")).ok_or(WRONG)?;
    let mut found = Vec::new();
    let mut rest = inner.trim();
    while !rest.is_empty() {
        let element = rest.strip_prefix("<setting").filter(|t| t.starts_with(char::is_whitespace)).ok_or(WRONG)?;
        let (mut name, mut value) = (None, None);
        let mut element = element.trim_start();
        loop {
            if let Some(after) = element.strip_prefix("/>") {
                rest = after.trim_start();
                break;
            }
            let (attribute, after) = element.split_once('=').ok_or(WRONG)?;
            let quote = after.trim_start().chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or(WRONG)?;
            let (content, after) = after.trim_start()[1..].split_once(quote).ok_or(WRONG)?;
            match attribute.trim() {
                "name" => name = Some(unescaped(content)),
                "value" => value = Some(unescaped(content)),
                _ => return Err(WRONG),
            }
            element = after.trim_start();
        }
        found.push((name.filter(|n| !n.is_empty()).ok_or(WRONG)?, value.ok_or(WRONG)?));
    }
    if found.is_empty() { Err(WRONG) } else { Ok(found) }
}

fn unescaped(text: &str) -> String {
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    plain.iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

#[cfg(test)]
mod tests;
