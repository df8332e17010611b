//! TCP, TLS and name resolution: how every conversation begins.
//!
//! Certificates are always verified. Which addresses may be reached and which
//! further authorities are trusted is said by the operator ([`NetConfig`]),
//! never by a record.

use std::time::Duration;

use model::{Failure, FailureKind, Step};
use rustls_pki_types::CertificateDer;

mod dialer;
pub mod names;
mod network;
mod stream;
mod tls;
pub mod transcript;

pub use dialer::{Dialed, Dialer};
pub use names::Names;
pub use network::Network;
pub use stream::Stream;
pub use transcript::Transcript;

/// What only the operator of the installation may open: `[servers]` of the
/// configuration file.
#[derive(Debug, Clone, Default)]
pub struct NetConfig {
    /// Trusted besides the authorities of the operating system.
    pub extra_ca: Vec<CertificateDer<'static>>,
    /// Whether [`Security::Plain`] may be used at all.
    pub allow_insecure: bool,
    /// Loopback, link-local and private networks that may be reached nevertheless.
    pub allow_networks: Vec<Network>,
    /// Asked for names instead of those that the operating system asks.
    pub name_servers: Vec<std::net::SocketAddr>,
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Security {
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// In clear text until `STARTTLS`/`STLS`, which the protocol must do.
    StartTls,
    /// By the well-known port; on other ports TLS is tried first, and
    /// `STARTTLS` when the server answers in clear text. Never plain.
    Auto,
    /// No protection; only where the operator allows it.
    Plain,
}

/// A server and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// A host name or an address, without scheme, port or brackets.
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// For name resolution, for TCP and for TLS, each.
    pub connect_timeout: Duration,
    /// How long the server may be silent while a command runs.
    pub command_timeout: Duration,
}

/// Runs `future` for at most `limit`; a time-out is a temporary failure that
/// names `what` was waited for.
pub async fn deadline<T>(
    limit: Duration,
    during: Step,
    what: &str,
    future: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(limit, future).await {
        Ok(result) => result,
        Err(_) => Err(Failure::temporary(during, format!("no answer within {} s ({what})", limit.as_secs_f32()))),
    }
}

/// What an error of the stream means. Trouble with TLS is told apart from
/// trouble with the network.
pub fn stream_failure(during: Step, error: &std::io::Error) -> Failure {
    if let Some(tls) = error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) {
        return tls::failure(during, "", tls);
    }
    let detail = match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
        std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe => {
            format!("the connection was lost ({error})")
        }
        _ => format!("the connection failed: {error}"),
    };
    Failure::new(FailureKind::Temporary, during, detail)
}
