//! Files as providers write them, and as nobody should.

use proptest::prelude::*;

use super::*;

const WHOLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="example.com">
    <domain>example.com</domain>
    <displayName>Example &amp; Sons</displayName>
    <displayShortName>Example</displayShortName>
    <incomingServer type="imap">
      <hostname>IMAP.%EMAILDOMAIN%</hostname><port>993</port><socketType>SSL</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </incomingServer>
    <incomingServer type="pop3">
      <hostname>pop.example.com</hostname><port>110</port><socketType>STARTTLS</socketType>
      <username>%EMAILLOCALPART%</username>
    </incomingServer>
    <incomingServer type="exchange">
      <hostname>outlook.example.com</hostname><port>443</port>
    </incomingServer>
    <outgoingServer type="smtp">
      <hostname>smtp.example.com</hostname><port>25</port><socketType>plain</socketType>
      <authentication>OAuth2</authentication>
      <username>%EMAILADDRESS%</username>
    </outgoingServer>
    <documentation url="https://example.com/help"><descr lang="en">Help</descr></documentation>
  </emailProvider>
</clientConfig>"#;

#[track_caller]
fn check(text: &str, servers: &[&str], flaws: &[&str]) {
    let (published, found) = read(text.as_bytes(), "ann@example.com");
    let told: Vec<String> = published
        .servers
        .iter()
        .map(|s| {
            let protection = s.protection.map_or("plain", Protection::as_str);
            let oauth = if s.only_oauth { " OAuth" } else { "" };
            format!("{} {}:{} {protection} {}{oauth}", s.protocol.as_str(), s.host, s.port, s.user)
        })
        .collect();
    assert_eq!(told, servers);
    assert_eq!(found.len(), flaws.len(), "{found:?}");
    for (found, expected) in found.iter().zip(flaws) {
        assert!(found.contains(expected), "{found:?}");
    }
}

#[test]
fn a_whole_file() {
    check(
        WHOLE,
        &[
            "IMAP imap.example.com:993 TLS ann@example.com",
            "POP3 pop.example.com:110 STARTTLS ann",
            "SMTP smtp.example.com:25 plain ann@example.com OAuth",
        ],
        &["type 'exchange'"],
    );
    assert_eq!(read(WHOLE.as_bytes(), "ann@example.com").0.provider, "Example & Sons");
}

#[test]
fn what_is_no_such_file() {
    check("", &[], &["no mail settings file"]);
    check("<html><body>Not found</body></html>", &[], &["no mail settings file"]);
    check("not found", &[], &["no mail settings file"]);
}

#[test]
fn a_broken_file_gives_what_came_before() {
    let half = WHOLE.split("<incomingServer type=\"pop3\">").next().unwrap().to_owned() + "<a></b>";
    check(&half, &["IMAP imap.example.com:993 TLS ann@example.com"], &["not well-formed"]);
}

#[test]
fn a_server_needs_host_and_port() {
    let of = |inside: &str| {
        format!(
            "<clientConfig><emailProvider><incomingServer type='imap'>{inside}</incomingServer></emailProvider></clientConfig>"
        )
    };
    check(&of(""), &[], &["without a host"]);
    check(&of("<hostname>a b</hostname><port>1</port>"), &[], &["without a host"]);
    check(&of("<hostname>a</hostname><port>0</port>"), &[], &["without a host"]);
    check(&of("<hostname>a</hostname><port>99999</port>"), &[], &["without a host"]);
    check(&of("<hostname>a</hostname><port>1</port>"), &["IMAP a:1 plain "], &[]);
}

#[test]
fn depth_and_number_have_ends() {
    check(&"<a>".repeat(100), &[], &["nested too deeply", "no mail settings file"]);
    let server = "<incomingServer type='imap'><hostname>a</hostname><port>1</port></incomingServer>";
    let many = format!("<clientConfig><emailProvider>{}</emailProvider></clientConfig>", server.repeat(100));
    assert_eq!(read(many.as_bytes(), "a@b.c").0.servers.len(), MOST);
}

proptest! {
    #[test]
    fn nothing_makes_it_fail(bytes in proptest::collection::vec(any::<u8>(), 0..400), cut in 0..WHOLE.len()) {
        read(&bytes, "ann@example.com");
        let mut text = WHOLE.as_bytes()[..cut].to_vec();
        text.extend(bytes);
        read(&text, "ann");
    }
}
