//! Where the mail servers of an address may be, and how we came to think so.

use crate::option_set;

/// What is spoken with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    Imap,
    Pop3,
    Smtp,
}

impl Protocol {
    pub const ALL: [Self; 3] = [Self::Imap, Self::Pop3, Self::Smtp];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Imap => "IMAP",
            Self::Pop3 => "POP3",
            Self::Smtp => "SMTP",
        }
    }

    pub fn is_incoming(self) -> bool {
        self != Self::Smtp
    }
}

/// How a server wants the connection to be protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protection {
    Tls,
    StartTls,
}

impl Protection {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "TLS",
            Self::StartTls => "STARTTLS",
        }
    }
}

/// What speaks for a server, the most weighty first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Evidence {
    /// The domain publishes a file with its settings.
    Published,
    /// The domain says so in DNS (RFC 6186, RFC 8314).
    Service,
    /// Everybody knows this provider.
    Provider,
    /// Many domains call their servers so.
    Guess,
}

impl Evidence {
    pub const ALL: [Self; 4] = [Self::Published, Self::Service, Self::Provider, Self::Guess];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Service => "service",
            Self::Provider => "provider",
            Self::Guess => "guess",
        }
    }
}

/// A server that may be the right one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub protocol: Protocol,
    pub host: String,
    pub port: u16,
    pub protection: Protection,
    /// The user name that the server wants; empty: nobody said.
    pub user: String,
    pub evidence: Evidence,
    /// Where this comes from, in a sentence.
    pub source: String,
    /// Whether it answered when it was tried; `None`: it was not tried.
    pub answered: Option<bool>,
    /// What it said, or why it did not answer.
    pub said: String,
}

/// What looking up the settings of an address brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The provider's name, where it is a known one.
    pub provider: String,
    /// What has to be done first at this provider.
    pub advice: String,
    /// The provider is reached only in ways that are not spoken here.
    pub unreachable: bool,
    /// The best first, incoming and outgoing together.
    pub candidates: Vec<Candidate>,
}

impl Found {
    /// The best server of one protocol.
    pub fn best(&self, protocol: Protocol) -> Option<&Candidate> {
        self.candidates.iter().find(|c| c.protocol == protocol)
    }
}

/// A file in which a domain publishes its settings, as far as it was understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Published {
    pub provider: String,
    pub servers: Vec<PublishedServer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedServer {
    pub protocol: Protocol,
    pub host: String,
    pub port: u16,
    /// `None`: neither TLS nor STARTTLS.
    pub protection: Option<Protection>,
    /// With the parts of the address in place.
    pub user: String,
    /// Passwords are not taken, only tokens.
    pub only_oauth: bool,
}

/// A record of type SRV that names a mail service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// As it was asked for: `_imaps._tcp.example.com`.
    pub name: String,
    pub protocol: Protocol,
    pub protection: Protection,
    /// Empty: the domain says that there is no such service.
    pub host: String,
    pub port: u16,
    pub priority: u16,
    pub weight: u16,
}

/// All that could be learnt of a domain before any mail server was asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Learnt {
    /// Where each file was found, and what it says.
    pub published: Vec<(String, Published)>,
    pub services: Vec<Service>,
    /// The hosts that take the domain's mail, the preferred first.
    pub exchangers: Vec<String>,
}

option_set! {
    pub enum InquiryKind: "pr_inquirykind" {
        LookUp = 0 "Look up settings",
        TestConnection = 1 "Test connection",
    }
}

option_set! {
    pub enum InquiryState: "pr_inquirystate" {
        Waiting = 0 "Waiting",
        Running = 1 "Running",
        Done = 2 "Done",
        Failed = 3 "Failed",
    }
}

/// What a line of an inquiry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    SettingsFile,
    Dns,
    Provider,
    Server,
    Incoming,
    Outgoing,
}

impl Topic {
    pub const ALL: [Self; 6] =
        [Self::SettingsFile, Self::Dns, Self::Provider, Self::Server, Self::Incoming, Self::Outgoing];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::SettingsFile => "settings file",
            Self::Dns => "DNS",
            Self::Provider => "provider",
            Self::Server => "server",
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
        }
    }
}

/// One thing that was tried, as it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub topic: Topic,
    /// The step of a conversation; empty elsewhere.
    pub step: String,
    /// `None`: it says neither yes nor no.
    pub ok: Option<bool>,
    pub said: String,
}
