//! Resolving, checking, connecting, negotiating TLS.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::probe::Recorder;
use model::{Failure, FailureKind, Step};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::stream::Inner;
use super::{Endpoint, Names, NetConfig, Network, Security, Stream, deadline, network, tls};

/// Opens connections. Shared by all of a process: it remembers TLS sessions
/// and how servers on unusual ports want to be spoken to.
pub struct Dialer {
    tls: TlsConnector,
    allow_insecure: bool,
    allow_networks: Vec<Network>,
    /// Where the operator names servers to ask; otherwise the system looks up.
    names: Option<Names>,
    /// What [`Security::Auto`] found out.
    found: Mutex<BTreeMap<(String, u16), Security>>,
}

/// A connection that stands.
#[derive(Debug)]
pub struct Dialed {
    pub stream: Stream,
    /// TLS stands already. Where not: the protocol must do STARTTLS
    /// (`must_start_tls`), or the operator allows clear text.
    pub secured: bool,
    /// The protocol must secure the stream before anything secret is said, and
    /// give up (`Misconfigured`) where the server cannot.
    pub must_start_tls: bool,
    pub peer: SocketAddr,
    /// What was seen, for a probe's report.
    pub notes: Vec<(Step, String)>,
}

impl Dialer {
    pub fn new(config: NetConfig) -> Result<Self, Failure> {
        Ok(Self {
            tls: TlsConnector::from(tls::client_config(&config.extra_ca)?),
            allow_insecure: config.allow_insecure,
            allow_networks: config.allow_networks,
            names: if config.name_servers.is_empty() { None } else { Some(Names::of(&config.name_servers)?) },
            found: Mutex::new(BTreeMap::new()),
        })
    }

    /// Whether the operator lets anything leave in clear text.
    pub fn allows_clear_text(&self) -> bool {
        self.allow_insecure
    }

    /// Who is asked for records of other kinds than addresses.
    ///
    /// # Errors
    /// `Misconfigured` when the system does not say whom it asks.
    pub fn names(&self) -> Result<Names, Failure> {
        self.names.clone().map_or_else(Names::system, Ok)
    }

    /// Resolves, checks the addresses, connects, and negotiates TLS where it
    /// comes first.
    pub async fn connect(&self, endpoint: &Endpoint) -> Result<Dialed, Failure> {
        let mut seen = Recorder::silent();
        let dialed = self.connect_reporting(endpoint, &mut seen).await?;
        let notes = seen.into_report().steps.into_iter().map(|seen| (seen.step, seen.said)).collect();
        Ok(Dialed { notes, ..dialed })
    }

    /// The same for a probe, which is told of every step that went well, also
    /// before one that did not.
    pub async fn connect_reporting(&self, endpoint: &Endpoint, report: &mut Recorder<'_>) -> Result<Dialed, Failure> {
        check_host(&endpoint.host)?;
        let security = self.decide(endpoint);
        if security == Security::Plain && !self.allow_insecure {
            let detail = "connections without TLS are not allowed here; choose TLS or STARTTLS, or have the operator \
                          set [servers] allow_insecure";
            return Err(Failure::new(FailureKind::Misconfigured, Step::Connect, detail));
        }
        let addresses = self.resolve(endpoint, report).await?;
        let (tcp, peer) = open(endpoint, &addresses, report).await?;
        match security {
            Security::Tls => self.with_tls(endpoint, tcp, peer, report).await,
            Security::StartTls | Security::Plain => Ok(in_clear(tcp, peer, security)),
            Security::Auto => self.find_out(endpoint, tcp, peer, &addresses, report).await,
        }
    }

    /// Negotiates TLS on a stream that was in clear text so far.
    pub async fn start_tls(&self, stream: Stream, host: &str, timeout: Duration) -> Result<Stream, Failure> {
        match stream.0 {
            Inner::Tls(_) => Err(Failure::garbled(Step::Tls, "TLS stands already")),
            Inner::Tcp(tcp) => {
                let stream = self.handshake(tcp, host, timeout).await?.map_err(|e| handshake_failure(host, &e))?;
                Ok(Stream(Inner::Tls(Box::new(stream))))
            }
        }
    }

    /// Which way to go; [`Security::Auto`] remains where only trying tells.
    fn decide(&self, endpoint: &Endpoint) -> Security {
        if endpoint.security != Security::Auto {
            return endpoint.security;
        }
        match endpoint.port {
            993 | 995 | 465 => Security::Tls,
            143 | 110 | 587 | 25 => Security::StartTls,
            _ => {
                let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
                found.get(&key(endpoint)).copied().unwrap_or(Security::Auto)
            }
        }
    }

    async fn find_out(
        &self,
        endpoint: &Endpoint,
        tcp: TcpStream,
        peer: SocketAddr,
        addresses: &[SocketAddr],
        report: &mut Recorder<'_>,
    ) -> Result<Dialed, Failure> {
        match self.handshake(tcp, &endpoint.host, endpoint.connect_timeout).await? {
            Ok(stream) => {
                self.remember(endpoint, Security::Tls);
                Ok(secured(stream, peer, report))
            }
            Err(error) if tls::is_not_tls(&error) => {
                report
                    .passed(Step::Connect, "the server speaks in clear text first; going on with STARTTLS".to_owned());
                let (tcp, peer) = open(endpoint, addresses, report).await?;
                self.remember(endpoint, Security::StartTls);
                Ok(in_clear(tcp, peer, Security::StartTls))
            }
            Err(error) => Err(handshake_failure(&endpoint.host, &error)),
        }
    }

    fn remember(&self, endpoint: &Endpoint, security: Security) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.insert(key(endpoint), security);
    }

    async fn with_tls(
        &self,
        endpoint: &Endpoint,
        tcp: TcpStream,
        peer: SocketAddr,
        report: &mut Recorder<'_>,
    ) -> Result<Dialed, Failure> {
        let host = &endpoint.host;
        let stream = self.handshake(tcp, host, endpoint.connect_timeout).await?;
        let stream = stream.map_err(|e| {
            self.forget(endpoint);
            handshake_failure(host, &e)
        })?;
        Ok(secured(stream, peer, report))
    }

    /// A server that has changed its mind is asked anew next time.
    fn forget(&self, endpoint: &Endpoint) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.remove(&key(endpoint));
    }

    async fn handshake(
        &self,
        tcp: TcpStream,
        host: &str,
        limit: Duration,
    ) -> Result<io::Result<TlsStream<TcpStream>>, Failure> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| not_a_host(host))?;
        deadline(limit, Step::Tls, "TLS negotiation", async { Ok(self.tls.connect(name, tcp).await) }).await
    }

    /// All addresses of the host that may be used.
    async fn resolve(&self, endpoint: &Endpoint, report: &mut Recorder<'_>) -> Result<Vec<SocketAddr>, Failure> {
        let host = &endpoint.host;
        // RFC 6761: the name never exists, whatever a resolver says.
        if host.ends_with(".invalid") {
            return Err(unknown_host(host));
        }
        let lookup = async {
            if let Some(names) = &self.names {
                let found = names.addresses(host).await?;
                return Ok(found.into_iter().map(|address| SocketAddr::new(address, endpoint.port)).collect());
            }
            let found = tokio::net::lookup_host((host.as_str(), endpoint.port)).await;
            found.map(Iterator::collect::<Vec<_>>).map_err(|e| lookup_failure(host, &e))
        };
        let mut found = deadline(endpoint.connect_timeout, Step::Resolve, "name resolution", lookup).await?;
        let mut seen = std::collections::BTreeSet::new();
        found.retain(|a| seen.insert(*a));
        let names: Vec<_> = found.iter().map(|a| a.ip().to_string()).collect();
        let (usable, refused): (Vec<_>, Vec<_>) = found.into_iter().partition(|a| self.may_reach(a.ip()));
        match (usable.is_empty(), refused.first()) {
            (true, None) => Err(unknown_host(host)),
            (true, Some(first)) => Err(not_allowed(host, first.ip())),
            (false, _) => {
                report.passed(Step::Resolve, format!("{host} has the address {}", names.join(", ")));
                Ok(usable)
            }
        }
    }

    fn may_reach(&self, address: IpAddr) -> bool {
        network::special(address).is_none() || self.allow_networks.iter().any(|n| n.contains(address))
    }
}

fn key(endpoint: &Endpoint) -> (String, u16) {
    (endpoint.host.to_ascii_lowercase(), endpoint.port)
}

fn secured(stream: TlsStream<TcpStream>, peer: SocketAddr, report: &mut Recorder<'_>) -> Dialed {
    report.passed(Step::Tls, describe(&stream));
    let stream = Stream(Inner::Tls(Box::new(stream)));
    Dialed { stream, secured: true, must_start_tls: false, peer, notes: Vec::new() }
}

fn in_clear(tcp: TcpStream, peer: SocketAddr, security: Security) -> Dialed {
    let stream = Stream(Inner::Tcp(tcp));
    Dialed { stream, secured: false, must_start_tls: security == Security::StartTls, peer, notes: Vec::new() }
}

fn describe(stream: &TlsStream<TcpStream>) -> String {
    let session = stream.get_ref().1;
    let version = match session.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
        _ => "TLS",
    };
    match session.peer_certificates().and_then(|c| c.first()).and_then(|c| tls::valid_until(c)) {
        Some(until) => format!("{version}, certificate valid until {until}"),
        None => version.to_owned(),
    }
}

impl Stream {
    /// What a probe says of the TLS on this stream; `None` without TLS.
    pub fn tls_summary(&self) -> Option<String> {
        match &self.0 {
            Inner::Tcp(_) => None,
            Inner::Tls(stream) => Some(describe(stream)),
        }
    }
}

/// Tries one address after the other.
async fn open(
    endpoint: &Endpoint,
    addresses: &[SocketAddr],
    report: &mut Recorder<'_>,
) -> Result<(TcpStream, SocketAddr), Failure> {
    let mut reasons = Vec::new();
    for &address in addresses {
        let attempt = async {
            let stream = TcpStream::connect(address).await;
            stream.map_err(|e| Failure::temporary(Step::Connect, e.to_string()))
        };
        match deadline(endpoint.connect_timeout, Step::Connect, "connecting", attempt).await {
            Ok(stream) => {
                // Commands are written whole; waiting for more would only delay them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY could not be set");
                }
                report.passed(Step::Connect, format!("connected to {address}"));
                return Ok((stream, address));
            }
            Err(failure) => reasons.push(format!("{address}: {}", failure.detail)),
        }
    }
    let detail = format!("{} port {} cannot be reached ({})", endpoint.host, endpoint.port, reasons.join("; "));
    Err(Failure::temporary(Step::Connect, detail))
}

/// A host name or address and nothing else: what a person typed must not be
/// able to smuggle anything into a command or a log.
fn check_host(host: &str) -> Result<(), Failure> {
    let fits = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':') || (!c.is_ascii() && c.is_alphanumeric())
    };
    let is_address = host.parse::<IpAddr>().is_ok();
    if host.is_empty() || host.len() > 253 || !host.chars().all(fits) || (host.contains(':') && !is_address) {
        return Err(not_a_host(host));
    }
    Ok(())
}

fn not_a_host(host: &str) -> Failure {
    let shown: String = host.chars().take(80).map(|c| if c.is_control() { '?' } else { c }).collect();
    let detail =
        format!("'{shown}' is not a host name; write it without scheme, port or blanks, like mail.example.com");
    Failure::new(FailureKind::Misconfigured, Step::Resolve, detail)
}

fn unknown_host(host: &str) -> Failure {
    let detail = format!("there is no host '{host}'; check the spelling of the server location");
    Failure::new(FailureKind::Misconfigured, Step::Resolve, detail)
}

fn lookup_failure(host: &str, error: &io::Error) -> Failure {
    let text = error.to_string();
    // EAI_NONAME and EAI_NODATA have no ErrorKind of their own.
    if text.contains("not known") || text.contains("No address associated") || text.contains("nodename nor servname") {
        return unknown_host(host);
    }
    Failure::temporary(Step::Resolve, format!("'{host}' could not be resolved: {text}"))
}

fn not_allowed(host: &str, address: IpAddr) -> Failure {
    let kind = network::special(address).unwrap_or("special");
    let detail = format!(
        "{host} is {address}, a {kind} address, which is not allowed as a server location; the operator can allow it \
         in [servers] allow_networks"
    );
    Failure::new(FailureKind::Misconfigured, Step::Resolve, detail)
}

fn handshake_failure(host: &str, error: &io::Error) -> Failure {
    match error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) {
        Some(tls) => tls::failure(Step::Tls, host, tls),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            Failure::temporary(Step::Tls, "the server closed the connection while TLS was negotiated")
        }
        None => Failure::temporary(Step::Tls, format!("TLS failed: {error}")),
    }
}

#[cfg(test)]
mod tests;
