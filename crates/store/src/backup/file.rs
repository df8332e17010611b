//! The backup's file: `postroom backup\n`, then one zstd stream of entries.
//!
//! An entry is a letter, the length of what follows (32 bits, big-endian) and
//! that. The last one is the SHA-256 of all before it, so that a backup that
//! was cut or altered is noticed before anything of it counts.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use model::Id;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::bind::Bind;
use crate::error::StoreError;

const MAGIC: &[u8; 16] = b"postroom backup\n";
/// An entry that claims to be larger is damage.
const LARGEST: u32 = 1 << 30;
const LEVEL: i32 = 3;

pub(super) enum Entry {
    Header(Header),
    Table {
        table: String,
        columns: Vec<String>,
    },
    Row(Vec<Bind>),
    Blob {
        id: [u8; 32],
        size: u64,
    },
    Content(Vec<u8>),
    /// Everything before it was read and is as it was written.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// The last migration of the database that was saved.
    pub(super) migration: i64,
    /// The last version number that was given out.
    pub(super) version: i64,
    pub(super) rows: u64,
    pub(super) blobs: u64,
}

#[derive(Serialize, Deserialize)]
struct TableLine {
    table: String,
    columns: Vec<String>,
}

pub(super) struct BackupWriter {
    /// Written beside the target, which appears when it is whole.
    partial: PathBuf,
    path: PathBuf,
    out: zstd::stream::write::Encoder<'static, BufWriter<File>>,
    hash: Sha256,
    row: Vec<u8>,
}

fn doing(what: &'static str, path: &Path) -> impl Fn(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |e| StoreError::Backup(format!("{what} {}: {e}", path.display()))
}

fn damaged(what: &str) -> StoreError {
    StoreError::Backup(format!("the file is damaged: {what}"))
}

/// Beside it, while it is not whole.
pub(super) fn partial(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    path.with_file_name(name)
}

impl BackupWriter {
    pub(super) fn create(path: &Path) -> Result<Self, StoreError> {
        if path.exists() {
            return Err(StoreError::Backup(format!("{} is there already; name another file", path.display())));
        }
        let partial = partial(path);
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)
            .map_err(doing("making", &partial))?;
        let mut file = BufWriter::with_capacity(256 * 1024, file);
        file.write_all(MAGIC).map_err(doing("writing", &partial))?;
        let out = zstd::stream::write::Encoder::new(file, LEVEL).map_err(doing("writing", &partial))?;
        Ok(Self { partial, path: path.to_owned(), out, hash: Sha256::new(), row: Vec::new() })
    }

    pub(super) fn entry(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let mut row = std::mem::take(&mut self.row);
        row.clear();
        let json = |value: serde_json::Result<Vec<u8>>| value.map_err(|e| StoreError::Backup(e.to_string()));
        let result = match entry {
            Entry::Header(header) => self.write(b'H', &json(serde_json::to_vec(header))?),
            Entry::Table { table, columns } => {
                let line = TableLine { table: table.clone(), columns: columns.clone() };
                self.write(b'T', &json(serde_json::to_vec(&line))?)
            }
            Entry::Row(values) => {
                values.iter().for_each(|value| encode(value, &mut row));
                self.write(b'R', &row)
            }
            Entry::Blob { id, size } => {
                row.extend_from_slice(id);
                row.extend_from_slice(&size.to_be_bytes());
                self.write(b'B', &row)
            }
            Entry::Content(content) => self.write(b'C', content),
            Entry::End => Ok(()),
        };
        self.row = row;
        result
    }

    fn write(&mut self, kind: u8, payload: &[u8]) -> Result<(), StoreError> {
        let length = u32::try_from(payload.len()).map_err(|_| StoreError::Backup("a row is too large".into()))?;
        let mut head = [kind; 5];
        head[1..].copy_from_slice(&length.to_be_bytes());
        self.hash.update(head);
        self.hash.update(payload);
        let written = self.out.write_all(&head).and_then(|()| self.out.write_all(payload));
        written.map_err(doing("writing", &self.partial))
    }

    /// Makes the backup durable and gives it its name.
    pub(super) fn finish(mut self) -> Result<(), StoreError> {
        let hash = self.hash.clone().finalize();
        self.write(b'E', &hash)?;
        let failed = doing("writing", &self.partial);
        let file = self.out.finish().map_err(&failed)?;
        let file = file.into_inner().map_err(|e| failed(e.into_error()))?;
        file.sync_all().map_err(&failed)?;
        std::fs::rename(&self.partial, &self.path).map_err(&failed)?;
        // The name is as durable as the content.
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(&failed)
    }
}

pub(super) struct BackupReader {
    input: zstd::stream::read::Decoder<'static, BufReader<File>>,
    hash: Sha256,
}

impl BackupReader {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let mut file = BufReader::new(File::open(path).map_err(doing("opening", path))?);
        let mut magic = [0; 16];
        let read = file.read_exact(&mut magic);
        if read.is_err() || &magic != MAGIC {
            return Err(StoreError::Backup(format!("{} is not a backup of Postroom", path.display())));
        }
        let input = zstd::stream::read::Decoder::with_buffer(file).map_err(doing("reading", path))?;
        Ok(Self { input, hash: Sha256::new() })
    }

    pub(super) fn entry(&mut self) -> Result<Entry, StoreError> {
        let mut head = [0; 5];
        self.input.read_exact(&mut head).map_err(|_| damaged("it ends too early"))?;
        let [kind, a, b, c, d] = head;
        let length = u32::from_be_bytes([a, b, c, d]);
        if length > LARGEST {
            return Err(damaged("an entry is too large"));
        }
        let mut payload = Vec::new();
        let read = (&mut self.input).take(u64::from(length)).read_to_end(&mut payload);
        if read.map_err(|_| damaged("it cannot be decompressed"))? as u64 != u64::from(length) {
            return Err(damaged("it ends too early"));
        }
        if kind == b'E' {
            let right = payload == self.hash.clone().finalize().as_slice();
            return if right { Ok(Entry::End) } else { Err(damaged("the checksum is wrong")) };
        }
        self.hash.update(head);
        self.hash.update(&payload);
        match kind {
            b'H' => serde_json::from_slice(&payload).map(Entry::Header).map_err(|_| damaged("its header")),
            b'T' => serde_json::from_slice(&payload)
                .map(|line: TableLine| Entry::Table { table: line.table, columns: line.columns })
                .map_err(|_| damaged("a table's columns")),
            b'R' => decode(&payload).map(Entry::Row).ok_or_else(|| damaged("a row")),
            b'B' => blob(&payload).ok_or_else(|| damaged("a message's name")),
            b'C' => Ok(Entry::Content(payload)),
            _ => Err(damaged("an entry of an unknown kind")),
        }
    }
}

fn blob(payload: &[u8]) -> Option<Entry> {
    let (id, size) = payload.split_at_checked(32)?;
    Some(Entry::Blob { id: id.try_into().ok()?, size: u64::from_be_bytes(size.try_into().ok()?) })
}

/// A tag, then 8 octets of a number, 16 of an id, or a length and so many.
fn encode(value: &Bind, out: &mut Vec<u8>) {
    let mut long = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(bytes);
    };
    match value {
        Bind::Text(text) => long(4, text.as_bytes()),
        Bind::Bytes(bytes) => long(6, bytes),
        Bind::Null | Bind::Version(..) => out.push(0),
        Bind::Bool(b) => out.push(1 + u8::from(*b)),
        Bind::Int(n) => {
            out.push(3);
            out.extend_from_slice(&n.to_be_bytes());
        }
        Bind::Id(id) => {
            out.push(5);
            out.extend_from_slice(id.as_bytes());
        }
    }
}

fn decode(mut bytes: &[u8]) -> Option<Vec<Bind>> {
    fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = bytes.split_at_checked(count)?;
        *bytes = rest;
        Some(taken)
    }
    let long = |bytes: &mut &[u8]| {
        let length = u32::from_be_bytes(take(bytes, 4)?.try_into().ok()?);
        take(bytes, length as usize).map(<[u8]>::to_vec)
    };
    let mut row = Vec::new();
    while let Some(tag) = take(&mut bytes, 1) {
        row.push(match tag[0] {
            0 => Bind::Null,
            1 => Bind::Bool(false),
            2 => Bind::Bool(true),
            3 => Bind::Int(i64::from_be_bytes(take(&mut bytes, 8)?.try_into().ok()?)),
            4 => Bind::Text(String::from_utf8(long(&mut bytes)?).ok()?),
            5 => Bind::Id(Id::from_slice(take(&mut bytes, 16)?).ok()?),
            6 => Bind::Bytes(long(&mut bytes)?),
            _ => return None,
        });
    }
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_survives() {
        let row = [
            Bind::Null,
            Bind::Bool(true),
            Bind::Bool(false),
            Bind::Int(-7),
            Bind::Text("ä".into()),
            Bind::Id(Id::from_u128(9)),
            Bind::Bytes(vec![0, 255]),
        ];
        let mut bytes = Vec::new();
        row.iter().for_each(|b| encode(b, &mut bytes));
        let back = decode(&bytes).unwrap();
        assert!(back.len() == row.len() && back.iter().zip(&row).all(|(a, b)| a.same(b)));
    }

    proptest::proptest! {
        #[test]
        fn garbage_is_refused_or_read_but_never_a_panic(bytes in proptest::collection::vec(0_u8..9, 0..60)) {
            let _ = decode(&bytes);
        }
    }
}
