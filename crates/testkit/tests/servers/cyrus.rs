//! Cyrus IMAP as a second server.

use crate::talk::Talk;
use testkit::Cyrus;

#[tokio::test]
async fn an_appended_message_can_be_read_over_tls() {
    let cyrus = Cyrus::start().await.unwrap();
    cyrus.add_user("anna@sales.test", "secret").unwrap();
    cyrus.append("anna@sales.test", "secret", b"From: a@b.test\r\nSubject: hello\r\n\r\nbody\r\n").unwrap();
    let mut imap = Talk::tls(cyrus.imaps_port(), cyrus.ca_pem());
    assert!(imap.until("* OK").contains("AUTH=SCRAM-SHA-256"));
    imap.ask("a LOGIN anna@sales.test secret", "a OK");
    assert!(imap.ask("b SELECT INBOX", "b ").contains("* 1 EXISTS"));
    assert!(imap.ask("c UID FETCH 1 BODY.PEEK[]", "c ").contains("Subject: hello"));
    assert!(imap.ask("d LIST (SPECIAL-USE) \"\" *", "d ").contains("Sent"));

    let mut imap = Talk::starttls(cyrus.imap_port(), cyrus.ca_pem(), &[("", "* OK"), ("s STARTTLS", "s OK")]);
    assert!(imap.ask("a LOGIN anna@sales.test wrong", "a ").contains("a NO"));

    cyrus.restart().await.unwrap();
    let mut imap = Talk::tls(cyrus.imaps_port(), cyrus.ca_pem());
    imap.until("* OK");
    imap.ask("a LOGIN anna@sales.test secret", "a OK");
    assert!(imap.ask("b SELECT INBOX", "b ").contains("* 1 EXISTS"));
}
