//! What single replies mean.

use Command::{Auth, Data, FinalDot, Greeting, Hello, MailFrom, RcptTo, StartTls};
use FailureKind::{Credentials, Garbled, Misconfigured, Refused, Temporary};

use super::*;
use crate::smtp::reply::ReplyParser;

#[track_caller]
fn check(command: Command, line: &str, kind: FailureKind) -> Failure {
    let reply = ReplyParser::default().push(line.as_bytes()).unwrap().unwrap();
    let failure = failure(command, &reply);
    assert_eq!(failure.kind, kind, "{}", failure.detail);
    assert_eq!(failure.during, command.step());
    assert_eq!(failure.code, Some(reply.code));
    failure
}

#[test]
fn codes_are_kept() {
    let failure = check(RcptTo, "550 5.1.1 <x@y>: Recipient address rejected: User unknown", Refused);
    assert_eq!(failure.enhanced, Some((5, 1, 1)));
    let expected = "the answer to the recipient's address was \"550 5.1.1 <x@y>: Recipient address rejected: User \
                    unknown\": there is no such recipient";
    assert_eq!(failure.detail, expected);
}
#[test]
fn greeting_refuses() {
    check(Greeting, "554 5.7.1 blocked", Refused);
}
#[test]
fn greeting_is_busy() {
    check(Greeting, "421 4.3.2 too busy", Temporary);
}
#[test]
fn greeting_is_a_fault_of_the_server() {
    assert!(check(Greeting, "451 later", Temporary).is_server_wide());
}
#[test]
fn greeting_asks() {
    check(Greeting, "334 ?", Garbled);
}
#[test]
fn hello_refused() {
    check(Hello, "550 5.7.1 bad name", Refused);
}
#[test]
fn start_tls_later() {
    check(StartTls, "454 4.7.0 TLS not available due to local problem", Temporary);
}
#[test]
fn start_tls_unknown() {
    check(StartTls, "502 5.5.1 not implemented", Misconfigured);
}
#[test]
fn auth_wrong_password() {
    check(Auth, "535 5.7.8 Error: authentication failed", Credentials);
}
#[test]
fn auth_wrong_password_without_status() {
    check(Auth, "535 Incorrect authentication data", Credentials);
}
#[test]
fn auth_temporary() {
    check(Auth, "454 4.7.0 Temporary authentication failure", Temporary);
}
#[test]
fn auth_temporary_451() {
    check(Auth, "451 4.3.0 backend down", Temporary);
}
#[test]
fn auth_closing() {
    check(Auth, "421 4.7.0 too many errors", Temporary);
}
#[test]
fn auth_needs_a_new_password() {
    check(Auth, "432 4.7.12 A password transition is needed", Credentials);
}
#[test]
fn auth_too_weak() {
    check(Auth, "534 5.7.9 Authentication mechanism is too weak", Credentials);
}
#[test]
fn auth_needs_an_app_password() {
    let failure = check(Auth, "534 5.7.9 Application-specific password required", Credentials);
    assert!(failure.detail.ends_with("the provider wants an app password instead of the account's password"));
}
#[test]
fn auth_needs_tls() {
    check(Auth, "538 5.7.11 Encryption required for requested authentication mechanism", Misconfigured);
}
#[test]
fn auth_mechanism_unknown() {
    check(Auth, "504 5.5.4 Unrecognized authentication type", Misconfigured);
}
#[test]
fn auth_not_enabled() {
    check(Auth, "503 5.5.1 Error: authentication not enabled", Misconfigured);
}
#[test]
fn auth_disabled_for_the_tenant() {
    let failure = check(
        Auth,
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
        Credentials,
    );
    assert!(failure.detail.contains("an administrator has to allow it"));
}
#[test]
fn auth_required_says_530() {
    check(Auth, "530 5.7.0 Authentication required", Credentials);
}
#[test]
fn auth_account_locked() {
    check(Auth, "550 5.7.1 account locked", Credentials);
}
#[test]
fn auth_syntax() {
    check(Auth, "501 5.5.2 cannot decode", Refused);
}
#[test]
fn mail_needs_auth() {
    check(MailFrom, "530 5.7.0 Authentication required", Credentials);
}
#[test]
fn mail_needs_auth_exchange() {
    check(MailFrom, "550 5.7.57 Client was not authenticated to send mail.", Credentials);
}
#[test]
fn mail_needs_tls() {
    check(MailFrom, "530 5.7.0 Must issue a STARTTLS command first", Misconfigured);
}
#[test]
fn mail_needs_encryption() {
    check(MailFrom, "523 5.7.10 Encryption Needed", Misconfigured);
}
#[test]
fn mail_sender_is_not_ours() {
    let failure = check(MailFrom, "550 5.7.1 not allowed", Refused);
    assert!(failure.detail.contains("send as this address"));
}
#[test]
fn mail_sender_is_not_owned_at_rcpt() {
    let failure = check(RcptTo, "553 5.7.1 <a@b>: Sender address rejected: not owned by user c", Refused);
    assert!(failure.detail.contains("send as this address"));
}
#[test]
fn mail_send_as_denied_after_the_message() {
    let failure = check(FinalDot, "554 5.2.252 SendAsDenied; a@b not allowed to send as c@d", Refused);
    assert!(failure.detail.contains("send as this address"));
}
#[test]
fn mail_too_large() {
    let failure = check(MailFrom, "552 5.3.4 Message size exceeds fixed limit", Refused);
    assert!(failure.detail.contains("too large"));
}
#[test]
fn mail_too_large_without_status() {
    assert!(check(MailFrom, "552 size", Refused).detail.contains("too large"));
}
#[test]
fn mail_no_room() {
    check(MailFrom, "452 4.3.1 Insufficient system storage", Temporary);
}
#[test]
fn mail_rate() {
    check(MailFrom, "450 4.7.1 Error: too much mail", Temporary);
}
#[test]
fn mail_closing() {
    check(MailFrom, "421 4.4.2 timeout", Temporary);
}
#[test]
fn rcpt_greylisted() {
    let failure = check(RcptTo, "450 4.7.1 Greylisted, see http://example.org", Temporary);
    assert!(failure.detail.contains("tried again later"));
}
#[test]
fn rcpt_full() {
    check(RcptTo, "552 5.2.2 Mailbox full", Refused);
}
#[test]
fn rcpt_full_for_now() {
    check(RcptTo, "452 4.2.2 Mailbox full", Temporary);
}
#[test]
fn rcpt_too_many_552() {
    check(RcptTo, "552 Too many recipients", Temporary);
}
#[test]
fn rcpt_too_many_status() {
    check(RcptTo, "550 5.5.3 Too many recipients", Temporary);
}
#[test]
fn rcpt_too_many_452() {
    check(RcptTo, "452 4.5.3 Too many recipients", Temporary);
}
#[test]
fn rcpt_relay() {
    let failure = check(RcptTo, "554 5.7.1 <x@y>: Relay access denied", Refused);
    assert!(failure.detail.contains("log in for outgoing mail"));
}
#[test]
fn rcpt_unknown_without_status() {
    check(RcptTo, "550 no such user", Refused);
}
#[test]
fn rcpt_policy() {
    check(RcptTo, "550 5.7.1 spam", Refused);
}
#[test]
fn rcpt_bad_domain() {
    check(RcptTo, "550 5.1.2 bad domain", Refused);
}
#[test]
fn rcpt_syntax() {
    check(RcptTo, "501 5.1.3 Bad recipient address syntax", Refused);
}
#[test]
fn rcpt_utf8() {
    assert!(check(RcptTo, "553 5.6.7 non-ASCII", Refused).detail.contains("UTF-8"));
}
#[test]
fn rcpt_wants_data() {
    check(RcptTo, "354 go on", Garbled);
}
#[test]
fn data_no_valid_recipients() {
    check(Data, "554 5.5.1 Error: no valid recipients", Refused);
}
#[test]
fn data_later() {
    check(Data, "451 4.3.0 later", Temporary);
}
#[test]
fn data_says_250() {
    check(Data, "250 OK", Garbled);
}
#[test]
fn dot_spam() {
    check(FinalDot, "554 5.7.1 Spam message rejected", Refused);
}
#[test]
fn dot_queue() {
    check(FinalDot, "451 4.3.0 Error: queue file write error", Temporary);
}
#[test]
fn dot_too_large() {
    check(FinalDot, "552 5.3.4 Error: message file too big", Refused);
}
#[test]
fn dot_intermediate() {
    check(FinalDot, "354 more", Garbled);
}
