//! How people sign in.

use std::collections::BTreeMap;
use std::path::Path;

use actions::sign_in::{Policy, openid};
use anyhow::{Context as _, Result, bail};
use model::{Secret, SignedDuration};
use serde::{Deserialize, Deserializer};

use super::Config;

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignIn {
    pub local: bool,
    pub idle_minutes: u32,
    pub longest_hours: u32,
    pub issuer: String,
    pub client_id: String,
    #[serde(deserialize_with = "secret")]
    pub client_secret: Option<Secret>,
    pub client_secret_file: String,
    pub name: String,
    pub scopes: Vec<String>,
    pub user_claim: String,
    pub groups_claim: String,
    pub create_users: bool,
    pub link_administrators: bool,
    pub roles: BTreeMap<String, String>,
}

fn secret<'de, D: Deserializer<'de>>(text: D) -> Result<Option<Secret>, D::Error> {
    let text = String::deserialize(text)?;
    Ok(if text.is_empty() { None } else { Some(Secret::new(text)) })
}

impl Default for SignIn {
    fn default() -> Self {
        Self {
            local: true,
            idle_minutes: 480,
            longest_hours: 168,
            issuer: String::new(),
            client_id: String::new(),
            client_secret: None,
            client_secret_file: String::new(),
            name: "Sign in with your organization".into(),
            scopes: ["openid", "profile", "email"].map(str::to_owned).to_vec(),
            user_claim: String::new(),
            groups_claim: String::new(),
            create_users: false,
            link_administrators: false,
            roles: BTreeMap::new(),
        }
    }
}

impl SignIn {
    /// A session lasts a minute at least, and a year at most.
    pub fn policy(&self) -> Policy {
        Policy {
            local: self.local,
            idle: SignedDuration::from_mins(i64::from(self.idle_minutes.clamp(1, 60 * 24 * 365))),
            longest: SignedDuration::from_hours(i64::from(self.longest_hours.clamp(1, 24 * 365))),
        }
    }

    /// The identity provider; `None`: there is none.
    pub fn provider(&self, data_dir: &Path) -> Result<Option<openid::Config>> {
        if self.issuer.is_empty() && self.client_id.is_empty() {
            return Ok(None);
        }
        if self.issuer.is_empty() || self.client_id.is_empty() {
            bail!("[sign_in] issuer and client_id belong together; set both, or none for no identity provider");
        }
        let plain = !self.issuer.contains(['?', '#']) && self.issuer.bytes().all(|c| c.is_ascii_graphic());
        if !plain || !(self.issuer.starts_with("https://") || self.issuer.starts_with("http://")) {
            bail!("[sign_in] issuer must be an https address without ? and #, as the provider writes it");
        }
        if !self.roles.is_empty() && self.groups_claim.is_empty() {
            bail!("[sign_in.roles] needs [sign_in] groups_claim: the claim in which the provider names the groups");
        }
        Ok(Some(openid::Config {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.secret(data_dir)?,
            name: self.name.clone(),
            scopes: self.scopes.clone(),
            user_claim: self.user_claim.clone(),
            groups_claim: self.groups_claim.clone(),
            roles: self.roles.clone(),
            create_users: self.create_users,
            link_administrators: self.link_administrators,
        }))
    }

    fn secret(&self, data_dir: &Path) -> Result<Option<Secret>> {
        if self.client_secret_file.is_empty() {
            return Ok(self.client_secret.clone());
        }
        if self.client_secret.is_some() {
            bail!("[sign_in] client_secret and client_secret_file are both set; one of them is the secret");
        }
        let path = data_dir.join(&self.client_secret_file);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("[sign_in] client_secret_file: {} cannot be read", path.display()))?;
        let text = text.trim();
        if text.is_empty() {
            bail!("[sign_in] client_secret_file: {} is empty", path.display());
        }
        Ok(Some(Secret::new(text)))
    }
}

impl Config {
    /// The link with which a password is set.
    pub fn password_link(&self, ticket: &str) -> Result<String> {
        let base = match self.public_url()? {
            Some(url) => url,
            None => {
                let scheme = if self.web.tls_certificate.is_empty() { "http" } else { "https" };
                format!("{scheme}://{}", self.web.listen)
            }
        };
        Ok(format!("{base}/password?ticket={ticket}"))
    }

    /// Where people reach the pages, without a slash at the end; `None`: it
    /// is not said.
    pub fn public_url(&self) -> Result<Option<String>> {
        let text = self.web.public_url.trim_end_matches('/');
        if text.is_empty() {
            return Ok(None);
        }
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let plain = |host: &str| {
            !host.is_empty()
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'))
        };
        if !host.is_some_and(plain) {
            bail!("[web] public_url is '{text}'; it is scheme and host alone: https://postroom.example.com");
        }
        Ok(Some(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let sign_in: SignIn = toml::from_str(text).unwrap();
        match sign_in.provider(Path::new("/nowhere")) {
            Ok(provider) => assert_eq!(provider.map_or("none".to_owned(), |p| p.issuer), expected),
            Err(error) => assert!(format!("{error:#}").contains(expected), "{error:#}"),
        }
    }

    const GOOD: &str = "issuer = \"https://id.test/a\"\nclient_id = \"x\"\n";

    #[test]
    fn providers() {
        check("", "none");
        check(GOOD, "https://id.test/a");
        check("issuer = \"https://id.test\"", "belong together");
        check("client_id = \"x\"", "belong together");
        check("issuer = \"id.test\"\nclient_id = \"x\"", "must be an https address");
        check("issuer = \"https://id.test?x\"\nclient_id = \"x\"", "must be an https address");
        check(&format!("{GOOD}[roles]\na = \"R\""), "groups_claim");
        check(&format!("{GOOD}client_secret = \"s\"\nclient_secret_file = \"f\""), "both set");
        check(&format!("{GOOD}client_secret_file = \"f\""), "/nowhere/f cannot be read");
    }

    #[test]
    fn the_secret_is_not_shown() {
        let sign_in: SignIn = toml::from_str("client_secret = \"hush-hush\"").unwrap();
        assert!(!format!("{sign_in:?}").contains("hush"));
        assert_eq!(sign_in.client_secret.unwrap().expose(), "hush-hush");
    }

    #[track_caller]
    fn link(public_url: &str, expected: &str) {
        let mut config = Config::default();
        config.web.public_url = public_url.into();
        let link = config.password_link("t").unwrap_or_else(|error| format!("{error:#}"));
        assert!(link.contains(expected), "{link}");
    }

    #[test]
    fn links_begin_where_people_reach_the_pages() {
        link("", "http://127.0.0.1:8420/password?ticket=t");
        link("https://crm.test", "https://crm.test/password?ticket=t");
        link("https://crm.test:8443/", "https://crm.test:8443/password?ticket=t");
        link("http://[::1]:80", "http://[::1]:80/password?ticket=t");
        link("crm.test", "scheme and host alone");
        link("https://crm.test/postroom", "scheme and host alone");
        link("https://crm.test?x", "scheme and host alone");
        link("https://user@crm.test", "scheme and host alone");
        link("javascript:alert(1)", "scheme and host alone");
    }
}
