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
    /// In the environment: `name=value`, separated by commas.
    Table,
}

impl KeyKind {
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Flag => "true or false",
            Self::Number => "a whole number",
            Self::List => "a list",
            Self::Table => "a table of texts",
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
        "servers",
        "name_servers",
        KeyKind::List,
        "[]",
        "DNS servers that are asked for names and mail services, e.g. `[\"192.0.2.1\", \"192.0.2.2:5353\"]`; empty: those that the operating system asks.",
    ),
    key(
        "database",
        "url",
        KeyKind::Text,
        "\"\"",
        "`postgres://…`; empty: the SQLite file in the data directory. `postroom init --database` writes it here.",
    ),
    key(
        "backups",
        "directory",
        KeyKind::Text,
        "\"\"",
        "Where the service puts the backups that the page Data Management or the schedule asks for; empty: `backups` in the data directory. A relative path starts at the data directory. Several nodes share it.",
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
        "public_url",
        KeyKind::Text,
        "\"\"",
        "The address under which people reach the pages, e.g. `https://postroom.example.com`: links that are handed out begin with it. Empty: the address of `listen`, and in a browser the one that stands in its address bar.",
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
    key(
        "web",
        "allow_credentials_in_clear",
        KeyKind::Flag,
        "false",
        "Let passwords of mailboxes and profiles be entered on pages that came over plain HTTP from another computer.",
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
        "sign_in",
        "issuer",
        KeyKind::Text,
        "\"\"",
        "The organization's identity provider (OpenID Connect), exactly as it names itself, e.g. `https://id.example.com/realms/staff`. Register `https://<this server>/signin/oidc` there as redirect URI. Empty: none.",
    ),
    key("sign_in", "client_id", KeyKind::Text, "\"\"", "The id under which the provider knows this server."),
    key(
        "sign_in",
        "client_secret",
        KeyKind::Text,
        "\"\"",
        "The secret that belongs to the client id; empty for a public client. It is never shown.",
    ),
    key(
        "sign_in",
        "client_secret_file",
        KeyKind::Text,
        "\"\"",
        "A file that holds the secret, instead of `client_secret`. A relative path starts at the data directory.",
    ),
    key(
        "sign_in",
        "name",
        KeyKind::Text,
        "\"Sign in with your organization\"",
        "What the provider's button on the sign-in page says.",
    ),
    key(
        "sign_in",
        "scopes",
        KeyKind::List,
        "[\"openid\", \"profile\", \"email\"]",
        "The scopes that are asked for; `openid` always is.",
    ),
    key(
        "sign_in",
        "user_claim",
        KeyKind::Text,
        "\"\"",
        "The claim that holds the user name by which a user is found at the first sign-in, e.g. `preferred_username` or `upn`; choose only one that people cannot set themselves. Empty: `email`, where the provider says `email_verified`.",
    ),
    key(
        "sign_in",
        "groups_claim",
        KeyKind::Text,
        "\"\"",
        "The claim that holds a user's groups, e.g. `groups`, or `realm_access.roles` within an object; for `roles`.",
    ),
    key(
        "sign_in",
        "create_users",
        KeyKind::Flag,
        "false",
        "Whether somebody whom the provider vouches for and who has no user here gets one. It gets Basic User like everybody who is made here, and the roles that its groups give.",
    ),
    key(
        "sign_in",
        "link_administrators",
        KeyKind::Flag,
        "false",
        "Whether System Administrators too are found by their user name at the first sign-in. Otherwise they connect the provider's account on their account page.",
    ),
    key(
        "sign_in",
        "roles",
        KeyKind::Table,
        "{}",
        "Which group gives which security role, by name: `[sign_in.roles]`, `\"crm-sales\" = \"Salesperson\"`. The roles that stand here are given and taken at every sign-in with the provider; all others are left alone.",
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
