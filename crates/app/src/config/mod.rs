//! What only the operator of the installation may decide: `DIR/postroom.toml`,
//! every key also as an environment variable `POSTROOM_<SECTION>_<KEY>`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use connectors::net::{NetConfig, Network};
use serde::Deserialize;
use toml::{Table, Value};

mod keys;

pub use keys::{KEYS, Key, KeyKind, reference};

/// The whole configuration; an absent file means all defaults.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub servers: Servers,
    pub database: Database,
    pub web: Web,
    pub workers: Workers,
    pub log: Log,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Servers {
    pub extra_ca: String,
    pub allow_insecure: bool,
    pub allow_networks: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    pub url: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    pub listen: String,
}

impl Default for Web {
    fn default() -> Self {
        Self { listen: "127.0.0.1:8420".into() }
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
        let mut networks = Vec::new();
        for text in &self.servers.allow_networks {
            match text.parse::<Network>() {
                Ok(network) => networks.push(network),
                Err(error) => bail!("[servers] allow_networks: {error}"),
            }
        }
        Ok(NetConfig {
            extra_ca: self.extra_ca(data_dir)?,
            allow_insecure: self.servers.allow_insecure,
            allow_networks: networks,
        })
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

    #[test]
    fn a_network_that_is_none_is_refused() {
        let config = load("[servers]\nallow_networks = [\"everywhere\"]\n", &[]).unwrap();
        assert!(config.net(Path::new("/")).is_err());
    }
}
