//! `postroom docs`: the reference pages that are generated from the program
//! itself. `--check` is what keeps them true.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, bail};
use clap::Args;
use model::table::{Access, Kind};
use model::tables;

use crate::{config, output};

#[derive(Debug, Args)]
pub struct Docs {
    /// Print one page: config, commands or tables.
    page: Option<String>,
    /// Write all pages into `docs/` of the current directory.
    #[arg(long)]
    write: bool,
    /// Fail when a page in `docs/` is not what would be written.
    #[arg(long)]
    check: bool,
}

impl Docs {
    pub fn run(self) -> Result<()> {
        let pages = [
            ("config", "docs/configuration.md", config::reference()),
            ("commands", "docs/commands.md", commands_page()),
            ("tables", "docs/tables.md", tables_page()),
        ];
        if let Some(name) = &self.page {
            let Some((_, _, text)) = pages.iter().find(|(page, _, _)| page == name) else {
                bail!("there is no page '{name}'; there are config, commands and tables");
            };
            output::line(text);
        }
        let mut stale = Vec::new();
        for (_, path, text) in &pages {
            if self.write {
                std::fs::write(Path::new(path), text)?;
            } else if self.check && std::fs::read_to_string(path).unwrap_or_default() != *text {
                stale.push(*path);
            }
        }
        if !stale.is_empty() {
            bail!("stale: {}; run `cargo xtask docs`", stale.join(", "));
        }
        Ok(())
    }
}

fn commands_page() -> String {
    let mut page = String::from("# Commands\n\nThis page is generated (`cargo xtask docs`).\n");
    let mut tree = super::tree();
    tree.build();
    describe(&mut page, &mut tree, "");
    page
}

fn describe(page: &mut String, command: &mut clap::Command, parent: &str) {
    let name = format!("{parent}{}", command.get_name());
    if command.get_name() == "help" {
        return;
    }
    let help = command.render_long_help().to_string();
    // The version must not make the page stale with every release.
    let _ = write!(page, "\n## `{name}`\n\n```text\n{}\n```\n", help.trim_end());
    let inner: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    for sub in inner {
        if let Some(sub) = command.find_subcommand_mut(&sub) {
            describe(page, sub, &format!("{name} "));
        }
    }
}

fn tables_page() -> String {
    let mut page = String::from(
        "# Tables\n\nWhat the Web API shows, from the declarations in `crates/model/src/tables`. This page is generated\n(`cargo xtask docs`).\n",
    );
    for table in tables::on_wire() {
        let _ = write!(
            page,
            "\n## {} (`{}`)\n\nPrimary key `{}`. Object type code {}.\n\n| column | label | type | access |\n|---|---|---|---|\n",
            table.logical, table.set, table.id, table.code
        );
        for column in table.all_columns().filter(|c| c.access != Access::Internal) {
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} |",
                column.name,
                column.label,
                kind(&column.kind),
                access(column.access)
            );
        }
    }
    page
}

fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Bool => "yes/no".into(),
        Kind::Int { min, max } => format!("whole number {min} to {max}"),
        Kind::BigInt => "whole number".into(),
        Kind::Text { max } => format!("text, at most {max} characters"),
        Kind::Email { max } => format!("email address, at most {max} characters"),
        Kind::Memo => "text".into(),
        Kind::Time => "date and time".into(),
        Kind::Id => "id".into(),
        Kind::Bytes => "bytes".into(),
        Kind::Secret { max, flag } => format!("secret, at most {max} characters; `{flag}` tells whether it is set"),
        Kind::Lookup(targets) => format!("lookup: {}", targets.join(", ")),
        Kind::Choice(set) => {
            let options: Vec<String> = set.options.iter().map(|o| format!("{} {}", o.value, o.label)).collect();
            format!("choice: {}", options.join("; "))
        }
    }
}

fn access(access: Access) -> &'static str {
    match access {
        Access::ReadWrite => "read, write",
        Access::Create => "read, set on create",
        Access::Read => "read",
        Access::Write => "write only",
        Access::Internal => "",
    }
}
