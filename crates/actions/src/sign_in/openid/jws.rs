//! Signed tokens of others (RFC 7515) and their keys (RFC 7517): RS256, PS256
//! and ES256. `none` and keys that both sides know are no signatures.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// Octets of a token that is looked at.
const LONGEST: usize = 64 * 1024;
/// Keys of a set that are looked at.
const MOST: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alg {
    Rs256,
    Ps256,
    Es256,
}

impl Alg {
    fn named(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Public {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// 4, x, y.
    Point(Vec<u8>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    id: Option<String>,
    alg: Option<Alg>,
    public: Public,
}

/// The keys of a set that can verify something; others are passed over, as the
/// standard asks.
pub(super) fn key_set(document: &Map<String, Value>) -> Vec<Key> {
    let keys = document.get("keys").and_then(Value::as_array);
    keys.into_iter().flatten().take(MOST).filter_map(key).collect()
}

fn key(value: &Value) -> Option<Key> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?.trim_end_matches('=')).ok();
    if text("use").is_some_and(|kind| kind != "sig") {
        return None;
    }
    let alg = match text("alg") {
        Some(name) => Some(Alg::named(name)?),
        None => None,
    };
    let public = match text("kty")? {
        "RSA" => Public::Rsa { n: bytes("n")?, e: bytes("e")? },
        "EC" if text("crv") == Some("P-256") => {
            let (x, y) = (bytes("x")?, bytes("y")?);
            if x.len() != 32 || y.len() != 32 {
                return None;
            }
            Public::Point([vec![4], x, y].concat())
        }
        _ => return None,
    };
    Some(Key { id: text("kid").map(str::to_owned), alg, public })
}

/// A token that was taken apart and not verified yet.
pub(super) struct Token<'a> {
    alg: Alg,
    key: Option<String>,
    signed: &'a str,
    signature: Vec<u8>,
    claims: Map<String, Value>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unverified {
    /// The set has no such key: it may be older than the token.
    UnknownKey,
    Wrong,
}

pub(super) fn take_apart(text: &str) -> Result<Token<'_>, &'static str> {
    if text.len() > LONGEST {
        return Err("the ID token is too long");
    }
    let garbled = "the ID token is no signed token";
    let (signed, signature) = text.rsplit_once('.').ok_or(garbled)?;
    let (header, claims) = signed.split_once('.').ok_or(garbled)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| garbled);
    let object = |part: &str| serde_json::from_slice::<Map<String, Value>>(&decode(part)?).map_err(|_| garbled);
    let header = object(header)?;
    let named = |name: &str| header.get(name).and_then(Value::as_str);
    let alg = named("alg").and_then(Alg::named).ok_or("the ID token is not signed with RS256, PS256 or ES256")?;
    if header.contains_key("crit") {
        return Err("the ID token demands what is not known here (crit)");
    }
    if header.get("typ").is_some_and(|typ| !typ.as_str().is_some_and(|typ| typ.eq_ignore_ascii_case("JWT"))) {
        return Err("the token is no ID token but one of another type");
    }
    Ok(Token {
        alg,
        key: named("kid").map(str::to_owned),
        signed,
        signature: decode(signature)?,
        claims: object(claims)?,
    })
}

impl Token<'_> {
    /// What the token says, once one of the keys verified it.
    pub fn verified(&self, keys: &[Key]) -> Result<&Map<String, Value>, Unverified> {
        let fits = |key: &&Key| {
            let kind = matches!((self.alg, &key.public), (Alg::Es256, Public::Point(_)))
                || matches!((self.alg, &key.public), (Alg::Rs256 | Alg::Ps256, Public::Rsa { .. }));
            kind && key.alg.is_none_or(|alg| alg == self.alg) && (self.key.is_none() || key.id == self.key)
        };
        let fitting: Vec<&Key> = keys.iter().filter(fits).collect();
        if fitting.is_empty() {
            return Err(Unverified::UnknownKey);
        }
        // A token that names no key may have been signed with any of them.
        if fitting.iter().any(|key| self.is_signed_by(key)) {
            return Ok(&self.claims);
        }
        Err(if self.key.is_none() { Unverified::UnknownKey } else { Unverified::Wrong })
    }

    fn is_signed_by(&self, key: &Key) -> bool {
        let message = self.signed.as_bytes();
        let rsa = |parameters: &RsaParameters, n: &Vec<u8>, e: &Vec<u8>| {
            RsaPublicKeyComponents { n, e }.verify(parameters, message, &self.signature).is_ok()
        };
        match (self.alg, &key.public) {
            (Alg::Rs256, Public::Rsa { n, e }) => rsa(&RSA_PKCS1_2048_8192_SHA256, n, e),
            (Alg::Ps256, Public::Rsa { n, e }) => rsa(&RSA_PSS_2048_8192_SHA256, n, e),
            (Alg::Es256, Public::Point(point)) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, &self.signature).is_ok()
            }
            _ => false,
        }
    }
}
