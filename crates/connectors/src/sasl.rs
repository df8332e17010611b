//! Proving who we are (RFC 4422), for IMAP, POP3 and SMTP alike.
//!
//! Mechanisms: SCRAM-SHA-256 (RFC 7677), PLAIN (RFC 4616), LOGIN (never
//! standardized, still the only one that some servers offer), OAUTHBEARER
//! (RFC 7628) and XOAUTH2 (Google and Microsoft).

use model::{Failure, Secret, Step};

mod scram;

use scram::Scram;

/// What a mailbox logs in with.
#[derive(Debug, Clone, PartialEq)]
pub enum Credentials {
    Password {
        user: String,
        password: Secret,
    },
    /// An access token (RFC 6750), as the authorization server gave it out.
    OAuth {
        user: String,
        token: Secret,
    },
}

impl Credentials {
    pub fn user(&self) -> &str {
        match self {
            Self::Password { user, .. } | Self::OAuth { user, .. } => user,
        }
    }
}

/// One exchange in progress. The bytes are raw; the protocol puts them into
/// base64.
///
/// With an initial response: [`Mechanism::initial`], then [`Mechanism::step`]
/// for every challenge. Without: `step` for every challenge, of which the first
/// is empty (or, with LOGIN, asks for the user name). When the server has said
/// yes: [`Mechanism::finish`].
pub struct Mechanism {
    kind: Kind,
    started: bool,
    /// What the server said of a refused token.
    refusal: Option<String>,
}

enum Kind {
    Scram(Box<Scram>),
    Plain { user: String, password: Secret },
    Login { user: String, password: Secret, sent: u8 },
    OAuthBearer { user: String, token: Secret },
    XOAuth2 { user: String, token: Secret },
}

impl Mechanism {
    /// The best mechanism that the server offers and that fits the
    /// credentials. Mechanisms that show the password are used only when
    /// `secured`: the stream is under TLS, or the operator allows clear text.
    pub fn choose(offered: &[&str], credentials: &Credentials, secured: bool) -> Option<Self> {
        let offers = |name: &str| offered.iter().any(|o| o.eq_ignore_ascii_case(name));
        let kind = match credentials {
            Credentials::Password { user, password } => {
                let (user, password) = (user.clone(), password.clone());
                if offers("SCRAM-SHA-256") {
                    Kind::Scram(Box::new(Scram::new(&user, &password, &scram::random_nonce()?)))
                } else if secured && offers("PLAIN") {
                    Kind::Plain { user, password }
                } else if secured && offers("LOGIN") {
                    Kind::Login { user, password, sent: 0 }
                } else {
                    return None;
                }
            }
            Credentials::OAuth { user, token } => {
                let (user, token) = (user.clone(), token.clone());
                if secured && offers("OAUTHBEARER") {
                    Kind::OAuthBearer { user, token }
                } else if secured && offers("XOAUTH2") {
                    Kind::XOAuth2 { user, token }
                } else {
                    return None;
                }
            }
        };
        Some(Self { kind, started: false, refusal: None })
    }

    /// The name as the server knows it.
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Scram(_) => "SCRAM-SHA-256",
            Kind::Plain { .. } => "PLAIN",
            Kind::Login { .. } => "LOGIN",
            Kind::OAuthBearer { .. } => "OAUTHBEARER",
            Kind::XOAuth2 { .. } => "XOAUTH2",
        }
    }

    /// What may be sent together with the command that starts the exchange
    /// (SASL-IR); `None` where the server has to speak first.
    pub fn initial(&mut self) -> Option<Vec<u8>> {
        if self.started || matches!(self.kind, Kind::Login { .. }) {
            return None;
        }
        self.started = true;
        Some(self.first_message())
    }

    /// The answer to one challenge.
    pub fn step(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Failure> {
        if let Some(first) = self.initial() {
            return Ok(first);
        }
        match &mut self.kind {
            Kind::Scram(scram) => scram.step(challenge),
            Kind::Plain { .. } => Err(one_too_many("PLAIN")),
            Kind::Login { user, password, sent } => {
                // Servers word the two questions as they like; the order is all there is.
                *sent = sent.saturating_add(1);
                match *sent {
                    1 => Ok(user.clone().into_bytes()),
                    2 => Ok(password.expose().as_bytes().to_vec()),
                    _ => Err(one_too_many("LOGIN")),
                }
            }
            // A challenge here says in JSON why the token was refused; after
            // our answer the command fails with the protocol's own words.
            Kind::OAuthBearer { .. } => {
                self.refusal = Some(printable(challenge));
                Ok(vec![1])
            }
            Kind::XOAuth2 { .. } => {
                self.refusal = Some(printable(challenge));
                Ok(Vec::new())
            }
        }
    }

    /// To be called when the server has accepted us: with SCRAM the server
    /// must have proved that it knows the password as well.
    pub fn finish(&self) -> Result<(), Failure> {
        match &self.kind {
            Kind::Scram(scram) if !scram.is_verified() => Err(Failure::garbled(
                Step::LogIn,
                "the server accepted the login without proving that it knows the password (SCRAM)",
            )),
            _ => Ok(()),
        }
    }

    /// What the server said of the token before it refused it.
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    fn first_message(&self) -> Vec<u8> {
        match &self.kind {
            Kind::Scram(scram) => scram.first(),
            Kind::Plain { user, password } => format!("\0{user}\0{}", password.expose()).into_bytes(),
            Kind::Login { .. } => Vec::new(),
            Kind::OAuthBearer { user, token } => {
                format!("n,a={},\x01auth=Bearer {}\x01\x01", scram::escape(user), token.expose()).into_bytes()
            }
            Kind::XOAuth2 { user, token } => {
                format!("user={user}\x01auth=Bearer {}\x01\x01", token.expose()).into_bytes()
            }
        }
    }
}

fn one_too_many(name: &str) -> Failure {
    Failure::garbled(Step::LogIn, format!("the server asked for more than {name} has to say"))
}

fn printable(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(400)];
    String::from_utf8_lossy(shown).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
