//! Asking DNS for more than addresses: which hosts take a domain's mail, and
//! where its services are.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ServerOrderingStrategy};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use model::{Failure, FailureKind, Step};

/// One question to one server, and how often it is asked.
const PATIENCE: Duration = Duration::from_secs(3);
const ATTEMPTS: usize = 1;

/// A resolver. Cheap to clone; clones share what they remember.
#[derive(Clone)]
pub struct Names(TokioResolver);

/// A record of type SRV (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Srv {
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    /// Without the final dot; empty: the service is not offered.
    pub target: String,
}

impl Names {
    /// Asks the servers that the operating system asks.
    ///
    /// # Errors
    /// `Misconfigured` when the system does not say which those are.
    pub fn system() -> Result<Self, Failure> {
        let builder = TokioResolver::builder_tokio().map_err(|e| unusable(&e))?;
        Self::built(builder)
    }

    /// Asks these servers and no others.
    ///
    /// # Errors
    /// `Misconfigured` when they cannot be asked.
    pub fn of(servers: &[SocketAddr]) -> Result<Self, Failure> {
        let servers = servers.iter().map(|server| {
            let at = |mut connection: ConnectionConfig| {
                connection.port = server.port();
                connection
            };
            let ways = vec![at(ConnectionConfig::udp()), at(ConnectionConfig::tcp())];
            NameServerConfig::new(server.ip(), true, ways)
        });
        let config = ResolverConfig::from_name_servers(servers.collect());
        Self::built(TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()))
    }

    fn built(mut builder: hickory_resolver::ResolverBuilder<TokioRuntimeProvider>) -> Result<Self, Failure> {
        let options = builder.options_mut();
        options.timeout = PATIENCE;
        options.attempts = ATTEMPTS;
        options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
        builder.build().map(Self).map_err(|e| unusable(&e))
    }

    /// All addresses of a host; none where there is no such host.
    ///
    /// # Errors
    /// `Temporary` when no server answers.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        let found = match host.parse::<IpAddr>() {
            Ok(address) => return Ok(vec![address]),
            Err(_) => self.0.lookup_ip(absolute(host)).await,
        };
        Ok(or_nothing(found, host)?.map_or_else(Vec::new, |found| found.iter().collect()))
    }

    /// The hosts that take mail for a domain, the preferred first. The null MX
    /// (RFC 7505) is none.
    ///
    /// # Errors
    /// `Temporary` when no server answers.
    pub async fn exchangers(&self, domain: &str) -> Result<Vec<String>, Failure> {
        let Some(found) = or_nothing(self.0.mx_lookup(absolute(domain)).await, domain)? else { return Ok(Vec::new()) };
        let mut hosts: Vec<(u16, String)> = found
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::MX(mx) if !mx.exchange.is_root() => Some((mx.preference, relative(&mx.exchange.to_ascii()))),
                _ => None,
            })
            .collect();
        hosts.sort();
        Ok(hosts.into_iter().map(|(_, host)| host).collect())
    }

    /// The records of a service, e.g. `_imaps._tcp.example.com`: those to be
    /// tried first come first.
    ///
    /// # Errors
    /// `Temporary` when no server answers.
    pub async fn services(&self, name: &str) -> Result<Vec<Srv>, Failure> {
        let Some(found) = or_nothing(self.0.srv_lookup(absolute(name)).await, name)? else { return Ok(Vec::new()) };
        let mut services: Vec<Srv> = found
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::SRV(srv) => Some(Srv {
                    priority: srv.priority,
                    weight: srv.weight,
                    port: srv.port,
                    target: if srv.target.is_root() { String::new() } else { relative(&srv.target.to_ascii()) },
                }),
                _ => None,
            })
            .collect();
        services.sort_by_key(|s| (s.priority, std::cmp::Reverse(s.weight)));
        Ok(services)
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names(..)")
    }
}

/// No search domain is ever added to what is asked for.
fn absolute(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

fn relative(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn unusable(error: &NetError) -> Failure {
    let detail = format!("the name servers of this machine cannot be asked: {error}");
    Failure::new(FailureKind::Misconfigured, Step::Resolve, detail)
}

/// That there is no such record is an answer.
fn or_nothing<T>(found: Result<T, NetError>, name: &str) -> Result<Option<T>, Failure> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_no_records_found() || error.is_nx_domain() => Ok(None),
        Err(error) => Err(Failure::temporary(Step::Resolve, format!("DNS does not answer for {name} ({error})"))),
    }
}
