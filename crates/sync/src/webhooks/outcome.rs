//! What comes of a delivery: on the event, on the receiver's breaker, and for
//! people to read.

use connectors::http::Response;
use model::tables::{Event, EventState, Organization, Server, ServiceEndpoint};
use model::{Change, Commit, Entity, Failure, Id, Update, words};
use rules::alert::{self, Alert};
use rules::webhook::{Answer, Next};
use store::CommitError;

use crate::{Engine, SyncError, stats};
use rules::breaker::server_id;

/// Characters of an answer that are kept.
const KEPT: usize = 1500;

/// The name of a receiver's breaker.
pub(super) fn breaker(endpoint: Id) -> String {
    format!("webhook {endpoint}")
}

impl Engine {
    pub(super) async fn conclude_event(
        &self,
        organization: &Organization,
        endpoint: &ServiceEndpoint,
        event: &Event,
        delivered: Result<Response, Failure>,
    ) -> Result<(), SyncError> {
        let now = self.now();
        let answer = delivered.as_ref().map(|response| Answer {
            status: response.status,
            put_off: response.header("retry-after").and_then(|text| text.trim().parse().ok()),
        });
        let since = event.since.or(event.occurred).unwrap_or(now);
        let next = rules::webhook::after(answer, event.attempts, since, now);
        let mut update = Update::of::<Event>(event.id)
            .expect(Event::C.lease_until, event.lease_until)
            .expect(Event::C.holder, event.holder.clone())
            .set(Event::C.lease_until, None)
            .set(Event::C.holder, String::new())
            .set(Event::C.status, delivered.as_ref().ok().map(|response| i64::from(response.status)))
            .set(Event::C.answer, said(&delivered));
        let mut changes = Vec::new();
        match &next {
            Next::Delivered => {
                stats::told("delivered");
                update = update
                    .set(Event::C.state, EventState::Delivered)
                    .set(Event::C.delivered, Some(now))
                    .set(Event::C.next_run, None);
            }
            Next::Again { at } => {
                stats::told("again");
                update = update.set(Event::C.next_run, Some(*at));
            }
            Next::GiveUp { why } => {
                stats::told("failed");
                update = update.set(Event::C.state, EventState::Failed).set(Event::C.next_run, None);
                let text = words!(
                    "The {0} of {1} {2} could not be delivered to the webhook '{3}': {4}. See pr_events, put the receiver \
                     right, and send the failed events again with `postroom webhook replay \"{3}\"`.",
                    event.message,
                    event.table,
                    event.row.unwrap_or_default(),
                    endpoint.name,
                    why
                );
                let told = Alert::error("webhook-failed", text).details(said(&delivered));
                changes.extend(alert::raise(told, endpoint.reference(), None, organization, now));
            }
        }
        changes.insert(0, update.into());
        match self.store.commit(&Commit::new(Self::actor(organization), now, changes)).await {
            Ok(_) => {}
            // Taken over, sent again by hand or deleted meanwhile: it is somebody else's now.
            Err(CommitError::Conflict { .. } | CommitError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
        self.note_receiver(organization, endpoint, rules::webhook::trouble(answer)).await
    }

    async fn note_receiver(
        &self,
        organization: &Organization,
        endpoint: &ServiceEndpoint,
        trouble: Option<Failure>,
    ) -> Result<(), SyncError> {
        let name = breaker(endpoint.id);
        let before = self.load_server(&name).await?;
        let now = self.now();
        let after = match &trouble {
            Some(failure) => rules::breaker::after_failure(&before, failure, now),
            None => rules::breaker::after_success(&before),
        };
        if after == before {
            return Ok(());
        }
        if rules::breaker::is_open(&after, now) && !rules::breaker::is_open(&before, now) {
            tracing::warn!(endpoint = %endpoint.name, why = %after.last_error, "a webhook's receiver is out of order; its events wait");
        }
        let id = server_id(&name);
        let mut changes = vec![
            Change::Ensure(Server { name, ..Server::blank(id) }.into_record()),
            Update::of::<Server>(id)
                .set(Server::C.failures, after.failures)
                .set(Server::C.open_until, after.open_until)
                .set(Server::C.last_error, after.last_error.clone())
                .into(),
        ];
        if after.failures == rules::breaker::LASTING {
            let text = words!(
                "The webhook '{0}' has not taken anything for about an hour: {1}. Its events wait and are delivered in order \
                 once it answers; each is given up after {2} hours. Check that the receiver runs and can be reached from here.",
                endpoint.name,
                after.last_error,
                rules::webhook::GIVE_UP.as_hours()
            );
            let told = Alert::error("webhook-down", text);
            changes.extend(alert::raise(told, endpoint.reference(), None, organization, now));
        }
        self.commit_plain(organization, changes).await
    }
}

/// The beginning of the answer, or why there was none.
fn said(delivered: &Result<Response, Failure>) -> String {
    let text = match delivered {
        Ok(response) => String::from_utf8_lossy(&response.body).into_owned(),
        Err(failure) => failure.to_string(),
    };
    text.chars().take(KEPT).map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}
