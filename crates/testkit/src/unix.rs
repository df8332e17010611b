//! Accounts, ownership and programs of the machine.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

/// User and group of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Whether the test runs as root; servers then drop to accounts of their own.
pub(crate) fn is_root() -> bool {
    myself().is_ok_and(|me| me.uid == 0)
}

/// The account of this process.
pub(crate) fn myself() -> Result<Account> {
    let status = fs::read_to_string("/proc/self/status")?;
    let id = |key: &str| -> Result<u32> {
        let line = status.lines().find(|line| line.starts_with(key));
        let field = line.and_then(|line| line.split_whitespace().nth(1));
        Ok(field.with_context(|| format!("/proc/self/status has no {key}"))?.parse()?)
    };
    Ok(Account { uid: id("Uid:")?, gid: id("Gid:")? })
}

/// The account called `name` in /etc/passwd.
pub(crate) fn account(name: &str) -> Result<Account> {
    passwd_entry(|fields| fields.first() == Some(&name))
        .map(|(_, account)| account)
        .with_context(|| format!("there is no account {name:?}; run scripts/setup servers"))
}

/// The name of the account `uid`.
pub(crate) fn account_name(uid: u32) -> Result<String> {
    let uid = uid.to_string();
    passwd_entry(|fields| fields.get(2) == Some(&uid.as_str())).map(|(name, _)| name)
}

/// The gid of the group called `name` in /etc/group.
pub(crate) fn group(name: &str) -> Result<u32> {
    let text = fs::read_to_string("/etc/group")?;
    let line = text.lines().find(|line| line.split(':').next() == Some(name));
    let gid = line.and_then(|line| line.split(':').nth(2));
    Ok(gid.with_context(|| format!("there is no group {name:?}"))?.parse()?)
}

fn passwd_entry(matches: impl Fn(&[&str]) -> bool) -> Result<(String, Account)> {
    let text = fs::read_to_string("/etc/passwd")?;
    for line in text.lines() {
        let fields: Vec<_> = line.split(':').collect();
        if let [name, _, uid, gid, ..] = fields[..]
            && matches(&fields)
        {
            return Ok((name.to_owned(), Account { uid: uid.parse()?, gid: gid.parse()? }));
        }
    }
    Err(anyhow!("no such account"))
}

/// Creates a directory (and its parents) with exactly this mode and owner.
pub(crate) fn make_dir(path: &Path, mode: u32, owner: Option<Account>) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(path).with_context(|| format!("creating {}", path.display()))?;
    own(path, owner)?;
    // After the owner: changing it clears the set-gid bit.
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    Ok(())
}

/// Writes a file with exactly this mode and owner.
pub(crate) fn write_file(path: &Path, content: &[u8], mode: u32, owner: Option<Account>) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, content).with_context(|| format!("writing {}", path.display()))?;
    own(path, owner)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    Ok(())
}

/// Hands a path to `owner`; only root can, and needs to.
pub(crate) fn own(path: &Path, owner: Option<Account>) -> Result<()> {
    if let Some(owner) = owner.filter(|_| is_root()) {
        std::os::unix::fs::lchown(path, Some(owner.uid), Some(owner.gid))
            .with_context(|| format!("changing the owner of {}", path.display()))?;
    }
    Ok(())
}

/// The first of `candidates` that exists; `*` stands for one path component,
/// of which the greatest number wins (`/usr/lib/postgresql/*/bin/postgres`).
pub(crate) fn program(candidates: &[&str]) -> Result<PathBuf> {
    candidates
        .iter()
        .find_map(|candidate| expand(candidate))
        .with_context(|| format!("none of {candidates:?} is installed; run scripts/setup servers"))
}

fn expand(pattern: &str) -> Option<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return Some(PathBuf::from(pattern)).filter(|path| path.exists());
    };
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(before)
        .ok()?
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .map(|(number, dir)| (number, PathBuf::from(format!("{}{after}", dir.display()))))
        .filter(|(_, path)| path.exists())
        .collect();
    found.sort();
    found.pop().map(|(_, path)| path)
}
