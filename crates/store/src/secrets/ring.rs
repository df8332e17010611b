//! The key ring's file: one JSON object a line, oldest key first. Readable by
//! its owner alone, or the program refuses to start.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::secrets::random;

#[derive(Clone)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) bytes: Zeroizing<[u8; 32]>,
    /// Seconds since 1970; the first key of an installation does not say.
    pub(super) made: Option<i64>,
}

#[derive(Default)]
pub(super) struct Ring(Vec<Key>);

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    id: &'a str,
    key: &'a str,
    #[serde(default)]
    made: Option<i64>,
}

impl Ring {
    pub(super) fn newest(&self) -> Option<&Key> {
        self.0.last()
    }

    pub(super) fn find(&self, id: &str) -> Option<&Key> {
        self.0.iter().find(|k| k.id == id)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn keep_only(&mut self, id: &str) {
        self.0.retain(|k| k.id == id);
    }

    pub(super) fn keys(&self) -> &[Key] {
        &self.0
    }

    /// An older key, with which nothing more is sealed.
    pub(super) fn add_old(&mut self, key: Key) {
        self.0.insert(0, key);
    }

    pub(super) fn add_random(&mut self, made: Option<i64>) -> Result<String, StoreError> {
        let mut id = [0_u8; 6];
        random(&mut id)?;
        let mut bytes = Zeroizing::new([0_u8; 32]);
        random(&mut *bytes)?;
        let id = hex::encode(id);
        self.0.push(Key { id: id.clone(), bytes, made });
        Ok(id)
    }

    pub(super) fn read(path: &Path) -> Result<Self, StoreError> {
        let doing = |what: &'static str| move |e: std::io::Error| StoreError::io(what, path, &e);
        let mut file = File::open(path).map_err(doing("opening the key file"))?;
        let mode = file.metadata().map_err(doing("looking at the key file"))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(StoreError::Keys(format!(
                "others may read the key file {0} (mode {1:03o}); run `chmod 600 {0}`, and rotate the key if somebody may have",
                path.display(),
                mode & 0o777
            )));
        }
        let mut text = Zeroizing::new(String::new());
        file.read_to_string(&mut text).map_err(doing("reading the key file"))?;
        Self::parse(&text).ok_or_else(|| StoreError::Keys(format!("the key file {} is damaged", path.display())))
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut ring = Self::default();
        for line in text.lines().filter(|l| !l.trim().is_empty()) {
            let line: Line<'_> = serde_json::from_str(line).ok()?;
            let decoded = Zeroizing::new(STANDARD.decode(line.key).ok()?);
            let bytes = Zeroizing::new(<[u8; 32]>::try_from(decoded.as_slice()).ok()?);
            ring.0.push(Key { id: line.id.to_owned(), bytes, made: line.made });
        }
        (!ring.0.is_empty()).then_some(ring)
    }

    fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        for key in &self.0 {
            let encoded = Zeroizing::new(STANDARD.encode(*key.bytes));
            // Nothing in it needs escaping: hexadecimal and base64.
            text.push_str("{\"id\":\"");
            text.push_str(&key.id);
            text.push_str("\",\"key\":\"");
            text.push_str(&encoded);
            text.push('"');
            if let Some(made) = key.made {
                text.push_str(",\"made\":");
                text.push_str(&made.to_string());
            }
            text.push_str("}\n");
        }
        text
    }

    pub(super) fn write_new(&self, path: &Path) -> Result<(), StoreError> {
        let doing = |e: std::io::Error| StoreError::io("making the key file", path, &e);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(doing)?;
        file.write_all(self.text().as_bytes()).map_err(doing)?;
        file.sync_all().map_err(doing)?;
        sync_dir(path).map_err(doing)
    }

    /// All or nothing, whenever the machine stops.
    pub(super) fn replace(&self, path: &Path) -> Result<(), StoreError> {
        let fresh = path.with_extension("new");
        let doing = |e: std::io::Error| StoreError::io("writing the key file", path, &e);
        match std::fs::remove_file(&fresh) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(doing(e)),
            _ => {}
        }
        self.write_new(&fresh)?;
        std::fs::rename(&fresh, path).map_err(doing)?;
        sync_dir(path).map_err(doing)
    }
}

fn sync_dir(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}
