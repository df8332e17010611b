//! The breaker of each server, kept in the database so that all nodes see it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use model::tables::Server;
use model::{Change, Entity, Failure, Timestamp};
use rules::breaker::server_id;

use crate::engine::Loaded;
use crate::{Engine, SyncError};

/// What this process knows of the servers, so that a healthy server costs no
/// look at the database.
#[derive(Default)]
pub struct Breakers {
    seen: Mutex<BTreeMap<String, Server>>,
    /// Servers that failed and are being tried right now.
    probing: Mutex<BTreeSet<String>>,
}

/// The right to try a server.
pub(crate) struct Turn<'a> {
    breakers: &'a Breakers,
    /// `None`: the server is well, and others may try as well.
    alone: Option<String>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(server) = &self.alone {
            self.breakers.probing.lock().unwrap_or_else(PoisonError::into_inner).remove(server);
        }
    }
}

impl Breakers {
    /// Everybody may try a server that is well; one that failed, one at a time.
    pub(crate) fn enter(&self, server: &str) -> Option<Turn<'_>> {
        let failing = self
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(server)
            .is_some_and(|server| server.failures > 0);
        if !failing {
            return Some(Turn { breakers: self, alone: None });
        }
        let mut probing = self.probing.lock().unwrap_or_else(PoisonError::into_inner);
        probing.insert(server.to_owned()).then(|| Turn { breakers: self, alone: Some(server.to_owned()) })
    }
}

impl Engine {
    /// Until when the breaker of `name` (`host:port`) is open, if it is.
    pub(crate) async fn breaker_open_until(&self, name: &str) -> Result<Option<Timestamp>, SyncError> {
        let known = self.breakers.seen.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        let server = match known {
            // Healthy as far as this process knows: try, and find out.
            Some(server) if server.failures == 0 => return Ok(None),
            _ => self.load_server(name).await?,
        };
        let open = rules::breaker::is_open(&server, self.now()).then_some(server.open_until).flatten();
        self.remember(server);
        Ok(open)
    }

    /// Counts what a conversation of one of the profile's mailboxes says about
    /// the server as a whole. Gives back whether the breaker opened just now.
    pub(crate) async fn note_server(
        &self,
        loaded: &Loaded,
        name: &str,
        failure: Option<&Failure>,
    ) -> Result<bool, SyncError> {
        let server_wide = failure.is_some_and(Failure::is_server_wide);
        let known = self.breakers.seen.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if !server_wide && known.is_some_and(|server| server.failures == 0) {
            return Ok(false);
        }
        let before = self.load_server(name).await?;
        let now = self.now();
        let after = match failure {
            Some(failure) if server_wide => rules::breaker::after_failure(&before, failure, now),
            // Any answer shows that the server is there.
            _ => rules::breaker::after_success(&before),
        };
        let opened = !rules::breaker::is_open(&before, now) && rules::breaker::is_open(&after, now);
        if after != before {
            let mut changes = vec![
                Change::Ensure(Server { name: name.to_owned(), ..Server::blank(server_id(name)) }.into_record()),
                model::Update::of::<Server>(server_id(name))
                    .set(Server::C.failures, after.failures)
                    .set(Server::C.open_until, after.open_until)
                    .set(Server::C.last_error, after.last_error.clone())
                    .into(),
            ];
            let told = rules::breaker::lasting_alert(&after, &loaded.profile);
            changes.extend(
                told.and_then(|told| rules::alert::on_profile(told, &loaded.profile, &loaded.organization, now)),
            );
            self.commit_plain(&loaded.organization, changes).await?;
        }
        metrics::gauge!("postroom_breaker_open", "server" => name.to_owned())
            .set(if rules::breaker::is_open(&after, now) { 1.0 } else { 0.0 });
        self.remember(after);
        Ok(opened)
    }

    pub(crate) async fn load_server(&self, name: &str) -> Result<Server, SyncError> {
        let found = self.store.load::<Server>(server_id(name)).await?;
        Ok(found.unwrap_or_else(|| Server { name: name.to_owned(), ..Server::blank(server_id(name)) }))
    }

    fn remember(&self, server: Server) {
        self.breakers.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(server.name.clone(), server);
    }
}
