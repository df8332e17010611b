//! Sealed secrets: XChaCha20-Poly1305 under a key of the ring, a random
//! 24-byte nonce, bound to `table/row/column/key` so that a sealed value moved
//! elsewhere in the database does not open.

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::SystemTime;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use model::{Ref, Secret};
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::secrets::ring::{Key, Ring};

mod ring;
pub(crate) mod rotate;
pub(crate) mod state;

/// The key ring as the running program knows it.
pub(crate) struct Keys {
    path: PathBuf,
    ring: RwLock<Held>,
}

/// The ring, and the file that it was read from.
struct Held {
    ring: Ring,
    stamp: Option<Stamp>,
}

/// By which a file that was written anew is told from the one before.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    written: Option<SystemTime>,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self { inode: metadata.ino(), written: metadata.modified().ok() })
    }
}

impl Held {
    fn read(path: &Path) -> Result<Self, StoreError> {
        // The stamp first: a file that is written in between is read again.
        let stamp = Stamp::of(path);
        Ok(Self { ring: Ring::read(path)?, stamp })
    }
}

/// A secret as it stands in the database.
pub(crate) struct Sealed {
    /// Id of the key.
    pub(crate) key: String,
    pub(crate) nonce: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
}

impl Keys {
    /// Makes the file with one new key. It must not exist.
    pub(crate) fn create(path: &Path) -> Result<Self, StoreError> {
        let mut ring = Ring::default();
        ring.add_random(None)?;
        ring.write_new(path)?;
        Self::open(path)
    }

    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { path: path.to_owned(), ring: RwLock::new(Held::read(path)?) })
    }

    pub(crate) fn seal(&self, row: Ref, column: &str, secret: &Secret) -> Result<Sealed, StoreError> {
        self.refresh()?;
        let held = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        let key = held.ring.newest().ok_or_else(|| StoreError::Keys("the key ring holds no key".into()))?;
        let mut nonce = [0_u8; 24];
        random(&mut nonce)?;
        let aad = bound_to(row, column, &key.id);
        let cipher = XChaCha20Poly1305::new((&*key.bytes).into());
        let payload = Payload { msg: secret.expose().as_bytes(), aad: aad.as_bytes() };
        let bytes = cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| StoreError::Keys(format!("{row} {column} cannot be sealed")))?;
        Ok(Sealed { key: key.id.clone(), nonce: nonce.to_vec(), bytes })
    }

    pub(crate) fn unseal(&self, row: Ref, column: &str, sealed: &Sealed) -> Result<Secret, StoreError> {
        match self.try_unseal(row, column, sealed)? {
            Some(secret) => Ok(secret),
            None => {
                // Another process may have added the key since.
                self.reload()?;
                self.try_unseal(row, column, sealed)?.ok_or_else(|| {
                    StoreError::Keys(format!(
                        "{column} of {row} is sealed with key {}, which is not in {}; put the key file that belongs to this database back",
                        sealed.key,
                        self.path.display()
                    ))
                })
            }
        }
    }

    /// `None`: the key is not in the ring.
    fn try_unseal(&self, row: Ref, column: &str, sealed: &Sealed) -> Result<Option<Secret>, StoreError> {
        let held = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        let Some(key) = held.ring.find(&sealed.key) else { return Ok(None) };
        let damaged = || {
            StoreError::Keys(format!(
                "{column} of {row} does not open: it was altered or belongs elsewhere; enter it again"
            ))
        };
        let nonce = <[u8; 24]>::try_from(sealed.nonce.as_slice()).map_err(|_| damaged())?;
        let plain = opened(key, row, column, nonce, &sealed.bytes).ok_or_else(damaged)?;
        let text = std::str::from_utf8(&plain).map_err(|_| damaged())?;
        Ok(Some(Secret::new(text)))
    }

    fn reload(&self) -> Result<(), StoreError> {
        let fresh = Held::read(&self.path)?;
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// What is sealed with a key that another process has dropped since would
    /// not open again.
    fn refresh(&self) -> Result<(), StoreError> {
        let known = self.ring.read().unwrap_or_else(PoisonError::into_inner).stamp;
        if Stamp::of(&self.path) == known { Ok(()) } else { self.reload() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a key and seals with it from now on; its id.
    fn add(&self, made: Option<i64>) -> Result<String, StoreError> {
        self.change(|ring| ring.add_random(made))
    }

    /// Drops all keys but this one.
    fn keep_only(&self, id: &str) -> Result<(), StoreError> {
        self.change(|ring| {
            ring.keep_only(id);
            Ok(())
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut Ring) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut ring = Ring::read(&self.path)?;
        let changed = change(&mut ring)?;
        ring.replace(&self.path)?;
        self.reload()?;
        Ok(changed)
    }

    fn count(&self) -> usize {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).ring.len()
    }
}

fn opened(key: &Key, row: Ref, column: &str, nonce: [u8; 24], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let aad = bound_to(row, column, &key.id);
    let cipher = XChaCha20Poly1305::new((&*key.bytes).into());
    let payload = Payload { msg: sealed, aad: aad.as_bytes() };
    cipher.decrypt(&XNonce::from(nonce), payload).ok().map(Zeroizing::new)
}

fn bound_to(row: Ref, column: &str, key: &str) -> String {
    format!("{}/{}/{column}/{key}", row.table, row.id)
}

pub(crate) fn random(bytes: &mut [u8]) -> Result<(), StoreError> {
    getrandom::fill(bytes).map_err(|e| StoreError::Keys(format!("the system gives no randomness: {e}")))
}

#[cfg(test)]
mod tests;
