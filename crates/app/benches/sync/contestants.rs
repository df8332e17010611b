//! Those who bring the mail.

use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use connectors::net::{Dialer, Endpoint, NetConfig, Security};
use connectors::sasl::Credentials;
use connectors::{Limit, MailSink, ReadMail};
use model::Secret;
use model::work::{Cursor, ImapCursor};

use super::mailboxes::World;
use super::measure::{self, Sample};

#[derive(Debug, Clone, Copy)]
pub enum Contestant {
    Bare,
    Mbsync,
    Postroom,
}

pub const ALL: &[Contestant] = &[Contestant::Bare, Contestant::Mbsync, Contestant::Postroom];

pub async fn run(who: Contestant, world: &World) -> Result<Sample> {
    match who {
        Contestant::Bare => bare(world).await,
        Contestant::Mbsync => mbsync(world),
        Contestant::Postroom => postroom(world),
    }
}

/// Counts the octets and throws them away.
#[derive(Default)]
struct Discard {
    messages: usize,
    octets: u64,
}

impl MailSink for Discard {
    fn begin(&mut self, _size: u64) -> io::Result<()> {
        Ok(())
    }
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.octets += bytes.len() as u64;
        Ok(())
    }
    fn finish(&mut self) -> io::Result<usize> {
        self.messages += 1;
        Ok(self.messages - 1)
    }
    fn abandon(&mut self) {}
}

/// Only fetches, one mailbox after the other, in this process.
async fn bare(world: &World) -> Result<Sample> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    let ca = CertificateDer::from_pem_file(world.mail.ca_pem_path())?;
    let config = NetConfig {
        extra_ca: vec![ca],
        allow_insecure: false,
        allow_networks: vec!["127.0.0.0/8".parse()?, "::1/128".parse()?],
        ..NetConfig::default()
    };
    let dialer = Dialer::new(config)?;
    let endpoint = Endpoint {
        host: "localhost".into(),
        port: world.mail.dovecot.imaps_port(),
        security: Security::Tls,
        connect_timeout: Duration::from_secs(10),
        command_timeout: Duration::from_secs(60),
    };
    let before = measure::usage(std::process::id()).0;
    let began = Instant::now();
    let mut sink = Discard::default();
    for user in &world.users {
        let credentials =
            Credentials::Password { user: user.address.clone(), password: Secret::new(user.password.clone()) };
        let session = connectors::imap::connect(&dialer, &endpoint, &credentials, None).await?;
        let mut reader = connectors::imap::ImapReader::new(session, "INBOX");
        let mut cursor = Cursor::Imap(ImapCursor::default());
        loop {
            let limit = Limit { messages: 1000, octets: 64 * 1024 * 1024 };
            let batch = reader.fetch(&cursor, limit, &mut sink).await?;
            cursor = batch.cursor;
            if !batch.more {
                break;
            }
        }
        reader.log_out().await;
    }
    ensure!(sink.messages == world.total(), "the bare client read {} of {}", sink.messages, world.total());
    let (cpu, peak) = measure::usage(std::process::id());
    Ok(Sample {
        who: "bare client",
        messages: sink.messages,
        octets: sink.octets,
        wall: began.elapsed(),
        cpu: cpu - before,
        peak,
    })
}

/// `mbsync` as it ships: into a fresh Maildir, synced to disk.
fn mbsync(world: &World) -> Result<Sample> {
    let directory = tempfile::tempdir()?;
    let mut config = String::new();
    for (n, user) in world.users.iter().enumerate() {
        let path = directory.path().join(format!("mail{n}"));
        std::fs::create_dir(&path)?;
        config += &format!(
            "IMAPAccount a{n}\nHost localhost\nPort {}\nUser {}\nPass \"{}\"\nSSLType IMAPS\nCertificateFile {}\n\n\
             IMAPStore far{n}\nAccount a{n}\n\nMaildirStore near{n}\nPath {path}/\nInbox {path}/INBOX\n\n\
             Channel c{n}\nFar :far{n}:\nNear :near{n}:\nPatterns INBOX\nCreate Near\nSync Pull\nSyncState *\n\n",
            world.mail.dovecot.imaps_port(),
            user.address,
            user.password,
            world.mail.ca_pem_path().display(),
            path = path.display(),
        );
    }
    let file = directory.path().join("mbsyncrc");
    std::fs::write(&file, config)?;
    let began = Instant::now();
    let mut child = Command::new("mbsync")
        .args(["-q", "-q", "-a", "-c"])
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("mbsync (package isync) is not installed; run scripts/setup servers")?;
    let mut seen = (Duration::ZERO, 0);
    let status = loop {
        let (cpu, peak) = measure::usage(child.id());
        seen = (seen.0.max(cpu), seen.1.max(peak));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let wall = began.elapsed();
    if !status.success() {
        let mut said = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            io::Read::read_to_string(&mut stderr, &mut said)?;
        }
        bail!("mbsync failed: {said}");
    }
    Ok(Sample { who: "mbsync", messages: world.total(), octets: world.octets, wall, cpu: seen.0, peak: seen.1 })
}

/// The service, from its start until the last message is committed.
fn postroom(world: &World) -> Result<Sample> {
    let mut postroom = world.installation()?;
    let began = Instant::now();
    postroom.serve()?;
    let api = postroom.api();
    let wall = loop {
        let done = counted(&api)?;
        if done >= world.total() {
            break began.elapsed();
        }
        if began.elapsed() > Duration::from_secs(600) {
            bail!("only {done} of {} messages came in:\n{}", world.total(), postroom.log());
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let (cpu, peak) = postroom.pid().map(measure::usage).unwrap_or_default();
    Ok(Sample { who: "postroom", messages: world.total(), octets: world.octets, wall, cpu, peak })
}

/// Messages with a ledger row, as the service counts them.
fn counted(api: &testkit::Api) -> Result<usize> {
    let metrics = api.get("/metrics")?;
    let text = metrics.as_str().unwrap_or_default();
    let lines = text.lines().filter(|l| l.starts_with("postroom_messages_total"));
    Ok(lines.filter_map(|l| l.rsplit(' ').next()?.parse::<usize>().ok()).sum())
}
