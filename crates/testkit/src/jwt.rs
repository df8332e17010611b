//! Bearer tokens as an OAuth 2.0 provider would issue them (RFC 7519, HS256).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// The secret that signs a test's tokens and that its servers know as well.
pub(crate) const SECRET: &[u8; 32] = b"a secret that only tests know ..";

/// A token for the account `address`, valid until `expires`.
pub fn token(address: &str, expires: Timestamp) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let claims =
        format!(r#"{{"email":"{address}","sub":"{address}","iss":"testkit","iat":0,"exp":{}}}"#, expires.as_second());
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(hmac(SECRET, signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// HMAC-SHA-256 (RFC 2104) for a key of up to 64 bytes.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test case 2 of RFC 4231.
    #[test]
    fn hmac_is_the_standard_one() {
        let digest = hmac(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(digest[..4], [0x5b, 0xdc, 0xc1, 0x46]);
        assert_eq!(digest[28..], [0x64, 0xec, 0x38, 0x43]);
    }

    #[test]
    fn a_token_has_three_parts_without_padding() {
        let token = token("anna@sales.test", Timestamp::UNIX_EPOCH);
        assert_eq!(token.split('.').count(), 3);
        assert!(!token.contains('='));
    }
}
