//! The command line: one file a command.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{ArgMatches, Args, FromArgMatches, Parser, Subcommand};

use crate::session as opened;

mod app;
mod audit;
mod backup;
mod compact;
mod docs;
mod doctor;
mod email;
mod find;
mod init;
mod key;
mod ledger;
mod mailbox;
mod profile;
mod restore;
mod role;
mod serve;
mod session;
mod token;
mod user;
mod webhook;

/// Server-side synchronization of mailboxes and CRM.
#[derive(Debug, Parser)]
#[command(name = "postroom", version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Args)]
pub struct Common {
    /// The installation's directory.
    #[arg(long = "data", value_name = "DIR", env = "POSTROOM_DATA", default_value = "data", global = true)]
    pub data: PathBuf,
    /// Print JSON for programs instead of tables for people.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prepare an empty installation; prints the administrator's token.
    Init(init::Init),
    /// Run the service: Web API and workers.
    Serve(serve::Serve),
    /// API tokens: create, list, revoke.
    Token(token::Token),
    /// How people sign in: passwords.
    User(user::User),
    /// Browsers that are signed in: list, end.
    Session(session::Session),
    /// Services that ask for tokens with a client id and a secret.
    App(app::App),
    /// Mailboxes: list, show, approve, test, process.
    Mailbox(mailbox::Mailbox),
    /// Email server profiles: list, show.
    Profile(profile::Profile),
    /// Emails: list, show, send.
    Email(email::Email),
    /// What became of every message: show, retry.
    Ledger(ledger::Ledger),
    /// Webhooks: list, show, replay, test.
    Webhook(webhook::Webhook),
    /// Security roles: list, show, check, assign, remove.
    Role(role::Role),
    /// The audit trail: show, export.
    Audit(audit::Audit),
    /// Let go what was kept long enough, and give back the room of it.
    Compact(compact::Compact),
    /// Check the installation.
    Doctor(doctor::Doctor),
    /// The key ring that seals passwords and tokens.
    Key(key::Key),
    /// Write a backup of the running installation into one file.
    Backup(backup::Backup),
    /// Restore a backup into an empty installation.
    Restore(restore::Restore),
    /// The generated reference pages.
    Docs(docs::Docs),
}

pub async fn run() -> Result<ExitCode> {
    let matches = tree().get_matches();
    opened::set_command(words(&matches));
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let done = match cli.command {
        Command::Init(command) => command.run().await,
        Command::Serve(command) => command.run().await,
        Command::Token(command) => command.run().await,
        Command::User(command) => command.run().await,
        Command::Session(command) => command.run().await,
        Command::App(command) => command.run().await,
        Command::Mailbox(command) => command.run().await,
        Command::Profile(command) => command.run().await,
        Command::Email(command) => command.run().await,
        Command::Ledger(command) => command.run().await,
        Command::Webhook(command) => command.run().await,
        Command::Role(command) => command.run().await,
        Command::Audit(command) => command.run().await,
        Command::Compact(command) => command.run().await,
        Command::Doctor(command) => return command.run().await,
        Command::Key(command) => command.run().await,
        Command::Backup(command) => command.run().await,
        Command::Restore(command) => command.run().await,
        Command::Docs(command) => command.run(),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// The names of the command and its verb, without any argument.
fn words(matches: &ArgMatches) -> String {
    let mut words = Vec::new();
    let mut here = matches.subcommand();
    while let Some((name, below)) = here {
        words.push(name);
        here = below.subcommand();
    }
    words.join(" ")
}

/// The whole command tree, for the reference page.
pub fn tree() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}
