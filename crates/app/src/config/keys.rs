//! The list of all settings: what the environment may set, and what the
//! reference in `docs/configuration.md` is generated from.

use std::fmt::Write as _;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    Text,
    Flag,
    Number,
    /// In the environment: separated by commas.
    List,
}

impl KeyKind {
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Flag => "true or false",
            Self::Number => "a whole number",
            Self::List => "a list",
        }
    }
}

#[derive(Debug)]
pub struct Key {
    pub section: &'static str,
    pub name: &'static str,
    pub kind: KeyKind,
    pub default: &'static str,
    pub meaning: &'static str,
}

impl Key {
    pub fn variable(&self) -> String {
        format!("POSTROOM_{}_{}", self.section.to_uppercase(), self.name.to_uppercase())
    }
}

const fn key(
    section: &'static str,
    name: &'static str,
    kind: KeyKind,
    default: &'static str,
    meaning: &'static str,
) -> Key {
    Key { section, name, kind, default, meaning }
}

pub const KEYS: &[Key] = &[
    key(
        "servers",
        "extra_ca",
        KeyKind::Text,
        "\"\"",
        "PEM file with certificates that are trusted in addition to the system's. A relative path starts at the data directory.",
    ),
    key(
        "servers",
        "allow_insecure",
        KeyKind::Flag,
        "false",
        "Allow profiles without SSL: mail and passwords then cross the network in the clear.",
    ),
    key(
        "servers",
        "allow_networks",
        KeyKind::List,
        "[]",
        "Loopback, link-local and private networks that server locations may resolve to, e.g. `[\"127.0.0.0/8\"]`. All others of these are refused.",
    ),
    key(
        "database",
        "url",
        KeyKind::Text,
        "\"\"",
        "`postgres://…`; empty: the SQLite file in the data directory. `postroom init --database` writes it here.",
    ),
    key(
        "web",
        "listen",
        KeyKind::Text,
        "\"127.0.0.1:8420\"",
        "Address and port of the Web API. `postroom serve --listen` overrides it.",
    ),
    key(
        "web",
        "tls_certificate",
        KeyKind::Text,
        "\"\"",
        "PEM file with the server's certificate and those between it and its authority; the Web API is then served over TLS alone. A relative path starts at the data directory. A new file is taken up within seconds, without a restart; SIGHUP does it at once.",
    ),
    key("web", "tls_key", KeyKind::Text, "\"\"", "PEM file with the private key of the certificate."),
    key(
        "web",
        "tls_minimum",
        KeyKind::Text,
        "\"1.2\"",
        "The oldest version of TLS that a client may speak: `1.2` or `1.3`.",
    ),
    key(
        "web",
        "redirect_http",
        KeyKind::Text,
        "\"\"",
        "With TLS: address and port of a listener that sends whoever comes with http to https, e.g. `\"0.0.0.0:80\"`.",
    ),
    key(
        "web",
        "trusted_proxies",
        KeyKind::List,
        "[]",
        "Networks of proxies in front of the Web API, e.g. `[\"10.0.0.0/24\"]`. `X-Forwarded-For`, `-Proto` and `-Host` count from these alone.",
    ),
    key("sign_in", "local", KeyKind::Flag, "true", "Whether people may sign in with a password that is kept here."),
    key(
        "sign_in",
        "idle_minutes",
        KeyKind::Number,
        "480",
        "A browser's session ends when it was not used for so long.",
    ),
    key(
        "sign_in",
        "longest_hours",
        KeyKind::Number,
        "168",
        "A browser's session ends after so long, however much it is used.",
    ),
    key(
        "limits",
        "user_requests",
        KeyKind::Number,
        "6000",
        "Requests of one user to the Web API within five minutes; 0: without limit. Each process counts for itself.",
    ),
    key(
        "limits",
        "user_seconds",
        KeyKind::Number,
        "1200",
        "Seconds of execution time of one user's requests within five minutes; 0: without limit.",
    ),
    key("limits", "user_concurrent", KeyKind::Number, "52", "Requests of one user at a time; 0: without limit."),
    key(
        "limits",
        "address_failures",
        KeyKind::Number,
        "100",
        "Requests without a valid token from one address within five minutes, after which only tokens that were valid lately are listened to from there; 0: without limit.",
    ),
    key(
        "workers",
        "incoming",
        KeyKind::Number,
        "24",
        "Mailboxes received from at the same time; 0: this process receives nothing.",
    ),
    key(
        "workers",
        "outgoing",
        KeyKind::Number,
        "8",
        "Mailboxes sent for at the same time; 0: this process sends nothing.",
    ),
    key("workers", "test", KeyKind::Number, "8", "Mailboxes tested at the same time; 0: this process tests nothing."),
    key(
        "workers",
        "lease_seconds",
        KeyKind::Number,
        "120",
        "How long a mailbox stays with the process that works on it unless it is renewed: what a process that died was working on is taken over after this time.",
    ),
    key(
        "log",
        "level",
        KeyKind::Text,
        "\"info\"",
        "What is logged, in the notation of tracing's EnvFilter, e.g. `info,connectors=debug`.",
    ),
    key("log", "json", KeyKind::Flag, "false", "One JSON object a line instead of text."),
];

/// The reference page.
pub fn reference() -> String {
    let mut page = String::from(
        "# Configuration\n\nWhat only the operator of the installation may decide stands in `DIR/postroom.toml`; every key can also be given as an\nenvironment variable, which wins. Everything else is a record and is set through the Web API or the command line.\n\nThis page is generated (`cargo xtask docs`).\n",
    );
    let mut section = "";
    for key in KEYS {
        if key.section != section {
            section = key.section;
            let _ = write!(
                page,
                "\n## [{section}]\n\n| key | variable | type | default | meaning |\n|---|---|---|---|---|\n"
            );
        }
        let _ = writeln!(
            page,
            "| `{}` | `{}` | {} | `{}` | {} |",
            key.name,
            key.variable(),
            key.kind.in_words(),
            key.default,
            key.meaning
        );
    }
    page
}
