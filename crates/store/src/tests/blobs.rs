//! The blob store: constant memory, torn tails, sharing, compaction.

use std::io::Read as _;
use std::time::Duration;

use super::backend::{commit, id};
use crate::{Compacted, Store, StoreError};
use model::mail::BlobId;
use model::tables::Email;
use model::{Change, Entity as _, Update};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

/// Bytes that do not compress.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length + 32);
    let mut n = 0_u64;
    while out.len() < length {
        out.extend_from_slice(&Sha256::digest([seed.to_be_bytes(), n.to_be_bytes()].concat()));
        n += 1;
    }
    out.truncate(length);
    out
}

fn text(seed: u64, length: usize) -> Vec<u8> {
    format!("{seed}: a line that comes again and again\r\n").into_bytes().into_iter().cycle().take(length).collect()
}

fn email(n: u128, blob: BlobId) -> Change {
    Change::create(Email { blob: Some(blob.0.to_vec()), ..Email::blank(id(n)) })
}

async fn keep(store: &Store, n: u128, content: &[u8]) -> BlobId {
    let (written, places) = store.blobs().put(content).await.unwrap();
    store.commit(&commit(vec![email(n, written.id)]).with_blobs(places)).await.unwrap();
    written.id
}

fn segment_bytes(place: &super::backend::Place) -> u64 {
    let dir = std::fs::read_dir(place.options.data_dir.join("blobs")).unwrap();
    dir.map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

super::backend::on_both! {
    async fn what_is_written_is_read(place, store) {
        for (n, content) in [vec![], b"x".to_vec(), text(1, 5_000), noise(1, 300_000), text(2, 3_000_000), noise(2, 2_000_000)].into_iter().enumerate() {
            let blob = keep(store, n as u128, &content).await;
            assert_eq!(blob.0, <[u8; 32]>::from(Sha256::digest(&content)));
            assert!(store.blobs().read(blob).await.unwrap() == content, "content {n}");
            assert_eq!(store.blobs().find(blob).await.unwrap().unwrap().raw, content.len() as i64);
        }
        assert!(segment_bytes(place) < 2_500_000, "text is compressed");
    }

    async fn ranges_are_read_without_the_rest(place, store) {
        let content: Vec<u8> = [text(1, 700_000), noise(3, 700_000)].concat();
        let blob = keep(store, 1, &content).await;
        for (offset, length) in [(0, 10), (262_140, 10), (262_144, 262_144), (699_990, 20), (1_399_990, 100), (2_000_000, 5), (0, 2_000_000)] {
            let read = store.blobs().read_range(blob, offset, length).await.unwrap();
            let from = (offset as usize).min(content.len());
            let to = ((offset + length) as usize).min(content.len());
            assert!(read == content[from..to], "{offset}+{length}");
        }
    }

    async fn a_blob_can_be_read_as_a_stream(place, store) {
        let content = text(1, 1_000_000);
        let blob = keep(store, 1, &content).await;
        let mut reader = store.blobs().open(blob).await.unwrap();
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        assert!(read == content);
    }

    async fn a_batch_is_written_in_pieces_and_read_back_before_it_is_committed(place, store) {
        let mut writer = store.blobs().writer();
        let mut ids = Vec::new();
        for n in 0..20 {
            let content = text(n, 10_000 * n as usize);
            writer.begin(content.len() as u64).unwrap();
            for piece in content.chunks(777) {
                writer.write(piece).unwrap();
            }
            let written = writer.finish().unwrap();
            assert_eq!(written.size, content.len() as u64);
            ids.push((written.id, content));
        }
        let (first, content) = &ids[7];
        assert!(writer.reader(*first).unwrap().unwrap().read_all().unwrap() == *content);
        assert_eq!(store.blobs().find(*first).await.unwrap(), None);
        let places = writer.sync().await.unwrap();
        assert_eq!(places.len(), 20);
        store.commit(&commit(vec![]).with_blobs(places)).await.unwrap();
        for (blob, content) in &ids {
            assert!(store.blobs().read(*blob).await.unwrap() == *content);
        }
        assert!(writer.sync().await.unwrap().is_empty());
    }

    async fn what_is_abandoned_leaves_no_trace(place, store) {
        let mut writer = store.blobs().writer();
        for size in [10, 3_000_000] {
            writer.begin(size as u64).unwrap();
            writer.write(&noise(1, size)).unwrap();
            writer.abandon().unwrap();
        }
        writer.begin(3).unwrap();
        writer.write(b"lost").unwrap();
        writer.begin(4).unwrap();
        writer.write(b"kept").unwrap();
        let written = writer.finish().unwrap();
        let places = writer.sync().await.unwrap();
        assert_eq!(places.len(), 1);
        assert_eq!(places[0].start, 16);
        store.commit(&commit(vec![]).with_blobs(places)).await.unwrap();
        assert_eq!(store.blobs().read(written.id).await.unwrap(), b"kept");
    }

    async fn the_same_content_is_kept_once(place, store) {
        let mut writer = store.blobs().writer();
        for _ in 0..3 {
            writer.begin(9).unwrap();
            writer.write(b"the same!").unwrap();
            writer.finish().unwrap();
        }
        assert_eq!(writer.sync().await.unwrap().len(), 1);
        let first = keep(store, 1, b"again").await;
        let place_of_first = store.blobs().find(first).await.unwrap();
        let second = keep(store, 2, b"again").await;
        assert_eq!((first, place_of_first), (second, store.blobs().find(second).await.unwrap()));
    }

    async fn writers_do_not_share_a_segment(place, store) {
        let mut writers = [store.blobs().writer(), store.blobs().writer(), store.blobs().writer()];
        let mut segments = Vec::new();
        for (n, writer) in writers.iter_mut().enumerate() {
            writer.begin(1).unwrap();
            writer.write(&noise(n as u64, 100)).unwrap();
            writer.finish().unwrap();
            segments.push(writer.sync().await.unwrap()[0].segment);
        }
        segments.sort_unstable();
        assert_eq!(segments, [1, 2, 3]);
        drop(writers);
        let (_, places) = store.blobs().put(b"next").await.unwrap();
        assert_eq!(places[0].segment, 3, "a segment that is free is taken again");
    }

    async fn a_missing_and_a_damaged_blob_are_told_apart(place, store) {
        let missing = BlobId([7; 32]);
        assert_eq!(store.blobs().read(missing).await, Err(StoreError::NoBlob(missing.to_string())));
        let blob = keep(store, 1, &noise(1, 5000)).await;
        keep(store, 2, &noise(2, 5000)).await;
        let path = place.options.data_dir.join("blobs/segment-00000001");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[3000] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(store.blobs().read(blob).await, Err(StoreError::DamagedBlob(blob.to_string())));
        let mut seen = (0, 0);
        let damages = store.blobs().verify(1, |done, all| seen = (done, all)).await.unwrap();
        assert_eq!((damages.len(), damages[0].id, seen), (1, blob, (2, 2)));
    }

    async fn compaction_frees_what_nothing_refers_to(place, store) {
        let mut ids = Vec::new();
        for n in 0..10 {
            ids.push(keep(store, n, &noise(n as u64, 100_000)).await);
        }
        assert_eq!(store.blobs().compact(Duration::from_secs(3600)).await.unwrap(), Compacted::default(), "too young");
        for n in 0..8 {
            store.commit(&commit(vec![Change::delete::<Email>(id(n))])).await.unwrap();
        }
        let report = store.blobs().compact(Duration::ZERO).await.unwrap();
        assert_eq!((report.forgotten, report.moved, report.segments_removed), (8, 2, 1));
        assert!(segment_bytes(place) < 250_000);
        for (n, blob) in ids.iter().enumerate() {
            let read = store.blobs().read(*blob).await;
            if n < 8 { assert!(matches!(read, Err(StoreError::NoBlob(_)))) } else { assert!(read.unwrap() == noise(n as u64, 100_000)) }
        }
        assert_eq!(store.blobs().compact(Duration::ZERO).await.unwrap().moved, 0);
    }

    async fn compaction_leaves_a_segment_alone_that_is_being_written(place, store) {
        let mut writer = store.blobs().writer();
        writer.begin(4).unwrap();
        writer.write(b"mine").unwrap();
        let written = writer.finish().unwrap();
        let places = writer.sync().await.unwrap();
        assert_eq!(store.blobs().compact(Duration::ZERO).await.unwrap().segments_removed, 0);
        store.commit(&commit(vec![email(1, written.id)]).with_blobs(places)).await.unwrap();
        assert_eq!(store.blobs().read(written.id).await.unwrap(), b"mine");
    }

    async fn an_update_may_refer_to_a_new_blob(place, store) {
        store.commit(&commit(vec![Change::create(Email::blank(id(1)))])).await.unwrap();
        let (written, places) = store.blobs().put(b"later").await.unwrap();
        let update = Update::of::<Email>(id(1)).set(Email::C.blob, Some(written.id.0.to_vec()));
        store.commit(&commit(vec![update.into()]).with_blobs(places)).await.unwrap();
        assert_eq!(store.blobs().read(written.id).await.unwrap(), b"later");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// The machine stops in the middle of a batch: the segment is cut, or its
    /// end is garbage. What was committed is there, and appending goes on.
    #[test]
    fn a_torn_tail_costs_nothing_that_was_committed(sizes in prop::collection::vec(0_usize..60_000, 1..6), cut in 0_u64..200_000, garbage: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let place = super::backend::Place::sqlite().await;
            let store = place.create().await;
            let committed = keep(&store, 1, &noise(99, 40_000)).await;
            let path = place.options.data_dir.join("blobs/segment-00000001");
            let durable = std::fs::metadata(&path).unwrap().len();
            let mut writer = store.blobs().writer();
            for (n, size) in sizes.iter().enumerate() {
                writer.begin(*size as u64).unwrap();
                writer.write(&noise(n as u64, *size)).unwrap();
                writer.finish().unwrap();
            }
            writer.sync().await.unwrap();
            drop(writer);
            drop(store);
            let mut bytes = std::fs::read(&path).unwrap();
            let keep_to = durable as usize + cut as usize % (bytes.len() - durable as usize + 1);
            if garbage {
                bytes[keep_to..].fill(0xA5);
            } else {
                bytes.truncate(keep_to);
            }
            std::fs::write(&path, bytes).unwrap();
            let store = Store::open(&place.options).await.unwrap();
            assert!(store.blobs().read(committed).await.unwrap() == noise(99, 40_000));
            let next = keep(&store, 2, &noise(7, 10_000)).await;
            let more = keep(&store, 3, &noise(8, 10_000)).await;
            assert!(store.blobs().read(next).await.unwrap() == noise(7, 10_000));
            assert!(store.blobs().read(more).await.unwrap() == noise(8, 10_000));
            assert!(store.blobs().verify(1, |_, _| ()).await.unwrap().is_empty());
        });
    }
}
