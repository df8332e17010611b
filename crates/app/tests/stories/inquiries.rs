//! What pages ask of servers before anything is saved: the settings of an
//! address are looked up, a connection is tested.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use actions::inquiry::{self, Trial};
use actions::{ActionError, Context, Draft, Random, Settings};
use anyhow::{Result, bail};
use connectors::net::{Dialer, NetConfig};
use model::discovery::{Evidence, Found, InquiryState, Line, Protocol, Topic};
use model::tables::{CredentialRetrieval, EmailServerProfile, Inquiry, ServerType, SystemUser};
use model::{Clock, Entity, Filter, Id, Query, Secret, Timestamp, Value};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use store::{Options, Store};
use testkit::dns::Record;
use testkit::{Dns, MailWorld, Postgres};
use tokio::sync::watch;

struct Now;

impl Clock for Now {
    #[expect(clippy::disallowed_methods, reason = "a real service is waited for")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// An installation whose workers run in this process.
struct World {
    mail: MailWorld,
    dns: Dns,
    context: Context,
    stop: watch::Sender<bool>,
    _directory: tempfile::TempDir,
}

impl World {
    async fn start(postgres: bool) -> Result<Self> {
        let mail = MailWorld::start().await?;
        let dns = Dns::start()?;
        let directory = tempfile::tempdir()?;
        let url = if postgres { Some(Postgres::shared()?.fresh_database()?) } else { None };
        let store = Store::create(&Options { database: url, ..Options::new(directory.path()) }).await?;
        actions::init(&store, "admin@crm.test", Now.now(), &Random::system()).await?;
        let dialer = Dialer::new(NetConfig {
            extra_ca: CertificateDer::pem_slice_iter(mail.ca_pem().as_bytes()).collect::<Result<_, _>>()?,
            allow_networks: vec!["127.0.0.0/8".parse()?],
            name_servers: vec![dns.address()],
            ..NetConfig::default()
        })?;
        let engine = sync::Engine::new(store.clone(), dialer, Arc::new(Now), sync::Settings::default());
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(sync::serve(engine, stopped));
        let query = Query::of::<SystemUser>().filter(Filter::eq(SystemUser::C.address, "admin@crm.test".to_owned()));
        let admin = store.list::<SystemUser>(&query).await?.remove(0);
        let context = Context::new(store, admin, Now.now(), Random::system(), Settings::default()).await?;
        Ok(Self { mail, dns, context, stop, _directory: directory })
    }

    /// What became of it, and the lines that were told.
    async fn answer(&self, id: Id) -> Result<(Inquiry, Vec<Line>)> {
        for _ in 0..600 {
            let inquiry = inquiry::look(&self.context, id).await?;
            if matches!(inquiry.state, InquiryState::Done | InquiryState::Failed) {
                let lines = formats::inquiry::read_lines(&inquiry.progress);
                return Ok((inquiry, lines));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("nobody answers the inquiry");
    }

    async fn found(&self, address: &str) -> Result<(Found, Vec<Line>)> {
        let id = inquiry::look_up(&self.context, address).await?;
        let (inquiry, lines) = self.answer(id).await?;
        anyhow::ensure!(inquiry.state == InquiryState::Done, "{lines:?}");
        Ok((formats::inquiry::read_found(&inquiry.result), lines))
    }

    fn draft(&self) -> Draft {
        Draft::new(EmailServerProfile::TABLE)
            .with(EmailServerProfile::C.server_type, ServerType::ImapSmtp)
            .with(EmailServerProfile::C.incoming_location, "localhost".to_owned())
            .with(EmailServerProfile::C.incoming_port, Some(self.mail.dovecot.imaps_port().into()))
            .with(EmailServerProfile::C.outgoing_location, "localhost".to_owned())
            .with(EmailServerProfile::C.outgoing_port, Some(self.mail.postfix.submission_port().into()))
    }
}

fn said(lines: &[Line]) -> String {
    lines.iter().map(|line| format!("{:?} {} {:?}: {}\n", line.topic, line.step, line.ok, line.said)).collect()
}

fn srv(port: u16) -> Record {
    Record::Srv { priority: 0, weight: 1, port, host: "localhost".into() }
}

async fn looked_up(postgres: bool) -> Result<()> {
    let world = World::start(postgres).await?;
    world.dns.add("_imaps._tcp.acme.test", srv(world.mail.dovecot.imaps_port()));
    world.dns.add("_submissions._tcp.acme.test", srv(world.mail.postfix.submissions_port()));
    world.dns.add("_pop3s._tcp.acme.test", srv(1));
    world.dns.add("acme.test", Record::Mx { preference: 10, host: "mx.acme.test".into() });
    let (found, lines) = world.found("ann@acme.test").await?;
    let told: Vec<_> = found.candidates.iter().map(|c| (c.protocol, c.port, c.answered, c.evidence)).collect();
    assert_eq!(
        told,
        [
            (Protocol::Imap, world.mail.dovecot.imaps_port(), Some(true), Evidence::Service),
            (Protocol::Smtp, world.mail.postfix.submissions_port(), Some(true), Evidence::Service),
            (Protocol::Pop3, 1, Some(false), Evidence::Service),
        ],
        "{}",
        said(&lines)
    );
    let topics: Vec<Topic> = lines.iter().map(|line| line.topic).collect();
    for topic in [Topic::SettingsFile, Topic::Dns, Topic::Server] {
        assert!(topics.contains(&topic), "{}", said(&lines));
    }
    // Nobody but who asked is told.
    let id = inquiry::look_up(&world.context, "ann@acme.test").await?;
    let mut other = world.context.clone();
    other.actor = SystemUser::blank(other.new_id()?);
    assert!(matches!(inquiry::look(&other, id).await, Err(ActionError::Refused(_))));
    assert!(matches!(inquiry::look_up(&world.context, "ann").await, Err(ActionError::Refused(_))));
    world.stop.send(true)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_looked_up_from_an_address() -> Result<()> {
    looked_up(false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_looked_up_from_an_address_on_postgres() -> Result<()> {
    looked_up(true).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_provider_is_recognized_by_who_takes_the_mail() -> Result<()> {
    let world = World::start(false).await?;
    world.dns.add("acme.test", Record::Mx { preference: 0, host: "acme-test.mail.protection.outlook.com".into() });
    // Nothing of it is reached: these names are somebody else's.
    world.dns.add("outlook.office365.com", Record::A(Ipv4Addr::new(10, 0, 0, 1)));
    let (found, lines) = world.found("ann@acme.test").await?;
    assert!(found.unreachable && found.provider.contains("Exchange Online"), "{found:?}");
    assert!(said(&lines).contains("mail of acme.test is with Exchange Online"), "{}", said(&lines));
    assert!(found.candidates.iter().all(|c| c.answered == Some(false)), "{found:?}");
    Ok(())
}

async fn secrets_left(world: &World, id: Id) -> Result<usize> {
    let mut left = 0;
    for column in ["pr_incomingpassword", "pr_outgoingpassword"] {
        left += usize::from(world.context.store.reveal(Inquiry::TABLE, id, column).await?.is_some());
    }
    Ok(left)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_tested_with_what_was_typed() -> Result<()> {
    let world = World::start(false).await?;
    let ann = world.mail.user("ann@acme.test")?;
    let trial = |password: &str| Trial {
        profile: None,
        draft: world.draft(),
        user: ann.address.clone(),
        password: Some(Secret::new(password)),
    };
    let id = inquiry::test_connection(&world.context, trial(&ann.password)).await?;
    let (tested, lines) = world.answer(id).await?;
    assert_eq!(tested.state, InquiryState::Done, "{}", said(&lines));
    for (topic, step) in [(Topic::Incoming, "log in"), (Topic::Incoming, "read"), (Topic::Outgoing, "log in")] {
        assert!(lines.iter().any(|l| l.topic == topic && l.step == step && l.ok == Some(true)), "{}", said(&lines));
    }
    assert_eq!(secrets_left(&world, id).await?, 0);
    // No message was sent.
    assert_eq!(world.mail.dovecot.list("ann@acme.test")?.len(), 0);

    let id = inquiry::test_connection(&world.context, trial("wrong")).await?;
    let (tested, lines) = world.answer(id).await?;
    assert_eq!(tested.state, InquiryState::Failed);
    assert!(said(&lines).contains("Check user name and password"), "{}", said(&lines));
    assert_eq!(secrets_left(&world, id).await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_password_goes_only_where_it_was_stored_for() -> Result<()> {
    let world = World::start(false).await?;
    let ann = world.mail.user("ann@acme.test")?;
    let c = EmailServerProfile::C;
    let stored = world
        .draft()
        .with(c.name, "Ours".to_owned())
        .with(c.incoming_credentials, CredentialRetrieval::Profile)
        .with(c.incoming_user, ann.address.clone())
        .set("incomingpassword", Value::Secret(Secret::new(ann.password.clone())));
    let profile = actions::create(&world.context, stored).await?;
    let trial = |draft| Trial { profile: Some(profile), draft, user: String::new(), password: None };
    let id = inquiry::test_connection(&world.context, trial(world.draft())).await?;
    let (tested, lines) = world.answer(id).await?;
    assert_eq!(tested.state, InquiryState::Done, "{}", said(&lines));
    let elsewhere = world.draft().with(c.incoming_location, "elsewhere.test".to_owned());
    let Err(ActionError::Refused(refusals)) = inquiry::test_connection(&world.context, trial(elsewhere)).await else {
        bail!("the stored password was led elsewhere");
    };
    assert!(refusals.0.iter().any(|r| r.field == Some("incomingpassword")), "{refusals:?}");
    Ok(())
}
