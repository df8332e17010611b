//! Reads a blob frame by frame.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use model::mail::{BlobId, StoredBlob};
use sha2::{Digest as _, Sha256};

use crate::blobs::segment::{COMPRESSED, FRAME, FRAME_HEADER, HEADER, Header};
use crate::error::StoreError;

/// Reads one blob from its start. Reading blocks: use it where that is
/// allowed. When the end has been reached, the content is known to be what
/// its name says.
pub struct BlobReader {
    file: Arc<File>,
    id: BlobId,
    /// Octets of the content.
    size: u64,
    /// Where the next frame begins, and where the last one ends.
    next: u64,
    end: u64,
    start: u64,
    /// `None` once something was skipped.
    hash: Option<Sha256>,
    read: u64,
    opened: bool,
    /// For [`Read`]: a chunk and how much of it has been taken.
    chunk: (Vec<u8>, usize),
}

impl BlobReader {
    pub(super) fn new(file: Arc<File>, place: StoredBlob) -> Self {
        let number = |n: i64| u64::try_from(n).unwrap_or(0);
        let start = number(place.start);
        Self {
            file,
            id: place.id,
            size: number(place.raw),
            next: start + HEADER as u64,
            end: start + number(place.stored),
            start,
            hash: Some(Sha256::new()),
            read: 0,
            opened: false,
            chunk: (Vec::new(), 0),
        }
    }

    /// Octets of the content.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The next part of the content, at most 256 KiB; `None` at the end.
    ///
    /// # Errors
    /// [`StoreError::DamagedBlob`].
    pub fn chunk(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        self.check_header()?;
        let Some((raw, stored)) = self.frame_header()? else {
            return self.check_end().map(|()| None);
        };
        let octets = (stored & !COMPRESSED) as usize;
        let mut bytes = vec![0; octets];
        self.read_at(&mut bytes, self.next + FRAME_HEADER as u64)?;
        self.next += (FRAME_HEADER + octets) as u64;
        if stored & COMPRESSED != 0 {
            bytes = zstd::bulk::decompress(&bytes, raw as usize).map_err(|_| self.damaged())?;
        }
        if bytes.len() != raw as usize {
            return Err(self.damaged());
        }
        self.read += u64::from(raw);
        if let Some(hash) = &mut self.hash {
            hash.update(&bytes);
        }
        Ok(Some(bytes))
    }

    /// Everything that is left.
    ///
    /// # Errors
    /// [`StoreError::DamagedBlob`].
    pub fn read_all(mut self) -> Result<Vec<u8>, StoreError> {
        let mut all = Vec::with_capacity(usize::try_from(self.size.min(64 << 20)).unwrap_or(0));
        while let Some(chunk) = self.chunk()? {
            // Most blobs are one frame: then there is nothing to copy.
            if all.is_empty() { all = chunk } else { all.extend_from_slice(&chunk) }
        }
        Ok(all)
    }

    pub(super) fn read_range(mut self, offset: u64, length: u64) -> Result<Vec<u8>, StoreError> {
        self.skip(offset)?;
        let mut out = Vec::new();
        let mut before = offset - self.read;
        let length = usize::try_from(length.min(self.size.saturating_sub(offset))).unwrap_or(usize::MAX);
        while out.len() < length {
            let Some(chunk) = self.chunk()? else { break };
            let from = usize::try_from(before).unwrap_or(usize::MAX).min(chunk.len());
            before -= from as u64;
            let take = (chunk.len() - from).min(length - out.len());
            out.extend_from_slice(&chunk[from..from + take]);
        }
        Ok(out)
    }

    /// Passes over whole frames that end before `offset`.
    fn skip(&mut self, offset: u64) -> Result<(), StoreError> {
        self.check_header()?;
        while let Some((raw, stored)) = self.frame_header()? {
            if self.read + u64::from(raw) > offset {
                break;
            }
            self.hash = None;
            self.read += u64::from(raw);
            self.next += FRAME_HEADER as u64 + u64::from(stored & !COMPRESSED);
        }
        Ok(())
    }

    fn check_header(&mut self) -> Result<(), StoreError> {
        if self.opened {
            return Ok(());
        }
        let mut header = [0; HEADER];
        self.read_at(&mut header, self.start)?;
        let expected = Header { id: self.id, raw: self.size, payload: self.end.saturating_sub(self.next) };
        if Header::decode(&header) != Some(expected) {
            return Err(self.damaged());
        }
        self.opened = true;
        Ok(())
    }

    /// Octets of the next frame's content, and as stored; `None` at the end.
    fn frame_header(&self) -> Result<Option<(u32, u32)>, StoreError> {
        if self.next >= self.end {
            return Ok(None);
        }
        let mut bytes = [0; FRAME_HEADER];
        self.read_at(&mut bytes, self.next)?;
        let [a, b, c, d, e, f, g, h] = bytes;
        let (raw, stored) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
        let octets = u64::from(stored & !COMPRESSED);
        if raw as usize > FRAME || octets > FRAME as u64 || self.next + FRAME_HEADER as u64 + octets > self.end {
            return Err(self.damaged());
        }
        Ok(Some((raw, stored)))
    }

    fn check_end(&mut self) -> Result<(), StoreError> {
        let right = match self.hash.take() {
            Some(hash) => {
                <[u8; 32]>::from(hash.clone().finalize()) == self.id.0 && {
                    self.hash = Some(hash);
                    true
                }
            }
            None => true,
        };
        if right && self.read == self.size { Ok(()) } else { Err(self.damaged()) }
    }

    fn read_at(&self, bytes: &mut [u8], at: u64) -> Result<(), StoreError> {
        self.file.read_exact_at(bytes, at).map_err(|e| match e.kind() {
            std::io::ErrorKind::UnexpectedEof => self.damaged(),
            _ => StoreError::Io(format!("reading the message {}: {e}", self.id)),
        })
    }

    fn damaged(&self) -> StoreError {
        StoreError::DamagedBlob(self.id.to_string())
    }
}

impl Read for BlobReader {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.chunk.1 >= self.chunk.0.len() {
            let next = self.chunk().map_err(std::io::Error::other)?;
            self.chunk = (next.unwrap_or_default(), 0);
        }
        let (chunk, taken) = &mut self.chunk;
        let count = out.len().min(chunk.len() - *taken);
        out[..count].copy_from_slice(&chunk[*taken..*taken + count]);
        *taken += count;
        Ok(count)
    }
}
