//! What only the operator of the installation may decide: `DIR/postroom.toml`,
//! every key also as an environment variable `POSTROOM_<SECTION>_<KEY>`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use connectors::net::{NetConfig, Network};
use serde::Deserialize;
use toml::{Table, Value};

mod keys;
mod sign_in;

pub use keys::{KEYS, Key, KeyKind, reference};
pub use sign_in::SignIn;

/// The whole configuration; an absent file means all defaults.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub servers: Servers,
    pub database: Database,
    pub backups: Backups,
    pub web: Web,
    pub sign_in: SignIn,
    pub limits: Limits,
    pub workers: Workers,
    pub log: Log,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Servers {
    pub extra_ca: String,
    pub allow_insecure: bool,
    pub allow_networks: Vec<String>,
    pub name_servers: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    pub url: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backups {
    pub directory: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    pub listen: String,
    pub public_url: String,
    pub tls_certificate: String,
    pub tls_key: String,
    pub tls_minimum: String,
    pub redirect_http: String,
    pub trusted_proxies: Vec<String>,
    pub allow_credentials_in_clear: bool,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8420".into(),
            public_url: String::new(),
            tls_certificate: String::new(),
            tls_key: String::new(),
            tls_minimum: "1.2".into(),
            redirect_http: String::new(),
            trusted_proxies: Vec::new(),
            allow_credentials_in_clear: false,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub user_requests: u64,
    pub user_seconds: u64,
    pub user_concurrent: usize,
    pub address_failures: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let web::Limits { user_requests, user_seconds, user_concurrent, address_failures } = web::Limits::default();
        Self { user_requests, user_seconds, user_concurrent, address_failures }
    }
}

impl From<&Limits> for web::Limits {
    fn from(limits: &Limits) -> Self {
        let Limits { user_requests, user_seconds, user_concurrent, address_failures } = *limits;
        Self { user_requests, user_seconds, user_concurrent, address_failures }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Workers {
    pub incoming: usize,
    pub outgoing: usize,
    pub test: usize,
    pub lease_seconds: u64,
}

impl Default for Workers {
    fn default() -> Self {
        Self { incoming: 24, outgoing: 8, test: 8, lease_seconds: 120 }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    pub level: String,
    pub json: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), json: false }
    }
}

impl Config {
    /// Reads the file, if there is one, and lays the environment over it.
    pub fn load(data_dir: &Path, environment: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let path = data_dir.join("postroom.toml");
        let mut table = match std::fs::read_to_string(&path) {
            Ok(text) => text.parse::<Table>().with_context(|| format!("{} cannot be read", path.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Table::new(),
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
        };
        for key in KEYS {
            if let Some(text) = environment(&key.variable()) {
                overlay(&mut table, key, &text)?;
            }
        }
        table.try_into().with_context(|| {
            format!(
                "{} (or a POSTROOM_… variable) has a setting that is not known; `postroom docs config` lists them all",
                path.display()
            )
        })
    }

    /// What the connectors may reach, and whom they trust.
    pub fn net(&self, data_dir: &Path) -> Result<NetConfig> {
        let networks = networks("[servers] allow_networks", &self.servers.allow_networks)?;
        Ok(NetConfig {
            extra_ca: self.extra_ca(data_dir)?,
            allow_insecure: self.servers.allow_insecure,
            allow_networks: networks,
            name_servers: self.servers.name_servers.iter().map(|text| name_server(text)).collect::<Result<_>>()?,
        })
    }

    /// The certificate of the Web API; `None`: it is served in the clear.
    pub fn tls(&self, data_dir: &Path) -> Result<Option<web::Tls>> {
        let Web { tls_certificate, tls_key, tls_minimum, redirect_http, .. } = &self.web;
        if tls_certificate.is_empty() && tls_key.is_empty() {
            if !redirect_http.is_empty() {
                bail!("[web] redirect_http needs tls_certificate and tls_key: without them there is no https");
            }
            return Ok(None);
        }
        if tls_certificate.is_empty() || tls_key.is_empty() {
            bail!("[web] tls_certificate and tls_key belong together; set both, or none to serve without TLS");
        }
        let oldest = match tls_minimum.as_str() {
            "1.2" => web::TlsVersion::Tls12,
            "1.3" => web::TlsVersion::Tls13,
            other => bail!("[web] tls_minimum is '{other}'; it is 1.2 or 1.3"),
        };
        let tls = web::Tls::load(&data_dir.join(tls_certificate), &data_dir.join(tls_key), oldest);
        tls.map(Some).context("[web] tls_certificate, tls_key")
    }

    /// The proxies whose word counts.
    pub fn proxies(&self) -> Result<web::Proxies> {
        let networks = networks("[web] trusted_proxies", &self.web.trusted_proxies)?;
        Ok(web::Proxies::trusting(move |address| networks.iter().any(|n| n.contains(address))))
    }

    fn extra_ca(&self, data_dir: &Path) -> Result<Vec<rustls::pki_types::CertificateDer<'static>>> {
        use rustls::pki_types::pem::PemObject;
        if self.servers.extra_ca.is_empty() {
            return Ok(Vec::new());
        }
        let path: PathBuf = data_dir.join(&self.servers.extra_ca);
        let certificates = rustls::pki_types::CertificateDer::pem_file_iter(&path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .with_context(|| format!("[servers] extra_ca: {} is not a PEM file of certificates", path.display()))?;
        if certificates.is_empty() {
            bail!("[servers] extra_ca: {} contains no certificate", path.display());
        }
        Ok(certificates)
    }
}

/// An address, with a port or without.
fn name_server(text: &str) -> Result<SocketAddr> {
    let address = text.parse::<SocketAddr>().or_else(|_| text.parse().map(|ip| SocketAddr::new(ip, 53)));
    address.map_err(|_| {
        anyhow::anyhow!("[servers] name_servers: '{text}' is not an address like 192.0.2.1 or 192.0.2.1:53")
    })
}

fn networks(key: &str, texts: &[String]) -> Result<Vec<Network>> {
    let parse = |text: &String| text.parse::<Network>().map_err(|error| anyhow::anyhow!("{key}: {error}"));
    texts.iter().map(parse).collect()
}

fn overlay(table: &mut Table, key: &Key, text: &str) -> Result<()> {
    let wrong = || format!("{} is '{text}', which is not {}", key.variable(), key.kind.in_words());
    let value = match key.kind {
        KeyKind::Text => Value::String(text.to_owned()),
        KeyKind::Flag => Value::Boolean(match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => true,
            "false" | "0" | "no" | "off" | "" => false,
            _ => bail!(wrong()),
        }),
        KeyKind::Number => Value::Integer(text.parse().with_context(wrong)?),
        KeyKind::List => Value::Array(
            text.split(',').map(str::trim).filter(|s| !s.is_empty()).map(|s| Value::String(s.to_owned())).collect(),
        ),
        KeyKind::Table => {
            let mut values = Table::new();
            for pair in text.split(',').map(str::trim).filter(|s| !s.is_empty()) {
                let (name, value) = pair.split_once('=').with_context(wrong)?;
                values.insert(name.trim().to_owned(), Value::String(value.trim().to_owned()));
            }
            Value::Table(values)
        }
    };
    let section = table.entry(key.section).or_insert_with(|| Value::Table(Table::new()));
    match section.as_table_mut() {
        Some(section) => section.insert(key.name.to_owned(), value),
        None => bail!("postroom.toml: '{}' is not a section", key.section),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("postroom.toml"), file).unwrap();
        Config::load(dir.path(), |name| {
            environment.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn an_empty_file_gives_the_defaults() {
        let config = load("", &[]).unwrap();
        assert_eq!(config.web.listen, "127.0.0.1:8420");
        assert!(!config.servers.allow_insecure);
        assert!(config.servers.allow_networks.is_empty());
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = "[servers]\nallow_networks = [\"10.0.0.0/8\"]\n";
        let config = load(file, &[("POSTROOM_SERVERS_ALLOW_NETWORKS", "127.0.0.0/8, ::1/128")]).unwrap();
        assert_eq!(config.servers.allow_networks, ["127.0.0.0/8", "::1/128"]);
    }

    #[test]
    fn every_documented_key_can_be_set_by_its_variable() {
        for key in KEYS {
            let example = match key.kind {
                KeyKind::Text => "x",
                KeyKind::Flag => "true",
                KeyKind::Number => "3",
                KeyKind::List => "127.0.0.0/8",
                KeyKind::Table => "a=b,c=d",
            };
            load("", &[(&key.variable(), example)]).unwrap_or_else(|error| panic!("{}: {error:#}", key.variable()));
        }
    }

    #[test]
    fn a_setting_that_does_not_exist_is_refused() {
        let error = load("[servers]\nallow_everything = true\n", &[]).unwrap_err();
        assert!(format!("{error:#}").contains("allow_everything"), "{error:#}");
    }

    #[test]
    fn a_wrong_value_names_its_variable() {
        let error = load("", &[("POSTROOM_SERVERS_ALLOW_INSECURE", "perhaps")]).unwrap_err();
        assert!(error.to_string().contains("POSTROOM_SERVERS_ALLOW_INSECURE"), "{error}");
    }

    #[track_caller]
    fn refused_tls(file: &str, words: &str) {
        let error = load(file, &[]).unwrap().tls(Path::new("/nowhere")).unwrap_err();
        assert!(format!("{error:#}").contains(words), "{error:#}");
    }

    #[test]
    fn tls_needs_both_files() {
        refused_tls("[web]\ntls_certificate = \"a.pem\"\n", "belong together");
        refused_tls("[web]\ntls_key = \"a.pem\"\n", "belong together");
        refused_tls("[web]\nredirect_http = \"[::]:80\"\n", "redirect_http needs");
        refused_tls("[web]\ntls_certificate = \"a.pem\"\ntls_key = \"k.pem\"\n", "/nowhere/a.pem cannot be read");
        refused_tls("[web]\ntls_certificate = \"a\"\ntls_key = \"k\"\ntls_minimum = \"1.1\"\n", "1.2 or 1.3");
        assert!(load("", &[]).unwrap().tls(Path::new("/nowhere")).unwrap().is_none());
    }

    #[test]
    fn a_network_that_is_none_is_refused() {
        let config = load("[servers]\nallow_networks = [\"everywhere\"]\n", &[]).unwrap();
        assert!(config.net(Path::new("/")).is_err());
        let config = load("[servers]\nname_servers = [\"nobody\"]\n", &[]).unwrap();
        assert!(config.net(Path::new("/")).is_err());
        let config = load("[servers]\nname_servers = [\"192.0.2.1\", \"[2001:db8::1]:5353\"]\n", &[]).unwrap();
        let servers = config.net(Path::new("/")).unwrap().name_servers;
        assert_eq!(servers, ["192.0.2.1:53".parse().unwrap(), "[2001:db8::1]:5353".parse().unwrap()]);
        let config = load("[web]\ntrusted_proxies = [\"everybody\"]\n", &[]).unwrap();
        assert!(config.proxies().is_err());
    }
}
