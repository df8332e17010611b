//! Looking into, and writing straight into, the accounts' Maildirs.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::Dovecot;
use crate::unix;

/// One stored message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

impl Stored {
    /// The message as text, invalid UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Maildir flags, in order: `S` seen, `F` flagged, `T` deleted, …
    pub fn flags(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        name.split_once(":2,").map(|(_, flags)| flags.to_owned()).unwrap_or_default()
    }
}

impl Dovecot {
    /// Puts a message into the INBOX as if it had just been delivered, without
    /// Sieve. It is stored byte for byte.
    pub fn deliver(&self, address: &str, message: &[u8]) -> Result<()> {
        self.store(address, "", "new", "", message, None)
    }

    /// As [`Self::deliver`], with this INTERNALDATE.
    pub fn deliver_dated(&self, address: &str, message: &[u8], received: Timestamp) -> Result<()> {
        let since_1970 = Duration::from_micros(u64::try_from(received.as_microsecond())?);
        self.store(address, "", "new", "", message, Some(SystemTime::UNIX_EPOCH + since_1970))
    }

    /// Puts a message into another folder, such as `Sent`; it is created.
    pub fn deliver_to(&self, address: &str, folder: &str, message: &[u8]) -> Result<()> {
        self.store(address, folder, "new", "", message, None)
    }

    /// Fills the INBOX with `count` messages, as they lie in a mailbox that has
    /// been opened before. `generate` is given 0, 1, 2, …
    pub fn fill(&self, address: &str, count: u64, mut generate: impl FnMut(u64) -> Vec<u8>) -> Result<()> {
        for number in 0..count {
            self.store(address, "", "cur", ":2,", &generate(number), None)?;
        }
        Ok(())
    }

    /// The messages of the INBOX, in the order of their delivery.
    pub fn list(&self, address: &str) -> Result<Vec<Stored>> {
        self.list_folder(address, "")
    }

    /// The messages of a folder; a folder that does not exist has none.
    pub fn list_folder(&self, address: &str, folder: &str) -> Result<Vec<Stored>> {
        let root = self.folder(address, folder);
        let mut found = Vec::new();
        for part in ["cur", "new"] {
            let Ok(entries) = fs::read_dir(root.join(part)) else { continue };
            for entry in entries {
                let path = entry?.path();
                // Dovecot may rename or remove it in between.
                if let Ok(bytes) = fs::read(&path) {
                    found.push(Stored { path, bytes });
                }
            }
        }
        found.sort_by_key(|stored| delivery_order(&stored.path));
        Ok(found)
    }

    /// Waits until a message of the INBOX satisfies `wanted` and returns it.
    pub async fn wait_for(&self, address: &str, wanted: impl Fn(&Stored) -> bool, timeout: Duration) -> Result<Stored> {
        let deadline = Instant::now() + timeout;
        loop {
            let messages = self.list(address)?;
            let count = messages.len();
            if let Some(found) = messages.into_iter().find(&wanted) {
                return Ok(found);
            }
            if Instant::now() > deadline {
                bail!("no such message in the mailbox of {address} after {timeout:?}, among {count}");
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Makes the INBOX forget its UIDs: it gets another UIDVALIDITY and numbers
    /// its messages anew. Call it while nobody has the mailbox selected.
    pub fn reset_uidvalidity(&self, address: &str) -> Result<()> {
        let root = self.folder(address, "");
        let list = root.join("dovecot-uidlist");
        let text = fs::read_to_string(&list).context("the mailbox has not been opened yet")?;
        let header = text.lines().next().unwrap_or_default();
        let mut changed = Vec::new();
        for field in header.split(' ') {
            changed.push(match field.strip_prefix('V') {
                Some(validity) => format!("V{}", validity.parse::<u32>()?.wrapping_add(1000).max(1)),
                // The GUID of the mailbox must not tell that it is the same.
                None if field.starts_with('G') => continue,
                None if field.starts_with('N') => "N1".to_owned(),
                None => field.to_owned(),
            });
        }
        for entry in fs::read_dir(&root)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with("dovecot.index") || name.starts_with("dovecot.list") {
                fs::remove_file(&path)?;
            }
        }
        unix::write_file(&list, format!("{}\n", changed.join(" ")).as_bytes(), 0o600, Some(self.owner))
    }

    /// Removes a message as another client would.
    pub fn remove(&self, stored: &Stored) -> Result<()> {
        Ok(fs::remove_file(&stored.path)?)
    }

    fn folder(&self, address: &str, folder: &str) -> PathBuf {
        let root = self.home(&address.to_lowercase()).join("Maildir");
        if folder.is_empty() { root } else { root.join(format!(".{}", folder.replace('/', "."))) }
    }

    fn store(
        &self,
        address: &str,
        folder: &str,
        part: &str,
        info: &str,
        message: &[u8],
        received: Option<SystemTime>,
    ) -> Result<()> {
        if !self.home(&address.to_lowercase()).exists() {
            bail!("{address} has no account; add_user comes first");
        }
        let root = self.folder(address, folder);
        if !root.join("new").exists() {
            unix::make_dir(&self.folder(address, ""), 0o700, Some(self.owner))?;
            for name in ["", "cur", "new", "tmp"] {
                unix::make_dir(&root.join(name), 0o700, Some(self.owner))?;
            }
        }
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let temporary = root.join(format!("tmp/{}.{number}", std::process::id()));
        unix::write_file(&temporary, message, 0o600, Some(self.owner))?;
        let written = fs::metadata(&temporary)?.modified()?;
        if let Some(received) = received {
            OpenOptions::new().write(true).open(&temporary)?.set_modified(received)?;
        }
        fs::rename(&temporary, root.join(part).join(file_name(written, number, message) + info))?;
        Ok(())
    }
}

/// An ordinary Maildir name with Dovecot's sizes: S is the file's, W what it
/// would be with CRLF line ends.
fn file_name(written: SystemTime, number: u64, message: &[u8]) -> String {
    let age = written.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut bare = 0;
    let mut last = 0;
    for &byte in message {
        bare += usize::from(byte == b'\n' && last != b'\r');
        last = byte;
    }
    let size = message.len();
    let (seconds, micros, process) = (age.as_secs(), age.subsec_micros(), std::process::id());
    format!("{seconds}.M{micros}P{process}Q{number}.localhost,S={size},W={}", size + bare)
}

/// Maildir names begin with the second and, after the M, the microsecond; ours
/// have a running number after the Q.
fn delivery_order(path: &Path) -> (u64, u64, u64) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let number = |after: &str| -> u64 {
        let rest = name.split_once(after).map_or("", |(_, rest)| rest);
        rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
    };
    (number(""), number(".M"), number("Q"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_in_the_name_count_line_ends_as_crlf() {
        assert!(file_name(SystemTime::UNIX_EPOCH, 0, b"a\nb\r\n").ends_with(",S=5,W=6"));
    }

    #[test]
    fn names_sort_in_the_order_of_delivery() {
        let later = SystemTime::UNIX_EPOCH + Duration::from_micros(10);
        let names = [file_name(SystemTime::UNIX_EPOCH, 11, b""), file_name(later, 9, b""), file_name(later, 10, b"")];
        let keys: Vec<_> = names.iter().map(|name| delivery_order(Path::new(name))).collect();
        assert!(keys.is_sorted());
    }

    #[test]
    fn flags_are_read_from_the_name() {
        let stored = |name: &str| Stored { path: name.into(), bytes: Vec::new() };
        assert_eq!(stored("cur/1.M2P3.x:2,FS").flags(), "FS");
        assert_eq!(stored("new/1.M2P3.x").flags(), "");
    }
}
