//! From `postroom init` to the first message in the browser: nothing is set up
//! beforehand but the mail servers and what DNS says of them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use testkit::dns::Record;
use testkit::{Browser, Dns, MailWorld, Postroom, postroom};

use crate::world::{PASSWORD, binary};

const ANN: &str = "ann@acme.test";

/// A new installation, and a domain with mail servers.
struct Fresh {
    mail: MailWorld,
    dns: Dns,
    postroom: Postroom,
}

impl Fresh {
    async fn start() -> Result<Self> {
        let mail = MailWorld::start().await?;
        let dns = Dns::start()?;
        // Behind the section [servers].
        let config = format!("name_servers = [\"{}\"]\n", dns.address());
        let options = postroom::Options { extra_ca: Some(mail.ca_pem_path()), config, ..postroom::Options::default() };
        let postroom = Postroom::start(binary(), options)?;
        Ok(Self { mail, dns, postroom })
    }

    /// What the domain publishes.
    fn publish(&self) {
        let srv = |port| Record::Srv { priority: 0, weight: 1, port, host: "localhost".into() };
        self.dns.add("_imaps._tcp.acme.test", srv(self.mail.dovecot.imaps_port()));
        self.dns.add("_submissions._tcp.acme.test", srv(self.mail.postfix.submissions_port()));
    }

    /// The browser of the administrator, who has just set a password by the link.
    fn administrator(&self) -> Result<Browser> {
        let told = self.postroom.cli(&["user", "password", postroom::ADMINISTRATOR])?;
        let link = told.split_whitespace().find(|word| word.contains("/password?")).context("no link")?;
        let path = link.get(link.find("/password?").unwrap_or_default()..).unwrap_or_default();
        let browser = Browser::start(&self.postroom.base())?;
        browser.go(path)?;
        browser.fill("New password", PASSWORD)?;
        if browser.has("The same again")? {
            browser.fill("The same again", PASSWORD)?;
        }
        browser.press("Set the password")?;
        browser.at("/signin")?;
        browser.fill("User name or email address", postroom::ADMINISTRATOR)?;
        browser.fill("Password", PASSWORD)?;
        browser.press("Sign in")?;
        browser.at("/start")?;
        Ok(browser)
    }

    fn begin(&self, browser: &Browser, password: &str) -> Result<()> {
        browser.fill("Email Address", ANN)?;
        browser.fill("Password", password)?;
        browser.choose("Track", "All email messages")?;
        browser.choose("Process emails", "all that are in the inbox")?;
        browser.press("Start")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_init_to_the_first_mail() -> Result<()> {
    let fresh = Fresh::start().await?;
    fresh.publish();
    let ann = fresh.mail.user(ANN)?;
    let message = b"From: Cora <cora@customer.test>\r\nTo: ann@acme.test\r\nSubject: The first of many\r\n\
        Message-ID: <first@customer.test>\r\nDate: Thu, 5 Nov 2026 14:00:00 +0100\r\n\r\nHello.\r\n";
    fresh.mail.send("cora@customer.test", &[ANN], message).await?;
    fresh.mail.wait_for_text(ANN, "The first of many").await?;
    let browser = fresh.administrator()?;
    browser.at("/start")?;
    browser.see("Two minutes to the first synchronized mailbox")?;
    browser.check()?;
    fresh.begin(&browser, &ann.password)?;
    // From here on nothing is pressed.
    browser.be_patient(Duration::from_secs(90));
    browser.see("The mailbox is synchronized.")?;
    browser.see("The first of many")?;
    browser.be_patient(Duration::from_secs(15));
    browser.see("log in")?;
    browser.check()?;
    let profiles = fresh.postroom.api().get("emailserverprofiles")?;
    let profile = &profiles["value"][0];
    ensure!(profile["incomingserverlocation"] == "localhost", "{profile}");
    browser.press("Open the mailbox")?;
    browser.see_in("Configuration Test Results", "Success")?;
    // It is a first run no more.
    browser.go("/signin")?;
    browser.go("/start")?;
    browser.see("The mailbox is synchronized.")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_and_tried_again() -> Result<()> {
    let fresh = Fresh::start().await?;
    fresh.publish();
    let ann = fresh.mail.user(ANN)?;
    let browser = fresh.administrator()?;
    fresh.begin(&browser, "not the password")?;
    browser.be_patient(Duration::from_secs(60));
    browser.see("Try again")?;
    browser.check()?;
    browser.fill("Password", &ann.password)?;
    browser.press("Test Again")?;
    browser.see("The mailbox is synchronized.")?;
    browser.see("Send one to the mailbox and watch it arrive")?;
    fresh.mail.send("cora@customer.test", &[ANN], b"Subject: And here it is\r\n\r\nHello.\r\n").await?;
    browser.see("And here it is")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_and_without_dns_it_works_as_well() -> Result<()> {
    let fresh = Fresh::start().await?;
    let ann = fresh.mail.user(ANN)?;
    let browser = Browser::start(&fresh.postroom.base())?;
    fresh.postroom.set_password(postroom::ADMINISTRATOR, PASSWORD)?;
    browser.scripts(false)?;
    browser.sign_in(postroom::ADMINISTRATOR, PASSWORD)?;
    browser.at("/start")?;
    fresh.begin(&browser, &ann.password)?;
    browser.be_patient(Duration::from_secs(60));
    browser.see("Give the servers by hand")?;
    browser.fill("Incoming Server Location", "localhost")?;
    browser.fill("Incoming Port", &fresh.mail.dovecot.imaps_port().to_string())?;
    browser.fill("Outgoing Server Location", "localhost")?;
    browser.fill("Outgoing Port", &fresh.mail.postfix.submission_port().to_string())?;
    browser.press("Continue")?;
    // The page asks again by itself, by the browser's own means.
    browser.see("The mailbox is synchronized.")?;
    Ok(())
}
