//! Appends blobs as they arrive, in constant memory.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use model::mail::{BlobId, StoredBlob};
use sha2::{Digest as _, Sha256};
use zstd::bulk::Compressor;

use crate::blobs::blocking;
use crate::blobs::reader::BlobReader;
use crate::blobs::segment::{Appending, COMPRESSED, FRAME, FRAME_HEADER, FULL, HEADER, Header, Segments};
use crate::error::StoreError;

/// Written to the file when so much has gathered.
const BUFFER: usize = 1024 * 1024;
/// Light compression: faster than the disk.
const LEVEL: i32 = -3;
/// Frames in a row that did not get a tenth smaller before it is given up.
const PATIENCE: u32 = 2;

/// Appends to a segment of its own. Nothing is durable before
/// [`BlobWriter::sync`], nothing is found by others before the commit.
pub struct BlobWriter {
    segments: Arc<Segments>,
    segment: Option<Appending>,
    /// Full segments with bytes that are not yet durable.
    unsynced: Vec<Arc<File>>,
    /// Full segments that stay locked until what is in them has surely been
    /// committed, so that nobody takes it for dead weight.
    retired: Vec<(u32, Appending)>,
    current: Option<Current>,
    /// Content that does not fill a frame yet.
    frame: Vec<u8>,
    packed: Vec<u8>,
    /// What stands between `flushed` and the segment's end.
    buffer: Vec<u8>,
    flushed: u64,
    compressor: Option<Compressor<'static>>,
    rows: Vec<StoredBlob>,
    known: BTreeSet<BlobId>,
}

/// The blob that is being written.
struct Current {
    start: u64,
    hash: Sha256,
    raw: u64,
    unpaid: u32,
}

/// A blob that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub id: BlobId,
    /// Octets of the content.
    pub size: u64,
}

impl BlobWriter {
    pub(super) fn new(segments: Arc<Segments>) -> Self {
        Self {
            segments,
            segment: None,
            unsynced: Vec::new(),
            retired: Vec::new(),
            current: None,
            frame: Vec::new(),
            packed: Vec::new(),
            buffer: Vec::new(),
            flushed: 0,
            compressor: Compressor::new(LEVEL).ok(),
            rows: Vec::new(),
            known: BTreeSet::new(),
        }
    }

    /// Begins a blob of about `size` octets. One that was begun and not
    /// finished is dropped.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn begin(&mut self, size: u64) -> Result<(), StoreError> {
        self.abandon()?;
        if self.segment.as_ref().is_some_and(|s| s.end > HEADER as u64 && s.end.saturating_add(size) > FULL) {
            self.flush()?;
            if let Some(full) = self.segment.take() {
                self.segments.give_back(&full);
                self.unsynced.push(Arc::clone(&full.file));
                self.retired.push((0, full));
            }
        }
        let segment = match &mut self.segment {
            Some(segment) => segment,
            None => {
                let fresh = self.segments.take()?;
                self.flushed = fresh.end;
                self.segment.insert(fresh)
            }
        };
        self.current = Some(Current { start: segment.end, hash: Sha256::new(), raw: 0, unpaid: 0 });
        self.append(&[0; HEADER])
    }

    /// Adds content.
    ///
    /// # Errors
    /// When the file system refuses; [`StoreError::Io`] before `begin`.
    pub fn write(&mut self, mut content: &[u8]) -> Result<(), StoreError> {
        let Some(current) = &mut self.current else { return Err(not_begun()) };
        current.hash.update(content);
        current.raw += content.len() as u64;
        while !content.is_empty() {
            let (now, later) = content.split_at(content.len().min(FRAME - self.frame.len()));
            self.frame.extend_from_slice(now);
            content = later;
            if self.frame.len() == FRAME {
                self.end_frame()?;
            }
        }
        Ok(())
    }

    /// Ends the blob. The same content again since the last sync is kept once.
    ///
    /// # Errors
    /// When the file system refuses; [`StoreError::Io`] before `begin`.
    pub fn finish(&mut self) -> Result<Written, StoreError> {
        if !self.frame.is_empty() {
            self.end_frame()?;
        }
        let (Some(current), Some(segment)) = (self.current.take(), &mut self.segment) else { return Err(not_begun()) };
        let id = BlobId(current.hash.finalize().into());
        let written = Written { id, size: current.raw };
        if !self.known.insert(id) {
            self.cut_back(current.start)?;
            return Ok(written);
        }
        let stored = segment.end - current.start;
        let header = Header { id, raw: current.raw, payload: stored - HEADER as u64 }.encode();
        if let Some(at) = current.start.checked_sub(self.flushed) {
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            if let Some(place) = self.buffer.get_mut(at..at + HEADER) {
                place.copy_from_slice(&header);
            }
        } else {
            segment
                .file
                .write_all_at(&header, current.start)
                .map_err(|e| StoreError::Io(format!("writing a message: {e}")))?;
        }
        self.rows.push(StoredBlob {
            id,
            segment: segment.number,
            start: signed(current.start),
            stored: signed(stored),
            raw: signed(current.raw),
        });
        Ok(written)
    }

    /// Drops the blob that was begun.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn abandon(&mut self) -> Result<(), StoreError> {
        self.frame.clear();
        match self.current.take() {
            Some(current) => self.cut_back(current.start),
            None => Ok(()),
        }
    }

    /// Makes everything finished so far durable, with one fsync; the places
    /// go into the commit that refers to the blobs.
    ///
    /// # Errors
    /// When the file system refuses. The blobs must then not be referred to.
    pub async fn sync(&mut self) -> Result<Vec<StoredBlob>, StoreError> {
        self.flush()?;
        let rows = std::mem::take(&mut self.rows);
        self.known.clear();
        let mut files = std::mem::take(&mut self.unsynced);
        if !rows.is_empty() {
            files.extend(self.segment.as_ref().map(|s| Arc::clone(&s.file)));
        }
        if !files.is_empty() {
            blocking(move || {
                files
                    .iter()
                    .try_for_each(|f| f.sync_data())
                    .map_err(|e| StoreError::Io(format!("making messages durable: {e}")))
            })
            .await?;
        }
        self.retired.retain_mut(|(age, _)| {
            *age += 1;
            *age <= 2
        });
        Ok(rows)
    }

    /// Reads a blob back that was finished since the last sync.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn reader(&mut self, id: BlobId) -> Result<Option<BlobReader>, StoreError> {
        let Some(row) = self.rows.iter().find(|row| row.id == id).cloned() else { return Ok(None) };
        self.flush()?;
        let here = self.segment.iter().chain(self.retired.iter().map(|(_, s)| s)).find(|s| s.number == row.segment);
        Ok(here.map(|segment| BlobReader::new(Arc::clone(&segment.file), row)))
    }

    /// One frame from the gathered content.
    fn end_frame(&mut self) -> Result<(), StoreError> {
        let frame = std::mem::take(&mut self.frame);
        let raw = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let packed = self.pack(&frame);
        let mut header = [0; FRAME_HEADER];
        header[..4].copy_from_slice(&raw.to_be_bytes());
        let result = if packed {
            let packed = std::mem::take(&mut self.packed);
            let stored = u32::try_from(packed.len()).unwrap_or(u32::MAX) | COMPRESSED;
            header[4..].copy_from_slice(&stored.to_be_bytes());
            let result = self.append(&header).and_then(|()| self.append(&packed));
            self.packed = packed;
            result
        } else {
            header[4..].copy_from_slice(&raw.to_be_bytes());
            self.append(&header).and_then(|()| self.append(&frame))
        };
        self.frame = frame;
        self.frame.clear();
        result
    }

    /// Compresses into `packed` where that saves a tenth.
    fn pack(&mut self, frame: &[u8]) -> bool {
        let (Some(current), Some(compressor)) = (&mut self.current, &mut self.compressor) else { return false };
        if current.unpaid >= PATIENCE {
            return false;
        }
        self.packed.clear();
        self.packed.reserve(zstd::zstd_safe::compress_bound(frame.len()));
        let pays = compressor.compress_to_buffer(frame, &mut self.packed).is_ok_and(|n| n < frame.len() / 10 * 9);
        current.unpaid = if pays { 0 } else { current.unpaid + 1 };
        pays
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let Some(segment) = &mut self.segment else { return Err(not_begun()) };
        self.buffer.extend_from_slice(bytes);
        segment.end += bytes.len() as u64;
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        let Some(segment) = &self.segment else { return Ok(()) };
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = segment.file.write_all_at(&self.buffer, self.flushed);
        written.map_err(|e| StoreError::io("writing", &self.segments.path(segment.number), &e))?;
        self.flushed += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Forgets everything from `start` on.
    fn cut_back(&mut self, start: u64) -> Result<(), StoreError> {
        let Some(segment) = &mut self.segment else { return Ok(()) };
        segment.end = start;
        if let Some(keep) = start.checked_sub(self.flushed) {
            self.buffer.truncate(usize::try_from(keep).unwrap_or(usize::MAX));
            return Ok(());
        }
        self.buffer.clear();
        self.flushed = start;
        let cut = segment.file.set_len(start);
        cut.map_err(|e| StoreError::io("shortening", &self.segments.path(segment.number), &e))
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        // What was finished but never synced is nobody's; it is cut off by
        // whoever takes the segment next, or dead weight.
        if let Some(segment) = &self.segment {
            self.segments.give_back(segment);
        }
    }
}

fn not_begun() -> StoreError {
    StoreError::Io("no message has been begun".into())
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
