//! Starts a mail system and keeps it until its standard input ends.
//!
//! `cargo run -p testkit --bin mail-world anna@sales.test support@desk.test`
//! prints one line `name=value` for every port and password.
#![expect(clippy::print_stdout, reason = "what the servers are is this program's answer")]

use std::io::Read;

use anyhow::Result;
use testkit::MailWorld;

#[tokio::main]
async fn main() -> Result<()> {
    let mail = MailWorld::start().await?;
    let ports = [
        ("imap", mail.dovecot.imap_port()),
        ("imaps", mail.dovecot.imaps_port()),
        ("pop3", mail.dovecot.pop3_port()),
        ("pop3s", mail.dovecot.pop3s_port()),
        ("lmtp", mail.dovecot.lmtp_port()),
        ("managesieve", mail.dovecot.managesieve_port()),
        ("submission", mail.postfix.submission_port()),
        ("submissions", mail.postfix.submissions_port()),
        ("plain_submission", mail.postfix.plain_submission_port()),
        ("customers", mail.postfix.customer_port()),
    ];
    for (name, port) in ports {
        println!("{name}={port}");
    }
    println!("ca={}", mail.ca_pem_path().display());
    for address in std::env::args().skip(1) {
        println!("{address}={}", mail.user(&address)?.password);
    }
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
