//! Which keys there are and what is sealed with them; and a key that comes
//! back: that of a database which was moved here without its key file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use model::{Secret, Timestamp, Value};

use crate::error::StoreError;
use crate::secrets::ring::{Key, Ring};
use crate::secrets::rotate::{Kept, SECRET_WANTS};
use crate::secrets::{Keys, opened};
use crate::shape::Want;
use crate::store::Store;
use crate::tx::{Tx, Work};

/// A key and what is sealed with it. The key itself is not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyState {
    pub id: String,
    /// `None`: with the installation.
    pub made: Option<Timestamp>,
    /// Whether the key file has it.
    pub present: bool,
    /// Whether it seals what is entered now.
    pub current: bool,
    /// How many secrets are sealed with it.
    pub sealed: u64,
}

/// The data encryption of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    /// The oldest first; those that are missing before all others.
    pub keys: Vec<KeyState>,
    pub file: PathBuf,
}

impl Encryption {
    /// Whether everything that is sealed can be opened.
    pub fn is_active(&self) -> bool {
        self.closed() == 0
    }

    /// Secrets whose key is missing.
    pub fn closed(&self) -> u64 {
        self.keys.iter().filter(|key| !key.present).map(|key| key.sealed).sum()
    }
}

/// What became of a key that somebody brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// So many secrets open again.
    Added { secrets: u64 },
    /// The text is no line of a key file.
    NotAKey,
    /// Nothing here is sealed with it, or it is there already.
    NotNeeded,
    /// It has the name of a key that is missing, and does not open what that sealed.
    Wrong,
}

impl Keys {
    /// Id of every key of the file, and when it was made.
    pub(crate) fn states(&self) -> Result<Vec<(String, Option<i64>)>, StoreError> {
        let ring = Ring::read(self.path())?;
        Ok(ring.keys().iter().map(|key| (key.id.clone(), key.made)).collect())
    }

    fn add_old(&self, key: Key) -> Result<(), StoreError> {
        self.change(|ring| {
            ring.add_old(key);
            Ok(())
        })
    }
}

impl Store {
    /// Which keys there are, and what is sealed with them.
    ///
    /// # Errors
    /// When the database does not answer or the key file cannot be read.
    pub async fn encryption(&self) -> Result<Encryption, StoreError> {
        let mut sealed = self.database().read(Sealed).await?;
        let states = self.keys().states()?;
        let newest = states.last().map(|(id, _)| id.clone());
        let mut present = Vec::new();
        for (id, made) in states {
            let made = made.and_then(|seconds| Timestamp::from_second(seconds).ok());
            let count = sealed.remove(&id).unwrap_or(0);
            let current = newest.as_ref() == Some(&id);
            present.push(KeyState { id, made, present: true, current, sealed: count });
        }
        let missing = |(id, sealed)| KeyState { id, made: None, present: false, current: false, sealed };
        let mut keys: Vec<KeyState> = sealed.into_iter().map(missing).collect();
        keys.append(&mut present);
        Ok(Encryption { keys, file: self.keys().path().to_owned() })
    }

    /// Puts a key back that something here is sealed with: `text` is its line
    /// of the old key file, or the whole of that.
    ///
    /// # Errors
    /// When the database does not answer or the key file cannot be written.
    pub async fn activate_key(&self, text: &Secret) -> Result<Activation, StoreError> {
        let Some(brought) = Ring::parse(text.expose()) else { return Ok(Activation::NotAKey) };
        let known = self.keys().states()?;
        let mut secrets = 0;
        let mut wrong = false;
        for key in brought.keys() {
            if known.iter().any(|(id, _)| *id == key.id) {
                continue;
            }
            let kept = self.database().read(SealedWith(key.id.clone())).await?;
            if kept.is_empty() {
                continue;
            }
            if kept.iter().all(|kept| opens(key, kept)) {
                secrets += u64::try_from(kept.len()).unwrap_or(u64::MAX);
                self.keys().add_old(key.clone())?;
            } else {
                wrong = true;
            }
        }
        Ok(match (secrets, wrong) {
            (1.., _) => Activation::Added { secrets },
            (0, true) => Activation::Wrong,
            (0, false) => Activation::NotNeeded,
        })
    }
}

fn opens(key: &Key, kept: &Kept) -> bool {
    let Ok(nonce) = <[u8; 24]>::try_from(kept.sealed.nonce.as_slice()) else { return false };
    opened(key, kept.row, &kept.column, nonce, &kept.sealed.bytes).is_some()
}

/// How many secrets are sealed with which key.
struct Sealed;

impl Work for Sealed {
    type Out = BTreeMap<String, u64>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out, StoreError> {
        let sql = "SELECT keyid, count(*) FROM pr_secret GROUP BY keyid";
        let rows = tx.rows(sql, &[], &[Want::Text, Want::Int]).await?;
        let read = |row: Vec<Value>| {
            let count = u64::try_from(row.get(1)?.as_int()?).ok()?;
            Some((row.first()?.as_text()?.to_owned(), count))
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }
}

struct SealedWith(String);

impl Work for SealedWith {
    type Out = Vec<Kept>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out, StoreError> {
        let sql = "SELECT tablename, row, columnname, keyid, nonce, sealed FROM pr_secret WHERE keyid = $1";
        let rows = tx.rows(sql, &[self.0.clone().into()], &SECRET_WANTS).await?;
        Ok(rows.into_iter().filter_map(Kept::read).collect())
    }
}
