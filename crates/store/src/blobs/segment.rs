//! Segment files: `segment-00000001` and so on.
//!
//! ```text
//! file    "postroom segment" record*
//! record  header payload
//! header  "PRB1" reserved:u32 raw:u64 payload:u64 sha256:32 check:8     64 octets
//! payload frame*                                                  `payload` octets
//! frame   raw:u32 stored:u32 octets       top bit of `stored`: compressed (zstd)
//! ```
//!
//! Numbers are big-endian; `raw` octets are the content's, `check` is the
//! beginning of the SHA-256 of the header before it. Every frame but the last
//! holds 256 KiB of content. A segment belongs to whoever holds the lock on
//! its file; it is read without one.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use model::mail::BlobId;
use sha2::{Digest as _, Sha256};

use crate::error::StoreError;

/// A segment is not appended to once it is larger.
pub(super) const FULL: u64 = 128 * 1024 * 1024;
/// Content of one frame.
pub(super) const FRAME: usize = 256 * 1024;
pub(super) const HEADER: usize = 64;
pub(super) const FRAME_HEADER: usize = 8;
pub(super) const COMPRESSED: u32 = 1 << 31;
const MAGIC: &[u8; 16] = b"postroom segment";
const RECORD: &[u8; 4] = b"PRB1";
/// Open files kept for reading.
const OPEN: usize = 32;

/// What stands before a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) id: BlobId,
    pub(super) raw: u64,
    /// Octets of the payload.
    pub(super) payload: u64,
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER] {
        let mut out = [0; HEADER];
        out[..4].copy_from_slice(RECORD);
        out[8..16].copy_from_slice(&self.raw.to_be_bytes());
        out[16..24].copy_from_slice(&self.payload.to_be_bytes());
        out[24..56].copy_from_slice(&self.id.0);
        let check = Sha256::digest(&out[..56]);
        out[56..].copy_from_slice(&check[..8]);
        out
    }

    /// `None`: no header stands there.
    pub(super) fn decode(bytes: &[u8; HEADER]) -> Option<Self> {
        let check = Sha256::digest(&bytes[..56]);
        if &bytes[..4] != RECORD || bytes[56..] != check[..8] {
            return None;
        }
        let number = |from: usize| bytes[from..from + 8].try_into().map(u64::from_be_bytes).ok();
        Some(Self { id: BlobId::try_from(&bytes[24..56]).ok()?, raw: number(8)?, payload: number(16)? })
    }
}

/// The segments of one directory.
pub(super) struct Segments {
    dir: PathBuf,
    /// Where the segments end that this process has written to.
    ends: Mutex<BTreeMap<i64, u64>>,
    reading: Mutex<VecDeque<(i64, Arc<File>)>>,
}

/// A segment that is ours to append to.
pub(super) struct Appending {
    pub(super) number: i64,
    pub(super) file: Arc<File>,
    /// Where the next record begins.
    pub(super) end: u64,
}

impl Segments {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir, ends: Mutex::default(), reading: Mutex::default() }
    }

    pub(super) fn path(&self, number: i64) -> PathBuf {
        self.dir.join(format!("segment-{number:08}"))
    }

    /// The numbers of all segments, lowest first.
    pub(super) fn numbers(&self) -> Result<Vec<i64>, StoreError> {
        let doing = |e: std::io::Error| StoreError::io("reading", &self.dir, &e);
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(&self.dir).map_err(doing)? {
            let name = entry.map_err(doing)?.file_name();
            let number: Option<i64> =
                name.to_str().and_then(|n| n.strip_prefix("segment-")).and_then(|n| n.parse().ok());
            numbers.extend(number);
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Takes a segment to append to: one that has room and is nobody's, or a
    /// new one.
    pub(super) fn take(&self) -> Result<Appending, StoreError> {
        let numbers = self.numbers()?;
        for number in numbers.iter().rev().copied() {
            if let Some(appending) = self.take_existing(number)? {
                return Ok(appending);
            }
        }
        let mut number = numbers.last().copied().unwrap_or(0) + 1;
        loop {
            if let Some(appending) = self.take_new(number)? {
                return Ok(appending);
            }
            number += 1;
        }
    }

    fn take_existing(&self, number: i64) -> Result<Option<Appending>, StoreError> {
        let Some((file, length)) = self.lock(number)? else { return Ok(None) };
        if length >= FULL {
            return Ok(None);
        }
        let known = self.ends.lock().unwrap_or_else(PoisonError::into_inner).get(&number).copied();
        let end = match known {
            Some(end) if end == length => end,
            _ => whole_records(&file, length).map_err(|e| StoreError::io("reading", &self.path(number), &e))?,
        };
        // Not a segment of ours: leave it alone.
        if end == 0 {
            return Ok(None);
        }
        if end < length {
            tracing::info!(segment = number, octets = length - end, "dropping what a crash left at a segment's end");
            file.set_len(end).map_err(|e| StoreError::io("shortening", &self.path(number), &e))?;
        }
        Ok(Some(Appending { number, file: Arc::new(file), end }))
    }

    /// The segment's file, ours alone until it is closed, and its length.
    /// `None`: somebody else has it, or it is gone.
    pub(super) fn lock(&self, number: i64) -> Result<Option<(File, u64)>, StoreError> {
        let path = self.path(number);
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(StoreError::io("opening", &path, &e)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
            Err(std::fs::TryLockError::Error(e)) => return Err(StoreError::io("locking", &path, &e)),
        }
        // Between opening and locking, compaction may have removed it.
        if !path.exists() {
            return Ok(None);
        }
        let length = file.metadata().map_err(|e| StoreError::io("looking at", &path, &e))?.len();
        Ok(Some((file, length)))
    }

    fn take_new(&self, number: i64) -> Result<Option<Appending>, StoreError> {
        let path = self.path(number);
        let doing = |e: std::io::Error| StoreError::io("making", &path, &e);
        let file = match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::AlreadyExists => return Ok(None),
            Err(e) => return Err(doing(e)),
        };
        if file.try_lock().is_err() {
            return Ok(None);
        }
        file.write_all_at(MAGIC, 0).map_err(doing)?;
        file.sync_all().map_err(doing)?;
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(doing)?;
        Ok(Some(Appending { number, file: Arc::new(file), end: MAGIC.len() as u64 }))
    }

    /// Remembers where a segment ends, for the next who takes it.
    pub(super) fn give_back(&self, segment: &Appending) {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).insert(segment.number, segment.end);
    }

    /// The file for reading; `None` where it is gone.
    pub(super) fn file(&self, number: i64) -> Result<Option<Arc<File>>, StoreError> {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, file)) = reading.iter().find(|(n, _)| *n == number) {
            return Ok(Some(Arc::clone(file)));
        }
        let path = self.path(number);
        let file = match File::open(&path) {
            Ok(file) => Arc::new(file),
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(StoreError::io("opening", &path, &e)),
        };
        if reading.len() >= OPEN {
            reading.pop_front();
        }
        reading.push_back((number, Arc::clone(&file)));
        Ok(Some(file))
    }

    /// Removes a segment that nothing refers to any more.
    pub(super) fn remove(&self, number: i64) -> Result<(), StoreError> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner).retain(|(n, _)| *n != number);
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        let path = self.path(number);
        std::fs::remove_file(&path).map_err(|e| StoreError::io("removing", &path, &e))
    }

    /// The file whose lock tells compaction and backup apart.
    pub(super) fn maintenance(&self) -> Result<(File, PathBuf), StoreError> {
        let path = self.dir.join("maintenance");
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
        Ok((file.map_err(|e| StoreError::io("opening", &path, &e))?, path))
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }
}

/// Where the last whole record ends; 0 where the file is no segment.
pub(super) fn whole_records(file: &File, length: u64) -> std::io::Result<u64> {
    let mut magic = [0; MAGIC.len()];
    if length < MAGIC.len() as u64 {
        return Ok(0);
    }
    file.read_exact_at(&mut magic, 0)?;
    if &magic != MAGIC {
        return Ok(0);
    }
    let mut end = MAGIC.len() as u64;
    let mut header = [0; HEADER];
    while end + HEADER as u64 <= length {
        file.read_exact_at(&mut header, end)?;
        let Some(found) = Header::decode(&header) else { break };
        let Some(next) = (end + HEADER as u64).checked_add(found.payload) else { break };
        if next > length {
            break;
        }
        end = next;
    }
    Ok(end)
}
