//! Dovecot and Postfix together: mail goes in at one end and is read at the other.

use std::io::BufRead;
use std::time::Duration;

use crate::talk::Talk;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use testkit::MailWorld;

const MESSAGE: &[u8] =
    b"From: Kim <kim@customer.test>\nTo: anna@sales.test\nSubject: Offer\nMessage-ID: <1@customer.test>\n\nHello\n.dot\n";

fn plain(user: &testkit::User) -> String {
    STANDARD.encode(format!("\0{}\0{}", user.address, user.password))
}

#[tokio::test]
async fn mail_from_a_customer_arrives_and_can_be_read_by_imap() {
    let mail = MailWorld::start().await.unwrap();
    let anna = mail.user("anna@sales.test").unwrap();
    mail.send("kim@customer.test", &["anna@sales.test"], MESSAGE).await.unwrap();
    let stored = mail.wait_for_text("anna@sales.test", "Subject: Offer").await.unwrap();
    assert!(stored.text().contains("\n.dot"));
    mail.postfix.wait_delivered(Duration::from_secs(5)).await.unwrap();

    let mut imap = Talk::tls(mail.dovecot.imaps_port(), mail.ca_pem());
    let greeting = imap.line();
    assert!(greeting.contains("SASL-IR") && greeting.contains("AUTH=SCRAM-SHA-256"), "{greeting}");
    let answer = imap.ask(&format!("a AUTHENTICATE PLAIN {}", plain(&anna)), "a ");
    assert!(answer.contains("a OK") && answer.contains("COMPRESS=DEFLATE"), "{answer}");
    assert!(imap.ask("b SELECT INBOX", "b ").contains("* 1 EXISTS"));
    assert!(imap.ask("c UID FETCH 1 BODY.PEEK[]", "c ").contains("Subject: Offer"));
}

#[tokio::test]
async fn every_door_opens() {
    let mail = MailWorld::start().await.unwrap();
    let anna = mail.user("anna@sales.test").unwrap();
    let ca = mail.ca_pem();
    let login = format!("a LOGIN {} \"{}\"", anna.address, anna.password);

    let mut imap = Talk::starttls(mail.dovecot.imap_port(), ca, &[("", "* OK"), ("s STARTTLS", "s OK")]);
    assert!(imap.ask(&login, "a ").contains("a OK"));

    let mut pop3 = Talk::starttls(mail.dovecot.pop3_port(), ca, &[("", "+OK"), ("STLS", "+OK")]);
    pop3.ask(&format!("USER {}", anna.address), "+OK");
    pop3.ask(&format!("PASS {}", anna.password), "+OK");
    let mut pop3s = Talk::tls(mail.dovecot.pop3s_port(), ca);
    pop3s.until("+OK");
    pop3s.ask(&format!("AUTH PLAIN {}", plain(&anna)), "+OK");

    let mut sieve = Talk::plain(mail.dovecot.managesieve_port());
    assert!(sieve.until("OK").contains("STARTTLS"));
    let mut lmtp = Talk::plain(mail.dovecot.lmtp_port());
    lmtp.until("220");

    let ehlo = [("", "220 "), ("EHLO me", "250 "), ("STARTTLS", "220 ")];
    let mut submission = Talk::starttls(mail.postfix.submission_port(), ca, &ehlo);
    assert!(submission.ask("EHLO me", "250 ").contains("SCRAM-SHA-256"));
    submission.ask(&format!("AUTH PLAIN {}", plain(&anna)), "235 ");
    let mut submissions = Talk::tls(mail.postfix.submissions_port(), ca);
    submissions.until("220 ");
    submissions.ask("EHLO me", "250 ");
    submissions.ask(&format!("AUTH PLAIN {}", plain(&anna)), "235 ");
    submissions.ask("MAIL FROM:<anna@sales.test>", "250 2.1.0");
    submissions.ask("RCPT TO:<anna@sales.test>", "250 2.1.5");
    submissions.ask("DATA", "354 ");
    submissions.ask("Subject: to myself\r\n\r\nhello\r\n.", "250 2.0.0");
    mail.wait_for_text("anna@sales.test", "Subject: to myself").await.unwrap();
    let mut open = Talk::plain(mail.postfix.plain_submission_port());
    open.until("220 ");
    let offered = open.ask("EHLO me", "250 ");
    assert!(offered.contains("AUTH") && !offered.contains("STARTTLS"), "{offered}");
}

#[tokio::test]
async fn wrong_passwords_and_strangers_are_refused() {
    let mail = MailWorld::start().await.unwrap();
    mail.user("anna@sales.test").unwrap();
    let mut imap = Talk::tls(mail.dovecot.imaps_port(), mail.ca_pem());
    imap.until("* OK");
    assert!(imap.ask("a LOGIN anna@sales.test wrong", "a ").contains("AUTHENTICATIONFAILED"));
    assert!(imap.ask("b LOGIN nobody@sales.test wrong", "b ").contains("AUTHENTICATIONFAILED"));

    let refused = mail.send("kim@customer.test", &["nobody@sales.test"], MESSAGE).await.unwrap_err();
    assert!(format!("{refused:#}").contains("550 5.1.1"), "{refused:#}");
    let relay = mail.send("kim@customer.test", &["someone@example.com"], MESSAGE).await.unwrap_err();
    assert!(format!("{relay:#}").contains("554 5.7.1"), "{relay:#}");
}

#[tokio::test]
async fn rejections_come_and_go_while_it_runs() {
    let mail = MailWorld::start().await.unwrap();
    mail.user("anna@sales.test").unwrap();
    let attempt = || mail.send("kim@customer.test", &["anna@sales.test"], MESSAGE);
    attempt().await.unwrap();
    for (place, reply) in [(0, "450 4.2.1 later"), (1, "550 5.7.1 not you"), (2, "451 4.3.0 no room")] {
        match place {
            0 => mail.postfix.reject_recipient("anna@sales.test", reply).unwrap(),
            1 => mail.postfix.reject_sender("kim@customer.test", reply).unwrap(),
            _ => mail.postfix.reject_after_data("kim@customer.test", reply).unwrap(),
        }
        let refused = format!("{:#}", attempt().await.unwrap_err());
        assert!(refused.contains(reply.get(..9).unwrap()), "{refused}");
        mail.postfix.accept("anna@sales.test").unwrap();
        mail.postfix.accept("kim@customer.test").unwrap();
        attempt().await.unwrap();
    }
}

#[tokio::test]
async fn oauth_tokens_open_imap_and_submission() {
    let mail = MailWorld::start().await.unwrap();
    mail.user("anna@sales.test").unwrap();
    let response = |seconds: i64| {
        let expires = jiff::Timestamp::from_second(seconds).unwrap();
        let token = mail.dovecot.oauth_token("anna@sales.test", expires);
        STANDARD.encode(format!("user=anna@sales.test\x01auth=Bearer {token}\x01\x01"))
    };
    let mut imap = Talk::tls(mail.dovecot.imaps_port(), mail.ca_pem());
    imap.until("* OK");
    assert!(imap.ask(&format!("a AUTHENTICATE XOAUTH2 {}", response(1)), "+ ").len() > 4);
    assert!(imap.ask("", "a ").contains("a NO"));
    let mut imap = Talk::tls(mail.dovecot.imaps_port(), mail.ca_pem());
    imap.until("* OK");
    let good = imap.ask(&format!("b AUTHENTICATE XOAUTH2 {}", response(4_000_000_000)), "b ");
    assert!(good.contains("b OK"), "{good} {}", mail.dovecot.log());

    let mut smtp = Talk::tls(mail.postfix.submissions_port(), mail.ca_pem());
    smtp.until("220 ");
    smtp.ask("EHLO me", "250 ");
    let answer = smtp.ask(&format!("AUTH XOAUTH2 {}", response(4_000_000_000)), "");
    assert!(answer.starts_with("235 "), "{answer} {}", mail.dovecot.log());
}

/// The servers' supervisors see their standard input end when the process dies.
#[test]
fn nothing_outlives_a_process_that_was_killed() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_mail-world"))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut value = |name: &str| lines.by_ref().find_map(|line| line.strip_prefix(name).map(str::to_owned)).unwrap();
    let imap: u16 = value("imap=").parse().unwrap();
    let customers: u16 = value("customers=").parse().unwrap();
    let ca = value("ca=");
    std::net::TcpStream::connect(("127.0.0.1", imap)).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    let answers = |port: u16| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    while answers(imap) || answers(customers) || std::path::Path::new(&ca).exists() {
        assert!(std::time::Instant::now() < deadline, "servers or files are left behind");
        std::thread::sleep(Duration::from_millis(50));
    }
}
