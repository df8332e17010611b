//! What the world knows of a domain's mail servers: the settings file that it
//! publishes, its services and mail exchangers in DNS; and whether a server
//! answers.
//!
//! Whose settings are looked up is typed by a person, so nothing here is
//! trusted: files are fetched by HTTPS only, every address is checked by the
//! [`Dialer`], and nobody logs in.

use std::sync::Arc;
use std::time::Duration;

use model::discovery::{Candidate, Protection, Protocol, Published, Service};
use model::{Failure, Step};

use crate::http::{Client, Limits, Request};
use crate::net::{Dialer, Endpoint, Names, Security};
use crate::{imap, pop3, smtp};

/// Settings files are small, and who is slow has none.
const FILE: Limits =
    Limits { connect: Duration::from_secs(4), total: Duration::from_secs(8), body: 256 * 1024, redirects: 3 };
/// For a server to take the connection, and to greet.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks for the servers of domains.
#[derive(Clone)]
pub struct Discovery {
    dialer: Arc<Dialer>,
    http: Client,
    names: Names,
    /// Where settings files are served: 443, but for tests.
    port: u16,
}

/// The services that RFC 6186 and RFC 8314 name.
const SERVICES: [(&str, Protocol, Protection); 6] = [
    ("_imaps._tcp", Protocol::Imap, Protection::Tls),
    ("_submissions._tcp", Protocol::Smtp, Protection::Tls),
    ("_pop3s._tcp", Protocol::Pop3, Protection::Tls),
    ("_imap._tcp", Protocol::Imap, Protection::StartTls),
    ("_submission._tcp", Protocol::Smtp, Protection::StartTls),
    ("_pop3._tcp", Protocol::Pop3, Protection::StartTls),
];

impl Discovery {
    /// # Errors
    /// `Misconfigured` when the system does not say whom it asks for names.
    pub fn over(dialer: Arc<Dialer>) -> Result<Self, Failure> {
        let names = dialer.names()?;
        Ok(Self { http: Client::over(Arc::clone(&dialer)), dialer, names, port: 443 })
    }

    /// Settings files are asked for at another port.
    #[must_use]
    pub fn with_port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Where a domain may publish a settings file.
    pub fn places(&self, domain: &str) -> [String; 2] {
        let port = if self.port == 443 { String::new() } else { format!(":{}", self.port) };
        [
            format!("https://autoconfig.{domain}{port}/mail/config-v1.1.xml"),
            format!("https://{domain}{port}/.well-known/autoconfig/mail/config-v1.1.xml"),
        ]
    }

    /// The settings file at one of the [`places`](Self::places), for one
    /// address; `None`: there is none. The flaws say what was passed over.
    ///
    /// # Errors
    /// When the place cannot be asked.
    pub async fn file(&self, place: &str, address: &str) -> Result<Option<(Published, Vec<String>)>, Failure> {
        let url = place
            .parse::<crate::http::Url>()
            .map_err(|why| Failure::garbled(Step::Resolve, format!("'{place}' cannot be asked: {why}")))?;
        let response = self.http.send(Request::get(url.with_parameter("emailaddress", address)), FILE).await?;
        if !response.is_success() {
            return Ok(None);
        }
        Ok(Some(formats::autoconfig::read(&response.body, address)))
    }

    /// The mail services that a domain names in DNS, one question for each.
    ///
    /// # Errors
    /// `Temporary` when DNS does not answer.
    pub async fn services(&self, domain: &str) -> Result<Vec<Service>, Failure> {
        let mut all = Vec::new();
        for (service, protocol, protection) in SERVICES {
            let name = format!("{service}.{domain}");
            for found in self.names.services(&name).await? {
                all.push(Service {
                    name: name.clone(),
                    protocol,
                    protection,
                    host: found.target,
                    port: found.port,
                    priority: found.priority,
                    weight: found.weight,
                });
            }
        }
        Ok(all)
    }

    /// The hosts that take a domain's mail, the preferred first.
    ///
    /// # Errors
    /// `Temporary` when DNS does not answer.
    pub async fn exchangers(&self, domain: &str) -> Result<Vec<String>, Failure> {
        self.names.exchangers(domain).await
    }

    /// Whether there is a host of this name that may be asked at all: most
    /// guesses end here, and cost no connection.
    pub async fn is_there(&self, host: &str) -> bool {
        self.names.addresses(host).await.is_ok_and(|found| !found.is_empty())
    }

    /// What a server greets with, after TLS stands.
    ///
    /// # Errors
    /// When it does not answer, or not as its protocol wants.
    pub async fn greeting(&self, candidate: &Candidate) -> Result<String, Failure> {
        let endpoint = Endpoint {
            host: candidate.host.clone(),
            port: candidate.port,
            security: match candidate.protection {
                Protection::Tls => Security::Tls,
                Protection::StartTls => Security::StartTls,
            },
            connect_timeout: PATIENCE,
            command_timeout: PATIENCE,
        };
        match candidate.protocol {
            Protocol::Imap => imap::hello(&self.dialer, &endpoint).await,
            Protocol::Pop3 => pop3::hello(&self.dialer, &endpoint).await,
            Protocol::Smtp => smtp::hello(&self.dialer, &endpoint).await,
        }
    }
}
