//! What a test may do to a Dovecot's mailboxes, and what clients see of it.

use std::time::Duration;

use crate::talk::Talk;
use testkit::MailWorld;

const ORIGINAL: &[u8] = b"From: Kim <kim@customer.test>\r\nTo: ben@sales.test\r\nSubject: Question\r\n\
    Message-ID: <q@customer.test>\r\nDate: Mon, 2 Nov 2026 09:00:00 +0000\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n.leading dot\r\nGr\xc3\xbc\xc3\x9fe\r\n";

fn open(mail: &MailWorld, address: &str) -> Talk {
    let user = mail.user(address).unwrap();
    let mut imap = Talk::tls(mail.dovecot.imaps_port(), mail.ca_pem());
    imap.until("* OK");
    imap.ask(&format!("l LOGIN {} \"{}\"", user.address, user.password), "l OK");
    imap
}

fn uidvalidity(selected: &str) -> u32 {
    let (_, rest) = selected.split_once("[UIDVALIDITY ").unwrap();
    rest.split_once(']').unwrap().0.parse().unwrap()
}

#[tokio::test]
async fn sieve_forwards_a_message_unchanged_as_an_attachment() {
    let mail = MailWorld::start().await.unwrap();
    mail.user("ben@sales.test").unwrap();
    mail.user("crm@forward.test").unwrap();
    let script = r#"require ["vnd.dovecot.pipe", "copy"]; pipe :copy "forward-as-attachment" ["crm@forward.test"];"#;
    mail.dovecot.set_sieve("ben@sales.test", script).unwrap();
    mail.send("kim@customer.test", &["ben@sales.test"], ORIGINAL).await.unwrap();
    mail.wait_for_text("ben@sales.test", "Subject: Question").await.unwrap();
    let forwarded = mail.wait_for_text("crm@forward.test", "message/rfc822").await.unwrap();
    let text = forwarded.text().replace("\r\n", "\n");
    assert!(text.contains("From: <ben@sales.test>\nTo: <crm@forward.test>\nSubject: FW: Question\n"), "{text}");
    let original = String::from_utf8_lossy(ORIGINAL).replace("\r\n", "\n");
    assert!(text.contains(&original), "{text}");
}

#[tokio::test]
async fn sieve_redirects_a_message_unwrapped() {
    let mail = MailWorld::start().await.unwrap();
    mail.user("ben@sales.test").unwrap();
    mail.user("crm@forward.test").unwrap();
    mail.dovecot.set_sieve("ben@sales.test", r#"redirect "crm@forward.test";"#).unwrap();
    mail.send("kim@customer.test", &["ben@sales.test"], ORIGINAL).await.unwrap();
    let redirected = mail.wait_for_text("crm@forward.test", "Subject: Question").await.unwrap();
    assert!(!redirected.text().contains("message/rfc822"));
    assert!(mail.dovecot.list("ben@sales.test").unwrap().is_empty());
}

#[tokio::test]
async fn a_wrong_sieve_script_is_refused() {
    let mail = MailWorld::start().await.unwrap();
    mail.user("ben@sales.test").unwrap();
    assert!(mail.dovecot.set_sieve("ben@sales.test", "redirekt;").is_err());
}

#[tokio::test]
async fn a_filled_mailbox_shows_its_messages_in_order() {
    let mail = MailWorld::start().await.unwrap();
    mail.user("anna@sales.test").unwrap();
    let message = |number: u64| format!("Subject: number {number}\n\nbody\n").into_bytes();
    mail.dovecot.fill("anna@sales.test", 1000, message).unwrap();
    mail.dovecot.deliver_to("anna@sales.test", "Sent", b"Subject: sent\n\n\n").unwrap();
    let mut imap = open(&mail, "anna@sales.test");
    assert!(imap.ask("a SELECT INBOX", "a ").contains("* 1000 EXISTS"));
    let answer = imap.ask("b FETCH 1,1000 (UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])", "b ");
    assert!(answer.contains("number 0\r") && answer.contains("number 999\r"), "{answer}");
    assert!(imap.ask("c EXAMINE Sent", "c ").contains("* 1 EXISTS"));
}

#[tokio::test]
async fn a_delivery_may_have_any_date() {
    let mail = MailWorld::start().await.unwrap();
    mail.user("anna@sales.test").unwrap();
    let received = "2020-02-29T12:00:00Z".parse().unwrap();
    mail.dovecot.deliver_dated("anna@sales.test", b"Subject: old\n\n", received).unwrap();
    let mut imap = open(&mail, "anna@sales.test");
    imap.ask("a SELECT INBOX", "a OK");
    assert!(imap.ask("b FETCH 1 INTERNALDATE", "b ").contains("29-Feb-2020"));
}

#[tokio::test]
async fn uidvalidity_can_be_reset() {
    let mail = MailWorld::start().await.unwrap();
    mail.user("anna@sales.test").unwrap();
    for number in 0..3 {
        mail.dovecot.deliver("anna@sales.test", format!("Subject: {number}\n\n").as_bytes()).unwrap();
    }
    let mut imap = open(&mail, "anna@sales.test");
    let before = imap.ask("a SELECT INBOX", "a OK");
    imap.ask("b UID STORE 1 +FLAGS (\\Deleted)", "b OK");
    imap.ask("c EXPUNGE", "c OK");
    imap.ask("d LOGOUT", "d OK");
    mail.dovecot.reset_uidvalidity("anna@sales.test").unwrap();
    let mut imap = open(&mail, "anna@sales.test");
    let after = imap.ask("a SELECT INBOX", "a OK");
    assert_ne!(uidvalidity(&before), uidvalidity(&after));
    assert!(after.contains("* 2 EXISTS") && after.contains("[UIDNEXT 3]"), "{after}");
    assert_eq!(mail.dovecot.list("anna@sales.test").unwrap().len(), 2);
}

#[tokio::test]
async fn a_server_that_was_stopped_or_killed_comes_back_with_its_mail() {
    let mail = MailWorld::start().await.unwrap();
    mail.user("anna@sales.test").unwrap();
    mail.dovecot.deliver("anna@sales.test", b"Subject: kept\n\n").unwrap();
    for round in 0..2 {
        if round == 0 {
            mail.dovecot.stop().await;
        } else {
            mail.dovecot.kill().await;
        }
        assert!(std::net::TcpStream::connect(("127.0.0.1", mail.dovecot.imaps_port())).is_err());
        mail.dovecot.restart().await.unwrap();
        assert!(open(&mail, "anna@sales.test").ask("a SELECT INBOX", "a ").contains("* 1 EXISTS"));
    }
}

#[tokio::test]
async fn mail_waits_in_the_queue_while_dovecot_is_down() {
    let mail = MailWorld::start().await.unwrap();
    mail.user("anna@sales.test").unwrap();
    mail.dovecot.stop().await;
    mail.send("kim@customer.test", &["anna@sales.test"], ORIGINAL).await.unwrap();
    assert!(mail.postfix.wait_delivered(Duration::from_millis(500)).await.is_err());
    mail.postfix.restart().await.unwrap();
    mail.dovecot.restart().await.unwrap();
    mail.postfix.flush().unwrap();
    mail.wait_for_text("anna@sales.test", "Subject: Question").await.unwrap();
}

#[tokio::test]
async fn three_hundred_clients_are_served_at_once() {
    let mail = MailWorld::start().await.unwrap();
    mail.user("anna@sales.test").unwrap();
    let clients: Vec<_> = (0..300).map(|_| open(&mail, "anna@sales.test")).collect();
    for mut client in clients {
        client.ask("n NOOP", "n OK");
    }
}

#[tokio::test]
async fn passwords_can_change_and_accounts_can_go() {
    let mail = MailWorld::start().await.unwrap();
    let anna = mail.user("anna@sales.test").unwrap();
    let try_login = |password: &str| {
        let mut imap = Talk::tls(mail.dovecot.imaps_port(), mail.ca_pem());
        imap.until("* OK");
        imap.ask(&format!("a LOGIN {} \"{password}\"", anna.address), "a ").contains("a OK")
    };
    assert!(try_login(&anna.password));
    mail.dovecot.add_user(&anna.address, "changed").unwrap();
    assert!(!try_login(&anna.password) && try_login("changed"));
    mail.dovecot.remove_user(&anna.address).unwrap();
    assert!(!try_login("changed"));
}

#[tokio::test]
async fn compression_can_be_switched_on() {
    let mail = MailWorld::start().await.unwrap();
    assert!(open(&mail, "anna@sales.test").ask("a COMPRESS DEFLATE", "a ").contains("a OK"));
}

#[tokio::test]
async fn options_reach_the_servers() {
    let options = testkit::world::Options {
        dovecot: testkit::dovecot::Options {
            tls_required: true,
            mechanisms: "plain".into(),
            ..testkit::dovecot::Options::default()
        },
        message_size_limit: Some(20_000),
        hidden_extensions: vec!["pipelining".into(), "8bitmime".into()],
        ..testkit::world::Options::default()
    };
    let mail = MailWorld::start_with(options).await.unwrap();
    let anna = mail.user("anna@sales.test").unwrap();
    let mut imap = Talk::plain(mail.dovecot.imap_port());
    let greeting = imap.until("* OK");
    assert!(greeting.contains("LOGINDISABLED") && !greeting.contains("SCRAM"), "{greeting}");
    let login = format!("a LOGIN {} \"{}\"", anna.address, anna.password);
    assert!(imap.ask(&login, "a ").contains("PRIVACYREQUIRED"));
    assert!(open(&mail, "anna@sales.test").ask("a NOOP", "a ").contains("a OK"));
    let mut smtp = Talk::plain(mail.postfix.customer_port());
    smtp.until("220 ");
    let offered = smtp.ask("EHLO me", "250 ");
    assert!(offered.contains("SIZE 20000") && !offered.contains("PIPELINING") && !offered.contains("8BITMIME"));
}

#[tokio::test]
async fn strangers_may_not_log_in_without_tls() {
    let mail = MailWorld::start().await.unwrap();
    let anna = mail.user("anna@sales.test").unwrap();
    let mut imap = Talk::plain_at(testkit::dovecot::FOR_STRANGERS, mail.dovecot.imap_port());
    assert!(imap.until("* OK").contains("LOGINDISABLED"));
    let login = format!("a LOGIN {} \"{}\"", anna.address, anna.password);
    assert!(imap.ask(&login, "a ").contains("PRIVACYREQUIRED"));
}
