//! What a negative reply means for the next attempt. RFC 5321, section 4.2,
//! RFC 3463, RFC 4954, and what the large providers write.

use model::{Failure, FailureKind, Step};

use super::reply::Reply;

/// What the reply is an answer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Greeting,
    Hello,
    StartTls,
    Auth,
    MailFrom,
    RcptTo,
    Data,
    FinalDot,
    Other,
}

impl Command {
    pub fn step(self) -> Step {
        match self {
            Self::Greeting | Self::Hello => Step::Greeting,
            Self::StartTls => Step::Tls,
            Self::Auth => Step::LogIn,
            Self::MailFrom | Self::RcptTo | Self::Data | Self::FinalDot | Self::Other => Step::Send,
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Greeting => "the server's greeting",
            Self::Hello => "the answer to EHLO",
            Self::StartTls => "the answer to STARTTLS",
            Self::Auth => "the answer to AUTH",
            Self::MailFrom => "the answer to the sender's address",
            Self::RcptTo => "the answer to the recipient's address",
            Self::Data => "the answer to DATA",
            Self::FinalDot => "the answer to the message",
            Self::Other => "the answer",
        }
    }
}

/// Makes a failure of a reply that is not the one hoped for.
pub(crate) fn failure(command: Command, reply: &Reply) -> Failure {
    let (kind, hint) = judge(command, reply);
    let mut detail = format!("{} was \"{}\"", command.in_words(), reply.in_words());
    if let Some(hint) = hint {
        detail.push_str(": ");
        detail.push_str(hint);
    }
    let mut failure = Failure::new(kind, command.step(), detail);
    failure.code = Some(reply.code);
    failure.enhanced = reply.enhanced;
    failure
}

type Judgement = (FailureKind, Option<&'static str>);

fn judge(command: Command, reply: &Reply) -> Judgement {
    match (reply.code, command) {
        // Neither yes nor no: whatever was positive or intermediate was not asked for.
        (..400, _) => (FailureKind::Garbled, Some("the server answered out of turn")),
        (421, _) => (FailureKind::Temporary, Some("the server is closing the connection")),
        (_, Command::Auth) => judge_auth(reply),
        (454, Command::StartTls) => (FailureKind::Temporary, Some("the server cannot do TLS at the moment")),
        (500.., Command::StartTls) => {
            (FailureKind::Misconfigured, Some("the server does not do STARTTLS; try implicit TLS on port 465"))
        }
        (400..500, _) => (FailureKind::Temporary, temporary_hint(command, reply)),
        (_, Command::Greeting) => (FailureKind::Refused, Some("the server does not take connections from here")),
        (_, _) => judge_refusal(command, reply),
    }
}

fn judge_auth(reply: &Reply) -> Judgement {
    let text = reply.lowercase_text();
    let credentials = |hint| (FailureKind::Credentials, Some(hint));
    match (reply.code, reply.enhanced) {
        (432, _) | (_, Some((_, 7, 12))) => credentials("the server wants the password to be set anew first"),
        (400..500, _) => (FailureKind::Temporary, Some("the server could not check the log in at the moment")),
        (538, _) | (_, Some((_, 7, 10 | 11))) => {
            (FailureKind::Misconfigured, Some("the server wants TLS before the log in"))
        }
        (500 | 502 | 503 | 504, _) => {
            (FailureKind::Misconfigured, Some("the server does not offer this way to log in"))
        }
        (_, Some((5, 7, 139))) if text.contains("smtpclientauthentication is disabled") => {
            credentials("SMTP AUTH is switched off for this mailbox or organization; an administrator has to allow it")
        }
        (534, _) if text.contains("application-specific") || text.contains("app password") => {
            credentials("the provider wants an app password instead of the account's password")
        }
        (534, _) => credentials("this way to log in is too weak for the server"),
        (530 | 535, _) | (_, Some((5, 7, _))) => credentials("the user name, password or token was not accepted"),
        _ => (FailureKind::Refused, None),
    }
}

fn temporary_hint(command: Command, reply: &Reply) -> Option<&'static str> {
    match (command, reply.code, reply.enhanced) {
        (Command::RcptTo, _, Some((4, 2, 2))) => Some("the recipient's mailbox is full"),
        (_, 452, _) | (_, _, Some((4, 3, 1))) => Some("the server has no room at the moment"),
        (Command::RcptTo, 450 | 451, _) => Some("the server wants it to be tried again later"),
        _ => None,
    }
}

fn judge_refusal(command: Command, reply: &Reply) -> Judgement {
    let text = reply.lowercase_text();
    let refused = |hint| (FailureKind::Refused, Some(hint));
    if (reply.code == 530 && text.contains("starttls")) || matches!(reply.enhanced, Some((5, 7, 10))) {
        return (FailureKind::Misconfigured, Some("the server wants TLS first; choose STARTTLS or TLS in the profile"));
    }
    if reply.code == 530 || text.contains("authentication required") || text.contains("client was not authenticated") {
        return (FailureKind::Credentials, Some("the server wants a log in before it takes mail"));
    }
    if command == Command::RcptTo && too_many_recipients(reply, &text) {
        return (FailureKind::Temporary, Some("too many recipients at once; the rest has to be sent later"));
    }
    if is_about_the_sender(command, reply, &text) {
        return refused(
            "the server does not let this account send as this address; check the mailbox's address \
                        and the user name, or have the right to send as it given",
        );
    }
    match (reply.code, reply.enhanced) {
        (_, Some((5, 2, 2))) => refused("the recipient's mailbox is full"),
        (_, Some((5, 2, 3) | (5, 3, 4))) => refused("the message is too large for the server"),
        (552, _) if command != Command::RcptTo => {
            refused("the message is too large, or the server's room for it is used up")
        }
        (_, Some((5, 1, 1..=3))) if command == Command::RcptTo => refused("there is no such recipient"),
        (_, Some((5, 6, 7))) => refused("the server cannot pass an address in UTF-8 on to this recipient"),
        _ if command == Command::RcptTo && text.contains("relay") => {
            refused("the server takes no mail for this recipient from us; is the log in for outgoing mail set?")
        }
        _ => (FailureKind::Refused, None),
    }
}

/// RFC 5321, section 4.5.3.1.10: 552 for too many recipients is to be treated as 452.
fn too_many_recipients(reply: &Reply, text: &str) -> bool {
    matches!(reply.enhanced, Some((5, 5, 3))) || (reply.code == 552 && text.contains("too many recipients"))
}

/// Servers check the sender at MAIL, but also only at RCPT (Postfix) or after the message (Exchange).
fn is_about_the_sender(command: Command, reply: &Reply, text: &str) -> bool {
    let says_so = ["sender address rejected", "not owned by", "sendasdenied", "send as this sender", "sender denied"];
    says_so.iter().any(|words| text.contains(words))
        || matches!(reply.enhanced, Some((5, 7, 60)))
        || (command == Command::MailFrom
            && matches!(reply.code, 550 | 553)
            && matches!(reply.enhanced, Some((5, 7, 1) | (5, 1, 7 | 8))))
}

#[cfg(test)]
mod tests;
