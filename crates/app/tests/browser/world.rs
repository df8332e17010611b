//! A company whose people sit before browsers.
//!
//! ```ignore
//! #[tokio::test(flavor = "multi_thread")]
//! async fn a_customizer_makes_a_forward_mailbox() -> Result<()> {
//!     let world = World::start().await?;
//!     let cora = world.browser(CORA)?; // signed in
//!     cora.go("/settings/mailboxes")?;
//!     …
//! }
//! ```

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use testkit::crm::{Member, Protocol};
use testkit::{Browser, Crm, postroom, world};

/// Somebody who can sign in.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    pub first: &'static str,
    pub last: &'static str,
    pub address: &'static str,
    pub roles: &'static [&'static str],
}

/// The System Administrator that `postroom init` made.
pub const ADMIN: Person = Person { first: "", last: "Administrator", address: postroom::ADMINISTRATOR, roles: &[] };
pub const CORA: Person =
    Person { first: "Cora", last: "Custom", address: "cora@company.test", roles: &["System Customizer"] };
pub const MARA: Person =
    Person { first: "Mara", last: "Mailer", address: "mara@company.test", roles: &["Mailbox Administrator"] };
/// An ordinary user, who works in queues as well.
pub const SAM: Person =
    Person { first: "Sam", last: "Seller", address: "sam@company.test", roles: &["Basic User", "Queue Member"] };
/// Without any role.
pub const NORA: Person = Person { first: "Nora", last: "Nobody", address: "nora@company.test", roles: &[] };

/// Everybody's.
pub const PASSWORD: &str = "four words and a half";

#[expect(dead_code, reason = "stories that need them follow")]
pub struct World {
    pub crm: Crm,
    pub cora: Member,
    pub mara: Member,
    pub sam: Member,
    pub nora: Member,
}

pub fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_postroom"))
}

impl World {
    /// Mail servers, the program, and the people above. Their mailboxes exist
    /// on the server and have a profile and credentials, but are neither
    /// approved nor tested: `world.crm.enable(&world.sam)` does that.
    pub async fn start() -> Result<Self> {
        Self::start_with(postroom::Options::default()).await
    }

    pub async fn start_with(options: postroom::Options) -> Result<Self> {
        let crm = Crm::start_with(binary(), world::Options::default(), options).await?;
        crm.postroom.set_password(ADMIN.address, PASSWORD)?;
        let [cora, mara, sam, nora] = [CORA, MARA, SAM, NORA].map(|person| join(&crm, person));
        Ok(Self { cora: cora?, mara: mara?, sam: sam?, nora: nora?, crm })
    }

    /// A browser in which nobody is signed in.
    pub fn stranger(&self) -> Result<Browser> {
        Browser::start(&self.crm.postroom.base())
    }

    /// A browser in which this person has signed in.
    pub fn browser(&self, person: Person) -> Result<Browser> {
        let browser = self.stranger()?;
        self.sign_in(&browser, person)?;
        Ok(browser)
    }

    /// Has somebody sign in, in place of whoever was.
    pub fn sign_in(&self, browser: &Browser, person: Person) -> Result<()> {
        browser.driver().command("DELETE", "cookie", None)?;
        browser.sign_in(person.address, PASSWORD).with_context(|| format!("{} signs in", person.address))
    }
}

/// A new colleague, with a mailbox, a password and roles.
pub fn join(crm: &Crm, person: Person) -> Result<Member> {
    let member = crm.user(person.first, person.last, person.address, Protocol::Imap)?;
    // Everybody new is a Basic User.
    if !person.roles.contains(&"Basic User") {
        crm.postroom.cli(&["role", "remove", person.address, "Basic User"])?;
    }
    for role in person.roles.iter().filter(|role| **role != "Basic User") {
        crm.postroom.cli(&["role", "assign", person.address, role])?;
    }
    crm.postroom.set_password(person.address, PASSWORD)?;
    Ok(member)
}

impl World {
    /// Waits until what was written last is kept in a draft.
    pub fn wait_for_draft(&self, words: &str) -> Result<()> {
        self.crm.api.wait_for(Duration::from_secs(20), &format!("a draft with '{words}'"), || {
            let drafts = self.crm.api.list("emails?$filter=statuscode eq 1&$select=description")?;
            let holds = |draft: &Value| draft["description"].as_str().is_some_and(|text| text.contains(words));
            Ok(drafts.iter().any(holds).then_some(()))
        })
    }

    /// A contact with an address, so that mail finds somebody to belong to.
    pub fn contact(&self, first: &str, last: &str, address: &str) -> Result<uuid::Uuid> {
        self.crm.api.create("contacts", &json!({ "firstname": first, "lastname": last, "emailaddress1": address }))
    }
}
