//! From records to a conversation: which server, how secured, with whose
//! credentials.

use std::time::Duration;

use connectors::net::{Endpoint, Security};
use connectors::sasl::Credentials;
use model::tables::{CredentialRetrieval, EmailServerProfile, Mailbox, ServerType};
use model::work::Workload;
use model::{Entity, Failure, FailureKind, Secret, Step};

use crate::engine::Loaded;
use crate::{Engine, SyncError};

/// The protocol that incoming mail is read by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Incoming {
    Imap,
    Pop3,
}

/// Which way a conversation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Incoming,
    Outgoing,
}

/// Everything a connector has to know.
pub(crate) struct Route {
    pub endpoint: Endpoint,
    /// `None`: the server wants none (outgoing only).
    pub credentials: Option<Credentials>,
}

impl Route {
    /// The server as breakers, budgets and metrics name it.
    pub fn server(&self) -> String {
        format!("{}:{}", self.endpoint.host, self.endpoint.port)
    }
}

pub(crate) fn incoming_protocol(profile: &EmailServerProfile) -> Result<Incoming, SyncError> {
    match profile.server_type {
        ServerType::ImapSmtp => Ok(Incoming::Imap),
        ServerType::Pop3Smtp => Ok(Incoming::Pop3),
        other => Err(SyncError::NotReady(format!(
            "the profile's server type '{}' cannot be processed by this version; use IMAP/SMTP or POP3/SMTP",
            other.label()
        ))),
    }
}

/// Where the server is; needs no secret.
pub(crate) fn endpoint(profile: &EmailServerProfile, direction: Direction) -> Endpoint {
    let (location, ssl, workload) = match direction {
        Direction::Incoming => (&profile.incoming_location, profile.incoming_ssl, Workload::Incoming),
        Direction::Outgoing => (&profile.outgoing_location, profile.outgoing_ssl, Workload::Outgoing),
    };
    let millis = |n: i64| Duration::from_millis(u64::try_from(n).unwrap_or(0).clamp(1_000, 3_600_000));
    Endpoint {
        host: location.trim().to_owned(),
        port: rules::profile::port(profile, workload),
        security: if ssl { Security::Auto } else { Security::Plain },
        connect_timeout: if profile.limit_connect_time {
            millis(profile.connect_timeout)
        } else {
            Duration::from_secs(100)
        },
        command_timeout: millis(profile.command_timeout),
    }
}

impl Engine {
    pub(crate) async fn route(&self, loaded: &Loaded, direction: Direction) -> Result<Route, SyncError> {
        let credentials = match direction {
            Direction::Incoming => loaded.profile.incoming_credentials,
            Direction::Outgoing => loaded.profile.outgoing_credentials,
        };
        let credentials = match credentials {
            CredentialRetrieval::UserOrQueue => Some(self.mailbox_credentials(&loaded.mailbox).await?),
            CredentialRetrieval::Profile => Some(self.profile_credentials(&loaded.profile, direction).await?),
            CredentialRetrieval::GmailOAuth => Some(self.oauth_credentials(&loaded.mailbox).await?),
            CredentialRetrieval::Anonymous => None,
            other => {
                return Err(SyncError::NotReady(format!(
                    "the profile authenticates by '{}', which IMAP, POP3 and SMTP servers do not have",
                    other.label()
                )));
            }
        };
        Ok(Route { endpoint: endpoint(&loaded.profile, direction), credentials })
    }

    async fn mailbox_credentials(&self, mailbox: &Mailbox) -> Result<Credentials, SyncError> {
        if !mailbox.use_credentials {
            return Err(SyncError::NotReady(
                "the profile wants the mailbox's credentials; set 'Allow to Use Credentials for Email Processing' and give them".into(),
            ));
        }
        if mailbox.oauth_token_set && !mailbox.password_set {
            return self.oauth_credentials(mailbox).await;
        }
        let password = self.secret(Mailbox::TABLE, mailbox.id, "password", "the mailbox has no password").await?;
        let user = if mailbox.user_name.is_empty() { &mailbox.address } else { &mailbox.user_name };
        Ok(Credentials::Password { user: user.clone(), password })
    }

    async fn oauth_credentials(&self, mailbox: &Mailbox) -> Result<Credentials, SyncError> {
        let token = self
            .secret(Mailbox::TABLE, mailbox.id, "oauthaccesstoken", "the mailbox has no OAuth access token")
            .await?;
        let user = if mailbox.user_name.is_empty() { &mailbox.address } else { &mailbox.user_name };
        Ok(Credentials::OAuth { user: user.clone(), token })
    }

    async fn profile_credentials(
        &self,
        profile: &EmailServerProfile,
        direction: Direction,
    ) -> Result<Credentials, SyncError> {
        let (user, column) = match direction {
            Direction::Outgoing if !profile.same_outgoing => (&profile.outgoing_user, "outgoingpassword"),
            _ => (&profile.incoming_user, "incomingpassword"),
        };
        let password =
            self.secret(EmailServerProfile::TABLE, profile.id, column, "the profile has no password").await?;
        Ok(Credentials::Password { user: user.clone(), password })
    }

    async fn secret(
        &self,
        table: &'static model::Table,
        id: model::Id,
        column: &'static str,
        missing: &str,
    ) -> Result<Secret, SyncError> {
        let found = self.store.reveal(table, id, column).await?;
        found.ok_or_else(|| {
            Failure::new(FailureKind::Credentials, Step::LogIn, format!("{missing}; enter it and run Test & Enable"))
                .into()
        })
    }
}
