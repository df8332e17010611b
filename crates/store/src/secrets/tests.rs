//! Sealing and the key file.

use std::os::unix::fs::PermissionsExt as _;

use model::{Id, Ref, Secret};

use super::Keys;

fn row(n: u128) -> Ref {
    Ref::new("mailbox", Id::from_u128(n))
}

#[test]
fn what_is_sealed_opens_in_its_place_only() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::create(&dir.path().join("keys")).unwrap();
    let sealed = keys.seal(row(1), "password", &Secret::new("sesame")).unwrap();
    assert_eq!(keys.unseal(row(1), "password", &sealed).unwrap().expose(), "sesame");
    assert!(keys.unseal(row(2), "password", &sealed).is_err());
    assert!(keys.unseal(row(1), "oauthaccesstoken", &sealed).is_err());
}

#[test]
fn the_same_secret_never_looks_the_same_twice() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::create(&dir.path().join("keys")).unwrap();
    let one = keys.seal(row(1), "password", &Secret::new("x")).unwrap();
    let two = keys.seal(row(1), "password", &Secret::new("x")).unwrap();
    assert_ne!(one.bytes, two.bytes);
}

#[test]
fn a_changed_byte_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::create(&dir.path().join("keys")).unwrap();
    let mut sealed = keys.seal(row(1), "password", &Secret::new("sesame")).unwrap();
    sealed.bytes[0] ^= 1;
    assert!(keys.unseal(row(1), "password", &sealed).is_err());
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys");
    Keys::create(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let error = Keys::open(&path).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("chmod 600"), "{error}");
}

#[test]
fn a_damaged_key_file_is_refused_without_showing_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys");
    Keys::create(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.len() - 20]).unwrap();
    let error = Keys::open(&path).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("damaged") && !error.contains(&text[10..30]), "{error}");
}

#[test]
fn a_key_that_another_process_added_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys");
    let ours = Keys::create(&path).unwrap();
    let theirs = Keys::open(&path).unwrap();
    theirs.add(None).unwrap();
    let sealed = theirs.seal(row(1), "password", &Secret::new("sesame")).unwrap();
    assert_eq!(ours.unseal(row(1), "password", &sealed).unwrap().expose(), "sesame");
}

#[test]
fn a_dropped_key_opens_nothing_and_the_message_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::create(&dir.path().join("keys")).unwrap();
    let sealed = keys.seal(row(1), "password", &Secret::new("sesame")).unwrap();
    let fresh = keys.add(Some(7)).unwrap();
    keys.keep_only(&fresh).unwrap();
    let error = keys.unseal(row(1), "password", &sealed).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("key file"), "{error}");
}

#[test]
fn nothing_is_sealed_with_a_key_that_another_process_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys");
    let ours = Keys::create(&path).unwrap();
    let theirs = Keys::open(&path).unwrap();
    let fresh = theirs.add(Some(7)).unwrap();
    theirs.keep_only(&fresh).unwrap();
    let sealed = ours.seal(row(1), "password", &Secret::new("sesame")).unwrap();
    assert_eq!(sealed.key, fresh);
    assert_eq!(Keys::open(&path).unwrap().unseal(row(1), "password", &sealed).unwrap().expose(), "sesame");
}

#[test]
fn when_a_key_was_made_is_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys");
    let keys = Keys::create(&path).unwrap();
    keys.add(Some(1_800_000_000)).unwrap();
    let made: Vec<Option<i64>> = keys.states().unwrap().into_iter().map(|(_, made)| made).collect();
    assert_eq!(made, [None, Some(1_800_000_000)]);
}
