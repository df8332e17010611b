//! IMAP4rev1 and IMAP4rev2 (RFC 3501, RFC 9051), with what servers really say.
//!
//! [`Client::greet`] → [`Client::log_in`] → [`Session`] → [`ImapReader`]: being
//! logged in is a type. Everything is generic over the byte stream; only
//! [`connect`] knows of sockets.

use model::{Failure, FailureKind, Step};

use crate::net::{Dialed, Dialer, Endpoint, Stream};
use crate::sasl::Credentials;

mod append;
mod capabilities;
mod client;
mod codes;
mod command;
mod date;
mod engine;
mod fetch;
mod idle;
mod names;
mod probe;
mod reader;
#[cfg(test)]
mod script;
mod sequence;
mod session;
mod settle;
mod transport;
pub mod wire;

pub use capabilities::Capabilities;
pub use client::{Client, Greeting};
pub use fetch::Listed;
pub use probe::{hello, probe};
pub use reader::ImapReader;
pub use sequence::SequenceSet;
pub use session::{Folder, OpenFolder, Options, Session};
pub use settle::{HeaderDigest, header_digest};

/// Connects, secures and logs in. `options: None` takes [`Options::for_stream`].
pub async fn connect(
    dialer: &Dialer,
    endpoint: &Endpoint,
    credentials: &Credentials,
    options: Option<Options>,
) -> Result<Session<Stream>, Failure> {
    let dialed = dialer.connect(endpoint).await?;
    let options = options.unwrap_or_else(|| Options::for_stream(&dialed.stream));
    let mut session = match greet(dialer, endpoint, dialed).await? {
        Greeting::Client(client) => client.log_in(credentials, true).await?,
        Greeting::Session(session) => session,
    };
    session.settle_in(options).await?;
    Ok(session)
}

/// Reads the greeting and does STARTTLS where it is due. What comes out may be
/// told passwords: it is under TLS, or the operator allows clear text.
pub(crate) async fn greet(dialer: &Dialer, endpoint: &Endpoint, dialed: Dialed) -> Result<Greeting<Stream>, Failure> {
    let patience = endpoint.command_timeout;
    let greeted = Client::greet(dialed.stream, patience).await?;
    if !dialed.must_start_tls {
        return Ok(greeted);
    }
    match greeted {
        Greeting::Client(client) => {
            let words = client.greeting().to_owned();
            let stream = client.start_tls().await?;
            let stream = dialer.start_tls(stream, &endpoint.host, endpoint.connect_timeout).await?;
            Ok(Greeting::Client(Client::after_tls(stream, patience, words).await?))
        }
        // Being known already forbids STARTTLS; somebody in between may want just that.
        Greeting::Session(_) => Err(Failure::new(
            FailureKind::Misconfigured,
            Step::Tls,
            "the server greets with PREAUTH, so the connection cannot be secured by STARTTLS",
        )),
    }
}
