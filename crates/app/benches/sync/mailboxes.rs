//! The mailboxes on the server, and an installation that knows them.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;
use testkit::{Postgres, dovecot, postroom, world};

use super::Plan;

/// One Dovecot, filled; installations are made from it round by round.
pub struct World {
    pub binary: PathBuf,
    pub mail: testkit::MailWorld,
    pub users: Vec<testkit::User>,
    pub messages: usize,
    /// Octets of all messages of all mailboxes.
    pub octets: u64,
    pub postgres: bool,
}

impl World {
    pub async fn prepare(binary: &Path, plan: &Plan, mailboxes: usize, messages: usize) -> Result<Self> {
        let options = world::Options { dovecot: dovecot::Options::default(), ..world::Options::default() };
        let mail = testkit::MailWorld::start_with(options).await?;
        let mut users = Vec::new();
        let mut octets = 0_u64;
        for n in 0..mailboxes {
            let user = mail.user(&format!("user{n}@bench.test"))?;
            mail.dovecot.fill(&user.address, messages as u64, |i| {
                let message = message(n as u64 * 1_000_000 + i, plan.octets, &user.address);
                octets += message.len() as u64;
                message
            })?;
            users.push(user);
        }
        Ok(Self { binary: binary.to_owned(), mail, users, messages, octets, postgres: plan.postgres })
    }

    pub fn total(&self) -> usize {
        self.users.len() * self.messages
    }

    /// An installation with every mailbox enabled and nothing read yet; its
    /// service is stopped.
    pub fn installation(&self) -> Result<postroom::Postroom> {
        // Nothing may be read before the clock runs.
        let idle = "[workers]\nincoming = 0\n";
        let mut options = postroom::Options {
            extra_ca: Some(self.mail.ca_pem_path()),
            config: idle.to_owned(),
            ..Default::default()
        };
        if self.postgres {
            options.database = Some(Postgres::shared()?.fresh_database()?);
        }
        let mut postroom = postroom::Postroom::start(&self.binary, options)?;
        let api = postroom.api();
        let profile = testkit::crm::profile(&api, &self.mail, testkit::crm::Protocol::Imap)?;
        api.update(&format!("emailserverprofiles({profile})"), &json!({ "maxconcurrentconnections": 20 }))?;
        for user in &self.users {
            enable(&api, profile, user)?;
        }
        postroom.stop()?;
        postroom.reconfigure(idle, "")?;
        Ok(postroom)
    }
}

fn enable(api: &testkit::Api, profile: uuid::Uuid, user: &testkit::User) -> Result<()> {
    let id = api.create("systemusers", &json!({ "lastname": user.address, "internalemailaddress": user.address }))?;
    api.update(&format!("usersettingscollection({id})"), &json!({ "incomingemailfilteringmethod": 0 }))?;
    let row = api.mailbox_of(id)?;
    let mailbox = row["mailboxid"].as_str().unwrap_or_default().to_owned();
    let path = format!("mailboxes({mailbox})");
    api.update(
        &path,
        &json!({
            "emailserverprofile@odata.bind": format!("/emailserverprofiles({profile})"),
            "allowemailconnectortousecredentials": true,
            "username": user.address, "password": user.password,
            "incomingemaildeliverymethod": 2, "outgoingemaildeliverymethod": 0,
            "emailrouteraccessapproval": 1,
        }),
    )?;
    api.test_and_enable(mailbox.parse()?)?;
    Ok(())
}

/// Text of an exact size, or of a realistic mix: most mail is small, some has
/// attachments.
fn message(seed: u64, octets: usize, to: &str) -> Vec<u8> {
    let size = if octets > 0 { octets } else { mixed(seed) };
    let head = format!(
        "From: Customer {n} <customer{n}@customers.test>\r\nTo: {to}\r\nSubject: Message number {seed}\r\n\
         Message-ID: <{seed}.bench@customers.test>\r\nDate: Mon, 23 Nov 2026 09:15:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n",
        n = seed % 97,
    );
    let mut raw = head.into_bytes();
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    while raw.len() + 80 < size {
        for _ in 0..12 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            raw.extend_from_slice(WORDS[(state % WORDS.len() as u64) as usize].as_bytes());
            raw.push(b' ');
        }
        raw.extend_from_slice(b"\r\n");
    }
    raw
}

const WORDS: &[&str] = &[
    "mail", "order", "the", "please", "number", "printer", "with", "invoice", "today", "and", "you", "thanks",
    "delivery",
];

/// Octets: 60 % about 4 KiB, 30 % about 20 KiB, 9 % about 80 KiB, 1 % 500 KiB.
fn mixed(seed: u64) -> usize {
    match seed % 100 {
        0..60 => 4 * 1024,
        60..90 => 20 * 1024,
        90..99 => 80 * 1024,
        _ => 500 * 1024,
    }
}
