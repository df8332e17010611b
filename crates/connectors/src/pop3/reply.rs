//! Status lines (RFC 1939, section 3), response codes (RFC 2449, section 8,
//! and RFC 3206), and what they mean for the next attempt.

use model::{Failure, FailureKind, Step};

use crate::lines::printable;

/// The first line of every answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    Ok(String),
    Err(Option<ResponseCode>, String),
    /// RFC 5034: the server asks, in base64.
    Continue(String),
}

/// Why not, for a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseCode {
    /// RFC 2449: another session holds the mailbox.
    InUse,
    /// RFC 2449: logged in too soon after the last time.
    LoginDelay,
    /// RFC 3206: a fault of the system that will pass.
    SysTemp,
    /// RFC 3206: a fault of the system that somebody has to mend.
    SysPerm,
    /// RFC 3206: it is the credentials.
    Auth,
    Other(String),
}

impl Status {
    /// `None`: this is no status line.
    pub fn read(line: &[u8]) -> Option<Self> {
        let word_end = line.iter().position(|&octet| octet == b' ' || octet == b'\t').unwrap_or(line.len());
        let (word, rest) = line.split_at(word_end);
        let text = printable(rest).trim().to_owned();
        match word {
            word if word.eq_ignore_ascii_case(b"+OK") => Some(Self::Ok(text)),
            word if word.eq_ignore_ascii_case(b"-ERR") => Some(Self::Err(ResponseCode::of(&text), text)),
            b"+" => Some(Self::Continue(text)),
            _ => None,
        }
    }
}

impl ResponseCode {
    fn of(text: &str) -> Option<Self> {
        let (code, _) = text.strip_prefix('[')?.split_once(']')?;
        Some(match code.to_ascii_uppercase().as_str() {
            "IN-USE" => Self::InUse,
            "LOGIN-DELAY" => Self::LoginDelay,
            "SYS/TEMP" => Self::SysTemp,
            "SYS/PERM" => Self::SysPerm,
            "AUTH" => Self::Auth,
            other => Self::Other(other.to_owned()),
        })
    }
}

/// Makes a failure of `-ERR`.
pub(crate) fn failure(step: Step, code: Option<&ResponseCode>, text: &str) -> Failure {
    let (kind, hint) = judge(step, code, &text.to_lowercase());
    let mut detail = format!("the server said \"-ERR {text}\"");
    if let Some(hint) = hint {
        detail.push_str(": ");
        detail.push_str(hint);
    }
    Failure::new(kind, step, detail)
}

type Judgement = (FailureKind, Option<&'static str>);

fn judge(step: Step, code: Option<&ResponseCode>, text: &str) -> Judgement {
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match code {
        Some(ResponseCode::InUse) => return (FailureKind::Temporary, Some("another session holds the mailbox")),
        Some(ResponseCode::LoginDelay) => {
            return (FailureKind::Temporary, Some("the server wants a longer pause between log ins"));
        }
        Some(ResponseCode::SysTemp) => return (FailureKind::Temporary, None),
        Some(ResponseCode::SysPerm) if says(&["not enabled", "disabled"]) => {
            return (FailureKind::Refused, Some("POP3 has to be allowed for this account first"));
        }
        Some(ResponseCode::SysPerm) => return (FailureKind::Refused, Some("the server's administrator has to look")),
        Some(ResponseCode::Auth | ResponseCode::Other(_)) | None => {}
    }
    if step == Step::LogIn
        && says(&["plaintext auth", "cleartext", "secure connection", "ssl required", "tls required"])
    {
        return (FailureKind::Misconfigured, Some("the server wants TLS before the log in"));
    }
    if code == Some(&ResponseCode::Auth) {
        return (FailureKind::Credentials, Some("the user name, password or token was not accepted"));
    }
    if says(&[
        "temporar",
        "try again",
        "try later",
        "unavailable",
        "too many",
        "in use",
        "locked by",
        "lock busy",
        "busy",
    ]) {
        return (FailureKind::Temporary, None);
    }
    match step {
        Step::Resolve | Step::Connect | Step::Greeting => {
            (FailureKind::Temporary, Some("the server does not take connections at the moment"))
        }
        Step::Tls => (FailureKind::Misconfigured, Some("the server does not do STLS; try implicit TLS on port 995")),
        Step::LogIn => (FailureKind::Credentials, Some("the user name, password or token was not accepted")),
        _ => (FailureKind::Refused, None),
    }
}

#[cfg(test)]
mod tests {
    use FailureKind::{Credentials, Misconfigured, Refused, Temporary};

    use super::*;

    #[track_caller]
    fn check_status(line: &str, expected: Option<Status>) {
        assert_eq!(Status::read(line.as_bytes()), expected);
    }
    fn ok(text: &str) -> Option<Status> {
        Some(Status::Ok(text.into()))
    }

    #[test]
    fn ok_with_text() {
        check_status("+OK 2 320", ok("2 320"));
    }
    #[test]
    fn ok_alone() {
        check_status("+OK", ok(""));
    }
    #[test]
    fn ok_in_small_letters() {
        check_status("+ok hi", ok("hi"));
    }
    #[test]
    fn ok_with_a_tab() {
        check_status("+OK\thi", ok("hi"));
    }
    #[test]
    fn ok_with_a_banner() {
        check_status("+OK POP3 <1896.697170952@dbc.mtview.ca.us>", ok("POP3 <1896.697170952@dbc.mtview.ca.us>"));
    }
    #[test]
    fn err_alone() {
        check_status("-ERR", Some(Status::Err(None, String::new())));
    }
    #[test]
    fn err_with_code() {
        check_status("-ERR [IN-USE] x", Some(Status::Err(Some(ResponseCode::InUse), "[IN-USE] x".into())));
    }
    #[test]
    fn err_with_code_in_small_letters() {
        check_status("-ERR [auth] x", Some(Status::Err(Some(ResponseCode::Auth), "[auth] x".into())));
    }
    #[test]
    fn err_with_unknown_code() {
        check_status("-ERR [X-Y] x", Some(Status::Err(Some(ResponseCode::Other("X-Y".into())), "[X-Y] x".into())));
    }
    #[test]
    fn err_with_half_a_code() {
        check_status("-ERR [AUTH x", Some(Status::Err(None, "[AUTH x".into())));
    }
    #[test]
    fn question() {
        check_status("+ dGVzdA==", Some(Status::Continue("dGVzdA==".into())));
    }
    #[test]
    fn empty_question() {
        check_status("+ ", Some(Status::Continue(String::new())));
        check_status("+", Some(Status::Continue(String::new())));
    }
    #[test]
    fn no_status() {
        for line in ["", "OK", "+OKAY", "* OK IMAP", "220 smtp", "ERR", "-ERROR x", " +OK", "\u{fc}"] {
            check_status(line, None);
        }
    }

    #[track_caller]
    fn check(step: Step, text: &str, kind: FailureKind) {
        let Some(Status::Err(code, text)) = Status::read(format!("-ERR {text}").as_bytes()) else { panic!("no error") };
        let failure = failure(step, code.as_ref(), &text);
        assert_eq!((failure.kind, failure.during), (kind, step), "{}", failure.detail);
        assert!(failure.detail.contains(&text));
    }

    #[test]
    fn wrong_password() {
        check(Step::LogIn, "[AUTH] Authentication failed.", Credentials);
    }
    #[test]
    fn wrong_password_without_a_code() {
        check(Step::LogIn, "Invalid user name or password", Credentials);
    }
    #[test]
    fn no_words_at_log_in() {
        check(Step::LogIn, "", Credentials);
    }
    #[test]
    fn mailbox_in_use() {
        check(Step::LogIn, "[IN-USE] Do you have another POP session running?", Temporary);
    }
    #[test]
    fn mailbox_locked_in_words() {
        check(Step::LogIn, "maildrop already locked by another session", Temporary);
    }
    #[test]
    fn login_delay() {
        check(Step::LogIn, "[LOGIN-DELAY] minimum time between mail checks violation", Temporary);
    }
    #[test]
    fn system_temporary() {
        check(Step::LogIn, "[SYS/TEMP] Temporary system problem. Try again later", Temporary);
    }
    #[test]
    fn system_temporary_in_words() {
        check(Step::LogIn, "Temporary authentication failure", Temporary);
    }
    #[test]
    fn system_permanent() {
        check(Step::LogIn, "[SYS/PERM] maildrop is corrupt", Refused);
    }
    #[test]
    fn pop_is_not_enabled() {
        check(Step::LogIn, "[SYS/PERM] Your account is not enabled for POP access.", Refused);
    }
    #[test]
    fn auth_beats_words() {
        check(Step::LogIn, "[AUTH] too many failures", Credentials);
    }
    #[test]
    fn wants_tls() {
        check(
            Step::LogIn,
            "[AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.",
            Misconfigured,
        );
    }
    #[test]
    fn greeting_is_busy() {
        check(Step::Greeting, "too many connections", Temporary);
    }
    #[test]
    fn greeting_without_a_reason() {
        check(Step::Greeting, "go away", Temporary);
    }
    #[test]
    fn greeting_permanent() {
        check(Step::Greeting, "[SYS/PERM] closed for good", Refused);
    }
    #[test]
    fn no_stls() {
        check(Step::Tls, "Unknown command.", Misconfigured);
    }
    #[test]
    fn no_such_message() {
        check(Step::Read, "no such message", Refused);
    }
    #[test]
    fn reading_fails_for_now() {
        check(Step::Read, "[SYS/TEMP] I/O error", Temporary);
    }
    #[test]
    fn read_only() {
        check(Step::Settle, "maildrop is read-only", Refused);
    }
}
