//! SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding.

use std::num::NonZeroU32;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::{constant_time, digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use model::{Failure, Secret, Step};
use zeroize::Zeroizing;

/// A server that asks for more wants our processor, not our password.
const MOST_ITERATIONS: u32 = 1_000_000;

/// The `gs2-header` "no channel binding", and how it reads in base64.
const GS2: &str = "n,,";
const GS2_BASE64: &str = "biws";

pub(super) struct Scram {
    /// `client-first-message-bare`
    first_bare: String,
    nonce: String,
    password: Zeroizing<String>,
    state: State,
}

enum State {
    /// Waiting for the server's nonce, salt and count.
    First,
    /// Waiting for this signature.
    Final(Vec<u8>),
    Verified,
}

/// Printable, without commas; `None` only when the system has no randomness.
pub(super) fn random_nonce() -> Option<String> {
    let mut bytes = [0; 18];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(BASE64.encode(bytes))
}

/// `saslname`: commas and equals signs have their own spelling.
pub(super) fn escape(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

impl Scram {
    pub(super) fn new(user: &str, password: &Secret, nonce: &str) -> Self {
        // What SASLprep (RFC 4013) refuses may still be what the server stored.
        let user = stringprep::saslprep(user).unwrap_or(user.into());
        let prepared = stringprep::saslprep(password.expose()).unwrap_or(password.expose().into());
        Self {
            first_bare: format!("n={},r={nonce}", escape(&user)),
            nonce: nonce.to_owned(),
            password: Zeroizing::new(prepared.into_owned()),
            state: State::First,
        }
    }

    /// `client-first-message`
    pub(super) fn first(&self) -> Vec<u8> {
        format!("{GS2}{}", self.first_bare).into_bytes()
    }

    pub(super) fn step(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Failure> {
        let challenge = std::str::from_utf8(challenge).map_err(|_| garbled("its message is not text"))?;
        match &self.state {
            State::First => self.answer(challenge),
            State::Final(expected) => {
                if let Some(error) = attribute(challenge, 'e') {
                    return Err(Failure::new(
                        model::FailureKind::Credentials,
                        Step::LogIn,
                        format!("the server refused the login: {}", super::printable(error.as_bytes())),
                    ));
                }
                let signature = attribute(challenge, 'v').and_then(|v| BASE64.decode(v).ok());
                let signature = signature.ok_or_else(|| garbled("its signature is missing"))?;
                constant_time::verify_slices_are_equal(&signature, expected)
                    .map_err(|_| garbled("its signature is wrong, so it does not know the password"))?;
                self.state = State::Verified;
                Ok(Vec::new())
            }
            State::Verified => Err(garbled("it goes on after the end")),
        }
    }

    pub(super) fn is_verified(&self) -> bool {
        matches!(self.state, State::Verified)
    }

    /// `server-first-message` → `client-final-message`
    fn answer(&mut self, server_first: &str) -> Result<Vec<u8>, Failure> {
        if server_first.starts_with("m=") {
            return Err(garbled("it demands an extension that is not known"));
        }
        let nonce = attribute(server_first, 'r').ok_or_else(|| garbled("the nonce is missing"))?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(garbled("the nonce is not ours"));
        }
        let salt = attribute(server_first, 's').and_then(|s| BASE64.decode(s).ok());
        let salt = salt.ok_or_else(|| garbled("the salt is missing"))?;
        let count = attribute(server_first, 'i').and_then(|i| i.parse::<NonZeroU32>().ok());
        let count = count.ok_or_else(|| garbled("the iteration count is missing"))?;
        if count.get() > MOST_ITERATIONS {
            return Err(garbled("the iteration count is absurd"));
        }
        let mut salted = Zeroizing::new([0; 32]);
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, count, &salt, self.password.as_bytes(), &mut *salted);
        let without_proof = format!("c={GS2_BASE64},r={nonce}");
        let auth_message = format!("{},{server_first},{without_proof}", self.first_bare);
        let client_key = mac(&*salted, b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, client_key.as_ref());
        let client_signature = mac(stored_key.as_ref(), auth_message.as_bytes());
        let proof: Vec<u8> =
            client_key.as_ref().iter().zip(client_signature.as_ref()).map(|(key, signature)| key ^ signature).collect();
        let server_key = mac(&*salted, b"Server Key");
        self.state = State::Final(mac(server_key.as_ref(), auth_message.as_bytes()).as_ref().to_vec());
        Ok(format!("{without_proof},p={}", BASE64.encode(proof)).into_bytes())
    }
}

fn mac(key: &[u8], message: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
}

/// The value of `name=value` in a comma-separated list.
fn attribute(message: &str, name: char) -> Option<&str> {
    message.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

fn garbled(what: &str) -> Failure {
    Failure::garbled(Step::LogIn, format!("the server does SCRAM-SHA-256 wrongly: {what}"))
}
