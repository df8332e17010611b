//! What a "no" means: classified by what the server actually said (RFC 5530).

use model::{Failure, FailureKind, Step};

use super::wire::{Code, Status, WireError};

/// Codes that say: the server, not the request, is the trouble.
const TEMPORARY: [&str; 5] = ["UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "EXPUNGEISSUED"];
const CREDENTIALS: [&str; 4] = ["AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED", "CONTACTADMIN"];

/// Words of servers that send no code.
const TEMPORARY_WORDS: [&str; 14] = [
    "too many",
    "try again",
    "try later",
    "temporar",
    "unavailable",
    "internal error",
    "server error",
    "timeout",
    "timed out",
    "busy",
    "not connected",
    "overload",
    "bandwidth",
    "throttl",
];

/// What a status response that is not `OK` means for the command that got it.
pub fn failure(during: Step, status: Status, code: Option<Code<'_>>, text: &[u8]) -> Failure {
    Failure::new(kind(during, status, code, text), during, quote(status, code, text))
}

fn kind(during: Step, status: Status, code: Option<Code<'_>>, text: &[u8]) -> FailureKind {
    let words = String::from_utf8_lossy(text).to_ascii_lowercase();
    let sounds_temporary = TEMPORARY_WORDS.iter().any(|w| words.contains(w));
    let is = |names: &[&str]| code.is_some_and(|c| names.iter().any(|n| c.is(n)));
    if is(&TEMPORARY) {
        return FailureKind::Temporary;
    }
    // A quota that stands in the way of logging in is one of traffic.
    if during == Step::LogIn && is(&["OVERQUOTA"]) {
        return FailureKind::Temporary;
    }
    if is(&["PRIVACYREQUIRED"]) {
        return FailureKind::Misconfigured;
    }
    if during <= Step::LogIn && is(&CREDENTIALS) {
        // "[AUTHENTICATIONFAILED] Temporary authentication failure" exists as well.
        let temporary = is(&["AUTHENTICATIONFAILED"]) && (words.contains("temporar") || words.contains("too many"));
        return if temporary { FailureKind::Temporary } else { FailureKind::Credentials };
    }
    if status == Status::Bye || sounds_temporary {
        return FailureKind::Temporary;
    }
    match (during, status) {
        (Step::LogIn, Status::No) => FailureKind::Credentials,
        (Step::Open, Status::No) if is(&["NONEXISTENT", "TRYCREATE"]) || says_missing(&words) => {
            FailureKind::Misconfigured
        }
        _ => FailureKind::Refused,
    }
}

fn says_missing(words: &str) -> bool {
    ["doesn't exist", "does not exist", "unknown mailbox", "no such", "not found", "nonexistent"]
        .iter()
        .any(|w| words.contains(w))
}

/// `the server said: "NO [INUSE] Mailbox is locked"`
pub fn quote(status: Status, code: Option<Code<'_>>, text: &[u8]) -> String {
    let status = match status {
        Status::Ok => "OK",
        Status::No => "NO",
        Status::Bad => "BAD",
        Status::PreAuth => "PREAUTH",
        Status::Bye => "BYE",
    };
    let mut said = status.to_owned();
    if let Some(code) = code {
        let separator = if code.arguments.is_empty() { "" } else { " " };
        said.push_str(&format!(" [{}{separator}{}]", shown(code.name), shown(code.arguments)));
    }
    if !text.is_empty() {
        said.push(' ');
        said.push_str(&shown(text));
    }
    format!("the server said: \"{said}\"")
}

/// Text of the server in a form that can be shown.
pub fn shown(text: &[u8]) -> String {
    let cut = &text[..text.len().min(400)];
    String::from_utf8_lossy(cut).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What trouble below the protocol means.
pub fn wire_failure(during: Step, error: &WireError) -> Failure {
    match error {
        WireError::Io(error) if error.kind() == std::io::ErrorKind::InvalidData && error.get_ref().is_none() => {
            Failure::garbled(during, "the server's compressed data is broken")
        }
        WireError::Io(error) => crate::net::stream_failure(during, error),
        WireError::Silent(_) | WireError::Sink(_) => Failure::temporary(during, error.to_string()),
        WireError::Framing(_) => Failure::garbled(during, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::Response;
    use super::*;

    #[track_caller]
    fn check(during: Step, line: &str, expected: FailureKind) {
        let (status, code, text) = match Response::parse(line.as_bytes(), &[]) {
            Response::Tagged { status, code, text, .. } | Response::Status { status, code, text } => {
                (status, code, text)
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(failure(during, status, code, text).kind, expected, "{line}");
    }

    #[test]
    fn wrong_passwords_are_credentials() {
        let check = |line| check(Step::LogIn, line, FailureKind::Credentials);
        check("A1 NO [AUTHENTICATIONFAILED] Authentication failed.");
        check("A1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)");
        check("A1 NO [authorizationfailed] no");
        check("A1 NO [EXPIRED] Password expired");
        check("A1 NO [CONTACTADMIN] Account disabled");
        check("A1 NO LOGIN failed.");
        check("A1 NO AUTHENTICATE failed.");
        check("A1 NO [ALERT] Application-specific password required");
        check("A1 NO [WEBALERT https://accounts.example.com/] Web login required.");
        check("A1 NO");
    }

    #[test]
    fn trouble_of_the_server_is_temporary() {
        let check = |line| check(Step::LogIn, line, FailureKind::Temporary);
        check("A1 NO [UNAVAILABLE] Temporary authentication failure.");
        check("A1 NO [AUTHENTICATIONFAILED] Temporary authentication failure.");
        check("A1 NO [INUSE] Mailbox is locked");
        check("A1 NO [LIMIT] Maximum number of connections from user+IP exceeded");
        check("A1 NO [SERVERBUG] Internal error occurred.");
        check("A1 NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)");
        check("A1 NO [ALERT] Too many simultaneous connections. (Failure)");
        check("A1 BAD User is authenticated but not connected.");
        check("A1 NO Server Unavailable. 15");
        check("* BYE Too many connections");
        check("* BYE [ALERT] Shutting down");
        check("* BYE Autologout; idle for too long");
        check("* BYE");
    }

    #[test]
    fn other_refusals() {
        check(Step::LogIn, "A1 NO [PRIVACYREQUIRED] TLS please", FailureKind::Misconfigured);
        check(Step::LogIn, "A1 BAD Unknown command", FailureKind::Refused);
        check(Step::Open, "A1 NO [NONEXISTENT] Unknown Mailbox: Foo", FailureKind::Misconfigured);
        check(Step::Open, "A1 NO Mailbox doesn't exist: Foo", FailureKind::Misconfigured);
        check(Step::Open, "A1 NO [NOPERM] Permission denied", FailureKind::Refused);
        check(Step::Settle, "A1 NO [AUTHORIZATIONFAILED] no", FailureKind::Refused);
        check(Step::Settle, "A1 NO [EXPUNGEISSUED] gone", FailureKind::Temporary);
        check(Step::Read, "A1 NO Some messages could not be FETCHed", FailureKind::Refused);
    }

    #[test]
    fn the_servers_words_are_quoted() {
        let Response::Tagged { status, code, text, .. } = Response::parse(b"A1 NO [X y z] sor\x07ry", &[]) else {
            panic!();
        };
        assert_eq!(quote(status, code, text), "the server said: \"NO [X y z] sor ry\"");
    }
}
