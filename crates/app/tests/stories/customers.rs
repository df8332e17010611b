//! Programs of customers (`tests/clients`), each with somebody else's library,
//! at work with the running service and real mail servers.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use model::tables::{Email, EmailStatus};
use model::{Actor, Change, Commit, Entity, Id, Timestamp};
use serde_json::{Value, json};
use store::{Options, Store};
use testkit::Crm;
use testkit::tls::ServerCertificate;

use crate::common::{allow_unresolved, binary, company};

/// More than two of the largest pages.
const SEEDED: u128 = 12_000;

fn program(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients").join(path)
}

/// A program that `scripts/setup` puts there.
fn installed(path: &str) -> Result<PathBuf> {
    let target = binary().parent().and_then(Path::parent).context("the program is in no target directory")?;
    let path = target.join("clients").join(path);
    if !path.exists() {
        bail!("{} is missing: run `scripts/setup clients`", path.display());
    }
    Ok(path)
}

/// A company whose accounts on the mail server the client may use.
struct World {
    crm: Crm,
    accounts: Vec<&'static str>,
    directory: tempfile::TempDir,
}

impl World {
    async fn new(accounts: &[&'static str]) -> Result<Self> {
        let crm = company().await?;
        allow_unresolved(&crm)?;
        let store = Store::open(&Options::new(crm.postroom.data_dir())).await?;
        seed(&store).await?;
        Ok(Self { crm, accounts: accounts.to_vec(), directory: tempfile::tempdir()? })
    }

    /// Somebody without rights.
    fn limited(&self) -> Result<String> {
        let address = "limited@company.test";
        self.crm.api.create(
            "systemusers",
            &json!({ "lastname": "Limited", "internalemailaddress": address, "domainname": address }),
        )?;
        let token = self.crm.postroom.cli(&["token", "create", "--user", address, "--name", "customer"])?;
        Ok(token.trim().to_owned())
    }

    fn write(&self, url: &str, limited: &str) -> Result<PathBuf> {
        let mut accounts = serde_json::Map::new();
        for address in &self.accounts {
            accounts.insert((*address).to_owned(), Value::String(self.crm.mail.user(address)?.password));
        }
        let world = json!({
            "url": url,
            "token": self.crm.postroom.token(),
            "limited": limited,
            "imap": self.crm.mail.dovecot.imaps_port(),
            "smtp": self.crm.mail.postfix.submission_port(),
            "accounts": accounts,
            "seeded": SEEDED,
        });
        let path = self.directory.path().join("world.json");
        std::fs::write(&path, world.to_string())?;
        Ok(path)
    }

    /// Runs the client to its end; what it printed.
    fn run(&self, command: &mut Command) -> Result<String> {
        for proxy in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"] {
            command.env_remove(proxy);
        }
        let output = command.output().with_context(|| format!("{command:?}"))?;
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if !output.status.success() {
            bail!("{command:?} failed:\n{said}\nthe log:\n{}", last(&self.crm.postroom.log(), 30));
        }
        Ok(said)
    }
}

fn last(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// Emails 'Seed 00000' and on.
async fn seed(store: &Store) -> Result<()> {
    let now: Timestamp = "2026-11-01T00:00:00Z".parse()?;
    let owner = store.list::<model::tables::SystemUser>(&model::Query::of::<model::tables::SystemUser>()).await?;
    let owner = owner.first().context("no user")?.reference();
    let all: Vec<u128> = (0..SEEDED).collect();
    for some in all.chunks(2000) {
        let rows = some.iter().map(|n| {
            let mut email = Email::blank(Id::from_u128(0x5eed_0000 + n));
            email.subject = format!("Seed {n:05}");
            email.owner = Some(owner);
            email.status = EmailStatus::Received;
            email.state = EmailStatus::Received.state();
            let mut row = email.into_record();
            row.set("activitytypecode", model::Value::Text("email".to_owned()));
            Change::Create(row)
        });
        store.commit(&Commit::new(Actor { user: Id::nil() }, now, rows.collect())).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_node() -> Result<()> {
    let main = program("node/main.mjs");
    // Modules are looked for beside the program.
    let beside = installed("node/node_modules")?.with_file_name("main.mjs");
    std::fs::copy(&main, &beside)?;
    let world = World::new(&["nora@company.test", "node-queue@company.test", "node-forward@company.test"]).await?;
    let limited = world.limited()?;
    let file = world.write(&world.crm.postroom.base(), &limited)?;
    let said = world.run(Command::new("node").arg(&beside).arg(file))?;
    assert!(said.contains("ok errors"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_python_over_tls() -> Result<()> {
    let python = installed("dataverse/bin/python")?;
    let mut world =
        World::new(&["petra@company.test", "python-queue@company.test", "python-forward@company.test"]).await?;
    let limited = world.limited()?;
    let authority = over_tls(&mut world)?;
    let url = world.crm.postroom.base().replace("http://127.0.0.1", "https://localhost");
    let file = world.write(&url, &limited)?;
    let main = program("python/main.py");
    let said = world.run(Command::new(python).arg(main).arg(file).env("REQUESTS_CA_BUNDLE", authority))?;
    assert!(said.contains("ok errors"), "{said}");
    Ok(())
}

/// Starts the service again with a certificate; the authority's file.
fn over_tls(world: &mut World) -> Result<PathBuf> {
    let directory = world.directory.path().to_owned();
    let ServerCertificate { chain_pem, key_pem } = world.crm.mail.authority().for_localhost()?;
    std::fs::write(directory.join("chain.pem"), chain_pem)?;
    std::fs::write(directory.join("key.pem"), key_pem)?;
    let web = format!("[web]\ntls_certificate = \"{0}/chain.pem\"\ntls_key = \"{0}/key.pem\"\n", directory.display());
    world.crm.postroom.stop()?;
    world.crm.postroom.reconfigure("[servers]", &format!("{web}\n[servers]"))?;
    world.crm.postroom.speak_tls()?;
    Ok(world.crm.mail.ca_pem_path())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_rust() -> Result<()> {
    let client = installed("rust/debug/postroom-test-client")?;
    let world = World::new(&["ralf@company.test", "rust-queue@company.test", "rust-forward@company.test"]).await?;
    let limited = world.limited()?;
    let file = world.write(&world.crm.postroom.base(), &limited)?;
    let said = world.run(Command::new(client).arg(file))?;
    assert!(said.contains("ok errors"), "{said}");
    Ok(())
}
