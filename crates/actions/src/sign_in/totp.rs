//! RFC 6238 as authenticator programs have it: SHA-1, six digits, 30 seconds.

use aws_lc_rs::{constant_time, hmac};
use jiff::Timestamp;
use model::tables::Login;
use model::{Entity, Id};
use store::Store;

use crate::error::ActionError;
use crate::sign_in::base32;

/// The column that holds a key, sealed.
pub(super) const COLUMN: &str = "pr_totpsecret";

/// The key of a user, where there is one.
pub(super) async fn key(store: &Store, user: Id) -> Result<Option<Vec<u8>>, ActionError> {
    let sealed = store.reveal(Login::TABLE, user, COLUMN).await?;
    Ok(sealed.and_then(|key| base32::decode(key.expose())))
}

const STEP: i64 = 30;
/// Steps before and after the present one: clocks differ, people type slowly.
const AROUND: i64 = 1;

/// The step whose code this is; later than `last`, so that a code that was
/// seen over a shoulder is good for nothing.
pub(super) fn accepted(key: &[u8], code: &str, last: i64, now: Timestamp) -> Option<i64> {
    let typed: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let present = now.as_second().div_euclid(STEP);
    let mut found = None;
    for step in present - AROUND..=present + AROUND {
        let right = constant_time::verify_slices_are_equal(of(key, step).as_bytes(), typed.as_bytes()).is_ok();
        if right && step > last {
            found = Some(step);
        }
    }
    found
}

/// RFC 4226, section 5.3.
fn of(key: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let digest = tag.as_ref();
    let offset = usize::from(digest.last().copied().unwrap_or(0) & 15);
    let bytes = digest.get(offset..offset + 4).and_then(|four| <[u8; 4]>::try_from(four).ok()).unwrap_or_default();
    format!("{:06}", (u32::from_be_bytes(bytes) & 0x7FFF_FFFF) % 1_000_000)
}

/// What authenticator programs read from a QR code or take as a link.
pub(super) fn uri(issuer: &str, user: &str, key: &[u8]) -> String {
    let escaped =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let issuer = escaped(issuer);
    format!(
        "otpauth://totp/{issuer}:{}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period={STEP}",
        escaped(user),
        base32::encode(key)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"12345678901234567890";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// RFC 6238, appendix B, the last six digits.
    #[track_caller]
    fn check(second: i64, code: &str) {
        assert_eq!(of(KEY, second / STEP), code);
        assert_eq!(accepted(KEY, code, 0, at(second)), Some(second / STEP));
    }

    #[test]
    fn the_vectors_of_the_rfc() {
        check(59, "287082");
        check(1_111_111_109, "081804");
        check(1_111_111_111, "050471");
        check(1_234_567_890, "005924");
        check(2_000_000_000, "279037");
        check(20_000_000_000, "353130");
    }
    #[test]
    fn one_step_around() {
        assert_eq!(accepted(KEY, "287082", 0, at(59 + 30)), Some(1));
        assert_eq!(accepted(KEY, "287082", 0, at(59 + 31)), None);
        assert_eq!(accepted(KEY, "287082", 0, at(0)), Some(1));
    }
    #[test]
    fn none_is_good_twice() {
        assert_eq!(accepted(KEY, "287082", 1, at(59)), None);
        assert_eq!(accepted(KEY, "287082", 2, at(59)), None);
    }
    #[test]
    fn as_people_type_it() {
        assert_eq!(accepted(KEY, " 287 082", 0, at(59)), Some(1));
        assert_eq!(accepted(KEY, "28708", 0, at(59)), None);
        assert_eq!(accepted(KEY, "", 0, at(59)), None);
        assert_eq!(accepted(KEY, "２８７０８２", 0, at(59)), None);
    }
    #[test]
    fn the_link() {
        let uri = uri("Post room", "ann@example.com", KEY);
        assert_eq!(
            uri,
            "otpauth://totp/Post%20room:ann%40example%2Ecom?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Post%20room&algorithm=SHA1&digits=6&period=30"
        );
    }
}
