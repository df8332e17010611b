//! A whole mail system: Dovecot and Postfix wired together.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;

use crate::dovecot::{self, Dovecot, Stored};
use crate::ports::Port;
use crate::postfix::{self, Postfix};
use crate::runtime;
use crate::tls::Authority;

/// A mailbox owner: the address is the user name as well.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    pub address: String,
    pub password: String,
}

/// How a mail system is to be.
#[derive(Default)]
pub struct Options {
    pub dovecot: dovecot::Options,
    /// Largest message that Postfix takes, in bytes.
    pub message_size_limit: Option<u64>,
    /// EHLO keywords that Postfix does not offer.
    pub hidden_extensions: Vec<String>,
    /// Lines for the end of main.cf.
    pub postfix_extra: String,
}

/// Mailboxes in every domain below `.test`, with real servers around them.
pub struct MailWorld {
    pub postfix: Postfix,
    pub dovecot: Dovecot,
    authority: Authority,
    users: Mutex<BTreeMap<String, User>>,
}

impl MailWorld {
    pub async fn start() -> Result<Self> {
        Self::start_with(Options::default()).await
    }

    pub async fn start_with(options: Options) -> Result<Self> {
        runtime::aside(move || Self::start_blocking(options)).await
    }

    fn start_blocking(options: Options) -> Result<Self> {
        let authority = Authority::new()?;
        let customers = Port::reserve()?;
        let for_dovecot = dovecot::Options { smtp_port: Some(customers.number()), ..options.dovecot };
        let dovecot = Dovecot::start_blocking(&for_dovecot, &authority)?;
        let mut for_postfix = postfix::Options::new(dovecot.lmtp_port(), dovecot.auth_socket());
        for_postfix.customers = Some(customers);
        for_postfix.hidden_extensions = options.hidden_extensions;
        for_postfix.extra = options.postfix_extra;
        if let Some(limit) = options.message_size_limit {
            for_postfix.message_size_limit = limit;
        }
        let postfix = Postfix::start_blocking(for_postfix, &authority)?;
        Ok(Self { postfix, dovecot, authority, users: Mutex::default() })
    }

    /// The owner of the mailbox `address`, which is created on first mention.
    pub fn user(&self, address: &str) -> Result<User> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(user) = users.get(address) {
            return Ok(user.clone());
        }
        let password = format!("secret {} of {address}", users.len() + 1);
        let user = User { address: address.to_owned(), password };
        self.dovecot.add_user(&user.address, &user.password)?;
        self.postfix.add_mailbox(&user.address)?;
        users.insert(address.to_owned(), user.clone());
        Ok(user)
    }

    /// A customer's mail server hands in a message for mailboxes here.
    pub async fn send(&self, from: &str, to: &[&str], message: &[u8]) -> Result<()> {
        self.postfix.inject(from, to, message).await
    }

    /// Waits until a message of the INBOX contains `text`.
    pub async fn wait_for_text(&self, address: &str, text: &str) -> Result<Stored> {
        let wanted = |stored: &Stored| stored.text().contains(text);
        self.dovecot.wait_for(address, wanted, Duration::from_secs(30)).await
    }

    /// The authority behind both servers' certificates.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The certificate authority to trust, PEM.
    pub fn ca_pem(&self) -> &str {
        self.dovecot.ca_pem()
    }

    /// The certificate authority to trust, as a file.
    pub fn ca_pem_path(&self) -> PathBuf {
        self.dovecot.ca_pem_path()
    }
}
